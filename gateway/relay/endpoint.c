/*
 * endpoint.c
 *		What the relay knows of each endpoint.
 *
 *		The window (requests in flight) is one until the receiver has answered
 *		2xx.  Then it falls by half with each failure and grows by one with
 *		each success, up to per_endpoint: a receiver that is down is asked by
 *		one request at a time.
 *
 *		The stock (leased and waiting here) follows what the receiver is up
 *		to: as many as it has answered in the last quarter to half of a second,
 *		or would at the pace at which it has begun.  Half of it is there when
 *		the next are claimed, so that a fast one is not held up by claims, and
 *		a fresh event does not queue up here for longer.  A receiver that has
 *		not answered so many gets no stock: of its deliveries per_endpoint are
 *		leased in all, and what it leaves lying is given back.
 */
#include "relay/endpoint.h"

#include <stdlib.h>

#include "common/array.h"
#include "common/clock.h"
#include "relay/settings.h"

#define STOCK_MAX		2000
#define STOCK_STALE		8		/* times what it should be: is given back */
#define FIRST_MS		5		/* less does not count as a time */
#define BUCKETS			1024

static Endpoint *buckets[BUCKETS];
static Endpoint *all = NULL;
static int	spare = 0;			/* of bad ones, in the claim under way */

static Endpoint *endpoint_new(int webhook_no);
static void endpoint_judge(Endpoint *endpoint);
static void endpoint_count(Endpoint *endpoint, int in_flight, int leased);
static void endpoint_ask_of(EndpointArrays *arrays, Endpoint *endpoint);
static bool endpoint_is_listed(const Endpoint *endpoint, int wants);
static int	endpoint_pace(const Endpoint *endpoint);
static int	endpoint_began(const Endpoint *endpoint);
static int	endpoint_wants(const Endpoint *endpoint);

/* The endpoint of that number; they are never freed. */
Endpoint *
endpoint_get(int webhook_no)
{
	Endpoint  **bucket = &buckets[(unsigned) webhook_no % BUCKETS];
	Endpoint   *endpoint = *bucket;
	Endpoint   *other;

	if (endpoint != NULL && endpoint->webhook_no == webhook_no)
		return endpoint;
	for (other = all; other != NULL; other = other->next)
	{
		if (other->webhook_no == webhook_no)
			return *bucket = other;
	}
	return *bucket = endpoint_new(webhook_no);
}

/* One that nothing is known of yet. */
static Endpoint *
endpoint_new(int webhook_no)
{
	Endpoint   *endpoint = must_alloc(sizeof(*endpoint));

	*endpoint = (Endpoint) {
		.webhook_no = webhook_no,
		.window = 1,
		.share = SHARE_NEW,
		.next = all,
	};
	all = endpoint;
	return endpoint;
}

/* All endpoints, by next. */
Endpoint *
endpoint_first(void)
{
	return all;
}

/* What the database says of an endpoint that has not answered here yet. */
void
endpoint_is_failing(Endpoint *endpoint, bool failing)
{
	if (endpoint->conduct.proven || endpoint->conduct.failures > 0)
		return;
	endpoint->conduct.failing = failing;
	endpoint_judge(endpoint);
}

/* Moves the endpoint to the share that it belongs to by now. */
static void
endpoint_judge(Endpoint *endpoint)
{
	share_count(endpoint->share, -endpoint->in_flight, -endpoint->leased);
	endpoint->share = conduct_share(&endpoint->conduct,
									endpoint->in_flight > 0);
	share_count(endpoint->share, endpoint->in_flight, endpoint->leased);
}

/*
 * Adds to the endpoint's and its share's counts of requests in flight and
 * deliveries leased.
 */
static void
endpoint_count(Endpoint *endpoint, int in_flight, int leased)
{
	endpoint->in_flight += in_flight;
	endpoint->leased += leased;
	share_count(endpoint->share, in_flight, leased);
}

