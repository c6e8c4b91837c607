/*
 * dbconn.h
 *		One connection to PostgreSQL, in pipeline mode, never blocking.
 */
#ifndef APPT_DBCONN_H
#define APPT_DBCONN_H

#include "common/connect.h"
#include "http/loop.h"
#include "http/pool.h"

typedef enum DbState
{
	DB_DOWN,					/* tries again when its server may be asked */
	DB_CONNECTING,				/* in a thread of its own: connect.c */
	DB_SETUP,					/* sets its session up */
	DB_READY,
} DbState;

typedef enum DbOpKind
{
	DB_OP_DEALLOCATE,
	DB_OP_PREPARE,
	DB_OP_QUERY,
	DB_OP_CHECK,				/* prepared to see whether it can be */
	DB_OP_SYNC,
} DbOpKind;

/* What a session has of a statement. */
typedef enum DbPrepared
{
	DB_UNPREPARED,
	DB_PREPARED,
	DB_OUTDATED,				/* what it answers has another form by now */
} DbPrepared;

/* Something sent whose result is awaited, in the order sent. */
typedef struct DbOp
{
	DbOpKind	kind;
	Query	   *query;			/* NULL for a check or a sync */
	const Statement *statement; /* NULL for a sync */
	bool		fresh;			/* a query: prepared in the same batch */
	int64_t		sent_ms;
} DbOp;

typedef struct DbConn
{
	struct Loop *loop;
	Pool	   *pool;
	QueryLane	lane;
	PgServer   *server;
	PgAttempt  *attempt;		/* while it connects */
	PGconn	   *pg;
	DbState		state;
	Watch		watch;
	uint32_t	events;
	int64_t		since_ms;		/* when its session began to be set up */
	int64_t		caught_up_ms;	/* what was written before can be read here */
	DbPrepared	prepared[STATEMENTS_MAX];
	DbOp	   *ops;			/* ring of op_size, a power of two */
	unsigned	op_first;
	unsigned	op_count;
	unsigned	op_size;
	PGresult   *result;			/* of the first op, until it is complete */
	Query	   *written;		/* a write that waits for its commit */
	PGresult   *written_result;
	int			in_flight;		/* queries among the ops */
	bool		unsynced;		/* sent something without a sync behind it */
	bool		broken;			/* to be given up at the next flush */
} DbConn;

extern void db_send(DbConn *conn, Query *query);
extern void db_check(DbConn *conn, const Statement *statement);
extern void db_flush(DbConn *conn);
extern bool db_is_quiet(const DbConn *conn);
extern void db_connect(DbConn *conn);
extern void db_tick(DbConn *conn, int64_t now_ms);
extern void db_close(DbConn *conn);

/* What it waits for (dbop.c). */
extern void db_op_push(DbConn *conn, DbOp op);
extern DbOp db_op_pop(DbConn *conn);

/* What a connection tells its pool (pool.c). */
extern void pool_connect(Pool *pool);
extern bool pool_conn_has_room(const DbConn *conn);
extern void pool_conn_free(Pool *pool, DbConn *conn);
extern void pool_finish(Pool *pool, Query *query, QueryOutcome outcome,
						PGresult *result);
extern void pool_retry(Pool *pool, Query *query, QueryOutcome outcome,
					   PGresult *result);
extern void pool_retry_later(Pool *pool, Query *query, PGresult *result);
extern void pool_checked(Pool *pool, const Statement *statement,
						 const char *sqlstate);

#endif							/* APPT_DBCONN_H */
