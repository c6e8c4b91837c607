/*
 * transfer.c
 *		One request and its answer, as libcurl's easy handle.
 *
 *		Nothing from the environment (proxies, netrc) counts, no redirect is
 *		followed, every connection passes the guard, and of an answer no more
 *		is read than ANSWER_MAX_BYTES, headers included in a count of their
 *		own.  The status line is the answer: what follows it, or fails to,
 *		changes nothing.
 */
#include "relay/transfer.h"

#include <ctype.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "common/utf8.h"
#include "relay/settings.h"

_Static_assert(LIBCURL_VERSION_NUM >= 0x075700, "libcurl 7.87 is needed");

/* curl_easy_setopt fails by a mistake in this program alone. */
#define SET(easy, option, value) \
	do { \
		if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK) \
			abort(); \
	} while (0)

static void transfer_options(Transfer *transfer);
static const char *transfer_error(const Transfer *transfer, CURLcode code);
static bool is_redirect(int status);
static bool came_from_inside(const Transfer *transfer);
static void headers_link(Transfer *transfer);
static curl_socket_t on_open_socket(void *transfer, curlsocktype purpose,
									struct curl_sockaddr *address);
static size_t on_header(char *bytes, size_t size, size_t count,
						void *transfer);
static int	status_of(const char *line, size_t len);
static int	retry_after_of(const char *value, size_t len);
static size_t on_body(char *bytes, size_t size, size_t count,
					  void *transfer);

/*
 * A transfer for a request of the owner: an idle one, which goes to the list
 * again with its next_idle, or a new one.
 */
Transfer *
transfer_take(Transfer **idle, void *owner)
{
	Transfer   *transfer = *idle;

	if (transfer != NULL)
		*idle = transfer->next_idle;
	else
	{
		transfer = must_alloc(sizeof(*transfer));
		*transfer = (Transfer) {.easy = curl_easy_init()};
		if (transfer->easy == NULL)
			abort();
		transfer_options(transfer);
	}
	buf_clear(&transfer->header_text);
	*transfer = (Transfer) {
		.easy = transfer->easy,
		.header_text = transfer->header_text,
		.owner = owner,
		.started_ms = clock_ms(),
	};
	return transfer;
}

/* Adds a header; the value has no control characters. */
void
transfer_header(Transfer *transfer, const char *name, const char *value)
{
	if (transfer->header_count == HEADERS_MAX)
		abort();
	transfer->header_at[transfer->header_count++] = transfer->header_text.len;
	buf_text(&transfer->header_text, name);
	buf_text(&transfer->header_text, ": ");
	buf_add(&transfer->header_text, value, strlen(value) + 1);
}

/* Makes it that request, with the headers that were added; not sent yet. */
void
transfer_prepare(Transfer *transfer, const TransferRequest *request)
{
	transfer->scheme = strncasecmp(request->url, "https:", 6) == 0
		? GUARD_HTTPS : GUARD_HTTP;
	headers_link(transfer);
	SET(transfer->easy, CURLOPT_URL, request->url);
	SET(transfer->easy, CURLOPT_CUSTOMREQUEST, request->method);
	SET(transfer->easy, CURLOPT_POSTFIELDS, request->body);
	SET(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t) request->body_len);
	SET(transfer->easy, CURLOPT_USERNAME, request->username);
	SET(transfer->easy, CURLOPT_PASSWORD, request->password);
	SET(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* The request is over: writes what came of it and gives its owner back. */
void *
transfer_finish(Transfer *transfer, CURLcode code, Outcome *outcome)
{
	outcome->status = transfer->status;
	outcome->duration_ms = (int) (clock_ms() - transfer->started_ms);
	outcome->refused = code != CURLE_OK && transfer->refused &&
		!transfer->opened;
	outcome->error = transfer_error(transfer, code);
	outcome->retry_after_s = transfer->retry_after_s;
	utf8_clean(&outcome->answer, buf_get(&transfer->answer),
			   transfer->answer.len);
	outcome->inside = transfer->answer.len > 0 && came_from_inside(transfer);

	buf_free(&transfer->answer);
	return transfer->owner;
}

/* Seconds since 1970. */
double
transfer_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
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

/* Makes libcurl's list of the texts; it stays with the transfer. */
static void
headers_link(Transfer *transfer)
{
	int			i;

	for (i = 0; i < transfer->header_count; i++)
		transfer->headers[i] = (struct curl_slist) {
			.data = transfer->header_text.data + transfer->header_at[i],
			.next = i + 1 < transfer->header_count
				? &transfer->headers[i + 1] : NULL,
		};
}

/* What went wrong, in words that name neither host nor person. */
static const char *
transfer_error(const Transfer *transfer, CURLcode code)
{
	if (transfer->flooded)
		return "the answer was too long and was cut off";
	if (code != CURLE_OK && transfer->refused && !transfer->opened)
		return "the destination's address is not allowed";
	if (code != CURLE_OK)
		return transfer_failure(transfer->easy, code);
	if (transfer->status == 0)
		return "the answer ended before its status line did";
	if (is_redirect(transfer->status))
		return "redirects are not followed";
	return NULL;
}

/*
 * What libcurl says of a transfer that failed.  Of a certificate it has one
 * sentence for all that can be wrong; whose it is libcurl looks at itself,
 * before it asks OpenSSL, whose verdict is not there then.  A static text.
 */
const char *
transfer_failure(CURL *easy, CURLcode code)
{
	long		verdict = X509_V_OK;

	if (code != CURLE_PEER_FAILED_VERIFICATION)
		return curl_easy_strerror(code);
	if (curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict) !=
		CURLE_OK)
		abort();
	return verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED
		? "the server's certificate is another host's"
		: X509_verify_cert_error_string(verdict);
}

