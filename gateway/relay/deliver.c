/*
 * deliver.c
 *		Sending deliveries: libcurl's multi interface on the relay's event
 *		loop.
 */
#include "relay/deliver.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "relay/multi.h"
#include "relay/settings.h"
#include "relay/sign.h"
#include "relay/transfer.h"

static Multi multi;
static DeliverDone deliver_done;
static Transfer *idle = NULL;	/* to be used again */

static void add_headers(Transfer *transfer, const Delivery *delivery);
static void add_signatures(Transfer *transfer, const Delivery *delivery,
						   const SignInput *input);
static void finish(void *owner, CURLcode code);

/* To be called once, before anything is sent. */
void
deliver_open(DeliverDone done)
{
	deliver_done = done;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	multi_open(&multi, settings.max_in_flight, finish);
}

/* Sends; done is called from deliver_run or a socket's event, never here. */
void
deliver_start(Delivery *delivery)
{
	Transfer   *transfer = transfer_take(&idle, delivery);

	delivery->outcome.started_at = transfer_clock();
	add_headers(transfer, delivery);
	transfer_prepare(transfer, &(TransferRequest) {
		.url = delivery->url,
		.method = "POST",
		.body = delivery->body,
		.body_len = delivery->body_len,
	});
	multi_start(&multi, transfer->easy);
}

/* Requests under way. */
int
deliver_in_flight(void)
{
	return multi.in_flight;
}

/* How long the loop may wait before deliver_run; -1: for ever. */
int64_t
deliver_timeout_ms(void)
{
	return multi_timeout_ms(&multi);
}

/* Lets libcurl do what its timer was set for. */
void
deliver_run(void)
{
	multi_run(&multi);
}

/* The request's headers; the signature is made anew for each attempt. */
static void
add_headers(Transfer *transfer, const Delivery *delivery)
{
	const SignInput input = {
		.secrets = delivery->secrets,
		.id = delivery->event_id,
		.timestamp = (long long) delivery->outcome.started_at,
		.body = delivery->body,
		.body_len = delivery->body_len,
	};
	Buf			value = {0};

	transfer_header(transfer, "Content-Type", "application/json");
	transfer_header(transfer, "User-Agent", "bioecko-appt/" APPT_VERSION);
	transfer_header(transfer, "webhook-id", delivery->event_id);
	buf_printf(&value, "%lld", input.timestamp);
	transfer_header(transfer, "webhook-timestamp", value.data);
	buf_free(&value);
	if (delivery->secrets[0] != '\0')
		add_signatures(transfer, delivery, &input);
}

/* By all secrets that sign now, in the published form and the standard one. */
static void
add_signatures(Transfer *transfer, const Delivery *delivery,
			   const SignInput *input)
{
	const char *others;
	Buf			value = {0};

	others = sign_published(input, delivery->secrets, &value);
	transfer_header(transfer, "X-Bio-Ecko-Signature", value.data);
	if (others[0] != '\0')
	{
		buf_clear(&value);
		sign_published(input, others, &value);
		transfer_header(transfer, "X-Bio-Ecko-Signature-Previous", value.data);
	}
	buf_clear(&value);
	sign_standard(input, &value);
	transfer_header(transfer, "webhook-signature", value.data);
	buf_free(&value);
}

/* The request is over: the transfer is idle again, its delivery told of. */
static void
finish(void *owner, CURLcode code)
{
	Transfer   *transfer = owner;
	Outcome		outcome = {0};
	Delivery   *delivery = transfer_finish(transfer, code, &outcome);

	outcome.started_at = delivery->outcome.started_at;
	delivery->outcome = outcome;
	transfer->next_idle = idle;
	idle = transfer;
	deliver_done(delivery);
}
