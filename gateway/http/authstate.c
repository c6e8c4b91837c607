/*
 * authstate.c
 *		Reads what the database says of keys, API clients and revoked tokens.
 *
 *		A reading begins with appt_api.auth_state, whose answer is small, and
 *		goes on with what that tells to be new, a page at a time, so that no
 *		answer keeps the loop for long.  When all of it is read, what is known
 *		is as the database was when the reading began, and counts as that old.
 */
#include "http/authstate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/json.h"

#define AUTH_POLL_MS 1000
#define AUTH_POLL_MIN_MS 200	/* while somebody waits for it */
#define AUTH_LATE_MS 5000		/* then not ready */
#define AUTH_STALE_MS 30000		/* then nobody's token is good any more */
#define AUTH_WAIT_MS 2000		/* nobody waits for longer */
#define AUTH_DEPTH 2			/* of the answers' JSON */
#define CLIENTS_PAGE 500		/* of appt_api.auth_clients */
#define REVOKED_PAGE 1000		/* of appt_api.auth_revoked */

static const Statement *state_statement;
static const Statement *keys_statement;
static const Statement *clients_statement;
static const Statement *revoked_statement;
static const Statement *add_statement;

static void state_ask(AuthState *state, const Statement *statement,
					  QueryDone done);
static json_t *state_answer(AuthState *state, QueryOutcome outcome,
							PGresult *result);
static void state_done(Query *query, QueryOutcome outcome, PGresult *result);
static bool state_take(AuthState *state, const json_t *answer);
static bool keys_differ(const AuthState *state, const json_t *kids);
static void read_on(AuthState *state);
static void read_keys(Query *query, QueryOutcome outcome, PGresult *result);
static void read_clients(Query *query, QueryOutcome outcome, PGresult *result);
static void read_revoked(Query *query, QueryOutcome outcome, PGresult *result);
static void read_all(AuthState *state);
static void wake_waiting(AuthState *state, int64_t before_ms);
static void make_key(AuthState *state);
static void add_done(Query *query, QueryOutcome outcome, PGresult *result);

/* Registers the statements; before any loop. */
void
authstate_init(void)
{
	state_statement = statement_register(
		"SELECT body FROM appt_api.auth_state()", 0);
	keys_statement = statement_register(
		"SELECT body FROM appt_api.signing_keys()", 0);
	clients_statement = statement_register(
		"SELECT body FROM appt_api.auth_clients(after => $1)", 1);
	revoked_statement = statement_register(
		"SELECT body FROM appt_api.auth_revoked(after => $1)", 1);
	add_statement = statement_register(
		"SELECT body FROM appt_api.add_signing_key("
		"kid => $1, private_pem => $2, only_first => $3)", 3);
}

/* Begins a reading when it is time; lets nobody wait for too long. */
void
authstate_tick(AuthState *state, int64_t now_ms)
{
	bool		soon = state->wanted || !state->known ||
		state->keys.count == 0;
	int64_t		pause_ms = soon && !state->refused
		? AUTH_POLL_MIN_MS : AUTH_POLL_MS;

	wake_waiting(state, now_ms - AUTH_WAIT_MS);
	if (state->maker != NULL)
		make_key(state);
	if (state->busy ||
		(state->asked_ms != 0 && now_ms - state->asked_ms < pause_ms))
		return;
	state->wanted = false;
	state->asked_ms = now_ms;
	state->asked_unix = clock_unix();
	revoked_sweep(&state->revoked, state->asked_unix);
	state_ask(state, state_statement, state_done);
}

/*
 * Calls wait->done once a reading is complete that began later than now, or
 * that takes too long.
 */
void
authstate_wait(AuthState *state, AuthWait *wait)
{
	AuthWait  **last = &state->waiting;

	while (*last != NULL)
		last = &(*last)->next;
	wait->next = NULL;
	wait->since_ms = loop_now_ms();
	*last = wait;
	state->wanted = true;
}

/* Whether what is known is nothing, or too old to judge anybody by. */
bool
authstate_is_stale(const AuthState *state)
{
	return !state->known ||
		loop_now_ms() - state->fresh_ms > AUTH_STALE_MS;
}

