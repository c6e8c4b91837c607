/*
 * messages.c
 *		Messages to patients: taken from the database, sent, recorded.
 *
 *		As deliveries are: a claim is committed before anything of it is
 *		sent; after a connection that broke, what is leased to this relay
 *		and not known here is given back; recording twice does no harm.
 *		Messages and deliveries have a connection and room of their own, so
 *		that neither wait for the other.
 *
 *		Whether a message is still to be sent is decided when it is claimed,
 *		so no more are claimed than are on their way in a moment
 *		(channel.c).
 */
#include "relay/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/encode.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/channel.h"
#include "relay/link.h"
#include "relay/mailer.h"
#include "relay/metrics.h"
#include "relay/provider.h"
#include "relay/settings.h"

#define STATEMENT_MS	60000
#define ERROR_PAUSE_MS	500
#define LEASE_TIMEOUTS	3
#define COLUMNS			8

typedef enum Job
{
	JOB_NONE,
	JOB_CLAIM,
	JOB_RECORD,
	JOB_RELEASE,
	JOB_RELEASE_LOST,
} Job;

static Link database;
static Job	job = JOB_NONE;
static char relay_no[32];
static MessageList results = {0};	/* to be recorded */
static MessageList unsent = {0};	/* to be given back */
static MessageList told = {0};		/* in the statement under way */
static bool lost = false;		/* an answer, to a claim or a release */
static bool wanted = true;
static bool stopped = false;
static bool one_by_one = false;	/* since a batch of results was refused */
static int64_t sent_ms;
static int64_t poll_ms = 0;
static int64_t pause_ms = 0;	/* nothing is asked before */

static void messages_up(Link *link);
static void messages_down(Link *link);
static void messages_result(Link *link, PGresult *result);
static Job	next_job(void);
static int	lease_ms(void);
static void send_claim(void);
static void send_record(void);
static void send_release(void);
static void send_release_lost(void);
static void claimed(PGresult *rows);
static void recorded(const PGresult *rows);
static void refused(void);
static void finished(Message *message);
static void take_back(MessageList *list, MessageList *from);
static void let_go(MessageList *list);
static void send_waiting(Channel *channel);
static void add_result(Buf *columns, const Message *message, bool first);

/* Starts to connect. */
void
messages_open(const char *dsn)
{
	static const LinkUser user = {
		.name = "messages",
		.up = messages_up,
		.result = messages_result,
		.down = messages_down,
	};
	uint64_t	random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	snprintf(relay_no, sizeof(relay_no), "%llu",
			 (unsigned long long) (random >> 1));
	mailer_open(finished);
	provider_open(finished);
	link_open(&database, &user, dsn);
}

/* There may be something to claim. */
void
messages_wake(void)
{
	wanted = true;
}

/* From now on nothing more is claimed, and what waits is given back. */
void
messages_stop(void)
{
	int			i;

	stopped = true;
	for (i = 0; i < channel_count(); i++)
		take_back(&unsent, &channel_at(i)->waiting);
}

/* Whether nothing is under way, and nothing left to tell the database. */
bool
messages_done(void)
{
	return channel_leased_total() == 0 && job == JOB_NONE && !lost;
}

/* What is due: to be called in each round of the loop. */
void
messages_pump(void)
{
	provider_run();
	link_pump(&database);
	if (database.state != LINK_IDLE || clock_ms() < pause_ms)
		return;
	job = next_job();
	if (job == JOB_RELEASE_LOST)
		send_release_lost();
	else if (job == JOB_RELEASE)
		send_release();
	else if (job == JOB_RECORD)
		send_record();
	else if (job == JOB_CLAIM)
		send_claim();
}

/* When messages_pump has something to do by the clock. */
int64_t
messages_due_ms(void)
{
	int64_t		curl_ms = provider_timeout_ms();
	int64_t		due = poll_ms;

	if (database.state != LINK_IDLE)
		due = link_due_ms(&database);
	else if (lost || unsent.count > 0 || results.count > 0 ||
			 (wanted && !stopped))
		due = pause_ms;
	if (curl_ms >= 0 && clock_ms() + curl_ms < due)
		due = clock_ms() + curl_ms;
	return due;
}

