/*
 * dbconn.c
 *		One connection to PostgreSQL: connects, sets the session up, sends
 *		queries down a pipeline, hands results to the pool, comes back by
 *		itself when it is lost.
 *
 *		The queries of one turn of the loop share a Sync and so an implicit
 *		transaction: good for reads.  A connection of LANE_OWN or LANE_AUTH
 *		has one query at a time, so its Sync is the commit of that one.
 *		Behind an error the rest of the batch is aborted by the server and
 *		sent again by us.
 *
 *		A write is reported done when its Sync is: only then is it committed.
 */
#include "http/dbconn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "http/metrics.h"
#include "http/options.h"

#define DB_SETUP_MS 6000
#define DB_OVERTIME_MS 2500		/* beyond the statement's own timeout */

static void db_ready(Watch *watch, uint32_t events);
static void db_connected(DbConn *conn);
static void db_setup_start(DbConn *conn);
static void db_setup_step(DbConn *conn);
static void db_receive(DbConn *conn);
static void db_op_result(DbConn *conn, PGresult *result);
static void db_sync_result(DbConn *conn, PGresult *result);
static void db_op_complete(DbConn *conn);
static void db_query_complete(DbConn *conn, Query *query, PGresult *result);
static void db_lost(DbConn *conn, const char *why);
static void db_orphans(DbConn *conn);
static void db_watch(DbConn *conn, uint32_t events);
static void op_push(DbConn *conn, DbOpKind kind, Query *query);
static DbOp op_pop(DbConn *conn);

/* Sends the query, and its PREPARE first where it is new here. */
void
db_send(DbConn *conn, Query *query)
{
	const Statement *statement = query->statement;
	int			sent = 1;

	if (!conn->prepared[statement->index])
	{
		sent = PQsendPrepare(conn->pg, statement->name, statement->sql, 0,
							 NULL);
		if (sent)
		{
			op_push(conn, DB_OP_PREPARE, query);
			conn->prepared[statement->index] = true;
		}
	}
	if (sent)
		sent = PQsendQueryPrepared(conn->pg, statement->name,
								   statement->param_count, query->params,
								   NULL, NULL, 0);
	op_push(conn, DB_OP_QUERY, query);
	conn->in_flight++;
	conn->unsynced = true;
	if (!sent)
		conn->broken = true;
}

