/*
 * target.h
 *		A request's target: path segments and query parameters.
 */
#ifndef APPT_TARGET_H
#define APPT_TARGET_H

#include "http/request.h"

#define QUERY_PARAMS_MAX 32

typedef struct QueryParam
{
	const char *name;
	const char *value;
} QueryParam;

typedef struct QueryParams
{
	QueryParam	items[QUERY_PARAMS_MAX];
	int			count;
} QueryParams;

extern bool target_split(Request *request) __attribute__((warn_unused_result));
extern bool target_params(Arena *arena, const char *text,
						  QueryParams *params)
			__attribute__((warn_unused_result));

#endif							/* APPT_TARGET_H */
