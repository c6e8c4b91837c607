/*
 * lastword.c
 *		The last word on a connection, past libmicrohttpd: to a request that
 *		does not come whole in time (408; RFC 9110, 15.5.9), or that
 *		libmicrohttpd would drop without a word.
 *
 *		It can answer neither, as it cannot before the headers are there.  A
 *		word is sent only where nothing of an answer has been, and the
 *		connection is shut at once, so that nothing follows it.
 */
#include "http/lastword.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/tcp.h>

#include <gnutls/gnutls.h>

#include "common/clock.h"
#include "http/headers.h"
#include "http/tls.h"

#define LASTWORD_IDLE_MS 20		/* what came this soon after an answer is old */

static bool is_late(const Client *client);
static bool line_began(const Client *client);
static const union MHD_ConnectionInfo *info(const Client *client,
											enum MHD_ConnectionInfoType type);
static void lastword_send(const Client *client, const Buf *bytes);

/*
 * Ends a connection whose time is over; says why where a request has begun
 * and not come whole.
 */
void
lastword_late(Client *client)
{
	static const Problem late = {408, "request_timeout", "",
		"The request did not come whole in time."
	};

	if (is_late(client))
		lastword_refuse(client, &late);
	else
		shutdown(client->fd, SHUT_RDWR);
}

/*
 * Sends the problem and ends the connection.  The request, if its line is
 * there, is logged and counted with that status.
 */
void
lastword_refuse(Client *client, const Problem *problem)
{
	Request		nobody = {0};
	Request    *request = client->request != NULL ? client->request : &nobody;
	Buf			bytes = {0};
	Buf			body = {0};

	if (request->id[0] == '\0')
		headers_name_request(request);
	problem_json(&body, problem, NULL, request->id);
	buf_printf(&bytes, "HTTP/1.1 %d %s\r\n"
			   "Content-Type: application/problem+json\r\n"
			   "Content-Length: %zu\r\n"
			   "X-Request-Id: %s\r\n"
			   "Cache-Control: no-store\r\n"
			   "X-Content-Type-Options: nosniff\r\n"
			   "Connection: close\r\n\r\n", problem->status,
			   error_title(problem->status), body.len, request->id);
	buf_add(&bytes, body.data, body.len);
	lastword_send(client, &bytes);
	shutdown(client->fd, SHUT_RDWR);
	request->answer.status = problem->status;
	buf_free(&body);
	buf_free(&bytes);
}

/* Whether a request has begun, is not whole, and nothing answers it yet. */
static bool
is_late(const Client *client)
{
	const Request *request = client->request;

	if (request == NULL)
		return line_began(client);
	return request->state != REQUEST_WAITING && !request->queued &&
		info(client, MHD_CONNECTION_INFO_HTTP_STATUS) == NULL;
}

/*
 * Whether a part of a request line has come: libmicrohttpd tells of whole ones
 * only, but the kernel knows of every byte.  Under TLS it counts the
 * handshake's too: then nothing is to be learned.
 */
static bool
line_began(const Client *client)
{
	struct tcp_info tcp = {0};
	socklen_t	len = sizeof(tcp);

	if (tls_wanted() || getsockopt(client->fd, IPPROTO_TCP, TCP_INFO, &tcp,
								   &len) != 0)
		return false;
	if (client->idle_since_ms == 0)
		return tcp.tcpi_bytes_received > 0;
	return clock_ms() - tcp.tcpi_last_data_recv >
		client->idle_since_ms + LASTWORD_IDLE_MS;
}

/* What libmicrohttpd knows of the connection. */
static const union MHD_ConnectionInfo *
info(const Client *client, enum MHD_ConnectionInfoType type)
{
	return MHD_get_connection_info(client->connection, type);
}

/* Tries once: a client that does not even read gets nothing. */
static void
lastword_send(const Client *client, const Buf *bytes)
{
	const union MHD_ConnectionInfo *tls =
		info(client, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	ssize_t		sent;

	if (tls == NULL)
		sent = send(client->fd, bytes->data, bytes->len,
					MSG_NOSIGNAL | MSG_DONTWAIT);
	else
	{
		sent = gnutls_record_send(tls->tls_session, bytes->data, bytes->len);
		gnutls_bye(tls->tls_session, GNUTLS_SHUT_WR);
	}
	(void) sent;
}
