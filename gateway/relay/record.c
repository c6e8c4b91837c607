/*
 * record.c
 *		Telling the database what came of the attempts, in batches.
 *
 *		A batch whose fate is unknown, because the connection broke, is sent
 *		again: recording twice does no harm, and where the fence has moved on
 *		it does nothing.
 */
#include "relay/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/array.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/endpoint.h"
#include "relay/link.h"
#include "relay/metrics.h"
#include "relay/settings.h"

#define STATEMENT_MS	30000
#define ERROR_PAUSE_MS	500
#define WAIT_MIN_MS		3		/* for a batch to fill, unless it has */
#define WAIT_MAX_MS		25
#define WAIT_SHARE		16		/* results of the last batch, a ms each */
#define FULL_SHARE		2		/* this part of max_batch is full */
#define COLUMNS			10

/* Results as appt_relay.record_attempts takes them: an array a column. */
typedef struct Columns
{
	Buf			text[COLUMNS];
} Columns;

static Link database;
static void (*wake_relay) (void);
static Buf	retry_schedule = {0};	/* as an array literal */
static DeliveryList results = {0};	/* to be recorded */
static DeliveryList sent = {0};		/* in the statement under way */
static int	batch_max;				/* fewer after a batch that failed */
static bool hurried = false;
static int64_t first_ms = 0;		/* when the first of results came */
static int	wait_ms = WAIT_MIN_MS;	/* how long it waits for others */
static int64_t pause_ms = 0;		/* nothing is asked before */

static void record_up(Link *link);
static void record_down(Link *link);
static void record_result(Link *link, PGresult *result);
static bool record_is_due(void);
static void record_send(void);
static void recorded(PGresult *rows);
static void refused(const char *sqlstate);
static bool is_passing(const char *sqlstate);
static void columns_add(Columns *columns, const Delivery *delivery);
static void log_alert(const char *webhook_id, const char *alert,
					  long long number);

/* Starts to connect; wake is called when there is room for more to claim. */
void
record_open(const char *dsn, void (*wake) (void))
{
	static const LinkUser user = {
		.name = "record",
		.up = record_up,
		.result = record_result,
		.down = record_down,
	};

	wake_relay = wake;
	buf_printf(&retry_schedule, "{%s}", settings.retry_schedule);
	batch_max = settings.max_batch;
	link_open(&database, &user, dsn);
}

/* Takes a delivery whose attempt is over. */
void
record_add(Delivery *delivery)
{
	if (results.count == 0)
		first_ms = clock_ms();
	list_push(&results, delivery);
}

/* From now on no batch waits to fill. */
void
record_hurry(void)
{
	hurried = true;
}

/* Whether everything is recorded. */
bool
record_done(void)
{
	return results.count == 0 && sent.count == 0;
}

/* Whether the database can be told. */
bool
record_connected(void)
{
	return database.state == LINK_IDLE || database.state == LINK_BUSY;
}

/* What is due: to be called in each round of the loop. */
void
record_pump(void)
{
	link_pump(&database);
	if (database.state == LINK_IDLE && clock_ms() >= pause_ms &&
		record_is_due())
		record_send();
}

/* When record_pump has something to do by the clock. */
int64_t
record_due_ms(void)
{
	if (database.state != LINK_IDLE)
		return link_due_ms(&database);
	if (results.count == 0)
		return INT64_MAX;
	return first_ms + wait_ms > pause_ms ? first_ms + wait_ms : pause_ms;
}

/*
 * A batch is worth its while, or the first result has waited long enough: the
 * longer, the more come.
 */
static bool
record_is_due(void)
{
	return results.count > 0 &&
		(hurried || results.count >= batch_max / FULL_SHARE ||
		 clock_ms() - first_ms >= wait_ms);
}

/* Nothing to be done at once. */
static void
record_up(Link *link)
{
	(void) link;
}

/* The fate of the batch is unknown. */
static void
record_down(Link *link)
{
	(void) link;
	list_prepend(&results, &sent);
}

