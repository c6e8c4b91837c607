/*
 * lane.c
 *		Which of a pool's connections serve what.
 */
#include "http/lane.h"

#include "http/lag.h"
#include "http/options.h"

#define LANE_SHARED_ATTEMPTS 2	/* then a read has a connection to itself */

static bool standby_has(const Conns *conns, QueryLane lane,
						const Query *query);

/* How many connections are the lane's. */
int
lane_size(QueryLane lane)
{
	bool		has_standby = options.read_dsn[0] != '\0';

	switch (lane)
	{
		case LANE_SHARED:
			return options.read_connections;
		case LANE_FRESH:
			return has_standby ? 1 : 0;
		case LANE_STANDBY:
			return has_standby ? lane_long_max() : 0;
		case LANE_OWN:
			return options.write_connections;
		case LANE_AUTH:
			return options.auth_connections;
		case LANE_CONTROL:
			return 1;
		default:
			return 0;
	}
}

/* How many reads that may take long run at a time: half as many as writes. */
int
lane_long_max(void)
{
	return options.write_connections > 1 ? options.write_connections / 2 : 1;
}

/*
 * The lane that serves the query now.  A read that was aborted
 * LANE_SHARED_ATTEMPTS times with its batch gets a connection to itself.  A
 * read goes to the primary where no shared connection is up, where its caller
 * wrote what the standby has not replayed, or where the standby refused it.  A
 * request for a token waits with the bookings while LANE_AUTH has no
 * connection.
 */
QueryLane
lane_for(const Conns *conns, const Query *query)
{
	bool		alone = query->attempts >= LANE_SHARED_ATTEMPTS;

	switch (query->lane)
	{
		case LANE_SHARED:
			if (alone)
				return LANE_LONG;
			if (conns->has_standby ? standby_has(conns, LANE_SHARED, query)
				: lane_is_up(conns, LANE_SHARED))
				return LANE_SHARED;
			return lane_is_up(conns, LANE_FRESH) ? LANE_FRESH : LANE_LONG;
		case LANE_FRESH:
			return alone || !lane_is_up(conns, LANE_FRESH) ? LANE_LONG
				: LANE_FRESH;
		case LANE_LONG:
			return query->attempts == 0 && conns->has_standby &&
				standby_has(conns, LANE_STANDBY, query) ? LANE_STANDBY
				: LANE_LONG;
		case LANE_STANDBY:
			return standby_has(conns, LANE_STANDBY, query) ? LANE_STANDBY
				: LANE_LONG;
		case LANE_AUTH:
			return lane_is_up(conns, LANE_AUTH) ? LANE_AUTH : LANE_OWN;
		default:
			return query->lane;
	}
}

/*
 * Whether connections to the standby are up, all with what the caller knows,
 * and it has not refused the query.
 */
static bool
standby_has(const Conns *conns, QueryLane lane, const Query *query)
{
	int64_t		known_ms = query->caller != NULL
		? lag_known_ms(query->caller) : 0;
	bool		found = false;
	int			i;

	for (i = 0; i < conns->count && !query->primary; i++)
	{
		const DbConn *conn = &conns->items[i];

		if (conn->lane != lane || conn->state != DB_READY || conn->broken)
			continue;
		if (known_ms > 0 && conn->caught_up_ms <= known_ms)
			return false;
		found = true;
	}
	return found;
}

/*
 * How much of one caller may run in the lane at a time; 0: any number.  Others
 * always find a connection that is not waiting for his locks, or his lists.
 */
int
lane_max_of_one(QueryLane lane)
{
	switch (lane)
	{
		case LANE_OWN:
			return options.write_connections - options.write_connections / 4;
		case LANE_LONG:
		case LANE_STANDBY:
			return lane_long_max() > 1 ? lane_long_max() / 2 : 1;
		default:
			return 0;
	}
}

/* Whether a connection of the lane is ready, busy or not. */
bool
lane_is_up(const Conns *conns, QueryLane lane)
{
	int			i;

	for (i = 0; i < conns->count; i++)
	{
		if (conns->items[i].lane == lane && conns->items[i].state == DB_READY)
			return true;
	}
	return false;
}

/* Whether a connection of the lane is ready or about to be. */
bool
lane_is_coming(const Conns *conns, QueryLane lane)
{
	int			i;

	for (i = 0; i < conns->count; i++)
	{
		if (conns->items[i].lane == lane && conns->items[i].state != DB_DOWN)
			return true;
	}
	return false;
}
