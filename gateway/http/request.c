/*
 * request.c
 *		One HTTP request: the steps from its target to its answer.
 *
 *		The order is fixed: path, method, token, scope, rate, then the rest.
 *		Nobody learns anything of a call that he may not make, and the body of
 *		one who may not is not kept.
 */
#include "http/request.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "http/args.h"
#include "http/auth.h"
#include "http/cors.h"
#include "http/headers.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/serve.h"
#include "http/strangers.h"
#include "http/target.h"
#include "http/tls.h"
#include "http/worker.h"

static void request_stranger(Request *request);
static bool is_health(const Route *route);
static bool request_find_route(Request *request);
static bool request_authorize(Request *request);
static void refuse_token(Request *request, AuthOutcome outcome);
static void refuse_scope(Request *request);
static bool request_within_rate(Request *request);
static bool request_accepts(Request *request);
static void request_take_body(Request *request);
static void request_call(Request *request);
static QueryLane request_lane(const Route *route, const char *const *params);
static void request_done(Query *query, QueryOutcome outcome,
						 PGresult *result);

/*
 * The headers are here: answers what needs no body to be refused, and else
 * says how large the body may be.
 */
void
request_admit(Request *request)
{
	if (!request_find_route(request) || !request_authorize(request))
		request_stranger(request);
	else if (request_within_rate(request) && request_accepts(request))
		request_take_body(request);
}

/*
 * The request is here whole.  After this it is answered, or waits for the
 * database with its connection suspended.
 */
void
request_run(Request *request)
{
	if (request->route->serve == NULL)
		request_call(request);
	else if (request->route->serve == serve_token ||
			 request->route->serve == serve_revoke)
		request->route->serve(request); /* which tell who a stranger is */
	else
	{
		request->route->serve(request);
		request_stranger(request);
	}
}

/*
 * The request is answered, and nobody vouches for who sent it.  Where its
 * address has sent too many of them, a refusal takes the answer's place, late;
 * health is told all the same, and what a browser asks before it calls.
 */
static void
request_stranger(Request *request)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The address makes more requests a minute without a good access "
		"token than it may."
	};
	int			retry_s;

	if (request->caller.client_id[0] != '\0' ||
		request->answer.status == 503 || strangers_take(request, &retry_s))
		return;
	if (request->answer.status == 204 || is_health(request->route))
	{
		request->hold = HOLD_ANSWER;
		return;
	}
	PQclear(request->answer.result);
	request->answer = (Answer) {0};
	request_refuse(request, &too_many);
	request_retry_after(request, retry_s);
	request->hold = HOLD_REFUSAL;
}

/* Whether the answer tells how the gateway is. */
static bool
is_health(const Route *route)
{
	return route != NULL &&
		(route->serve == serve_healthz || route->serve == serve_readyz);
}

/* Gives back what the request holds and makes it ready for another. */
void
request_reset(Request *request)
{
	Buf			body = request->body;

	PQclear(request->answer.result);
	json_decref(request->json);
	arena_free(&request->arena);
	buf_clear(&body);
	if (body.size > 4096)
		buf_free(&body);
	*request = (Request) {.body = body};
}

/* Finds the row of the route table, or answers. */
static bool
request_find_route(Request *request)
{
	static const Problem bad_path = {400, "invalid_request", "",
		"The path is not well formed."
	};
	static const Problem no_path = {404, "not_found", "",
		"There is no such call; /api/v1/openapi.json lists them all."
	};
	static const Problem no_method = {405, "method_not_allowed", "",
		"The call does not have this method; Allow lists those it has."
	};
	char		allow[128];

	if (!target_split(request))
	{
		request_refuse(request, &bad_path);
		return false;
	}
	switch (route_match(request->method, request->segments,
						request->segment_count, &request->route))
	{
		case ROUTE_FOUND:
			return true;
		case ROUTE_NO_PATH:
			request_refuse(request, &no_path);
			return false;
		case ROUTE_NO_METHOD:
			break;
	}
	route_allow(request->route, allow, sizeof(allow));
	if (strcmp(request->method, "OPTIONS") == 0)
		request_answer(request, 204, NULL, "", 0);
	else
		request_refuse(request, &no_method);
	request_header(request, "Allow", arena_strdup(&request->arena, allow));
	request->route = NULL;
	return false;
}

