/*
 * monitor.c
 *		A small listener that shows how a program is: libmicrohttpd in a thread
 *		of its own, for a few who ask.
 */
#include "common/monitor.h"

#include <microhttpd.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"

static enum MHD_Result on_request(void *page,
								  struct MHD_Connection *connection,
								  const char *url, const char *method,
								  const char *version, const char *body,
								  size_t *body_len, void **context);

/* Starts the listener; says why it cannot. */
bool
monitor_listen(const char *where, MonitorPage page)
{
	Address		address;
	struct addrinfo *found = NULL;
	struct MHD_Daemon *daemon = NULL;
	bool		valid = address_parse(where, &address);

	if (valid)
		found = address_find(&address);
	if (found != NULL)
		daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			(found->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0),
			0, NULL, NULL, on_request, (void *) page,
			MHD_OPTION_SOCK_ADDR, found->ai_addr,
			MHD_OPTION_CONNECTION_LIMIT, 32u,
			MHD_OPTION_CONNECTION_TIMEOUT, 10u,
			MHD_OPTION_END);
	if (daemon == NULL)
		LOG_ERROR("cannot listen", log_text("address", where),
				  log_text("what", valid ? "is the port taken?"
						   : "it is no address:port"));
	if (found != NULL)
		freeaddrinfo(found);
	return daemon != NULL;
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
