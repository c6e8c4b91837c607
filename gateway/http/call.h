/*
 * call.h
 *		What is asked: a row of the route table and its parameters.
 */
#ifndef APPT_CALL_H
#define APPT_CALL_H

#include <jansson.h>

#include "http/arena.h"
#include "http/errors.h"
#include "http/route.h"

typedef struct Call
{
	Arena	   *arena;
	const Route *route;			/* NULL until matched */
	json_t	   *json;			/* the body, parsed; or NULL */
	const char *params[ROUTE_PARAMS_MAX];	/* of the row's statement */
	const char **password;		/* the one of them to be hashed, or NULL */
	FieldError *fields;			/* bad fields so far */
	Scope		missing_scope;	/* that an argument needs, or SCOPE_NONE */
	bool		csv;			/* the answer is to be CSV */
	bool		stream;			/* the answer is to go on */
	int			page;
	int			per_page;
} Call;

extern void call_field_error(Call *call, const char *field,
							 const char *format,...)
			__attribute__((format(printf, 3, 4)));

#endif							/* APPT_CALL_H */
