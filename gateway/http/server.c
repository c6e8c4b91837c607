/*
 * server.c
 *		libmicrohttpd's callbacks: connections come and go, requests come in
 *		piece by piece, answers go out.
 *
 *		On a request's first call nothing is queued unless the connection is
 *		to be closed after it: libmicrohttpd would close it anyway.
 */
#include "http/server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "http/headers.h"
#include "http/lastword.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/request.h"
#include "http/tls.h"

#define SERVER_BODY_GIVE_UP (1024 * 1024)
#define SERVER_SPARE_MAX 256

/*
 * How strict libmicrohttpd reads: from 1.0 on as it recommends; before that
 * "strict" is at odds with HTTP, and headers.c alone refuses.
 */
#if MHD_VERSION >= 0x01000000
#define SERVER_DISCIPLINE MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define SERVER_DISCIPLINE MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

static enum MHD_Result server_admit(void *context,
									const struct sockaddr *address,
									socklen_t len);
static void *server_uri(void *context, const char *uri,
						struct MHD_Connection *connection);
static enum MHD_Result server_handle(void *context,
									 struct MHD_Connection *connection,
									 const char *url, const char *method,
									 const char *version,
									 const char *upload_data,
									 size_t *upload_data_size,
									 void **request_context);
static bool server_must_not_wait(Request *request);
static enum MHD_Result server_body(Request *request, const char *bytes,
								   size_t *size);
static enum MHD_Result server_answer(Request *request);
static enum MHD_Result server_send(Request *request);
static void server_completed(void *context, struct MHD_Connection *connection,
							 void **request_context,
							 enum MHD_RequestTerminationCode how);
static int	server_status(const Request *request);
static void server_log(const Request *request);
static void server_connection(void *context,
							  struct MHD_Connection *connection,
							  void **socket_context,
							  enum MHD_ConnectionNotificationCode code);
static size_t server_keep_escapes(void *context,
								  struct MHD_Connection *connection,
								  char *text);
static void server_said(void *context, const char *format, va_list args)
			__attribute__((format(printf, 2, 0)));

/* Starts libmicrohttpd on the loop's listening socket. */
bool
server_start(Worker *worker)
{
	unsigned	flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG | MHD_USE_TURBO | (tls_wanted() ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *) tls_certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	worker->daemon = MHD_start_daemon(
		flags, 0, server_admit, worker, server_handle, worker,
		MHD_OPTION_EXTERNAL_LOGGER, server_said, NULL,
		MHD_OPTION_LISTEN_SOCKET, worker->listen_fd,
		MHD_OPTION_ARRAY, tls_wanted() ? tls : tls + 2,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned) options.connection_limit,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) REQUEST_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned) (options.idle_timeout_ms / 1000 + 30),
		SERVER_DISCIPLINE,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, server_keep_escapes, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, server_uri, worker,
		MHD_OPTION_NOTIFY_CONNECTION, server_connection, worker,
		MHD_OPTION_NOTIFY_COMPLETED, server_completed, worker,
		MHD_OPTION_END);
	if (worker->daemon == NULL)
		LOG_ERROR("could not start the HTTP server");
	return worker->daemon != NULL;
}

