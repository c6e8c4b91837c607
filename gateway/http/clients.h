/*
 * clients.h
 *		What the database says of API clients, as of the last reading of them.
 */
#ifndef APPT_CLIENTS_H
#define APPT_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define CLIENT_ID_SIZE 65		/* of a client's id, its NUL included */
#define CLIENT_PROOF_SIZE 32

typedef struct ClientState
{
	char		id[CLIENT_ID_SIZE]; /* "": free */
	bool		active;
	int			epoch;
	int			requests_per_minute;	/* 0: the gateway's limit */
	unsigned char proof[CLIENT_PROOF_SIZE]; /* of its secret */
	unsigned	reading;		/* the last one that told of it */
	int64_t		gone_at;		/* Unix time of the first that did not; 0 */
} ClientState;

/* All zero is the empty table. */
typedef struct ClientStates
{
	ClientState *table;			/* open addressing, at most half full */
	size_t		size;			/* a power of two */
	size_t		count;
	unsigned	reading;
	int64_t		as_of;			/* Unix time when the last reading began */
} ClientStates;

extern void clients_begin(ClientStates *states);
extern bool clients_note(ClientStates *states, const json_t *row)
			__attribute__((warn_unused_result));
extern void clients_end(ClientStates *states, int64_t as_of);
extern void clients_free(ClientStates *states);
extern const ClientState *clients_find(const ClientStates *states,
									   const char *id);
extern void client_proof(const char *secret,
						 unsigned char proof[CLIENT_PROOF_SIZE]);

#endif							/* APPT_CLIENTS_H */
