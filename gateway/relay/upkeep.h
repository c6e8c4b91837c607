/*
 * upkeep.h
 *		What is done by the clock: leases, held deliveries, numbers, retention.
 */
#ifndef APPT_RELAY_UPKEEP_H
#define APPT_RELAY_UPKEEP_H

#include <stdint.h>

extern void upkeep_open(const char *dsn, void (*wake) (void));
extern void upkeep_pump(void);
extern int64_t upkeep_due_ms(void);

#endif							/* APPT_RELAY_UPKEEP_H */
