/*
 * deliver.h
 *		Sending deliveries over HTTP.
 */
#ifndef APPT_RELAY_DELIVER_H
#define APPT_RELAY_DELIVER_H

#include "relay/delivery.h"

/* Is given every delivery that was started, with its outcome. */
typedef void (*DeliverDone) (Delivery *delivery);

extern void deliver_open(DeliverDone done);
extern void deliver_start(Delivery *delivery);
extern int	deliver_in_flight(void);
extern int64_t deliver_timeout_ms(void);
extern void deliver_run(void);

#endif							/* APPT_RELAY_DELIVER_H */
