/*
 * token.h
 *		Access tokens: signed JWTs with the claims of RFC 9068.
 */
#ifndef APPT_TOKEN_H
#define APPT_TOKEN_H

#include "http/keys.h"
#include "http/request.h"

#define TOKEN_MAX 4096

/* What a token says. */
typedef struct Token
{
	Caller		caller;
	int			epoch;			/* of the client when it was issued */
	int64_t		issued_at;		/* Unix time */
} Token;

extern char *token_sign(const SigningKey *key, const char *client_id,
						const char *scope, int epoch);
extern bool token_verify(const KeySet *keys, const char *text, Token *token)
			__attribute__((warn_unused_result));
extern unsigned token_scopes(const char *scope);

#endif							/* APPT_TOKEN_H */
