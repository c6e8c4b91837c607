/*
 * notify.h
 *		The connection that hears of new deliveries.
 */
#ifndef APPT_RELAY_NOTIFY_H
#define APPT_RELAY_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

extern void notify_open(const char *dsn, void (*wake) (void));
extern void notify_pump(void);
extern int64_t notify_due_ms(void);
extern bool notify_listening(void);

#endif							/* APPT_RELAY_NOTIFY_H */
