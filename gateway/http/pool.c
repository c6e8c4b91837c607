/*
 * pool.c
 *		A loop's connections and the queries that wait for one.
 *
 *		No caller's queries stop another's: each lane has connections of its
 *		own, long reads have at most half of LANE_OWN's, and one caller
 *		neither all of them nor all the places in a line.
 */
#include "http/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/pg.h"
#include "http/calls.h"
#include "http/dbconn.h"
#include "http/lag.h"
#include "http/lane.h"
#include "http/line.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/retry.h"

#define POOL_WAITING_MAX 2000
#define POOL_WAITING_OF_ONE 1000	/* one caller's of them */
#define POOL_ATTEMPTS 20
#define POOL_RETRY_MS 2500		/* after this no further attempt begins */

struct Pool
{
	Conns		conns;
	PgServer	primary;
	PgServer	standby;		/* of APPT_READ_DSN */
	Lag		   *lag;			/* NULL without one */
	Parties		parties;
	Line		lines[LANE_COUNT];
	int			long_running;	/* on LANE_OWN's connections */
	bool		long_next;		/* of the two that want one it is their turn */
	Query	   *postponed;		/* to be sent again at the next tick */
	Calls		calls;
};

static void conn_connected(DbConn *conn);
static void conn_room(DbConn *conn);
static void conn_finish(DbConn *conn, Query *query, QueryOutcome outcome,
						PGresult *result);
static void conn_retry(DbConn *conn, Query *query, QueryOutcome outcome,
					   PGresult *result);
static void conn_retry_later(DbConn *conn, Query *query, PGresult *result);
static void conn_checked(DbConn *conn, const Statement *statement,
						 const char *sqlstate);
static void pool_connect(Pool *pool);
static void pool_serve(Pool *pool, DbConn *conn);
static void pool_finish(Pool *pool, Query *query, QueryOutcome outcome,
						PGresult *result);
static void pool_retry(Pool *pool, Query *query, QueryOutcome outcome,
					   PGresult *result);
static void pool_retry_later(Pool *pool, Query *query, PGresult *result);
static DbConn *pool_choose(const Pool *pool, QueryLane lane);
static bool conn_serves(const Pool *pool, const DbConn *conn,
						QueryLane lane);
static Query *pool_next(Pool *pool, const DbConn *conn);
static Query *pool_next_own(Pool *pool);
static void pool_place(Pool *pool, Query *query);
static void pool_send(Pool *pool, DbConn *conn, Query *query);
static void pool_move(Pool *pool, QueryLane lane);
static void pool_leave(Pool *pool, Query *query);
static void pool_send_postponed(Pool *pool);
static void pool_check(Pool *pool, int64_t now_ms);

/* A pool whose connections connect at the first tick. */
Pool *
pool_open(int loop)
{
	static const DbEvents events = {
		.connected = conn_connected,
		.room = conn_room,
		.finish = conn_finish,
		.retry = conn_retry,
		.retry_later = conn_retry_later,
		.checked = conn_checked,
	};
	Pool	   *pool = must_alloc(sizeof(Pool));
	int			lane;

	*pool = (Pool) {
		.primary = {.dsn = options.dsn},
		.standby = {.dsn = options.read_dsn},
		.conns = {.has_standby = options.read_dsn[0] != '\0'},
	};
	for (lane = 0; lane < LANE_COUNT; lane++)
		pool->conns.count += lane_size((QueryLane) lane);
	pool->conns.items = must_alloc((size_t) pool->conns.count * sizeof(DbConn));
	pool->conns.count = 0;
	for (lane = 0; lane < LANE_COUNT; lane++)
	{
		bool		other = pool->conns.has_standby &&
			(lane == LANE_SHARED || lane == LANE_STANDBY);
		int			i;

		line_init(&pool->lines[lane], (QueryLane) lane);
		for (i = 0; i < lane_size((QueryLane) lane); i++)
			db_init(&pool->conns.items[pool->conns.count++], &(DbConn) {
				.events = &events,
				.owner = pool,
				.loop = loop,
				.lane = (QueryLane) lane,
				.server = other ? &pool->standby : &pool->primary,
			});
	}
	if (pool->conns.has_standby)
		pool->lag = lag_open(pool->conns.items, pool->conns.count);
	return pool;
}

