/*
 * body.h
 *		A call's JSON body.
 */
#ifndef APPT_BODY_H
#define APPT_BODY_H

#include "http/call.h"
#include "http/head.h"

extern const Problem *body_parse(Call *call, const Head *head,
								 const Body *body)
			__attribute__((warn_unused_result));
extern bool body_is_coded(const Head *head);
extern void body_check_members(Call *call);
extern const char *body_text(const Call *call);

#endif							/* APPT_BODY_H */
