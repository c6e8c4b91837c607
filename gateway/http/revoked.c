/*
 * revoked.c
 *		Access tokens that were revoked before they expire: a fixed number of
 *		chains, so that none of what is done here takes long, whatever there
 *		is in them.
 */
#include "http/revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/hash.h"

#define REVOKED_CHAINS 65536	/* a power of two */
#define REVOKED_SWEEP 2048		/* chains that one sweep looks at */
#define REVOKED_SKEW_S 60		/* another's clock may be behind */

static RevokedToken **chain_of(const RevokedSet *set, const char *jti);

/* Remembers a token until it expires. */
void
revoked_add(RevokedSet *set, const char *jti, int64_t expires_at)
{
	RevokedToken **chain;
	RevokedToken *token;

	if (strlen(jti) >= TOKEN_ID_SIZE || revoked_has(set, jti))
		return;
	if (set->chains == NULL)
	{
		set->chains = must_alloc(REVOKED_CHAINS * sizeof(RevokedToken *));
		memset(set->chains, 0, REVOKED_CHAINS * sizeof(RevokedToken *));
	}
	chain = chain_of(set, jti);
	token = must_alloc(sizeof(RevokedToken));
	*token = (RevokedToken) {.next = *chain, .expires_at = expires_at};
	snprintf(token->jti, sizeof(token->jti), "%s", jti);
	*chain = token;
}

/* Whether the token was revoked. */
bool
revoked_has(const RevokedSet *set, const char *jti)
{
	const RevokedToken *token;

	if (set->chains == NULL)
		return false;
	for (token = *chain_of(set, jti); token != NULL; token = token->next)
	{
		if (strcmp(token->jti, jti) == 0)
			return true;
	}
	return false;
}

/* Forgets tokens that have expired, in some of the chains; to be repeated. */
void
revoked_sweep(RevokedSet *set, int64_t now)
{
	int			i;

	for (i = 0; set->chains != NULL && i < REVOKED_SWEEP; i++)
	{
		RevokedToken **link = &set->chains[set->swept];

		set->swept = (set->swept + 1) & (REVOKED_CHAINS - 1);
		while (*link != NULL)
		{
			RevokedToken *token = *link;

			if (token->expires_at + REVOKED_SKEW_S >= now)
			{
				link = &token->next;
				continue;
			}
			*link = token->next;
			free(token);
		}
	}
}

/* Forgets everything. */
void
revoked_free(RevokedSet *set)
{
	size_t		i;

	for (i = 0; set->chains != NULL && i < REVOKED_CHAINS; i++)
	{
		while (set->chains[i] != NULL)
		{
			RevokedToken *token = set->chains[i];

			set->chains[i] = token->next;
			free(token);
		}
	}
	free(set->chains);
	*set = (RevokedSet) {0};
}

/* The chain that has the token if it is there. */
static RevokedToken **
chain_of(const RevokedSet *set, const char *jti)
{
	return &set->chains[hash_text(jti) & (REVOKED_CHAINS - 1)];
}