/*
 * Sends the query, now or when a connection comes free; query->done is called
 * once, perhaps from inside this call.  The query and its parameters must
 * live until then.
 */
void
pool_submit(Pool *pool, Query *query)
{
	query->queued_ms = loop_now_ms();
	party_join(&pool->parties, query);
	pool_place(pool, query);
}

/* Sends the query, or lets it wait in line, unless too many do. */
static void
pool_place(Pool *pool, Query *query)
{
	DbConn	   *conn = NULL;
	int			max;

	query->lane = lane_for(&pool->conns, query);
	max = lane_max_of_one(query->lane);
	if (pool->lines[query->lane].count == 0 &&
		(max == 0 || query->party->running[query->lane] < max))
		conn = pool_choose(pool, query->lane);
	if (conn != NULL)
	{
		pool_send(pool, conn, query);
		return;
	}
	if (!line_add(&pool->lines[query->lane], query, POOL_WAITING_MAX,
				  POOL_WAITING_OF_ONE))
	{
		pool_finish(pool, query, QUERY_BUSY, NULL);
		return;
	}
	/* The callers before it may have as many running as they may. */
	conn = pool_choose(pool, query->lane);
	if (conn != NULL)
		pool_serve(pool, conn);
}

/*
 * Nobody waits for the query any more, which is over then as soon as can be:
 * one that waits in line is not sent, one that has a connection to itself is
 * cancelled, and one among others goes on.  query->done is called as ever.
 */
void
pool_abandon(Pool *pool, Query *query)
{
	if (query->party == NULL)
		return;					/* it is not here */
	query->once = true;
	if (query->conn != NULL && db_is_alone(query->conn))
		db_cancel(query->conn);
	else if (query->conn == NULL &&
			 line_remove(&pool->lines[query->lane], query))
		pool_finish(pool, query, QUERY_BUSY, NULL);
}

/* Sends the query down the connection, which has room. */
static void
pool_send(Pool *pool, DbConn *conn, Query *query)
{
	query->conn = conn;
	query->party->running[query->lane]++;
	if (query->lane == LANE_LONG)
		pool->long_running++;
	db_send(conn, query);
}

/* Sends what this turn of the loop has gathered. */
void
pool_flush(Pool *pool)
{
	int			i;

	for (i = 0; i < pool->conns.count; i++)
		db_flush(&pool->conns.items[i]);
}

/* Connects, gives up, and tells those who waited too long. */
void
pool_tick(Pool *pool, int64_t now_ms)
{
	static const QueryLane moving[] = {
		LANE_SHARED, LANE_FRESH, LANE_STANDBY
	};
	Query	   *question;
	int			i;

	for (i = 0; i < pool->conns.count; i++)
		db_tick(&pool->conns.items[i], now_ms);
	pool_connect(pool);
	for (i = 0; i < LANE_COUNT; i++)
	{
		Query	   *query;

		while ((query = line_take_late(
					&pool->lines[i],
					now_ms - options.queue_timeout_ms)) != NULL)
			pool_finish(pool, query, QUERY_BUSY, NULL);
	}
	for (i = 0; i < (int) (sizeof(moving) / sizeof(moving[0])); i++)
	{
		if (!lane_is_up(&pool->conns, moving[i]))
			pool_move(pool, moving[i]);
	}
	pool_send_postponed(pool);
	pool_check(pool, now_ms);
	question = pool->lag != NULL ? lag_question(pool->lag) : NULL;
	if (question != NULL)
		pool_submit(pool, question);
}

/* Queries that wait in a lane without a connection go to another lane. */
static void
pool_move(Pool *pool, QueryLane lane)
{
	int			left = pool->lines[lane].count;

	for (; left > 0; left--)
	{
		Query	   *query = line_take(&pool->lines[lane], 0);

		pool_place(pool, query);
	}
}

