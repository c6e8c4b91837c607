/*
 * body.c
 *		A request's JSON body: parsed strictly, with bounded depth, and held
 *		against the route's argument list.
 */
#include "http/body.h"

#include <stdlib.h>
#include <string.h>

#include "http/headers.h"
#include "common/json.h"

#define BODY_DEPTH_MAX 8
#define REAL_DIGITS 15			/* as many as come back as they were written */

static bool route_needs_body(const Route *route);
static bool route_takes_body(const Route *route);
static bool body_is_good(Request *request, const Problem **problem);
static size_t mark_length(const Buf *body);
static bool route_has_member(const Route *route, const char *name);

/*
 * Parses the body into request->json, an object, which stays NULL without a
 * body.  False: the request is answered.
 */
bool
body_parse(Request *request)
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
	const char *content_type = request->headers.content_type;
	bool		takes = route_takes_body(request->route);
	bool		needs = route_needs_body(request->route);
	const Problem *problem = NULL;

	if (request->body_seen > REQUEST_BODY_MAX)
		problem = &too_large;
	else if (needs && request->headers.content_length == NULL &&
			 request->headers.transfer_encoding == NULL)
		problem = &no_length;
	else if (request->body_seen == 0)
		return true;
	else if (content_type == NULL ||
			 !header_is_media_type(content_type, "application/json"))
		problem = &media_type;
	else if (body_is_good(request, &problem) && !takes &&
			 json_object_size(request->json) > 0)
		problem = &takes_none;
	if (problem != NULL)
		request_refuse(request, problem);
	return problem == NULL;
}

/* Whether the route cannot do without a body. */
static bool
route_needs_body(const Route *route)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		if (route->args[i].from == FROM_BODY_WHOLE ||
			(route->args[i].from == FROM_BODY &&
			 route->args[i].rule == REQUIRED))
			return true;
	}
	return false;
}

/* Whether the route has an argument in the body. */
static bool
route_takes_body(const Route *route)
{
	int			i;

	for (i = 0; i < route->arg_count; i++)
	{
		if (route->args[i].from == FROM_BODY ||
			route->args[i].from == FROM_BODY_WHOLE)
			return true;
	}
	return false;
}

/* Whether the body is a JSON object; parses it.  Else says what is wrong. */
static bool
body_is_good(Request *request, const Problem **problem)
{
	static const Problem too_deep = {400, "invalid_request", "",
		"The body is nested too deeply."
	};
	static const Problem not_object = {400, "invalid_request", "",
		"The body must be a JSON object."
	};
	Problem    *malformed;
	JsonFault	fault;
	size_t		mark = mark_length(&request->body);

	request->json = json_read(request->body.data + mark,
							  request->body.len - mark, BODY_DEPTH_MAX,
							  &fault);
	if (json_is_object(request->json))
	{
		json_settle_numbers(request->json);
		return true;
	}
	if (request->json != NULL || fault.too_deep)
	{
		*problem = fault.too_deep ? &too_deep : &not_object;
		return false;
	}
	malformed = arena_alloc(&request->arena, sizeof(Problem));
	*malformed = (Problem) {400, "invalid_request", "",
		arena_printf(&request->arena, fault.repeats
					 ? "The body has a member twice (line %d, column %d)."
					 : "The body is not well-formed JSON (line %d, "
					 "column %d).", fault.line, fault.column)
	};
	*problem = malformed;
	return false;
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
body_check_members(Request *request)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(request->json, name, value)
	{
		if (!route_has_member(request->route, name))
			request_field_error(request,
								arena_strdup(&request->arena, name),
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

		if ((arg->from == FROM_BODY || arg->from == IN_BODY_WHOLE) &&
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
body_text(Request *request)
{
	char	   *text;
	const char *copy;

	if (request->json == NULL)
		return "{}";
	text = json_dumps(request->json, JSON_COMPACT | JSON_SORT_KEYS |
					  JSON_REAL_PRECISION(REAL_DIGITS));
	copy = arena_strdup(&request->arena, text);
	free(text);
	return copy;
}