/* Whether the status sends elsewhere; 300 and 304 do not. */
static bool
is_redirect(int status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* Whether the answer is of an address that is not everybody's. */
static bool
came_from_inside(const Transfer *transfer)
{
	const char *address = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address);
	return address == NULL || guard_is_inside(address);
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
	transfer->opened = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
				  address->protocol);
}

/*
 * One line of the head: a status line, a header, an empty one, or a trailer,
 * which comes when some of the body has.
 */
static size_t
on_header(char *bytes, size_t size, size_t count, void *data)
{
	static const char retry_after[] = "retry-after:";
	const size_t name_len = sizeof(retry_after) - 1;
	Transfer   *transfer = data;
	size_t		len = size * count;

	transfer->header_bytes += len;
	if (transfer->header_bytes > ANSWER_MAX_BYTES)
	{
		transfer->flooded = true;
		return 0;
	}
	if (transfer->body_bytes > 0)
		return len;
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
	{
		transfer->status = status_of(bytes, len);
		transfer->retry_after_s = 0;
	}
	else if (len > name_len && strncasecmp(bytes, retry_after, name_len) == 0)
		transfer->retry_after_s =
			retry_after_of(bytes + name_len, len - name_len);
	return len;
}

/* The status in a status line; 0: it is an interim one, 1xx. */
static int
status_of(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t		rest = space != NULL ? len - (size_t) (space + 1 - line) : 0;
	int			status = 0;
	size_t		i;

	for (i = 0; i < 3 && i < rest && isdigit((unsigned char) space[1 + i]); i++)
		status = 10 * status + (space[1 + i] - '0');
	return i == 3 && status >= 200 ? status : 0;
}

/*
 * Seconds that a Retry-After asks for: a number of them or a date (RFC 9110,
 * 10.2.3), at most RETRY_AFTER_MAX_S; 0 for what is neither, or past.
 * CURLINFO_RETRY_AFTER is not asked, as from libcurl 8.9 on it ends at 6 hours.
 */
static int
retry_after_of(const char *value, size_t len)
{
	char		text[64];
	size_t		digits;
	long long	seconds;

	while (len > 0 && isspace((unsigned char) *value))
		value++, len--;
	while (len > 0 && isspace((unsigned char) value[len - 1]))
		len--;
	if (len == 0 || len >= sizeof(text))
		return 0;
	memcpy(text, value, len);
	text[len] = '\0';
	digits = strspn(text, "0123456789");
	if (digits == len)
		seconds = strtoll(text, NULL, 10);
	else if (isalpha((unsigned char) text[0]))
		seconds = (long long) curl_getdate(text, NULL) - (long long) time(NULL);
	else
		return 0;
	return seconds <= 0 ? 0
		: seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (int) seconds;
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
