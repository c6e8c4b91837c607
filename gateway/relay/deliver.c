/*
 * deliver.c
 *		Sending deliveries over HTTP: libcurl's multi interface on the relay's
 *		event loop.
 *
 *		Nothing from the environment (proxies, netrc) counts, no redirect is
 *		followed, every connection passes the guard, and of an answer no more
 *		is read than ANSWER_MAX_BYTES, headers included in a count of their
 *		own.  A 2xx status line with all its headers is a success, whatever
 *		becomes of the body.
 */
#include "relay/deliver.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "relay/guard.h"
#include "relay/loop.h"
#include "relay/settings.h"
#include "relay/sign.h"
#include "relay/utf8.h"

_Static_assert(LIBCURL_VERSION_NUM >= 0x075700, "libcurl 7.87 is needed");

/* A wrong option is a mistake of ours, never a condition of the day. */
#define SET(easy, option, value) \
	do { \
		if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK) \
			abort(); \
	} while (0)
#define SET_MULTI(option, value) \
	do { \
		if (curl_multi_setopt(multi, (option), (value)) != CURLM_OK) \
			abort(); \
	} while (0)

/* One request under way; kept and used again. */
typedef struct Transfer
{
	struct Transfer *next_idle;
	CURL	   *easy;
	Delivery   *delivery;
	struct curl_slist *headers;
	int64_t		started_ms;
	size_t		header_bytes;
	size_t		body_bytes;
	bool		answered;		/* the final status and all headers came */
	bool		refused;		/* by the guard, an address at least */
	bool		flooded;		/* the answer was cut off */
	GuardScheme scheme;
	Buf			answer;			/* its first bytes, raw */
} Transfer;

static CURLM *multi;
static DeliverDone deliver_done;
static Transfer *idle = NULL;
static int	in_flight = 0;
static int64_t timer_ms = -1;	/* clock_ms(); -1: not set */

static Transfer *transfer_take(void);
static void transfer_options(Transfer *transfer);
static void transfer_headers(Transfer *transfer);
static void transfer_finish(Transfer *transfer, CURLcode code);
static const char *transfer_error(const Transfer *transfer, CURLcode code,
								  int status);
static void header_add(Transfer *transfer, const char *name,
					   const char *value);
static curl_socket_t on_open_socket(void *transfer, curlsocktype purpose,
									struct curl_sockaddr *address);
static size_t on_header(char *bytes, size_t size, size_t count,
						void *transfer);
static size_t on_body(char *bytes, size_t size, size_t count,
					  void *transfer);
static int	on_socket(CURL *easy, curl_socket_t fd, int what, void *unused,
					  void *watch);
static int	on_timer(CURLM *handle, long timeout_ms, void *unused);
static void socket_ready(Watch *watch, uint32_t events);
static void collect(void);

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
	Transfer   *transfer = transfer_take();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	delivery->outcome.started_at =
		(double) now.tv_sec + (double) now.tv_nsec / 1e9;
	transfer->delivery = delivery;
	transfer->started_ms = clock_ms();
	transfer->scheme = strncmp(delivery->url, "https:", 6) == 0
		? GUARD_HTTPS : GUARD_HTTP;
	transfer_headers(transfer);
	SET(transfer->easy, CURLOPT_URL, delivery->url);
	SET(transfer->easy, CURLOPT_POSTFIELDS, delivery->body);
	SET(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t) delivery->body_len);
	SET(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
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

/* Ends what is under way without an outcome. */
void
deliver_close(void)
{
	curl_multi_cleanup(multi);
	curl_global_cleanup();
}

/* A transfer that is not in use. */
static Transfer *
transfer_take(void)
{
	Transfer   *transfer = idle;

	if (transfer != NULL)
	{
		idle = transfer->next_idle;
		return transfer;
	}
	transfer = must_alloc(sizeof(*transfer));
	*transfer = (Transfer) {.easy = curl_easy_init()};
	if (transfer->easy == NULL)
		abort();
	transfer_options(transfer);
	return transfer;
}

/* What is the same for every request. */
static void
transfer_options(Transfer *transfer)
{
	CURL	   *easy = transfer->easy;

	SET(easy, CURLOPT_PRIVATE, transfer);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_QUICK_EXIT, 1L);
	SET(easy, CURLOPT_POST, 1L);
	SET(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
	SET(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) settings.connect_timeout_ms);
	SET(easy, CURLOPT_TIMEOUT_MS, (long) settings.timeout_ms);
	SET(easy, CURLOPT_MAXLIFETIME_CONN, 300L);
	SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (settings.ca_file[0] != '\0')
		SET(easy, CURLOPT_CAINFO, settings.ca_file);
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(easy, CURLOPT_OPENSOCKETDATA, transfer);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, transfer);
	SET(easy, CURLOPT_WRITEFUNCTION, on_body);
	SET(easy, CURLOPT_WRITEDATA, transfer);
}

