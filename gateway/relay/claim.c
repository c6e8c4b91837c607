/*
 * claim.c
 *		Taking deliveries from the database, and giving back unsent ones.
 *
 *		A claim is committed before anything of it is sent.  If the connection
 *		broke before its answer came, nobody knows what was claimed: so after
 *		reconnecting all is given back that is leased to this relay and not
 *		known here.  If that fails too, the leases run out.
 */
#include "relay/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/array.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "relay/claimrow.h"
#include "relay/link.h"
#include "relay/metrics.h"
#include "relay/settings.h"

#define STATEMENT_MS	30000
#define ERROR_PAUSE_MS	500
#define REST_MAX_MS		50
#define LIVELY_MS		1000
#define LEASED_MAX(in_flight) (2 * (in_flight) + 4000)

typedef enum ClaimJob
{
	CLAIM_NONE,
	CLAIM_CLAIM,
	CLAIM_RELEASE,
	CLAIM_RELEASE_LOST,
} ClaimJob;

static Link database;
static ClaimJob job = CLAIM_NONE;
static char relay_no[32];
static DeliveryList releases = {0};	/* to be given back */
static DeliveryList sent = {0};		/* in the statement under way */
static bool lost = false;		/* an answer, to a claim or a release */
static bool wanted = true;
static bool stopped = false;
static int64_t sent_ms;
static int	sent_max;				/* what the claim under way may bring */
static int64_t came_ms = -LIVELY_MS;	/* a claim brought something */
static int64_t rest_ms = 0;			/* nothing is looked for before */
static int64_t pause_ms = 0;		/* nothing is asked before */
static int64_t poll_ms = 0;

static void claim_up(Link *link);
static void claim_down(Link *link);
static void claim_result(Link *link, PGresult *result);
static ClaimJob next_job(void);
static bool may_claim(void);
static void send_claim(void);
static void send_release(void);
static void send_release_lost(void);
static void claimed(PGresult *rows);
static void note_version(const PGresult *rows, int row);
static void take_in(PGresult *rows, int first, int count);
static void take_in_endpoint(Delivery **deliveries, int count);
static void released(void);

/* Starts to connect. */
void
claim_open(const char *dsn)
{
	static const LinkUser user = {
		.name = "claim",
		.up = claim_up,
		.result = claim_result,
		.down = claim_down,
	};
	uint64_t	random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	snprintf(relay_no, sizeof(relay_no), "%llu",
			 (unsigned long long) (random >> 1));
	link_open(&database, &user, dsn);
}

/* There may be something to claim. */
void
claim_wake(void)
{
	wanted = true;
}

/* Takes a delivery that is not going to be sent from here. */
void
claim_release(Delivery *delivery)
{
	list_push(&releases, delivery);
}

/* Takes everything that waits to be sent to the endpoint. */
void
claim_release_waiting(Endpoint *endpoint)
{
	Delivery   *delivery;

	while ((delivery = endpoint_take(endpoint)) != NULL)
		claim_release(delivery);
}

/* From now on nothing more is claimed. */
void
claim_stop(void)
{
	stopped = true;
}

/* Whether nothing waits to be given back, and no claim to be answered. */
bool
claim_done(void)
{
	return releases.count == 0 && job == CLAIM_NONE && !lost;
}

/* Whether the database can be asked. */
bool
claim_connected(void)
{
	return database.state == LINK_IDLE || database.state == LINK_BUSY;
}

/* Whether there were deliveries to claim lately, and so may be soon. */
bool
claim_is_lively(void)
{
	return clock_ms() < came_ms + LIVELY_MS;
}

/* What is due: to be called in each round of the loop. */
void
claim_pump(void)
{
	link_pump(&database);
	if (database.state != LINK_IDLE || clock_ms() < pause_ms)
		return;
	job = next_job();
	if (job == CLAIM_RELEASE)
		send_release();
	else if (job == CLAIM_RELEASE_LOST)
		send_release_lost();
	else if (job == CLAIM_CLAIM)
		send_claim();
}

