/*
 * exchange.c
 *		One request under way: the steps from its target to its answer.
 *
 *		The order is fixed: path, method, token, scope, rate, then the rest.
 *		Nobody learns anything of a call that he may not make, and the body of
 *		one who may not is not kept.
 */
#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "common/clock.h"
#include "http/args.h"
#include "http/body.h"
#include "http/cors.h"
#include "http/limits.h"
#include "http/media.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/reply.h"
#include "http/strangers.h"
#include "http/target.h"

#define ABANDON_US 100000		/* until then nobody looks who is still there */

static void exchange_stranger(Exchange *exchange);
static bool exchange_find_route(Exchange *exchange);
static bool exchange_redirect(Exchange *exchange);
static bool exchange_authorize(Exchange *exchange);
static void refuse_token(Exchange *exchange, AuthOutcome outcome);
static void refuse_scope(Exchange *exchange, Scope scope);
static bool exchange_within_rate(Exchange *exchange);
static bool exchange_accepts(Exchange *exchange);
static void exchange_take_body(Exchange *exchange);
static void exchange_call(Exchange *exchange);
static QueryLane exchange_lane(const Call *call);
static void exchange_done(Query *query, QueryOutcome outcome,
						  PGresult *result);

/* A request line has come: from here on the exchange counts. */
void
exchange_begin(Exchange *exchange, Service *service, Connection *connection,
			   const char *target)
{
	exchange->service = service;
	exchange->connection = connection;
	exchange->started_us = clock_us();
	exchange->head.arena = &exchange->arena;
	exchange->head.from = connection->address;
	exchange->head.target = arena_strdup(&exchange->arena, target);
	exchange->call.arena = &exchange->arena;
	exchange->answer.arena = &exchange->arena;
	exchange->answer.id = exchange->head.id;
	connection->exchange = exchange;
	service->running++;
}

/*
 * The headers are here: answers what needs no body to be refused, and else
 * says how large the body may be.
 */
void
exchange_admit(Exchange *exchange)
{
	if (!exchange_find_route(exchange) || !exchange_authorize(exchange))
		exchange_stranger(exchange);
	else if (exchange_within_rate(exchange) && exchange_accepts(exchange))
		exchange_take_body(exchange);
}

/*
 * The request is here whole.  After this it is answered, or waits for the
 * database with its connection suspended.
 */
void
exchange_run(Exchange *exchange)
{
	const Route *route = exchange->call.route;

	if (route->serve == NULL)
	{
		exchange_call(exchange);
		return;
	}
	route->serve(exchange);
	if (route->strangers != STRANGERS_JUDGED)
		exchange_stranger(exchange);
}

/*
 * The request is answered, and nobody vouches for who sent it.  Where its
 * address has sent too many of them, a refusal takes the answer's place, late;
 * health is told all the same, and what a browser asks before it calls.
 */
static void
exchange_stranger(Exchange *exchange)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The address makes more requests a minute without a good access "
		"token than it may."
	};
	int			retry_s;

	if (exchange->caller.client_id[0] != '\0' ||
		exchange->answer.status == 503 ||
		strangers_take(&exchange->head.from, &retry_s))
		return;
	if (exchange->answer.status == 204 ||
		(exchange->call.route != NULL &&
		 exchange->call.route->strangers == STRANGERS_TOLD))
	{
		exchange->hold = HOLD_ANSWER;
		return;
	}
	answer_drop(&exchange->answer);
	exchange_refuse(exchange, &too_many);
	answer_retry_after(&exchange->answer, retry_s);
	exchange->hold = HOLD_REFUSAL;
}

/* Whether it is neither whole nor answered. */
bool
exchange_is_coming(const Exchange *exchange)
{
	return exchange->state != EXCHANGE_WAITING &&
		!exchange_is_answered(exchange);
}

/* Whether there is an answer, sent or not. */
bool
exchange_is_answered(const Exchange *exchange)
{
	return exchange->answer.status != 0;
}

