/*
 * caller.h
 *		Who calls: the API client that a verified access token names.
 */
#ifndef APPT_CALLER_H
#define APPT_CALLER_H

#include <stdint.h>

#include "http/scope.h"

typedef struct Caller
{
	char		client_id[65];	/* "": nobody whom we know */
	char		jti[33];
	unsigned	scopes;			/* bits: 1 << Scope */
	int64_t		expires_at;		/* Unix time */
} Caller;

#endif							/* APPT_CALLER_H */
