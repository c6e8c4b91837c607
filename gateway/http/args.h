/*
 * args.h
 *		From a request to the parameters of its statement.
 */
#ifndef APPT_ARGS_H
#define APPT_ARGS_H

#include "http/request.h"

typedef enum ArgsOutcome
{
	ARGS_GOOD,					/* params are filled */
	ARGS_REFUSED,				/* the request is answered */
} ArgsOutcome;

extern ArgsOutcome args_gather(Request *request, const char **params)
			__attribute__((warn_unused_result));

#endif							/* APPT_ARGS_H */
