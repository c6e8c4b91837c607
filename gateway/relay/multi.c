/*
 * multi.c
 *		Requests under way: libcurl's multi interface on the event loop.
 */
#include "relay/multi.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/loop.h"

#define SET_MULTI(multi, option, value) \
	do { \
		if (curl_multi_setopt((multi)->handle, (option), (value)) != CURLM_OK) \
			abort(); \
	} while (0)

static int	on_socket(CURL *easy, curl_socket_t fd, int what, void *multi,
					  void *watch);
static int	on_timer(CURLM *handle, long timeout_ms, void *multi);
static void socket_ready(Watch *watch, uint32_t events);
static void collect(Multi *multi);

/*
 * To be called once, after curl_global_init.  done is told of every request
 * that was started, from multi_run or a socket's event, never from
 * multi_start; the handle is out of the multi then.
 */
void
multi_open(Multi *multi, int max_connections,
		   void (*done) (void *owner, CURLcode code))
{
	*multi = (Multi) {
		.handle = curl_multi_init(),
		.done = done,
		.timer_ms = -1,
	};
	if (multi->handle == NULL)
		abort();
	SET_MULTI(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	SET_MULTI(multi, CURLMOPT_SOCKETDATA, multi);
	SET_MULTI(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	SET_MULTI(multi, CURLMOPT_TIMERDATA, multi);
	SET_MULTI(multi, CURLMOPT_MAXCONNECTS, (long) max_connections);
	SET_MULTI(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

/* Sends the request that the handle was prepared for. */
void
multi_start(Multi *multi, CURL *easy)
{
	if (curl_multi_add_handle(multi->handle, easy) != CURLM_OK)
		abort();
	multi->in_flight++;
}

/* How long the loop may wait before multi_run; -1: for ever. */
int64_t
multi_timeout_ms(const Multi *multi)
{
	int64_t		left;

	if (multi->timer_ms < 0)
		return -1;
	left = multi->timer_ms - clock_ms();
	return left > 0 ? left : 0;
}

/* Lets libcurl do what its timer was set for. */
void
multi_run(Multi *multi)
{
	int			running;

	if (multi->timer_ms >= 0 && multi->timer_ms <= clock_ms())
	{
		multi->timer_ms = -1;
		curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0,
								 &running);
	}
	collect(multi);
}

/* libcurl wants to hear of this socket, or no more of it. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket)
{
	Multi	   *multi = data;
	Watch	   *watch = socket;

	(void) easy;
	if (what == CURL_POLL_REMOVE)
	{
		if (watch != NULL)
			loop_free(watch);
		return 0;
	}
	if (watch == NULL)
	{
		watch = must_alloc(sizeof(*watch));
		*watch = (Watch) {
			.fd = -1,
			.ready = socket_ready,
			.context = multi,
		};
		curl_multi_assign(multi->handle, fd, watch);
	}
	loop_watch(watch, fd,
			   (what & CURL_POLL_IN ? EPOLLIN : 0) |
			   (what & CURL_POLL_OUT ? EPOLLOUT : 0));
	return 0;
}

/* libcurl wants multi_run to be called then. */
static int
on_timer(CURLM *handle, long timeout_ms, void *data)
{
	Multi	   *multi = data;

	(void) handle;
	multi->timer_ms = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	return 0;
}

/* Something can be read from or written to a socket of libcurl's. */
static void
socket_ready(Watch *watch, uint32_t events)
{
	Multi	   *multi = watch->context;
	int			running;
	int			what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		(events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		(events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

	curl_multi_socket_action(multi->handle, watch->fd, what, &running);
}

/* Finishes every request that libcurl is through with. */
static void
collect(Multi *multi)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi->handle, &left)) != NULL)
	{
		void	   *owner;
		CURLcode	code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
							  &owner) != CURLE_OK)
			abort();
		curl_multi_remove_handle(multi->handle, message->easy_handle);
		multi->in_flight--;
		multi->done(owner, code);
	}
}