/* Ends the batch with a Sync and writes it out; gives a broken one up. */
void
db_flush(DbConn *conn)
{
	int			left;

	if (conn->broken)
	{
		db_lost(conn, PQerrorMessage(conn->pg));
		return;
	}
	if (conn->state != DB_READY || !conn->unsynced)
		return;
	if (!PQpipelineSync(conn->pg))
	{
		db_lost(conn, PQerrorMessage(conn->pg));
		return;
	}
	op_push(conn, DB_OP_SYNC, NULL);
	conn->unsynced = false;
	left = PQflush(conn->pg);
	if (left < 0)
		db_lost(conn, PQerrorMessage(conn->pg));
	else
		db_watch(conn, left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Gives up what takes too long. */
void
db_tick(DbConn *conn, int64_t now_ms)
{
	if (conn->state == DB_SETUP && now_ms - conn->since_ms > DB_SETUP_MS)
		db_lost(conn, "the server does not set the session up");
	if (conn->state == DB_READY && conn->op_count > 0 &&
		now_ms - conn->ops[conn->op_first].sent_ms >
		options.statement_timeout_ms + DB_OVERTIME_MS)
		db_lost(conn, "the server does not answer");
}

/*
 * Whether an idle connection has nothing to say.  If it has, it is most often
 * that the server has ended it: nothing is sent down it before that is read.
 */
bool
db_is_quiet(const DbConn *conn)
{
	char		byte;

	return recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		(errno == EAGAIN || errno == EINTR);
}

/* Ends the connection; only when no query is in flight or the loop ends. */
void
db_close(DbConn *conn)
{
	PQclear(conn->result);
	PQclear(conn->written_result);
	if (conn->attempt != NULL)
		pg_attempt_abandon(conn->attempt);
	PQfinish(conn->pg);
	free(conn->ops);
	conn->pg = NULL;
	conn->ops = NULL;
}

/* Starts to connect, in a thread: what the database's name is may take long. */
void
db_connect(DbConn *conn)
{
	static const char *const names[] = {
		[LANE_SHARED] = "bioecko-gateway read",
		[LANE_OWN] = "bioecko-gateway",
		[LANE_AUTH] = "bioecko-gateway auth",
		[LANE_CONTROL] = "bioecko-gateway control",
	};

	conn->attempt = pg_attempt_start(conn->server, names[conn->lane]);
	if (conn->attempt == NULL)
		return;
	conn->state = DB_CONNECTING;
	conn->watch = (Watch) {
		.fd = pg_attempt_fd(conn->attempt), .ready = db_ready,
		.context = conn
	};
	loop_watch(conn->loop, &conn->watch, EPOLLIN);
}

/* The descriptor is ready: goes on where the connection stands. */
static void
db_ready(Watch *watch, uint32_t events)
{
	DbConn	   *conn = watch->context;

	switch (conn->state)
	{
		case DB_DOWN:
			break;
		case DB_CONNECTING:
			db_connected(conn);
			break;
		case DB_SETUP:
			db_setup_step(conn);
			break;
		case DB_READY:
			if (events & EPOLLOUT)
			{
				int			left = PQflush(conn->pg);

				if (left < 0)
				{
					db_lost(conn, PQerrorMessage(conn->pg));
					return;
				}
				if (left == 0)
					db_watch(conn, EPOLLIN);
			}
			if (events & ~(uint32_t) EPOLLOUT)
				db_receive(conn);
			break;
	}
}

/* The attempt is over: the session is set up, or another is made later. */
static void
db_connected(DbConn *conn)
{
	const char *why;

	conn->pg = pg_attempt_end(conn->attempt, &why);
	conn->attempt = NULL;
	if (PQstatus(conn->pg) != CONNECTION_OK)
	{
		db_lost(conn, why);
		return;
	}
	pool_connect(conn->pool);
	conn->watch.fd = PQsocket(conn->pg);
	conn->events = EPOLLIN;
	loop_watch(conn->loop, &conn->watch, conn->events);
	db_setup_start(conn);
}

/*
 * Sends the session's settings: the bounds on waiting, and that a booking
 * does not pay for NOTIFY (the loop wakes the relay itself).
 */
static void
db_setup_start(DbConn *conn)
{
	char		sql[512];

	snprintf(sql, sizeof(sql),
			 "SELECT set_config('statement_timeout', '%d', false), "
			 "set_config('lock_timeout', '%d', false), "
			 "set_config('idle_in_transaction_session_timeout', '%d', false), "
			 "set_config('bioecko_appt.notify', 'off', false)",
			 options.statement_timeout_ms, options.lock_timeout_ms,
			 options.statement_timeout_ms + DB_OVERTIME_MS);
	conn->state = DB_SETUP;
	conn->since_ms = clock_ms();
	if (!PQsendQuery(conn->pg, sql) || PQflush(conn->pg) < 0)
		db_lost(conn, PQerrorMessage(conn->pg));
}

/* Waits for the settings' result and turns the pipeline on. */
static void
db_setup_step(DbConn *conn)
{
	PGresult   *result;

	if (!PQconsumeInput(conn->pg))
	{
		db_lost(conn, PQerrorMessage(conn->pg));
		return;
	}
	while (!PQisBusy(conn->pg))
	{
		bool		good;

		result = PQgetResult(conn->pg);
		if (result == NULL)
		{
			if (!PQenterPipelineMode(conn->pg))
			{
				db_lost(conn, PQerrorMessage(conn->pg));
				return;
			}
			conn->state = DB_READY;
			metrics_database_connections(1);
			LOG_DEBUG("database connected", log_int("loop", conn->loop->index));
			pool_conn_free(conn->pool, conn);
			return;
		}
		good = PQresultStatus(result) == PGRES_TUPLES_OK;
		PQclear(result);
		if (!good)
		{
			db_lost(conn, PQerrorMessage(conn->pg));
			return;
		}
	}
}

/* Takes in what came and hands out every result that is complete. */
static void
db_receive(DbConn *conn)
{
	bool		good = PQconsumeInput(conn->pg);

	/* What came before the end may say why it ended. */
	while (conn->op_count > 0 && !PQisBusy(conn->pg))
	{
		PGresult   *result = PQgetResult(conn->pg);

		if (result != NULL)
			db_op_result(conn, result);
		else if (conn->result != NULL)
			db_op_complete(conn);
		else
		{
			good = false;		/* libpq has dropped what it was asked */
			break;
		}
	}
	if (!good || PQstatus(conn->pg) == CONNECTION_BAD)
		db_lost(conn, PQerrorMessage(conn->pg));
	else if (!conn->broken)
		pool_conn_free(conn->pool, conn);
}

/* A result of the first op; a sync is complete with it. */
static void
db_op_result(DbConn *conn, PGresult *result)
{
	bool		is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;

	if (conn->ops[conn->op_first].kind == DB_OP_SYNC)
		db_sync_result(conn, result);
	else if (is_sync)
	{
		conn->broken = true;
		PQclear(result);
	}
	else
	{
		PQclear(conn->result);
		conn->result = result;
	}
}

/*
 * The batch is committed, or could not be: then the server says why and the
 * connection, whose pipeline is out of step now, is given up.  Where it ends
 * the session here, or the wire breaks, it may have committed.
 */
static void
db_sync_result(DbConn *conn, PGresult *result)
{
	Query	   *written = conn->written;
	PGresult   *written_result = conn->written_result;
	const char *sqlstate;

	conn->written = NULL;
	conn->written_result = NULL;
	op_pop(conn);
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		if (written != NULL)
			pool_finish(conn->pool, written, QUERY_OK, written_result);
		return;
	}
	conn->broken = true;
	PQclear(written_result);
	sqlstate = pg_sqlstate(result);
	if (written != NULL && sqlstate[0] != '\0' &&
		strncmp(sqlstate, "57P", 3) != 0)
	{
		pool_finish(conn->pool, written, QUERY_ERROR, result);
		return;
	}
	PQclear(result);
	if (written != NULL)
		pool_finish(conn->pool, written, QUERY_LOST, NULL);
}

/* The first op has all its results. */
static void
db_op_complete(DbConn *conn)
{
	PGresult   *result = conn->result;
	DbOp		op;

	conn->result = NULL;
	op = op_pop(conn);
	if (op.kind == DB_OP_QUERY)
	{
		conn->in_flight--;
		db_query_complete(conn, op.query, result);
		return;
	}
	/* A PREPARE that failed: that is its query's result, next in line. */
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
	{
		const char *sqlstate = pg_sqlstate(result);

		conn->prepared[op.query->statement->index] =
			strcmp(sqlstate, "42P05") == 0;
		if (PQresultStatus(result) == PGRES_FATAL_ERROR &&
			strcmp(sqlstate, "42P05") != 0 &&
			conn->ops[conn->op_first].query == op.query)
		{
			Query	   *query = op.query;

			conn->ops[conn->op_first].query = NULL;
			conn->in_flight--;
			db_query_complete(conn, query, result);
			return;
		}
	}
	PQclear(result);
}

/* A query's result: finished, or to be sent again. */
static void
db_query_complete(DbConn *conn, Query *query, PGresult *result)
{
	const char *sqlstate;

	if (query == NULL)			/* its PREPARE failed and said so */
	{
		conn->in_flight++;
		PQclear(result);
		return;
	}
	switch (PQresultStatus(result))
	{
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
			if (!query->writes)
			{
				pool_finish(conn->pool, query, QUERY_OK, result);
				return;
			}
			conn->written = query;
			conn->written_result = result;
			return;
		case PGRES_PIPELINE_ABORTED:
			pool_retry(conn->pool, query, QUERY_BUSY, result);
			return;
		default:
			break;
	}
	sqlstate = pg_sqlstate(result);
	if (sqlstate[0] == '\0')
	{
		PQclear(result);
		if (query->writes)
			pool_finish(conn->pool, query, QUERY_LOST, NULL);
		else
			pool_retry(conn->pool, query, QUERY_LOST, NULL);
		return;
	}
	if (strcmp(sqlstate, "26000") == 0)
		conn->prepared[query->statement->index] = false;
	/* Rolled back for certain, 57P01 (ended by an administrator) too. */
	if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "40001") == 0 ||
		strcmp(sqlstate, "40P01") == 0 || strcmp(sqlstate, "57P01") == 0)
		pool_retry(conn->pool, query, QUERY_ERROR, result);
	else
		pool_finish(conn->pool, query, QUERY_ERROR, result);
}

