/*
 * steps.c
 *		The steps of a request from its target to its answer.
 *
 *		The order is fixed: path, method, token, scope, rate, then the rest.
 *		Nobody learns anything of a call that he may not make, and its body
 *		is dropped.  A sign-in's cookie takes a query, which is sent when
 *		the body is here.
 */
#include "http/steps.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "http/args.h"
#include "http/body.h"
#include "http/limits.h"
#include "http/media.h"
#include "http/metrics.h"
#include "http/options.h"
#include "http/reply.h"
#include "http/signin.h"
#include "http/target.h"

#define SIGN_IN_DEPTH 3			/* what appt_api.signed_in answers */

static bool find_route(Exchange *exchange);
static bool redirect(Exchange *exchange);
static bool authorize(Exchange *exchange);
static bool has_scope(Exchange *exchange);
static bool comes_signed_in(Exchange *exchange);
static bool is_forged(Exchange *exchange);
static void ask_caller(Exchange *exchange);
static void caller_known(Query *query, QueryOutcome outcome,
						 PGresult *result);
static void refuse_token(Exchange *exchange, AuthOutcome outcome);
static void refuse_scope(Exchange *exchange, Scope scope);
static bool within_rate(Exchange *exchange);
static bool accepts(Exchange *exchange);
static void take_body(Exchange *exchange);
static void call_function(Exchange *exchange);
static void hash_password(Exchange *exchange);
static void password_hashed(PasswordWork *work, PasswordOutcome outcome);
static void send_query(Exchange *exchange);
static QueryLane lane_of(const Exchange *exchange);
static bool has_argument(const Call *call, const char *name);
static void query_done(Query *query, QueryOutcome outcome, PGresult *result);

/*
 * The headers are here: answers what needs no body to be refused, and else
 * says how large the body may be.
 */
void
steps_admit(Exchange *exchange)
{
	if (!find_route(exchange))
		exchange_stranger(exchange);
	else if (comes_signed_in(exchange))
	{
		if (is_forged(exchange))
			exchange_stranger(exchange);
		else if (accepts(exchange))
			take_body(exchange);
	}
	else if (!authorize(exchange))
		exchange_stranger(exchange);
	else if (within_rate(exchange) && accepts(exchange))
		take_body(exchange);
}

/*
 * The request is here whole.  After this it is answered, or waits for the
 * database with its connection suspended.
 */
void
steps_run(Exchange *exchange)
{
	const Route *route = exchange->call.route;

	if (route->serve == NULL)
	{
		if (exchange->sign_in != NULL)
			ask_caller(exchange);
		else
			call_function(exchange);
		return;
	}
	route->serve(exchange);
	if (route->strangers != STRANGERS_JUDGED)
		exchange_stranger(exchange);
}

/* Finds the row of the route table, or answers. */
static bool
find_route(Exchange *exchange)
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
		if (!redirect(exchange))
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
redirect(Exchange *exchange)
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
authorize(Exchange *exchange)
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
	return has_scope(exchange);
}

/* Whether the caller has the call's scope; otherwise answers. */
static bool
has_scope(Exchange *exchange)
{
	Scope		scope = exchange->call.route->scope;

	if ((exchange->caller.scopes & (1u << scope)) != 0)
		return true;
	refuse_scope(exchange, scope);
	return false;
}

/* Whether it comes with a sign-in's cookie, and with no token: that decides. */
static bool
comes_signed_in(Exchange *exchange)
{
	if (exchange->call.route->scope != SCOPE_NONE &&
		exchange->head.authorization == NULL)
		exchange->sign_in = signin_token(&exchange->head);
	return exchange->sign_in != NULL;
}

/* Whether a page of another site may have made the request; then answers. */
static bool
is_forged(Exchange *exchange)
{
	const Problem *problem = signin_forgery(&exchange->head,
											exchange->sign_in);

	if (problem == NULL)
		return false;
	metrics_auth_failure(FAILURE_FORGERY);
	exchange_refuse_caller(exchange, problem);
	return true;
}

