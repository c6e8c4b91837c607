/*
 * array.h
 *		PostgreSQL's array literals, written item by item: {1,2} or {"a",NULL}.
 *		A Buf that is empty is one that is begun.
 */
#ifndef APPT_ARRAY_H
#define APPT_ARRAY_H

#include "common/buf.h"

extern void array_text(Buf *array, const char *item);
extern void array_number(Buf *array, long long item);
extern void array_bool(Buf *array, bool item);
extern void array_end(Buf *array);

#endif							/* APPT_ARRAY_H */
