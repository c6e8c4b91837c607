/*
 * monitor.c
 *		A small listener that shows how a program is: libmicrohttpd in a thread
 *		of its own, for a few who ask.
 */
#include "common/monitor.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static bool address_parse(const char *text, struct sockaddr_in6 *address);
static enum MHD_Result on_request(void *page,
								  struct MHD_Connection *connection,
								  const char *url, const char *method,
								  const char *version, const char *body,
								  size_t *body_len, void **context);

/* Starts the listener; says why it cannot. */
bool
monitor_listen(const char *address, MonitorPage page)
{
	struct sockaddr_in6 bind_to;
	struct MHD_Daemon *daemon = NULL;
	bool		valid = address_parse(address, &bind_to);

	if (valid)
		daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			(bind_to.sin6_family == AF_INET6 ? MHD_USE_IPv6 : 0),
			0, NULL, NULL, on_request, (void *) page,
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

/* Answers GET. */
static enum MHD_Result
on_request(void *page, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *body,
		   size_t *body_len, void **context)
{
	static int	seen;
	int			status = MHD_HTTP_METHOD_NOT_ALLOWED;
	Buf			text = {0};
	struct MHD_Response *response;
	enum MHD_Result queued;

	(void) version;
	(void) body;
	/* Answering at the first call would end the connection. */
	if (*context == NULL || *body_len > 0)
	{
		*context = &seen;
		*body_len = 0;
		return MHD_YES;
	}

	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		status = ((MonitorPage) page) (url, &text);
	response = MHD_create_response_from_buffer(
		text.len, (void *) buf_get(&text), MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
							strcmp(url, "/metrics") == 0
							? "text/plain; version=0.0.4"
							: "application/json");
	queued = MHD_queue_response(connection, (unsigned) status, response);
	MHD_destroy_response(response);
	buf_free(&text);
	return queued;
}
