/*
 * mime.h
 *		An e-mail as it goes over the wire.
 */
#ifndef APPT_RELAY_MIME_H
#define APPT_RELAY_MIME_H

#include <stdbool.h>
#include <time.h>

#include "common/buf.h"

typedef struct Mail
{
	const char *sender;			/* addresses, of mime_is_address's form */
	const char *recipient;
	const char *reply_to;		/* NULL: none */
	const char *sender_name;	/* NULL: none; any text */
	const char *recipient_name;
	const char *subject;
	const char *message_id;		/* with its angle brackets */
	const char *language;
	const char *unsubscribe;	/* URL (RFC 8058); NULL: none */
	const char *text;			/* lines that end with LF */
	const char *method;			/* the calendar's; NULL: there is none */
	const char *calendar;		/* as calendar_write has it */
	time_t		date;
} Mail;

extern bool mime_is_address(const char *text);
extern void mime_write(Buf *out, const Mail *mail);

#endif							/* APPT_RELAY_MIME_H */
