/*
 * wake.c
 *		Wakes the relay when something was written: NOTIFY takes one lock of the
 *		whole server at commit, so a booking's session does without, and a
 *		worker sends one for all that it has written in some milliseconds.
 *
 *		A relay that was not woken looks by itself each second.
 */
#include "http/wake.h"

#include "common/loop.h"

#define WAKE_MS 5				/* at most one wake-up in it */

static const Statement *wake_statement;

static void wake_done(Query *query, QueryOutcome outcome, PGresult *result);

/* Registers the statement; before any worker. */
void
wake_init(void)
{
	wake_statement = statement_register("NOTIFY bioecko_appt", 0);
}

/* A write has committed: the relay is woken soon. */
void
wake_soon(Wake *wake)
{
	if (wake->due_ms == 0)
		wake->due_ms = loop_now_ms() + WAKE_MS;
}

/* Wakes the relay if it is time; to be called in each turn of the loop. */
void
wake_turn(Wake *wake)
{
	if (wake->due_ms == 0 || loop_now_ms() < wake->due_ms)
		return;
	wake->due_ms = 0;
	if (wake->busy)
	{
		wake->again = true;
		return;
	}
	wake->busy = true;
	wake->query = (Query) {
		.statement = wake_statement,
		.lane = LANE_CONTROL,
		.done = wake_done,
		.context = wake,
	};
	pool_submit(wake->pool, &wake->query);
}

/* When the next NOTIFY is due; INT64_MAX: none is. */
int64_t
wake_due_ms(const Wake *wake)
{
	return wake->due_ms != 0 ? wake->due_ms : INT64_MAX;
}

/* Whether a NOTIFY is due. */
bool
wake_is_due(const Wake *wake)
{
	return wake->due_ms != 0;
}

/* NOTIFY has committed, or failed: then the relay looks by itself. */
static void
wake_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Wake	   *wake = query->context;

	(void) outcome;
	PQclear(result);
	wake->busy = false;
	if (wake->again)
	{
		wake->again = false;
		wake_soon(wake);
	}
}
