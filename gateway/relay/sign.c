/*
 * sign.c
 *		The signatures of a delivery, HMAC-SHA256 both.
 *
 *		X-Bio-Ecko-Signature: lower-case hex over the body; the key is the
 *		secret's text as it was shown, whsec_ included.  The header holds one
 *		signature, the current secret's; while another secret is being rotated
 *		out, its own stands in X-Bio-Ecko-Signature-Previous.
 *		webhook-signature (Standard Webhooks): "v1," and base64 over
 *		id.timestamp.body; the key is what the base64 after whsec_ stands for,
 *		or the text itself if the secret is not of that form.
 */
#include "relay/sign.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "common/encode.h"

#define SHA256_BYTES 32
#define KEY_MAX 512
#define PREFIX "whsec_"

typedef struct SignKey
{
	unsigned char bytes[KEY_MAX];
	size_t		len;
} SignKey;

static void hmac(const SignKey *key, const SignInput *input,
				 const char *before, unsigned char *digest);
static EVP_MAC_CTX *hmac_context(void);
static void key_published(const char *secret, size_t len, SignKey *key);
static void key_standard(const char *secret, size_t len, SignKey *key);

/*
 * The first secret's signature of the body, in hex.  Returns where the next
 * secret begins, in "secrets"; "" after the last.
 */
const char *
sign_published(const SignInput *input, const char *secrets, Buf *hex)
{
	char		text[2 * SHA256_BYTES + 1];
	unsigned char digest[SHA256_BYTES];
	size_t		len = strcspn(secrets, " ");
	SignKey		key;

	key_published(secrets, len, &key);
	hmac(&key, input, "", digest);
	encode_hex(digest, SHA256_BYTES, text);
	buf_text(hex, text);
	secrets += len;
	return secrets + strspn(secrets, " ");
}

/* One signature for each secret: "v1,… v1,…". */
void
sign_standard(const SignInput *input, Buf *value)
{
	const char *secret = input->secrets;
	Buf			before = {0};

	buf_printf(&before, "%s.%lld.", input->id, input->timestamp);
	while (*(secret += strspn(secret, " ")) != '\0')
	{
		size_t		len = strcspn(secret, " ");
		unsigned char digest[SHA256_BYTES];
		unsigned char text[4 * SHA256_BYTES];
		SignKey		key;

		key_standard(secret, len, &key);
		hmac(&key, input, before.data, digest);
		EVP_EncodeBlock(text, digest, SHA256_BYTES);
		buf_printf(value, "%sv1,%s", value->len > 0 ? " " : "",
				   (const char *) text);
		secret += len;
	}
	buf_free(&before);
}

/*
 * HMAC-SHA256 of a text and the body behind it; there is no way to fail but a
 * broken OpenSSL.
 */
static void
hmac(const SignKey *key, const SignInput *input, const char *before,
	 unsigned char *digest)
{
	EVP_MAC_CTX *context = hmac_context();
	size_t		digest_len;

	if (EVP_MAC_init(context, key->bytes, key->len, NULL) != 1 ||
		EVP_MAC_update(context, (const unsigned char *) before,
					   strlen(before)) != 1 ||
		EVP_MAC_update(context, (const unsigned char *) input->body,
					   input->body_len) != 1 ||
		EVP_MAC_final(context, digest, &digest_len, SHA256_BYTES) != 1)
		abort();
}

/* The one context: OpenSSL takes as long to look for one as to use it. */
static EVP_MAC_CTX *
hmac_context(void)
{
	static EVP_MAC_CTX *context = NULL;
	EVP_MAC    *mac;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
										 (char[]) {"SHA256"}, 0),
		OSSL_PARAM_construct_end(),
	};

	if (context != NULL)
		return context;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	if (context == NULL || EVP_MAC_CTX_set_params(context, params) != 1)
		abort();
	EVP_MAC_free(mac);
	return context;
}

/* The secret's own bytes. */
static void
key_published(const char *secret, size_t len, SignKey *key)
{
	key->len = len < KEY_MAX ? len : KEY_MAX;
	memcpy(key->bytes, secret, key->len);
}

/* The bytes that the base64 after whsec_ stands for. */
static void
key_standard(const char *secret, size_t len, SignKey *key)
{
	const size_t skip = strlen(PREFIX);
	ssize_t		decoded;

	key_published(secret, len, key);
	if (len <= skip || len >= KEY_MAX || strncmp(secret, PREFIX, skip) != 0)
		return;
	decoded = decode_base64(secret + skip, len - skip, key->bytes);
	if (decoded >= 0)
		key->len = (size_t) decoded;
	else
		key_published(secret, len, key);
}
