/*
 * mailer.h
 *		E-mails under way, by SMTP.
 */
#ifndef APPT_RELAY_MAILER_H
#define APPT_RELAY_MAILER_H

#include "relay/message.h"

extern void mailer_open(void (*done) (Message *message));
extern void mailer_send(Message *message);
extern void mailer_stop(void);

#endif							/* APPT_RELAY_MAILER_H */
