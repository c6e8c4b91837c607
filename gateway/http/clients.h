/*
 * clients.h
 *		What the database says of API clients and revoked tokens, as of the
 *		last time it was asked.
 */
#ifndef APPT_CLIENTS_H
#define APPT_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

typedef struct ClientState
{
	char		id[65];			/* "": free */
	bool		active;
	int			epoch;
	int			requests_per_minute;	/* 0: the gateway's limit */
} ClientState;

typedef struct ClientStates
{
	ClientState *table;			/* open addressing */
	size_t		size;			/* a power of two */
	json_t	   *revoked;		/* object: jti → true */
	int64_t		as_of;			/* Unix time when the question was asked */
} ClientStates;

extern void clients_load(ClientStates *states, const json_t *state,
						 int64_t as_of);
extern void clients_free(ClientStates *states);
extern const ClientState *clients_find(const ClientStates *states,
									   const char *id);

#endif							/* APPT_CLIENTS_H */
