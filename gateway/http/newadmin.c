/*
 * newadmin.c
 *		bioecko-gateway --new-admin=ACCOUNT: asks for a password, makes an
 *		account of staff with role admin and ends.
 *
 *		It asks for no right that the serving gateway does not have.  Only the
 *		password's hash leaves the program.
 */
#include "http/newadmin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "common/pg.h"
#include "common/utf8.h"
#include "http/options.h"
#include "http/passwords.h"
#include "http/weak.h"

#define PASSWORD_MIN 12			/* characters; as in the contract */
#define PASSWORD_MAX 200

static bool read_password(char *password, size_t size);
static bool read_line(const char *prompt, char *line, size_t size);
static bool newadmin_store(const char *hash);

/* Makes the account; on failure says why on stderr. */
bool
newadmin_add(void)
{
	char		password[1024];
	char		hash[PASSWORD_HASH_SIZE];
	bool		made = false;

	if (!read_password(password, sizeof(password)))
		return false;
	if (!password_hash(password, hash))
		fprintf(stderr, "libcrypt could not hash the password\n");
	else
		made = newadmin_store(hash);
	OPENSSL_cleanse(password, sizeof(password));
	return made;
}

/* Asks for it twice at a terminal, else reads a line of stdin. */
static bool
read_password(char *password, size_t size)
{
	char		again[1024];
	bool		asks = isatty(STDIN_FILENO) != 0;

	if (!read_line(asks ? "Password: " : NULL, password, size) ||
		(asks && !read_line("Again: ", again, sizeof(again))))
		fprintf(stderr, "there is no password to be read\n");
	else if (asks && strcmp(password, again) != 0)
		fprintf(stderr, "these are two passwords\n");
	else if (utf8_characters(password) < PASSWORD_MIN ||
			 utf8_characters(password) > PASSWORD_MAX)
		fprintf(stderr, "the password must have from %d to %d characters\n",
				PASSWORD_MIN, PASSWORD_MAX);
	else if (password_is_weak(password))
		fprintf(stderr, "the password is among those that everybody tries "
				"first\n");
	else
		return true;
	return false;
}

/* One line; what is typed after a prompt is not shown. */
static bool
read_line(const char *prompt, char *line, size_t size)
{
	struct termios shown;
	struct termios hidden;
	bool		read;

	if (prompt != NULL && tcgetattr(STDIN_FILENO, &shown) == 0)
	{
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t) ECHO;
		fputs(prompt, stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	read = fgets(line, (int) size, stdin) != NULL;
	if (prompt != NULL)
	{
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputs("\n", stderr);
	}
	if (read)
		line[strcspn(line, "\r\n")] = '\0';
	return read;
}

/* Hands the account to the database. */
static bool
newadmin_store(const char *hash)
{
	static const char *const sql =
		"SELECT body "
		"FROM appt_api.create_staff(account => $1, name => $1, "
		"role => 'admin', branch_ids => NULL, doctor_id => NULL, "
		"language => NULL, email => NULL, department_ids => NULL, "
		"password => $2, client => NULL)";
	const PgOptions database = {
		.dsn = options.dsn, .application_name = "bioecko-gateway"
	};
	const char *const params[] = {options.new_admin, hash};
	PGconn	   *connection = pg_connect(&database);
	PGresult   *result = PQexecParams(connection, sql, 2, NULL, params, NULL,
									  NULL, 0);
	bool		stored = PQresultStatus(result) == PGRES_TUPLES_OK;

	if (stored)
		printf("%s\n", options.new_admin);
	else
		fprintf(stderr, "could not make the account: %s\n",
				PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) != NULL
				? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
				: PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
	return stored;
}
