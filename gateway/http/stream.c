/*
 * stream.c
 *		One who listens: what is to be sent, and how that ends.
 *
 *		While there is nothing to send its connection is suspended, so that
 *		a listener costs memory alone.  Text that is not read is buffered up
 *		to STREAM_OUT_MAX; then the listener is cut, and resumes by
 *		Last-Event-ID.
 */
#include "http/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/loop.h"

#define STREAM_OUT_MAX (64 * 1024)	/* bytes that wait for who does not read */
#define STREAM_SOCKET_SIZE (32 * 1024)	/* the same in the kernel */
#define STREAM_UNACKNOWLEDGED_MS 45000	/* then the kernel ends it */
#define STREAM_LAST_MS 1000		/* for what is left at the end */

static ssize_t stream_read(AnswerStream *answer, char *bytes, size_t max);
static void stream_ended(AnswerStream *answer);

/* A stream in the list, whose exchange asks for its first answer. */
Stream *
stream_new(Exchange *exchange, Stream **first)
{
	Stream	   *stream = must_alloc(sizeof(Stream));

	*stream = (Stream) {
		.answer = {.read = stream_read, .ended = stream_ended},
		.exchange = exchange,
		.missed = json_array(),
		.next = *first,
		.link = first,
	};
	if (*first != NULL)
		(*first)->link = &stream->next;
	*first = stream;
	metrics_streams(1);
	return stream;
}

/* The exchange is answered with the stream; its connection goes on. */
void
stream_begin(Stream *stream)
{
	Answer	   *answer = &stream->exchange->answer;
	int			fd = stream->exchange->connection->fd;
	unsigned	limit_ms = STREAM_UNACKNOWLEDGED_MS;
	int			size = STREAM_SOCKET_SIZE;

	stream->begun = true;
	answer_body(answer, 200, "text/event-stream", "", 0);
	answer->stream = &stream->answer;
	answer->cache_control = "no-cache";
	answer_header(answer, "X-Accel-Buffering", "no");
	(void) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms,
					  sizeof(limit_ms));
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Sends the text, or cuts who has not read what came before. */
void
stream_add(Stream *stream, const Buf *text)
{
	if (stream->over)
		return;
	if (stream->out.len - stream->sent > STREAM_OUT_MAX)
	{
		stream_finish(stream, STREAM_SLOW);
		return;
	}
	if (stream->sent == stream->out.len)
	{
		buf_clear(&stream->out);
		stream->sent = 0;
	}
	buf_add(&stream->out, text->data, text->len);
	if (stream->exchange->suspended && stream->exchange->queued)
		exchange_resume(stream->exchange);
}

/*
 * Ends it: with all that is left where its listener may still read, else at
 * once.
 */
void
stream_finish(Stream *stream, StreamEnd why)
{
	Exchange   *exchange = stream->exchange;

	if (stream->over)
		return;
	stream->over = true;
	stream->why = why;
	if (!exchange->queued)
		return;
	if (why == STREAM_GONE || why == STREAM_SLOW)
		shutdown(exchange->connection->fd, SHUT_RDWR);
	else
		exchange->connection->deadline_ms = loop_now_ms() + STREAM_LAST_MS;
	if (exchange->suspended)
		exchange_resume(exchange);
}

/* Takes it out of its list. */
void
stream_free(Stream *stream)
{
	*stream->link = stream->next;
	if (stream->next != NULL)
		stream->next->link = stream->link;
	vigil_end(stream->vigil);
	json_decref(stream->missed);
	buf_free(&stream->out);
	metrics_streams(-1);
	free(stream);
}

/* What is to go out now, of as many bytes; 0: nothing yet, -1: it is over. */
static ssize_t
stream_read(AnswerStream *answer, char *bytes, size_t max)
{
	Stream	   *stream = (Stream *) answer;
	size_t		left = stream->out.len - stream->sent;

	if (left == 0)
		return stream->over ? -1 : 0;
	if (left > max)
		left = max;
	memcpy(bytes, stream->out.data + stream->sent, left);
	stream->sent += left;
	return (ssize_t) left;
}

/* Its connection is done with it. */
static void
stream_ended(AnswerStream *answer)
{
	Stream	   *stream = (Stream *) answer;

	metrics_stream_end(stream->over ? stream->why : STREAM_GONE);
	stream_free(stream);
}
