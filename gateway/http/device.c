/*
 * device.c
 *		Browsers that somebody has signed in with before: each keeps, for each
 *		account, a random name and its HMAC under the account's password hash,
 *		which nobody has but the database and us.  So nothing is kept of them,
 *		every gateway knows them, and another password ends them all.
 *
 *		The cookie signs nobody in.  It has attempts of its own, so that what
 *		others try at the account keeps out nobody who has it.
 */
#include "http/device.h"

#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/encode.h"
#include "http/cookie.h"
#include "http/signin.h"
#include "http/text.h"

#define DEVICE_BYTES 16
#define NAME_LEN 22				/* of as many bytes in base64url */
#define MAC_BYTES 32
#define MAC_LEN 43
#define KEPT_S (90 * 24 * 60 * 60)

static const char *cookie_name(Arena *arena, const char *account);
static const char *value_of(Arena *arena, const DeviceOwner *owner,
							const char *name);

/* What the browser keeps for that account, of the right form; NULL: nothing. */
const char *
device_sent(const Head *head, const char *account)
{
	const char *sent = cookie_value(head, cookie_name(head->arena, account));

	return sent != NULL && strlen(sent) == NAME_LEN + MAC_LEN ? sent : NULL;
}

/* The name of a browser that was given it for this password, or NULL. */
const char *
device_known(Arena *arena, const DeviceOwner *owner, const char *sent)
{
	const char *name;

	if (sent == NULL || owner->staff_id == NULL ||
		owner->password_hash == NULL)
		return NULL;
	name = arena_copy(arena, sent, NAME_LEN);
	return CRYPTO_memcmp(sent, value_of(arena, owner, name),
						 NAME_LEN + MAC_LEN) == 0 ? name : NULL;
}

/*
 * The header that has a browser keep it, under its name or, without, under a
 * new one; NULL: the system has no randomness.  Without a path it is that of
 * the calls below /auth, also behind a proxy's prefix.
 */
const char *
device_cookie(Arena *arena, const DeviceOwner *owner, const char *name)
{
	unsigned char bytes[DEVICE_BYTES];
	char		made[NAME_LEN + 1];

	if (name == NULL)
	{
		if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
			return NULL;
		encode_base64url(bytes, sizeof(bytes), made);
		name = made;
	}
	return arena_printf(arena, "%s=%s; Max-Age=%d; HttpOnly; SameSite=Strict%s",
						cookie_name(arena, owner->account),
						value_of(arena, owner, name), KEPT_S,
						signin_is_secure() ? "; Secure" : "");
}

/* One a person: a desk is many people's. */
static const char *
cookie_name(Arena *arena, const char *account)
{
	char		hex[SHA256_HEX_SIZE];

	text_sha256_hex(&account, 1, hex);
	return arena_printf(arena, "%sbioecko_device_%.8s",
						signin_is_secure() ? "__Secure-" : "", hex);
}

/* The name, and the HMAC-SHA256 that shows that we gave it. */
static const char *
value_of(Arena *arena, const DeviceOwner *owner, const char *name)
{
	const char *said = arena_printf(arena, "device\n%s\n%s",
									owner->staff_id, name);
	unsigned char mac[MAC_BYTES];
	char		text[MAC_LEN + 1];

	HMAC(EVP_sha256(), owner->password_hash,
		 (int) strlen(owner->password_hash), (const unsigned char *) said,
		 strlen(said), mac, NULL);
	encode_base64url(mac, sizeof(mac), text);
	return arena_printf(arena, "%s%s", name, text);
}