/* Whether the database works for it, or is to, longer than most need. */
bool
exchange_may_be_abandoned(const Exchange *exchange)
{
	return exchange->state == EXCHANGE_WAITING && !exchange->abandoned &&
		exchange->query.party != NULL &&
		clock_us() - exchange->started_us > ABANDON_US;
}

/* Whoever asked has gone: nothing more is done for it than must be. */
void
exchange_abandon(Exchange *exchange)
{
	exchange->abandoned = true;
	pool_abandon(exchange->service->pool, &exchange->query);
}

/* Adds to the answer what does not depend on the call; before it is sent. */
void
exchange_complete(Exchange *exchange)
{
	answer_complete(&exchange->answer);
	cors_headers(&exchange->answer, &exchange->head);
}

/* Gives back what the exchange holds and makes it ready for another. */
void
exchange_reset(Exchange *exchange)
{
	Buf			bytes = exchange->body.bytes;

	PQclear(exchange->answer.result);
	json_decref(exchange->call.json);
	arena_free(&exchange->arena);
	buf_clear(&bytes);
	if (bytes.size > 4096)
		buf_free(&bytes);
	*exchange = (Exchange) {.body.bytes = bytes};
}

/* Finds the row of the route table, or answers. */
static bool
exchange_find_route(Exchange *exchange)
{
	static const Problem bad_path = {400, "invalid_request", "",
		"The path is not well formed."
	};
	static const Problem no_path = {404, "not_found", "",
		"There is no such call; /docs shows them all, /api/v1/openapi.json "
		"lists them."
	};
	static const Problem no_method = {405, "method_not_allowed", "",
		"The call does not have this method; Allow lists those it has."
	};
	char		allow[128];

	if (!target_split(&exchange->head))
	{
		if (!exchange_redirect(exchange))
			exchange_refuse(exchange, &bad_path);
		return false;
	}
	switch (route_match(exchange->head.method, exchange->head.segments,
						exchange->head.segment_count, &exchange->call.route))
	{
		case ROUTE_FOUND:
			return true;
		case ROUTE_NO_PATH:
			exchange_refuse(exchange, &no_path);
			return false;
		case ROUTE_NO_METHOD:
			break;
	}
	route_allow(exchange->call.route, allow, sizeof(allow));
	if (strcmp(exchange->head.method, "OPTIONS") == 0)
		answer_body(&exchange->answer, 204, NULL, "", 0);
	else
		exchange_refuse(exchange, &no_method);
	answer_header(&exchange->answer, "Allow",
				  arena_strdup(&exchange->arena, allow));
	exchange->call.route = NULL;
	return false;
}

/* Sends who reads to the path without the slash at its end, if it has one. */
static bool
exchange_redirect(Exchange *exchange)
{
	const char *method = exchange->head.method;
	const char *there = target_before_slash(&exchange->head);

	if (there == NULL ||
		(strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
		return false;
	answer_body(&exchange->answer, 308, NULL, "", 0);
	answer_header(&exchange->answer, "Location", there);
	return true;
}

/* Whether the caller may make the call; otherwise answers. */
static bool
exchange_authorize(Exchange *exchange)
{
	Scope		scope = exchange->call.route->scope;
	AuthOutcome outcome;

	if (scope == SCOPE_NONE)
		return true;
	outcome = auth_check(exchange->service->auth, exchange->head.authorization,
						 &exchange->caller);
	if (outcome != AUTH_GOOD)
	{
		refuse_token(exchange, outcome);
		return false;
	}
	if ((exchange->caller.scopes & (1u << scope)) != 0)
		return true;
	refuse_scope(exchange, scope);
	return false;
}

/* Whether the caller, whose answer goes on, might still ask for it. */
bool
exchange_is_still_authorized(Exchange *exchange)
{
	Caller		caller;

	return auth_check(exchange->service->auth, exchange->head.authorization,
					  &caller) == AUTH_GOOD;
}

/* 401, or 503 while the keys are not known. */
static void
refuse_token(Exchange *exchange, AuthOutcome outcome)
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
		exchange_refuse(exchange, &unknown);
		answer_retry_after(&exchange->answer, 1);
		return;
	}
	exchange_refuse(exchange, outcome == AUTH_MISSING ? &missing : &bad);
	answer_header(&exchange->answer, "WWW-Authenticate", outcome == AUTH_MISSING
				  ? "Bearer realm=\"bioecko_appt\""
				  : "Bearer realm=\"bioecko_appt\", error=\"invalid_token\"");
}

