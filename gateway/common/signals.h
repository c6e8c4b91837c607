/*
 * signals.h
 *		Signals as bytes on a descriptor that an event loop can wait for.
 */
#ifndef APPT_SIGNALS_H
#define APPT_SIGNALS_H

extern int	signals_open(void) __attribute__((warn_unused_result));
extern int	signals_next(int fd);

#endif							/* APPT_SIGNALS_H */
