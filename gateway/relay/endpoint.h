/*
 * endpoint.h
 *		What the relay knows of each endpoint: what it has of it, and how much
 *		of it at once.
 */
#ifndef APPT_RELAY_ENDPOINT_H
#define APPT_RELAY_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "relay/delivery.h"
#include "relay/share.h"

typedef struct Endpoint
{
	struct Endpoint *next;		/* all of them */
	int			webhook_no;
	int			version;		/* of what was claimed last */
	DeliveryList old;			/* leased, not yet sent; a queue */
	DeliveryList fresh;			/* of the last claim; newest first */
	bool		fresh_next;		/* whose turn it is */
	int			leased;			/* waiting, in flight or not yet recorded */
	int			in_flight;
	int			window;			/* how many may be in flight */
	Conduct		conduct;
	Share		share;
	int64_t		began_ms;		/* when it was taken up after a pause */
	int			done;			/* attempts, since the last endpoint_tick */
	int			done_before;	/* in the time between the last two */
	int			asked;			/* in the claim under way */
	int			arrived;		/* from it */
	bool		more;			/* it brought all that was asked for */
	bool		divided;		/* it brought less, and some is leased */
} Endpoint;

/* Where the relay stands at each endpoint, as array literals for a claim. */
typedef struct EndpointArrays
{
	Buf			webhook_nos;
	Buf			leased;
	Buf			quotas;
	Buf			versions;
	Buf			bad;
} EndpointArrays;

#define ENDPOINT_TICK_MS 250

extern Endpoint *endpoint_get(int webhook_no);
extern Endpoint *endpoint_first(void);
extern void endpoint_is_failing(Endpoint *endpoint, bool failing);
extern void endpoint_add(Delivery *delivery);
extern void endpoint_settle(Endpoint *endpoint);
extern Delivery *endpoint_next(Endpoint *endpoint);
extern void endpoint_put_back(Endpoint *endpoint);
extern Delivery *endpoint_take(Endpoint *endpoint);
extern void endpoint_done(const Delivery *delivery);
extern bool endpoint_let_go_all(DeliveryList *list);
extern bool endpoint_hungry(void);
extern int	endpoint_ask(EndpointArrays *arrays);
extern void endpoint_answered(bool full);
extern void endpoint_tick(void (*give_back) (Delivery *delivery));

#endif							/* APPT_RELAY_ENDPOINT_H */
