/*
 * limits.h
 *		How often a minute something may be done by one: by an API client, by
 *		an address.  Shared by all loops.
 */
#ifndef APPT_LIMITS_H
#define APPT_LIMITS_H

#include <stdbool.h>

/* What is counted, each by keys of its own. */
typedef enum LimitKind
{
	LIMIT_REQUESTS,				/* of an API client */
	LIMIT_TOKENS,				/* that an API client gets */
	LIMIT_REVOCATIONS,			/* of an API client */
	LIMIT_STRANGERS,			/* requests of an address without a token */
	LIMIT_SECRETS,				/* wrong ones of a client from an address */
	LIMIT_ATTEMPTS,				/* wrong, to sign in to an account, likewise */
	LIMIT_ACCOUNTS,				/* the same from all strange addresses */
	LIMIT_COUNT,
} LimitKind;

/* What is left of a rate. */
typedef struct RateState
{
	int			limit;			/* a minute; 0: none */
	int			remaining;
	int			reset_s;		/* until the bucket is full again */
	int			retry_s;		/* until the next is let through */
	bool		allowed;
} RateState;

extern RateState limits_take(LimitKind kind, const char *key, int per_minute);
extern void limits_give(LimitKind kind, const char *key, int per_minute);

#endif							/* APPT_LIMITS_H */
