/*
 * callback.h
 *		What providers of SMS and WhatsApp report of messages.
 */
#ifndef APPT_CALLBACK_H
#define APPT_CALLBACK_H

struct Exchange;

extern void callback_init(void);
extern void serve_callback(struct Exchange *exchange);
extern void serve_callback_check(struct Exchange *exchange);

#endif							/* APPT_CALLBACK_H */
