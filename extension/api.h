/*
 * api.h
 *		Reading the arguments of SQL-callable functions.  NULL becomes NULL, 0
 *		or false, which every request struct reads as "not given".
 */
#ifndef APPT_API_H
#define APPT_API_H

#include "booking.h"

extern char *api_text(FunctionCallInfo fcinfo, int n);
extern int	api_int(FunctionCallInfo fcinfo, int n);
extern OptionalTime api_time(FunctionCallInfo fcinfo, int n);
extern OptionalInt api_optional_int(FunctionCallInfo fcinfo, int n);
extern bool api_bool(FunctionCallInfo fcinfo, int n);

#endif							/* APPT_API_H */