/*
 * Gives the connection up: reads in flight go elsewhere, the outcome of a
 * write is unknown, and a new connection is tried soon.
 */
static void
db_lost(DbConn *conn, const char *why)
{
	bool		was_up = conn->state == DB_READY;

	metrics_database_lost();
	if (was_up)
		metrics_database_connections(-1);
	if (conn->state == DB_SETUP)
		pg_connect_later(conn->server);
	if (was_up || conn->server->failures <= 1)
		LOG_WARNING("database connection lost",
					log_int("loop", conn->loop->index), log_text("why", why));
	PQclear(conn->result);
	conn->result = NULL;
	PQfinish(conn->pg);
	conn->pg = NULL;
	conn->state = DB_DOWN;
	conn->unsynced = false;
	conn->broken = false;
	conn->in_flight = 0;
	memset(conn->prepared, 0, sizeof(conn->prepared));
	db_orphans(conn);
}

/* The queries of a connection that is gone: sent again, or outcome unknown. */
static void
db_orphans(DbConn *conn)
{
	Query	   *written = conn->written;

	PQclear(conn->written_result);
	conn->written = NULL;
	conn->written_result = NULL;
	if (written != NULL)
		pool_finish(conn->pool, written, QUERY_LOST, NULL);
	while (conn->op_count > 0)
	{
		DbOp		op = op_pop(conn);

		if (op.kind != DB_OP_QUERY || op.query == NULL)
			continue;
		if (op.query->writes)
			pool_finish(conn->pool, op.query, QUERY_LOST, NULL);
		else
			pool_retry(conn->pool, op.query, QUERY_LOST, NULL);
	}
}

