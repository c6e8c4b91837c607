/*
 * secondfactor.h
 *		One's own one-time codes: a key is shown, and counts once a code of it
 *		came.
 */
#ifndef APPT_SECONDFACTOR_H
#define APPT_SECONDFACTOR_H

extern void secondfactor_init(void);

#endif							/* APPT_SECONDFACTOR_H */
