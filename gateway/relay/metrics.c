/*
 * metrics.c
 *		/metrics, /healthz and /readyz on an address of their own.
 *
 *		libmicrohttpd answers in a thread of its own with the text that the
 *		relay published last; the lock covers that text and the numbers it was
 *		made of.
 */
#include "relay/metrics.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"

Metrics		metrics;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Buf	published = {0};
static Metrics shown;			/* what metrics was at that time */

static bool address_parse(const char *text, struct sockaddr_in6 *address);
static void metric(const char *name, const char *type, const char *help,
				   double value);
static void outcomes(void);
static void health_text(Buf *text);
static enum MHD_Result on_request(void *unused,
								  struct MHD_Connection *connection,
								  const char *url, const char *method,
								  const char *version, const char *body,
								  size_t *body_len, void **context);

/* Starts the listener; says why it cannot. */
bool
metrics_listen(const char *address)
{
	struct sockaddr_in6 bind_to;
	struct MHD_Daemon *daemon = NULL;
	bool		valid = address_parse(address, &bind_to);

	if (valid)
		daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			(bind_to.sin6_family == AF_INET6 ? MHD_USE_IPv6 : 0),
			0, NULL, NULL, on_request, NULL,
			MHD_OPTION_SOCK_ADDR, &bind_to,
			MHD_OPTION_CONNECTION_LIMIT, 32u,
			MHD_OPTION_CONNECTION_TIMEOUT, 10u,
			MHD_OPTION_END);
	if (daemon == NULL)
		LOG_ERROR("cannot listen", log_text("address", address),
				  log_text("what", valid ? "is the port taken?"
						   : "it is no address:port"));
	return daemon != NULL;
}

/* Reads 127.0.0.1:8091 or [::1]:8091. */
static bool
address_parse(const char *text, struct sockaddr_in6 *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	const char *colon = strrchr(text, ':');
	char		host[64];
	char	   *end;
	size_t		len;
	long		port;

	if (colon == NULL || (len = (size_t) (colon - text)) >= sizeof(host))
		return false;
	port = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || port < 0 || port > 65535)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	memset(address, 0, sizeof(*address));
	if (host[0] == '[' && len > 2 && host[len - 1] == ']')
	{
		host[len - 1] = '\0';
		address->sin6_family = AF_INET6;
		address->sin6_port = htons((uint16_t) port);
		return inet_pton(AF_INET6, host + 1, &address->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t) port);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

/* Makes the numbers of now the ones that are shown. */
void
metrics_publish(void)
{
	const Backlog *backlog = &metrics.backlog;

	pthread_mutex_lock(&lock);
	buf_clear(&published);
	shown = metrics;
	outcomes();
	metric("dead_total", "counter", "Deliveries given up", metrics.dead);
	metric("endpoints_disabled_total", "counter",
		   "Endpoints disabled for failing or by 410", metrics.disabled);
	metric("refused_total", "counter",
		   "Attempts that the destination guard refused", metrics.refused);
	metric("attempt_seconds_total", "counter",
		   "Time of all attempts together", metrics.duration_ms / 1000.0);
	metric("claims_total", "counter", "Claims made", metrics.claims);
	metric("claimed_total", "counter", "Deliveries claimed",
		   metrics.claimed);
	metric("released_total", "counter",
		   "Deliveries given back unsent", metrics.released);
	metric("leases_expired_total", "counter",
		   "Leases that ran out, of any relay", metrics.expired);
	metric("results_dropped_total", "counter",
		   "Results that the database did not take", metrics.dropped_results);
	metric("notifications_total", "counter", "Wake-ups by NOTIFY",
		   metrics.notifications);
	metric("messages_total", "counter", "Attempts to send messages to patients",
		   metrics.messages);
	metric("messages_failed_total", "counter", "Messages to patients given up",
		   metrics.messages_failed);
	metric("sending", "gauge", "Requests under way in this relay",
		   metrics.sending);
	metric("sending_slow", "gauge",
		   "Of these at endpoints that fail or are slow", metrics.sending_slow);
	metric("connected", "gauge", "1: the database answers",
		   metrics.connected);
	metric("listening", "gauge", "1: NOTIFY would be heard",
		   metrics.listening);
	metric("pending", "gauge", "Deliveries to be sent", backlog->pending);
	metric("due", "gauge", "Deliveries that could be sent now",
		   backlog->due);
	metric("in_flight", "gauge", "Deliveries leased by any relay",
		   backlog->in_flight);
	metric("held", "gauge", "Deliveries of disabled endpoints",
		   backlog->held);
	metric("oldest_due_seconds", "gauge", "How long the oldest due one waits",
		   backlog->oldest_due_s);
	metric("endpoints", "gauge", "Endpoints", backlog->endpoints);
	metric("endpoints_disabled", "gauge", "Endpoints that are disabled",
		   backlog->endpoints_disabled);
	metric("endpoints_failing", "gauge",
		   "Endpoints whose last attempt failed", backlog->endpoints_failing);
	pthread_mutex_unlock(&lock);
}

