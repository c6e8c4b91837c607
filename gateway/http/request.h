/*
 * request.h
 *		One HTTP request, from its first header to its answer.
 *
 *		A request belongs to the thread of its loop.  While the database works
 *		for it, its connection is suspended and "state" is REQUEST_WAITING.
 */
#ifndef APPT_REQUEST_H
#define APPT_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>

#include "common/buf.h"
#include "common/ip.h"
#include "http/arena.h"
#include "http/errors.h"
#include "http/pool.h"
#include "http/routes.h"
#include "http/strangers.h"

#define REQUEST_BODY_MAX (64 * 1024)
#define REQUEST_FORM_MAX (8 * 1024) /* of somebody who is not known yet */
#define REQUEST_MEMORY (16 * 1024)	/* for one request's and answer's head */
#define REQUEST_PATH_SEGMENTS 10
#define REQUEST_ANSWER_HEADERS 16
#define REQUEST_ID_MAX 64
#define FORWARDED_LINES 8		/* of X-Forwarded-For, the last ones */

typedef enum RequestState
{
	REQUEST_NEW,				/* headers not looked at yet */
	REQUEST_READING,			/* admitted: the body is coming in */
	REQUEST_WAITING,			/* the database works, connection suspended */
	REQUEST_ANSWERED,			/* the answer is ready or queued */
} RequestState;

/* Headers that count for us, each at most once but for two. */
typedef struct RequestHeaders
{
	const char *host;
	const char *authorization;
	const char *content_type;
	const char *content_length;
	const char *transfer_encoding;
	const char *accept;			/* all its lines */
	int			accept_lines;
	const char *if_match;
	const char *idempotency_key;
	const char *request_id;
	const char *forwarded_for[FORWARDED_LINES];
	int			forwarded_count;
	const char *origin;
	const char *cors_method;
	const char *expect;
	const char *if_none_match;
	size_t		total;			/* bytes of all names and values */
	int			count;
	const char *repeated;		/* name of one that came twice, or NULL */
} RequestHeaders;

/* Who calls, as the verified token says. */
typedef struct Caller
{
	char		client_id[65];
	char		jti[33];
	unsigned	scopes;			/* bits: 1 << Scope */
	int64_t		expires_at;		/* Unix time */
} Caller;

typedef struct AnswerHeader
{
	const char *name;
	const char *value;
} AnswerHeader;

typedef struct Answer
{
	int			status;
	const char *content_type;
	const char *body;			/* in the arena, static, or in "result" */
	size_t		len;
	AnswerHeader headers[REQUEST_ANSWER_HEADERS];
	int			header_count;
	bool		close;			/* end the connection after it */
	PGresult   *result;
} Answer;

typedef struct Request
{
	struct Worker *worker;
	struct Client *client;		/* the connection that it came on */
	struct MHD_Connection *connection;
	RequestState state;
	bool		suspended;		/* its connection is */
	Arena		arena;
	int64_t		started_us;
	char		id[REQUEST_ID_MAX + 1];
	const char *method;
	const char *target;			/* as sent: path and query */
	const char *segments[REQUEST_PATH_SEGMENTS];
	int			segment_count;
	const char *query_string;	/* "" without one */
	RequestHeaders headers;
	IpAddress	from;			/* who connected, or is spoken for */
	const Route *route;			/* NULL until matched */
	Buf			body;
	size_t		body_max;		/* the call's limit */
	size_t		body_seen;
	json_t	   *json;			/* the body, parsed; or NULL */
	Caller		caller;
	FieldError *fields;			/* bad fields so far */
	int			page;
	int			per_page;
	Query		query;
	void	   *work;			/* of a handler that asks the database itself */
	Answer		answer;
	bool		queued;			/* libmicrohttpd has the answer */
	HoldKind	hold;			/* its answer is to be held back */
	int64_t		held_until_ms;	/* and is, until then */
	struct Request *next;		/* in the loop's list of spare or held ones */
} Request;

extern void request_admit(Request *request);
extern void request_run(Request *request);
extern void request_reset(Request *request);

/* Answers; each fills request->answer and sets the state. */
extern void request_refuse(Request *request, const Problem *problem);
extern void request_field_error(Request *request, const char *field,
								const char *format,...)
			__attribute__((format(printf, 3, 4)));
extern void request_answer(Request *request, int status,
						   const char *content_type, const char *body,
						   size_t len);
extern void request_header(Request *request, const char *name,
						   const char *value);
extern void request_cache_control(Request *request, const char *value);
extern void request_retry_after(Request *request, int seconds);
extern void request_database_error(Request *request, QueryOutcome outcome,
								   const PGresult *result);

/* Hands the query over to the database and suspends the connection. */
extern void request_submit(Request *request);
extern void request_suspend(Request *request);
extern void request_resume(Request *request);

#endif							/* APPT_REQUEST_H */
