/*
 * newkey.c
 *		bioecko-gateway --new-signing-key: makes an RSA key, stores it beside
 *		those that are there, prints its id and ends.
 *
 *		It needs no right beyond the serving gateway's, which stores the
 *		first key of all by the same function.  The private key goes to the
 *		database and nowhere else.
 */
#include "http/newkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/pg.h"
#include "http/keys.h"
#include "http/options.h"

static bool newkey_store(PGconn *connection, const char *kid,
						 const char *pem);

/* Adds a key; on failure says why on stderr. */
bool
newkey_add(void)
{
	const PgOptions database = {
		.dsn = options.dsn, .application_name = "bioecko-gateway"
	};
	PGconn	   *connection = pg_connect(&database);
	char		kid[KEY_ID_MAX];
	char	   *pem = NULL;
	bool		stored = false;

	if (PQstatus(connection) != CONNECTION_OK)
		fprintf(stderr, "%s", PQerrorMessage(connection));
	else if ((pem = keys_generate(kid)) == NULL)
		fprintf(stderr, "could not make a key\n");
	else
		stored = newkey_store(connection, kid, pem);
	if (stored)
		printf("%s\n", kid);
	if (pem != NULL)
		OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
	PQfinish(connection);
	return stored;
}

/* Hands the key to the database. */
static bool
newkey_store(PGconn *connection, const char *kid, const char *pem)
{
	static const char *const sql =
		"SELECT body "
		"FROM appt_api.add_signing_key("
		"kid => $1, private_pem => $2, only_first => false)";
	const char *const params[] = {kid, pem};
	PGresult   *result = PQexecParams(connection, sql, 2, NULL, params, NULL,
									  NULL, 0);
	bool		stored = PQresultStatus(result) == PGRES_TUPLES_OK;

	/* Its message alone: detail and context may hold the key. */
	if (!stored)
		fprintf(stderr, "could not store the key: %s\n",
				PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) != NULL
				? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
				: PQerrorMessage(connection));
	PQclear(result);
	return stored;
}
