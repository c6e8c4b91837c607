/*
 * auth.c
 *		Whose a bearer token is, and whether a secret is a client's.
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

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/clock.h"
#include "common/loop.h"
#include "http/options.h"
#include "http/token.h"

#define AUTH_CACHE 4096			/* a power of two */

typedef struct CachedToken
{
	unsigned char hash[32];
	bool		used;
	Token		token;
} CachedToken;

struct Auth
{
	AuthState	state;
	bool		ready;			/* counted in loops_ready */
	CachedToken *cache;
	unsigned	cache_version;	/* of the keys that verified them */
};

static atomic_int loops_ready;	/* of all loops of this process */

static const Token *auth_token(Auth *auth, const char *text);
static AuthOutcome token_outcome(const Auth *auth, const Token *token);

/* Registers the statements; before any loop. */
void
auth_init(void)
{
	authstate_init();
}

/* A worker's knowledge, empty at first. */
Auth *
auth_open(Pool *pool)
{
	Auth	   *auth = must_alloc(sizeof(Auth));

	memset(auth, 0, sizeof(Auth));
	auth->state.pool = pool;
	auth->cache = must_alloc(AUTH_CACHE * sizeof(CachedToken));
	memset(auth->cache, 0, AUTH_CACHE * sizeof(CachedToken));
	return auth;
}

/* Asks the database when it is time. */
void
auth_tick(Auth *auth, int64_t now_ms)
{
	bool		ready = authstate_not_ready(&auth->state) == NULL;

	if (ready != auth->ready)
		atomic_fetch_add(&loops_ready, ready ? 1 : -1);
	auth->ready = ready;
	authstate_tick(&auth->state, now_ms);
}

/* Forgets everything. */
void
auth_close(Auth *auth)
{
	authstate_free(&auth->state);
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
		return AUTH_INVALID;
	spaces = strspn(authorization + scheme, " ");
	return auth_check_token(auth, authorization + scheme + spaces, caller);
}

/* Whose the token is. */
AuthOutcome
auth_check_token(Auth *auth, const char *text, Caller *caller)
{
	const Token *token;
	AuthOutcome outcome;

	if (authstate_is_stale(&auth->state))
		return AUTH_UNKNOWN;
	token = auth_token(auth, text);
	if (token == NULL)
		return AUTH_INVALID;
	outcome = token_outcome(auth, token);
	if (outcome == AUTH_GOOD)
		*caller = token->caller;
	return outcome;
}

/* Whether the secret is the client's, by what is known. */
SecretOutcome
auth_check_secret(const Auth *auth, const char *client_id, const char *secret)
{
	const ClientState *client = clients_find(&auth->state.clients, client_id);
	unsigned char proof[CLIENT_PROOF_SIZE];

	if (authstate_is_stale(&auth->state))
		return SECRET_UNKNOWN;
	if (client == NULL)
		return SECRET_NO_CLIENT;
	client_proof(secret, proof);
	if (CRYPTO_memcmp(proof, client->proof, sizeof(proof)) != 0)
		return SECRET_WRONG;
	return client->active ? SECRET_RIGHT : SECRET_DISABLED;
}

/* Calls wait->done once what is known is newer than now, or in two seconds. */
void
auth_wait(Auth *auth, AuthWait *wait)
{
	authstate_wait(&auth->state, wait);
}

/* How many requests a minute the client may make; 0: any number. */
int
auth_rate(Auth *auth, const char *client_id)
{
	const ClientState *client = clients_find(&auth->state.clients, client_id);

	return client != NULL && client->requests_per_minute > 0
		? client->requests_per_minute : options.rate_limit;
}

/* A new token, which the caller frees; NULL: there is no key yet. */
char *
auth_issue(Auth *auth, const char *client_id, const char *scope, int epoch)
{
	const SigningKey *key = keys_signer(&auth->state.keys,
										loop_now_ms());

	return key != NULL ? token_sign(key, client_id, scope, epoch) : NULL;
}

/* Remembers a revoked token until the database tells of it. */
void
auth_revoked(Auth *auth, const Caller *owner)
{
	revoked_add(&auth->state.revoked, owner->jti, owner->expires_at);
}

/* Adds the public keys as a JWK set (RFC 7517). */
void
auth_jwks(const Auth *auth, Buf *out)
{
	const KeySet *set = &auth->state.keys;
	int			i;

	buf_text(out, "{\"keys\":[");
	for (i = 0; i < set->count; i++)
	{
		if (i > 0)
			buf_char(out, ',');
		buf_text(out, set->keys[i].jwk);
	}
	buf_text(out, "]}");
}

/* Why requests cannot be served now, by any loop; NULL: they can. */
const char *
auth_not_ready(const Auth *auth)
{
	const char *why = authstate_not_ready(&auth->state);

	if (why == NULL && atomic_load(&loops_ready) < options.loops)
		why = "a loop is starting";
	return why;
}

/* What the token says, if one of our keys signed it; NULL otherwise. */
static const Token *
auth_token(Auth *auth, const char *text)
{
	unsigned char hash[32];
	CachedToken *cached;
	Token		token;

	if (auth->cache_version != auth->state.keys_version)
	{
		memset(auth->cache, 0, AUTH_CACHE * sizeof(CachedToken));
		auth->cache_version = auth->state.keys_version;
	}
	EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
	cached = &auth->cache[(hash[0] | hash[1] << 8) & (AUTH_CACHE - 1)];
	if (cached->used && memcmp(cached->hash, hash, sizeof(hash)) == 0)
		return &cached->token;
	if (!token_verify(&auth->state.keys, text, &token))
		return NULL;
	memcpy(cached->hash, hash, sizeof(hash));
	cached->used = true;
	cached->token = token;
	return &cached->token;
}

/*
 * Whether the token has not expired, is not revoked, and its client is as it
 * was: the epoch rises when a client is disabled, too.  A client that is not
 * known is one newer than our knowledge, or was gone before that token.
 */
static AuthOutcome
token_outcome(const Auth *auth, const Token *token)
{
	const AuthState *state = &auth->state;
	const Caller *caller = &token->caller;
	const ClientState *client = clients_find(&state->clients,
											 caller->client_id);

	if (clock_unix() >= caller->expires_at)
		return AUTH_EXPIRED;
	if (revoked_has(&state->revoked, caller->jti))
		return AUTH_REVOKED;
	if (client == NULL)
		return token->issued_at + 1 >= state->clients.as_of
			? AUTH_GOOD : AUTH_ENDED;
	return token->epoch >= client->epoch ? AUTH_GOOD : AUTH_ENDED;
}
