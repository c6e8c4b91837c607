/*
 * outcome.h
 *		Telling the database what came of messages to patients, in batches.
 */
#ifndef APPT_RELAY_OUTCOME_H
#define APPT_RELAY_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/message.h"

extern void outcome_open(const char *dsn, void (*wake) (void));
extern void outcome_add(Message *message);
extern void outcome_hurry(void);
extern void outcome_pump(void);
extern int64_t outcome_due_ms(void);

#endif							/* APPT_RELAY_OUTCOME_H */
