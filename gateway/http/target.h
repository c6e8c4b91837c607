/*
 * target.h
 *		A request's target: path segments and query parameters.
 */
#ifndef APPT_TARGET_H
#define APPT_TARGET_H

#include "http/head.h"

typedef struct QueryParam
{
	const char *name;
	const char *value;
} QueryParam;

typedef struct QueryParams
{
	QueryParam	items[HEAD_PARAMS_MAX];
	int			count;
} QueryParams;

extern const char *target_before_slash(Head *head);
extern bool target_split(Head *head) __attribute__((warn_unused_result));
extern bool target_params(Arena *arena, const char *text,
						  QueryParams *params)
			__attribute__((warn_unused_result));

#endif							/* APPT_TARGET_H */
