/*
 * claim.h
 *		Taking deliveries from the database, and giving back unsent ones.
 */
#ifndef APPT_RELAY_CLAIM_H
#define APPT_RELAY_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"
#include "relay/endpoint.h"

extern void claim_open(const char *dsn);
extern void claim_wake(void);
extern void claim_release(Delivery *delivery);
extern void claim_release_waiting(Endpoint *endpoint);
extern void claim_stop(void);
extern bool claim_done(void);
extern bool claim_connected(void);
extern bool claim_is_lively(void);
extern void claim_pump(void);
extern int64_t claim_due_ms(void);

#endif							/* APPT_RELAY_CLAIM_H */
