/*
 * calls.h
 *		Whether the database has every call as this gateway makes it.
 */
#ifndef APPT_CALLS_H
#define APPT_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "http/query.h"

struct DbConn;

/* What is known, and a look at all of them that may be under way. */
typedef struct Calls
{
	bool		known;			/* one look is over */
	char		missing[80];	/* the first that is not there; "": all are */
	char		found[80];		/* the same, of the look under way */
	int			left;			/* statements not yet told of */
	int64_t		next_ms;		/* when to look again */
} Calls;

extern void calls_look(Calls *calls, struct DbConn *conn, int64_t now_ms);
extern void calls_told(Calls *calls, const Statement *statement,
					   const char *sqlstate);
extern void calls_doubt(Calls *calls);

#endif							/* APPT_CALLS_H */
