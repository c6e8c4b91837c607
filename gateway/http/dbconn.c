/*
 * dbconn.c
 *		One connection of the gateway's pool to PostgreSQL: connects, sets
 *		the session up, sends queries down a pipeline, hands results to the
 *		pool, comes back by itself when it is lost.
 *
 *		The queries of one turn of the loop share a Sync and so an implicit
 *		transaction: good for reads.  A connection of LANE_OWN or LANE_AUTH
 *		has one query at a time, so its Sync is the commit of that one.
 *		Behind an error the rest of the batch is aborted by the server and
 *		sent again by us.
 *
 *		A write is reported done when its Sync is: only then is it
 *		committed.  The relay's connection, which has no pipeline, is
 *		relay/link.c.
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
#include "http/retry.h"

#define DB_SHARED_MAX 256		/* queries in flight on a shared connection */
#define DB_SETUP_MS 6000
#define DB_OVERTIME_MS 2500		/* beyond the statement's own timeout */

static bool db_is_quiet(const DbConn *conn);
static bool db_prepare(DbConn *conn, Query *query);
static void db_ready(Watch *watch, uint32_t events);
static void db_connected(DbConn *conn);
static void db_setup_start(DbConn *conn);
static void db_setup_step(DbConn *conn);
static void db_receive(DbConn *conn);
static void db_op_result(DbConn *conn, PGresult *result);
static void db_sync_result(DbConn *conn, PGresult *result);
static void db_op_complete(DbConn *conn);
static void db_query_complete(DbConn *conn, const DbOp *op, PGresult *result);
static void db_query_failed(DbConn *conn, const DbOp *op, PGresult *result);
static void db_lost(DbConn *conn, const char *why);
static void db_orphans(DbConn *conn);

/* Initialises a connection, which db_connect will open. */
void
db_init(DbConn *conn, const DbConn *as)
{
	*conn = *as;
	conn->watch = (Watch) {.fd = -1, .ready = db_ready, .context = conn};
}

/* Sends the query, and its PREPARE first where it is new here. */
void
db_send(DbConn *conn, Query *query)
{
	const Statement *statement = query->statement;
	bool		fresh = conn->prepared[statement->index] != DB_PREPARED;

	if (fresh && !db_prepare(conn, query))
		conn->broken = true;
	if (!conn->broken &&
		!PQsendQueryPrepared(conn->pg, statement->name,
							 statement->param_count, query->params, NULL,
							 NULL, 0))
		conn->broken = true;
	db_op_push(conn, (DbOp) {.kind = DB_OP_QUERY, .query = query,
						  .statement = statement, .fresh = fresh});
	conn->in_flight++;
	conn->unsynced = true;
}

/* Prepares the query's statement, in place of one that is out of date. */
static bool
db_prepare(DbConn *conn, Query *query)
{
	const Statement *statement = query->statement;
	char		sql[32];

	if (conn->prepared[statement->index] == DB_OUTDATED)
	{
		snprintf(sql, sizeof(sql), "DEALLOCATE %s", statement->name);
		if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
			return false;
		db_op_push(conn, (DbOp) {.kind = DB_OP_DEALLOCATE, .query = query,
							  .statement = statement});
	}
	if (!PQsendPrepare(conn->pg, statement->name, statement->sql, 0, NULL))
		return false;
	db_op_push(conn, (DbOp) {.kind = DB_OP_PREPARE, .query = query,
						  .statement = statement});
	conn->prepared[statement->index] = DB_PREPARED;
	return true;
}

/*
 * Asks whether the statement can be prepared; the owner is told.  Each has
 * a Sync of its own, so that one that cannot be leaves the others alone.
 */
void
db_check(DbConn *conn, const Statement *statement)
{
	if (!PQsendPrepare(conn->pg, "", statement->sql, 0, NULL) ||
		!PQpipelineSync(conn->pg))
		conn->broken = true;
	db_op_push(conn, (DbOp) {.kind = DB_OP_CHECK, .statement = statement});
	db_op_push(conn, (DbOp) {.kind = DB_OP_SYNC});
	conn->unsynced = true;
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
	db_op_push(conn, (DbOp) {.kind = DB_OP_SYNC});
	conn->unsynced = false;
	left = PQflush(conn->pg);
	if (left < 0)
		db_lost(conn, PQerrorMessage(conn->pg));
	else
		loop_watch(&conn->watch, PQsocket(conn->pg),
				   EPOLLIN | (left > 0 ? EPOLLOUT : 0));
}