/* Whether the caller may make the call; otherwise answers. */
static bool
request_authorize(Request *request)
{
	Scope		scope = request->route->scope;
	AuthOutcome outcome;

	if (scope == SCOPE_NONE)
		return true;
	outcome = auth_check(request->worker->auth, request->headers.authorization,
						 &request->caller);
	if (outcome != AUTH_GOOD)
	{
		refuse_token(request, outcome);
		return false;
	}
	if ((request->caller.scopes & (1u << scope)) != 0)
		return true;
	refuse_scope(request);
	return false;
}

/* 401, or 503 while the keys are not known. */
static void
refuse_token(Request *request, AuthOutcome outcome)
{
	static const Problem missing = {401, "invalid_token", "",
		"The call needs an access token: Authorization: Bearer <token>."
	};
	static const Problem bad = {401, "invalid_token", "",
		"The access token is not valid, or not any more."
	};
	static const Problem unknown = {503, "unavailable", "",
		"Whose tokens are good is not known; try again."
	};
	static const AuthFailure failures[] = {
		[AUTH_MISSING] = FAILURE_NO_TOKEN,
		[AUTH_INVALID] = FAILURE_INVALID_TOKEN,
		[AUTH_EXPIRED] = FAILURE_EXPIRED_TOKEN,
		[AUTH_REVOKED] = FAILURE_REVOKED_TOKEN,
		[AUTH_ENDED] = FAILURE_ENDED_TOKEN,
		[AUTH_UNKNOWN] = FAILURE_NOT_KNOWN,
	};

	metrics_auth_failure(failures[outcome]);
	if (outcome == AUTH_UNKNOWN)
	{
		request_refuse(request, &unknown);
		request_retry_after(request, 1);
		return;
	}
	request_refuse(request, outcome == AUTH_MISSING ? &missing : &bad);
	request_header(request, "WWW-Authenticate", outcome == AUTH_MISSING
				   ? "Bearer realm=\"bioecko_appt\""
				   : "Bearer realm=\"bioecko_appt\", error=\"invalid_token\"");
}

/* 403: the token's scope does not cover the call. */
static void
refuse_scope(Request *request)
{
	const char *name = scope_name(request->route->scope);
	const Problem problem = {403, "insufficient_scope", "",
		arena_printf(&request->arena, "The call needs the scope %s.", name)
	};

	request_refuse(request, &problem);
	request_header(request, "WWW-Authenticate",
				   arena_printf(&request->arena,
								"Bearer realm=\"bioecko_appt\", "
								"error=\"insufficient_scope\", scope=\"%s\"",
								name));
}

/* Whether the client has a request left this minute; otherwise answers. */
static bool
request_within_rate(Request *request)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The client makes more requests a minute than it may."
	};
	const char *client_id = request->caller.client_id;
	RateState	state;

	if (client_id[0] == '\0')
		return true;
	state = limits_take(LIMIT_REQUESTS, client_id,
						auth_rate(request->worker->auth, client_id));
	if (!state.allowed)
	{
		request_refuse(request, &too_many);
		request_retry_after(request, state.retry_s);
	}
	if (state.limit > 0)
	{
		request_header(request, "RateLimit-Limit",
					   arena_printf(&request->arena, "%d", state.limit));
		request_header(request, "RateLimit-Remaining",
					   arena_printf(&request->arena, "%d", state.remaining));
		request_header(request, "RateLimit-Reset",
					   arena_printf(&request->arena, "%d", state.reset_s));
	}
	return state.allowed;
}

/* Whether the caller takes what we can send; otherwise answers. */
static bool
request_accepts(Request *request)
{
	static const Problem not_acceptable = {406, "not_acceptable", "",
		"The answer is application/json, which Accept does not take."
	};
	const char *accept = request->headers.accept;

	if (accept == NULL || request->route->serve != NULL ||
		header_accepts(accept, "application/json"))
		return true;
	request_refuse(request, &not_acceptable);
	return false;
}

/* Sets the limit of the body: a form's is small, as anybody may send one. */
static void
request_take_body(Request *request)
{
	static const Problem form_too_large = {413, "content_too_large", "",
		"The form is larger than 8 KiB."
	};
	const Route *route = request->route;
	const char *length = request->headers.content_length;

	if (route->serve == NULL)
		request->body_max = REQUEST_BODY_MAX;
	else if (strcmp(route->method, "POST") == 0)
		request->body_max = REQUEST_FORM_MAX;
	if (request->body_max == REQUEST_FORM_MAX && length != NULL &&
		strtoull(length, NULL, 10) > REQUEST_FORM_MAX)
		request_refuse(request, &form_too_large);
}

