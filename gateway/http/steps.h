/*
 * steps.h
 *		The steps of a request from its target to its answer.
 */
#ifndef APPT_STEPS_H
#define APPT_STEPS_H

#include "http/exchange.h"

extern void steps_admit(Exchange *exchange);
extern void steps_run(Exchange *exchange);

#endif							/* APPT_STEPS_H */