/* Postponed queries are sent again. */
static void
pool_send_postponed(Pool *pool)
{
	Query	   *query = pool->postponed;

	pool->postponed = NULL;
	while (query != NULL)
	{
		Query	   *next = query->next;

		pool_place(pool, query);
		query = next;
	}
}

/* Checks the calls over LANE_CONTROL's connection, or one in its place. */
static void
pool_check(Pool *pool, int64_t now_ms)
{
	DbConn	   *conn = pool_choose(pool, LANE_CONTROL);

	if (conn != NULL)
		calls_look(&pool->calls, conn, now_ms);
}

/*
 * Starts to connect as many as their servers allow now, first those of a lane
 * that has none, so that a gateway is soon of use.
 */
static void
pool_connect(Pool *pool)
{
	int			others;
	int			i;

	for (others = 0; others <= 1; others++)
	{
		for (i = 0; i < pool->conns.count; i++)
		{
			DbConn	   *conn = &pool->conns.items[i];

			if (conn->state == DB_DOWN && pg_may_connect(conn->server) &&
				(others || !lane_is_coming(&pool->conns, conn->lane)))
				db_connect(conn);
		}
	}
}

/* Why calls cannot be served, in a static text; NULL: they can. */
const char *
pool_not_ready(const Pool *pool)
{
	if (!lane_is_up(&pool->conns, LANE_OWN))
		return "the database cannot be reached";
	return pool->calls.known ? NULL : "the database's calls are not known yet";
}

/* The first call that the database does not have; NULL: it has all. */
const char *
pool_missing_call(const Pool *pool)
{
	return pool->calls.missing[0] != '\0' ? pool->calls.missing : NULL;
}

/* Ends all connections, and with them what is in flight: nobody is told. */
void
pool_close(Pool *pool)
{
	int			i;

	for (i = 0; i < pool->conns.count; i++)
		db_close(&pool->conns.items[i]);
	if (pool->lag != NULL)
		lag_close(pool->lag);
	parties_free(&pool->parties);
	free(pool->conns.items);
	free(pool);
}

/* A connection is open: the server answers, so another may be tried. */
static void
conn_connected(DbConn *conn)
{
	pool_connect(conn->owner);
}

/* A connection has room for another query. */
static void
conn_room(DbConn *conn)
{
	pool_serve(conn->owner, conn);
}

/*
 * A connection's query is over, unless a standby refuses what its primary may
 * know better: then that is asked, once.
 */
static void
conn_finish(DbConn *conn, Query *query, QueryOutcome outcome,
			PGresult *result)
{
	Pool	   *pool = conn->owner;

	if (outcome == QUERY_ERROR && conn->server == &pool->standby &&
		retry_at_primary(pg_sqlstate(result)))
	{
		query->primary = true;
		pool_retry(pool, query, outcome, result);
	}
	else
		pool_finish(pool, query, outcome, result);
}

/* A connection's query had no effect and may be sent again. */
static void
conn_retry(DbConn *conn, Query *query, QueryOutcome outcome, PGresult *result)
{
	pool_retry(conn->owner, query, outcome, result);
}

/* The same, but later: the schema is changed, or the server a standby. */
static void
conn_retry_later(DbConn *conn, Query *query, PGresult *result)
{
	pool_retry_later(conn->owner, query, result);
}

/* Whether a statement can be prepared is known. */
static void
conn_checked(DbConn *conn, const Statement *statement, const char *sqlstate)
{
	Pool	   *pool = conn->owner;

	calls_told(&pool->calls, statement, sqlstate);
}

/* A connection has room: the first that wait for such a one are sent. */
static void
pool_serve(Pool *pool, DbConn *conn)
{
	while (db_has_room(conn))
	{
		Query	   *query = pool_next(pool, conn);

		if (query == NULL)
			break;
		pool_send(pool, conn, query);
	}
}

