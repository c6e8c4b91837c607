/*
 * messages.h
 *		Messages to patients: taken, sent, recorded.
 */
#ifndef APPT_RELAY_MESSAGES_H
#define APPT_RELAY_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

extern void messages_open(const char *dsn);
extern void messages_wake(void);
extern void messages_pump(void);
extern int64_t messages_due_ms(void);
extern void messages_stop(void);
extern bool messages_done(void);

#endif							/* APPT_RELAY_MESSAGES_H */
