/*
 * head.h
 *		What came: a request's line and headers, and its body as bytes.
 *
 *		server.c fills it from libmicrohttpd, of which nothing here knows.
 */
#ifndef APPT_HEAD_H
#define APPT_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/ip.h"
#include "http/arena.h"
#include "http/errors.h"

#define HEAD_MEMORY (16 * 1024)	/* for one request's and answer's head */
#define HEAD_SEGMENTS 10
#define HEAD_ID_MAX 64
#define HEAD_PARAMS_MAX 32		/* of the query, or of a form */
#define HEAD_FORWARDED 8		/* lines of X-Forwarded-For, the last ones */
#define BODY_MAX (64 * 1024)
#define FORM_MAX (8 * 1024)		/* of somebody who is not known yet */

/* Headers that count for us are there at most once but for two. */
typedef struct Head
{
	Arena	   *arena;
	char		id[HEAD_ID_MAX + 1];	/* the request's; "": not named yet */
	IpAddress	from;			/* who connected, or is spoken for */
	const char *method;
	const char *target;			/* as sent: path and query */
	const char *segments[HEAD_SEGMENTS];	/* of the path, decoded */
	int			segment_count;
	const char *query;			/* "" without one */

	const char *host;
	const char *authorization;
	const char *content_type;
	const char *content_encoding;
	const char *content_length;
	const char *transfer_encoding;
	const char *accept;			/* all its lines */
	const char *if_match;
	const char *idempotency_key;
	const char *request_id;
	const char *forwarded_for[HEAD_FORWARDED];
	int			forwarded_count;
	const char *origin;
	const char *cors_method;
	const char *expect;
	const char *if_none_match;
	const char *accept_encoding;
	const char *last_event_id;
	const char *signature;		/* of a provider's report */
	const char *cookie;
	const char *csrf_token;
	const char *fetch_site;		/* what the browser says of who asks */
	const char *user_agent;
	size_t		total;			/* bytes of all names and values */
	int			count;
	const char *repeated;		/* name of one that came twice, or NULL */
	bool		malformed;		/* one has no name, or a control byte in it */
} Head;

/* What came behind the head. */
typedef struct Body
{
	Buf			bytes;			/* no more than "max" */
	size_t		max;			/* the call's limit */
	size_t		seen;			/* how many came */
} Body;

extern const Problem *head_line_problem(const char *target);
extern void head_add(Head *head, const char *name, const char *value);
extern const Problem *head_problem(Head *head, const char *version)
			__attribute__((warn_unused_result));
extern void head_name(Head *head);
extern size_t head_room(const Head *head);

#endif							/* APPT_HEAD_H */