/* The most urgent thing that there is to do. */
static Job
next_job(void)
{
	int64_t		now = clock_ms();

	if (lost)
		return JOB_RELEASE_LOST;
	if (unsent.count > 0)
		return JOB_RELEASE;
	if (results.count > 0)
		return JOB_RECORD;
	if (now >= poll_ms)
	{
		poll_ms = now + settings.poll_ms;
		wanted = true;
	}
	return wanted && !stopped ? JOB_CLAIM : JOB_NONE;
}

/* Everything is looked at again after a connection was made. */
static void
messages_up(Link *link)
{
	(void) link;
	wanted = true;
}

/* The fate of the statement under way is unknown. */
static void
messages_down(Link *link)
{
	(void) link;
	if (job == JOB_RECORD)
		take_back(&results, &told);
	else if (job == JOB_RELEASE)
		let_go(&told);
	lost = lost || (job != JOB_NONE && job != JOB_RECORD);
	job = JOB_NONE;
}

/* The statement under way was answered. */
static void
messages_result(Link *link, PGresult *result)
{
	Job			was = job;

	(void) link;
	job = JOB_NONE;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		LOG_ERROR("the database refused", log_text("job", "messages"),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
		pause_ms = clock_ms() + ERROR_PAUSE_MS;
		if (was == JOB_RECORD)
			refused();
		else
			let_go(&told);
		wanted = true;
	}
	else if (was == JOB_CLAIM)
	{
		claimed(result);
		return;
	}
	else if (was == JOB_RECORD)
		recorded(result);
	else if (was == JOB_RELEASE)
		let_go(&told);
	else
		lost = false;
	PQclear(result);
}

/* How long a message is this relay's: some wait for a connection first. */
static int
lease_ms(void)
{
	int			longest_ms = settings.mail_timeout_ms > settings.timeout_ms
		? settings.mail_timeout_ms : settings.timeout_ms;

	return LEASE_TIMEOUTS * longest_ms;
}

/* Claims as many as there is room for, by channel. */
static void
send_claim(void)
{
	Buf			numbers = {0};
	Buf			leased = {0};
	char		count[16];
	char		lease[32];
	char		per_channel[16];
	int			i;

	wanted = false;
	sent_ms = clock_ms();
	for (i = 0; i < channel_count(); i++)
	{
		buf_printf(&numbers, "%c%d", i == 0 ? '{' : ',',
				   channel_at(i)->channel_no);
		buf_printf(&leased, "%c%d", i == 0 ? '{' : ',',
				   channel_room_used(channel_at(i)));
	}
	buf_text(&numbers, i == 0 ? "{}" : "}");
	buf_text(&leased, i == 0 ? "{}" : "}");
	snprintf(count, sizeof(count), "%d", settings.max_batch);
	snprintf(lease, sizeof(lease), "%d milliseconds", lease_ms());
	snprintf(per_channel, sizeof(per_channel), "%d", settings.per_channel);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT * FROM appt_relay.claim_notifications($1::bigint, "
			"$2::integer, $3::interval, $4::integer, $5::integer[], "
			"$6::integer[])",
		.count = 6,
		.values = (const char *const[]) {
			relay_no, count, lease, per_channel, buf_get(&numbers),
			buf_get(&leased),
		},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&numbers);
	buf_free(&leased);
}

/* Messages were leased: each goes on its way. */
static void
claimed(PGresult *rows)
{
	int			count = PQntuples(rows);
	MessageBatch *batch;
	int			row;

	if (count == 0)
	{
		PQclear(rows);
		return;
	}
	batch = must_alloc(sizeof(*batch));
	*batch = (MessageBatch) {.rows = rows};
	for (row = 0; row < count; row++)
	{
		Message    *message = message_from_row(batch, row);
		Channel    *channel = channel_of(message->channel_no);

		message->lease_end_ms = sent_ms + lease_ms();
		channel->leased++;
		channel->is_mail = message->is_mail;
		if (message->is_mail)
			mailer_send(message);
		else
		{
			message_push(&channel->waiting, message);
			send_waiting(channel);
		}
	}
	wanted = true;
}

