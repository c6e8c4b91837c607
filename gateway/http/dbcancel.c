/*
 * dbcancel.c
 *		Cancels the statement that a connection runs.
 */
#include "http/dbconn.h"

static void db_cancelled(Watch *watch, uint32_t events);

/* Starts to cancel the statement that the connection runs, if it runs one. */
void
db_cancel(DbConn *conn)
{
	if (conn->state != DB_READY || conn->cancel != NULL || conn->op_count == 0)
		return;
	conn->cancel = pg_cancel_start(conn->pg);
	conn->cancel_watch = (Watch) {
		.fd = -1, .ready = db_cancelled, .context = conn
	};
	if (conn->cancel != NULL)
		loop_watch(&conn->cancel_watch, errand_fd(conn->cancel), EPOLLIN);
}

/* The cancel request is through: the connection may be sent queries again. */
static void
db_cancelled(Watch *watch, uint32_t events)
{
	DbConn	   *conn = watch->context;

	(void) events;
	db_cancel_end(conn);
	conn->events->room(conn);
}

/* Lets go of the cancellation that is under way, if there is one. */
void
db_cancel_end(DbConn *conn)
{
	if (conn->cancel == NULL)
		return;
	loop_unwatch(&conn->cancel_watch);
	errand_let_go(conn->cancel);
	conn->cancel = NULL;
}
