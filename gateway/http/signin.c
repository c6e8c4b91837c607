/*
 * signin.c
 *		Sign-ins of staff.  A cookie holds 256 random bits, of which the
 *		database has the SHA-256; whose they are is asked at every call, so
 *		that who is signed out is so at once.
 *
 *		Against cross-site request forgery, as SameSite is not enough, a
 *		call that changes something needs X-CSRF-Token: a hash of the
 *		cookie's token, so that nobody has to store it, which only a page
 *		that can read our answers knows.
 */
#include "http/signin.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "common/encode.h"
#include "http/cookie.h"
#include "http/options.h"
#include "http/text.h"
#include "http/tls.h"

#define COOKIE_NAME "bioecko_session"

static const Statement *statement;

static const char *cookie_name(void);
static bool is_own_origin(const Head *head);

/* Registers the statement; before any loop. */
void
signin_init(void)
{
	statement = statement_register(
		"SELECT body FROM appt_api.signed_in("
		"token_sha256 => $1, uses => $2)", 2);
}

/* What asks who is signed in: by the token's hash, and whether it counts. */
const Statement *
signin_statement(void)
{
	return statement;
}

/* The token of the request's cookie; NULL without one that could be ours. */
const char *
signin_token(const Head *head)
{
	const char *token = cookie_value(head, cookie_name());

	return token != NULL && strlen(token) == SIGN_IN_TOKEN_SIZE - 1 &&
		token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0'
		? token : NULL;
}

/* A new token; false: the system has no randomness. */
bool
signin_new_token(char token[SIGN_IN_TOKEN_SIZE])
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return false;
	encode_base64url(bytes, sizeof(bytes), token);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

/* The token's SHA-256, by which the database knows the sign-in. */
const char *
signin_hash(Arena *arena, const char *token)
{
	char	   *hex = arena_alloc(arena, SHA256_HEX_SIZE);

	text_sha256_hex(&token, 1, hex);
	return hex;
}

/* The value of X-CSRF-Token that goes with the cookie's token. */
const char *
signin_csrf_token(Arena *arena, const char *token)
{
	const char *const parts[] = {"X-CSRF-Token", token};
	char	   *hex = arena_alloc(arena, SHA256_HEX_SIZE);

	text_sha256_hex(parts, 2, hex);
	return hex;
}

/*
 * Why the request may be the work of a page of another site; NULL: it is not.
 * Without a token, the browser's word alone counts.
 */
const Problem *
signin_forgery(const Head *head, const char *token)
{
	static const Problem elsewhere = {403, "csrf_token_invalid", "",
		"The request comes from a page of another site."
	};
	static const Problem no_token = {403, "csrf_token_invalid", "",
		"The call needs X-CSRF-Token: the csrf_token that the sign-in has."
	};
	const char *site = head->fetch_site;
	const char *right;

	if (strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0)
		return NULL;
	if (site != NULL ? strcmp(site, "same-origin") != 0 &&
		strcmp(site, "none") != 0 : !is_own_origin(head))
		return &elsewhere;
	if (token == NULL)
		return NULL;
	right = signin_csrf_token(head->arena, token);
	return head->csrf_token != NULL &&
		strlen(head->csrf_token) == strlen(right) &&
		CRYPTO_memcmp(head->csrf_token, right, strlen(right)) == 0
		? NULL : &no_token;
}

/* Whether browsers reach us by HTTPS, here or at a proxy. */
bool
signin_is_secure(void)
{
	return tls_wanted() || strncmp(options.issuer, "https://", 8) == 0;
}

/* The header that sets the cookie; token NULL: that takes it away. */
const char *
signin_cookie(Arena *arena, const char *token)
{
	return arena_printf(arena,
						"%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
						cookie_name(), token != NULL ? token : "",
						signin_is_secure() ? "; Secure" : "",
						token != NULL ? "" : "; Max-Age=0");
}

/* Fills the caller from the database's answer; false: it cannot be read. */
bool
signin_caller(const json_t *sign_in, Caller *caller)
{
	const char *id = json_string_value(json_object_get(sign_in, "staff_id"));
	const json_t *scopes = json_object_get(sign_in, "scopes");
	size_t		i;

	if (id == NULL || strlen(id) + sizeof("staff:") >
		sizeof(caller->client_id))
		return false;
	*caller = (Caller) {0};
	memcpy(caller->client_id, "staff:", strlen("staff:"));
	memcpy(caller->client_id + strlen("staff:"), id, strlen(id) + 1);
	for (i = 0; i < json_array_size(scopes); i++)
		caller->scopes |= scope_bits(
			json_string_value(json_array_get(scopes, i)));
	return true;
}

/* By HTTPS one that no other host of the domain can set (RFC 6265bis). */
static const char *
cookie_name(void)
{
	return signin_is_secure() ? "__Host-" COOKIE_NAME : COOKIE_NAME;
}

/*
 * Whether a browser that says no more than Origin was on a page of ours.  The
 * port is not looked at: a proxy may leave it out of Host.
 */
static bool
is_own_origin(const Head *head)
{
	const char *origin = head->origin;
	const char *host = head->host;
	size_t		len;

	if (origin == NULL)
		return true;			/* no browser, or one that asks for its page */
	origin = strstr(origin, "://");
	if (origin == NULL || host == NULL)
		return false;
	origin += strlen("://");
	len = origin[0] == '[' ? strcspn(origin, "]") : strcspn(origin, ":");
	return strncasecmp(origin, host, len) == 0 &&
		(origin[len] == '\0' || origin[len] == ':' || origin[len] == ']') &&
		(host[len] == '\0' || host[len] == ':' || host[len] == ']');
}
