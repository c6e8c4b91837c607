/*
 * connections.h
 *		The connections of a worker, and how many of them each address has.
 */
#ifndef APPT_CONNECTIONS_H
#define APPT_CONNECTIONS_H

#include "http/connection.h"

#define SHARE_CHAINS 1024		/* a power of two */

/* The connections of one address; of IPv6, of a /64. */
typedef struct Share
{
	struct Share *next;
	IpAddress	network;
	bool		proxy;			/* speaks for many: without a limit */
	int			count;
} Share;

/* A worker's. */
typedef struct Connections
{
	Connection	ring;			/* its head */
	int			count;
	int			peak;			/* since memory was given back */
	int			ending;			/* those that make room, not gone yet */
	Share	   *chains[SHARE_CHAINS];
} Connections;

extern void connections_init(Connections *connections);
extern bool connections_admit(const Connections *connections,
							  const IpAddress *ip);
extern Connection *connection_begin(Connections *connections,
									const Connection *as);
extern void connection_end(Connections *connections, Connection *connection);

#endif							/* APPT_CONNECTIONS_H */
