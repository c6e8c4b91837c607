/*
 * vigil.h
 *		Whether the caller of an event stream may still have it.
 */
#ifndef APPT_VIGIL_H
#define APPT_VIGIL_H

#include "http/exchange.h"

typedef struct Vigil Vigil;

extern bool vigil_permits(Vigil **vigil, Exchange *exchange);
extern void vigil_end(Vigil *vigil);

#endif							/* APPT_VIGIL_H */
