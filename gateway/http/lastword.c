/*
 * lastword.c
 *		The last word on a connection, past libmicrohttpd: to a request that
 *		does not come whole in time (408; RFC 9110, 15.5.9), or that
 *		libmicrohttpd would drop without a word.
 *
 *		libmicrohttpd takes an answer to neither, as the headers are not
 *		there.  One is written to the socket only where nothing of an answer
 *		has been sent, and the connection is shut at once, so that nothing
 *		follows it.
 */
#include "http/lastword.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/tcp.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "common/clock.h"
#include "http/exchange.h"
#include "http/tls.h"

#define LASTWORD_IDLE_MS 20		/* what came this soon after an answer is old */

static bool is_late(const Connection *connection);
static bool line_began(const Connection *connection);
static const union MHD_ConnectionInfo *info(const Connection *connection,
											enum MHD_ConnectionInfoType type);
static void lastword_send(const Connection *connection, const Buf *bytes);

/*
 * Ends a connection whose time is over; says why where a request has begun
 * and not come whole.
 */
void
lastword_late(Connection *connection)
{
	static const Problem late = {408, "request_timeout", "",
		"The request did not come whole in time."
	};

	if (is_late(connection))
		lastword_refuse(connection, &late);
	else
		shutdown(connection->fd, SHUT_RDWR);
}

/*
 * Sends the problem and ends the connection.  The request, if its line is
 * there, is logged and counted with that status.
 */
void
lastword_refuse(Connection *connection, const Problem *problem)
{
	Head		nobody = {0};
	Head	   *head = connection->exchange != NULL
		? &connection->exchange->head : &nobody;
	Buf			bytes = {0};
	Buf			body = {0};

	head_name(head);
	problem_json(&body, problem, NULL, head->id);
	buf_printf(&bytes, "HTTP/1.1 %d %s\r\n"
			   "Content-Type: application/problem+json\r\n"
			   "Content-Length: %zu\r\n"
			   "X-Request-Id: %s\r\n"
			   "Cache-Control: no-store\r\n"
			   "X-Content-Type-Options: nosniff\r\n"
			   "Connection: close\r\n\r\n", problem->status,
			   error_title(problem->status), body.len, head->id);
	buf_add(&bytes, body.data, body.len);
	lastword_send(connection, &bytes);
	shutdown(connection->fd, SHUT_RDWR);
	if (connection->exchange != NULL)
		connection->exchange->answer.status = problem->status;
	buf_free(&body);
	buf_free(&bytes);
}

/* Whether a request has begun, is not whole, and nothing answers it yet. */
static bool
is_late(const Connection *connection)
{
	const Exchange *exchange = connection->exchange;

	if (exchange == NULL)
		return line_began(connection);
	return exchange->state != EXCHANGE_WAITING && !exchange->queued &&
		info(connection, MHD_CONNECTION_INFO_HTTP_STATUS) == NULL;
}

/*
 * Whether a part of a request line has come: libmicrohttpd tells of whole ones
 * only, but the kernel knows of every byte.  Under TLS it counts the
 * handshake's too: then nothing is to be learned.
 */
static bool
line_began(const Connection *connection)
{
	struct tcp_info tcp = {0};
	socklen_t	len = sizeof(tcp);

	if (tls_wanted() || getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &tcp,
								   &len) != 0)
		return false;
	if (connection->idle_since_ms == 0)
		return tcp.tcpi_bytes_received > 0;
	return clock_ms() - tcp.tcpi_last_data_recv >
		connection->idle_since_ms + LASTWORD_IDLE_MS;
}

/* What libmicrohttpd knows of the connection. */
static const union MHD_ConnectionInfo *
info(const Connection *connection, enum MHD_ConnectionInfoType type)
{
	return MHD_get_connection_info(connection->mhd, type);
}

/* Sends what goes out at once: who does not even read gets nothing. */
static void
lastword_send(const Connection *connection, const Buf *bytes)
{
	const union MHD_ConnectionInfo *tls =
		info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	ssize_t		sent;

	if (tls == NULL)
		sent = send(connection->fd, bytes->data, bytes->len,
					MSG_NOSIGNAL | MSG_DONTWAIT);
	else
	{
		sent = gnutls_record_send(tls->tls_session, bytes->data, bytes->len);
		gnutls_bye(tls->tls_session, GNUTLS_SHUT_WR);
	}
	(void) sent;
}
