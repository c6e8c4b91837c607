/*
 * retry.c
 *		Which errors of the database a query gets over by being sent again.
 *
 *		Each of them means that the statement was rolled back for certain, so
 *		that a write is not done twice.
 */
#include "http/retry.h"

#include <stddef.h>
#include <string.h>

#include "common/pg.h"

/* What is to be done about the error. */
Retry
retry_of(const char *sqlstate)
{
	static const struct
	{
		const char *sqlstate;
		Retry		retry;
	}			rows[] = {
		{"40001", RETRY_NOW},	/* could not serialize */
		{"40P01", RETRY_NOW},	/* deadlock */
		{"57P01", RETRY_NOW},	/* ended by an administrator */
		{"26000", RETRY_PREPARED},
		/* cached plan must not change result type */
		{"0A000", RETRY_PLANNED},
		{"25006", RETRY_ELSEWHERE}, /* read-only: a standby by now */
		{PG_OUTDATED_SESSION, RETRY_ANEW},
		{"42883", RETRY_LATER}, /* no such function */
		{"42P01", RETRY_LATER}, /* no such table */
		{"42703", RETRY_LATER}, /* no such column */
		{"42704", RETRY_LATER}, /* no such type */
		{"3F000", RETRY_LATER}, /* no such schema */
		/* cache lookup failed: dropped between two looks */
		{"XX000", RETRY_ONCE_LATER},
	};
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		if (strcmp(rows[i].sqlstate, sqlstate) == 0)
			return rows[i].retry;
	}
	return RETRY_NEVER;
}

/*
 * Whether a standby's refusal may come from what it has not replayed yet: that
 * something is not there, or the caller unknown.  What is wrong with a request
 * by itself (400) is so anywhere.
 */
bool
retry_at_primary(const char *sqlstate)
{
	return strncmp(sqlstate, "SB", 2) == 0 && sqlstate[2] != '0';
}
