/*
 * exchange.c
 *		One request under way: its beginning and end, and what those who handle
 *		it have in common.  The steps between are in steps.c.
 */
#include "http/exchange.h"

#include <microhttpd.h>

#include "common/clock.h"
#include "http/cors.h"
#include "http/lag.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/strangers.h"

#define ABANDON_US 100000		/* until then clients are taken to be there */

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

/*
 * Whether it has waited for the database for longer than most do: then it is
 * worth a look whether its client is still there.
 */
bool
exchange_may_be_abandoned(const Exchange *exchange)
{
	return exchange->state == EXCHANGE_WAITING && !exchange->abandoned &&
		exchange->query.party != NULL &&
		clock_us() - exchange->started_us > ABANDON_US;
}

/*
 * The client has gone: a query that waits is dropped, one that has a connection
 * to itself is cancelled.
 */
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
		if (exchange->call.route->stream != NULL)
			lag_knows(exchange->caller.client_id);	/* what has changed */
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

/* 401: nobody is signed in with the cookie, or there is none. */
void
exchange_refuse_sign_in(Exchange *exchange)
{
	static const Problem ended = {401, "invalid_session", "",
		"Nobody is signed in with this cookie, or not any more."
	};

	metrics_auth_failure(FAILURE_ENDED_SIGN_IN);
	exchange_refuse_caller(exchange, &ended);
}

/* 401 or 403, with WWW-Authenticate (RFC 9110, 11.6.1). */
void
exchange_refuse_caller(Exchange *exchange, const Problem *problem)
{
	exchange_refuse(exchange, problem);
	answer_header(&exchange->answer, "WWW-Authenticate",
				  "Bearer realm=\"bioecko_appt\"");
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

/*
 * Lets the answer out, if there is one and its connection is suspended; a
 * refusal takes from the budget of its address.
 */
void
exchange_finish(Exchange *exchange)
{
	int			status = exchange->answer.status;

	if (!exchange_is_answered(exchange))
		return;
	if (status >= 400 && status < 500 && status != STATUS_ABANDONED)
		exchange_stranger(exchange);
	if (exchange->suspended)
		exchange_resume(exchange);
}

/*
 * The request is answered, and nobody vouches for who sent it.  Where its
 * address has sent too many of them, a refusal takes the answer's place, late;
 * health is told all the same, and what a browser asks before it calls.
 */
void
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
