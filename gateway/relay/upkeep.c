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
#define MESSAGES_POLLS	5
#define MESSAGES_FIRST	2500	/* and twice as many at each further time */
#define MESSAGES_BATCH	20000
#define FOLLOW_UPS_POLLS	60
#define STATS_SHARE		10		/* counting takes at most one part of it */
#define SWEEP_BATCH		5000

/* What is done again and again; the one that is due longest comes first. */
typedef struct Chore
{
	void		(*send) (void);
	void		(*answered) (PGresult *rows);
	int64_t		every_ms;
	int64_t		due_ms;
} Chore;

static void tick_send(void);
static void tick_answered(PGresult *rows);
static void messages_send(void);
static void messages_answered(PGresult *rows);
static void follow_ups_send(void);
static void follow_ups_answered(PGresult *rows);
static void stats_send(void);
static void stats_answered(PGresult *rows);
static void counts_send(void);
static void counts_answered(PGresult *rows);
static void sweep_send(void);
static void sweep_answered(PGresult *rows);
static void retention_send(void);
static void retention_answered(PGresult *rows);
static void upkeep_up(Link *link);
static void upkeep_result(Link *link, PGresult *result);
static void upkeep_down(Link *link);
static Chore *next_chore(void);
static void seldom(Chore *chore);
static const char *text_or_null(const PGresult *rows, int row, int column);
static void log_health(const Backlog *backlog);
static long long number(const PGresult *rows, int row, int column);

enum
{
	TICK,
	MESSAGES,
	FOLLOW_UPS,
	STATS,
	COUNTS,
	SWEEP,
	RETENTION,
	CHORES,
};

static Chore chores[CHORES] = {
	[TICK] = {.send = tick_send, .answered = tick_answered},
	[MESSAGES] = {.send = messages_send, .answered = messages_answered},
	[FOLLOW_UPS] = {.send = follow_ups_send, .answered = follow_ups_answered},
	[STATS] = {.send = stats_send, .answered = stats_answered},
	[COUNTS] = {.send = counts_send, .answered = counts_answered},
	[SWEEP] = {.send = sweep_send, .answered = sweep_answered},
	[RETENTION] = {.send = retention_send, .answered = retention_answered},
};

static Link database;
static Chore *under_way = NULL;
static void (*wake_relay) (void);
static int64_t sent_ms;
static int64_t health_ms = 0;
static int	messages_batch = MESSAGES_FIRST;

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
	chores[TICK].every_ms = settings.poll_ms;
	chores[MESSAGES].every_ms = settings.poll_ms * MESSAGES_POLLS;
	chores[FOLLOW_UPS].every_ms = settings.poll_ms * FOLLOW_UPS_POLLS;
	chores[STATS].every_ms = settings.stats_every_ms;
	chores[COUNTS].every_ms = settings.stats_every_ms;
	chores[SWEEP].every_ms = settings.upkeep_every_s * 1000LL;
	chores[RETENTION].every_ms = settings.retention_every_s * 1000LL;
	chores[RETENTION].due_ms = clock_ms() + chores[RETENTION].every_ms;
	link_open(&database, &user, dsn);
}

/* What is due: to be called in each round of the loop. */
void
upkeep_pump(void)
{
	Chore	   *chore = next_chore();

	link_pump(&database);
	if (database.state != LINK_IDLE || clock_ms() < chore->due_ms)
		return;
	sent_ms = clock_ms();
	chore->due_ms = sent_ms + chore->every_ms;
	under_way = chore;
	chore->send();
}

/* When upkeep_pump has something to do. */
int64_t
upkeep_due_ms(void)
{
	return database.state == LINK_IDLE ? next_chore()->due_ms
		: link_due_ms(&database);
}

/* The chore that is due first. */
static Chore *
next_chore(void)
{
	Chore	   *first = chores;
	int			i;

	for (i = 1; i < CHORES; i++)
	{
		if (chores[i].due_ms < first->due_ms)
			first = &chores[i];
	}
	return first;
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
	under_way = NULL;
}

/* The statement under way was answered; a refused one is repeated in turn. */
static void
upkeep_result(Link *link, PGresult *result)
{
	Chore	   *chore = under_way;

	(void) link;
	under_way = NULL;
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		chore->answered(result);
	else
		LOG_ERROR("the database refused", log_text("job", "upkeep"),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
	PQclear(result);
}

/* Leases that ran out, endpoints that were disabled or enabled. */
static void
tick_send(void)
{
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT expired, held, drained, replayed "
			"FROM appt_relay.tick()",
		.timeout_ms = TICK_MS,
	});
}

/* While a tick finds much to do, the next follows at once. */
static void
tick_answered(PGresult *rows)
{
	long long	expired = number(rows, 0, 0);
	long long	held = number(rows, 0, 1);
	long long	drained = number(rows, 0, 2) + number(rows, 0, 3);

	metrics.expired += expired;
	if (held + drained > 0)
		chores[TICK].due_ms = clock_ms();
	if (expired + drained > 0)
		wake_relay();
}

/* Leases of messages that ran out, reminders, fallbacks. */
static void
messages_send(void)
{
	char		batch[16];

	snprintf(batch, sizeof(batch), "%d", messages_batch);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT expired, reminders, unreported "
			"FROM appt_relay.tick_notifications($1::integer)",
		.count = 1,
		.values = (const char *const[]) {batch},
		.timeout_ms = LONG_MS,
	});
}

/*
 * While there is much to remind of, the next follows at once.  The first of
 * them are few, so that sending begins while the others are written; later
 * ones are many, as each passes what the ones before have written.
 */
