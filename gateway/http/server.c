/*
 * server.c
 *		libmicrohttpd's callbacks: connections come and go, requests come in
 *		piece by piece, answers go out.
 *
 *		On a request's first call nothing is queued unless the connection is
 *		to be closed after it: libmicrohttpd would close it anyway.
 */
#include "http/server.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "http/hold.h"
#include "http/lastword.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/response.h"
#include "http/steps.h"
#include "http/tls.h"

#define SERVER_BODY_GIVE_UP (1024 * 1024)
#define SERVER_SPARE_MAX 256
#define SERVER_TURNS 8
#define SERVER_FAR_MS 60000
#define SERVER_CROWD 200		/* connections; of fewer no memory is trimmed */

/*
 * How strict libmicrohttpd reads: from 1.0 on as it recommends; before that
 * "strict" is at odds with HTTP, and head.c alone refuses.
 */
#if MHD_VERSION >= 0x01000000
#define SERVER_DISCIPLINE MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define SERVER_DISCIPLINE MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

static enum MHD_Result server_admit(void *context,
									const struct sockaddr *address,
									socklen_t len);
static void close_late(Server *server);
static void end_abandoned(Connections *connections);
static bool is_gone(const Connection *connection);
static void trim_memory(Connections *connections);
static void *server_uri(void *context, const char *uri,
						struct MHD_Connection *connection);
static enum MHD_Result server_handle(void *context,
									 struct MHD_Connection *connection,
									 const char *url, const char *method,
									 const char *version,
									 const char *upload_data,
									 size_t *upload_data_size,
									 void **request_context);
static enum MHD_Result server_head(Exchange *exchange, const char *method,
								   const char *version);
static enum MHD_Result server_header(void *context, enum MHD_ValueKind kind,
									 const char *name, const char *value);
static bool server_must_not_wait(Exchange *exchange);
static enum MHD_Result server_body(Exchange *exchange, const char *bytes,
								   size_t *size);
static enum MHD_Result server_answer(Exchange *exchange);
static enum MHD_Result server_send(Exchange *exchange);
static void server_completed(void *context, struct MHD_Connection *connection,
							 void **request_context,
							 enum MHD_RequestTerminationCode how);
static int	server_status(const Exchange *exchange);
static void server_log(const Exchange *exchange);
static void server_connection(void *context,
							  struct MHD_Connection *connection,
							  void **socket_context,
							  enum MHD_ConnectionNotificationCode code);
static IpAddress connection_address(struct MHD_Connection *connection);
static size_t server_keep_escapes(void *context,
								  struct MHD_Connection *connection,
								  char *text);
static void server_said(void *context, const char *format, va_list args)
			__attribute__((format(printf, 2, 0)));

/* Starts libmicrohttpd on the loop's listening socket. */
bool
server_start(Server *server, Service *service, int listen_fd)
{
	unsigned	flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG | MHD_USE_TURBO | (tls_wanted() ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *) tls_certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	*server = (Server) {.service = service};
	connections_init(&server->connections);
	server->daemon = MHD_start_daemon(
		flags, 0, server_admit, server, server_handle, server,
		MHD_OPTION_EXTERNAL_LOGGER, server_said, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_ARRAY, tls_wanted() ? tls : tls + 2,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned) options.connection_limit,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HEAD_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned) (options.idle_timeout_ms / 1000 + 30),
		SERVER_DISCIPLINE,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, server_keep_escapes, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, server_uri, server,
		MHD_OPTION_NOTIFY_CONNECTION, server_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, server_completed, server,
		MHD_OPTION_END);
	if (server->daemon == NULL)
		LOG_ERROR("could not start the HTTP server");
	return server->daemon != NULL;
}

