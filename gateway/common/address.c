/*
 * address.c
 *		Where to listen, as a setting says it.
 */
#include "common/address.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

/* Takes host:port or [v6]:port apart. */
bool
address_parse(const char *text, Address *address)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t		len;

	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 15)
		return false;
	len = (size_t) (colon - text);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']')
	{
		host++;
		len -= 2;
	}
	if (len >= sizeof(address->host))
		return false;
	memcpy(address->host, host, len);
	address->host[len] = '\0';
	snprintf(address->port, sizeof(address->port), "%s", colon + 1);
	return true;
}

/*
 * Resolves the address for bind(); the caller frees it with freeaddrinfo.
 * NULL: the reason is in the log.
 */
struct addrinfo *
address_find(const Address *address)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE
	};
	struct addrinfo *found = NULL;
	int			failed;

	failed = getaddrinfo(address->host[0] != '\0' ? address->host : NULL,
						 address->port, &hints, &found);
	if (failed == 0)
		return found;
	LOG_ERROR("cannot listen", log_text("address", address->host),
			  log_text("why", gai_strerror(failed)));
	return NULL;
}