static void
messages_answered(PGresult *rows)
{
	long long	expired = number(rows, 0, 0);
	long long	written = number(rows, 0, 1) + number(rows, 0, 2);

	metrics.expired += expired;
	if (written < messages_batch)
		messages_batch = MESSAGES_FIRST;
	else
	{
		chores[MESSAGES].due_ms = clock_ms();
		if (messages_batch < MESSAGES_BATCH)
			messages_batch *= 2;
	}
	if (expired + written > 0)
		wake_relay();
}

/* Who is to be asked to come again: nothing that hangs on a second. */
static void
follow_ups_send(void)
{
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT appt_relay.tick_follow_ups()",
		.timeout_ms = LONG_MS,
	});
}

static void
follow_ups_answered(PGresult *rows)
{
	long long	written = number(rows, 0, 0);

	if (written >= MESSAGES_BATCH)
		chores[FOLLOW_UPS].due_ms = clock_ms();
	if (written > 0)
		wake_relay();
}

/* Counts the backlog. */
static void
stats_send(void)
{
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT pending, due, in_flight, held, "
			"round(oldest_due_s * 1000)::bigint, endpoints, "
			"endpoints_disabled, endpoints_failing FROM appt_relay.stats()",
		.timeout_ms = LONG_MS,
	});
}

/* The backlog was counted. */
static void
stats_answered(PGresult *rows)
{
	int64_t		now = clock_ms();

	seldom(&chores[STATS]);
	metrics.backlog = (Backlog) {
		.pending = number(rows, 0, 0),
		.due = number(rows, 0, 1),
		.in_flight = number(rows, 0, 2),
		.held = number(rows, 0, 3),
		.oldest_due_s = (double) number(rows, 0, 4) / 1000,
		.endpoints = number(rows, 0, 5),
		.endpoints_disabled = number(rows, 0, 6),
		.endpoints_failing = number(rows, 0, 7),
	};
	if (now >= health_ms)
	{
		health_ms = now + HEALTH_EVERY_MS;
		log_health(&metrics.backlog);
	}
}

/* Counts messages to patients. */
static void
counts_send(void)
{
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT gauge, channel, state, reason, value "
			"FROM appt_relay.message_stats()",
		.timeout_ms = LONG_MS,
	});
}

/* Messages were counted. */
static void
counts_answered(PGresult *rows)
{
	int			row;

	seldom(&chores[COUNTS]);
	metrics_begin_messages();
	for (row = 0; row < PQntuples(rows); row++)
		metrics_add_message(&(MessageGauge) {
			.name = PQgetvalue(rows, row, 0),
			.channel = PQgetvalue(rows, row, 1),
			.state = text_or_null(rows, row, 2),
			.reason = text_or_null(rows, row, 3),
			.value = strtod(PQgetvalue(rows, row, 4), NULL),
		});
}

/* What was counted just now is counted again after ten times that long. */
static void
seldom(Chore *chore)
{
	int64_t		now = clock_ms();
	int64_t		pause_ms = (now - sent_ms) * STATS_SHARE;

	if (chore->due_ms < now + pause_ms)
		chore->due_ms = now + pause_ms;
}

/* A text of a row, or NULL. */
static const char *
text_or_null(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) ? NULL
		: PQgetvalue(rows, row, column);
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
			 log_int("dead", metrics.dead),
			 log_int("messages_due", metrics.waiting.due),
			 log_int("messages_oldest_due_s",
					 (long long) metrics.waiting.oldest_due_s));
}

/* Deletes rows that are past their retention, by appt.upkeep. */
static void
sweep_send(void)
{
	char		batch[16];

	snprintf(batch, sizeof(batch), "%d", SWEEP_BATCH);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT deleted, what, problem FROM appt.upkeep($1::integer)",
		.count = 1,
		.values = (const char *const[]) {batch},
		.timeout_ms = LONG_MS,
	});
}

/* Where a whole batch was deleted there may be more: at once again. */
static void
sweep_answered(PGresult *rows)
{
	int			row;

	for (row = 0; row < PQntuples(rows); row++)
	{
		long long	deleted = number(rows, row, 0);
		const char *what = PQgetvalue(rows, row, 1);

		if (deleted >= SWEEP_BATCH)
			chores[SWEEP].due_ms = clock_ms();
		if (deleted > 0)
			LOG_INFO("deleted what was old", log_text("what", what),
					 log_int("rows", deleted));
		if (!PQgetisnull(rows, row, 2))
			LOG_ERROR("could not delete what is old", log_text("what", what),
					  log_text("detail", PQgetvalue(rows, row, 2)));
	}
}

/* Deletes a batch of the delivery log. */
static void
retention_send(void)
{
	char		keep[32];

	snprintf(keep, sizeof(keep), "%d days", settings.keep_days);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT attempts + deliveries "
			"+ appt_relay.notification_retention($1::interval) "
			"FROM appt_relay.retention($1::interval)",
		.count = 1,
		.values = (const char *const[]) {keep},
		.timeout_ms = LONG_MS,
	});
}

/* As long as something was deleted there may be more. */
static void
retention_answered(PGresult *rows)
{
	long long	deleted = number(rows, 0, 0);

	if (deleted == 0)
		return;
	chores[RETENTION].due_ms = clock_ms();
	LOG_INFO("deleted what was old", log_text("what", "delivery log"),
			 log_int("rows", deleted));
}

/* A number of a row; 0 where there is none. */
static long long
number(const PGresult *rows, int row, int column)
{
	return row < PQntuples(rows)
		? strtoll(PQgetvalue(rows, row, column), NULL, 10) : 0;
}
