/*
 * reply.h
 *		From the database's answer to HTTP's.
 */
#ifndef APPT_REPLY_H
#define APPT_REPLY_H

#include "http/answer.h"
#include "http/call.h"
#include "http/head.h"
#include "http/query.h"

extern void reply_from_result(Answer *answer, const Call *call,
							  const Head *head, PGresult *result);
extern void reply_from_outcome(Answer *answer, Call *call, const Query *query,
							   QueryOutcome outcome, const PGresult *result);

#endif							/* APPT_REPLY_H */
