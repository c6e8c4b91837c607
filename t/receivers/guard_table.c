/*
 * guard_table.c
 *		Asks the relay's guard about addresses: lines "scheme address" on
 *		standard input, "yes" or "no" for each on standard output.  The
 *		argument is the list of allowed ranges.
 */
#include "relay/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool ask(const char *scheme, const char *text);

int
main(int argc, char **argv)
{
	char		scheme[16];
	char		text[80];

	if (argc != 2 || !guard_allow(argv[1]))
	{
		puts("bad ranges");
		return 1;
	}
	while (scanf("%15s %79s", scheme, text) == 2)
		puts(ask(scheme, text) ? "yes" : "no");
	return 0;
}

/* What the guard says. */
static bool
ask(const char *scheme, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	GuardScheme kind = strcmp(scheme, "https") == 0 ? GUARD_HTTPS : GUARD_HTTP;

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return guard_permits((const struct sockaddr *) &v4, kind);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		return guard_permits((const struct sockaddr *) &v6, kind);
	puts("no address");
	return false;
}
