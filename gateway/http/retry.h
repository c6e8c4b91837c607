/*
 * retry.h
 *		Which errors of the database a query gets over by being sent again.
 */
#ifndef APPT_RETRY_H
#define APPT_RETRY_H

#include <stdbool.h>

typedef enum Retry
{
	RETRY_NEVER,				/* the error is the answer */
	RETRY_NOW,					/* the transaction was in another's way */
	RETRY_PREPARED,				/* the session's statement is gone */
	RETRY_PLANNED,				/* the session's statement is out of date */
	RETRY_ANEW,					/* the session is out of date, whole */
	RETRY_ELSEWHERE,			/* the server is not the one to ask any more */
	RETRY_LATER,				/* the schema is being changed */
	RETRY_ONCE_LATER,			/* the schema may be being changed */
} Retry;

extern Retry retry_of(const char *sqlstate);
extern bool retry_at_primary(const char *sqlstate);

#endif							/* APPT_RETRY_H */
