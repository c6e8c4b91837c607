/*
 * record.h
 *		Telling the database what came of the attempts.
 */
#ifndef APPT_RELAY_RECORD_H
#define APPT_RELAY_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"

extern void record_open(const char *dsn, void (*wake) (void));
extern void record_add(Delivery *delivery);
extern void record_hurry(void);
extern bool record_done(void);
extern bool record_connected(void);
extern void record_pump(void);
extern int64_t record_due_ms(void);

#endif							/* APPT_RELAY_RECORD_H */
