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

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define SHA256_BYTES 32
#define KEY_MAX 512
#define PREFIX "whsec_"

typedef struct SignKey
{
	unsigned char bytes[KEY_MAX];
	size_t		len;
} SignKey;

static void hmac(const SignKey *key, const char *text, size_t len,
				 unsigned char *digest);
static void key_published(const char *secret, size_t len, SignKey *key);
static void key_standard(const char *secret, size_t len, SignKey *key);

/* The first secret's signature of the body, in hex; the rest is returned. */
const char *
sign_published(const SignInput *input, const char *secrets, Buf *hex)
{
	unsigned char digest[SHA256_BYTES];
	size_t		len = strcspn(secrets, " ");
	SignKey		key;
	int			i;

	key_published(secrets, len, &key);
	hmac(&key, input->body, input->body_len, digest);
	for (i = 0; i < SHA256_BYTES; i++)
		buf_printf(hex, "%02x", digest[i]);
	secrets += len;
	return secrets + strspn(secrets, " ");
}

/* One signature for each secret: "v1,… v1,…". */
void
sign_standard(const SignInput *input, Buf *value)
{
	const char *secret = input->secrets;
	Buf			signed_text = {0};

	buf_printf(&signed_text, "%s.%lld.", input->id, input->timestamp);
	buf_add(&signed_text, input->body, input->body_len);
	while (*(secret += strspn(secret, " ")) != '\0')
	{
		size_t		len = strcspn(secret, " ");
		unsigned char digest[SHA256_BYTES];
		unsigned char text[4 * SHA256_BYTES];
		SignKey		key;

		key_standard(secret, len, &key);
		hmac(&key, signed_text.data, signed_text.len, digest);
		EVP_EncodeBlock(text, digest, SHA256_BYTES);
		buf_printf(value, "%sv1,%s", value->len > 0 ? " " : "",
				   (const char *) text);
		secret += len;
	}
	buf_free(&signed_text);
}

/* HMAC-SHA256; there is no way to fail but a broken OpenSSL. */
static void
hmac(const SignKey *key, const char *text, size_t len, unsigned char *digest)
{
	unsigned int digest_len = SHA256_BYTES;

	if (HMAC(EVP_sha256(), key->bytes, (int) key->len,
			 (const unsigned char *) text, len, digest, &digest_len) == NULL)
		abort();
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
	size_t		padding = 0;
	int			decoded;

	key_published(secret, len, key);
	while (padding < len && secret[len - 1 - padding] == '=')
		padding++;
	if (len <= skip || len >= KEY_MAX || padding > 2 ||
		strncmp(secret, PREFIX, skip) != 0)
		return;
	decoded = EVP_DecodeBlock(key->bytes,
							  (const unsigned char *) secret + skip,
							  (int) (len - skip));
	if (decoded < 0)
	{
		key_published(secret, len, key);
		return;
	}
	/* EVP_DecodeBlock counts the padding as bytes. */
	key->len = (size_t) decoded - padding;
}
