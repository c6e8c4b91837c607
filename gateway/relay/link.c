/*
 * link.c
 *		One connection of the relay's to PostgreSQL, on the event loop.  Each
 *		of its files that ask the database opens one.
 *
 *		A link has one statement at a time, whose result its owner is told,
 *		and notifications.  A statement that does not answer in its time ends
 *		the connection: a half-open one is not worth waiting for.
 *
 *		The gateway's connection (http/dbconn.c) is another machine, and little
 *		of it would serve here: it pipelines prepared statements of many
 *		callers, cancels them, and tells the fate of each.  What both need,
 *		opening a connection in a thread and when to try again, is
 *		common/connect.c.
 */
#include "relay/link.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#define SERVERS_MAX		2		/* APPT_DSN and APPT_RELAY_LISTEN_DSN */
#define RETRY_MS		100

/* Where a new connection does not help, it is not opened for ever. */
#define OUTDATED_PAUSE_MS	1000

static PgServer servers[SERVERS_MAX];

static PgServer *link_server(const char *dsn);
static void link_connect(Link *link);
static void link_connected(Link *link);
static void link_ready(Watch *watch, uint32_t events);
static void link_read(Link *link);
static void link_keep(Link *link, PGresult *result);
static void link_flush(Link *link);
static void link_close(Link *link);
static void link_lost(Link *link, const char *what, const char *detail);

/* Starts to connect; the user is told when it is up. */
void
link_open(Link *link, const LinkUser *user, const char *dsn)
{
	*link = (Link) {
		.watch = {.fd = -1, .ready = link_ready},
		.user = user,
		.server = link_server(dsn),
	};
	link_pump(link);
}

/* What is known of that database, by all links to it. */
static PgServer *
link_server(const char *dsn)
{
	int			i;

	for (i = 0; i < SERVERS_MAX; i++)
	{
		if (servers[i].dsn == NULL)
			servers[i].dsn = dsn;
		if (strcmp(servers[i].dsn, dsn) == 0)
			return &servers[i];
	}
	abort();
}

/* What is due by time: to be called in each round of the loop. */
void
link_pump(Link *link)
{
	int64_t		now = clock_ms();

	if (link->state == LINK_DOWN && now >= link->retry_ms &&
		pg_may_connect(link->server))
		link_connect(link);
	else if (link->state == LINK_BUSY && now >= link->deadline_ms)
		link_lost(link, "no answer in time", "");
}

/* When link_pump has something to do. */
int64_t
link_due_ms(const Link *link)
{
	int64_t		server_ms;

	if (link->state == LINK_BUSY)
		return link->deadline_ms;
	if (link->state != LINK_DOWN)
		return INT64_MAX;
	server_ms = pg_connect_due_ms(link->server);
	return server_ms > link->retry_ms ? server_ms : link->retry_ms;
}

/* Sends a statement over an idle link; the result comes to the user. */
void
link_send(Link *link, const LinkStatement *statement)
{
	link->state = LINK_BUSY;
	link->deadline_ms = clock_ms() + statement->timeout_ms;
	if (PQsendQueryParams(link->conn, statement->sql, statement->count, NULL,
						  statement->values, NULL, NULL, 0) != 1)
		link_lost(link, "could not send a statement",
				  PQerrorMessage(link->conn));
	else
		link_flush(link);
}

/* Begins to connect. */
static void
link_connect(Link *link)
{
	link->attempt = pg_attempt_start(link->server, "bioecko-relay");
	if (link->attempt == NULL)
		return;
	link->state = LINK_CONNECTING;
	loop_rewatch(&link->watch, pg_attempt_fd(link->attempt), EPOLLIN);
}

/* The attempt is over. */
static void
link_connected(Link *link)
{
	const char *why;

	loop_unwatch(&link->watch);
	link->conn = pg_attempt_end(link->attempt, &why);
	link->attempt = NULL;
	if (PQstatus(link->conn) != CONNECTION_OK)
	{
		link_lost(link, "could not connect", why);
		return;
	}
	loop_watch(&link->watch, PQsocket(link->conn), EPOLLIN);
	LOG_INFO("connected", log_text("link", link->user->name));
	link->state = LINK_IDLE;
	link->user->up(link);
}

/* The socket is ready for something. */
static void
link_ready(Watch *watch, uint32_t events)
{
	Link	   *link = (Link *) watch;

	if (link->state == LINK_CONNECTING)
	{
		link_connected(link);
		return;
	}
	if (events & EPOLLOUT)
		link_flush(link);
	if (link->state != LINK_DOWN && (events & ~(uint32_t) EPOLLOUT))
		link_read(link);
}

/* Reads what came: notifications, and the statement's result when whole. */
static void
link_read(Link *link)
{
	PGnotify   *notify;
	bool		notified = false;

	if (PQconsumeInput(link->conn) != 1)
	{
		link_lost(link, "connection lost", PQerrorMessage(link->conn));
		return;
	}
	while ((notify = PQnotifies(link->conn)) != NULL)
	{
		notified = true;
		PQfreemem(notify);
	}
	while (link->state == LINK_BUSY && PQisBusy(link->conn) == 0)
	{
		PGresult   *next = PQgetResult(link->conn);
		PGresult   *whole = link->result;

		if (next != NULL)
		{
			link_keep(link, next);
			continue;
		}
		link->result = NULL;
		if (strcmp(pg_sqlstate(whole), PG_OUTDATED_SESSION) == 0)
		{
			link_lost(link, "session out of date", PQresultErrorField(
				whole, PG_DIAG_MESSAGE_PRIMARY));
			link->retry_ms = clock_ms() + OUTDATED_PAUSE_MS;
			PQclear(whole);
			return;
		}
		link->state = LINK_IDLE;
		link->user->result(link, whole);
	}
	if (notified && link->user->notified != NULL)
		link->user->notified(link);
}

/* Keeps the last of several results, or the first error. */
static void
link_keep(Link *link, PGresult *result)
{
	if (link->result != NULL &&
		PQresultStatus(link->result) == PGRES_FATAL_ERROR)
	{
		PQclear(result);
		return;
	}
	PQclear(link->result);
	link->result = result;
}

/* Sends what libpq has buffered; waits for room where there is none. */
static void
link_flush(Link *link)
{
	int			left = PQflush(link->conn);

	if (left < 0)
		link_lost(link, "connection lost", PQerrorMessage(link->conn));
	else
		loop_watch(&link->watch, PQsocket(link->conn),
				   EPOLLIN | (left > 0 ? EPOLLOUT : 0));
}

/* The connection is no good: tells the user and connects again later. */
static void
link_lost(Link *link, const char *what, const char *detail)
{
	LinkState	was = link->state;

	LOG_WARNING("database unreachable", log_text("link", link->user->name),
				log_text("what", what), log_text("detail", detail));
	link_close(link);
	link->retry_ms = clock_ms() + RETRY_MS;
	if (was != LINK_CONNECTING)
		link->user->down(link);
}

/* Ends the connection. */
static void
link_close(Link *link)
{
	loop_unwatch(&link->watch);
	PQclear(link->result);
	PQfinish(link->conn);
	link->conn = NULL;
	link->result = NULL;
	link->state = LINK_DOWN;
}
