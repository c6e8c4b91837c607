/*
 * messages.c
 *		Messages to patients: taken from the database, sent, given back.
 *
 *		As deliveries are: a claim is committed before anything of it is sent;
 *		after a connection that broke, what is leased to this relay and not
 *		known here is given back.  Messages and deliveries have connections and
 *		room of their own, so that neither wait for the other; what came of
 *		messages is told over one more (outcome.c), so that the next are
 *		claimed meanwhile.
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

#include "common/array.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/channel.h"
#include "relay/claim.h"
#include "relay/link.h"
#include "relay/mailer.h"
#include "relay/metrics.h"
#include "relay/outcome.h"
#include "relay/provider.h"
#include "relay/settings.h"

#define STATEMENT_MS	60000
#define ERROR_PAUSE_MS	500
#define LEASE_TIMEOUTS	3
#define REST_MAX_MS		50

/*
 * So many messages a claim while webhooks come: some ten ms of a core, which
 * then rests for as long.  They are claimed at twice the price; a webhook would
 * wait for a thousand.
 */
#define BESIDE_WEBHOOKS	100

typedef enum Job
{
	JOB_NONE,
	JOB_CLAIM,
	JOB_RELEASE,
	JOB_RELEASE_LOST,
} Job;

static Link database;
static Job	job = JOB_NONE;
static char relay_no[32];
static MessageList unsent = {0};	/* to be given back */
static MessageList told = {0};		/* in the statement under way */
static bool lost = false;		/* an answer, to a claim or a release */
static bool wanted = true;
static bool stopped = false;
static int64_t sent_ms;
static int	sent_max;
static int64_t rest_ms = 0;		/* nothing is looked for before */
static int64_t poll_ms = 0;
static int64_t pause_ms = 0;	/* nothing is asked before */

static void messages_up(Link *link);
static void messages_down(Link *link);
static void messages_result(Link *link, PGresult *result);
static Job	next_job(void);
static bool is_rested(void);
static int	lease_ms(void);
static void recorded(void);
static void send_claim(void);
static void send_release(void);
static void send_release_lost(void);
static void claimed(PGresult *rows);
static void finished(Message *message);
static void send_waiting(Channel *channel);

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
	outcome_open(dsn, recorded);
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
	outcome_hurry();
	mailer_stop();
	for (i = 0; i < channel_count(); i++)
		message_move(&unsent, &channel_at(i)->waiting);
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
	outcome_pump();
	link_pump(&database);
	if (database.state != LINK_IDLE || clock_ms() < pause_ms)
		return;
	job = next_job();
	if (job == JOB_RELEASE_LOST)
		send_release_lost();
	else if (job == JOB_RELEASE)
		send_release();
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
	else if (lost || unsent.count > 0)
		due = pause_ms;
	else if (((wanted && channel_has_room()) || channel_hungry()) && !stopped)
		due = rest_ms > pause_ms ? rest_ms : pause_ms;
	if (outcome_due_ms() < due)
		due = outcome_due_ms();
	if (curl_ms >= 0 && clock_ms() + curl_ms < due)
		due = clock_ms() + curl_ms;
	return due;
}

/*
 * The most urgent thing that there is to do.  Where all channels are full a
 * claim would bring nothing: it is made by the clock then, as one that is not
 * known yet may have something.
 */
static Job
next_job(void)
{
	int64_t		now = clock_ms();
	bool		polled = now >= poll_ms;

	if (lost)
		return JOB_RELEASE_LOST;
	if (unsent.count > 0)
		return JOB_RELEASE;
	if (polled)
		poll_ms = now + settings.poll_ms;
	if (stopped)
		return JOB_NONE;
	return polled || (channel_hungry() && is_rested()) ||
		(wanted && now >= rest_ms && channel_has_room())
		? JOB_CLAIM : JOB_NONE;
}

/* Whether what is known to be due may be claimed already. */
static bool
is_rested(void)
{
	return !claim_is_lively() || clock_ms() >= rest_ms;
}

/*
 * Some are recorded, and by it others may be due.  Of a channel that is known
 * to have more they are claimed when half of what it has is gone.
 */
static void
recorded(void)
{
	wanted = wanted || !channel_has_more();
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
	channel_let_go(&told);
	lost = lost || job != JOB_NONE;
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
		channel_let_go(&told);
		wanted = true;
	}
	else if (was == JOB_CLAIM)
	{
		claimed(result);
		return;
	}
	else if (was == JOB_RELEASE)
		channel_let_go(&told);
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
	sent_max = settings.max_batch;
	if (claim_is_lively() && sent_max > BESIDE_WEBHOOKS)
		sent_max = BESIDE_WEBHOOKS;
	for (i = 0; i < channel_count(); i++)
	{
		array_number(&numbers, channel_at(i)->channel_no);
		array_number(&leased, channel_ask(channel_at(i)));
	}
	array_end(&numbers);
	array_end(&leased);
	snprintf(count, sizeof(count), "%d", sent_max);
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

/*
 * Messages were leased: each goes on its way.  What is not urgent then rests
 * for as long as the claim took, so that more come of the next.
 */
static void
claimed(PGresult *rows)
{
	int64_t		now = clock_ms();
	int			count = PQntuples(rows);
	MessageBatch *batch;
	int			row;

	rest_ms = now + (now - sent_ms < REST_MAX_MS
					 ? now - sent_ms : REST_MAX_MS);
	if (count == 0)
	{
		PQclear(rows);
		channel_answered(false);
		return;
	}
	batch = must_alloc(sizeof(*batch));
	*batch = (MessageBatch) {.rows = rows};
	for (row = 0; row < count; row++)
	{
		Message    *message = message_from_row(batch, row);
		Channel    *channel = channel_of(message->channel_no);

		message->lease_end_ms = sent_ms + lease_ms();
		channel_took_one(channel);
		channel->is_mail = message->is_mail;
		if (stopped)
			message_push(&unsent, message);
		else if (message->is_mail)
		{
			channel_began_one(channel);
			mailer_send(message);
		}
		else
		{
			message_push(&channel->waiting, message);
			send_waiting(channel);
		}
	}
	channel_answered(count >= sent_max);
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
		send_waiting(channel);
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
	outcome_add(message);
}

/* Gives back what is not sent. */
static void
send_release(void)
{
	Buf			numbers = {0};
	Buf			fences = {0};
	const Message *message;

	message_move(&told, &unsent);
	for (message = told.first; message != NULL; message = message->next)
	{
		array_number(&numbers, message->notification_no);
		array_number(&fences, message->fence);
	}
	array_end(&numbers);
	array_end(&fences);
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
		channel_began_one(channel);
		provider_send(message);
	}
}
