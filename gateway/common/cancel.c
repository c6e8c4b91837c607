/*
 * cancel.c
 *		Cancels what a connection to PostgreSQL is at, in a thread: libpq has no
 *		call for it that does not wait for the server.
 *
 *		A cancellation that comes late ends whatever is run then.  So nothing
 *		else is sent down the connection until the errand is done: the server
 *		has signalled its process by then, and an idle one ignores that.
 */
#include "common/cancel.h"

#include "common/log.h"

static void cancel_run(void *context);
static void cancel_drop(void *context);

/* Starts to cancel; NULL: that is not to be had now. */
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
