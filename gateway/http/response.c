/*
 * response.c
 *		An exchange's answer as libmicrohttpd sends it: with a body that is
 *		whole, or one that comes bit by bit.
 */
#include "http/response.h"

#include <microhttpd.h>

#define RESPONSE_BLOCK 1024		/* of a body that comes bit by bit */

static struct MHD_Response *response_new(Exchange *exchange);
static ssize_t response_read(void *context, uint64_t position, char *bytes,
							 size_t max);

/* The answer, complete; NULL: there is no memory for it. */
struct MHD_Response *
response_of(Exchange *exchange)
{
	const Answer *answer = &exchange->answer;
	struct MHD_Response *response = response_new(exchange);
	int			i;

	if (response == NULL)
		return NULL;
	if (answer->content_type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
								answer->content_type);
	for (i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name,
								answer->headers[i].value);
	if (answer->close || exchange->service->stopping)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return response;
}

/* Its body. */
static struct MHD_Response *
response_new(Exchange *exchange)
{
	const Answer *answer = &exchange->answer;

	if (answer->stream != NULL)
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, RESPONSE_BLOCK, response_read, exchange, NULL);
	return MHD_create_response_from_buffer(
		answer->len, (void *) answer->body, MHD_RESPMEM_PERSISTENT);
}

/* What comes next of a stream; while nothing does the connection rests. */
static ssize_t
response_read(void *context, uint64_t position, char *bytes, size_t max)
{
	Exchange   *exchange = context;
	AnswerStream *stream = exchange->answer.stream;
	ssize_t		len = stream->read(stream, bytes, max);

	(void) position;
	if (len == 0)
		exchange_suspend(exchange);
	return len >= 0 ? len : MHD_CONTENT_READER_END_OF_STREAM;
}
