/*
 * guard_table.c
 *		Asks the relay's guard about addresses: lines "scheme address port" on
 *		standard input, "yes" or "no" for each on standard output, and
 *		"inside" or "outside" where the scheme is "where".  The arguments are
 *		the lists of allowed and of denied ranges.
 */
#include "relay/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool ask(const char *scheme, const char *text, int port);

int
main(int argc, char **argv)
{
	char		scheme[16];
	char		text[80];
	int			port;

	if (argc != 3 || guard_allow(argv[1]) != NULL || guard_deny(argv[2]) != NULL)
	{
		puts("bad ranges");
		return 1;
	}
	while (scanf("%15s %79s %d", scheme, text, &port) == 3)
	{
		if (strcmp(scheme, "where") == 0)
			puts(guard_is_inside(text) ? "inside" : "outside");
		else
			puts(ask(scheme, text, port) ? "yes" : "no");
	}
	return 0;
}

/* What the guard says. */
static bool
ask(const char *scheme, const char *text, int port)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t) port),
	};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port),
	};
	GuardScheme kind = strcmp(scheme, "https") == 0 ? GUARD_HTTPS : GUARD_HTTP;

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return guard_permits((const struct sockaddr *) &v4, kind);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		return guard_permits((const struct sockaddr *) &v6, kind);
	puts("no address");
	return false;
}