/* When claim_pump has something to do by the clock. */
int64_t
claim_due_ms(void)
{
	int64_t		due = poll_ms;

	if (database.state != LINK_IDLE)
		return link_due_ms(&database);
	if (lost || releases.count > 0)
		due = 0;
	else if (wanted && may_claim() && rest_ms < poll_ms)
		due = rest_ms;
	return due > pause_ms ? due : pause_ms;
}

/* The most urgent thing that there is to do. */
static ClaimJob
next_job(void)
{
	int64_t		now = clock_ms();

	if (lost)
		return CLAIM_RELEASE_LOST;
	if (releases.count > 0)
		return CLAIM_RELEASE;
	if (now >= poll_ms)
	{
		poll_ms = now + settings.poll_ms;
		wanted = true;
	}
	if (may_claim() && ((wanted && now >= rest_ms) || endpoint_hungry()))
		return CLAIM_CLAIM;
	return CLAIM_NONE;
}

/* Whether there is room for more. */
static bool
may_claim(void)
{
	return !stopped &&
		share_total_leased() < LEASED_MAX(settings.max_in_flight);
}

/* Everything is looked at again after a connection was made. */
static void
claim_up(Link *link)
{
	(void) link;
	wanted = true;
}

/* The fate of the statement under way is unknown. */
static void
claim_down(Link *link)
{
	(void) link;
	endpoint_let_go_all(&sent);
	lost = lost || job != CLAIM_NONE;
	job = CLAIM_NONE;
}

/* The statement under way was answered. */
static void
claim_result(Link *link, PGresult *result)
{
	ClaimJob	was = job;

	(void) link;
	job = CLAIM_NONE;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		LOG_ERROR("the database refused", log_text("job", "claim"),
				  log_text("sqlstate", pg_sqlstate(result)),
				  log_text("detail", PQresultErrorField(
					  result, PG_DIAG_MESSAGE_PRIMARY)));
		pause_ms = clock_ms() + ERROR_PAUSE_MS;
		endpoint_let_go_all(&sent);
		wanted = true;
	}
	else if (was == CLAIM_RELEASE)
		released();
	else if (was == CLAIM_RELEASE_LOST)
		lost = false;
	else
	{
		claimed(result);
		return;
	}
	PQclear(result);
}

/* Claims as many as there is room for. */
static void
send_claim(void)
{
	EndpointArrays arrays = {0};
	char		count[16];
	char		lease[32];
	char		per_endpoint[16];
	char		spare[16];
	int			room = LEASED_MAX(settings.max_in_flight) -
		share_total_leased();

	wanted = false;
	sent_ms = clock_ms();
	metrics.claims++;
	sent_max = room < settings.max_batch ? room : settings.max_batch;
	snprintf(spare, sizeof(spare), "%d", endpoint_ask(&arrays));
	snprintf(count, sizeof(count), "%d", sent_max);
	snprintf(lease, sizeof(lease), "%d milliseconds", settings.lease_ms);
	snprintf(per_endpoint, sizeof(per_endpoint), "%d", settings.per_endpoint);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT * FROM appt_relay.claim_deliveries($1::bigint, "
			"$2::integer, $3::interval, $4::integer, $5::integer[], "
			"$6::integer[], $7::integer[], $8::integer[], $9::boolean[], "
			"$10::integer)",
		.count = 10,
		.values = (const char *const[]) {
			relay_no, count, lease, per_endpoint, buf_get(&arrays.webhook_nos),
			buf_get(&arrays.leased), buf_get(&arrays.quotas),
			buf_get(&arrays.versions), buf_get(&arrays.bad), spare},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&arrays.webhook_nos);
	buf_free(&arrays.leased);
	buf_free(&arrays.quotas);
	buf_free(&arrays.versions);
	buf_free(&arrays.bad);
}

