/*
 * guard.c
 *		The destination guard: judges the address that a socket is about to be
 *		connected to, so that no spelling of a host name and no answer of a
 *		name server gets round it.
 *
 *		Every address is judged as 128 bits; an IPv4 one as ::ffff:a.b.c.d,
 *		which is also how it looks when it comes mapped.
 */
#include "relay/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96
#define ALLOWED_MAX 64

typedef struct GuardRange
{
	uint8_t		bytes[16];
	int			bits;			/* of the 128 */
} GuardRange;

/* What is not public, IPv4 (RFC 6890 and its updates). */
static const char *const private_v4[] = {
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
};

/*
 * In IPv6 only 2000::/3 is public, without these.  That leaves out loopback,
 * link-local, unique local, multicast, NAT64 (64:ff9b::/96) and the old
 * IPv4-compatible form; 6to4 and Teredo carry an IPv4 address of any kind.
 */
static const char *const private_v6[] = {
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	"2620:4f:8000::/48",
};

static GuardRange allowed[ALLOWED_MAX];
static int	allowed_count = 0;

static bool range_parse(const char *text, size_t len, GuardRange *range);
static bool range_bits(const char *text, int max, int *bits);
static bool range_has(const GuardRange *range, const uint8_t *address);
static bool list_has(const char *const *list, size_t count,
					 const uint8_t *address);
static bool is_mapped(const uint8_t *address);
static bool is_public(const uint8_t *address);

/*
 * Sets the private ranges that are allowed: addresses with /bits, separated
 * by commas or spaces.  False if one cannot be read.
 */
bool
guard_allow(const char *ranges)
{
	allowed_count = 0;
	while (*(ranges += strspn(ranges, ", ")) != '\0')
	{
		size_t		len = strcspn(ranges, ", ");

		if (allowed_count == ALLOWED_MAX ||
			!range_parse(ranges, len, &allowed[allowed_count]))
			return false;
		allowed_count++;
		ranges += len;
	}
	return true;
}

/* Whether a request of this scheme may be sent to the address. */
bool
guard_permits(const struct sockaddr *address, GuardScheme scheme)
{
	uint8_t		bytes[16] = {[10] = 0xff, [11] = 0xff};
	int			i;

	if (address->sa_family == AF_INET)
		memcpy(bytes + 12,
			   &((const struct sockaddr_in *) address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(bytes,
			   &((const struct sockaddr_in6 *) address)->sin6_addr, 16);
	else
		return false;

	for (i = 0; i < allowed_count; i++)
	{
		if (range_has(&allowed[i], bytes))
			return true;
	}
	return scheme == GUARD_HTTPS && is_public(bytes);
}

/* Reads an address with or without /bits. */
static bool
range_parse(const char *text, size_t len, GuardRange *range)
{
	char		copy[64];
	char	   *slash;
	bool		v4;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';

	*range = (GuardRange) {.bytes = {[10] = 0xff, [11] = 0xff}, .bits = 128};
	v4 = inet_pton(AF_INET, copy, range->bytes + 12) == 1;
	if (!v4 && inet_pton(AF_INET6, copy, range->bytes) != 1)
		return false;
	if (slash != NULL && !range_bits(slash, v4 ? 32 : 128, &range->bits))
		return false;
	if (slash != NULL && v4)
		range->bits += MAPPED_BITS;
	return true;
}

/* Reads the number behind the slash. */
static bool
range_bits(const char *text, int max, int *bits)
{
	char	   *end;
	long		number = strtol(text, &end, 10);

	if (end == text || *end != '\0' || number < 0 || number > max)
		return false;
	*bits = (int) number;
	return true;
}

/* Whether the address begins with the range's bits. */
static bool
range_has(const GuardRange *range, const uint8_t *address)
{
	int			whole = range->bits / 8;
	int			rest = range->bits % 8;
	uint8_t		mask = (uint8_t) (0xff << (8 - rest));

	if (memcmp(range->bytes, address, (size_t) whole) != 0)
		return false;
	return rest == 0 ||
		(range->bytes[whole] & mask) == (address[whole] & mask);
}

/* Whether one of the ranges has the address. */
static bool
list_has(const char *const *list, size_t count, const uint8_t *address)
{
	size_t		i;

	for (i = 0; i < count; i++)
	{
		GuardRange	range;

		if (!range_parse(list[i], strlen(list[i]), &range))
			abort();
		if (range_has(&range, address))
			return true;
	}
	return false;
}

/* Whether it is an IPv4 address. */
static bool
is_mapped(const uint8_t *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

/* Whether anybody on the Internet may have the address. */
static bool
is_public(const uint8_t *address)
{
	if (is_mapped(address))
		return !list_has(private_v4,
						 sizeof(private_v4) / sizeof(private_v4[0]), address);
	return (address[0] & 0xe0) == 0x20 &&
		!list_has(private_v6,
				  sizeof(private_v6) / sizeof(private_v6[0]), address);
}
