/*
 * link.c
 *		A connection to the database that lives on the event loop.
 *
 *		Nothing here blocks.  A statement that does not answer in its time ends
 *		the connection: a half-open one is not worth waiting for.
 */
#include "relay/link.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"

#define CONNECT_MS		6000
#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	5000

static void link_connect(Link *link);
static void link_connecting(Link *link);
static void link_ready(Watch *watch, uint32_t events);
static void link_read(Link *link);
static void link_keep(Link *link, PGresult *result);
static void link_flush(Link *link);
static void link_lost(Link *link, const char *what);

/* Starts to connect; the user is told when it is up. */
void
link_open(Link *link, const LinkUser *user, const char *dsn)
{
	*link = (Link) {
		.watch = {.fd = -1, .ready = link_ready},
		.user = user,
		.dsn = dsn,
		.backoff_ms = BACKOFF_MIN_MS,
	};
	link_connect(link);
}

/* What is due by time: to be called in each round of the loop. */
void
link_pump(Link *link)
{
	int64_t		now = clock_ms();

	if (link->state == LINK_DOWN && now >= link->retry_ms)
		link_connect(link);
	else if ((link->state == LINK_CONNECTING || link->state == LINK_BUSY) &&
			 now >= link->deadline_ms)
	{
		if (link->state == LINK_CONNECTING)
			link->first_host++;
		link_lost(link, "no answer in time");
	}
}

/* When link_pump has something to do. */
int64_t
link_due_ms(const Link *link)
{
	if (link->state == LINK_DOWN)
		return link->retry_ms;
	return link->state == LINK_IDLE ? INT64_MAX : link->deadline_ms;
}

/* Sends a statement over an idle link; the result comes to the user. */
void
link_send(Link *link, const LinkStatement *statement)
{
	link->state = LINK_BUSY;
	link->deadline_ms = clock_ms() + statement->timeout_ms;
	if (PQsendQueryParams(link->conn, statement->sql, statement->count, NULL,
						  statement->values, NULL, NULL, 0) != 1)
		link_lost(link, "could not send a statement");
	else
		link_flush(link);
}

/* Ends the connection; no callback. */
void
link_close(Link *link)
{
	loop_unwatch(&link->watch);
	PQclear(link->result);
	PQfinish(link->conn);
	link->conn = NULL;
	link->result = NULL;
	link->state = LINK_DOWN;
	link->retry_ms = INT64_MAX;
}

/* Begins to connect. */
static void
link_connect(Link *link)
{
	PgOptions	options = {
		.dsn = link->dsn,
		.application_name = "bioecko-relay",
		.first_host = link->first_host,
	};

	link->conn = pg_connect_start(&options);
	link->state = LINK_CONNECTING;
	link->deadline_ms = clock_ms() + CONNECT_MS;
	if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD)
		link_lost(link, "could not connect");
	else
		loop_rewatch(&link->watch, PQsocket(link->conn), EPOLLOUT);
}

/* One more step of connecting. */
static void
link_connecting(Link *link)
{
	switch (PQconnectPoll(link->conn))
	{
		case PGRES_POLLING_READING:
			loop_rewatch(&link->watch, PQsocket(link->conn), EPOLLIN);
			break;
		case PGRES_POLLING_WRITING:
			loop_rewatch(&link->watch, PQsocket(link->conn), EPOLLOUT);
			break;
		case PGRES_POLLING_OK:
			PQsetnonblocking(link->conn, 1);
			loop_rewatch(&link->watch, PQsocket(link->conn), EPOLLIN);
			LOG_INFO("connected", log_text("link", link->user->name));
			link->state = LINK_IDLE;
			link->backoff_ms = BACKOFF_MIN_MS;
			link->user->up(link);
			break;
		default:
			link_lost(link, "could not connect");
	}
}

/* The socket is ready for something. */
static void
link_ready(Watch *watch, uint32_t events)
{
	Link	   *link = (Link *) watch;

	if (link->state == LINK_CONNECTING)
	{
		link_connecting(link);
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
		link_lost(link, "connection lost");
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
		link->state = LINK_IDLE;
		link->user->result(link, whole);
	}
	if (notified && link->user->notified != NULL)
		link->user->notified(link);
}

/* Of several results the last counts, an error before everything. */
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
		link_lost(link, "connection lost");
	else
		loop_watch(&link->watch, PQsocket(link->conn),
				   EPOLLIN | (left > 0 ? EPOLLOUT : 0));
}

/* The connection is no good: tells the user and connects again later. */
static void
link_lost(Link *link, const char *what)
{
	LinkState	was = link->state;

	LOG_WARNING("database unreachable", log_text("link", link->user->name),
				log_text("what", what),
				log_text("detail", PQerrorMessage(link->conn)));
	link_close(link);
	link->retry_ms = clock_ms() + link->backoff_ms;
	link->backoff_ms *= 2;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
	if (was != LINK_CONNECTING)
		link->user->down(link);
}
