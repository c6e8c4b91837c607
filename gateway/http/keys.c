/*
 * keys.c
 *		The RSA keys that sign access tokens: made, read, shown as JWK.
 *
 *		A key's id is its RFC 7638 thumbprint.
 */
#include "http/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "common/encode.h"
#include "common/log.h"

#define KEY_BITS 2048
#define KEY_RIPE_MS 10000		/* by then every gateway has heard of it */

static bool key_read(const json_t *row, int64_t now_ms, SigningKey *key);
static char *key_jwk(EVP_PKEY *pkey, char kid[KEY_ID_MAX]);
static char *key_number(EVP_PKEY *pkey, const char *name);
static char *key_pem(EVP_PKEY *pkey);
static EVP_PKEY *key_load(const char *pem);

/* Takes over what appt_api.signing_keys answers. */
void
keys_take(const json_t *rows, int64_t now_ms, KeySet *set)
{
	size_t		count = json_array_size(rows);
	size_t		i;

	*set = (KeySet) {0};
	set->keys = must_alloc((count + 1) * sizeof(SigningKey));
	for (i = 0; i < count; i++)
	{
		if (key_read(json_array_get(rows, i), now_ms, &set->keys[set->count]))
			set->count++;
		else
			LOG_ERROR("cannot read a signing key");
	}
}

/* Gives the keys' memory back. */
void
keys_free(KeySet *set)
{
	int			i;

	for (i = 0; i < set->count; i++)
	{
		SigningKey *key = &set->keys[i];

		EVP_PKEY_free(key->pkey);
		free(key->jwk);
	}
	free(set->keys);
	*set = (KeySet) {0};
}

/* The key of that id, or NULL. */
const SigningKey *
keys_find(const KeySet *set, const char *kid)
{
	int			i;

	for (i = 0; i < set->count; i++)
	{
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	}
	return NULL;
}

/*
 * The key to sign with: the newest that every other gateway knows by now, or
 * the oldest where all are young; NULL: there is none.
 */
const SigningKey *
keys_signer(const KeySet *set, int64_t now_ms)
{
	int			i;

	for (i = 0; i < set->count; i++)
	{
		if (now_ms - set->keys[i].since_ms >= KEY_RIPE_MS)
			return &set->keys[i];
	}
	return set->count > 0 ? &set->keys[set->count - 1] : NULL;
}

/* The text's RS256 signature, base64url; the caller frees it.  NULL: no. */
char *
key_sign(const SigningKey *key, const Buf *text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[1024];
	size_t		len = sizeof(bytes);
	char	   *signature = NULL;

	if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL,
						   key->pkey) == 1 &&
		EVP_DigestSign(context, bytes, &len,
					   (const unsigned char *) text->data, text->len) == 1)
	{
		signature = must_alloc(len * 4 / 3 + 8);
		encode_base64url(bytes, len, signature);
	}
	EVP_MD_CTX_free(context);
	return signature;
}

/* Whether the key made that RS256 signature of the text. */
bool
key_verify(const SigningKey *key, const char *text, size_t len,
		   const unsigned char *signature, size_t signature_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL,
											key->pkey) == 1 &&
		EVP_DigestVerify(context, signature, signature_len,
						 (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

/* A new key's private PEM, which the caller frees, and its id; NULL: no. */
char *
keys_generate(char kid[KEY_ID_MAX])
{
	EVP_PKEY   *pkey = EVP_RSA_gen(KEY_BITS);
	char	   *jwk = pkey != NULL ? key_jwk(pkey, kid) : NULL;
	char	   *pem = jwk != NULL ? key_pem(pkey) : NULL;

	free(jwk);
	EVP_PKEY_free(pkey);
	return pem;
}

/* One row of the answer. */
static bool
key_read(const json_t *row, int64_t now_ms, SigningKey *key)
{
	const char *kid = json_string_value(json_object_get(row, "kid"));
	const char *pem = json_string_value(json_object_get(row, "private_pem"));
	EVP_PKEY   *pkey = pem != NULL ? key_load(pem) : NULL;
	char		thumbprint[KEY_ID_MAX];

	*key = (SigningKey) {0};
	if (pkey == NULL || kid == NULL || strlen(kid) >= KEY_ID_MAX)
	{
		EVP_PKEY_free(pkey);
		return false;
	}
	snprintf(key->kid, sizeof(key->kid), "%s", kid);
	key->jwk = key_jwk(pkey, thumbprint);
	key->pkey = pkey;
	key->since_ms = now_ms - 1000 *
		json_integer_value(json_object_get(row, "age_s"));
	return key->jwk != NULL;
}

/* The public part as a JWK, and its thumbprint as the id; NULL: not RSA. */
static char *
key_jwk(EVP_PKEY *pkey, char kid[KEY_ID_MAX])
{
	char	   *n = key_number(pkey, OSSL_PKEY_PARAM_RSA_N);
	char	   *e = key_number(pkey, OSSL_PKEY_PARAM_RSA_E);
	unsigned char hash[32];
	Buf			jwk = {0};

	if (n != NULL && e != NULL)
	{
		buf_printf(&jwk, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
		EVP_Digest(jwk.data, jwk.len, hash, NULL, EVP_sha256(), NULL);
		encode_base64url(hash, sizeof(hash), kid);
		buf_clear(&jwk);
		buf_printf(&jwk, "{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\","
				   "\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}", kid, n, e);
	}
	free(n);
	free(e);
	return jwk.data;
}

/* A big number of the key, base64url; the caller frees it. */
static char *
key_number(EVP_PKEY *pkey, const char *name)
{
	BIGNUM	   *number = NULL;
	unsigned char bytes[1024];
	char	   *text;
	int			len;

	if (!EVP_PKEY_get_bn_param(pkey, name, &number) ||
		BN_num_bytes(number) > (int) sizeof(bytes))
	{
		BN_free(number);
		return NULL;
	}
	len = BN_bn2bin(number, bytes);
	BN_free(number);
	text = must_alloc(sizeof(bytes) * 4 / 3 + 8);
	encode_base64url(bytes, (size_t) len, text);
	return text;
}

/* The key as PEM; the caller frees it. */
static char *
key_pem(EVP_PKEY *pkey)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *pem = NULL;
	char	   *bytes;
	long		len;

	if (PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL))
	{
		len = BIO_get_mem_data(bio, &bytes);
		pem = must_alloc((size_t) len + 1);
		memcpy(pem, bytes, (size_t) len);
		pem[len] = '\0';
	}
	BIO_free(bio);
	return pem;
}

/* The private key in the PEM; NULL when it is none, or not RSA. */
static EVP_PKEY *
key_load(const char *pem)
{
	BIO		   *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY   *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (pkey != NULL && !EVP_PKEY_is_a(pkey, "RSA"))
	{
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}
