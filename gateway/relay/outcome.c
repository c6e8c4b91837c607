/*
 * outcome.c
 *		Telling the database what came of messages to patients, in batches.
 *
 *		A batch whose fate is unknown, because the connection broke, is told
 *		again: recording twice does no harm, and where the fence has moved on
 *		it does nothing.
 */
#include "relay/outcome.h"

#include "common/array.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/channel.h"
#include "relay/link.h"
#include "relay/metrics.h"
#include "relay/settings.h"

#define STATEMENT_MS	60000
#define ERROR_PAUSE_MS	500
#define WAIT_MIN_MS		10		/* for a batch to fill, unless it has */
#define WAIT_MAX_MS		50
#define WAIT_MS_EACH	4		/* of the results of the last batch */
#define FULL_SHARE		4		/* this part of max_batch is full */
#define COLUMNS			8

static Link database;
static void (*wake_claims) (void);
static MessageList results = {0};	/* to be recorded */
static MessageList told = {0};		/* in the statement under way */
static bool one_by_one = false;	/* since a batch of results was refused */
static bool hurried = false;
static int64_t first_ms = 0;	/* when the first of results came */
static int	wait_ms = WAIT_MIN_MS;	/* how long it waits for others */
static int64_t pause_ms = 0;	/* nothing is asked before */

static void outcome_up(Link *link);
static void outcome_down(Link *link);
static void outcome_result(Link *link, PGresult *result);
static int64_t due_ms(void);
static void send_record(void);
static void learn_wait(void);
static void add_result(Buf *columns, const Message *message);
static void recorded(const PGresult *rows);
static void refused(void);

/* Starts to connect; wake is called when some are recorded. */
void
outcome_open(const char *dsn, void (*wake) (void))
{
	static const LinkUser user = {
		.name = "outcomes",
		.up = outcome_up,
		.result = outcome_result,
		.down = outcome_down,
	};

	wake_claims = wake;
	link_open(&database, &user, dsn);
}

/* Takes a message whose attempt is over. */
void
outcome_add(Message *message)
{
	if (results.count == 0)
		first_ms = clock_ms();
	message_push(&results, message);
}

/* From now on no batch waits to fill. */
void
outcome_hurry(void)
{
	hurried = true;
}

/* What is due: to be called in each round of the loop. */
void
outcome_pump(void)
{
	link_pump(&database);
	if (database.state == LINK_IDLE && clock_ms() >= due_ms())
		send_record();
}

/* When outcome_pump has something to do by the clock. */
int64_t
outcome_due_ms(void)
{
	return database.state == LINK_IDLE ? due_ms() : link_due_ms(&database);
}

/* When the next batch is to be told. */
static int64_t
due_ms(void)
{
	int64_t		due = first_ms + wait_ms;

	if (results.count == 0)
		return INT64_MAX;
	if (hurried || one_by_one ||
		results.count >= settings.max_batch / FULL_SHARE)
		due = first_ms;
	return due > pause_ms ? due : pause_ms;
}

/* Nothing to be done at once. */
static void
outcome_up(Link *link)
{
	(void) link;
}

/* The fate of the batch is unknown. */
static void
outcome_down(Link *link)
{
	(void) link;
	message_move(&results, &told);
}

/* The batch was answered. */
static void
outcome_result(Link *link, PGresult *result)
{
	(void) link;
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		recorded(result);
	else
	{
		LOG_ERROR("the database refused", log_text("job", "outcomes"),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
		pause_ms = clock_ms() + ERROR_PAUSE_MS;
		refused();
	}
	PQclear(result);
	first_ms = clock_ms();
}

/* Records what came of the attempts, a batch of them. */
static void
send_record(void)
{
	Buf			columns[COLUMNS] = {{0}};
	const char *values[COLUMNS + 1];
	const Message *message;
	int			i;

	while (results.count > 0 &&
		   told.count < (one_by_one ? 1 : settings.max_batch))
		message_push(&told, message_pop(&results));
	learn_wait();
	for (message = told.first; message != NULL; message = message->next)
		add_result(columns, message);
	for (i = 0; i < COLUMNS; i++)
	{
		array_end(&columns[i]);
		values[i] = buf_get(&columns[i]);
	}
	values[COLUMNS] = settings.message_retry_schedule;
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT * FROM appt_relay.record_notifications("
			"$1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], "
			"$5::integer[], $6::text[], $7::text[], "
			"string_to_array($9, ',')::double precision[], $8::boolean[])",
		.count = COLUMNS + 1,
		.values = values,
		.timeout_ms = STATEMENT_MS,
	});
	for (i = 0; i < COLUMNS; i++)
		buf_free(&columns[i]);
}

/* Where many come, the next wait for more of them: a statement costs most. */
static void
learn_wait(void)
{
	wait_ms = told.count * WAIT_MS_EACH;
	wait_ms = wait_ms < WAIT_MIN_MS ? WAIT_MIN_MS
		: wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

/* Adds one result to each column. */
static void
add_result(Buf *columns, const Message *message)
{
	const Outcome *outcome = &message->outcome;

	array_number(&columns[0], message->notification_no);
	array_number(&columns[1], message->fence);
	array_number(&columns[2], (long long) (outcome->started_at * 1e6));
	array_number(&columns[3], outcome->duration_ms);
	if (outcome->status != 0)
		array_number(&columns[4], outcome->status);
	else
		array_text(&columns[4], NULL);
	array_text(&columns[5], outcome->error);
	array_text(&columns[6], outcome->answer.len > 0
			   ? buf_get(&outcome->answer) : NULL);
	array_bool(&columns[7], outcome->inside);
}

/* A batch is recorded; what an operator should hear of is logged. */
static void
recorded(const PGresult *rows)
{
	int			row;

	channel_let_go(&told);
	one_by_one = one_by_one && results.count > 0;
	wake_claims();
	for (row = 0; row < PQntuples(rows); row++)
	{
		metrics.messages_failed++;
		LOG_WARNING("message given up",
					log_text("notification_no", PQgetvalue(rows, row, 0)),
					log_text("state", PQgetvalue(rows, row, 1)),
					log_text("channel", PQgetvalue(rows, row, 2)),
					log_text("reason", PQgetvalue(rows, row, 3)));
	}
}

/*
 * A batch was not taken: what is left is recorded one by one, so that one that
 * cannot be recorded keeps back no other.  That one is tried again without the
 * answer, the one text that another side chose; where that fails, too, it is
 * let go: its lease runs out, and it is sent again.
 */
static void
refused(void)
{
	Buf		   *answer = &told.first->outcome.answer;

	one_by_one = true;
	if (told.count > 1)
		message_move(&results, &told);
	else if (answer->len > 0)
	{
		buf_clear(answer);
		message_move(&results, &told);
	}
	else
		channel_let_go(&told);
}