/* Why the loop cannot serve; NULL: it can. */
const char *
authstate_not_ready(const AuthState *state)
{
	size_t		len = strcspn(APPT_VERSION, ".");
	const char *why = pool_not_ready(state->pool);

	if (why != NULL)
		return why;
	if (state->standby)
		return "the database only follows another";
	if (state->extension[0] == '\0')
		return "the extension is not installed in the database";
	if (strncmp(state->extension, APPT_VERSION, len) != 0 ||
		state->extension[len] != '.')
		return "the extension's version does not fit this gateway";
	if (state->keys.count == 0)
		return "there is no signing key yet";
	if (!state->known ||
		loop_now_ms() - state->fresh_ms > AUTH_LATE_MS)
		return "the database does not answer";
	return NULL;
}

/* Forgets everything. */
void
authstate_free(AuthState *state)
{
	keys_free(&state->keys);
	clients_free(&state->clients);
	revoked_free(&state->revoked);
	keymaker_free(state->maker);
	state->maker = NULL;
}

/* Sends the next question of the reading; its parameters are in place. */
static void
state_ask(AuthState *state, const Statement *statement, QueryDone done)
{
	state->busy = true;
	state->query = (Query) {
		.statement = statement,
		.params = state->params,
		.lane = LANE_CONTROL,
		.done = done,
		.context = state,
	};
	pool_submit(state->pool, &state->query);
}

/*
 * The answer to it; NULL: there is none to be read, and the reading is over.
 * The result is freed.
 */
static json_t *
state_answer(AuthState *state, QueryOutcome outcome, PGresult *result)
{
	json_t	   *answer = NULL;

	state->busy = false;
	state->refused = outcome == QUERY_ERROR;
	if (state->refused)
		LOG_ERROR("the database refuses the gateway's own question",
				  log_text("why", PQresultErrorField(
							   result, PG_DIAG_MESSAGE_PRIMARY)));
	if (outcome == QUERY_OK && PQntuples(result) == 1)
		answer = json_read(PQgetvalue(result, 0, 0),
						   (size_t) PQgetlength(result, 0, 0), AUTH_DEPTH,
						   NULL);
	PQclear(result);
	return answer;
}

/* The first answer came: what is new is read. */
static void
state_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	AuthState  *state = query->context;
	json_t	   *answer = state_answer(state, outcome, result);

	if (answer != NULL && state_take(state, answer))
		read_on(state);
	json_decref(answer);
}

/* Takes over what it says; false where it counts for nothing. */
static bool
state_take(AuthState *state, const json_t *answer)
{
	const json_t *kids = json_object_get(answer, "keys");
	const char *clients = json_string_value(
		json_object_get(answer, "clients"));
	const char *version = json_string_value(
		json_object_get(answer, "extension"));

	state->standby = json_is_true(json_object_get(answer, "standby"));
	snprintf(state->extension, sizeof(state->extension), "%s",
			 version != NULL ? version : "");
	if (!json_is_array(kids) || clients == NULL)
		return false;
	snprintf(state->clients_now, sizeof(state->clients_now), "%s", clients);
	state->revoked_now = json_integer_value(
		json_object_get(answer, "revoked"));
	if (state->revoked_now < state->revoked_read)
		state->revoked_read = 0;	/* another server: from the start */
	state->keys_differ = keys_differ(state, kids);
	if (json_array_size(kids) == 0 && state->maker == NULL &&
		!state->standby)
		state->maker = keymaker_start();
	return !state->standby;
}

/* Whether these are other keys than those that we have. */
static bool
keys_differ(const AuthState *state, const json_t *kids)
{
	size_t		i;

	if (json_array_size(kids) != (size_t) state->keys.count)
		return true;
	for (i = 0; i < json_array_size(kids); i++)
	{
		const char *kid = json_string_value(json_array_get(kids, i));

		if (kid == NULL || keys_find(&state->keys, kid) == NULL)
			return true;
	}
	return false;
}

/* Asks for the next thing that is new, or ends the reading. */
static void
read_on(AuthState *state)
{
	if (state->keys_differ)
		state_ask(state, keys_statement, read_keys);
	else if (strcmp(state->clients_read, state->clients_now) != 0)
	{
		clients_begin(&state->clients);
		state->clients_after[0] = '\0';
		state->params[0] = state->clients_after;
		state_ask(state, clients_statement, read_clients);
	}
	else if (state->revoked_read < state->revoked_now)
	{
		snprintf(state->revoked_after, sizeof(state->revoked_after),
				 "%" PRId64, state->revoked_read);
		state->params[0] = state->revoked_after;
		state_ask(state, revoked_statement, read_revoked);
	}
	else
		read_all(state);
}

