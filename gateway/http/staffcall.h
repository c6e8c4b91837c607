/*
 * staffcall.h
 *		What the calls of somebody who signs in, or is signed in, share.
 */
#ifndef APPT_STAFFCALL_H
#define APPT_STAFFCALL_H

#include <jansson.h>

#include "http/exchange.h"

extern bool staffcall_is_own(Exchange *exchange);
extern bool staffcall_gather(Exchange *exchange);
extern void staffcall_ask(Exchange *exchange, const Statement *statement,
						  const char *const *params, QueryDone done);
extern json_t *staffcall_answer(Exchange *exchange, Query *query,
								QueryOutcome outcome, PGresult *result);
extern void staffcall_json(Exchange *exchange, json_t *answer);
extern void staffcall_sign_in(Exchange *exchange, json_t *sign_in,
							  const char *token);
extern void staffcall_wrong(Exchange *exchange);

#endif							/* APPT_STAFFCALL_H */
