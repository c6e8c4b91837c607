/*
 * provider.h
 *		Requests to providers of SMS and WhatsApp under way.
 */
#ifndef APPT_RELAY_PROVIDER_H
#define APPT_RELAY_PROVIDER_H

#include "relay/message.h"

extern void provider_open(void (*done) (Message *message));
extern void provider_send(Message *message);
extern void provider_run(void);
extern int64_t provider_timeout_ms(void);

#endif							/* APPT_RELAY_PROVIDER_H */
