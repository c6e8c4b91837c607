/*
 * limits.h
 *		How much one API client may ask, and how often a wrong secret may be
 *		tried.  Shared by all loops.
 */
#ifndef APPT_LIMITS_H
#define APPT_LIMITS_H

#include <stdbool.h>

/* What is left of a client's rate. */
typedef struct RateState
{
	int			limit;			/* requests a minute; 0: none */
	int			remaining;
	int			reset_s;		/* until the bucket is full again */
	int			retry_s;		/* until the next request is let through */
	bool		allowed;
} RateState;

extern RateState limits_take(const char *client_id, int per_minute);
extern int	limits_throttled_s(const char *who);
extern void limits_failed(const char *who);

#endif							/* APPT_LIMITS_H */
