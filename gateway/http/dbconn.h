/*
 * dbconn.h
 *		One connection to PostgreSQL, in pipeline mode, never blocking.
 */
#ifndef APPT_DBCONN_H
#define APPT_DBCONN_H

#include "common/cancel.h"
#include "common/connect.h"
#include "common/loop.h"
#include "http/query.h"

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

struct DbConn;

/* What a connection tells its owner; results are the callee's. */
typedef struct DbEvents
{
	void		(*connected) (struct DbConn *conn);
	void		(*room) (struct DbConn *conn);	/* for another query */
	void		(*finish) (struct DbConn *conn, Query *query,
						   QueryOutcome outcome, PGresult *result);
	void		(*retry) (struct DbConn *conn, Query *query,
						  QueryOutcome outcome, PGresult *result);
	void		(*retry_later) (struct DbConn *conn, Query *query,
								PGresult *result);
	void		(*checked) (struct DbConn *conn, const Statement *statement,
							const char *sqlstate);
} DbEvents;

typedef struct DbConn
{
	const DbEvents *events;
	void	   *owner;
	int			loop;			/* for the log */
	QueryLane	lane;
	PgServer   *server;
	PgAttempt  *attempt;		/* while it connects */
	PGconn	   *pg;
	DbState		state;
	Watch		watch;
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
	Errand	   *cancel;			/* of what it is at, under way */
	Watch		cancel_watch;
} DbConn;

extern void db_init(DbConn *conn, const DbConn *as);
extern void db_send(DbConn *conn, Query *query);
extern void db_check(DbConn *conn, const Statement *statement);
extern void db_flush(DbConn *conn);
extern bool db_has_room(const DbConn *conn);
extern bool db_is_alone(const DbConn *conn);
extern void db_connect(DbConn *conn);
extern void db_tick(DbConn *conn, int64_t now_ms);
extern void db_close(DbConn *conn);

/* Its cancellation (dbcancel.c). */
extern void db_cancel(DbConn *conn);
extern void db_cancel_end(DbConn *conn);

/* What it waits for (dbop.c). */
extern void db_op_push(DbConn *conn, DbOp op);
extern DbOp db_op_pop(DbConn *conn);

#endif							/* APPT_DBCONN_H */