/* Records what came of the attempts, a batch of them. */
static void
record_send(void)
{
	Columns		columns = {0};
	const char *values[COLUMNS + 2];
	char		disable_after[32];
	const Delivery *delivery;
	int			i;

	list_move(&sent, &results, batch_max);
	first_ms = clock_ms();
	wait_ms = sent.count / WAIT_SHARE;
	wait_ms = wait_ms < WAIT_MIN_MS ? WAIT_MIN_MS
		: wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
	for (delivery = sent.first; delivery != NULL; delivery = delivery->next)
		columns_add(&columns, delivery);
	for (i = 0; i < COLUMNS; i++)
	{
		array_end(&columns.text[i]);
		values[i] = buf_get(&columns.text[i]);
	}
	snprintf(disable_after, sizeof(disable_after), "%d seconds",
			 settings.disable_after_s);
	values[COLUMNS] = buf_get(&retry_schedule);
	values[COLUMNS + 1] = disable_after;
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT * FROM appt_relay.record_attempts($1::bigint[], "
			"$2::bigint[], $3::integer[], $4::bigint[], $5::integer[], "
			"$6::integer[], $7::integer[], $8::text[], $9::text[], "
			"$10::boolean[], $11::double precision[], $12::interval)",
		.count = COLUMNS + 2,
		.values = values,
		.timeout_ms = STATEMENT_MS,
	});
	for (i = 0; i < COLUMNS; i++)
		buf_free(&columns.text[i]);
}

/* Adds one result to each column; zero, or no text, is NULL where it may be. */
static void
columns_add(Columns *columns, const Delivery *delivery)
{
	const Outcome *outcome = &delivery->outcome;
	const char *answer = outcome->answer.len > 0
		? buf_get(&outcome->answer) : NULL;
	Buf		   *text = columns->text;

	array_number(&text[0], delivery->delivery_no);
	array_number(&text[1], delivery->fence);
	array_number(&text[2], delivery->endpoint->webhook_no);
	array_number(&text[3], (long long) (outcome->started_at * 1e6));
	array_number(&text[4], outcome->duration_ms);
	if (outcome->status != 0)
		array_number(&text[5], outcome->status);
	else
		array_text(&text[5], NULL);
	if (outcome->retry_after_s > 0)
		array_number(&text[6], outcome->retry_after_s);
	else
		array_text(&text[6], NULL);
	array_text(&text[7], outcome->error);
	array_text(&text[8], answer);
	array_bool(&text[9], outcome->inside);
}

/* The batch was answered. */
static void
record_result(Link *link, PGresult *result)
{
	(void) link;
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		recorded(result);
	else
	{
		LOG_ERROR("the database refused", log_text("job", "record"),
				  log_int("results", sent.count),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
		refused(pg_sqlstate(result));
	}
	PQclear(result);
}

/* A batch is recorded: there is room for more, and alerts to log. */
static void
recorded(PGresult *rows)
{
	int			row;

	if (endpoint_let_go_all(&sent))
		wake_relay();
	batch_max = settings.max_batch;
	for (row = 0; row < PQntuples(rows); row++)
		log_alert(PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1),
				  strtoll(PQgetvalue(rows, row, 2), NULL, 10));
}

/*
 * A batch was not taken.  What passes (a deadlock, a shutdown) is tried again
 * as it is; otherwise in halves, until the one result is found that cannot be
 * recorded.  That is tried without the answer, the one text that a receiver
 * chooses: a clinic's own CHECK may refuse it.  If it was not that, the lease
 * runs out, and it is sent again.
 */
static void
refused(const char *sqlstate)
{
	Buf		   *answer = &sent.first->outcome.answer;

	pause_ms = clock_ms() + ERROR_PAUSE_MS;
	if (!is_passing(sqlstate) && sent.count == 1 && answer->len == 0)
	{
		metrics.dropped_results++;
		endpoint_let_go_all(&sent);
		return;
	}
	if (!is_passing(sqlstate))
	{
		batch_max = (sent.count + 1) / 2;
		if (sent.count == 1)
			buf_free(answer);
	}
	list_prepend(&results, &sent);
}

/*
 * Whether the same statement may work later.  23505: the statement of before a
 * connection was lost is still at work and records the same attempts.
 */
static bool
is_passing(const char *sqlstate)
{
	static const char *const classes[] = {
		"08", "23505", "25", "40", "53", "55", "57", "58"
	};
	size_t		i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
	{
		if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
			return true;
	}
	return false;
}

/* What an operator should hear of. */
static void
log_alert(const char *webhook_id, const char *alert, long long number)
{
	bool		is_dead = strcmp(alert, "delivery.dead") == 0;
	bool		is_failing = strcmp(alert, "webhook.failing") == 0;

	if (is_dead)
		metrics.dead++;
	else if (!is_failing)
		metrics.disabled++;
	LOG_AT(is_failing || is_dead ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, alert,
		   log_text("webhook_id", webhook_id),
		   log_int(is_dead ? "delivery_no" : "percent", number));
}
