/*
 * keys.h
 *		The RSA keys that sign access tokens.
 */
#ifndef APPT_KEYS_H
#define APPT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"

#define KEY_ID_MAX 64

typedef struct SigningKey
{
	char		kid[KEY_ID_MAX];
	struct evp_pkey_st *pkey;	/* both parts */
	char	   *jwk;			/* as JSON */
	int64_t		since_ms;		/* when it was made, on our clock */
} SigningKey;

/* All keys, the newest first. */
typedef struct KeySet
{
	SigningKey *keys;
	int			count;
} KeySet;

extern void keys_take(const json_t *rows, int64_t now_ms, KeySet *set);
extern void keys_free(KeySet *set);
extern const SigningKey *keys_find(const KeySet *set, const char *kid);
extern const SigningKey *keys_signer(const KeySet *set, int64_t now_ms);
extern char *key_sign(const SigningKey *key, const Buf *text);
extern bool key_verify(const SigningKey *key, const char *text, size_t len,
					   const unsigned char *signature, size_t signature_len)
			__attribute__((warn_unused_result));
extern char *keys_generate(char kid[KEY_ID_MAX]);

#endif							/* APPT_KEYS_H */
