/*
 * message.h
 *		A message to a patient that this relay has leased, and lists of them.
 */
#ifndef APPT_RELAY_MESSAGE_H
#define APPT_RELAY_MESSAGE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/transfer.h"

/* What appt_relay.claim_notifications returned; freed with its last one. */
typedef struct MessageBatch
{
	PGresult   *rows;
	int			users;
} MessageBatch;

/* The columns of appt_internal.message, in their order. */
typedef enum MessageColumn
{
	MESSAGE_NO,
	MESSAGE_FENCE,
	MESSAGE_ATTEMPT,
	MESSAGE_CHANNEL_NO,
	MESSAGE_PROTOCOL,
	MESSAGE_URL,
	MESSAGE_USERNAME,
	MESSAGE_SECRET,
	MESSAGE_METHOD,
	MESSAGE_HEADERS,
	MESSAGE_BODY,
	MESSAGE_SECURITY,
	MESSAGE_SENDER,
	MESSAGE_SENDER_NAME,
	MESSAGE_REPLY_TO,
	MESSAGE_RECIPIENT,
	MESSAGE_RECIPIENT_NAME,
	MESSAGE_SUBJECT,
	MESSAGE_ID,
	MESSAGE_LANGUAGE,
	CALENDAR_METHOD,
	CALENDAR_UID,
	CALENDAR_SEQUENCE,
	CALENDAR_START,
	CALENDAR_END,
	CALENDAR_STAMP,
	CALENDAR_SUMMARY,
	CALENDAR_LOCATION,
	MESSAGE_UNSUBSCRIBE,
	CALENDAR_DESCRIPTION,
} MessageColumn;

typedef struct Message
{
	struct Message *next;		/* in its list */
	struct Message *next_known;	/* of all that there are here */
	struct Message *prev_known;
	MessageBatch *batch;
	int			row;
	long long	notification_no;
	long long	fence;
	int			channel_no;
	bool		is_mail;
	int64_t		lease_end_ms;	/* clock_ms() */
	Outcome		outcome;
} Message;

/* A queue of messages. */
typedef struct MessageList
{
	Message    *first;
	Message    *last;
	int			count;
} MessageList;

extern Message *message_from_row(MessageBatch *batch, int row);
extern const char *message_text(const Message *message, MessageColumn column);
extern const char *message_text_or_null(const Message *message,
										MessageColumn column);
extern void message_numbers(Buf *array);
extern void message_free(Message *message);
extern void message_push(MessageList *list, Message *message);
extern Message *message_pop(MessageList *list);
extern void message_move(MessageList *list, MessageList *from);

#endif							/* APPT_RELAY_MESSAGE_H */
