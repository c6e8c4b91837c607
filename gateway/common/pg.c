/*
 * pg.c
 *		How a connection to PostgreSQL is opened.
 *
 *		A half-open connection is noticed in seconds: keepalives on an idle
 *		one, tcp_user_timeout on one with data on the way.  What the deployer's
 *		DSN says counts before these defaults.
 */
#include "common/pg.h"

#include <stdlib.h>
#include <string.h>

#define PG_KEYWORDS 10

static void pg_keywords(const PgOptions *options, const char **keywords,
						const char **values);

/* Opens a connection and waits for it; the caller checks PQstatus. */
PGconn *
pg_connect(const PgOptions *options)
{
	const char *keywords[PG_KEYWORDS];
	const char *values[PG_KEYWORDS];

	pg_keywords(options, keywords, values);
	return PQconnectdbParams(keywords, values, 1);
}

/* Starts to open a connection; the caller goes on with PQconnectPoll. */
PGconn *
pg_connect_start(const PgOptions *options)
{
	const char *keywords[PG_KEYWORDS];
	const char *values[PG_KEYWORDS];

	pg_keywords(options, keywords, values);
	return PQconnectStartParams(keywords, values, 1);
}

/* The result's SQLSTATE, "" where there is none (the connection was lost). */
const char *
pg_sqlstate(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL ? sqlstate : "";
}

/*
 * Fills the arrays for PQconnect…Params.  "dbname" is expanded as a whole
 * conninfo, and later keywords count before earlier ones, so ours, which are
 * defaults, stand before it.
 */
static void
pg_keywords(const PgOptions *options, const char **keywords,
			const char **values)
{
	static const char *const names[PG_KEYWORDS] = {
		"connect_timeout", "keepalives", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"client_encoding", "fallback_application_name", "dbname", NULL
	};
	const char *const settings[PG_KEYWORDS] = {
		"5", "1", "5", "2", "3", "5000",
		"UTF8", options->application_name, options->dsn, NULL
	};

	memcpy(keywords, names, sizeof(names));
	memcpy(values, settings, sizeof(settings));
}