/* Asks the database who is signed in; the body is here by then. */
static void
ask_caller(Exchange *exchange)
{
	const char **params = arena_alloc(&exchange->arena, 2 * sizeof(char *));

	params[0] = signin_hash(&exchange->arena, exchange->sign_in);
	params[1] = "true";
	exchange->query = (Query) {
		.statement = signin_statement(),
		.params = params,
		.lane = LANE_AUTH,
		.writes = true,
		.done = caller_known,
		.context = exchange,
	};
	exchange_submit(exchange);
}

/* The database told: goes on as with a token. */
static void
caller_known(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	json_t	   *sign_in = NULL;

	if (outcome == QUERY_OK && !PQgetisnull(result, 0, 0))
		sign_in = json_read(PQgetvalue(result, 0, 0),
							(size_t) PQgetlength(result, 0, 0),
							SIGN_IN_DEPTH, NULL);
	if (exchange->abandoned)
		answer_body(&exchange->answer, STATUS_ABANDONED, NULL, "", 0);
	else if (outcome != QUERY_OK)
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
	else if (!signin_caller(sign_in, &exchange->caller))
		exchange_refuse_sign_in(exchange);
	else if (has_scope(exchange) && within_rate(exchange))
		call_function(exchange);
	json_decref(sign_in);
	PQclear(result);
	exchange_finish(exchange);
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
within_rate(Exchange *exchange)
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
accepts(Exchange *exchange)
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
take_body(Exchange *exchange)
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
call_function(Exchange *exchange)
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
	if (call->password != NULL && *call->password != NULL)
		hash_password(exchange);
	else
		send_query(exchange);
}

/* Hashes the password that the call sets, in a thread. */
static void
hash_password(Exchange *exchange)
{
	exchange->password = (PasswordWork) {
		.password = *exchange->call.password,
		.done = password_hashed,
		.context = exchange
	};
	exchange_suspend(exchange);
	passwords_submit(&exchange->service->passwords, &exchange->password);
}

/* It is hashed: that is what the database gets. */
static void
password_hashed(PasswordWork *work, PasswordOutcome outcome)
{
	static const Problem busy = {503, "unavailable", "",
		"Too many passwords are set at this moment; try again."
	};
	Exchange   *exchange = work->context;

	if (outcome == PASSWORD_HASHED)
	{
		*exchange->call.password = work->made;
		send_query(exchange);
		return;
	}
	exchange_refuse(exchange, &busy);
	answer_retry_after(&exchange->answer, 1);
	exchange_resume(exchange);
}

/* Hands the call to the database. */
static void
send_query(Exchange *exchange)
{
	Call	   *call = &exchange->call;

	exchange->query = (Query) {
		.statement = route_statement(call->route),
		.params = call->params,
		.lane = lane_of(exchange),
		.caller = exchange->caller.client_id,
		.writes = call->route->access == WRITE,
		.done = query_done,
		.context = exchange,
	};
	if (call->stream)
		call->route->stream(exchange);
	else
		exchange_submit(exchange);
}

/* How the call runs: with one argument a quick read may be a long one. */
static QueryLane
lane_of(const Exchange *exchange)
{
	const Call *call = &exchange->call;
	const Route *route = call->route;

	if (route->access == WRITE || route->access == READ_PRIMARY)
		return LANE_OWN;
	if (route->notes && exchange->sign_in != NULL &&
		(route->notes_with == NULL || has_argument(call, route->notes_with)))
		return LANE_OWN;
	if (route->access == READ_ALONE || has_argument(call, route->alone_with))
		return LANE_LONG;
	return LANE_SHARED;
}

/* Whether the call came with that argument; NULL is none. */
static bool
has_argument(const Call *call, const char *name)
{
	const Route *route = call->route;
	int			param = 0;
	int			i;

	for (i = 0; i < route->arg_count && name != NULL; i++)
	{
		if (route->args[i].from == BODY_MEMBER)
			continue;
		if (strcmp(route->args[i].name, name) == 0)
			return call->params[param] != NULL;
		param++;
	}
	return false;
}

/* The database answered, or will not. */
static void
query_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	exchange_answer(query->context, outcome, result);
}
