/*
 * vigil.h
 *		Whether somebody whose answer goes on may still ask for it.
 */
#ifndef APPT_VIGIL_H
#define APPT_VIGIL_H

#include "http/exchange.h"

typedef struct Vigil Vigil;

extern bool vigil_permits(Vigil **vigil, Exchange *exchange);
extern void vigil_end(Vigil *vigil);

#endif							/* APPT_VIGIL_H */
