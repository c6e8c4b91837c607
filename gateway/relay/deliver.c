/*
 * deliver.c
 *		Sending deliveries: libcurl's multi interface on the relay's event
 *		loop.
 */
#include "relay/deliver.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/loop.h"
#include "relay/settings.h"
#include "relay/transfer.h"

#define SET_MULTI(option, value) \
	do { \
		if (curl_multi_setopt(multi, (option), (value)) != CURLM_OK) \
			abort(); \
	} while (0)

static CURLM *multi;
static DeliverDone deliver_done;
static Transfer *idle = NULL;	/* to be used again */
static int	in_flight = 0;
static int64_t timer_ms = -1;	/* clock_ms(); -1: not set */

static int	on_socket(CURL *easy, curl_socket_t fd, int what, void *unused,
					  void *watch);
static int	on_timer(CURLM *handle, long timeout_ms, void *unused);
static void socket_ready(Watch *watch, uint32_t events);
static void collect(void);
static void finish(Transfer *transfer, CURLcode code);

/* To be called once, before anything is sent. */
void
deliver_open(DeliverDone done)
{
	deliver_done = done;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(multi = curl_multi_init()) == NULL)
		abort();
	SET_MULTI(CURLMOPT_SOCKETFUNCTION, on_socket);
	SET_MULTI(CURLMOPT_TIMERFUNCTION, on_timer);
	SET_MULTI(CURLMOPT_MAXCONNECTS, (long) settings.max_in_flight);
	SET_MULTI(CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

/* Sends; done is called from deliver_run or a socket's event, never here. */
void
deliver_start(Delivery *delivery)
{
	Transfer   *transfer = idle;

	if (transfer != NULL)
		idle = transfer->next_idle;
	else
		transfer = transfer_new();
	transfer_prepare(transfer, delivery);
	if (curl_multi_add_handle(multi, transfer->easy) != CURLM_OK)
		abort();
	in_flight++;
}

/* Requests under way. */
int
deliver_in_flight(void)
{
	return in_flight;
}

/* How long the loop may wait before deliver_run; -1: for ever. */
int64_t
deliver_timeout_ms(void)
{
	int64_t		left;

	if (timer_ms < 0)
		return -1;
	left = timer_ms - clock_ms();
	return left > 0 ? left : 0;
}

/* What libcurl's own timer is for. */
void
deliver_run(void)
{
	int			running;

	if (timer_ms >= 0 && timer_ms <= clock_ms())
	{
		timer_ms = -1;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	collect();
}

/* libcurl wants to hear of this socket, or no more of it. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *unused, void *data)
{
	Watch	   *watch = data;

	(void) easy;
	(void) unused;
	if (what == CURL_POLL_REMOVE)
	{
		if (watch != NULL)
			loop_free(watch);
		return 0;
	}
	if (watch == NULL)
	{
		watch = must_alloc(sizeof(*watch));
		*watch = (Watch) {.fd = -1, .ready = socket_ready};
		curl_multi_assign(multi, fd, watch);
	}
	loop_watch(watch, fd,
			   (what & CURL_POLL_IN ? EPOLLIN : 0) |
			   (what & CURL_POLL_OUT ? EPOLLOUT : 0));
	return 0;
}

/* libcurl wants deliver_run to be called then. */
static int
on_timer(CURLM *handle, long timeout_ms, void *unused)
{
	(void) handle;
	(void) unused;
	timer_ms = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	return 0;
}

/* Something can be read from or written to a socket of libcurl's. */
static void
socket_ready(Watch *watch, uint32_t events)
{
	int			running;
	int			what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		(events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		(events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

	curl_multi_socket_action(multi, watch->fd, what, &running);
}

/* Finishes every request that libcurl is through with. */
static void
collect(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		Transfer   *transfer;
		CURLcode	code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
							  &transfer) != CURLE_OK)
			abort();
		finish(transfer, code);
	}
}

/* The request is over: the transfer is idle again, its delivery told of. */
static void
finish(Transfer *transfer, CURLcode code)
{
	Delivery   *delivery;

	curl_multi_remove_handle(multi, transfer->easy);
	delivery = transfer_finish(transfer, code);
	transfer->next_idle = idle;
	idle = transfer;
	in_flight--;
	deliver_done(delivery);
}
