/*
 * hold.h
 *		Answers that are held back.
 */
#ifndef APPT_HOLD_H
#define APPT_HOLD_H

#include "http/exchange.h"

extern void hold_answer(Exchange *exchange);
extern void hold_turn(Service *service);
extern int64_t hold_due_ms(const Service *service);

#endif							/* APPT_HOLD_H */
