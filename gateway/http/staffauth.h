/*
 * staffauth.h
 *		Signing in and out, and one's own password.
 */
#ifndef APPT_STAFFAUTH_H
#define APPT_STAFFAUTH_H

#include "http/attempt.h"

extern void staffauth_init(void);
extern void staffauth_own(Exchange *exchange,
						  void (*then) (Exchange *, Attempt *));

#endif							/* APPT_STAFFAUTH_H */