/* The descriptor that becomes readable when libmicrohttpd has work. */
int
server_epoll_fd(Server *server)
{
	return MHD_get_daemon_info(server->daemon,
							   MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

/* When libmicrohttpd is to be run, whatever its descriptor says. */
int64_t
server_due_ms(Server *server)
{
	unsigned long long left_ms;

	return MHD_get_timeout(server->daemon, &left_ms) == MHD_YES &&
		left_ms < SERVER_FAR_MS ? clock_ms() + (int64_t) left_ms : INT64_MAX;
}

/*
 * Runs libmicrohttpd until it has nothing left to do at once: its descriptor
 * is edge-triggered, so it must not be left with something in hand.
 */
void
server_run(Server *server)
{
	unsigned long long left_ms;
	int			turns = 0;

	do
		MHD_run(server->daemon);
	while (++turns < SERVER_TURNS &&
		   MHD_get_timeout(server->daemon, &left_ms) == MHD_YES &&
		   left_ms == 0);
}

/* What is done ten times a second. */
void
server_tick(Server *server)
{
	close_late(server);
	end_abandoned(&server->connections);
	trim_memory(&server->connections);
}

/*
 * Ends connections whose request did not come whole, whose answer was not
 * fetched, or that idled too long; when stopping, all that wait for nothing.
 */
static void
close_late(Server *server)
{
	Connections *connections = &server->connections;
	Connection *connection;

	for (connection = connections->ring.next; connection != &connections->ring;
		 connection = connection->next)
	{
		if (connection->deadline_ms != 0 &&
			loop_now_ms() >= connection->deadline_ms)
			lastword_late(connection);
		else if (server->service->stopping && connection->exchange == NULL)
			shutdown(connection->fd, SHUT_RDWR);
		else
			continue;
		connection->deadline_ms = 0;
	}
}

/* Abandons the exchanges whose clients have gone. */
static void
end_abandoned(Connections *connections)
{
	Connection *connection;

	for (connection = connections->ring.next; connection != &connections->ring;
		 connection = connection->next)
	{
		if (connection->exchange != NULL &&
			exchange_may_be_abandoned(connection->exchange) &&
			is_gone(connection))
			exchange_abandon(connection->exchange);
	}
}

/*
 * Whether the other side has ended the connection.  One that has only ended its
 * own half counts as gone, as it does for nginx.
 */
static bool
is_gone(const Connection *connection)
{
	struct pollfd other = {.fd = connection->fd, .events = POLLRDHUP};

	return poll(&other, 1, 0) > 0;
}

/*
 * Gives memory back to the system when most of many connections have gone:
 * malloc keeps what lies between blocks in use, for good.
 */
static void
trim_memory(Connections *connections)
{
	if (connections->count > connections->peak)
		connections->peak = connections->count;
	if (connections->peak < SERVER_CROWD ||
		connections->count > connections->peak / 4)
		return;
	connections->peak = connections->count;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* Takes no new connection, and ends those that wait for nothing. */
void
server_quiesce(Server *server)
{
	MHD_socket	fd = MHD_quiesce_daemon(server->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	close_late(server);
}

/* Ends all connections. */
void
server_stop(Server *server)
{
	MHD_stop_daemon(server->daemon);
	while (server->spare != NULL)
	{
		Exchange   *exchange = server->spare;
		server->spare = exchange->next;
		buf_free(&exchange->body.bytes);
		free(exchange);
	}
}

/* Whether a connection from the address is taken. */
static enum MHD_Result
server_admit(void *context, const struct sockaddr *address, socklen_t len)
{
	const Server *server = context;
	IpAddress	ip;

	(void) len;
	return !ip_from_socket(address, &ip) ||
		connections_admit(&server->connections, &ip)
		? MHD_YES : MHD_NO;
}

/* A request line came: from here on the request counts and its time runs. */
static void *
server_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
	Server	   *server = context;
	Exchange   *exchange = server->spare;
	Connection *from = *(Connection **) MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const Problem *problem = head_line_problem(uri);

	if (exchange != NULL)
	{
		server->spare = exchange->next;
		server->spare_count--;
	}
	else
	{
		exchange = must_alloc(sizeof(Exchange));
		*exchange = (Exchange) {0};
	}
	exchange_begin(exchange, server->service, from, uri);
	from->deadline_ms = clock_ms() + options.request_timeout_ms;
	if (problem != NULL)
		lastword_refuse(from, problem);
	return exchange;
}

/* The request, called again and again: headers, body, end, answer. */
static enum MHD_Result
server_handle(void *context, struct MHD_Connection *connection,
			  const char *url, const char *method, const char *version,
			  const char *upload_data, size_t *upload_data_size,
			  void **request_context)
{
	Exchange   *exchange = *request_context;

	(void) context;
	(void) connection;
	(void) url;
	if (exchange->state == EXCHANGE_NEW && exchange_is_answered(exchange))
		return MHD_NO;			/* the last word is said */
	if (*upload_data_size > 0)
		return server_body(exchange, upload_data, upload_data_size);
	if (exchange->state == EXCHANGE_NEW)
		return server_head(exchange, method, version);
	if (exchange->state == EXCHANGE_WAITING)
		return MHD_YES;
	if (!exchange_is_answered(exchange))
	{
		exchange->connection->deadline_ms = 0;
		steps_run(exchange);
	}
	return exchange->state == EXCHANGE_RUNNING
		? server_answer(exchange) : MHD_YES;
}

/* The head is here. */
static enum MHD_Result
server_head(Exchange *exchange, const char *method, const char *version)
{
	Head	   *head = &exchange->head;
	const Problem *problem;

	head->method = arena_strdup(&exchange->arena, method);
	exchange->state = EXCHANGE_RUNNING;
	MHD_get_connection_values(exchange->connection->mhd, MHD_HEADER_KIND,
							  server_header, head);
	head_name(head);
	problem = head_problem(head, version);
	if (problem != NULL)
	{
		exchange_refuse(exchange, problem);
		exchange->answer.close = true;
		return server_send(exchange);
	}
	head->from = peer_of_head(head, &exchange->connection->address);
	steps_admit(exchange);
	return server_must_not_wait(exchange) ? server_answer(exchange) : MHD_YES;
}

/* One header. */
static enum MHD_Result
server_header(void *context, enum MHD_ValueKind kind, const char *name,
			  const char *value)
{
	(void) kind;
	head_add(context, name, value != NULL ? value : "");
	return MHD_YES;
}

/* Queues the answer, now or when it is let go. */
static enum MHD_Result
server_answer(Exchange *exchange)
{
	if (exchange->hold == HOLD_NONE)
		return server_send(exchange);
	hold_answer(exchange);
	return MHD_YES;
}

/*
 * Whether the answer is to go out before the body comes: the sender waits to
 * be told to send it.  One that sends it anyway is heard out and then answered
 * on a connection that stays open.
 */
static bool
server_must_not_wait(Exchange *exchange)
{
	if (!exchange_is_answered(exchange) || exchange->head.expect == NULL)
		return false;
	exchange->answer.close = true;
	return true;
}

/*
 * A piece of the body.  Of a request that is refused already, and beyond the
 * call's limit, it is counted and dropped.
 */
static enum MHD_Result
server_body(Exchange *exchange, const char *bytes, size_t *size)
{
	Body	   *body = &exchange->body;

	body->seen += *size;
	if (body->seen > SERVER_BODY_GIVE_UP)
		return MHD_NO;
	if (!exchange_is_answered(exchange) && body->seen <= body->max)
		buf_add(&body->bytes, bytes, *size);
	*size = 0;
	return MHD_YES;
}

/* Queues the answer. */
static enum MHD_Result
server_send(Exchange *exchange)
{
	Answer	   *answer = &exchange->answer;
	struct MHD_Response *response;
	enum MHD_Result queued;

	exchange_complete(exchange);
	response = response_of(exchange);
	if (response == NULL)
		return MHD_NO;
	queued = MHD_queue_response(exchange->connection->mhd,
								(unsigned) answer->status, response);
	MHD_destroy_response(response);
	exchange->queued = true;
	exchange->answered_us = clock_us();
	exchange->connection->deadline_ms = answer->stream != NULL ? 0
		: loop_now_ms() + options.request_timeout_ms;
	return queued;
}

/* The answer is out, or the connection is gone: the request is done with. */
static void
server_completed(void *context, struct MHD_Connection *connection,
				 void **request_context, enum MHD_RequestTerminationCode how)
{
	Server	   *server = context;
	Exchange   *exchange = *request_context;

	(void) connection;
	(void) how;
	if (exchange == NULL)
		return;
	head_name(&exchange->head);
	server_log(exchange);
	if (exchange->answer.stream != NULL)
		exchange->answer.stream->ended(exchange->answer.stream);
	exchange->connection->exchange = NULL;
	exchange->connection->idle_since_ms = clock_ms();
	exchange->connection->deadline_ms = loop_now_ms() + options.idle_timeout_ms;
	server->service->running--;
	exchange_reset(exchange);
	if (server->spare_count < SERVER_SPARE_MAX)
	{
		exchange->next = server->spare;
		server->spare = exchange;
		server->spare_count++;
	}
	else
	{
		buf_free(&exchange->body.bytes);
		free(exchange);
	}
	*request_context = NULL;
}

/* The status that was sent, be it libmicrohttpd's own; 0: none. */
static int
server_status(const Exchange *exchange)
{
	const union MHD_ConnectionInfo *info;

	if (exchange->abandoned)
		return STATUS_ABANDONED;
	if (exchange->answer.status != 0)
		return exchange->answer.status;
	info = MHD_get_connection_info(exchange->connection->mhd,
								   MHD_CONNECTION_INFO_HTTP_STATUS);
	return info != NULL ? (int) info->http_status : 0;
}

/*
 * Counts the request and writes its log line.  A stream's time is that to its
 * beginning.
 */
static void
server_log(const Exchange *exchange)
{
	int64_t		duration_us = (exchange->answer.stream != NULL
							   ? exchange->answered_us : clock_us()) -
		exchange->started_us;
	int			status = server_status(exchange);
	char		address[IP_TEXT_SIZE];

	metrics_request(exchange->call.route, status, duration_us);
	if (!options.request_log)
		return;
	ip_text(&exchange->head.from, address);
	LOG_INFO("request",
			 log_text("id", exchange->head.id),
			 log_text("method", exchange->call.route != NULL
					  ? exchange->call.route->method : ""),
			 log_text("route", exchange->call.route != NULL
					  ? exchange->call.route->path : ""),
			 log_int("status", status),
			 log_int("us", duration_us),
			 log_text("client", exchange->caller.client_id),
			 log_text("address", address));
}

/* A connection begins or ends. */
static void
server_connection(void *context, struct MHD_Connection *connection,
				  void **socket_context,
				  enum MHD_ConnectionNotificationCode code)
{
	Server	   *server = context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED && *socket_context != NULL)
	{
		connection_end(&server->connections, *socket_context);
		metrics_connections(-1);
	}
	else if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		*socket_context = connection_begin(&server->connections, &(Connection) {
			.fd = MHD_get_connection_info(
				connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
			.deadline_ms = clock_ms() + options.request_timeout_ms,
			.address = connection_address(connection),
			.mhd = connection,
		});
		metrics_connections(1);
	}
}

/* Who connected; an IPv4 address is the same on a socket of both versions. */
static IpAddress
connection_address(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	IpAddress	ip = {0};

	if (info == NULL || info->client_addr == NULL ||
		!ip_from_socket(info->client_addr, &ip))
		return (IpAddress) {0};
	return ip;
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

/*
 * libmicrohttpd's log: its format alone, as arguments may hold a client's text.
 */
static void
server_said(void *context, const char *format, va_list args)
{
	(void) context;
	(void) args;
	LOG_DEBUG("libmicrohttpd", log_text("format", format));
}
