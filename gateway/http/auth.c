/*
 * auth.c
 *		What a loop knows of keys, clients and revoked tokens; whose a bearer
 *		token is.
 *
 *		A verified token is remembered by its SHA-256 in a bounded table, so
 *		that only its first use costs an RSA operation.  Whether it is still
 *		good is judged at every use.
 */
#include "http/auth.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/clock.h"
#include "common/log.h"
#include "http/clients.h"
#include "http/keys.h"
#include "http/options.h"
#include "http/token.h"

#define AUTH_POLL_MS 1000
#define AUTH_STALE_MS 5000
#define AUTH_CACHE 4096			/* a power of two */

typedef struct CachedToken
{
	unsigned char hash[32];
	bool		used;
	Token		token;
} CachedToken;

struct Auth
{
	Loop	   *loop;
	KeySet		keys;
	ClientStates clients;
	char	   *state_text;		/* as last read: most often nothing is new */
	char		extension[32];	/* its version in the database */
	bool		have_keys;
	bool		ready;			/* counted in loops_ready */
	int64_t		fresh_ms;		/* when the state was last read */
	int64_t		asked_ms;
	int64_t		asked_unix;
	Query		state_query;
	bool		state_busy;
	Query		keys_query;
	bool		keys_busy;
	Query		add_query;
	bool		add_busy;
	char	   *new_pem;
	char		new_kid[KEY_ID_MAX];
	const char *add_params[3];
	Query		wake_query;
	bool		wake_busy;
	bool		wake_again;
	CachedToken *cache;
};

static atomic_int loops_ready;	/* of all loops of this process */

static const Statement *state_statement;
static const Statement *keys_statement;
static const Statement *add_statement;
static const Statement *wake_statement;

static const char *loop_not_ready(const Auth *auth);
static void auth_ask(Auth *auth, Query *query, bool *busy,
					 const Statement *statement, QueryDone done);
static const char *auth_answer(QueryOutcome outcome, const PGresult *result);
static void state_done(Query *query, QueryOutcome outcome, PGresult *result);
static void state_take(Auth *auth, const char *text);
static bool keys_differ(const Auth *auth, const json_t *kids);
static void keys_done(Query *query, QueryOutcome outcome, PGresult *result);
static void auth_make_key(Auth *auth);
static void add_done(Query *query, QueryOutcome outcome, PGresult *result);
static void wake_done(Query *query, QueryOutcome outcome, PGresult *result);
static const Token *auth_token(Auth *auth, const char *text);
static bool auth_still_good(const Auth *auth, const Token *token);

/* Registers the statements; before any loop. */
void
auth_init(void)
{
	state_statement = statement_register(
		"SELECT body FROM appt_api.auth_state()", 0);
	keys_statement = statement_register(
		"SELECT body FROM appt_api.signing_keys()", 0);
	add_statement = statement_register(
		"SELECT body FROM appt_api.add_signing_key("
		"kid => $1, private_pem => $2, only_first => $3)", 3);
	wake_statement = statement_register("NOTIFY bioecko_appt", 0);
}

/* A loop's knowledge, empty at first. */
Auth *
auth_open(Loop *loop)
{
	Auth	   *auth = must_alloc(sizeof(Auth));

	memset(auth, 0, sizeof(Auth));
	auth->loop = loop;
	auth->cache = must_alloc(AUTH_CACHE * sizeof(CachedToken));
	memset(auth->cache, 0, AUTH_CACHE * sizeof(CachedToken));
	return auth;
}

/* Asks the database when it is time. */
void
auth_tick(Auth *auth, int64_t now_ms)
{
	bool		ready = loop_not_ready(auth) == NULL;

	if (ready != auth->ready)
		atomic_fetch_add(&loops_ready, ready ? 1 : -1);
	auth->ready = ready;
	if (auth->state_busy || (auth->asked_ms != 0 && auth->have_keys &&
							 now_ms - auth->asked_ms < AUTH_POLL_MS))
		return;
	auth->asked_ms = now_ms;
	auth->asked_unix = clock_unix();
	auth_ask(auth, &auth->state_query, &auth->state_busy, state_statement,
			 state_done);
}

/* Forgets everything. */
void
auth_close(Auth *auth)
{
	keys_free(&auth->keys);
	clients_free(&auth->clients);
	free(auth->state_text);
	free(auth->new_pem);
	free(auth->cache);
	free(auth);
}

/*
 * Whose the bearer token in an Authorization header is: the scheme, one space
 * or more, the token (RFC 9110, section 11.4).
 */