/* The keys came. */
static void
read_keys(Query *query, QueryOutcome outcome, PGresult *result)
{
	AuthState  *state = query->context;
	json_t	   *rows = state_answer(state, outcome, result);

	if (json_is_array(rows))
	{
		keys_free(&state->keys);
		keys_take(rows, loop_now_ms(), &state->keys);
		state->keys_version++;
		state->keys_differ = false;
		LOG_INFO("signing keys loaded", log_int("keys", state->keys.count));
		read_on(state);
	}
	json_decref(rows);
}

/* A page of clients came: the next one, unless it was the last. */
static void
read_clients(Query *query, QueryOutcome outcome, PGresult *result)
{
	AuthState  *state = query->context;
	json_t	   *rows = state_answer(state, outcome, result);
	size_t		count = json_array_size(rows);
	const char *last;
	size_t		i;

	for (i = 0; i < count; i++)
	{
		if (!clients_note(&state->clients, json_array_get(rows, i)))
			LOG_ERROR("cannot read an API client's state");
	}
	last = json_string_value(json_array_get(json_array_get(rows, count - 1),
											0));
	if (count >= CLIENTS_PAGE && last != NULL)
	{
		snprintf(state->clients_after, sizeof(state->clients_after), "%s",
				 last);
		state_ask(state, clients_statement, read_clients);
	}
	else if (json_is_array(rows))
	{
		clients_end(&state->clients, state->asked_unix);
		snprintf(state->clients_read, sizeof(state->clients_read), "%s",
				 state->clients_now);
		read_on(state);
	}
	json_decref(rows);
}

/* A page of revoked tokens came: the next one, unless it was the last. */
static void
read_revoked(Query *query, QueryOutcome outcome, PGresult *result)
{
	AuthState  *state = query->context;
	json_t	   *rows = state_answer(state, outcome, result);
	size_t		count = json_array_size(rows);
	size_t		i;

	for (i = 0; i < count; i++)
	{
		const json_t *row = json_array_get(rows, i);
		const char *jti = json_string_value(json_array_get(row, 1));

		state->revoked_read = json_integer_value(json_array_get(row, 0));
		if (jti != NULL)
			revoked_add(&state->revoked, jti,
						json_integer_value(json_array_get(row, 2)));
	}
	if (json_is_array(rows))
	{
		/* Rows that were swept meanwhile leave the last page short. */
		if (count < REVOKED_PAGE && state->revoked_read < state->revoked_now)
			state->revoked_read = state->revoked_now;
		read_on(state);
	}
	json_decref(rows);
}

/* All is read: it is as old as the question that began it. */
static void
read_all(AuthState *state)
{
	state->known = true;
	state->fresh_ms = state->asked_ms;
	state->clients.as_of = state->asked_unix;
	wake_waiting(state, state->asked_ms);
	state->wanted = state->waiting != NULL;
}

/* Calls those who have waited since before that time. */
static void
wake_waiting(AuthState *state, int64_t before_ms)
{
	while (state->waiting != NULL && state->waiting->since_ms < before_ms)
	{
		AuthWait   *wait = state->waiting;

		state->waiting = wait->next;
		wait->done(wait);
	}
}

/* The key is made: it is stored, unless another gateway was quicker. */
static void
make_key(AuthState *state)
{
	const char *pem;

	if (state->add_busy || !keymaker_is_done(state->maker))
		return;
	pem = keymaker_pem(state->maker);
	if (pem == NULL)
	{
		LOG_ERROR("could not make a signing key");
		keymaker_free(state->maker);
		state->maker = NULL;
		return;
	}
	state->add_busy = true;
	state->add_params[0] = keymaker_kid(state->maker);
	state->add_params[1] = pem;
	state->add_params[2] = "true";
	state->add_query = (Query) {
		.statement = add_statement,
		.params = state->add_params,
		.lane = LANE_CONTROL,
		.done = add_done,
		.context = state,
	};
	pool_submit(state->pool, &state->add_query);
}

/* It is stored, or not needed; else it is tried again. */
static void
add_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	AuthState  *state = query->context;

	state->add_busy = false;
	if (outcome == QUERY_ERROR)
		LOG_ERROR("the database refuses a signing key",
				  log_text("why", PQresultErrorField(
							   result, PG_DIAG_MESSAGE_PRIMARY)));
	if (outcome == QUERY_OK && !PQgetisnull(result, 0, 0))
		LOG_INFO("signing key made",
				 log_text("kid", keymaker_kid(state->maker)));
	if (outcome == QUERY_OK)
	{
		keymaker_free(state->maker);
		state->maker = NULL;
	}
	PQclear(result);
}
