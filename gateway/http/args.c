/*
 * args.c
 *		From what came to the parameters of a call's statement, as the route's
 *		argument list says: where each comes from, what form it must have.
 *
 *		All bad fields are found and named, not the first alone; what no
 *		argument asks for is bad too.
 */
#include "http/args.h"

#include <string.h>

#include "http/body.h"
#include "http/media.h"
#include "http/target.h"
#include "http/text.h"
#include "http/value.h"

typedef struct Gathering
{
	Call	   *call;
	const Head *head;
	const Caller *caller;
	QueryParams query;
	const Problem *problem;		/* that ends it at once */
} Gathering;

static void gather_one(Gathering *gathering, const Arg *arg,
					   const char **param);
static const char *gather_query(Gathering *gathering, const Arg *arg);
static const char *gather_body(Gathering *gathering, const Arg *arg);
static const char *gather_if_match(Gathering *gathering);
static const char *gather_key(Gathering *gathering);
static const char *gather_hash(const Gathering *gathering);
static const char *gather_format(const Gathering *gathering);
static const char *gather_last_event(Gathering *gathering, const Arg *arg);
static void check_scope(Gathering *gathering, const Arg *arg,
						const char *value);
static void check_unknown_params(Gathering *gathering);
static void take_page(Call *call, const Arg *arg, const char *value);
static const Problem *fields_problem(const Call *call);

/*
 * Fills the call's parameters in the order of the route's arguments; NULL, or
 * why the call is refused: by call->missing_scope, if that is not SCOPE_NONE.
 */
const Problem *
args_gather(Call *call, const ArgSources *sources)
{
	static const Problem bad_query = {400, "invalid_request", "",
		"The query is not well formed."
	};
	static const Problem no_scope = {403, "insufficient_scope", "", NULL};
	Gathering	gathering = {
		.call = call, .head = sources->head, .caller = sources->caller
	};
	const Route *route = call->route;
	int			count = 0;
	int			i;

	if (!target_params(call->arena, sources->head->query, &gathering.query))
		return &bad_query;
	gathering.problem = body_parse(call, sources->head, sources->body);
	for (i = 0; i < route->arg_count && gathering.problem == NULL; i++)
	{
		const char *value = NULL;

		gather_one(&gathering, &route->args[i], &value);
		if (route->args[i].kind == KIND_PASSWORD)
			call->password = &call->params[count];
		if (route->args[i].from != BODY_MEMBER)
			call->params[count++] = value;
	}
	if (gathering.problem != NULL)
	{
		call->missing_scope = SCOPE_NONE;
		return gathering.problem;
	}
	check_unknown_params(&gathering);
	body_check_members(call);
	if (call->missing_scope != SCOPE_NONE)
		return &no_scope;
	return call->fields != NULL ? fields_problem(call) : NULL;
}

/* One argument from where it comes from. */
static void
gather_one(Gathering *gathering, const Arg *arg, const char **param)
{
	Call	   *call = gathering->call;

	switch (arg->from)
	{
		case FROM_PATH:
			*param = route_path_value(call->route, arg->name,
									  gathering->head->segments);
			break;
		case FROM_QUERY:
			*param = gather_query(gathering, arg);
			break;
		case FROM_BODY:
		case BODY_MEMBER:
			*param = gather_body(gathering, arg);
			break;
		case WHOLE_BODY:
			*param = body_text(call);
			break;
		case FROM_IF_MATCH:
			*param = gather_if_match(gathering);
			break;
		case FROM_CLIENT:
			*param = gathering->caller->client_id;
			break;
		case FROM_IDEMPOTENCY_KEY:
			*param = gather_key(gathering);
			break;
		case FROM_REQUEST_HASH:
			*param = gather_hash(gathering);
			break;
		case FROM_ACCEPT:
			*param = gather_format(gathering);
			break;
		case FROM_LAST_EVENT_ID:
			*param = gather_last_event(gathering, arg);
			break;
	}
	check_scope(gathering, arg, *param);
}

/* A query parameter's value in the form that it must have, or NULL. */
static const char *
gather_query(Gathering *gathering, const Arg *arg)
{
	Call	   *call = gathering->call;
	const char *text = NULL;
	const char *value = arg->fallback;
	int			i;

	for (i = 0; i < gathering->query.count; i++)
	{
		if (strcmp(gathering->query.items[i].name, arg->name) != 0)
			continue;
		if (text != NULL)
			call_field_error(call, arg->name, "is there twice");
		text = gathering->query.items[i].value;
	}
	if (text != NULL && !value_is_absent(arg, text))
		value = value_from_text(call, arg, text);
	else if (arg->rule == REQUIRED)
		call_field_error(call, arg->name, "is required");
	take_page(call, arg, value);
	return value;
}

