/*
 * wake.h
 *		Wakes the relay when something was written: once for many.
 */
#ifndef APPT_WAKE_H
#define APPT_WAKE_H

#include "http/pool.h"

typedef struct Wake
{
	Pool	   *pool;
	int64_t		due_ms;			/* when to wake the relay; 0: no need */
	Query		query;
	bool		busy;			/* the query is under way */
	bool		again;			/* something was written since it was sent */
} Wake;

extern void wake_init(void);
extern void wake_soon(Wake *wake);
extern void wake_turn(Wake *wake);
extern int64_t wake_due_ms(const Wake *wake);
extern bool wake_is_due(const Wake *wake);

#endif							/* APPT_WAKE_H */