AuthOutcome
auth_check(Auth *auth, const char *authorization, Caller *caller)
{
	const size_t scheme = strlen("Bearer");
	size_t		spaces;

	if (authorization == NULL)
		return AUTH_MISSING;
	if (strncasecmp(authorization, "Bearer ", scheme + 1) != 0)
		return AUTH_BAD;
	spaces = strspn(authorization + scheme, " ");
	return auth_check_token(auth, authorization + scheme + spaces, caller);
}

/* Whose the token is. */
AuthOutcome
auth_check_token(Auth *auth, const char *text, Caller *caller)
{
	const Token *token;

	if (!auth->have_keys)
		return AUTH_UNKNOWN;
	token = auth_token(auth, text);
	if (token == NULL || !auth_still_good(auth, token))
		return AUTH_BAD;
	*caller = token->caller;
	return AUTH_GOOD;
}

/* How many requests a minute the client may make; 0: any number. */
int
auth_rate(Auth *auth, const char *client_id)
{
	const ClientState *state = clients_find(&auth->clients, client_id);

	return state != NULL && state->requests_per_minute > 0
		? state->requests_per_minute : options.rate_limit;
}

/* A new token, which the caller frees; NULL: there is no key yet. */
char *
auth_issue(Auth *auth, const char *client_id, const char *scope, int epoch)
{
	const SigningKey *key = keys_signer(&auth->keys, auth->loop->now_ms);

	return key != NULL ? token_sign(key, client_id, scope, epoch) : NULL;
}

/* Remembers a revoked token until the database tells of it. */
void
auth_revoked(Auth *auth, const char *jti)
{
	if (auth->clients.revoked != NULL)
		json_object_set_new(auth->clients.revoked, jti, json_true());
}

/* Adds the public keys as a JWK set (RFC 7517). */
void
auth_jwks(const Auth *auth, Buf *out)
{
	int			i;

	buf_text(out, "{\"keys\":[");
	for (i = 0; i < auth->keys.count; i++)
	{
		if (i > 0)
			buf_char(out, ',');
		buf_text(out, auth->keys.keys[i].jwk);
	}
	buf_text(out, "]}");
}

/* Why requests cannot be served now, by any loop; NULL: they can. */
const char *
auth_not_ready(const Auth *auth)
{
	const char *why = loop_not_ready(auth);

	if (why == NULL && atomic_load(&loops_ready) < options.loops)
		why = "a loop is starting";
	return why;
}

/* Why this loop cannot serve; NULL: it can. */
static const char *
loop_not_ready(const Auth *auth)
{
	size_t		len = strcspn(APPT_VERSION, ".");

	if (!pool_is_up(auth->loop->pool))
		return "the database cannot be reached";
	if (auth->extension[0] == '\0')
		return "the extension is not installed in the database";
	if (strncmp(auth->extension, APPT_VERSION, len) != 0 ||
		auth->extension[len] != '.')
		return "the extension's version does not fit this gateway";
	if (!auth->have_keys)
		return "there is no signing key yet";
	if (auth->loop->now_ms - auth->fresh_ms > AUTH_STALE_MS)
		return "the database does not answer";
	return NULL;
}

/* Tells the relay that there is something to deliver. */
void
auth_wake_relay(Auth *auth)
{
	if (auth->wake_busy)
		auth->wake_again = true;
	else
		auth_ask(auth, &auth->wake_query, &auth->wake_busy, wake_statement,
				 wake_done);
}

/* Sends a question of our own. */
static void
auth_ask(Auth *auth, Query *query, bool *busy, const Statement *statement,
		 QueryDone done)
{
	*busy = true;
	*query = (Query) {
		.statement = statement,
		.params = statement == add_statement ? auth->add_params : NULL,
		.lane = LANE_CONTROL,
		.done = done,
		.context = auth,
	};
	pool_submit(auth->loop->pool, query);
}

/* The one text that was asked for; NULL without. */
static const char *
auth_answer(QueryOutcome outcome, const PGresult *result)
{
	if (outcome == QUERY_ERROR)
		LOG_ERROR("the database refuses the gateway's own question",
				  log_text("why", PQresultErrorField(
							   result, PG_DIAG_MESSAGE_PRIMARY)));
	if (outcome != QUERY_OK || PQntuples(result) != 1 ||
		PQgetisnull(result, 0, 0))
		return NULL;
	return PQgetvalue(result, 0, 0);
}

/* The state of clients came, or did not. */
static void
state_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Auth	   *auth = query->context;
	const char *text = auth_answer(outcome, result);

	auth->state_busy = false;
	if (text != NULL)
	{
		auth->fresh_ms = auth->loop->now_ms;
		auth->clients.as_of = auth->asked_unix;
		if (auth->state_text == NULL || strcmp(text, auth->state_text) != 0)
			state_take(auth, text);
	}
	PQclear(result);
}