/* A member of the body in the form that it must have, or NULL. */
static const char *
gather_body(Gathering *gathering, const Arg *arg)
{
	Call	   *call = gathering->call;
	json_t	   *member = json_object_get(call->json, arg->name);
	const char *name = arg->name;

	if (arg->alias != NULL)
	{
		json_t	   *other = json_object_get(call->json, arg->alias);

		if (member != NULL && other != NULL)
			call_field_error(call, arg->alias,
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
			call_field_error(call, name, "must not be empty");
		/* "" is a value where a change takes a text away by it. */
		return arg->choices == NULL ? "" : arg->fallback;
	}
	if (member == NULL || (json_is_null(member) && arg->rule != NOT_NULL))
	{
		if (arg->rule == REQUIRED)
			call_field_error(call, name, "is required");
		return arg->fallback;
	}
	return value_from_json(call, arg, name, member);
}

/* The version that the caller holds; NULL: any. */
static const char *
gather_if_match(Gathering *gathering)
{
	static const Problem bad = {400, "invalid_request", "",
		"If-Match must be one entity tag as ETag gave it, such as \"3\", or *."
	};
	const char *version = NULL;

	if (gathering->head->if_match != NULL &&
		!text_etag_version(gathering->head->if_match, &version))
		gathering->problem = &bad;
	return version == NULL ? NULL
		: arena_copy(gathering->call->arena, version,
					 strspn(version, "0123456789"));
}

/* The Idempotency-Key, or NULL without one. */
static const char *
gather_key(Gathering *gathering)
{
	static const Problem bad = {400, "idempotency_key_invalid", "",
		"Idempotency-Key must be 1 to 255 visible ASCII characters."
	};
	const char *key = gathering->head->idempotency_key;

	if (key != NULL && !text_is_visible_ascii(key, 255))
		gathering->problem = &bad;
	return key;
}

/* What the key stands for: a hash of what is asked; NULL without a key. */
static const char *
gather_hash(const Gathering *gathering)
{
	const char *const parts[] = {
		gathering->head->method, gathering->head->target,
		body_text(gathering->call)
	};
	char	   *hex;

	if (gathering->head->idempotency_key == NULL)
		return NULL;
	hex = arena_alloc(gathering->call->arena, SHA256_HEX_SIZE);
	text_sha256_hex(parts, 3, hex);
	return hex;
}

/* In which form the answer is wanted. */
static const char *
gather_format(const Gathering *gathering)
{
	const char *accept = gathering->head->accept;
	Call	   *call = gathering->call;

	call->csv = accept != NULL &&
		media_prefers(accept, "text/csv", "application/json");
	return call->csv ? "csv" : "json";
}

/*
 * Where a listener is, and whether it wants a stream.  A browser that connects
 * again repeats the query that it began with, and says by the header what it
 * has heard since (WHATWG HTML, 9.2.3).
 */
static const char *
gather_last_event(Gathering *gathering, const Arg *arg)
{
	const Head *head = gathering->head;
	const char *given = gather_query(gathering, arg);

	gathering->call->stream = head->accept != NULL &&
		strcmp(head->method, "GET") == 0 &&
		media_prefers(head->accept, "text/event-stream", "application/json");
	return head->last_event_id != NULL && head->last_event_id[0] != '\0'
		? head->last_event_id : given;
}

/* Notes an argument that is given without the scope that it needs. */
static void
check_scope(Gathering *gathering, const Arg *arg, const char *value)
{
	if (arg->scope == SCOPE_NONE || value == NULL ||
		strcmp(value, "false") == 0)
		return;
	if ((gathering->caller->scopes & (1u << arg->scope)) == 0)
		gathering->call->missing_scope = arg->scope;
}

/* Names the query parameters that the route does not have. */
static void
check_unknown_params(Gathering *gathering)
{
	Call	   *call = gathering->call;
	const Route *route = call->route;
	int			i;
	int			a;

	for (i = 0; i < gathering->query.count; i++)
	{
		const char *name = gathering->query.items[i].name;

		for (a = 0; a < route->arg_count; a++)
		{
			if ((route->args[a].from == FROM_QUERY ||
				 route->args[a].from == FROM_LAST_EVENT_ID) &&
				strcmp(route->args[a].name, name) == 0)
				break;
		}
		if (a == route->arg_count)
			call_field_error(call, name, "is not a parameter of this call");
	}
}

/* Remembers the page that is asked for: the Link header is made of it. */
static void
take_page(Call *call, const Arg *arg, const char *value)
{
	int64_t		number;

	if (value == NULL || arg->kind != KIND_INT ||
		!text_int(value, 0, INT32_MAX, &number))
		return;
	if (strcmp(arg->name, "page") == 0)
		call->page = (int) number;
	else if (strcmp(arg->name, "per_page") == 0)
		call->per_page = (int) number;
}

/* The first bad field in words; "errors" has them all. */
static const Problem *
fields_problem(const Call *call)
{
	const FieldError *first = call->fields;

	return problem_new(call->arena, 400, "invalid_request", "\"%s\" %s.%s",
					   first->field, first->message, first->next == NULL ? ""
					   : " \"errors\" names all that is not as it must be.");
}
