/*
 * args.h
 *		From what came to the parameters of a call's statement.
 */
#ifndef APPT_ARGS_H
#define APPT_ARGS_H

#include "http/call.h"
#include "http/caller.h"
#include "http/head.h"

/* What came, and of whom. */
typedef struct ArgSources
{
	const Head *head;
	const Body *body;
	const Caller *caller;
} ArgSources;

extern const Problem *args_gather(Call *call, const ArgSources *sources)
			__attribute__((warn_unused_result));

#endif							/* APPT_ARGS_H */
