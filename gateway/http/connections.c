/*
 * connections.c
 *		The connections of a worker, and how many of them each address has:
 *		no more than APPT_ADDRESS_LIMIT, and where the worker's are nearly
 *		all taken, the address with the most loses its idle ones.
 */
#include "http/connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "http/exchange.h"
#include "http/options.h"
#include "http/peer.h"

#define ROOM_PART 16			/* of the connections: is kept free */

static void make_room(Connections *connections);
static Share **share_link(Connections *connections, const IpAddress *network);
static bool is_idle(const Connection *connection);

/* There are none yet. */
void
connections_init(Connections *connections)
{
	*connections = (Connections) {0};
	connections->ring.next = connections->ring.prev = &connections->ring;
}

/* Whether another connection of the address is taken. */
bool
connections_admit(const Connections *connections, const IpAddress *ip)
{
	IpAddress	network = peer_network(ip);
	const Share *share;

	if (options.address_limit == 0 || peer_is_proxy(ip))
		return true;
	share = *share_link((Connections *) connections, &network);
	return share == NULL || share->count < options.address_limit;
}

/* Adds a connection, a copy of that one, and counts it for its address. */
Connection *
connection_begin(Connections *connections, const Connection *as)
{
	Connection *connection = must_alloc(sizeof(Connection));
	bool		proxy = peer_is_proxy(&as->address);
	IpAddress	network = proxy ? as->address : peer_network(&as->address);
	Share	  **link = share_link(connections, &network);
	int			room = options.connection_limit / ROOM_PART;

	if (*link == NULL)
	{
		*link = must_alloc(sizeof(Share));
		**link = (Share) {.network = network, .proxy = proxy};
	}
	*connection = *as;
	connection->share = *link;
	connection->share->count++;
	connection->next = &connections->ring;
	connection->prev = connections->ring.prev;
	connection->prev->next = connection;
	connections->ring.prev = connection;
	connections->count++;
	if (connections->count - connections->ending >
		options.connection_limit - room)
		make_room(connections);
	return connection;
}

/* The connection has ended. */
void
connection_end(Connections *connections, Connection *connection)
{
	Share	   *share = connection->share;

	connection->prev->next = connection->next;
	connection->next->prev = connection->prev;
	connections->count--;
	if (connection->ending)
		connections->ending--;
	if (--share->count == 0)
	{
		*share_link(connections, &share->network) = share->next;
		free(share);
	}
	free(connection);
}

/*
 * Ends idle connections of the address with the most of them, the oldest first:
 * half of the room that is kept free, so that the next ones are let in without
 * another look.
 */
static void
make_room(Connections *connections)
{
	int			wanted = options.connection_limit / ROOM_PART / 2 + 1;
	const Share *most = NULL;
	Connection *connection;

	for (connection = connections->ring.next; connection != &connections->ring;
		 connection = connection->next)
	{
		if (is_idle(connection) && !connection->share->proxy &&
			(most == NULL || connection->share->count > most->count))
			most = connection->share;
	}
	for (connection = connections->ring.next;
		 connection != &connections->ring && most != NULL && wanted > 0;
		 connection = connection->next)
	{
		if (connection->share != most || !is_idle(connection))
			continue;
		shutdown(connection->fd, SHUT_RDWR);
		connection->ending = true;
		connections->ending++;
		wanted--;
	}
}

/* Where the network's share is linked in, or would be. */
static Share **
share_link(Connections *connections, const IpAddress *network)
{
	uint64_t	parts[2];
	uint64_t	hash;
	Share	  **link;

	memcpy(parts, network->bytes, sizeof(parts));
	hash = (parts[0] ^ parts[1]) * 0x9e3779b97f4a7c15u;
	link = &connections->chains[(hash >> 32) & (SHARE_CHAINS - 1)];
	while (*link != NULL &&
		   memcmp(&(*link)->network, network, sizeof(IpAddress)) != 0)
		link = &(*link)->next;
	return link;
}

/* Whether no whole request has come on the connection. */
static bool
is_idle(const Connection *connection)
{
	const Exchange *exchange = connection->exchange;

	return !connection->ending &&
		(exchange == NULL || exchange_is_coming(exchange));
}