/* A message is through; one that was not even begun is given back. */
static void
finished(Message *message)
{
	const Outcome *outcome = &message->outcome;
	Channel    *channel = channel_of(message->channel_no);
	bool		good = outcome->status >= 200 && outcome->status <= 299;

	channel_sent_one(channel);
	if (!message->is_mail)
	{
		channel->under_way--;
		send_waiting(channel);
	}
	if (outcome->started_at == 0)
	{
		message_push(&unsent, message);
		return;
	}
	metrics.messages++;
	LOG_AT(good ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		   good ? "message sent" : "message not taken",
		   log_int("notification_no", message->notification_no),
		   log_text("attempt", message_text(message, MESSAGE_ATTEMPT)),
		   log_int("channel_no", message->channel_no),
		   log_int("status", outcome->status),
		   log_int("duration_ms", outcome->duration_ms),
		   log_text("error", outcome->error));
	message_push(&results, message);
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
	for (message = told.first; message != NULL; message = message->next)
		add_result(columns, message, message == told.first);
	for (i = 0; i < COLUMNS; i++)
	{
		buf_char(&columns[i], '}');
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

/* Adds one result to each column. */
static void
add_result(Buf *columns, const Message *message, bool first)
{
	const Outcome *outcome = &message->outcome;
	int			i;

	for (i = 0; i < COLUMNS; i++)
		buf_char(&columns[i], first ? '{' : ',');
	buf_printf(&columns[0], "%lld", message->notification_no);
	buf_printf(&columns[1], "%lld", message->fence);
	buf_printf(&columns[2], "%lld", (long long) (outcome->started_at * 1e6));
	buf_printf(&columns[3], "%d", outcome->duration_ms);
	if (outcome->status != 0)
		buf_printf(&columns[4], "%d", outcome->status);
	else
		buf_text(&columns[4], "NULL");
	encode_array_item(&columns[5], outcome->error);
	encode_array_item(&columns[6], outcome->answer.len > 0
					  ? buf_get(&outcome->answer) : NULL);
	buf_char(&columns[7], outcome->inside ? 't' : 'f');
}

/* A batch is recorded; what an operator should hear of is logged. */
static void
recorded(const PGresult *rows)
{
	int			row;

	let_go(&told);
	one_by_one = one_by_one && results.count > 0;
	wanted = true;
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
		take_back(&results, &told);
	else if (answer->len > 0)
	{
		buf_clear(answer);
		take_back(&results, &told);
	}
	else
		let_go(&told);
}

/* Gives back what is not sent. */
static void
send_release(void)
{
	Buf			numbers = {0};
	Buf			fences = {0};
	const Message *message;

	take_back(&told, &unsent);
	for (message = told.first; message != NULL; message = message->next)
	{
		char		before = message == told.first ? '{' : ',';

		buf_printf(&numbers, "%c%lld", before, message->notification_no);
		buf_printf(&fences, "%c%lld", before, message->fence);
	}
	buf_char(&numbers, '}');
	buf_char(&fences, '}');
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT appt_relay.release_notifications($1::bigint[], "
			"$2::bigint[])",
		.count = 2,
		.values = (const char *const[]) {buf_get(&numbers), buf_get(&fences)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&numbers);
	buf_free(&fences);
}

/* Gives back what was claimed in a statement whose answer never came. */
static void
send_release_lost(void)
{
	Buf			kept = {0};

	message_numbers(&kept);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT appt_relay.release_lost_notifications($1::bigint, "
			"$2::bigint[])",
		.count = 2,
		.values = (const char *const[]) {relay_no, buf_get(&kept)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&kept);
}

/* Moves all of a list to the end of another. */
static void
take_back(MessageList *list, MessageList *from)
{
	Message    *message;

	while ((message = message_pop(from)) != NULL)
		message_push(list, message);
}

/* Frees messages that are recorded or given back. */
static void
let_go(MessageList *list)
{
	Message    *message;

	while ((message = message_pop(list)) != NULL)
	{
		channel_of(message->channel_no)->leased--;
		message_free(message);
	}
}

/* Sends what waits, as many at once as may be. */
static void
send_waiting(Channel *channel)
{
	while (channel->under_way < settings.per_channel)
	{
		Message    *message = message_pop(&channel->waiting);

		if (message == NULL)
			return;
		/* One that could outlive its lease is left to whoever has it next. */
		if (message->lease_end_ms - clock_ms() < settings.timeout_ms)
		{
			message_push(&unsent, message);
			continue;
		}
		channel->under_way++;
		provider_send(message);
	}
}