/* Calls the row's function. */
static void
request_call(Request *request)
{
	const Route *route = request->route;
	const char **params = arena_alloc(&request->arena,
									  ROUTE_PARAMS_MAX * sizeof(char *));

	if (args_gather(request, params) == ARGS_REFUSED)
		return;
	request->query = (Query) {
		.statement = route_statement(route),
		.params = params,
		.lane = request_lane(route, params),
		.caller = request->caller.client_id,
		.writes = route->access == WRITE,
		.done = request_done,
		.context = request,
	};
	request_submit(request);
}

/* How the call runs: with one argument a quick read may be a long one. */
static QueryLane
request_lane(const Route *route, const char *const *params)
{
	int			param = 0;
	int			i;

	if (route->access == WRITE)
		return LANE_OWN;
	if (route->access == READ_ALONE)
		return LANE_LONG;
	for (i = 0; i < route->arg_count && route->alone_with != NULL; i++)
	{
		if (route->args[i].from == IN_BODY_WHOLE)
			continue;
		if (strcmp(route->args[i].name, route->alone_with) == 0 &&
			params[param] != NULL)
			return LANE_LONG;
		param++;
	}
	return LANE_SHARED;
}

/* Hands request->query to the database; its connection is suspended. */
void
request_submit(Request *request)
{
	request_suspend(request);
	pool_submit(request->worker->pool, &request->query);
}

/* Suspends the request's connection, unless it is already. */
void
request_suspend(Request *request)
{
	if (!request->suspended)
		MHD_suspend_connection(request->connection);
	request->suspended = true;
	request->state = REQUEST_WAITING;
}

/* The answer is ready: libmicrohttpd calls the handler again for it. */
void
request_resume(Request *request)
{
	request->suspended = false;
	MHD_resume_connection(request->connection);
}

/* The database answered, or will not. */
static void
request_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Request    *request = query->context;

	if (outcome == QUERY_OK)
	{
		reply_from_result(request, result);
		if (request->route->wakes)
			wake_soon(&request->worker->wake);
	}
	else
	{
		request_database_error(request, outcome, result);
		PQclear(result);
	}
	request_resume(request);
}

/* Answers with this body, which lives as long as the request. */
void
request_answer(Request *request, int status, const char *content_type,
			   const char *body, size_t len)
{
	Answer	   *answer = &request->answer;

	answer->status = status;
	answer->content_type = content_type;
	answer->body = body;
	answer->len = len;
	request->state = REQUEST_ANSWERED;
	request_header(request, "X-Request-Id", request->id);
	request_header(request, "Cache-Control", "no-store");
	request_header(request, "X-Content-Type-Options", "nosniff");
	if (tls_wanted())
		request_header(request, "Strict-Transport-Security", TLS_HSTS);
	cors_headers(request);
}

/* Answers with the problem and the bad fields found so far. */
void
request_refuse(Request *request, const Problem *problem)
{
	Buf			body = {0};
	const char *copy;

	problem_json(&body, problem, request->fields, request->id);
	copy = arena_copy(&request->arena, body.data, body.len);
	request_answer(request, problem->status, "application/problem+json", copy,
				   body.len);
	buf_free(&body);
}

/* Notes a bad field; the message goes on after the field's name. */
void
request_field_error(Request *request, const char *field,
					const char *format,...)
{
	FieldError *error = arena_alloc(&request->arena, sizeof(FieldError));
	FieldError **last = &request->fields;
	va_list		args;
	int			count = 0;

	va_start(args, format);
	*error = (FieldError) {
		.field = field,
		.message = arena_vprintf(&request->arena, format, args),
	};
	va_end(args);
	for (; *last != NULL; last = &(*last)->next)
		count++;
	if (count < 50)
		*last = error;
}

/* Adds a header to the answer; name and value live as long as the request. */
void
request_header(Request *request, const char *name, const char *value)
{
	Answer	   *answer = &request->answer;

	if (answer->header_count == REQUEST_ANSWER_HEADERS)
	{
		LOG_ERROR("an answer has too many headers", log_text("name", name));
		return;
	}
	answer->headers[answer->header_count++] = (AnswerHeader) {name, value};
}

/* Says how the answer may be kept, which otherwise nobody does. */
void
request_cache_control(Request *request, const char *value)
{
	Answer	   *answer = &request->answer;
	int			i;

	for (i = 0; i < answer->header_count; i++)
	{
		if (strcmp(answer->headers[i].name, "Cache-Control") == 0)
			answer->headers[i].value = value;
	}
}

/* Says when it is worth to try again. */
void
request_retry_after(Request *request, int seconds)
{
	request_header(request, "Retry-After",
				   arena_printf(&request->arena, "%d", seconds));
}
