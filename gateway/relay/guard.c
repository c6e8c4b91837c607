/*
 * guard.c
 *		The destination guard: judges the address that a socket is about to be
 *		connected to, so that no spelling of a host name and no answer of a
 *		name server gets round it.
 *
 *		A denied address is never connected to; an allowed one is, by plain
 *		http, too; any other if it is public, by https.
 */
#include "relay/guard.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ip.h"

#define RULES_MAX	64
#define PORT_MAX	65535

/* A range, and which ports of it. */
typedef struct GuardRule
{
	IpRange		range;
	int			first_port;
	int			last_port;
} GuardRule;

typedef struct GuardRules
{
	GuardRule	items[RULES_MAX];
	int			count;
	char		bad[80];		/* the item that could not be read */
} GuardRules;

/*
 * What is not public, IPv4 (RFC 6890 and its updates).  168.63.129.16 is what
 * every virtual machine in Azure asks for its configuration.
 */
static const char *const private_v4[] = {
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
	"168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
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

static GuardRules allowed;
static GuardRules denied;

static const char *rules_parse(const char *list, GuardRules *rules);
static bool rule_parse(const char *text, size_t len, GuardRule *rule);
static bool ports_parse(const char *text, size_t len, GuardRule *rule);
static const char *port_parse(const char *text, const char *end, int *port);
static bool rules_have(const GuardRules *rules, const IpAddress *ip,
					   int port);
static int	port_of(const struct sockaddr *address);
static bool list_has(const char *const *list, size_t count,
					 const IpAddress *ip);
static bool is_public(const IpAddress *ip);

/*
 * Sets what is allowed beside what is public: ranges with or without ports,
 * 10.0.0.0/8:8000-8099 or [fd00::/8]:443, separated by commas or spaces.
 * NULL, or the item that cannot be read.
 */
const char *
guard_allow(const char *rules)
{
	return rules_parse(rules, &allowed);
}

/* Sets what is not allowed in any case, in the same form. */
const char *
guard_deny(const char *rules)
{
	return rules_parse(rules, &denied);
}

/* Whether a request of this scheme may be sent to the address and port. */
bool
guard_permits(const struct sockaddr *address, GuardScheme scheme)
{
	int			port = port_of(address);
	IpAddress	ip;

	if (!ip_from_socket(address, &ip) || rules_have(&denied, &ip, port))
		return false;
	return rules_have(&allowed, &ip, port) ||
		(scheme == GUARD_HTTPS && is_public(&ip));
}

/*
 * Whether the address belongs to the clinic's own network, for all that is
 * known here: what answers there is not for everybody to read.
 */
bool
guard_is_inside(const char *address)
{
	IpAddress	ip;
	int			i;

	if (!ip_from_text(address, strlen(address), &ip) || !is_public(&ip))
		return true;
	for (i = 0; i < allowed.count; i++)
	{
		if (ip_range_has(&allowed.items[i].range, &ip))
			return true;
	}
	return false;
}

/* Reads a list of rules. */
static const char *
rules_parse(const char *list, GuardRules *rules)
{
	*rules = (GuardRules) {0};
	while (*(list += strspn(list, ", ")) != '\0')
	{
		size_t		len = strcspn(list, ", ");

		if (rules->count == RULES_MAX ||
			!rule_parse(list, len, &rules->items[rules->count]))
		{
			snprintf(rules->bad, sizeof(rules->bad), "%.*s", (int) len, list);
			return rules->bad;
		}
		rules->count++;
		list += len;
	}
	return NULL;
}

/*
 * Reads a range with or without ports.  One of IPv6 with ports stands in
 * brackets; without, its colons are its own.
 */
static bool
rule_parse(const char *text, size_t len, GuardRule *rule)
{
	const char *end = text + len;
	const char *bracket = memchr(text, ']', len);
	const char *colon = memchr(text, ':', len);

	*rule = (GuardRule) {.last_port = PORT_MAX};
	if (text[0] == '[')
		return bracket != NULL &&
			ip_range_parse(text + 1, (size_t) (bracket - text - 1),
						   &rule->range) &&
			(bracket + 1 == end ||
			 (bracket[1] == ':' &&
			  ports_parse(bracket + 2, (size_t) (end - bracket - 2), rule)));
	if (colon == NULL || memchr(colon + 1, ':', (size_t) (end - colon - 1)))
		return ip_range_parse(text, len, &rule->range);
	return ip_range_parse(text, (size_t) (colon - text), &rule->range) &&
		ports_parse(colon + 1, (size_t) (end - colon - 1), rule);
}

/* Reads a port, or two with a hyphen between them. */
static bool
ports_parse(const char *text, size_t len, GuardRule *rule)
{
	const char *end = text + len;
	const char *rest = port_parse(text, end, &rule->first_port);

	rule->last_port = rule->first_port;
	if (rest != NULL && rest < end && *rest == '-')
		rest = port_parse(rest + 1, end, &rule->last_port);
	return rest == end && rule->first_port <= rule->last_port;
}

/* Reads the digits of a port; what follows them, or NULL: it is none. */
static const char *
port_parse(const char *text, const char *end, int *port)
{
	const char *p;

	*port = 0;
	for (p = text; p < end && *p >= '0' && *p <= '9' && *port <= PORT_MAX; p++)
		*port = *port * 10 + (*p - '0');
	return *port >= 1 && *port <= PORT_MAX ? p : NULL;
}

/* Whether one of the rules has the address and port. */
static bool
rules_have(const GuardRules *rules, const IpAddress *ip, int port)
{
	int			i;

	for (i = 0; i < rules->count; i++)
	{
		const GuardRule *rule = &rules->items[i];

		if (port >= rule->first_port && port <= rule->last_port &&
			ip_range_has(&rule->range, ip))
			return true;
	}
	return false;
}

/* The port of a socket's address; 0 where it has none. */
static int
port_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *) address)->sin_port);
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *) address)->sin6_port);
	return 0;
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