/* Takes in a claimed delivery. */
void
endpoint_add(Delivery *delivery)
{
	Endpoint   *endpoint = delivery->endpoint;

	if (delivery->fresh)
		list_push_first(&endpoint->fresh, delivery);
	else
		list_push(&endpoint->old, delivery);
	endpoint->arrived++;
	endpoint_count(endpoint, 0, 1);
}

/*
 * Puts the deliveries of the last claim behind the old ones, before a newer
 * claim is taken in.
 */
void
endpoint_settle(Endpoint *endpoint)
{
	list_move(&endpoint->old, &endpoint->fresh, endpoint->fresh.count);
}

/*
 * The next delivery that may be sent now, or NULL; it counts as in flight
 * until endpoint_done.
 */
Delivery *
endpoint_next(Endpoint *endpoint)
{
	Delivery   *delivery;

	if (endpoint->in_flight >= endpoint->window ||
		!share_has_room(endpoint->share))
		return NULL;
	delivery = endpoint_take(endpoint);
	if (delivery == NULL)
		return NULL;
	if (endpoint->in_flight == 0)
	{
		endpoint->conduct.progress_ms = clock_ms();
		if (endpoint->done == 0 && endpoint->done_before == 0)
			endpoint->began_ms = clock_ms();
	}
	endpoint_count(endpoint, 1, 0);
	return delivery;
}

/* Undoes endpoint_next: the delivery was not sent. */
void
endpoint_put_back(Endpoint *endpoint)
{
	endpoint_count(endpoint, -1, 0);
}

/*
 * Takes a delivery that waits here, the newest and the one that was here
 * first in turn, so that a fresh event passes those that were claimed with
 * the backlog; NULL if there is none.
 */
Delivery *
endpoint_take(Endpoint *endpoint)
{
	DeliveryList *list = &endpoint->old;

	if (endpoint->fresh.count > 0 &&
		(endpoint->fresh_next || endpoint->old.count == 0))
		list = &endpoint->fresh;
	endpoint->fresh_next = list == &endpoint->old;
	return list_pop(list);
}

/* The attempt is over: the window learns from it. */
void
endpoint_done(const Delivery *delivery)
{
	Endpoint   *endpoint = delivery->endpoint;
	bool		succeeded = delivery_succeeded(delivery);

	endpoint_count(endpoint, -1, 0);
	endpoint->done++;
	if (!succeeded)
		endpoint->window = (endpoint->window + 1) / 2;
	else if (!endpoint->conduct.proven)
		endpoint->window = settings.per_endpoint;
	else if (endpoint->window < settings.per_endpoint)
		endpoint->window++;
	conduct_learn(&endpoint->conduct, delivery);
	endpoint_judge(endpoint);
}

/*
 * Frees deliveries that are recorded, given back or lost.  True: there is room
 * now that the last claim did not know of.
 */
bool
endpoint_let_go_all(DeliveryList *list)
{
	Delivery   *delivery;
	bool		room = false;

	while ((delivery = list_pop(list)) != NULL)
	{
		room = room || delivery->endpoint->divided;
		endpoint_count(delivery->endpoint, 0, -1);
		delivery_free(delivery);
	}
	return room;
}

/* How many may wait here: no more than per_endpoint means that none should. */
static int
endpoint_pace(const Endpoint *endpoint)
{
	int			pace = endpoint->done + endpoint->done_before;

	if (endpoint->window < settings.per_endpoint)
		return endpoint->window;
	if (endpoint->done_before == 0)
		pace = pace * 2 * ENDPOINT_TICK_MS / endpoint_began(endpoint);
	if (pace <= settings.per_endpoint)
		return settings.per_endpoint;
	return pace < STOCK_MAX ? pace : STOCK_MAX;
}

/*
 * For how many milliseconds it has been at work, where that is not known to be
 * long.
 */
static int
endpoint_began(const Endpoint *endpoint)
{
	int64_t		elapsed_ms = clock_ms() - endpoint->began_ms;

	if (elapsed_ms > 2 * ENDPOINT_TICK_MS)
		return 2 * ENDPOINT_TICK_MS;
	return elapsed_ms > FIRST_MS ? (int) elapsed_ms : FIRST_MS;
}

