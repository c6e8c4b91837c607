/*
 * pool.c
 *		A loop's connections and the queries that wait for one.
 */
#include "http/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "http/calls.h"
#include "http/dbconn.h"
#include "http/metrics.h"
#include "http/options.h"

#define POOL_SHARED_MAX 256		/* queries in flight on a shared connection */
#define POOL_WAITING_MAX 2000
#define POOL_ATTEMPTS 20
#define POOL_RETRY_MS 2500		/* after this no further attempt begins */
#define POOL_SHARED_ATTEMPTS 2	/* then a read has a connection to itself */

typedef struct QueryList
{
	Query	   *first;
	Query	   *last;
	int			count;
} QueryList;

struct Pool
{
	struct Loop *loop;
	DbConn	   *conns;
	int			count;
	PgServer	primary;
	PgServer	standby;		/* of APPT_READ_DSN */
	QueryList	waiting[LANE_COUNT];
	QueryList	postponed;		/* to be sent again at the next tick */
	Calls		calls;
};

static Statement statements[STATEMENTS_MAX];
static int	statement_count;

static QueryLane lane_of_conn(int index);
static bool lane_is_up(const Pool *pool, QueryLane lane);
static bool lane_is_coming(const Pool *pool, QueryLane lane);
static DbConn *pool_choose(Pool *pool, QueryLane lane);
static bool conn_serves(const Pool *pool, const DbConn *conn, QueryLane lane);
static bool conn_has_room(const DbConn *conn);
static Query *pool_next(Pool *pool, const DbConn *conn);
static void pool_wait(Pool *pool, Query *query);
static void pool_send_postponed(Pool *pool);
static void pool_check(Pool *pool, int64_t now_ms);
static void list_add(QueryList *list, Query *query);
static Query *list_take(QueryList *list);

/* Makes the SQL known under a name; before any loop starts. */
const Statement *
statement_register(const char *sql, int param_count)
{
	Statement  *statement;

	if (statement_count == STATEMENTS_MAX)
		abort();
	statement = &statements[statement_count];
	statement->index = statement_count++;
	statement->sql = sql;
	statement->param_count = param_count;
	snprintf(statement->name, sizeof(statement->name), "s%d",
			 statement->index);
	return statement;
}

/* A statement, by its number. */
const Statement *
statement_get(int index)
{
	return &statements[index];
}

/* How many statements there are. */
int
statement_total(void)
{
	return statement_count;
}

/* A pool whose connections connect at the first tick. */
Pool *
pool_open(struct Loop *loop)
{
	Pool	   *pool = must_alloc(sizeof(Pool));
	int			i;

	*pool = (Pool) {
		.loop = loop,
		.primary = {.dsn = options.dsn},
		.standby = {.dsn = options.read_dsn},
	};
	pool->count = options.read_connections + options.write_connections +
		options.auth_connections + 1;
	pool->conns = must_alloc((size_t) pool->count * sizeof(DbConn));
	for (i = 0; i < pool->count; i++)
	{
		QueryLane	lane = lane_of_conn(i);
		bool		other = lane == LANE_SHARED && options.read_dsn[0] != '\0';

		pool->conns[i] = (DbConn) {
			.loop = loop,
			.pool = pool,
			.lane = lane,
			.server = other ? &pool->standby : &pool->primary,
		};
	}
	return pool;
}

/*
 * Sends the query, now or when a connection comes free; query->done is called
 * once, perhaps from inside this call.  The query and its parameters must
 * live until then.
 *
 * A read whose neighbours failed and took it with them some times, or that
 * finds no shared connection (a standby that is away), has one to itself.  Who
 * asks for a token while that lane is away stands in line with the bookings.
 */
void
pool_submit(Pool *pool, Query *query)
{
	DbConn	   *conn;

	if (query->lane == LANE_SHARED &&
		(query->attempts >= POOL_SHARED_ATTEMPTS ||
		 !lane_is_up(pool, LANE_SHARED)))
		query->lane = LANE_OWN;
	if (query->lane == LANE_AUTH && !lane_is_up(pool, LANE_AUTH))
		query->lane = LANE_OWN;
	conn = pool_choose(pool, query->lane);
	query->next = NULL;
	query->queued_ms = pool->loop->now_ms;
	if (conn != NULL)
		db_send(conn, query);
	else
		pool_wait(pool, query);
}

