/*
 * share.c
 *		Which part of the requests under way an endpoint may have, by how its
 *		receiver has been doing.
 *
 *		A receiver that says nothing keeps a request for as long as the attempt
 *		may take: a handful of such would keep all of them, and the others
 *		would wait.  So those that fail or are slow have at most half of
 *		max_in_flight together, with those of which nothing is known three
 *		quarters, and of these each has one request until it has answered.
 *		What is left is there for the good ones in any case.
 */
#include "relay/share.h"

#include "common/clock.h"
#include "relay/settings.h"

#define SLOW_MS			1000
#define FAILURES_BAD	3		/* one that fails now and then is not bad */
#define AVERAGE_OF		4

static int	in_flight_of[SHARES];
static int	leased_of[SHARES];

static int	part(int quarters);

/* An attempt is over. */
void
conduct_learn(Conduct *conduct, const Delivery *delivery)
{
	int			took_ms = delivery->outcome.duration_ms;
	bool		first = !conduct->proven && conduct->failures == 0;

	conduct->average_ms = first ? took_ms
		: (conduct->average_ms * (AVERAGE_OF - 1) + took_ms) / AVERAGE_OF;
	conduct->progress_ms = clock_ms();
	conduct->failing = !delivery_succeeded(delivery);
	conduct->failures = conduct->failing ? conduct->failures + 1 : 0;
	conduct->proven = conduct->proven || !conduct->failing;
}

/* The share of its endpoint; busy: it has something to answer. */
Share
conduct_share(const Conduct *conduct, bool busy)
{
	if (conduct->average_ms > SLOW_MS ||
		(busy && clock_ms() - conduct->progress_ms > SLOW_MS))
		return SHARE_BAD;
	if (!conduct->proven)
		return conduct->failing ? SHARE_BAD : SHARE_NEW;
	return conduct->failures >= FAILURES_BAD ? SHARE_BAD : SHARE_GOOD;
}

/* Adds to the share's counts of requests under way and deliveries leased. */
void
share_count(Share share, int in_flight, int leased)
{
	in_flight_of[share] += in_flight;
	leased_of[share] += leased;
}

/* Whether a request of the share may begin. */
bool
share_has_room(Share share)
{
	int			others = in_flight_of[SHARE_NEW] + in_flight_of[SHARE_BAD];

	if (others + in_flight_of[SHARE_GOOD] >= settings.max_in_flight)
		return false;
	return share == SHARE_GOOD ||
		(others < part(3) &&
		 (share == SHARE_NEW || in_flight_of[SHARE_BAD] < part(2)));
}

/* How many deliveries of bad endpoints may be leased beside those that are. */
int
share_spare(void)
{
	int			spare = part(2) - leased_of[SHARE_BAD];

	return spare > 0 ? spare : 0;
}

/* Requests under way. */
int
share_in_flight(Share share)
{
	return in_flight_of[share];
}

/* Deliveries that this relay has, in whatever condition. */
int
share_total_leased(void)
{
	return leased_of[SHARE_NEW] + leased_of[SHARE_GOOD] + leased_of[SHARE_BAD];
}

/* So many quarters of max_in_flight, one request at least. */
static int
part(int quarters)
{
	int			requests = settings.max_in_flight * quarters / 4;

	return requests > 0 ? requests : 1;
}
