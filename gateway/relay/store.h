/*
 * store.h
 *		The deliveries in the database: claiming and recording.
 */
#ifndef APPT_RELAY_STORE_H
#define APPT_RELAY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"

extern void store_open(const char *dsn);
extern void store_wake(void);
extern void store_record(Delivery *delivery);
extern void store_release(Delivery *delivery);
extern void store_stop_claiming(void);
extern bool store_done(void);
extern bool store_connected(void);
extern void store_pump(void);
extern int64_t store_due_ms(void);

#endif							/* APPT_RELAY_STORE_H */
