/*
 * json.h
 *		Reads JSON whose nesting is bounded.
 */
#ifndef APPT_JSON_H
#define APPT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Why a text was not read. */
typedef struct JsonFault
{
	bool		too_deep;
	bool		repeats;		/* a member of an object is there twice */
	int			line;
	int			column;
} JsonFault;

extern json_t *json_read(const char *text, size_t len, int depth,
						 JsonFault *fault)
			__attribute__((warn_unused_result));
extern void json_settle_numbers(json_t *value);

#endif							/* APPT_JSON_H */