/* Sends what this turn of the loop has gathered. */
void
pool_flush(Pool *pool)
{
	int			i;

	for (i = 0; i < pool->count; i++)
		db_flush(&pool->conns[i]);
}

/* Connects, gives up, and tells those who waited too long. */
void
pool_tick(Pool *pool, int64_t now_ms)
{
	int			i;
	int			lane;

	for (i = 0; i < pool->count; i++)
		db_tick(&pool->conns[i], now_ms);
	pool_connect(pool);
	for (lane = 0; lane < LANE_COUNT; lane++)
	{
		QueryList  *list = &pool->waiting[lane];

		while (list->first != NULL &&
			   now_ms - list->first->queued_ms >= options.queue_timeout_ms)
			pool_finish(pool, list_take(list), QUERY_BUSY, NULL);
	}
	pool_send_postponed(pool);
	pool_check(pool, now_ms);
}

/* Sends once more what had to wait. */
static void
pool_send_postponed(Pool *pool)
{
	QueryList	list = pool->postponed;
	Query	   *query;

	pool->postponed = (QueryList) {0};
	while ((query = list_take(&list)) != NULL)
	{
		int64_t		queued_ms = query->queued_ms;

		pool_submit(pool, query);
		query->queued_ms = queued_ms;
	}
}

/* Looks for the calls by the loop's own connection, or one in its place. */
static void
pool_check(Pool *pool, int64_t now_ms)
{
	DbConn	   *conn = pool_choose(pool, LANE_CONTROL);

	if (conn != NULL)
		calls_look(&pool->calls, conn, now_ms);
}

/* Whether a statement can be prepared. */
void
pool_checked(Pool *pool, const Statement *statement, const char *sqlstate)
{
	calls_told(&pool->calls, statement, sqlstate);
}

/*
 * Starts to connect as many as their servers allow now, first those of a lane
 * that has none, so that a gateway is soon of use.
 */
void
pool_connect(Pool *pool)
{
	int			others;
	int			i;

	for (others = 0; others <= 1; others++)
	{
		for (i = 0; i < pool->count; i++)
		{
			DbConn	   *conn = &pool->conns[i];

			if (conn->state == DB_DOWN && pg_may_connect(conn->server) &&
				(others || !lane_is_coming(pool, conn->lane)))
				db_connect(conn);
		}
	}
}

/* Why calls cannot be served, in a static text; NULL: they can. */
const char *
pool_not_ready(const Pool *pool)
{
	if (!lane_is_up(pool, LANE_OWN))
		return "the database cannot be reached";
	return pool->calls.known ? NULL : "the database's calls are not known yet";
}

/* The first call that the database does not have; NULL: it has all. */
const char *
pool_missing_call(const Pool *pool)
{
	return pool->calls.missing[0] != '\0' ? pool->calls.missing : NULL;
}

/* The lane of the pool's connection of that number. */
static QueryLane
lane_of_conn(int index)
{
	if (index < options.read_connections)
		return LANE_SHARED;
	index -= options.read_connections;
	if (index < options.write_connections)
		return LANE_OWN;
	index -= options.write_connections;
	return index < options.auth_connections ? LANE_AUTH : LANE_CONTROL;
}

/* Whether a connection of the lane is ready, busy or not. */
static bool
lane_is_up(const Pool *pool, QueryLane lane)
{
	int			i;

	for (i = 0; i < pool->count; i++)
	{
		if (pool->conns[i].lane == lane && pool->conns[i].state == DB_READY)
			return true;
	}
	return false;
}

/* Whether a connection of the lane is ready or about to be. */
static bool
lane_is_coming(const Pool *pool, QueryLane lane)
{
	int			i;

	for (i = 0; i < pool->count; i++)
	{
		if (pool->conns[i].lane == lane && pool->conns[i].state != DB_DOWN)
			return true;
	}
	return false;
}

