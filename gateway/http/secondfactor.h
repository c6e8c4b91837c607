/*
 * secondfactor.h
 *		One's own one-time codes: a key is shown, and counts once a code of it
 *		came.
 */
#ifndef APPT_SECONDFACTOR_H
#define APPT_SECONDFACTOR_H

struct Exchange;

extern void secondfactor_init(void);
extern void serve_begin_totp(struct Exchange *exchange);
extern void serve_confirm_totp(struct Exchange *exchange);

#endif							/* APPT_SECONDFACTOR_H */