/* The descriptor that becomes readable when libmicrohttpd has work. */
int
server_epoll_fd(Worker *worker)
{
	return MHD_get_daemon_info(worker->daemon,
							   MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

/* Takes no new connection. */
void
server_quiesce(Worker *worker)
{
	MHD_socket	fd = MHD_quiesce_daemon(worker->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

/* Ends all connections. */
void
server_stop(Worker *worker)
{
	MHD_stop_daemon(worker->daemon);
	while (worker->spare != NULL)
	{
		Request    *request = worker->spare;
		worker->spare = request->next;
		buf_free(&request->body);
		free(request);
	}
}

/* Whether a connection from the address is taken. */
static enum MHD_Result
server_admit(void *context, const struct sockaddr *address, socklen_t len)
{
	IpAddress	ip;

	(void) len;
	return !ip_from_socket(address, &ip) || shares_admit(context, &ip)
		? MHD_YES : MHD_NO;
}

/* A request line came: from here on the request counts and its time runs. */
static void *
server_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
	Worker	   *worker = context;
	Request    *request = worker->spare;
	const Problem *problem = headers_line_refusal(uri);

	if (request != NULL)
	{
		worker->spare = request->next;
		worker->spare_count--;
	}
	else
	{
		request = must_alloc(sizeof(Request));
		*request = (Request) {0};
	}
	request->worker = worker;
	request->connection = connection;
	request->client = *(Client **) MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	request->from = request->client->address;
	request->started_us = clock_us();
	request->target = arena_strdup(&request->arena, uri);
	request->client->request = request;
	request->client->deadline_ms = clock_ms() + options.request_timeout_ms;
	worker->running++;
	if (problem != NULL)
		lastword_refuse(request->client, problem);
	return request;
}

/* The request, called again and again: headers, body, end, answer. */
static enum MHD_Result
server_handle(void *context, struct MHD_Connection *connection,
			  const char *url, const char *method, const char *version,
			  const char *upload_data, size_t *upload_data_size,
			  void **request_context)
{
	Request    *request = *request_context;

	(void) context;
	(void) connection;
	(void) url;
	if (request->state == REQUEST_NEW && request->answer.status != 0)
		return MHD_NO;			/* the last word is said */
	if (*upload_data_size > 0)
		return server_body(request, upload_data, upload_data_size);
	switch (request->state)
	{
		case REQUEST_NEW:
			request->method = arena_strdup(&request->arena, method);
			request->state = REQUEST_READING;
			if (!headers_read(request, version))
				return server_send(request);
			request->from = peer_of_request(request);
			request_admit(request);
			return server_must_not_wait(request) ? server_answer(request)
				: MHD_YES;
		case REQUEST_READING:
			request->client->deadline_ms = 0;
			request_run(request);
			return request->state == REQUEST_ANSWERED
				? server_answer(request) : MHD_YES;
		case REQUEST_WAITING:
			return MHD_YES;
		case REQUEST_ANSWERED:
			return server_answer(request);
	}
	return MHD_NO;
}

/* Queues the answer, now or when it is let go. */
static enum MHD_Result
server_answer(Request *request)
{
	if (request->hold == HOLD_NONE)
		return server_send(request);
	strangers_hold(request);
	return MHD_YES;
}

/*
 * Whether the answer is to go out before the body comes: the client waits to
 * be told to send it.  One that sends it anyway is heard out and then answered
 * on a connection that stays open.
 */
static bool
server_must_not_wait(Request *request)
{
	if (request->state != REQUEST_ANSWERED || request->headers.expect == NULL)
		return false;
	request->answer.close = true;
	return true;
}

/*
 * A piece of the body.  Of a request that is refused already, and beyond the
 * call's limit, it is counted and dropped.
 */
static enum MHD_Result
server_body(Request *request, const char *bytes, size_t *size)
{
	request->body_seen += *size;
	if (request->body_seen > SERVER_BODY_GIVE_UP)
		return MHD_NO;
	if (request->state == REQUEST_READING &&
		request->body_seen <= request->body_max)
		buf_add(&request->body, bytes, *size);
	*size = 0;
	return MHD_YES;
}

/* Queues the answer. */
static enum MHD_Result
server_send(Request *request)
{
	Answer	   *answer = &request->answer;
	struct MHD_Response *response;
	enum MHD_Result queued;
	int			i;

	response = MHD_create_response_from_buffer(
		answer->len, (void *) answer->body, MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	if (answer->content_type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
								answer->content_type);
	for (i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name,
								answer->headers[i].value);
	if (answer->close || request->worker->stopping)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	queued = MHD_queue_response(request->connection,
								(unsigned) answer->status, response);
	MHD_destroy_response(response);
	request->queued = true;
	request->client->deadline_ms =
		loop_now_ms() + options.request_timeout_ms;
	return queued;
}

/* The answer is out, or the connection is gone: the request is done with. */
static void
server_completed(void *context, struct MHD_Connection *connection,
				 void **request_context, enum MHD_RequestTerminationCode how)
{
	Worker	   *worker = context;
	Request    *request = *request_context;

	(void) connection;
	(void) how;
	if (request == NULL)
		return;
	if (request->id[0] == '\0')
		headers_name_request(request);
	server_log(request);
	request->client->request = NULL;
	request->client->idle_since_ms = clock_ms();
	request->client->deadline_ms = loop_now_ms() + options.idle_timeout_ms;
	worker->running--;
	request_reset(request);
	if (worker->spare_count < SERVER_SPARE_MAX)
	{
		request->next = worker->spare;
		worker->spare = request;
		worker->spare_count++;
	}
	else
	{
		buf_free(&request->body);
		free(request);
	}
	*request_context = NULL;
}

/* The status that the client got, be it libmicrohttpd's own; 0: none. */
static int
server_status(const Request *request)
{
	const union MHD_ConnectionInfo *info;

	if (request->answer.status != 0)
		return request->answer.status;
	info = MHD_get_connection_info(request->connection,
								   MHD_CONNECTION_INFO_HTTP_STATUS);
	return info != NULL ? (int) info->http_status : 0;
}

/* Counts the request and writes its log line. */
static void
server_log(const Request *request)
{
	int64_t		duration_us = clock_us() - request->started_us;
	int			status = server_status(request);
	char		address[IP_TEXT_SIZE];

	metrics_request(request->route, status, duration_us);
	if (!options.request_log)
		return;
	ip_text(&request->from, address);
	LOG_INFO("request",
			 log_text("id", request->id),
			 log_text("method", request->route != NULL
					  ? request->route->method : ""),
			 log_text("route", request->route != NULL
					  ? request->route->path : ""),
			 log_int("status", status),
			 log_int("us", duration_us),
			 log_text("client", request->caller.client_id),
			 log_text("address", address));
}

/* A connection begins or ends. */
static void
server_connection(void *context, struct MHD_Connection *connection,
				  void **socket_context,
				  enum MHD_ConnectionNotificationCode code)
{
	Worker	   *worker = context;
	Client	   *client = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
	{
		if (client == NULL)
			return;
		client->prev->next = client->next;
		client->next->prev = client->prev;
		shares_end(worker, client);
		free(client);
		worker->client_count--;
		metrics_connections(-1);
		return;
	}
	client = must_alloc(sizeof(Client));
	*client = (Client) {
		.next = &worker->clients,
		.prev = worker->clients.prev,
		.fd = MHD_get_connection_info(
			connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
		.deadline_ms = clock_ms() + options.request_timeout_ms,
		.address = peer_of_connection(connection),
		.connection = connection,
	};
	client->prev->next = client;
	worker->clients.prev = client;
	worker->client_count++;
	shares_begin(worker, client);
	metrics_connections(1);
	*socket_context = client;
}

/* Nothing is unescaped behind our back: %2F stays what it is. */
static size_t
server_keep_escapes(void *context, struct MHD_Connection *connection,
					char *text)
{
	(void) context;
	(void) connection;
	return strlen(text);
}

/* What libmicrohttpd has to say; never with a client's data in it. */
static void
server_said(void *context, const char *format, va_list args)
{
	(void) context;
	(void) args;
	LOG_DEBUG("libmicrohttpd", log_text("format", format));
}
