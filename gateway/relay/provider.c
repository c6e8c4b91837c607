/*
 * provider.c
 *		Requests to providers of SMS and WhatsApp under way.
 *
 *		They have connections and room of their own beside the webhooks'.  What
 *		is asked was written by the extension, whole; what the answer means is
 *		its judgement, too.
 */
#include "relay/provider.h"

#include <string.h>

#include "relay/multi.h"
#include "relay/settings.h"

static Multi multi;
static Transfer *idle = NULL;
static void (*provider_done) (Message *message);

static void add_headers(Transfer *transfer, const char *lines);
static void finish(void *owner, CURLcode code);

/* To be called once, after deliver_open; done is told of every message. */
void
provider_open(void (*done) (Message *message))
{
	provider_done = done;
	multi_open(&multi, settings.per_channel, finish);
}

/* Sends; done is called from provider_run or a socket's event, never here. */
void
provider_send(Message *message)
{
	Transfer   *transfer = transfer_take(&idle, message);

	message->outcome.started_at = transfer_clock();
	add_headers(transfer, message_text(message, MESSAGE_HEADERS));
	transfer_header(transfer, "User-Agent", "bioecko-appt/" APPT_VERSION);
	transfer_prepare(transfer, &(TransferRequest) {
		.url = message_text(message, MESSAGE_URL),
		.method = message_text(message, MESSAGE_METHOD),
		.body = message_text(message, MESSAGE_BODY),
		.body_len = strlen(message_text(message, MESSAGE_BODY)),
		.username = message_text_or_null(message, MESSAGE_USERNAME),
		.password = message_text_or_null(message, MESSAGE_SECRET),
	});
	multi_start(&multi, transfer->easy);
}

/* Lets libcurl do what its timer was set for. */
void
provider_run(void)
{
	multi_run(&multi);
}

/* How long the loop may wait before provider_run; -1: for ever. */
int64_t
provider_timeout_ms(void)
{
	return multi_timeout_ms(&multi);
}

/* Adds headers from lines of "name: value"; room is left for ours. */
static void
add_headers(Transfer *transfer, const char *lines)
{
	Buf			name = {0};
	Buf			value = {0};

	while (*lines != '\0' && transfer->header_count < HEADERS_MAX - 1)
	{
		size_t		len = strcspn(lines, "\n");
		const char *colon = memchr(lines, ':', len);

		if (colon != NULL)
		{
			buf_clear(&name);
			buf_clear(&value);
			buf_add(&name, lines, (size_t) (colon - lines));
			for (colon++; *colon == ' '; colon++)
				;
			buf_add(&value, colon, (size_t) (lines + len - colon));
			transfer_header(transfer, name.data, value.data);
		}
		lines += len + (lines[len] == '\n');
	}
	buf_free(&name);
	buf_free(&value);
}

/* The request is over: the transfer is idle again, its message told of. */
static void
finish(void *owner, CURLcode code)
{
	Transfer   *transfer = owner;
	Outcome		outcome = {0};
	Message    *message = transfer_finish(transfer, code, &outcome);

	outcome.started_at = message->outcome.started_at;
	message->outcome = outcome;
	transfer->next_idle = idle;
	idle = transfer;
	provider_done(message);
}
