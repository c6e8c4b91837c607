/*
 * token.c
 *		Access tokens: RS256 and nothing else, type at+jwt, every claim that we
 *		set required (RFC 7515, RFC 9068, RFC 8725).
 *
 *		OpenSSL does it alone: libjwt 1.10 neither writes nor takes the type
 *		at+jwt, and libcjose or libjose would be a library more for two
 *		calls.  The header is read for the key's id; its algorithm is
 *		compared and never followed.
 */
#include "http/token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/encode.h"
#include "common/json.h"
#include "http/options.h"

#define TOKEN_TYPE "at+jwt"
#define TOKEN_DEPTH 2			/* ours have no member that nests */
#define TOKEN_SKEW_S 60			/* another gateway's clock may be ahead */

static void token_add_claim(Buf *claims, const char *name, const char *value);
static void token_add_part(Buf *text, Buf *part);
static const SigningKey *token_key(const KeySet *keys, const char *text,
								   size_t len);
static json_t *token_part(const char *text, size_t len);
static bool token_claims(const json_t *claims, Token *token);
static bool member_is(const json_t *object, const char *name,
					  const char *value);
static bool member_copy(const json_t *object, const char *name, char *to,
						size_t size);

/* A signed token, which the caller frees; NULL: signing failed. */
char *
token_sign(const SigningKey *key, const char *client_id, const char *scope,
		   int epoch)
{
	int64_t		now = clock_unix();
	unsigned char random[16];
	char		jti[32];
	Buf			text = {0};
	Buf			part = {0};
	char	   *signature;

	if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
		return NULL;
	encode_base64url(random, sizeof(random), jti);
	buf_printf(&part, "{\"alg\":\"RS256\",\"typ\":\"" TOKEN_TYPE "\","
			   "\"kid\":\"%s\"}", key->kid);
	token_add_part(&text, &part);
	buf_char(&text, '.');
	buf_printf(&part, "{\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"epoch\":%d",
			   now, now + options.token_lifetime_s, epoch);
	token_add_claim(&part, "iss", options.issuer);
	token_add_claim(&part, "aud", options.audience);
	token_add_claim(&part, "sub", client_id);
	token_add_claim(&part, "client_id", client_id);
	token_add_claim(&part, "scope", scope);
	token_add_claim(&part, "jti", jti);
	buf_char(&part, '}');
	token_add_part(&text, &part);
	signature = key_sign(key, &text);
	if (signature != NULL)
		buf_printf(&text, ".%s", signature);
	else
		buf_free(&text);
	free(signature);
	buf_free(&part);
	return text.data;
}

/* Adds a claim that is text. */
static void
token_add_claim(Buf *claims, const char *name, const char *value)
{
	buf_printf(claims, ",\"%s\":", name);
	buf_json_string(claims, value);
}

/* Adds the part, base64url, and empties it. */
static void
token_add_part(Buf *text, Buf *part)
{
	char	   *encoded = must_alloc(part->len * 4 / 3 + 8);

	encode_base64url((const unsigned char *) part->data, part->len, encoded);
	buf_text(text, encoded);
	buf_clear(part);
	free(encoded);
}

/* Whether one of our keys signed it and it says all it must; fills token. */
bool
token_verify(const KeySet *keys, const char *text, Token *token)
{
	const char *dot = strchr(text, '.');
	const char *last = strrchr(text, '.');
	const SigningKey *key;
	unsigned char signature[TOKEN_MAX];
	ssize_t		len;
	bool		good = false;

	*token = (Token) {0};
	if (strnlen(text, TOKEN_MAX + 1) > TOKEN_MAX || dot == NULL || dot == last)
		return false;
	key = token_key(keys, text, (size_t) (dot - text));
	len = decode_base64url(last + 1, strlen(last + 1), signature);
	if (key != NULL && len >= 0 &&
		key_verify(key, text, (size_t) (last - text), signature,
				   (size_t) len))
	{
		json_t	   *claims = token_part(dot + 1,
										(size_t) (last - dot - 1));

		good = claims != NULL && token_claims(claims, token);
		json_decref(claims);
	}
	return good;
}

/* The key that the header names, if the header is one of ours. */
static const SigningKey *
token_key(const KeySet *keys, const char *text, size_t len)
{
	json_t	   *header = token_part(text, len);
	const char *kid = json_string_value(json_object_get(header, "kid"));
	const SigningKey *key = NULL;

	if (kid != NULL && member_is(header, "alg", "RS256") &&
		member_is(header, "typ", TOKEN_TYPE) &&
		json_object_get(header, "crit") == NULL)
		key = keys_find(keys, kid);
	json_decref(header);
	return key;
}

/* A part of the token, an object; NULL when it is none. */
static json_t *
token_part(const char *text, size_t len)
{
	char		json[TOKEN_MAX];
	ssize_t		size = decode_base64url(text, len, (unsigned char *) json);
	json_t	   *part;

	if (size < 0)
		return NULL;
	part = json_read(json, (size_t) size, TOKEN_DEPTH, NULL);
	if (json_is_object(part))
		return part;
	json_decref(part);
	return NULL;
}

/* Takes the claims; false when one is missing or not as it must be. */
static bool
token_claims(const json_t *claims, Token *token)
{
	Caller	   *caller = &token->caller;
	const char *scope = json_string_value(json_object_get(claims, "scope"));
	const json_t *issued_at = json_object_get(claims, "iat");
	const json_t *expires_at = json_object_get(claims, "exp");
	json_int_t	epoch = json_integer_value(json_object_get(claims, "epoch"));

	if (scope == NULL || !json_is_integer(issued_at) ||
		!json_is_integer(expires_at) || epoch < 1 || epoch > INT32_MAX)
		return false;
	token->issued_at = json_integer_value(issued_at);
	token->epoch = (int) epoch;
	caller->expires_at = json_integer_value(expires_at);
	caller->scopes = scope_bits(scope);
	return member_is(claims, "iss", options.issuer) &&
		member_is(claims, "aud", options.audience) &&
		member_copy(claims, "client_id", caller->client_id,
					sizeof(caller->client_id)) &&
		member_is(claims, "sub", caller->client_id) &&
		member_copy(claims, "jti", caller->jti, sizeof(caller->jti)) &&
		token->issued_at <= clock_unix() + TOKEN_SKEW_S;
}

/* Whether the member has that value. */
static bool
member_is(const json_t *object, const char *name, const char *value)
{
	const char *member = json_string_value(json_object_get(object, name));

	return member != NULL && strcmp(member, value) == 0;
}

/* Copies a member that must be there and fit. */
static bool
member_copy(const json_t *object, const char *name, char *to, size_t size)
{
	const char *member = json_string_value(json_object_get(object, name));
	size_t		len = member != NULL ? strlen(member) : 0;

	if (len == 0 || len >= size)
		return false;
	memcpy(to, member, len + 1);
	return true;
}