/* The query is over; its result is passed on to query->done. */
static void
pool_finish(Pool *pool, Query *query, QueryOutcome outcome, PGresult *result)
{
	metrics_query(outcome);
	if (query->writes && query->caller != NULL && outcome != QUERY_BUSY &&
		pool->lag != NULL)
		lag_knows(query->caller);
	pool_leave(pool, query);
	party_leave(&pool->parties, query);
	query->done(query, outcome, result);
}

/* Takes the query off the connection that it ran on, if any. */
static void
pool_leave(Pool *pool, Query *query)
{
	if (query->conn == NULL)
		return;
	query->conn = NULL;
	query->party->running[query->lane]--;
	if (query->lane == LANE_LONG)
		pool->long_running--;
}

/*
 * The query had no effect and may be sent again, some times; then its outcome
 * stands.  The result is taken over.
 */
static void
pool_retry(Pool *pool, Query *query, QueryOutcome outcome, PGresult *result)
{
	if (query->once || ++query->attempts >= POOL_ATTEMPTS ||
		loop_now_ms() - query->queued_ms >= POOL_RETRY_MS)
	{
		if (outcome != QUERY_ERROR)
		{
			PQclear(result);
			result = NULL;
		}
		pool_finish(pool, query, outcome, result);
		return;
	}
	PQclear(result);
	pool_leave(pool, query);
	pool_place(pool, query);
}

/*
 * The query failed as it does while the schema is changed, or a server becomes
 * a standby, and had no effect: it is sent again after a while, some times.
 * The result is taken over.
 */
static void
pool_retry_later(Pool *pool, Query *query, PGresult *result)
{
	calls_doubt(&pool->calls);
	query->postponed = true;
	if (query->once ||
		loop_now_ms() - query->queued_ms >= POOL_RETRY_MS)
	{
		pool_finish(pool, query, QUERY_ERROR, result);
		return;
	}
	PQclear(result);
	pool_leave(pool, query);
	query->next = pool->postponed;
	pool->postponed = query;
}

/* A connection that can take a query of the lane now, or NULL. */
static DbConn *
pool_choose(const Pool *pool, QueryLane lane)
{
	DbConn	   *best = NULL;
	int			i;

	for (i = 0; i < pool->conns.count; i++)
	{
		DbConn	   *conn = &pool->conns.items[i];

		if (!conn_serves(pool, conn, lane) || !db_has_room(conn))
			continue;
		if (best == NULL || conn->in_flight < best->in_flight)
			best = conn;
		if (best->in_flight == 0)
			break;
	}
	return best;
}

/*
 * Whether the connection is one for the lane.  The loop's own questions go to
 * any that reaches the primary while their connection is away: without them
 * nobody would know whose tokens are good.
 */
static bool
conn_serves(const Pool *pool, const DbConn *conn, QueryLane lane)
{
	if (conn->lane == lane)
		return true;
	if (lane == LANE_LONG)
		return conn->lane == LANE_OWN && pool->long_running < lane_long_max();
	return lane == LANE_CONTROL && conn->server == &pool->primary &&
		conn->lane != LANE_SHARED && !lane_is_up(&pool->conns, LANE_CONTROL);
}

/* Takes the query that is next at such a connection, or NULL. */
static Query *
pool_next(Pool *pool, const DbConn *conn)
{
	Query	   *query = NULL;

	if (conn_serves(pool, conn, LANE_CONTROL))
		query = line_take(&pool->lines[LANE_CONTROL], 0);
	if (query == NULL && conn->lane == LANE_OWN)
		query = pool_next_own(pool);
	else if (query == NULL)
		query = line_take(&pool->lines[conn->lane],
						  lane_max_of_one(conn->lane));
	return query;
}

/* Writes and reads that may take long take turns where both wait. */
static Query *
pool_next_own(Pool *pool)
{
	Query	   *query = NULL;
	int			i;

	for (i = 0; i < 2 && query == NULL; i++)
	{
		QueryLane	lane = pool->long_next ? LANE_LONG : LANE_OWN;

		if (lane == LANE_OWN || pool->long_running < lane_long_max())
			query = line_take(&pool->lines[lane], lane_max_of_one(lane));
		pool->long_next = !pool->long_next;
	}
	return query;
}
