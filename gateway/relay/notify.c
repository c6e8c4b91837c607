/*
 * notify.c
 *		LISTEN on a connection of its own, with a ping so that a dead one is
 *		noticed.  A notification is a hint and nothing more: whoever is woken
 *		scans the table, and does so each second anyway.
 */
#include "relay/notify.h"

#include "common/clock.h"
#include "common/log.h"
#include "relay/link.h"
#include "relay/metrics.h"

#define PING_EVERY_MS	5000
#define ANSWER_MS		5000

static Link database;
static void (*wake_relay) (void);
static bool listening = false;
static int64_t ping_ms = 0;

/* Listens first; what came before is found by the scan that follows. */
static void
notify_up(Link *link)
{
	static const LinkStatement statement = {
		.sql = "LISTEN bioecko_appt",
		.timeout_ms = ANSWER_MS,
	};

	link_send(link, &statement);
}

/* LISTEN or a ping was answered. */
static void
notify_result(Link *link, PGresult *result)
{
	(void) link;
	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		LOG_ERROR("could not listen",
				  log_text("detail", PQresultErrorMessage(result)));
	else if (!listening)
	{
		listening = true;
		wake_relay();
	}
	PQclear(result);
	ping_ms = clock_ms() + PING_EVERY_MS;
}

/* Nothing to repeat. */
static void
notify_down(Link *link)
{
	(void) link;
	listening = false;
}

/* There may be something to send. */
static void
notify_notified(Link *link)
{
	(void) link;
	metrics.notifications++;
	wake_relay();
}

/* Starts to listen. */
void
notify_open(const char *dsn, void (*wake) (void))
{
	static const LinkUser user = {
		.name = "listen",
		.up = notify_up,
		.result = notify_result,
		.down = notify_down,
		.notified = notify_notified,
	};

	wake_relay = wake;
	link_open(&database, &user, dsn);
}

/* What is due by time. */
void
notify_pump(void)
{
	static const LinkStatement ping = {
		.sql = "SELECT 1",
		.timeout_ms = ANSWER_MS,
	};

	link_pump(&database);
	if (database.state == LINK_IDLE && clock_ms() >= ping_ms)
	{
		if (listening)
			link_send(&database, &ping);
		else
			notify_up(&database);
	}
}

/* When notify_pump has something to do. */
int64_t
notify_due_ms(void)
{
	return database.state == LINK_IDLE ? ping_ms : link_due_ms(&database);
}

/* Whether a notification would be heard. */
bool
notify_listening(void)
{
	return listening;
}
