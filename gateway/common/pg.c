/*
 * pg.c
 *		How a connection to PostgreSQL is opened.
 *
 *		A half-open connection is noticed in seconds: keepalives on an idle
 *		one, tcp_user_timeout on one with data on the way.  What the deployer's
 *		DSN says counts before these defaults.
 *
 *		Connecting blocks: libpq asks the name server in the thread that calls
 *		it, which may take half a minute, and again for each host of a DSN.  A
 *		program with an event loop uses connect.c, which does it in a thread.
 *
 *		Where a DSN names several hosts, libpq goes on to the next when one
 *		refuses, but polled it waits for ever for one that is silent: the
 *		caller's own timeout has to begin with another.
 */
#include "common/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"

#define PG_KEYWORDS 13
#define PG_HOST_KEYWORD 9		/* the first of three that say where */

static void pg_keywords(const PgOptions *options, const char **keywords,
						const char **values);
static void pg_notice(void *context, const PGresult *result);
static void pg_turn_hosts(const PgOptions *options, const char **values);
static char *pg_turn(const char *list, int by);

/*
 * Whether libpq can read the DSN that came under that name; if not, says so on
 * stderr.  libpq's own words are not for a log: they quote a password that has
 * a "%" in a URI, and the whole of other URIs.
 */
bool
pg_dsn_is_good(const char *name, const char *dsn)
{
	PQconninfoOption *parsed = PQconninfoParse(dsn, NULL);
	bool		good = parsed != NULL;

	/* Without any of these libpq takes it for a database's name. */
	if (strchr(dsn, '=') == NULL && strstr(dsn, "://") == NULL)
		good = true;
	if (!good)
		fprintf(stderr, "%s: libpq cannot read it; in a URI what is no "
				"letter or digit is written %%25 (which is a %%), %%40 (@), "
				"and so on\n", name);
	PQconninfoFree(parsed);
	return good;
}

/*
 * Opens a connection and waits for it.  The caller checks PQstatus and calls
 * PQfinish, whatever that says; NULL: there is no memory.
 */
PGconn *
pg_connect(const PgOptions *options)
{
	const char *keywords[PG_KEYWORDS];
	const char *values[PG_KEYWORDS];

	pg_keywords(options, keywords, values);
	return PQconnectdbParams(keywords, values, 1);
}

/*
 * Starts to open a connection, which may block while a name is resolved; the
 * caller goes on with PQconnectPoll, and calls PQfinish in the end.  NULL:
 * there is no memory.
 */
PGconn *
pg_connect_start(const PgOptions *options)
{
	const char *keywords[PG_KEYWORDS];
	const char *values[PG_KEYWORDS];
	PGconn	   *connection;
	int			i;

	pg_keywords(options, keywords, values);
	pg_turn_hosts(options, values);
	connection = PQconnectStartParams(keywords, values, 1);
	for (i = PG_HOST_KEYWORD; i < PG_KEYWORDS; i++)
		free((void *) values[i]);
	if (connection != NULL)
		PQsetNoticeReceiver(connection, pg_notice, NULL);
	return connection;
}

/* The result's SQLSTATE, "" where there is none (the connection was lost). */
const char *
pg_sqlstate(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL ? sqlstate : "";
}

/*
 * What the server says between its answers; libpq would write it to stderr as
 * it is.  Its words may hold a row's values and stay out.
 */
static void
pg_notice(void *context, const PGresult *result)
{
	(void) context;
	LOG_INFO("database notice", log_text("sqlstate", pg_sqlstate(result)));
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
		"client_encoding", "fallback_application_name", "dbname",
		"host", "hostaddr", "port", NULL
	};
	const char *const settings[PG_KEYWORDS] = {
		"5", "1", "5", "2", "3", "5000",
		"UTF8", options->application_name, options->dsn,
		NULL, NULL, NULL, NULL
	};

	memcpy(keywords, names, sizeof(names));
	memcpy(values, settings, sizeof(settings));
}

/*
 * Rotates the DSN's lists host, hostaddr and port, so that libpq tries another
 * host first.  These keywords follow "dbname" and override the DSN's.
 */
static void
pg_turn_hosts(const PgOptions *options, const char **values)
{
	static const char *const names[] = {"host", "hostaddr", "port"};
	PQconninfoOption *parsed;
	PQconninfoOption *one;
	size_t		i;

	if (options->first_host == 0)
		return;
	parsed = PQconninfoParse(options->dsn, NULL);
	for (one = parsed; one != NULL && one->keyword != NULL; one++)
	{
		const char *list = one->val == NULL && one->envvar != NULL
			? getenv(one->envvar) : one->val;

		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		{
			if (strcmp(one->keyword, names[i]) == 0 && list != NULL)
				values[PG_HOST_KEYWORD + i] = pg_turn(list,
													  options->first_host);
		}
	}
	PQconninfoFree(parsed);
}

/* The comma-separated list rotated by that many items; the caller frees it. */
static char *
pg_turn(const char *list, int by)
{
	const char *first = list;
	const char *p;
	Buf			turned = {0};
	int			count = 1;

	for (p = list; *p != '\0'; p++)
		count += *p == ',';
	for (by %= count; by > 0; by--)
		first = strchr(first, ',') + 1;
	buf_text(&turned, first);
	if (first > list)
	{
		buf_char(&turned, ',');
		buf_add(&turned, list, (size_t) (first - list) - 1);
	}
	return turned.data;
}