/* Adds one number with its description. */
static void
metric(const char *name, const char *type, const char *help, double value)
{
	buf_printf(&published,
			   "# HELP bioecko_relay_%s %s.\n# TYPE bioecko_relay_%s %s\n"
			   "bioecko_relay_%s %.15g\n", name, help, name, type, name, value);
}

/* The attempts by outcome. */
static void
outcomes(void)
{
	buf_printf(&published,
			   "# HELP bioecko_relay_attempts_total Attempts by outcome.\n"
			   "# TYPE bioecko_relay_attempts_total counter\n"
			   "bioecko_relay_attempts_total{outcome=\"delivered\"} %lld\n"
			   "bioecko_relay_attempts_total{outcome=\"status\"} %lld\n"
			   "bioecko_relay_attempts_total{outcome=\"network\"} %lld\n",
			   metrics.delivered, metrics.failed_status,
			   metrics.failed_network);
}

/* Alive, and how things stand; the caller holds the lock. */
static void
health_text(Buf *text)
{
	buf_printf(text, "{\"status\":\"ok\",\"database\":%s,\"listening\":%s,"
			   "\"pending\":%lld,\"due\":%lld,\"oldest_due_s\":%.0f,"
			   "\"in_flight\":%lld,\"held\":%lld,\"delivered\":%lld,"
			   "\"failed\":%lld,\"dead\":%lld}\n",
			   shown.connected ? "true" : "false",
			   shown.listening ? "true" : "false",
			   shown.backlog.pending, shown.backlog.due,
			   shown.backlog.oldest_due_s, shown.backlog.in_flight,
			   shown.backlog.held, shown.delivered,
			   shown.failed_status + shown.failed_network, shown.dead);
}

/* Answers GET; runs in the listener's thread. */
static enum MHD_Result
on_request(void *unused, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *body,
		   size_t *body_len, void **context)
{
	static int	seen;
	unsigned	status = MHD_HTTP_OK;
	Buf			text = {0};
	struct MHD_Response *response;
	enum MHD_Result queued;

	(void) unused;
	(void) version;
	(void) body;
	/* Answering at the first call would end the connection. */
	if (*context == NULL || *body_len > 0)
	{
		*context = &seen;
		*body_len = 0;
		return MHD_YES;
	}

	pthread_mutex_lock(&lock);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (strcmp(url, "/metrics") == 0)
		buf_text(&text, buf_get(&published));
	else if (strcmp(url, "/healthz") == 0)
		health_text(&text);
	else if (strcmp(url, "/readyz") == 0)
	{
		status = shown.connected ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
		buf_printf(&text, "{\"status\":\"%s\"}\n",
				   shown.connected ? "ready" : "no database");
	}
	else
		status = MHD_HTTP_NOT_FOUND;
	pthread_mutex_unlock(&lock);

	response = MHD_create_response_from_buffer(
		text.len, (void *) buf_get(&text), MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
							strcmp(url, "/metrics") == 0
							? "text/plain; version=0.0.4"
							: "application/json");
	queued = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	buf_free(&text);
	return queued;
}
