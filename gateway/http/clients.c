/*
 * clients.c
 *		What the database says of API clients and revoked tokens.
 */
#include "http/clients.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"

static ClientState *state_place(const ClientStates *states, const char *id);

/* Takes over what appt_api.auth_state answered. */
void
clients_load(ClientStates *states, const json_t *state, int64_t as_of)
{
	const json_t *rows = json_object_get(state, "clients");
	const json_t *revoked = json_object_get(state, "revoked");
	size_t		size = 16;
	size_t		i;

	clients_free(states);
	while (size < json_array_size(rows) * 2)
		size *= 2;
	states->table = must_alloc(size * sizeof(ClientState));
	memset(states->table, 0, size * sizeof(ClientState));
	states->size = size;
	states->as_of = as_of;
	for (i = 0; i < json_array_size(rows); i++)
	{
		const json_t *row = json_array_get(rows, i);
		const char *id = json_string_value(json_array_get(row, 0));
		ClientState *place;

		if (id == NULL || strlen(id) >= sizeof(place->id))
			continue;
		place = state_place(states, id);
		snprintf(place->id, sizeof(place->id), "%s", id);
		place->active = json_is_true(json_array_get(row, 1));
		place->epoch = (int) json_integer_value(json_array_get(row, 2));
		place->requests_per_minute =
			(int) json_integer_value(json_array_get(row, 3));
	}
	states->revoked = json_object();
	for (i = 0; i < json_array_size(revoked); i++)
	{
		const char *jti = json_string_value(json_array_get(revoked, i));

		if (jti != NULL)
			json_object_set_new(states->revoked, jti, json_true());
	}
}

/* Forgets everything. */
void
clients_free(ClientStates *states)
{
	free(states->table);
	json_decref(states->revoked);
	*states = (ClientStates) {0};
}

/* The client's state; NULL: there is no such client, or not yet known. */
const ClientState *
clients_find(const ClientStates *states, const char *id)
{
	const ClientState *place;

	if (states->size == 0)
		return NULL;
	place = state_place(states, id);
	return place->id[0] != '\0' ? place : NULL;
}

/* Where the client stands in the table, or would. */
static ClientState *
state_place(const ClientStates *states, const char *id)
{
	uint64_t	hash = 1469598103934665603u;
	const char *p;

	for (p = id; *p != '\0'; p++)
		hash = (hash ^ (unsigned char) *p) * 1099511628211u;
	for (;; hash++)
	{
		ClientState *place = &states->table[hash & (states->size - 1)];

		if (place->id[0] == '\0' || strcmp(place->id, id) == 0)
			return place;
	}
}
