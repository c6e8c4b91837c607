/*
 * args.c
 *		From a request to the parameters of its statement, as the route's
 *		argument list says: where each comes from, what form it must have.
 *
 *		All bad fields are found and named, not the first alone; what no
 *		argument asks for is bad too.
 */
#include "http/args.h"

#include <string.h>

#include "http/body.h"
#include "http/target.h"
#include "http/text.h"
#include "http/value.h"

typedef struct Gathering
{
	Request    *request;
	QueryParams query;
	Scope		missing_scope;
} Gathering;

static void gather_one(Gathering *gathering, const Arg *arg,
					   const char **param);
static const char *gather_query(Gathering *gathering, const Arg *arg);
static const char *gather_body(Gathering *gathering, const Arg *arg);
static const char *gather_if_match(Request *request);
static const char *gather_key(Request *request);
static const char *gather_hash(Request *request);
static void check_scope(Gathering *gathering, const Arg *arg,
						const char *value);
static void check_unknown_params(Gathering *gathering);
static void take_page(Request *request, const Arg *arg, const char *value);
static void refuse_fields(Request *request);
static void refuse_scope(Request *request, Scope scope);

/* Fills params in the order of the route's arguments, or answers. */
ArgsOutcome
args_gather(Request *request, const char **params)
{
	static const Problem bad_query = {400, "invalid_request", "",
		"The query is not well formed."
	};
	Gathering	gathering = {.request = request};
	const Route *route = request->route;
	int			count = 0;
	int			i;

	if (!target_params(&request->arena, request->query_string,
					   &gathering.query))
	{
		request_refuse(request, &bad_query);
		return ARGS_REFUSED;
	}
	if (!body_parse(request))
		return ARGS_REFUSED;
	for (i = 0; i < route->arg_count; i++)
	{
		const char *value = NULL;

		gather_one(&gathering, &route->args[i], &value);
		if (route->args[i].from != IN_BODY_WHOLE)
			params[count++] = value;
		if (request->state == REQUEST_ANSWERED)
			return ARGS_REFUSED;
	}
	check_unknown_params(&gathering);
	body_check_members(request);
	if (gathering.missing_scope != SCOPE_NONE)
		refuse_scope(request, gathering.missing_scope);
	else if (request->fields != NULL)
		refuse_fields(request);
	return request->state == REQUEST_ANSWERED ? ARGS_REFUSED : ARGS_GOOD;
}

/* One argument from where it comes from. */
static void
gather_one(Gathering *gathering, const Arg *arg, const char **param)
{
	Request    *request = gathering->request;

	switch (arg->from)
	{
		case FROM_PATH:
			*param = route_path_value(request->route, arg->name,
									  request->segments);
			break;
		case FROM_QUERY:
			*param = gather_query(gathering, arg);
			break;
		case FROM_BODY:
		case IN_BODY_WHOLE:
			*param = gather_body(gathering, arg);
			break;
		case FROM_BODY_WHOLE:
			*param = body_text(request);
			break;
		case FROM_IF_MATCH:
			*param = gather_if_match(request);
			break;
		case FROM_CLIENT:
			*param = request->caller.client_id;
			break;
		case FROM_IDEMPOTENCY_KEY:
			*param = gather_key(request);
			break;
		case FROM_REQUEST_HASH:
			*param = gather_hash(request);
			break;
	}
	check_scope(gathering, arg, *param);
}

/* A query parameter's value in the form that it must have, or NULL. */
static const char *
gather_query(Gathering *gathering, const Arg *arg)
{
	Request    *request = gathering->request;
	const char *text = NULL;
	const char *value = arg->fallback;
	int			i;

	for (i = 0; i < gathering->query.count; i++)
	{
		if (strcmp(gathering->query.items[i].name, arg->name) != 0)
			continue;
		if (text != NULL)
			request_field_error(request, arg->name, "is there twice");
		text = gathering->query.items[i].value;
	}
	if (text != NULL && !value_is_absent(arg, text))
		value = value_from_text(request, arg, text);
	else if (arg->rule == REQUIRED)
		request_field_error(request, arg->name, "is required");
	take_page(request, arg, value);
	return value;
}

