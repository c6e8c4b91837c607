/*
 * routetable.h
 *		THE route table, which contract/generate writes.
 */
#ifndef APPT_ROUTETABLE_H
#define APPT_ROUTETABLE_H

#include "http/route.h"

extern const Route routes[];
extern const int route_count;

#endif							/* APPT_ROUTETABLE_H */
