/*
 * endpoint.c
 *		What the relay knows of each endpoint.
 *
 *		The window (requests in flight) falls by half with each failure and
 *		grows by one with each success, up to per_endpoint: a receiver that is
 *		down is asked by one request at a time.  The quota (deliveries leased)
 *		doubles while what was leased is used up within a quarter of a second,
 *		so that a fast receiver is not held up by claims; it is halved while
 *		that takes longer, so that a fresh event does not queue up here, and
 *		falls back to per_endpoint with a failure.
 */
#include "relay/endpoint.h"

#include <stdlib.h>

#include "common/clock.h"
#include "relay/settings.h"

#define FAST_MS		250
#define QUOTA_MAX	1000
#define BUCKETS		1024

static Endpoint *buckets[BUCKETS];
static Endpoint *all = NULL;
static int	total_leased = 0;

static Endpoint *endpoint_new(int webhook_no);
static void endpoint_adapt(Endpoint *endpoint, bool fast);

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
		.window = settings.per_endpoint,
		.quota = settings.per_endpoint,
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

/* Deliveries that this relay has, in whatever condition. */
int
endpoint_total_leased(void)
{
	return total_leased;
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
	endpoint->leased++;
	endpoint->arrived++;
	total_leased++;
}

/* After a claim was taken in: quotas follow what the receivers are up to. */
void
endpoint_claimed(void)
{
	int64_t		now = clock_ms();
	Endpoint   *endpoint;

	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		if (endpoint->arrived > 0)
			endpoint_adapt(endpoint, now - endpoint->drained_ms < FAST_MS);
		endpoint->arrived = 0;
	}
}

/* Doubles the quota if what was leased was used up fast, else halves it. */
static void
endpoint_adapt(Endpoint *endpoint, bool fast)
{
	if (!fast)
		endpoint->quota /= 2;
	else if (endpoint->leased >= endpoint->quota &&
			 endpoint->window == settings.per_endpoint)
		endpoint->quota *= 2;
	if (endpoint->quota > QUOTA_MAX)
		endpoint->quota = QUOTA_MAX;
	if (endpoint->quota < settings.per_endpoint)
		endpoint->quota = settings.per_endpoint;
}

/*
 * The next delivery that may be sent now, or NULL; it counts as in flight
 * until endpoint_done.
 */
Delivery *
endpoint_next(Endpoint *endpoint)
{
	Delivery   *delivery;

	if (endpoint->in_flight >= endpoint->window)
		return NULL;
	delivery = endpoint_take(endpoint);
	if (delivery == NULL)
		return NULL;
	endpoint->in_flight++;
	if (endpoint->old.count == 0 && endpoint->fresh.count == 0)
		endpoint->drained_ms = clock_ms();
	return delivery;
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

	endpoint->in_flight--;
	if (delivery_succeeded(delivery))
	{
		if (endpoint->window < settings.per_endpoint)
			endpoint->window++;
	}
	else
	{
		endpoint->window = (endpoint->window + 1) / 2;
		endpoint->quota = settings.per_endpoint;
	}
}

/* They are recorded, given back or lost: nothing here holds them any more. */
void
endpoint_let_go_all(DeliveryList *list)
{
	Delivery   *delivery;

	while ((delivery = list_pop(list)) != NULL)
	{
		delivery->endpoint->leased--;
		total_leased--;
		delivery_free(delivery);
	}
}

/* Where this relay has something, or wants another quota than usual. */
void
endpoint_arrays(EndpointArrays *arrays)
{
	const Endpoint *endpoint;

	buf_text(&arrays->webhook_nos, "{");
	buf_text(&arrays->leased, "{");
	buf_text(&arrays->quotas, "{");
	for (endpoint = all; endpoint != NULL; endpoint = endpoint->next)
	{
		const char *comma = arrays->leased.len > 1 ? "," : "";
		int			quota = endpoint->window < settings.per_endpoint
			? endpoint->window : endpoint->quota;

		if (endpoint->leased == 0 && quota == settings.per_endpoint)
			continue;
		buf_printf(&arrays->webhook_nos, "%s%d", comma, endpoint->webhook_no);
		buf_printf(&arrays->leased, "%s%d", comma, endpoint->leased);
		buf_printf(&arrays->quotas, "%s%d", comma, quota);
	}
	buf_text(&arrays->webhook_nos, "}");
	buf_text(&arrays->leased, "}");
	buf_text(&arrays->quotas, "}");
}
