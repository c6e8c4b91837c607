/*
 * value.h
 *		A value from the wire in the form that its argument must have.
 */
#ifndef APPT_VALUE_H
#define APPT_VALUE_H

#include "http/call.h"

extern bool value_is_absent(const Arg *arg, const char *text);
extern const char *value_from_text(Call *call, const Arg *arg,
								   const char *text);
extern const char *value_from_json(Call *call, const Arg *arg,
								   const char *name, const json_t *value);

#endif							/* APPT_VALUE_H */
