/*
 * token.h
 *		Access tokens: signed JWTs with the claims of RFC 9068.
 */
#ifndef APPT_TOKEN_H
#define APPT_TOKEN_H

#include "http/caller.h"
#include "http/keys.h"

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

#endif							/* APPT_TOKEN_H */
