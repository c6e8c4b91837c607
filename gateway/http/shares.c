/*
 * shares.c
 *		How many of a loop's connections each address has: no more than
 *		APPT_ADDRESS_LIMIT, and where the loop's are nearly all taken, who has
 *		the most gives up those that do nothing.
 */
#include "http/shares.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "http/worker.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/request.h"

#define ROOM_PART 16			/* of the connections: is kept free */

static void shares_make_room(Worker *worker);
static Share **share_link(Shares *shares, const IpAddress *network);
static bool is_idle(const Client *client);

/* Whether another connection of the address is taken. */
bool
shares_admit(const Worker *worker, const IpAddress *ip)
{
	IpAddress	network = peer_network(ip);
	const Share *share;

	if (options.address_limit == 0 || peer_is_proxy(ip))
		return true;
	share = *share_link((Shares *) &worker->shares, &network);
	return share == NULL || share->count < options.address_limit;
}

/* Counts a connection that begins. */
void
shares_begin(Worker *worker, Client *client)
{
	bool		proxy = peer_is_proxy(&client->address);
	IpAddress	network = proxy ? client->address
		: peer_network(&client->address);
	Share	  **link = share_link(&worker->shares, &network);
	int			room = options.connection_limit / ROOM_PART;

	if (*link == NULL)
	{
		*link = must_alloc(sizeof(Share));
		**link = (Share) {.network = network, .proxy = proxy};
	}
	client->share = *link;
	client->share->count++;
	if (worker->client_count - worker->shares.ending >
		options.connection_limit - room)
		shares_make_room(worker);
}

/* Counts a connection that has ended. */
void
shares_end(Worker *worker, Client *client)
{
	Share	   *share = client->share;
	Share	  **link;

	if (client->ending)
		worker->shares.ending--;
	if (--share->count > 0)
		return;
	link = share_link(&worker->shares, &share->network);
	*link = share->next;
	free(share);
}

/*
 * Ends connections without a whole request, the oldest first, of whom has the
 * most of them: half of the room that is kept free, so that the next are let
 * in without another look.
 */
static void
shares_make_room(Worker *worker)
{
	int			wanted = options.connection_limit / ROOM_PART / 2 + 1;
	const Share *most = NULL;
	Client	   *client;

	for (client = worker->clients.next; client != &worker->clients;
		 client = client->next)
	{
		if (is_idle(client) && !client->share->proxy &&
			(most == NULL || client->share->count > most->count))
			most = client->share;
	}
	for (client = worker->clients.next;
		 client != &worker->clients && most != NULL && wanted > 0;
		 client = client->next)
	{
		if (client->share != most || !is_idle(client))
			continue;
		shutdown(client->fd, SHUT_RDWR);
		client->ending = true;
		worker->shares.ending++;
		wanted--;
	}
}

/* Where the network's share is linked in, or would be. */
static Share **
share_link(Shares *shares, const IpAddress *network)
{
	uint64_t	parts[2];
	uint64_t	hash;
	Share	  **link;

	memcpy(parts, network->bytes, sizeof(parts));
	hash = (parts[0] ^ parts[1]) * 0x9e3779b97f4a7c15u;
	link = &shares->chains[(hash >> 32) & (SHARE_CHAINS - 1)];
	while (*link != NULL &&
		   memcmp(&(*link)->network, network, sizeof(IpAddress)) != 0)
		link = &(*link)->next;
	return link;
}

/* Whether no whole request has come on the connection. */
static bool
is_idle(const Client *client)
{
	const Request *request = client->request;

	if (client->ending)
		return false;
	return request == NULL || request->state == REQUEST_NEW ||
		request->state == REQUEST_READING;
}
