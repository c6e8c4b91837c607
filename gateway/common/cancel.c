/*
 * cancel.c
 *		Cancels the statement that a connection to PostgreSQL runs, in a
 *		thread: PQcancel waits for the server.
 *
 *		A cancel request names a backend and no statement, so a late one
 *		would cancel the next statement.  Nothing else is sent down the
 *		connection until the errand is done: by then the backend has its
 *		signal, which it ignores while it is idle.
 */
#include "common/cancel.h"

#include "common/log.h"

static void cancel_run(void *context);
static void cancel_drop(void *context);

/*
 * Starts the cancellation; NULL: it cannot be, for want of a thread or a
 * descriptor, or of a connection.
 */
Errand *
pg_cancel_start(PGconn *connection)
{
	PGcancel   *cancel = PQgetCancel(connection);

	if (cancel == NULL)
		return NULL;
	return errand_start(&(ErrandTask) {
		.run = cancel_run, .drop = cancel_drop, .context = cancel
	});
}

/* The thread. */
static void
cancel_run(void *context)
{
	char		why[256];

	if (!PQcancel(context, why, sizeof(why)))
		LOG_WARNING("could not cancel a statement", log_text("why", why));
}

/* Frees the key of the cancellation. */
static void
cancel_drop(void *context)
{
	PQfreeCancel(context);
}
