/*
 * store.c
 *		The deliveries in the database, over one connection: claim, commit,
 *		send, then record in batches.
 *
 *		What happens when the connection breaks under a statement: results are
 *		recorded again (that may be done twice without harm), a claim that was
 *		not answered runs out with its lease, and so does what was to be
 *		released.
 */
#include "relay/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/endpoint.h"
#include "relay/link.h"
#include "relay/metrics.h"
#include "relay/settings.h"

#define STATEMENT_MS	30000
#define ERROR_PAUSE_MS	500
#define RECORD_WAIT_MS	3
#define RECORD_SHARE	4
#define LEASED_MAX(in_flight) (2 * (in_flight) + 1000)

/* What can be asked of the database, in the order of urgency. */
typedef enum StoreJob
{
	JOB_NONE,
	JOB_RECORD,
	JOB_RELEASE,
	JOB_CLAIM,
} StoreJob;

static Link link_;
static StoreJob job = JOB_NONE;
static char relay_no[32];
static char retry_schedule[1024];
static DeliveryList results = {0};	/* to be recorded */
static DeliveryList releases = {0};	/* to be given back */
static DeliveryList sent = {0};		/* in the statement under way */
static int	batch_max;				/* fewer after a batch that failed */
static bool claim_wanted = true;
static bool claiming = true;
static int64_t claim_sent_ms;
static int64_t pause_ms = 0;		/* nothing is asked before */
static int64_t results_ms = 0;	/* when the first of results came */
static int64_t poll_ms = 0;

static bool record_is_due(int64_t now);
static void store_up(Link *link);
static void store_down(Link *link);
static void store_result(Link *link, PGresult *result);
static StoreJob next_job(void);
static void send_record(void);
static void send_release(void);
static void send_claim(void);
static void recorded(PGresult *rows);
static void released(PGresult *rows);
static void claimed(PGresult *rows);
static void failed(StoreJob what, PGresult *result);
static void record_failed(const char *sqlstate);
static void let_go(DeliveryList *list);
static void take(DeliveryList *list, int count);
static void result_json(Buf *out, const Delivery *delivery);
static void log_alert(const char *webhook_id, const char *alert,
					  long long number);

static const struct
{
	void		(*send) (void);
	void		(*done) (PGresult *rows);
	const char *name;
}			jobs[] = {
	[JOB_NONE] = {NULL, NULL, "none"},
	[JOB_RECORD] = {send_record, recorded, "record"},
	[JOB_RELEASE] = {send_release, released, "release"},
	[JOB_CLAIM] = {send_claim, claimed, "claim"},
};

/* Starts to connect. */
void
store_open(const char *dsn)
{
	static const LinkUser user = {
		.name = "store",
		.up = store_up,
		.result = store_result,
		.down = store_down,
	};
	uint64_t	random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	snprintf(relay_no, sizeof(relay_no), "%llu",
			 (unsigned long long) (random >> 1));
	snprintf(retry_schedule, sizeof(retry_schedule), "{%s}",
			 settings.retry_schedule);
	batch_max = settings.max_batch;
	link_open(&link_, &user, dsn);
}

/* There may be something to claim. */
void
store_wake(void)
{
	claim_wanted = true;
}

/* Takes a delivery whose attempt is over. */
void
store_record(Delivery *delivery)
{
	if (results.count == 0)
		results_ms = clock_ms();
	list_push(&results, delivery);
}

/* Takes a delivery that is not going to be sent from here. */
void
store_release(Delivery *delivery)
{
	list_push(&releases, delivery);
}

/* From now on nothing more is claimed. */
void
store_stop_claiming(void)
{
	claiming = false;
}

/* Whether nothing waits to be recorded or given back. */
bool
store_done(void)
{
	return results.count == 0 && releases.count == 0 && sent.count == 0;
}

/* Whether the database can be asked. */
bool
store_connected(void)
{
	return link_.state == LINK_IDLE || link_.state == LINK_BUSY;
}

/* What is due: to be called in each round of the loop. */
void
store_pump(void)
{
	link_pump(&link_);
	if (link_.state != LINK_IDLE || clock_ms() < pause_ms)
		return;
	job = next_job();
	if (job != JOB_NONE)
		jobs[job].send();
}

/* When store_pump has something to do. */
int64_t
store_due_ms(void)
{
	int64_t		due;

	if (link_.state != LINK_IDLE)
		return link_due_ms(&link_);
	due = poll_ms;
	if (results.count > 0 && results_ms + RECORD_WAIT_MS < due)
		due = results_ms + RECORD_WAIT_MS;
	return due > pause_ms ? due : pause_ms;
}

