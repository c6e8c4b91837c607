/*
 * callback.h
 *		What providers of SMS and WhatsApp report of messages.
 */
#ifndef APPT_CALLBACK_H
#define APPT_CALLBACK_H

extern void callback_init(void);

#endif							/* APPT_CALLBACK_H */
