/*
 * clients.c
 *		What the database says of API clients.  A reading comes in pages; it
 *		begins, notes each client, and ends: who was not noted is gone.
 */
#include "http/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/buf.h"
#include "common/encode.h"
#include "common/hash.h"

#define CLIENTS_SIZE_MIN 16
#define GONE_KEPT_S 120			/* by then its last tokens tell by their age */

static void table_resize(ClientStates *states, size_t size);
static ClientState *state_place(const ClientState *table, size_t size,
								const char *id);

/* A reading begins. */
void
clients_begin(ClientStates *states)
{
	states->reading++;
}

/*
 * Notes one row of what appt_api.auth_clients answers; false where that is
 * none.
 */
bool
clients_note(ClientStates *states, const json_t *row)
{
	const char *id = json_string_value(json_array_get(row, 0));
	const char *proof = json_string_value(json_array_get(row, 4));
	ClientState state = {
		.active = json_is_true(json_array_get(row, 1)),
		.epoch = (int) json_integer_value(json_array_get(row, 2)),
		.requests_per_minute =
			(int) json_integer_value(json_array_get(row, 3)),
		.reading = states->reading,
	};
	ClientState *place;

	if (id == NULL || id[0] == '\0' || strlen(id) >= sizeof(state.id) ||
		proof == NULL || !decode_hex(proof, state.proof, CLIENT_PROOF_SIZE))
		return false;
	snprintf(state.id, sizeof(state.id), "%s", id);
	if ((states->count + 1) * 2 > states->size)
		table_resize(states, states->size > 0
					 ? states->size * 2 : CLIENTS_SIZE_MIN);
	place = state_place(states->table, states->size, id);
	if (place->id[0] == '\0')
		states->count++;
	*place = state;
	return true;
}

/*
 * The reading that began at that time has told of every client.  Those that
 * are gone are remembered as such for a while.
 */
void
clients_end(ClientStates *states, int64_t as_of)
{
	bool		forget = false;
	size_t		i;

	states->as_of = as_of;
	for (i = 0; i < states->size; i++)
	{
		ClientState *state = &states->table[i];

		if (state->id[0] == '\0' || state->reading == states->reading)
			continue;
		state->active = false;
		if (state->gone_at == 0)
			state->gone_at = as_of;
		forget |= as_of - state->gone_at > GONE_KEPT_S;
	}
	if (forget)
		table_resize(states, states->size);
}

/* Forgets everything. */
void
clients_free(ClientStates *states)
{
	free(states->table);
	*states = (ClientStates) {0};
}

/*
 * The client's state, not active where it is gone; NULL: there was none at the
 * last reading, nor lately.
 */
const ClientState *
clients_find(const ClientStates *states, const char *id)
{
	const ClientState *place;

	if (states->size == 0)
		return NULL;
	place = state_place(states->table, states->size, id);
	return place->id[0] != '\0' ? place : NULL;
}

/*
 * What the database tells of a client's secret: the SHA-256 of its SHA-256.
 * The secret is random and long, so neither can be found back from it.
 */
void
client_proof(const char *secret, unsigned char proof[CLIENT_PROOF_SIZE])
{
	EVP_Digest(secret, strlen(secret), proof, NULL, EVP_sha256(), NULL);
	EVP_Digest(proof, CLIENT_PROOF_SIZE, proof, NULL, EVP_sha256(), NULL);
}

/* Moves all into a table of that size but those that are long gone. */
static void
table_resize(ClientStates *states, size_t size)
{
	ClientState *table = must_alloc(size * sizeof(ClientState));
	size_t		i;

	memset(table, 0, size * sizeof(ClientState));
	states->count = 0;
	for (i = 0; i < states->size; i++)
	{
		const ClientState *state = &states->table[i];

		if (state->id[0] == '\0' ||
			(state->gone_at != 0 &&
			 states->as_of - state->gone_at > GONE_KEPT_S))
			continue;
		*state_place(table, size, state->id) = *state;
		states->count++;
	}
	free(states->table);
	states->table = table;
	states->size = size;
}

/* Where the client stands in the table, or would. */
static ClientState *
state_place(const ClientState *table, size_t size, const char *id)
{
	uint64_t	hash = hash_text(id);

	for (;; hash++)
	{
		const ClientState *place = &table[hash & (size - 1)];

		if (place->id[0] == '\0' || strcmp(place->id, id) == 0)
			return (ClientState *) place;
	}
}
