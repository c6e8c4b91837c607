/*
 * guard.c
 *		The destination guard: judges the address that a socket is about to be
 *		connected to, so that no spelling of a host name and no answer of a
 *		name server gets round it.
 */
#include "relay/guard.h"

#include <stdlib.h>
#include <string.h>

#include "common/ip.h"

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

static IpRanges allowed;

static bool list_has(const char *const *list, size_t count,
					 const IpAddress *ip);
static bool is_public(const IpAddress *ip);

/*
 * Sets the private ranges that are allowed: addresses with /bits, separated
 * by commas or spaces.  False if one cannot be read.
 */
bool
guard_allow(const char *ranges)
{
	return ip_ranges_parse(ranges, &allowed);
}

/* Whether a request of this scheme may be sent to the address. */
bool
guard_permits(const struct sockaddr *address, GuardScheme scheme)
{
	IpAddress	ip;

	if (!ip_from_socket(address, &ip))
		return false;
	return ip_ranges_have(&allowed, &ip) ||
		(scheme == GUARD_HTTPS && is_public(&ip));
}

/* Whether one of the ranges has the address. */
static bool
list_has(const char *const *list, size_t count, const IpAddress *ip)
{
	size_t		i;

	for (i = 0; i < count; i++)
	{
		IpRange		range;

		if (!ip_range_parse(list[i], strlen(list[i]), &range))
			abort();
		if (ip_range_has(&range, ip))
			return true;
	}
	return false;
}

/* Whether anybody on the Internet may have the address. */
static bool
is_public(const IpAddress *ip)
{
	if (ip_is_v4(ip))
		return !list_has(private_v4,
						 sizeof(private_v4) / sizeof(private_v4[0]), ip);
	return (ip->bytes[0] & 0xe0) == 0x20 &&
		!list_has(private_v6,
				  sizeof(private_v6) / sizeof(private_v6[0]), ip);
}
