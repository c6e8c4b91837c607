/*
 * revoked.h
 *		Access tokens that were revoked before they expire.
 */
#ifndef APPT_REVOKED_H
#define APPT_REVOKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_ID_SIZE 33		/* of a token's jti, its NUL included */

typedef struct RevokedToken
{
	struct RevokedToken *next;
	int64_t		expires_at;		/* Unix time */
	char		jti[TOKEN_ID_SIZE];
} RevokedToken;

/* All zero is the empty set. */
typedef struct RevokedSet
{
	RevokedToken **chains;		/* by the hash of the jti */
	size_t		swept;			/* the chain that is swept next */
} RevokedSet;

extern void revoked_add(RevokedSet *set, const char *jti, int64_t expires_at);
extern bool revoked_has(const RevokedSet *set, const char *jti);
extern void revoked_sweep(RevokedSet *set, int64_t now);
extern void revoked_free(RevokedSet *set);

#endif							/* APPT_REVOKED_H */