/* Gives the connection up where its setup or its first query takes too long. */
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

/* Whether the connection can be sent another query now. */
bool
db_has_room(const DbConn *conn)
{
	if (conn->state != DB_READY || conn->broken || conn->cancel != NULL)
		return false;
	if (db_is_alone(conn))
		return conn->op_count == 0 && db_is_quiet(conn);
	return conn->in_flight < DB_SHARED_MAX &&
		conn->op_count < 2 * DB_SHARED_MAX;
}

/* Whether the connection has one query at a time. */
bool
db_is_alone(const DbConn *conn)
{
	return conn->lane == LANE_OWN || conn->lane == LANE_AUTH ||
		conn->lane == LANE_STANDBY;
}

/*
 * Whether the socket of an idle connection has no input.  Input is most often
 * the server's FATAL message and the end of the connection, which must be read
 * before another query is sent.
 */
static bool
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
	db_cancel_end(conn);
	PQfinish(conn->pg);
	free(conn->ops);
	conn->pg = NULL;
	conn->ops = NULL;
}

/* Starts to connect, in a thread: resolving the server's name may take long. */
void
db_connect(DbConn *conn)
{
	static const char *const names[] = {
		[LANE_SHARED] = "bioecko-gateway read",
		[LANE_FRESH] = "bioecko-gateway read",
		[LANE_STANDBY] = "bioecko-gateway list",
		[LANE_OWN] = "bioecko-gateway",
		[LANE_AUTH] = "bioecko-gateway auth",
		[LANE_CONTROL] = "bioecko-gateway control",
	};

	conn->attempt = pg_attempt_start(conn->server, names[conn->lane]);
	if (conn->attempt == NULL)
		return;
	conn->state = DB_CONNECTING;
	loop_watch(&conn->watch, pg_attempt_fd(conn->attempt), EPOLLIN);
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
					loop_watch(&conn->watch, PQsocket(conn->pg), EPOLLIN);
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

	loop_unwatch(&conn->watch);
	conn->pg = pg_attempt_end(conn->attempt, &why);
	conn->attempt = NULL;
	if (PQstatus(conn->pg) != CONNECTION_OK)
	{
		db_lost(conn, why);
		return;
	}
	conn->events->connected(conn);
	loop_watch(&conn->watch, PQsocket(conn->pg), EPOLLIN);
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
			LOG_DEBUG("database connected", log_int("loop", conn->loop));
			conn->events->room(conn);
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
			good = false;		/* libpq has lost its queue of queries */
			break;
		}
	}
	if (!good || PQstatus(conn->pg) == CONNECTION_BAD)
		db_lost(conn, PQerrorMessage(conn->pg));
	else if (!conn->broken)
		conn->events->room(conn);
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
	db_op_pop(conn);
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		if (written != NULL)
			conn->events->finish(conn, written, QUERY_OK, written_result);
		return;
	}
	conn->broken = true;
	PQclear(written_result);
	sqlstate = pg_sqlstate(result);
	if (written != NULL && sqlstate[0] != '\0' &&
		strncmp(sqlstate, "57P", 3) != 0)
	{
		conn->events->finish(conn, written, QUERY_ERROR, result);
		return;
	}
	PQclear(result);
	if (written != NULL)
		conn->events->finish(conn, written, QUERY_LOST, NULL);
}

