/*
 * body.h
 *		A request's JSON body.
 */
#ifndef APPT_BODY_H
#define APPT_BODY_H

#include "http/request.h"

extern bool body_parse(Request *request) __attribute__((warn_unused_result));
extern void body_check_members(Request *request);
extern const char *body_text(Request *request);

#endif							/* APPT_BODY_H */
