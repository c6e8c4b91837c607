/*
 * stubs.c
 *		What stands around the parsers in a fuzz target: a token that is always
 *		good, a database that answers at once, a server that does nothing.
 */
#include <string.h>

#include <microhttpd.h>

#include "fuzz/serving.h"
#include "fuzz/fuzz.h"
#include "http/auth.h"
#include "http/exchange.h"
#include "http/lag.h"
#include "http/tls.h"

FakeRow		fake_row;

/*
 * Calls that other files serve: they read nothing of a request.  Where one is
 * linked in, it counts.
 */
#define SERVED(name) \
	extern void name(struct Exchange *exchange); \
	__attribute__((weak)) void name(struct Exchange *exchange) \
	{ answer_body(&exchange->answer, 200, "text/plain", "", 0); }

#include "served.gen.h"

/* Every password is hashed at once. */
void
passwords_submit(Passwords *passwords, PasswordWork *work)
{
	(void) passwords;
	HOLDS(work->password != NULL && work->hash == NULL);
	strcpy(work->made, "$y$made");
	work->done(work, PASSWORD_HASHED);
}

/* Every token is one of a client with all scopes. */
AuthOutcome
auth_check(Auth *auth, const char *authorization, Caller *caller)
{
	(void) auth;
	(void) authorization;
	*caller = (Caller) {.client_id = "cl_1", .scopes = ~0u};
	return AUTH_GOOD;
}

/* There is no standby that could lag. */
void
lag_knows(const char *caller)
{
	HOLDS(caller != NULL);
}

AuthOutcome
auth_check_token(Auth *auth, const char *token, Caller *caller)
{
	return auth_check(auth, token, caller);
}

SecretOutcome
auth_check_secret(const Auth *auth, const char *client_id, const char *secret)
{
	(void) auth;
	HOLDS(client_id != NULL);
	return strcmp(secret, "wrong") == 0 ? SECRET_WRONG : SECRET_RIGHT;
}

void
auth_wait(Auth *auth, AuthWait *wait)
{
	(void) auth;
	wait->done(wait);
}

int
auth_rate(Auth *auth, const char *client_id)
{
	(void) auth;
	(void) client_id;
	return 0;
}

char *
auth_issue(Auth *auth, const char *client_id, const char *scope, int epoch)
{
	(void) auth;
	HOLDS(client_id != NULL && scope != NULL && epoch > 0);
	return must_strdup("e30.e30.AA");
}

void
auth_revoked(Auth *auth, const Caller *owner)
{
	(void) auth;
	HOLDS(owner->client_id[0] != '\0');
}

bool
tls_wanted(void)
{
	return true;
}

const Statement *
statement_register(const char *sql, int param_count)
{
	static Statement statements[STATEMENTS_MAX];
	static int	count;

	HOLDS(count < STATEMENTS_MAX);
	statements[count] = (Statement) {.sql = sql, .param_count = param_count};
	return &statements[count++];
}

/* The database answers with the row before this returns. */
void
pool_submit(Pool *pool, Query *query)
{
	PGresAttDesc columns[8] = {0};
	PGresult   *result = NULL;
	int			count;
	int			i;

	(void) pool;
	for (count = 0; fake_row.names[count] != NULL; count++)
		columns[count].name = (char *) fake_row.names[count];
	if (fake_row.outcome == QUERY_OK)
	{
		result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
		PQsetResultAttrs(result, count, columns);
		for (i = 0; i < count; i++)
			PQsetvalue(result, 0, i, (char *) fake_row.values[i],
					   (int) strlen(fake_row.values[i]));
	}
	query->done(query, fake_row.outcome, result);
}

void
pool_abandon(Pool *pool, Query *query)
{
	(void) pool;
	(void) query;
}

void
wake_soon(Wake *wake)
{
	(void) wake;
}

void
MHD_suspend_connection(struct MHD_Connection *connection)
{
	(void) connection;
}

void
MHD_resume_connection(struct MHD_Connection *connection)
{
	(void) connection;
}
