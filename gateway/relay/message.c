/*
 * message.c
 *		A message to a patient that this relay has leased, and lists of them.
 */
#include "relay/message.h"

#include <stdlib.h>
#include <string.h>

#include "common/array.h"

static Message *known = NULL;

/* The message of a row; it keeps the batch until it is freed. */
Message *
message_from_row(MessageBatch *batch, int row)
{
	Message    *message = must_alloc(sizeof(*message));

	*message = (Message) {.batch = batch, .row = row};
	message->notification_no = strtoll(message_text(message, MESSAGE_NO),
									   NULL, 10);
	message->fence = strtoll(message_text(message, MESSAGE_FENCE), NULL, 10);
	message->channel_no = (int) strtol(message_text(message,
													MESSAGE_CHANNEL_NO),
									   NULL, 10);
	message->is_mail =
		strcmp(message_text(message, MESSAGE_PROTOCOL), "email") == 0;
	batch->users++;
	message->next_known = known;
	if (known != NULL)
		known->prev_known = message;
	known = message;
	return message;
}

/* One of its texts; "" where it has none. */
const char *
message_text(const Message *message, MessageColumn column)
{
	return PQgetvalue(message->batch->rows, message->row, column);
}

/* The same, NULL where it has none. */
const char *
message_text_or_null(const Message *message, MessageColumn column)
{
	return PQgetisnull(message->batch->rows, message->row, column)
		? NULL : message_text(message, column);
}

/* The numbers of all messages that this relay has, as an array literal. */
void
message_numbers(Buf *array)
{
	const Message *message;

	for (message = known; message != NULL; message = message->next_known)
		array_number(array, message->notification_no);
	array_end(array);
}

/* Frees a message that is in no list, and its batch with the last one. */
void
message_free(Message *message)
{
	MessageBatch *batch = message->batch;

	if (--batch->users == 0)
	{
		PQclear(batch->rows);
		free(batch);
	}
	if (message->prev_known != NULL)
		message->prev_known->next_known = message->next_known;
	else
		known = message->next_known;
	if (message->next_known != NULL)
		message->next_known->prev_known = message->prev_known;
	buf_free(&message->outcome.answer);
	free(message);
}

/* Adds at the end. */
void
message_push(MessageList *list, Message *message)
{
	message->next = NULL;
	if (list->last != NULL)
		list->last->next = message;
	else
		list->first = message;
	list->last = message;
	list->count++;
}

/* Takes the first; NULL if there is none. */
Message *
message_pop(MessageList *list)
{
	Message    *message = list->first;

	if (message == NULL)
		return NULL;
	list->first = message->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	message->next = NULL;
	return message;
}

/* Moves all of the other list to the end of this one. */
void
message_move(MessageList *list, MessageList *from)
{
	Message    *message;

	while ((message = message_pop(from)) != NULL)
		message_push(list, message);
}
