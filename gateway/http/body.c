/*
 * body.c
 *		A call's JSON body: parsed strictly, with bounded depth, and held
 *		against the route's argument list.
 */
#include "http/body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "http/media.h"

#define BODY_DEPTH_MAX 12		/* a channel's settings have a body in them */
#define REAL_DIGITS 15			/* as many as come back as they were written */

static bool route_needs_body(const Route *route);
static bool route_may_have_body(const Route *route);
static bool route_takes_body(const Route *route);
static const Problem *body_read(Call *call, const Buf *bytes);
static size_t mark_length(const Buf *body);
static bool route_has_member(const Route *route, const char *name);

/*
 * Parses the body into call->json, an object, which stays NULL without a body.
 * NULL, or why it is refused.
 */
const Problem *
body_parse(Call *call, const Head *head, const Body *body)
{
	static const Problem takes_none = {400, "invalid_request", "",
		"This call takes no body."
	};
	static const Problem no_length = {411, "length_required", "",
		"The request needs a body with a Content-Length."
	};
	static const Problem too_large = {413, "content_too_large", "",
		"The body is larger than 64 KiB."
	};
	static const Problem media_type = {415, "unsupported_media_type", "",
		"The body must be application/json."
	};
	static const Problem coding = {415, "unsupported_media_type", "",
		"The body must come as it is, without a Content-Encoding."
	};
	const Problem *problem;

	if (body->seen > BODY_MAX)
		return &too_large;
	if (route_needs_body(call->route) && head->content_length == NULL &&
		head->transfer_encoding == NULL)
		return &no_length;
	if (body->seen == 0)
		return NULL;
	if (body_is_coded(head))
		return route_may_have_body(call->route) ? &coding : &takes_none;
	if (head->content_type == NULL ||
		!media_is(head->content_type, "application/json"))
		return route_may_have_body(call->route) ? &media_type : &takes_none;
	problem = body_read(call, &body->bytes);
	if (problem == NULL && !route_takes_body(call->route) &&
		json_object_size(call->json) > 0)
		problem = &takes_none;
	return problem;
}

/*
 * Whether the body is compressed or the like.  None is taken: a request is at
 * most 64 KiB, and what it unpacks to would need a bound of its own.
 */
bool
body_is_coded(const Head *head)
{
	return head->content_encoding != NULL &&
		strcasecmp(head->content_encoding, "identity") != 0;
}

/* Whether the route cannot do without a body. */
static bool
route_needs_body(const Route *route)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		if (route->args[i].from == WHOLE_BODY ||
			(route->args[i].from == FROM_BODY &&
			 route->args[i].rule == REQUIRED))
			return true;
	}
	return false;
}

/* Whether there may be one, if only an empty object. */
static bool
route_may_have_body(const Route *route)
{
	return route_takes_body(route) || (strcmp(route->method, "GET") != 0 &&
									   strcmp(route->method, "DELETE") != 0);
}

/* Whether the route has an argument in the body. */
static bool
route_takes_body(const Route *route)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		if (route->args[i].from == FROM_BODY ||
			route->args[i].from == WHOLE_BODY)
			return true;
	}
	return false;
}

/* Parses the body, which must be a JSON object; NULL, or what is wrong. */
static const Problem *
body_read(Call *call, const Buf *bytes)
{
	static const Problem too_deep = {400, "invalid_request", "",
		"The body is nested too deeply."
	};
	static const Problem not_object = {400, "invalid_request", "",
		"The body must be a JSON object."
	};
	JsonFault	fault;
	size_t		mark = mark_length(bytes);

	call->json = json_read(bytes->data + mark, bytes->len - mark,
						   BODY_DEPTH_MAX, &fault);
	if (json_is_object(call->json))
	{
		json_settle_numbers(call->json);
		return NULL;
	}
	if (fault.too_deep)
		return &too_deep;
	if (call->json != NULL)
		return &not_object;
	return problem_new(call->arena, 400, "invalid_request", fault.repeats
					   ? "The body has a member twice (line %d, column %d)."
					   : "The body is not well-formed JSON (line %d, "
					   "column %d).", fault.line, fault.column);
}

/* A byte order mark, which some editors write first, is passed over. */
static size_t
mark_length(const Buf *body)
{
	static const char mark[] = "\xEF\xBB\xBF";

	return body->len >= 3 && memcmp(body->data, mark, 3) == 0 ? 3 : 0;
}

/* Names the members that the route does not have. */
void
body_check_members(Call *call)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(call->json, name, value)
	{
		if (!route_has_member(call->route, name))
			call_field_error(call, arena_strdup(call->arena, name),
							 "is not a member of this call");
	}
}

/* Whether the route has a body argument of that name. */
static bool
route_has_member(const Route *route, const char *name)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		const Arg  *arg = &route->args[i];

		if ((arg->from == FROM_BODY || arg->from == BODY_MEMBER) &&
			(strcmp(arg->name, name) == 0 ||
			 (arg->alias != NULL && strcmp(arg->alias, name) == 0)))
			return true;
	}
	return false;
}

/*
 * The whole body as JSON text, the same text for the same value however it was
 * written; {} without a body.
 */
const char *
body_text(const Call *call)
{
	char	   *text;
	const char *copy;

	if (call->json == NULL)
		return "{}";
	text = json_dumps(call->json, JSON_COMPACT | JSON_SORT_KEYS |
					  JSON_REAL_PRECISION(REAL_DIGITS));
	copy = arena_strdup(call->arena, text);
	free(text);
	return copy;
}