/* The most urgent thing that there is to do. */
static StoreJob
next_job(void)
{
	int64_t		now = clock_ms();

	if (results.count > 0 && record_is_due(now))
		return JOB_RECORD;
	if (releases.count > 0)
		return JOB_RELEASE;
	if (!claiming)
		return JOB_NONE;
	if (now >= poll_ms)
	{
		poll_ms = now + settings.poll_ms;
		claim_wanted = true;
	}
	if (claim_wanted && endpoint_total_leased() <
		LEASED_MAX(settings.max_in_flight))
		return JOB_CLAIM;
	return JOB_NONE;
}

/* A batch is worth its while, or the first result has waited long enough. */
static bool
record_is_due(int64_t now)
{
	return !claiming || results.count >= batch_max / RECORD_SHARE ||
		now - results_ms >= RECORD_WAIT_MS;
}

/* Everything is looked at again after a connection was made. */
static void
store_up(Link *link)
{
	(void) link;
	claim_wanted = true;
}

/* The fate of the statement under way is unknown. */
static void
store_down(Link *link)
{
	(void) link;
	if (job == JOB_RECORD)
		list_prepend(&results, &sent);
	else
		let_go(&sent);
	job = JOB_NONE;
}

/* The statement under way was answered. */
static void
store_result(Link *link, PGresult *result)
{
	StoreJob	was = job;

	(void) link;
	job = JOB_NONE;
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		jobs[was].done(result);
	else
		failed(was, result);
}

/* The database refused: says so, and pauses so as not to go round in haste. */
static void
failed(StoreJob what, PGresult *result)
{
	char		sqlstate[8];

	snprintf(sqlstate, sizeof(sqlstate), "%s", pg_sqlstate(result));
	LOG_ERROR("the database refused", log_text("job", jobs[what].name),
			  log_text("sqlstate", sqlstate),
			  log_text("detail", PQresultErrorField(
				  result, PG_DIAG_MESSAGE_PRIMARY)));
	PQclear(result);
	pause_ms = clock_ms() + ERROR_PAUSE_MS;
	if (what == JOB_RECORD)
		record_failed(sqlstate);
	else if (what == JOB_RELEASE)
		let_go(&sent);
}

/*
 * A batch was not taken.  What passes (a deadlock, a shutdown) is tried again
 * as it is; otherwise in halves, until the one result is found that cannot be
 * recorded: its lease runs out, and it is sent again.
 */
static void
record_failed(const char *sqlstate)
{
	static const char *const passing[] = {
		"08", "25", "40", "53", "55", "57", "58"
	};
	size_t		i;

	for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
	{
		if (strncmp(sqlstate, passing[i], 2) == 0)
		{
			list_prepend(&results, &sent);
			return;
		}
	}
	if (sent.count > 1)
	{
		batch_max = sent.count / 2;
		list_prepend(&results, &sent);
		return;
	}
	metrics.dropped_results++;
	let_go(&sent);
}

/* Frees deliveries that are recorded, released or lost. */
static void
let_go(DeliveryList *list)
{
	Delivery   *delivery;

	while ((delivery = list_pop(list)) != NULL)
	{
		endpoint_let_go(delivery);
		delivery_free(delivery);
	}
}

/* Moves at most so many from the list to the statement under way. */
static void
take(DeliveryList *list, int count)
{
	while (count-- > 0 && list->count > 0)
		list_push(&sent, list_pop(list));
}

/* Records what came of the attempts, a batch at a time. */
static void
send_record(void)
{
	Buf			json = {0};
	Buf			disable_after = {0};
	const Delivery *delivery;

	take(&results, batch_max);
	buf_char(&json, '[');
	for (delivery = sent.first; delivery != NULL; delivery = delivery->next)
	{
		if (delivery != sent.first)
			buf_char(&json, ',');
		result_json(&json, delivery);
	}
	buf_char(&json, ']');
	buf_printf(&disable_after, "%d seconds", settings.disable_after_s);
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT * FROM appt.record_attempts("
			"$1::json, $2::double precision[], $3::interval)",
		.count = 3,
		.values = (const char *const[]) {
			buf_get(&json), retry_schedule, buf_get(&disable_after)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&json);
	buf_free(&disable_after);
}

/* One result as appt.attempt_result wants it. */
static void
result_json(Buf *out, const Delivery *delivery)
{
	const Outcome *outcome = &delivery->outcome;

	buf_printf(out, "{\"delivery_no\":%lld,\"fence\":%lld,\"webhook_no\":%d,"
			   "\"started_at\":%.6f,\"duration_ms\":%d",
			   delivery->delivery_no, delivery->fence,
			   delivery->endpoint->webhook_no,
			   outcome->started_at, outcome->duration_ms);
	if (outcome->status != 0)
		buf_printf(out, ",\"status\":%d", outcome->status);
	if (outcome->retry_after_s > 0)
		buf_printf(out, ",\"retry_after_s\":%d", outcome->retry_after_s);
	if (outcome->error != NULL)
	{
		buf_text(out, ",\"error\":");
		buf_json_string(out, outcome->error);
	}
	if (outcome->answer.len > 0)
	{
		buf_text(out, ",\"answer\":");
		buf_json_string(out, buf_get(&outcome->answer));
	}
	buf_char(out, '}');
}

/* A batch is recorded: there is room for more, and alerts to log. */
static void
recorded(PGresult *rows)
{
	int			row;

	let_go(&sent);
	claim_wanted = true;
	batch_max = settings.max_batch;
	for (row = 0; row < PQntuples(rows); row++)
		log_alert(PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1),
				  strtoll(PQgetvalue(rows, row, 2), NULL, 10));
	PQclear(rows);
}

