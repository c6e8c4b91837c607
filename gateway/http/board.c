/*
 * board.c
 *		What the television of a waiting room asks for, by a token of its own,
 *		which is good for this and no other call; and when it is to ask again.
 *
 *		Only the database knows the tokens.  So each request takes from its
 *		address's budget for strangers, and one beyond that is refused
 *		without a query.
 */
#include "http/board.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "http/exchange.h"
#include "http/feed.h"
#include "http/handlers.h"
#include "http/hold.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/strangers.h"
#include "http/text.h"

#define BOARD_TOKEN_MAX 100
#define BOARD_DEPTH 8			/* of the answer's JSON */

static const Statement *board_statement;

static void ask(Exchange *exchange, QueryDone done);
static const char *board_token(const Exchange *exchange);
static void board_done(Query *query, QueryOutcome outcome, PGresult *result);
static void events_done(Query *query, QueryOutcome outcome, PGresult *result);
static bool is_refused(Exchange *exchange, QueryOutcome outcome,
					   PGresult *result);
static bool take_board_id(Exchange *exchange, const PGresult *result);
static void refuse_token(Exchange *exchange, AuthFailure failure);

/* Registers the statement; before any loop. */
void
board_init(void)
{
	board_statement = statement_register(
		"SELECT body FROM appt_api.board(token_sha256 => $1)", 1);
}

/* What the board shows. */
void
serve_board(Exchange *exchange)
{
	ask(exchange, board_done);
}

/* When it has changed: an answer that goes on. */
void
serve_board_events(Exchange *exchange)
{
	ask(exchange, events_done);
}

/* Queries what the board of the request's token shows. */
static void
ask(Exchange *exchange, QueryDone done)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The address makes more requests a minute without a good access "
		"token than it may."
	};
	const char *token = board_token(exchange);
	char	   *hash = arena_alloc(&exchange->arena, SHA256_HEX_SIZE);
	int			retry_s;

	if (!strangers_take(&exchange->head.from, &retry_s))
	{
		exchange_refuse(exchange, &too_many);
		answer_retry_after(&exchange->answer, retry_s);
		exchange->hold = HOLD_REFUSAL;
		return;
	}
	if (token == NULL)
	{
		refuse_token(exchange, exchange->head.authorization == NULL
					 ? FAILURE_NO_TOKEN : FAILURE_INVALID_TOKEN);
		return;
	}
	text_sha256_hex(&token, 1, hash);
	exchange->call.params[0] = hash;
	exchange->query = (Query) {
		.statement = board_statement,
		.params = exchange->call.params,
		.lane = LANE_OWN,
		.done = done,
		.context = exchange,
	};
	exchange_submit(exchange);
}

/* The token, if one was sent that may be a board's. */
static const char *
board_token(const Exchange *exchange)
{
	const size_t scheme = strlen("Bearer ");
	const char *sent = exchange->head.authorization;

	if (sent == NULL || strncasecmp(sent, "Bearer ", scheme) != 0)
		return NULL;
	sent += scheme + strspn(sent + scheme, " ");
	return strncmp(sent, "board_", strlen("board_")) == 0 &&
		strlen(sent) <= BOARD_TOKEN_MAX ? sent : NULL;
}

/* The database knows the token, or does not. */
static void
board_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;

	if (!is_refused(exchange, outcome, result))
		exchange_answer(exchange, outcome, result);
}

/* The token is good, or not: begins the stream; HEAD gets its headers. */
static void
events_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;

	if (is_refused(exchange, outcome, result))
		return;
	if (outcome != QUERY_OK || exchange->abandoned ||
		!take_board_id(exchange, result))
	{
		exchange_answer(exchange, outcome, result);
		return;
	}
	PQclear(result);
	if (strcmp(exchange->head.method, "HEAD") == 0)
		answer_body(&exchange->answer, 200, "text/event-stream", "", 0);
	else
		feed_tell_board(exchange);
	exchange_resume(exchange);
}

/* Answers 401 if the database does not know the token; returns whether. */
static bool
is_refused(Exchange *exchange, QueryOutcome outcome, PGresult *result)
{
	if (outcome != QUERY_OK || PQntuples(result) != 1 ||
		!PQgetisnull(result, 0, 0) || exchange->abandoned)
		return false;
	refuse_token(exchange, FAILURE_INVALID_TOKEN);
	PQclear(result);
	exchange_resume(exchange);
	return true;
}

/* Names the board as the caller; false: its id cannot be read. */
static bool
take_board_id(Exchange *exchange, const PGresult *result)
{
	Caller	   *caller = &exchange->caller;
	json_t	   *shown = json_read(PQgetvalue(result, 0, 0),
								  (size_t) PQgetlength(result, 0, 0),
								  BOARD_DEPTH, NULL);
	const char *id = json_string_value(json_object_get(shown, "board_id"));
	int			len = id == NULL ? -1
		: snprintf(caller->client_id, sizeof(caller->client_id),
				   FEED_BOARD "%s", id);

	json_decref(shown);
	return len > 0 && len < (int) sizeof(caller->client_id);
}

/* 401 */
static void
refuse_token(Exchange *exchange, AuthFailure failure)
{
	static const Problem missing = {401, "invalid_token", "",
		"The call needs a board's token: Authorization: Bearer <token>."
	};
	static const Problem bad = {401, "invalid_token", "",
		"There is no board with this token, or it is revoked."
	};

	metrics_auth_failure(failure);
	exchange_refuse(exchange, failure == FAILURE_NO_TOKEN ? &missing : &bad);
	answer_header(&exchange->answer, "WWW-Authenticate",
				  failure == FAILURE_NO_TOKEN
				  ? "Bearer realm=\"bioecko_appt\""
				  : "Bearer realm=\"bioecko_appt\", error=\"invalid_token\"");
}
