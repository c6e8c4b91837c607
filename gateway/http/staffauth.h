/*
 * staffauth.h
 *		Signing in and out, and one's own password.
 */
#ifndef APPT_STAFFAUTH_H
#define APPT_STAFFAUTH_H

struct Exchange;

extern void staffauth_init(void);
extern void serve_sign_in(struct Exchange *exchange);
extern void serve_signed_in(struct Exchange *exchange);
extern void serve_sign_out(struct Exchange *exchange);
extern void serve_own_password(struct Exchange *exchange);

#endif							/* APPT_STAFFAUTH_H */