/* What an operator should hear of. */
static void
log_alert(const char *webhook_id, const char *alert, long long value)
{
	bool		is_dead = strcmp(alert, "delivery.dead") == 0;
	bool		is_failing = strcmp(alert, "webhook.failing") == 0;

	if (is_dead)
		metrics.dead++;
	else if (!is_failing)
		metrics.disabled++;
	LOG_AT(is_failing || is_dead ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, alert,
		   log_text("webhook_id", webhook_id),
		   log_int(is_dead ? "delivery_no" : "percent", value));
}

/* Gives back what is not sent. */
static void
send_release(void)
{
	Buf			numbers = {0};
	Buf			fences = {0};
	const Delivery *delivery;

	take(&releases, settings.max_batch);
	for (delivery = sent.first; delivery != NULL; delivery = delivery->next)
	{
		char		before = delivery == sent.first ? '{' : ',';

		buf_printf(&numbers, "%c%lld", before, delivery->delivery_no);
		buf_printf(&fences, "%c%lld", before, delivery->fence);
	}
	buf_char(&numbers, '}');
	buf_char(&fences, '}');
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT appt.release_deliveries($1::bigint[], $2::bigint[])",
		.count = 2,
		.values = (const char *const[]) {buf_get(&numbers), buf_get(&fences)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&numbers);
	buf_free(&fences);
}

/* They are anybody's again. */
static void
released(PGresult *rows)
{
	metrics.released += sent.count;
	let_go(&sent);
	PQclear(rows);
}

/* Claims as many as there is room for. */
static void
send_claim(void)
{
	EndpointArrays arrays = {0};
	char		count[16];
	char		lease[32];
	char		per_endpoint[16];
	int			room = LEASED_MAX(settings.max_in_flight) -
		endpoint_total_leased();

	claim_wanted = false;
	claim_sent_ms = clock_ms();
	metrics.claims++;
	endpoint_arrays(&arrays);
	snprintf(count, sizeof(count), "%d",
			 room < settings.max_batch ? room : settings.max_batch);
	snprintf(lease, sizeof(lease), "%d milliseconds", settings.lease_ms);
	snprintf(per_endpoint, sizeof(per_endpoint), "%d", settings.per_endpoint);
	link_send(&link_, &(LinkStatement) {
		.sql = "SELECT * FROM appt.claim_deliveries($1::bigint, $2::integer, "
			"$3::interval, $4::integer, $5::integer[], $6::integer[], "
			"$7::integer[])",
		.count = 7,
		.values = (const char *const[]) {
			relay_no, count, lease, per_endpoint, buf_get(&arrays.webhook_nos),
			buf_get(&arrays.leased), buf_get(&arrays.quotas)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&arrays.webhook_nos);
	buf_free(&arrays.leased);
	buf_free(&arrays.quotas);
}

/* Hands the claimed deliveries to their endpoints. */
static void
claimed(PGresult *rows)
{
	int			count = PQntuples(rows);
	Batch	   *batch;
	int			row;

	if (count == 0)
	{
		PQclear(rows);
		return;
	}
	batch = must_alloc(sizeof(*batch));
	*batch = (Batch) {.rows = rows};
	for (row = 0; row < count; row++)
	{
		Delivery   *delivery = delivery_from_row(batch, row);

		delivery->lease_end_ms = claim_sent_ms + settings.lease_ms;
		endpoint_add(delivery);
	}
	endpoint_claimed();
	metrics.claimed += count;
	claim_wanted = true;
}
