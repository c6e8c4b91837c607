/*
 * stream.h
 *		One who listens: an answer of text/event-stream that goes on until its
 *		caller's token ends, the caller goes, or does not read.
 */
#ifndef APPT_STREAM_H
#define APPT_STREAM_H

#include <jansson.h>

#include "http/exchange.h"
#include "http/metrics.h"
#include "http/vigil.h"

typedef struct Stream
{
	AnswerStream answer;		/* first: how the server reads it */
	Exchange   *exchange;
	Buf			out;			/* what is to be sent */
	size_t		sent;			/* of it, is */
	bool		asked;			/* its first answer is asked for */
	bool		begun;			/* and is there */
	bool		board;			/* of a board, judged by what it sees */
	bool		reset;			/* all is to be read again */
	bool		over;			/* what is left of "out", and no more */
	StreamEnd	why;
	json_t	   *missed;			/* changes that it is not told of yet */
	Vigil	   *vigil;			/* over who is signed in, or NULL */
	int64_t		judge_ms;		/* when its caller is judged again */
	int64_t		beat_ms;		/* when a sign of life is due */
	struct Stream *next;
	struct Stream **link;		/* that points to it */
} Stream;

extern Stream *stream_new(Exchange *exchange, Stream **first);
extern void stream_begin(Stream *stream);
extern void stream_add(Stream *stream, const Buf *text);
extern void stream_finish(Stream *stream, StreamEnd why);
extern void stream_free(Stream *stream);

#endif							/* APPT_STREAM_H */
