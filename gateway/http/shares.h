/*
 * shares.h
 *		How many of a loop's connections each address has.
 */
#ifndef APPT_SHARES_H
#define APPT_SHARES_H

#include <stdbool.h>

#include "common/ip.h"

struct Client;
struct Worker;

#define SHARE_CHAINS 1024		/* a power of two */

/* The connections of one address; of IPv6, of a /64. */
typedef struct Share
{
	struct Share *next;
	IpAddress	network;
	bool		proxy;			/* speaks for many: without a limit */
	int			count;
} Share;

typedef struct Shares
{
	Share	   *chains[SHARE_CHAINS];
	int			ending;			/* connections that make room, not gone yet */
} Shares;

extern bool shares_admit(const struct Worker *worker, const IpAddress *ip);
extern void shares_begin(struct Worker *worker, struct Client *client);
extern void shares_end(struct Worker *worker, struct Client *client);

#endif							/* APPT_SHARES_H */
