/*
 * delivery.h
 *		A delivery that this relay has leased, and lists of them.
 */
#ifndef APPT_RELAY_DELIVERY_H
#define APPT_RELAY_DELIVERY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "relay/transfer.h"

/* What appt_relay.claim_deliveries returned; freed with its last delivery. */
typedef struct Batch
{
	PGresult   *rows;
	int			users;
} Batch;

typedef struct Delivery
{
	struct Delivery *next;			/* in its list */
	struct Delivery *next_known;	/* of all that there are here */
	struct Delivery *prev_known;
	struct Endpoint *endpoint;
	Batch	   *batch;			/* the strings point into it */
	long long	delivery_no;
	long long	fence;
	int			attempt;
	const char *webhook_id;
	const char *url;
	const char *secrets;		/* "": nothing is signed */
	const char *event_id;
	const char *body;
	size_t		body_len;
	bool		fresh;			/* of the newer half of its claim */
	int64_t		lease_end_ms;	/* clock_ms() */
	Outcome		outcome;
} Delivery;

/* A queue of deliveries. */
typedef struct DeliveryList
{
	Delivery   *first;
	Delivery   *last;
	int			count;
} DeliveryList;

extern Delivery *delivery_new(const Delivery *claimed);
extern void delivery_numbers(Buf *array);
extern void delivery_free(Delivery *delivery);
extern bool delivery_succeeded(const Delivery *delivery);

extern void list_push(DeliveryList *list, Delivery *delivery);
extern void list_push_first(DeliveryList *list, Delivery *delivery);
extern Delivery *list_pop(DeliveryList *list);
extern void list_move(DeliveryList *list, DeliveryList *from, int count);
extern void list_prepend(DeliveryList *list, DeliveryList *others);

#endif							/* APPT_RELAY_DELIVERY_H */