/*
 * Takes in what was claimed.  What is not urgent, because nothing was known to
 * wait, then rests for as long as the claim took: where a thousand bookings a
 * second notify, claims take no more than half of the time, and bring more.
 */
static void
claimed(PGresult *rows)
{
	int64_t		now = clock_ms();
	int			count = PQntuples(rows);
	int			changes = 0;
	int			row;

	for (row = 0; row < count; row++)
		note_version(rows, row);
	while (changes < count && claimrow_is_change(rows, changes))
		changes++;
	count -= changes;
	if (count == 0)
		PQclear(rows);
	else
	{
		came_ms = now;
		take_in(rows, changes, count);
	}
	endpoint_answered(count >= sent_max);
	metrics.claimed += count;
	wanted = wanted || count >= sent_max;
	rest_ms = now + (now - sent_ms < REST_MAX_MS
					 ? now - sent_ms : REST_MAX_MS);
}

/*
 * Gives back what waits for an earlier version of the endpoint: its URL or
 * secret may be another.
 */
static void
note_version(const PGresult *rows, int row)
{
	int			version;
	Endpoint   *endpoint = claimrow_endpoint(rows, row, &version);

	if (endpoint->version != version)
		claim_release_waiting(endpoint);
	endpoint->version = version;
}

/*
 * Hands the claimed deliveries to their endpoints.  An endpoint's come
 * together, the oldest event first: the newer half is what goes at once.  What
 * is left of the claim before waits its turn: under ever newer ones it would
 * lie here until its lease has run out.
 */
static void
take_in(PGresult *rows, int first, int count)
{
	Batch	   *batch = must_alloc(sizeof(*batch));
	Delivery  **taken = must_alloc((size_t) count * sizeof(*taken));
	int			from = 0;
	int			i;

	*batch = (Batch) {.rows = rows};
	for (i = 0; i < count; i++)
	{
		taken[i] = claimrow_delivery(batch, first + i);
		taken[i]->lease_end_ms = sent_ms + settings.lease_ms;
	}
	for (i = 0; i < count; i++)
	{
		if (i + 1 < count && taken[i + 1]->endpoint == taken[i]->endpoint)
			continue;
		take_in_endpoint(taken + from, i + 1 - from);
		from = i + 1;
	}
	free(taken);
}

/* The same for those of one endpoint. */
static void
take_in_endpoint(Delivery **deliveries, int count)
{
	int			i;

	endpoint_settle(deliveries[0]->endpoint);
	for (i = 0; i < count; i++)
	{
		deliveries[i]->fresh = i >= count / 2;
		endpoint_add(deliveries[i]);
	}
}

/* Gives back what is not sent. */
static void
send_release(void)
{
	Buf			numbers = {0};
	Buf			fences = {0};
	const Delivery *delivery;

	list_move(&sent, &releases, settings.max_batch);
	for (delivery = sent.first; delivery != NULL; delivery = delivery->next)
	{
		array_number(&numbers, delivery->delivery_no);
		array_number(&fences, delivery->fence);
	}
	array_end(&numbers);
	array_end(&fences);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT appt_relay.release_deliveries($1::bigint[], "
			"$2::bigint[])",
		.count = 2,
		.values = (const char *const[]) {buf_get(&numbers), buf_get(&fences)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&numbers);
	buf_free(&fences);
}

/* The leases are given back: any relay may claim the deliveries. */
static void
released(void)
{
	metrics.released += sent.count;
	endpoint_let_go_all(&sent);
}

/* Gives back what was claimed in a statement whose answer never came. */
static void
send_release_lost(void)
{
	Buf			kept = {0};

	delivery_numbers(&kept);
	link_send(&database, &(LinkStatement) {
		.sql = "SELECT appt_relay.release_lost($1::bigint, $2::bigint[])",
		.count = 2,
		.values = (const char *const[]) {relay_no, buf_get(&kept)},
		.timeout_ms = STATEMENT_MS,
	});
	buf_free(&kept);
}