/* 403: the token's scopes do not cover the call, or what it asks for. */
static void
refuse_scope(Exchange *exchange, Scope scope)
{
	const char *name = scope_name(scope);
	const Problem problem = {403, "insufficient_scope", "",
		arena_printf(&exchange->arena, "The call needs the scope %s.", name)
	};

	exchange_refuse(exchange, &problem);
	answer_header(&exchange->answer, "WWW-Authenticate",
				  arena_printf(&exchange->arena,
							   "Bearer realm=\"bioecko_appt\", "
							   "error=\"insufficient_scope\", scope=\"%s\"",
							   name));
}

/* Whether the client has a request left this minute; otherwise answers. */
static bool
exchange_within_rate(Exchange *exchange)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The client makes more requests a minute than it may."
	};
	const char *client_id = exchange->caller.client_id;
	RateState	state;

	if (client_id[0] == '\0')
		return true;
	state = limits_take(LIMIT_REQUESTS, client_id,
						auth_rate(exchange->service->auth, client_id));
	if (!state.allowed)
	{
		exchange_refuse(exchange, &too_many);
		answer_retry_after(&exchange->answer, state.retry_s);
	}
	if (state.limit > 0)
	{
		answer_header(&exchange->answer, "RateLimit-Limit",
					  arena_printf(&exchange->arena, "%d", state.limit));
		answer_header(&exchange->answer, "RateLimit-Remaining",
					  arena_printf(&exchange->arena, "%d", state.remaining));
		answer_header(&exchange->answer, "RateLimit-Reset",
					  arena_printf(&exchange->arena, "%d", state.reset_s));
	}
	return state.allowed;
}

/* Whether the caller takes what we can send; otherwise answers. */
static bool
exchange_accepts(Exchange *exchange)
{
	static const Problem not_acceptable = {406, "not_acceptable", "",
		"The answer is application/json, which Accept does not take."
	};
	static const Problem neither = {406, "not_acceptable", "",
		"The answer is application/json or text/csv, and Accept takes neither."
	};
	static const Problem nor_stream = {406, "not_acceptable", "",
		"The answer is application/json or text/event-stream, and Accept takes "
		"neither."
	};
	const Route *route = exchange->call.route;
	const char *accept = exchange->head.accept;

	if (accept == NULL || route->serve != NULL ||
		media_accepts(accept, "application/json") ||
		(route->csv && media_accepts(accept, "text/csv")) ||
		(route->stream != NULL && media_accepts(accept, "text/event-stream")))
		return true;
	exchange_refuse(exchange, route->csv ? &neither
					: route->stream != NULL ? &nor_stream : &not_acceptable);
	return false;
}

/* Sets the limit of the body: as a rule what anybody may send is small. */
static void
exchange_take_body(Exchange *exchange)
{
	static const Problem form_too_large = {413, "content_too_large", "",
		"The form is larger than 8 KiB."
	};
	const Route *route = exchange->call.route;
	const char *length = exchange->head.content_length;

	if (route->serve == NULL)
		exchange->body.max = BODY_MAX;
	else if (strcmp(route->method, "POST") == 0)
		exchange->body.max = route->body_max > 0 ? route->body_max : FORM_MAX;
	if (exchange->body.max == FORM_MAX && length != NULL &&
		strtoull(length, NULL, 10) > FORM_MAX)
		exchange_refuse(exchange, &form_too_large);
}