/* Takes a state over that is not as the last one. */
static void
state_take(Auth *auth, const char *text)
{
	json_t	   *state = json_loads(text, 0, NULL);
	const char *version = json_string_value(
		json_object_get(state, "extension"));
	const json_t *kids = json_object_get(state, "keys");

	if (!json_is_object(state))
	{
		json_decref(state);
		return;
	}
	clients_load(&auth->clients, state, auth->asked_unix);
	snprintf(auth->extension, sizeof(auth->extension), "%s",
			 version != NULL ? version : "");
	if (json_array_size(kids) == 0)
		auth_make_key(auth);
	else if (!keys_differ(auth, kids))
	{
		free(auth->state_text);
		auth->state_text = must_strdup(text);
	}
	else if (!auth->keys_busy)
		auth_ask(auth, &auth->keys_query, &auth->keys_busy, keys_statement,
				 keys_done);
	json_decref(state);
}

/* Whether these are other keys than those that we have. */
static bool
keys_differ(const Auth *auth, const json_t *kids)
{
	size_t		i;

	if (json_array_size(kids) != (size_t) auth->keys.count)
		return true;
	for (i = 0; i < json_array_size(kids); i++)
	{
		if (keys_find(&auth->keys,
					  json_string_value(json_array_get(kids, i))) == NULL)
			return true;
	}
	return false;
}

/* The keys came: what was verified by others is forgotten. */
static void
keys_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Auth	   *auth = query->context;
	const char *text = auth_answer(outcome, result);
	KeySet		keys;

	auth->keys_busy = false;
	if (text != NULL && keys_parse(text, auth->loop->now_ms, &keys))
	{
		keys_free(&auth->keys);
		auth->keys = keys;
		auth->have_keys = keys.count > 0;
		memset(auth->cache, 0, AUTH_CACHE * sizeof(CachedToken));
		LOG_INFO("signing keys loaded", log_int("keys", keys.count));
	}
	PQclear(result);
}

/* There is no key at all: makes the first one. */
static void
auth_make_key(Auth *auth)
{
	if (auth->add_busy)
		return;
	auth->have_keys = false;
	if (auth->new_pem == NULL)
		auth->new_pem = keys_generate(auth->new_kid);
	if (auth->new_pem == NULL)
	{
		LOG_ERROR("could not make a signing key");
		return;
	}
	auth->add_params[0] = auth->new_kid;
	auth->add_params[1] = auth->new_pem;
	auth->add_params[2] = "true";
	auth_ask(auth, &auth->add_query, &auth->add_busy, add_statement,
			 add_done);
}

/* The first key is stored, or another gateway was quicker; else again. */
static void
add_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Auth	   *auth = query->context;

	if (auth_answer(outcome, result) != NULL)
		LOG_INFO("signing key made", log_text("kid", auth->new_kid));
	auth->add_busy = false;
	if (outcome == QUERY_OK)
	{
		OPENSSL_cleanse(auth->new_pem, strlen(auth->new_pem));
		free(auth->new_pem);
		auth->new_pem = NULL;
	}
	PQclear(result);
}

/* The relay is told; if it was not, it looks by itself each second. */
static void
wake_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Auth	   *auth = query->context;

	(void) outcome;
	PQclear(result);
	auth->wake_busy = false;
	if (auth->wake_again)
	{
		auth->wake_again = false;
		loop_wake_relay(auth->loop);
	}
}

/* What the token says, if one of our keys signed it; NULL otherwise. */
static const Token *
auth_token(Auth *auth, const char *text)
{
	unsigned char hash[32];
	CachedToken *cached;
	Token		token;

	EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
	cached = &auth->cache[(hash[0] | hash[1] << 8) & (AUTH_CACHE - 1)];
	if (cached->used && memcmp(cached->hash, hash, sizeof(hash)) == 0)
		return &cached->token;
	if (!token_verify(&auth->keys, text, &token))
		return NULL;
	memcpy(cached->hash, hash, sizeof(hash));
	cached->used = true;
	cached->token = token;
	return &cached->token;
}

/*
 * Whether the token has not expired, is not revoked, and its client is as it
 * was.  A client that is not known is one newer than our knowledge, or gone.
 */
static bool
auth_still_good(const Auth *auth, const Token *token)
{
	const Caller *caller = &token->caller;
	const ClientState *state = clients_find(&auth->clients,
											caller->client_id);

	if (clock_unix() >= caller->expires_at)
		return false;
	if (json_object_get(auth->clients.revoked, caller->jti) != NULL)
		return false;
	if (state == NULL)
		return token->issued_at + 1 >= auth->clients.as_of;
	return state->active && token->epoch >= state->epoch;
}
