/*
 * staffcall.c
 *		What the calls of somebody who signs in, or is signed in, share.
 */
#include "http/staffcall.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "http/args.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/signin.h"

#define ANSWER_DEPTH 3

/* Whether it comes with a cookie, and from a page of ours; else answers. */
bool
staffcall_is_own(Exchange *exchange)
{
	const Problem *forgery;

	exchange->sign_in = signin_token(&exchange->head);
	if (exchange->sign_in == NULL)
	{
		exchange_refuse_sign_in(exchange);
		return false;
	}
	forgery = signin_forgery(&exchange->head, exchange->sign_in);
	if (forgery != NULL)
		exchange_refuse_caller(exchange, forgery);
	return forgery == NULL;
}

/* Takes the members of the body; false: the request is answered. */
bool
staffcall_gather(Exchange *exchange)
{
	const Problem *problem = args_gather(&exchange->call, &(ArgSources) {
		.head = &exchange->head,
		.body = &exchange->body,
		.caller = &exchange->caller,
	});

	if (problem != NULL)
		exchange_refuse(exchange, problem);
	return problem == NULL;
}

/* Asks the database; its connection is suspended. */
void
staffcall_ask(Exchange *exchange, const Statement *statement,
			  const char *const *params, QueryDone done)
{
	exchange->query = (Query) {
		.statement = statement,
		.params = params,
		.lane = LANE_AUTH,
		.writes = true,
		.done = done,
		.context = exchange,
	};
	exchange_submit(exchange);
}

/*
 * What the database answered, which the caller gives back; NULL: nothing, or
 * it could not, and then the request is answered.  The result is freed.
 */
json_t *
staffcall_answer(Exchange *exchange, Query *query, QueryOutcome outcome,
				 PGresult *result)
{
	json_t	   *answer = NULL;

	if (exchange->abandoned)
		answer_body(&exchange->answer, STATUS_ABANDONED, NULL, "", 0);
	else if (outcome != QUERY_OK)
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
	else if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
		answer = json_read(PQgetvalue(result, 0, 0),
						   (size_t) PQgetlength(result, 0, 0), ANSWER_DEPTH,
						   NULL);
	PQclear(result);
	return answer;
}

/* Answers with an object. */
void
staffcall_json(Exchange *exchange, json_t *answer)
{
	char	   *text = json_dumps(answer, JSON_COMPACT);

	answer_body(&exchange->answer, 200, "application/json",
				arena_strdup(&exchange->arena, text), strlen(text));
	free(text);
}

/* 401: the password or the code is wrong, or there is no such account. */
void
staffcall_wrong(Exchange *exchange)
{
	static const Problem wrong = {401, "invalid_credentials", "",
		"The account, the password or the code is wrong."
	};

	metrics_auth_failure(FAILURE_WRONG_PASSWORD);
	exchange_refuse_caller(exchange, &wrong);
}

/* 200: who is signed in; with a cookie where it is a new one. */
void
staffcall_sign_in(Exchange *exchange, json_t *sign_in, const char *token)
{
	const char *csrf_token = signin_csrf_token(
		&exchange->arena, token != NULL ? token : exchange->sign_in);

	if (!signin_caller(sign_in, &exchange->caller))
		LOG_ERROR("cannot read a sign-in");
	json_object_set_new(sign_in, "csrf_token", json_string(csrf_token));
	staffcall_json(exchange, sign_in);
	if (token != NULL)
		answer_header(&exchange->answer, "Set-Cookie",
					  signin_cookie(&exchange->arena, token));
}