/* Calls the row's function. */
static void
exchange_call(Exchange *exchange)
{
	Call	   *call = &exchange->call;
	const ArgSources sources = {
		.head = &exchange->head,
		.body = &exchange->body,
		.caller = &exchange->caller,
	};
	const Problem *problem = args_gather(call, &sources);

	if (problem != NULL && call->missing_scope != SCOPE_NONE)
		refuse_scope(exchange, call->missing_scope);
	else if (problem != NULL)
		exchange_refuse(exchange, problem);
	if (problem != NULL && problem->status == 415 &&
		body_is_coded(&exchange->head))
		answer_header(&exchange->answer, "Accept-Encoding", "identity");
	if (problem != NULL)
		return;
	exchange->query = (Query) {
		.statement = route_statement(call->route),
		.params = call->params,
		.lane = exchange_lane(call),
		.caller = exchange->caller.client_id,
		.writes = call->route->access == WRITE,
		.done = exchange_done,
		.context = exchange,
	};
	if (call->stream)
		call->route->stream(exchange);
	else
		exchange_submit(exchange);
}

/* How the call runs: with one argument a quick read may be a long one. */
static QueryLane
exchange_lane(const Call *call)
{
	const Route *route = call->route;
	int			param = 0;
	int			i;

	if (route->access == WRITE || route->access == READ_PRIMARY)
		return LANE_OWN;
	if (route->access == READ_ALONE)
		return LANE_LONG;
	for (i = 0; i < route->arg_count && route->alone_with != NULL; i++)
	{
		if (route->args[i].from == BODY_MEMBER)
			continue;
		if (strcmp(route->args[i].name, route->alone_with) == 0 &&
			call->params[param] != NULL)
			return LANE_LONG;
		param++;
	}
	return LANE_SHARED;
}

/* Hands exchange->query to the database; its connection is suspended. */
void
exchange_submit(Exchange *exchange)
{
	exchange_suspend(exchange);
	pool_submit(exchange->service->pool, &exchange->query);
}

/* Suspends the request's connection, unless it is already. */
void
exchange_suspend(Exchange *exchange)
{
	if (!exchange->suspended)
		MHD_suspend_connection(exchange->connection->mhd);
	exchange->suspended = true;
	exchange->state = EXCHANGE_WAITING;
}

/* The answer is ready: libmicrohttpd calls the handler again for it. */
void
exchange_resume(Exchange *exchange)
{
	exchange->suspended = false;
	exchange->state = EXCHANGE_RUNNING;
	MHD_resume_connection(exchange->connection->mhd);
}

/* The database answered, or will not. */
static void
exchange_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	exchange_answer(query->context, outcome, result);
}

/*
 * Answers with what the database said of the call, and lets the answer out; the
 * result is taken over.
 */
void
exchange_answer(Exchange *exchange, QueryOutcome outcome, PGresult *result)
{
	if (outcome == QUERY_OK)
	{
		reply_from_result(&exchange->answer, &exchange->call, &exchange->head,
						  result);
		if (exchange->call.route->wakes)
		{
			wake_soon(&exchange->service->wake);
			exchange->service->wrote = true;
		}
	}
	else if (exchange->abandoned)
	{
		answer_body(&exchange->answer, STATUS_ABANDONED, NULL, "", 0);
		PQclear(result);
	}
	else
	{
		reply_from_outcome(&exchange->answer, &exchange->call,
						   &exchange->query, outcome, result);
		PQclear(result);
	}
	exchange_resume(exchange);
}

/* Answers with the problem and the bad fields found so far. */
void
exchange_refuse(Exchange *exchange, const Problem *problem)
{
	answer_problem(&exchange->answer, problem, exchange->call.fields);
}
