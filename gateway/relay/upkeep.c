/*
 * upkeep.c
 *		What is done by the clock, on a connection of its own so that counting
 *		a million rows or deleting old ones keeps no delivery waiting.
 */
#include "relay/upkeep.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/link.h"
#include "relay/metrics.h"
#include "relay/settings.h"

#define TICK_MS			30000
#define LONG_MS			300000
#define HEALTH_EVERY_MS	60000
#define STATS_SHARE		10		/* counting takes at most one part of it */

typedef enum UpkeepJob
{
	UPKEEP_NONE,
	UPKEEP_TICK,
	UPKEEP_STATS,
	UPKEEP_RETENTION,
} UpkeepJob;

static Link link_;
static UpkeepJob job = UPKEEP_NONE;
static void (*wake_relay) (void);
static int64_t sent_ms;
static int64_t tick_ms = 0;
static int64_t stats_ms = 0;
static int64_t retention_ms = 0;
static int64_t health_ms = 0;

static void upkeep_up(Link *link);
static void upkeep_result(Link *link, PGresult *result);
static void upkeep_down(Link *link);
static void send_tick(void);
static void send_stats(void);
static void send_retention(void);
static void ticked(PGresult *rows);
static void counted(PGresult *rows);
static void cleaned(PGresult *rows);
static void log_health(const Backlog *backlog);
static int64_t retention_next_ms(void);
static long long number(PGresult *rows, int column);

/* Starts to connect; wake is called when there may be more to send. */
void
upkeep_open(const char *dsn, void (*wake) (void))
{
	static const LinkUser user = {
		.name = "upkeep",
		.up = upkeep_up,
		.result = upkeep_result,
		.down = upkeep_down,
	};

	wake_relay = wake;
	retention_ms = retention_next_ms();
	link_open(&link_, &user, dsn);
}

/* What is due: to be called in each round of the loop. */
void
upkeep_pump(void)
{
	int64_t		now = clock_ms();

	link_pump(&link_);
	if (link_.state != LINK_IDLE)
		return;
	sent_ms = now;
	if (now >= tick_ms)
	{
		job = UPKEEP_TICK;
		send_tick();
	}
	else if (now >= stats_ms)
	{
		job = UPKEEP_STATS;
		send_stats();
	}
	else if (now >= retention_ms)
	{
		job = UPKEEP_RETENTION;
		send_retention();
	}
}

/* When upkeep_pump has something to do. */
int64_t
upkeep_due_ms(void)
{
	int64_t		due = tick_ms;

	if (link_.state != LINK_IDLE)
		return link_due_ms(&link_);
	if (stats_ms < due)
		due = stats_ms;
	return retention_ms < due ? retention_ms : due;
}

/* Nothing to be done at once. */
static void
upkeep_up(Link *link)
{
	(void) link;
}

/* Whatever was under way is done again at its time. */
static void
upkeep_down(Link *link)
{
	(void) link;
	job = UPKEEP_NONE;
	if (stats_ms == INT64_MAX)
		stats_ms = clock_ms() + settings.stats_every_ms;
}

/* The statement under way was answered; a refusal is tried again in turn. */
static void
upkeep_result(Link *link, PGresult *result)
{
	UpkeepJob	was = job;

	(void) link;
	job = UPKEEP_NONE;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		LOG_ERROR("the database refused", log_text("job", "upkeep"),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
		if (was == UPKEEP_RETENTION)
			retention_ms = retention_next_ms();
		if (was == UPKEEP_STATS)
			stats_ms = clock_ms() + settings.stats_every_ms;
	}
	else if (was == UPKEEP_TICK)
		ticked(result);
	else if (was == UPKEEP_STATS)
		counted(result);
	else
		cleaned(result);
	PQclear(result);
}

/* Leases that ran out, endpoints that were disabled or enabled. */
static void
send_tick(void)
{
	tick_ms = sent_ms + settings.poll_ms;
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT expired, held, drained, replayed "
			"FROM appt.relay_tick()",
		.timeout_ms = TICK_MS,
	});
}

/* While a tick finds much to do, the next follows at once. */
static void
ticked(PGresult *rows)
{
	metrics.expired += number(rows, 0);
	if (number(rows, 1) > 0 || number(rows, 2) > 0 || number(rows, 3) > 0)
		tick_ms = 0;
	if (number(rows, 0) > 0 || number(rows, 2) > 0 || number(rows, 3) > 0)
		wake_relay();
}

/* Counts the backlog. */
static void
send_stats(void)
{
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT pending, due, in_flight, held, "
			"round(oldest_due_s * 1000)::bigint, endpoints, "
			"endpoints_disabled, endpoints_failing FROM appt.relay_stats()",
		.timeout_ms = LONG_MS,
	});
	stats_ms = INT64_MAX;
}

/* The backlog was counted; what takes long is done more seldom. */
static void
counted(PGresult *rows)
{
	int64_t		now = clock_ms();
	int64_t		pause_ms = (now - sent_ms) * STATS_SHARE;

	stats_ms = now + (pause_ms > settings.stats_every_ms
					  ? pause_ms : settings.stats_every_ms);
	metrics.backlog = (Backlog) {
		.pending = number(rows, 0),
		.due = number(rows, 1),
		.in_flight = number(rows, 2),
		.held = number(rows, 3),
		.oldest_due_s = (double) number(rows, 4) / 1000,
		.endpoints = number(rows, 5),
		.endpoints_disabled = number(rows, 6),
		.endpoints_failing = number(rows, 7),
	};
	if (now >= health_ms)
	{
		health_ms = now + HEALTH_EVERY_MS;
		log_health(&metrics.backlog);
	}
}

/* How things stand, for whoever reads the log. */
static void
log_health(const Backlog *backlog)
{
	LOG_INFO("health", log_int("pending", backlog->pending),
			 log_int("due", backlog->due),
			 log_int("oldest_due_s", (long long) backlog->oldest_due_s),
			 log_int("in_flight", backlog->in_flight),
			 log_int("held", backlog->held),
			 log_int("endpoints_failing", backlog->endpoints_failing),
			 log_int("endpoints_disabled", backlog->endpoints_disabled),
			 log_int("delivered", metrics.delivered),
			 log_int("failed_status", metrics.failed_status),
			 log_int("failed_network", metrics.failed_network),
			 log_int("dead", metrics.dead));
}

/* Deletes what is old, one batch. */
static void
send_retention(void)
{
	char		keep[32];

	snprintf(keep, sizeof(keep), "%d days", settings.keep_days);
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT attempts + deliveries + idempotency_keys "
			"FROM appt.relay_retention($1::interval)",
		.count = 1,
		.values = (const char *const[]) {keep},
		.timeout_ms = LONG_MS,
	});
}

/* As long as something was deleted there may be more. */
static void
cleaned(PGresult *rows)
{
	long long	deleted = number(rows, 0);

	if (deleted == 0)
		retention_ms = retention_next_ms();
	else
		LOG_INFO("deleted what was old", log_int("rows", deleted));
}

/* When the next retention is due. */
static int64_t
retention_next_ms(void)
{
	return clock_ms() + settings.retention_every_s * 1000LL;
}

/* A number of the result's one row. */
static long long
number(PGresult *rows, int column)
{
	return PQntuples(rows) > 0
		? strtoll(PQgetvalue(rows, 0, column), NULL, 10) : 0;
}
