/*
 * serving.h
 *		A request as libmicrohttpd would hand it over, from bytes, and its
 *		answer judged.
 */
#ifndef APPT_FUZZ_SERVING_H
#define APPT_FUZZ_SERVING_H

#include "http/exchange.h"

/* What the database answers in a fuzz target: a row of text. */
typedef struct FakeRow
{
	QueryOutcome outcome;
	const char *const *names;	/* of the columns, NULL at the end */
	const char *const *values;
} FakeRow;

extern FakeRow fake_row;

extern void serving_init(void);
extern void serving_run(const uint8_t *data, size_t size);

#endif							/* APPT_FUZZ_SERVING_H */