/* The request's headers; the signature is made anew for each attempt. */
static void
transfer_headers(Transfer *transfer)
{
	const Delivery *delivery = transfer->delivery;
	SignInput	input = {
		.secrets = delivery->secrets,
		.id = delivery->event_id,
		.timestamp = (long long) delivery->outcome.started_at,
		.body = delivery->body,
		.body_len = delivery->body_len,
	};
	const char *others;
	Buf			value = {0};

	header_add(transfer, "Content-Type", "application/json");
	header_add(transfer, "User-Agent", "bioecko-appt/" APPT_VERSION);
	header_add(transfer, "webhook-id", delivery->event_id);
	buf_printf(&value, "%lld", input.timestamp);
	header_add(transfer, "webhook-timestamp", value.data);
	if (delivery->secrets[0] != '\0')
	{
		buf_clear(&value);
		others = sign_published(&input, input.secrets, &value);
		header_add(transfer, "X-Bio-Ecko-Signature", value.data);
		if (others[0] != '\0')
		{
			buf_clear(&value);
			sign_published(&input, others, &value);
			header_add(transfer, "X-Bio-Ecko-Signature-Previous", value.data);
		}
		buf_clear(&value);
		sign_standard(&input, &value);
		header_add(transfer, "webhook-signature", value.data);
	}
	buf_free(&value);
}

/* Adds one header. */
static void
header_add(Transfer *transfer, const char *name, const char *value)
{
	struct curl_slist *list;
	Buf			line = {0};

	buf_printf(&line, "%s: %s", name, value);
	list = curl_slist_append(transfer->headers, line.data);
	if (list == NULL)
		abort();
	transfer->headers = list;
	buf_free(&line);
}

/* The guard: called with every address that libcurl is about to try. */
static curl_socket_t
on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	Transfer   *transfer = data;

	if (purpose != CURLSOCKTYPE_IPCXN ||
		!guard_permits(&address->addr, transfer->scheme))
	{
		transfer->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
				  address->protocol);
}

/* One header line, the status line and the empty last one among them. */
static size_t
on_header(char *bytes, size_t size, size_t count, void *data)
{
	Transfer   *transfer = data;
	size_t		len = size * count;
	long		status = 0;

	transfer->header_bytes += len;
	if (transfer->header_bytes > ANSWER_MAX_BYTES)
	{
		transfer->flooded = true;
		return 0;
	}
	if (len <= 2 && (bytes[0] == '\r' || bytes[0] == '\n'))
	{
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		transfer->answered = status >= 200;
	}
	return len;
}

/* Some of the body: its beginning is kept, its length has a limit. */
static size_t
on_body(char *bytes, size_t size, size_t count, void *data)
{
	Transfer   *transfer = data;
	size_t		len = size * count;
	size_t		room = ANSWER_KEPT_BYTES - transfer->answer.len;

	transfer->body_bytes += len;
	buf_add(&transfer->answer, bytes, len < room ? len : room);
	if (transfer->body_bytes > ANSWER_MAX_BYTES)
	{
		transfer->flooded = true;
		return 0;
	}
	return len;
}

/* The request is over: its outcome is told and the transfer idle again. */
static void
transfer_finish(Transfer *transfer, CURLcode code)
{
	Delivery   *delivery = transfer->delivery;
	Outcome    *outcome = &delivery->outcome;
	curl_off_t	retry_after = 0;
	long		status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	outcome->status = transfer->answered ? (int) status : 0;
	outcome->duration_ms = (int) (clock_ms() - transfer->started_ms);
	outcome->refused = code != CURLE_OK && transfer->refused;
	outcome->error = transfer_error(transfer, code, outcome->status);
	outcome->retry_after_s = retry_after > RETRY_AFTER_MAX_S
		? RETRY_AFTER_MAX_S : (int) retry_after;
	utf8_clean(&outcome->answer, buf_get(&transfer->answer),
			   transfer->answer.len);

	curl_multi_remove_handle(multi, transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_free(&transfer->answer);
	*transfer = (Transfer) {.easy = transfer->easy, .next_idle = idle};
	idle = transfer;
	in_flight--;
	deliver_done(delivery);
}

/* What went wrong, in words that name neither host nor person. */
static const char *
transfer_error(const Transfer *transfer, CURLcode code, int status)
{
	if (transfer->flooded)
		return "the answer was too long and was cut off";
	if (code != CURLE_OK && transfer->refused)
		return "the destination's address is not allowed";
	if (code != CURLE_OK)
		return curl_easy_strerror(code);
	if (status == 0)
		return "the answer ended before its headers did";
	if (status >= 300 && status <= 399)
		return "redirects are not followed";
	return NULL;
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
		transfer_finish(transfer, code);
	}
}
