/*
 * relay_fuzz.c
 *		Fuzz target: the relay's parsers: allowed ranges, a receiver's answer
 *		made UTF-8, secrets that sign.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "fuzz/fuzz.h"
#include "relay/guard.h"
#include "relay/sign.h"

static void check_ranges(const char *text);
static void check_utf8(const uint8_t *data, size_t size);
static void check_signatures(const char *secrets);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buf			text = {0};

	buf_add(&text, data, size);
	check_ranges(text.data);
	check_utf8(data, size);
	check_signatures(text.data);
	buf_free(&text);
	return 0;
}

/* An address that was not listed stays shut, one that is public open. */
static void
check_ranges(const char *text)
{
	struct sockaddr_in private = {.sin_family = AF_INET};
	struct sockaddr_in public = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool		taken = guard_allow(text) == NULL;

	inet_pton(AF_INET, "127.0.0.1", &private.sin_addr);
	inet_pton(AF_INET, "93.184.216.34", &public.sin_addr);
	inet_pton(AF_INET6, "::1", &v6.sin6_addr);
	if (taken && strspn(text, ", ") == strlen(text))
	{
		HOLDS(!guard_permits((struct sockaddr *) &private, GUARD_HTTPS));
		HOLDS(!guard_permits((struct sockaddr *) &v6, GUARD_HTTPS));
		HOLDS(!guard_permits((struct sockaddr *) &public, GUARD_HTTP));
	}
	HOLDS(guard_permits((struct sockaddr *) &public, GUARD_HTTPS));
	HOLDS((guard_deny(text) == NULL) == taken);
	HOLDS(!taken || !guard_permits((struct sockaddr *) &private, GUARD_HTTP));
	HOLDS(guard_deny("") == NULL);
}

/* What comes out is UTF-8, and the same where it was before. */
static void
check_utf8(const uint8_t *data, size_t size)
{
	Buf			clean = {0};

	utf8_clean(&clean, (const char *) data, size);
	HOLDS(clean.len == size);
	HOLDS(utf8_is_valid(buf_get(&clean), clean.len));
	if (utf8_is_valid((const char *) data, size))
		HOLDS(size == 0 || memcmp(clean.data, data, size) == 0);
	buf_free(&clean);
}

/* One signature a secret. */
static void
check_signatures(const char *secrets)
{
	const SignInput input = {
		.secrets = secrets, .id = "evt_1", .timestamp = 1, .body = "{}",
		.body_len = 2,
	};
	Buf			hex = {0};
	Buf			value = {0};
	const char *p;
	size_t		count = 0;

	for (p = secrets; *(p += strspn(p, " ")) != '\0'; p += strcspn(p, " "))
		count++;
	sign_published(&input, secrets, &hex);
	HOLDS(hex.len == 64);
	sign_standard(&input, &value);
	HOLDS(count == 0 ? value.len == 0 : value.len == count * 48 - 1);
	buf_free(&hex);
	buf_free(&value);
}
