/*
 * staffauth.h
 *		Signing in and out, and one's own password.
 */
#ifndef APPT_STAFFAUTH_H
#define APPT_STAFFAUTH_H

extern void staffauth_init(void);

#endif							/* APPT_STAFFAUTH_H */