/* Ends all connections; no query may be in flight. */
void
pool_close(Pool *pool)
{
	int			i;

	for (i = 0; i < pool->count; i++)
		db_close(&pool->conns[i]);
	free(pool->conns);
	free(pool);
}

/* A connection has room: the first that wait for such a one are sent. */
void
pool_conn_free(Pool *pool, DbConn *conn)
{
	while (conn_has_room(conn))
	{
		Query	   *query = pool_next(pool, conn);

		if (query == NULL)
			break;
		db_send(conn, query);
	}
}

/* The query is over; result goes to whom it belongs. */
void
pool_finish(Pool *pool, Query *query, QueryOutcome outcome, PGresult *result)
{
	(void) pool;
	metrics_query(outcome);
	query->done(query, outcome, result);
}

/*
 * The query had no effect and may be sent again, some times; then its outcome
 * stands.  The result is taken over.
 */
void
pool_retry(Pool *pool, Query *query, QueryOutcome outcome, PGresult *result)
{
	int64_t		queued_ms = query->queued_ms;

	if (++query->attempts >= POOL_ATTEMPTS ||
		pool->loop->now_ms - queued_ms >= POOL_RETRY_MS)
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
	pool_submit(pool, query);
	query->queued_ms = queued_ms;
}

/*
 * The query failed as it does while the schema is changed, or a server becomes
 * a standby, and had no effect: it is sent again after a while, some times.
 * The result is taken over.
 */
void
pool_retry_later(Pool *pool, Query *query, PGresult *result)
{
	calls_doubt(&pool->calls);
	query->postponed = true;
	if (pool->loop->now_ms - query->queued_ms >= POOL_RETRY_MS)
	{
		pool_finish(pool, query, QUERY_ERROR, result);
		return;
	}
	PQclear(result);
	list_add(&pool->postponed, query);
}

/* A connection that can take a query of the lane now, or NULL. */
static DbConn *
pool_choose(Pool *pool, QueryLane lane)
{
	DbConn	   *best = NULL;
	int			i;

	if (pool->waiting[lane].count > 0)
		return NULL;
	for (i = 0; i < pool->count; i++)
	{
		DbConn	   *conn = &pool->conns[i];

		if (!conn_serves(pool, conn, lane) || !conn_has_room(conn))
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
	return lane == LANE_CONTROL && conn->lane != LANE_SHARED &&
		!lane_is_up(pool, LANE_CONTROL);
}

/* Whether the connection can be sent another query now. */
static bool
conn_has_room(const DbConn *conn)
{
	if (conn->state != DB_READY || conn->broken)
		return false;
	if (conn->lane == LANE_OWN || conn->lane == LANE_AUTH)
		return conn->op_count == 0 && db_is_quiet(conn);
	return conn->in_flight < POOL_SHARED_MAX &&
		conn->op_count < 2 * POOL_SHARED_MAX;
}

/* Takes the first query that waits for such a connection, or NULL. */
static Query *
pool_next(Pool *pool, const DbConn *conn)
{
	if (conn_serves(pool, conn, LANE_CONTROL) &&
		pool->waiting[LANE_CONTROL].count > 0)
		return list_take(&pool->waiting[LANE_CONTROL]);
	return list_take(&pool->waiting[conn->lane]);
}

/* Lets the query wait for a connection, unless too many do. */
static void
pool_wait(Pool *pool, Query *query)
{
	if (pool->waiting[query->lane].count >= POOL_WAITING_MAX)
		pool_finish(pool, query, QUERY_BUSY, NULL);
	else
		list_add(&pool->waiting[query->lane], query);
}

/* Adds at the end. */
static void
list_add(QueryList *list, Query *query)
{
	query->next = NULL;
	if (list->last != NULL)
		list->last->next = query;
	else
		list->first = query;
	list->last = query;
	list->count++;
}

/* Takes the first, or NULL. */
static Query *
list_take(QueryList *list)
{
	Query	   *query = list->first;

	if (query == NULL)
		return NULL;
	list->first = query->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	query->next = NULL;
	return query;
}