/* Waits for these events from now on. */
static void
db_watch(DbConn *conn, uint32_t events)
{
	if (conn->events == events)
		return;
	conn->events = events;
	loop_watch_again(conn->loop, &conn->watch, events);
}

/* Notes that something was sent. */
static void
op_push(DbConn *conn, DbOpKind kind, Query *query)
{
	if (conn->op_count == conn->op_size)
	{
		unsigned	size = conn->op_size > 0 ? conn->op_size * 2 : 16;
		DbOp	   *ops = must_alloc(size * sizeof(DbOp));
		unsigned	i;

		for (i = 0; i < conn->op_count; i++)
			ops[i] = conn->ops[(conn->op_first + i) & (conn->op_size - 1)];
		free(conn->ops);
		conn->ops = ops;
		conn->op_first = 0;
		conn->op_size = size;
	}
	conn->ops[(conn->op_first + conn->op_count) & (conn->op_size - 1)] =
		(DbOp) {.kind = kind, .query = query, .sent_ms = conn->loop->now_ms};
	conn->op_count++;
}

/* Takes the first op away. */
static DbOp
op_pop(DbConn *conn)
{
	DbOp		op = conn->ops[conn->op_first];

	conn->op_first = (conn->op_first + 1) & (conn->op_size - 1);
	conn->op_count--;
	return op;
}
