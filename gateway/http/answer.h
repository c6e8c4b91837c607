/*
 * answer.h
 *		What goes back: status, headers and body.
 */
#ifndef APPT_ANSWER_H
#define APPT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <libpq-fe.h>

#include "http/arena.h"
#include "http/errors.h"

#define ANSWER_HEADERS 20

typedef struct AnswerHeader
{
	const char *name;
	const char *value;
} AnswerHeader;

/* A body that comes bit by bit, as long as it goes on. */
typedef struct AnswerStream
{
	/*
	 * Copies at most max of the bytes that come next; 0: none yet, -1: the end.
	 */
	ssize_t		(*read) (struct AnswerStream *stream, char *bytes, size_t max);
	/* Called once, when the body is complete or the connection has ended. */
	void		(*ended) (struct AnswerStream *stream);
} AnswerStream;

typedef struct Answer
{
	Arena	   *arena;
	const char *id;				/* of the request */
	int			status;			/* 0: there is none yet */
	const char *content_type;
	const char *body;			/* in the arena, static, or in "result" */
	size_t		len;
	AnswerHeader headers[ANSWER_HEADERS];
	int			header_count;
	const char *cache_control;	/* NULL: no-store */
	bool		close;			/* end the connection after it */
	PGresult   *result;
	AnswerStream *stream;		/* instead of "body", or NULL */
} Answer;

extern void answer_body(Answer *answer, int status, const char *content_type,
						const char *body, size_t len);
extern void answer_problem(Answer *answer, const Problem *problem,
						   const FieldError *fields);
extern void answer_header(Answer *answer, const char *name,
						  const char *value);
extern void answer_retry_after(Answer *answer, int seconds);
extern void answer_complete(Answer *answer);
extern void answer_drop(Answer *answer);

#endif							/* APPT_ANSWER_H */
