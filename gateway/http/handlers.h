/*
 * handlers.h
 *		The functions that answer a call without a statement of its row.  The
 *		contract names them; each is defined in the file whose subject it is,
 *		which includes this, so that the compiler compares the two.
 */
#ifndef APPT_HANDLERS_H
#define APPT_HANDLERS_H

struct Exchange;

#define SERVED(name) extern void name(struct Exchange *exchange);
#include "served.gen.h"
#undef SERVED

#endif							/* APPT_HANDLERS_H */
