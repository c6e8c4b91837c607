/*
 * calls.c
 *		Whether the database has every call as this gateway makes it.
 *
 *		Each statement is prepared and thrown away, now and then: a function
 *		that is missing, or has other arguments, is found by /readyz and not by
 *		the first who calls it.
 */
#include "http/calls.h"

#include <stdio.h>
#include <string.h>

#include "http/dbconn.h"

#define LOOK_MS 10000
#define LOOK_AGAIN_MS 1000		/* while a call is missing, or may be */

static void name_call(const Statement *statement, char *name, size_t size);

/* Every statement is prepared, if it is time; calls_told hears of each. */
void
calls_look(Calls *calls, DbConn *conn, int64_t now_ms)
{
	int			i;

	if (now_ms < calls->next_ms)
		return;
	calls->next_ms = now_ms + (calls->known && calls->missing[0] == '\0'
							   ? LOOK_MS : LOOK_AGAIN_MS);
	calls->left = statement_total();
	calls->found[0] = '\0';
	for (i = 0; i < calls->left; i++)
		db_check(conn, statement_get(i));
}

/*
 * The database can prepare the statement ("00000"), or not.  What else hinders
 * it, a lock or the end of the connection, tells nothing.
 */
void
calls_told(Calls *calls, const Statement *statement, const char *sqlstate)
{
	if ((strncmp(sqlstate, "42", 2) == 0 || strcmp(sqlstate, "3F000") == 0) &&
		calls->found[0] == '\0')
		name_call(statement, calls->found, sizeof(calls->found));
	if (--calls->left > 0)
		return;
	memcpy(calls->missing, calls->found, sizeof(calls->missing));
	calls->known = true;
}

/* A call has failed as if it were missing: looks again soon. */
void
calls_doubt(Calls *calls)
{
	if (calls->left <= 0)
		calls->next_ms = 0;
}

/* The function's name, or the statement where there is none. */
static void
name_call(const Statement *statement, char *name, size_t size)
{
	const char *from = strstr(statement->sql, "appt_api.");

	if (from == NULL)
		from = statement->sql;
	snprintf(name, size, "%.*s", (int) strcspn(from, "("), from);
}
