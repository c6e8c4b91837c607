/*
 * ip.c
 *		IP addresses and ranges of them, of both versions alike.
 */
#include "common/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define V4_BITS_BEFORE 96		/* of ::ffff:a.b.c.d */

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static void ip_set_v4(IpAddress *ip, const void *bytes);
static bool range_bits(const char *text, int max, int *bits);

/* The address of a socket of either family; false where it has neither. */
bool
ip_from_socket(const struct sockaddr *address, IpAddress *ip)
{
	if (address->sa_family == AF_INET)
		ip_set_v4(ip, &((const struct sockaddr_in *) address)->sin_addr);
	else if (address->sa_family == AF_INET6)
		memcpy(ip->bytes,
			   &((const struct sockaddr_in6 *) address)->sin6_addr, 16);
	else
		return false;
	return true;
}

/* The address that a text of that length is; false where it is none. */
bool
ip_from_text(const char *text, size_t len, IpAddress *ip)
{
	char		copy[IP_TEXT_SIZE];
	struct in_addr four;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &four) == 1)
	{
		ip_set_v4(ip, &four);
		return true;
	}
	return inet_pton(AF_INET6, copy, ip->bytes) == 1;
}

/* The address as it is most often written. */
void
ip_text(const IpAddress *ip, char text[IP_TEXT_SIZE])
{
	bool		four = ip_is_v4(ip);

	if (inet_ntop(four ? AF_INET : AF_INET6, ip->bytes + (four ? 12 : 0),
				  text, IP_TEXT_SIZE) == NULL)
		text[0] = '\0';
}

/* Whether it is an address of IPv4. */
bool
ip_is_v4(const IpAddress *ip)
{
	return memcmp(ip->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* Reads an address with or without /bits; false where it is neither. */
bool
ip_range_parse(const char *text, size_t len, IpRange *range)
{
	const char *slash = memchr(text, '/', len);
	size_t		address_len = slash != NULL ? (size_t) (slash - text) : len;
	char		bits[4] = "";
	size_t		bits_len = slash != NULL ? len - address_len - 1 : 0;
	bool		four;

	*range = (IpRange) {.bits = 128};
	if (!ip_from_text(text, address_len, &range->first))
		return false;
	if (slash == NULL)
		return true;
	if (bits_len >= sizeof(bits))
		return false;
	memcpy(bits, slash + 1, bits_len);
	four = memchr(text, ':', address_len) == NULL;
	if (!range_bits(bits, four ? 32 : 128, &range->bits))
		return false;
	if (four)
		range->bits += V4_BITS_BEFORE;
	return true;
}

/* Whether the address begins with the range's bits. */
bool
ip_range_has(const IpRange *range, const IpAddress *ip)
{
	int			whole = range->bits / 8;
	int			rest = range->bits % 8;
	uint8_t		mask = (uint8_t) (0xff << (8 - rest));

	if (memcmp(range->first.bytes, ip->bytes, (size_t) whole) != 0)
		return false;
	return rest == 0 ||
		(range->first.bytes[whole] & mask) == (ip->bytes[whole] & mask);
}

/* Reads a list, which may be empty; false: ranges->bad cannot be read. */
bool
ip_ranges_parse(const char *list, IpRanges *ranges)
{
	*ranges = (IpRanges) {0};
	while (*(list += strspn(list, ", ")) != '\0')
	{
		size_t		len = strcspn(list, ", ");

		if (ranges->count == IP_RANGES_MAX ||
			!ip_range_parse(list, len, &ranges->items[ranges->count]))
		{
			snprintf(ranges->bad, sizeof(ranges->bad), "%.*s", (int) len,
					 list);
			return false;
		}
		ranges->count++;
		list += len;
	}
	return true;
}

/* Whether one of the ranges has the address. */
bool
ip_ranges_have(const IpRanges *ranges, const IpAddress *ip)
{
	int			i;

	for (i = 0; i < ranges->count; i++)
	{
		if (ip_range_has(&ranges->items[i], ip))
			return true;
	}
	return false;
}

/* Takes over the four bytes of an address of IPv4. */
static void
ip_set_v4(IpAddress *ip, const void *bytes)
{
	memcpy(ip->bytes, v4_prefix, sizeof(v4_prefix));
	memcpy(ip->bytes + sizeof(v4_prefix), bytes, 4);
}

/* Reads the number behind the slash: digits and nothing else. */
static bool
range_bits(const char *text, int max, int *bits)
{
	const char *p;

	*bits = 0;
	for (p = text; *p >= '0' && *p <= '9'; p++)
		*bits = *bits * 10 + (*p - '0');
	return p > text && *p == '\0' && *bits <= max;
}