/* A member of the body in the form that it must have, or NULL. */
static const char *
gather_body(Gathering *gathering, const Arg *arg)
{
	Request    *request = gathering->request;
	json_t	   *member = json_object_get(request->json, arg->name);
	const char *name = arg->name;

	if (arg->alias != NULL)
	{
		json_t	   *other = json_object_get(request->json, arg->alias);

		if (member != NULL && other != NULL)
			request_field_error(request, arg->alias,
								"is another name of %s: give one of them",
								arg->name);
		if (member == NULL && other != NULL)
		{
			member = other;
			name = arg->alias;
		}
	}
	if (json_is_string(member) &&
		value_is_absent(arg, json_string_value(member)))
	{
		if (arg->rule != OPTIONAL)
			request_field_error(request, name, "must not be empty");
		return arg->fallback;
	}
	if (member == NULL || (json_is_null(member) && arg->rule != NOT_NULL))
	{
		if (arg->rule == REQUIRED)
			request_field_error(request, name, "is required");
		return arg->fallback;
	}
	return value_from_json(request, arg, name, member);
}

/* The version that the caller holds; NULL: any. */
static const char *
gather_if_match(Request *request)
{
	static const Problem bad = {400, "invalid_request", "",
		"If-Match must be one entity tag as ETag gave it, such as \"3\", or *."
	};
	const char *version;

	if (request->headers.if_match == NULL)
		return NULL;
	if (!text_etag_version(request->headers.if_match, &version))
	{
		request_refuse(request, &bad);
		return NULL;
	}
	return version == NULL ? NULL
		: arena_copy(&request->arena, version, strspn(version, "0123456789"));
}

/* The Idempotency-Key, or NULL without one. */
static const char *
gather_key(Request *request)
{
	static const Problem bad = {400, "idempotency_key_invalid", "",
		"Idempotency-Key must be 1 to 255 visible ASCII characters."
	};
	const char *key = request->headers.idempotency_key;

	if (key != NULL && !text_is_visible_ascii(key, 255))
	{
		request_refuse(request, &bad);
		return NULL;
	}
	return key;
}

/* What the key stands for: a hash of what is asked; NULL without a key. */
static const char *
gather_hash(Request *request)
{
	const char *const parts[] = {
		request->method, request->target, body_text(request)
	};
	char	   *hex;

	if (request->headers.idempotency_key == NULL)
		return NULL;
	hex = arena_alloc(&request->arena, SHA256_HEX_SIZE);
	text_sha256_hex(parts, 3, hex);
	return hex;
}

/* Notes an argument that is given without the scope that it needs. */
static void
check_scope(Gathering *gathering, const Arg *arg, const char *value)
{
	if (arg->scope == SCOPE_NONE || value == NULL ||
		strcmp(value, "false") == 0)
		return;
	if ((gathering->request->caller.scopes & (1u << arg->scope)) == 0)
		gathering->missing_scope = arg->scope;
}

/* Names the query parameters that the route does not have. */
static void
check_unknown_params(Gathering *gathering)
{
	const Route *route = gathering->request->route;
	int			i;
	int			a;

	for (i = 0; i < gathering->query.count; i++)
	{
		const char *name = gathering->query.items[i].name;

		for (a = 0; a < route->arg_count; a++)
		{
			if (route->args[a].from == FROM_QUERY &&
				strcmp(route->args[a].name, name) == 0)
				break;
		}
		if (a == route->arg_count)
			request_field_error(gathering->request, name,
								"is not a parameter of this call");
	}
}

/* Remembers the page that is asked for: the Link header is made of it. */
static void
take_page(Request *request, const Arg *arg, const char *value)
{
	int64_t		number;

	if (value == NULL || arg->kind != KIND_INT ||
		!text_int(value, 0, INT32_MAX, &number))
		return;
	if (strcmp(arg->name, "page") == 0)
		request->page = (int) number;
	else if (strcmp(arg->name, "per_page") == 0)
		request->per_page = (int) number;
}

/* 400: the first bad field in words; "errors" has them all. */
static void
refuse_fields(Request *request)
{
	const FieldError *first = request->fields;
	const Problem problem = {400, "invalid_request", "",
		arena_printf(&request->arena, "\"%s\" %s.%s", first->field,
					 first->message, first->next == NULL ? ""
					 : " \"errors\" names all that is not as it must be.")
	};

	request_refuse(request, &problem);
}

/* 403: the call needs a scope more. */
static void
refuse_scope(Request *request, Scope scope)
{
	const Problem problem = {403, "insufficient_scope", "",
		arena_printf(&request->arena, "This call needs the scope %s.",
					 scope_name(scope))
	};

	request_refuse(request, &problem);
	request_header(request, "WWW-Authenticate",
				   arena_printf(&request->arena,
								"Bearer error=\"insufficient_scope\", "
								"scope=\"%s\"", scope_name(scope)));
}