/* How many more of it a claim should bring. */
static int
endpoint_wants(const Endpoint *endpoint)
{
	int			pace = endpoint_pace(endpoint);
	int			stock = endpoint->old.count + endpoint->fresh.count;

	if (pace <= settings.per_endpoint)
		return pace > endpoint->leased ? pace - endpoint->leased : 0;
	return stock <= pace / 2 ? pace - stock : 0;
}

/* Whether there is an endpoint that needs more and of which there is more. */
bool
endpoint_hungry(void)
{
	const Endpoint *endpoint;

	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		if (endpoint->more && endpoint_wants(endpoint) > 0 &&
			(endpoint->share != SHARE_BAD || share_spare() > 0))
			return true;
	}
	return false;
}

/*
 * What to tell a claim.  Returns how many deliveries of bad endpoints it may
 * bring.
 */
int
endpoint_ask(EndpointArrays *arrays)
{
	Buf		   *const texts[] = {
		&arrays->webhook_nos, &arrays->leased, &arrays->quotas,
		&arrays->versions, &arrays->bad,
	};
	Endpoint   *endpoint;
	size_t		i;

	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
		endpoint_ask_of(arrays, endpoint);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		array_end(texts[i]);
	return spare = share_spare();
}

/* The same of one endpoint. */
static void
endpoint_ask_of(EndpointArrays *arrays, Endpoint *endpoint)
{
	int			wants = endpoint_wants(endpoint);

	endpoint->asked = wants;
	if (!endpoint_is_listed(endpoint, wants))
		return;
	array_number(&arrays->webhook_nos, endpoint->webhook_no);
	array_number(&arrays->leased, endpoint->leased);
	array_number(&arrays->quotas, endpoint->leased + wants);
	array_number(&arrays->versions, endpoint->version);
	array_bool(&arrays->bad, endpoint->share == SHARE_BAD);
}

/*
 * Whether a claim would not know by itself what is wanted of the endpoint: one
 * of it, as of a bad one, if its last attempt failed, else per_endpoint.
 */
static bool
endpoint_is_listed(const Endpoint *endpoint, int wants)
{
	bool		failing = endpoint->conduct.failing;

	return endpoint->leased > 0 ||
		wants != (failing ? 1 : settings.per_endpoint) ||
		(endpoint->share == SHARE_BAD) != failing;
}

/*
 * The claim is answered and taken in; full: it brought as many as it might.
 * Otherwise an endpoint of which less came than was asked for has no more, or
 * other relays or bad endpoints have their share of it: then there is more
 * when something of it is recorded, or when there is room for bad ones.
 */
void
endpoint_answered(bool full)
{
	Endpoint   *endpoint;
	int			bad = 0;

	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		if (endpoint->share == SHARE_BAD)
			bad += endpoint->arrived;
	}
	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		int			asked = endpoint->asked > 0 ? endpoint->asked
			: settings.per_endpoint;

		if (endpoint->asked == 0 && endpoint->arrived == 0)
			continue;
		endpoint->more = full || endpoint->arrived >= asked ||
			(endpoint->share == SHARE_BAD && bad >= spare);
		endpoint->divided = !endpoint->more && endpoint->leased > 0;
		endpoint->arrived = 0;
		endpoint->asked = 0;
	}
}

/*
 * To be called each ENDPOINT_TICK_MS: the pace is measured anew, who has not
 * answered for long is slow from now on, and what waits at an endpoint that
 * has become slow is given back.
 */
void
endpoint_tick(void (*give_back) (Delivery *delivery))
{
	Endpoint   *endpoint;

	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		int			most = STOCK_STALE * (endpoint->done > settings.per_endpoint
										  ? endpoint->done
										  : settings.per_endpoint);

		endpoint_judge(endpoint);
		if (endpoint->share == SHARE_BAD)
			most = endpoint->window;
		endpoint->done_before = endpoint->done;
		endpoint->done = 0;
		while (endpoint->old.count + endpoint->fresh.count > most)
			give_back(endpoint_take(endpoint));
	}
}
