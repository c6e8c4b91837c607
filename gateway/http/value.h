/*
 * value.h
 *		A value from the wire in the form that its argument must have.
 */
#ifndef APPT_VALUE_H
#define APPT_VALUE_H

#include "http/request.h"

extern bool value_is_absent(const Arg *arg, const char *text);
extern const char *value_from_text(Request *request, const Arg *arg,
								   const char *text);
extern const char *value_from_json(Request *request, const Arg *arg,
								   const char *name, const json_t *value);

#endif							/* APPT_VALUE_H */