/* The first op has all its results. */
static void
db_op_complete(DbConn *conn)
{
	PGresult   *result = conn->result;
	ExecStatusType status = PQresultStatus(result);
	DbOp		op;

	conn->result = NULL;
	op = db_op_pop(conn);
	if (op.kind == DB_OP_QUERY)
	{
		db_query_complete(conn, &op, result);
		return;
	}
	if (op.kind == DB_OP_CHECK)
		conn->events->checked(conn, op.statement, status == PGRES_COMMAND_OK
							  ? "00000" : pg_sqlstate(result));
	else if (status != PGRES_COMMAND_OK)
	{
		conn->prepared[op.statement->index] =
			strcmp(pg_sqlstate(result), "42P05") == 0 ? DB_PREPARED
			: DB_UNPREPARED;
		/* Why a PREPARE failed is its query's result, next in line. */
		if (op.kind == DB_OP_PREPARE && status == PGRES_FATAL_ERROR &&
			conn->prepared[op.statement->index] == DB_UNPREPARED &&
			conn->ops[conn->op_first].query == op.query)
		{
			conn->ops[conn->op_first].query = NULL;
			op.fresh = true;
			db_query_complete(conn, &op, result);
			return;
		}
	}
	PQclear(result);
}

/* A query's result: finished, or to be sent again. */
static void
db_query_complete(DbConn *conn, const DbOp *op, PGresult *result)
{
	Query	   *query = op->query;

	if (query == NULL)			/* its PREPARE failed and said so */
	{
		PQclear(result);
		return;
	}
	conn->in_flight--;
	switch (PQresultStatus(result))
	{
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
			if (!query->writes)
			{
				conn->events->finish(conn, query, QUERY_OK, result);
				return;
			}
			conn->written = query;
			conn->written_result = result;
			return;
		case PGRES_PIPELINE_ABORTED:
			conn->events->retry(conn, query, QUERY_BUSY, result);
			return;
		default:
			db_query_failed(conn, op, result);
	}
}

/* The query failed: sends it again where retry.c says so, or finishes it. */
static void
db_query_failed(DbConn *conn, const DbOp *op, PGresult *result)
{
	Query	   *query = op->query;
	const char *sqlstate = pg_sqlstate(result);

	if (sqlstate[0] == '\0')
	{
		PQclear(result);
		if (query->writes)
			conn->events->finish(conn, query, QUERY_LOST, NULL);
		else
			conn->events->retry(conn, query, QUERY_LOST, NULL);
		return;
	}
	switch (retry_of(sqlstate))
	{
		case RETRY_NOW:
			conn->events->retry(conn, query, QUERY_ERROR, result);
			return;
		case RETRY_PREPARED:
			conn->prepared[op->statement->index] = DB_UNPREPARED;
			conn->events->retry(conn, query, QUERY_ERROR, result);
			return;
		case RETRY_PLANNED:
			if (op->fresh)
				break;			/* planned just now: a function's own error */
			conn->prepared[op->statement->index] = DB_OUTDATED;
			conn->events->retry(conn, query, QUERY_ERROR, result);
			return;
		case RETRY_ELSEWHERE:
			pg_connect_later(conn->server);
			/* FALLTHROUGH */
		case RETRY_ANEW:
			conn->broken = true;
			/* FALLTHROUGH */
		case RETRY_LATER:
			conn->events->retry_later(conn, query, result);
			return;
		case RETRY_ONCE_LATER:
			if (query->postponed)
				break;
			conn->events->retry_later(conn, query, result);
			return;
		case RETRY_NEVER:
			break;
	}
	conn->events->finish(conn, query, QUERY_ERROR, result);
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
					log_int("loop", conn->loop), log_text("why", why));
	PQclear(conn->result);
	conn->result = NULL;
	loop_unwatch(&conn->watch);
	db_cancel_end(conn);
	PQfinish(conn->pg);
	conn->pg = NULL;
	conn->state = DB_DOWN;
	conn->unsynced = false;
	conn->broken = false;
	conn->in_flight = 0;
	conn->caught_up_ms = 0;
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
		conn->events->finish(conn, written, QUERY_LOST, NULL);
	while (conn->op_count > 0)
	{
		DbOp		op = db_op_pop(conn);

		if (op.kind != DB_OP_QUERY || op.query == NULL)
			continue;
		if (op.query->writes)
			conn->events->finish(conn, op.query, QUERY_LOST, NULL);
		else
			conn->events->retry(conn, op.query, QUERY_LOST, NULL);
	}
}
