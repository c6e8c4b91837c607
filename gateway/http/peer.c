/*
 * peer.c
 *		Where a request comes from.
 *
 *		Everybody can write an X-Forwarded-For.  It is read from its end, which
 *		the proxy wrote that connected to us, and only for as long as those
 *		that are named are proxies of ours too.
 */
#include "http/peer.h"

#include <string.h>

#include "http/options.h"

#define NETWORK_BYTES 8			/* of IPv6: who has one address has the /64 */

static bool hop_before(const char *line, size_t *len, IpAddress *hop);
static bool hop_read(const char *text, size_t len, IpAddress *hop);

/*
 * The address that a request is from: the last in X-Forwarded-For that is no
 * proxy of ours.  Where that cannot be read, the proxy that wrote it stands for
 * it.
 */
IpAddress
peer_of_head(const Head *head, const IpAddress *connected)
{
	IpAddress	ip = *connected;
	int			line = head->forwarded_count;

	while (line > 0 && peer_is_proxy(&ip))
	{
		const char *text = head->forwarded_for[--line];
		size_t		len = strlen(text);

		while (len > 0 && peer_is_proxy(&ip))
		{
			if (!hop_before(text, &len, &ip))
				return ip;
		}
	}
	return ip;
}

/* Whether it is a proxy whose word counts. */
bool
peer_is_proxy(const IpAddress *ip)
{
	return ip_ranges_have(&options.proxies, ip);
}

/*
 * The network that counts as one sender: an IPv4 address, or the /64 of an IPv6
 * one, within which its owner can move.
 */
IpAddress
peer_network(const IpAddress *ip)
{
	IpAddress	network = *ip;

	if (!ip_is_v4(ip))
		memset(network.bytes + NETWORK_BYTES, 0,
			   sizeof(network.bytes) - NETWORK_BYTES);
	return network;
}

/*
 * Takes the last item of the list off, which is then len bytes long, and reads
 * it; an empty one is passed over.  False, with the hop as it was: it is no
 * address.
 */
static bool
hop_before(const char *line, size_t *len, IpAddress *hop)
{
	size_t		end = *len;
	size_t		start;

	while (end > 0 && strchr(" \t,", line[end - 1]) != NULL)
		end--;
	start = end;
	while (start > 0 && line[start - 1] != ',')
		start--;
	*len = start;
	while (start < end && strchr(" \t", line[start]) != NULL)
		start++;
	return start == end || hop_read(line + start, end - start, hop);
}

/* Reads an address as proxies write it: perhaps in brackets, or with a port. */
static bool
hop_read(const char *text, size_t len, IpAddress *hop)
{
	const char *colon = memchr(text, ':', len);
	const char *close = memchr(text, ']', len);
	IpAddress	ip;

	if (text[0] == '[')
	{
		if (close == NULL ||
			(close + 1 < text + len && close[1] != ':'))
			return false;
		text++;
		len = (size_t) (close - text);
	}
	else if (colon != NULL &&
			 memchr(colon + 1, ':', len - (size_t) (colon + 1 - text)) == NULL)
		len = (size_t) (colon - text);	/* one colon: IPv4 and a port */
	if (!ip_from_text(text, len, &ip))
		return false;
	*hop = ip;
	return true;
}
