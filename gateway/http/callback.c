/*
 * callback.c
 *		POST /notifications/callbacks/{channel_id}: what a provider of SMS or
 *		WhatsApp reports of a message, passed on as it came.
 *
 *		Anybody may send one. Whether it is the provider's is judged where the
 *		secret is, in the database; a refusal takes from the budget of its
 *		address, and comes late when that is spent. All callbacks wait for
 *		the database as one caller, so that a flood of them keeps no booking
 *		waiting.
 */
#include "http/callback.h"

#include <string.h>

#include "common/encode.h"
#include "common/log.h"
#include "http/exchange.h"
#include "http/handlers.h"
#include "http/hold.h"
#include "http/media.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/strangers.h"
#include "http/target.h"
#include "http/text.h"

#define REPORT_PARAMS 5
#define CHECK_PARAMS 2
#define CHALLENGE_MAX 256
#define PROOF_MAX 1000

typedef struct Callback
{
	const char *params[REPORT_PARAMS];	/* of the statement */
	const char *challenge;		/* to be answered; NULL: a report */
} Callback;

static const Statement *report_statement;
static const Statement *check_statement;

static const char *channel_id(const Exchange *exchange);
static const char *parameter(Exchange *exchange, const char *name);
static const char *visible(const char *proof);
static const char *bytes_literal(Exchange *exchange);
static void callback_ask(Exchange *exchange, Callback *callback,
						 const Statement *statement);
static void callback_done(Query *query, QueryOutcome outcome,
						  PGresult *result);
static void callback_answer(Exchange *exchange, const char *verdict);
static void callback_refuse(Exchange *exchange, const char *verdict);
static void callback_end(Exchange *exchange);

/* Registers the statements; before any loop. */
void
callback_init(void)
{
	report_statement = statement_register(
		"SELECT verdict FROM appt_api.take_delivery_reports("
		"channel_id => $1, is_form => $2, payload => $3, signature => $4, "
		"token => $5)", REPORT_PARAMS);
	check_statement = statement_register(
		"SELECT verdict FROM appt_api.confirm_callback("
		"channel_id => $1, token => $2)", CHECK_PARAMS);
}

/* POST: what has become of messages. */
void
serve_callback(Exchange *exchange)
{
	static const Problem too_large = {413, "content_too_large", "",
		"The body is larger than 64 KiB."
	};
	const char *type = exchange->head.content_type;
	Callback   *callback = arena_alloc(&exchange->arena, sizeof(Callback));

	if (exchange->body.seen > exchange->body.max)
	{
		exchange_refuse(exchange, &too_large);
		callback_end(exchange);
		return;
	}
	*callback = (Callback) {.params = {
			channel_id(exchange),
			type != NULL && media_is(type, "application/x-www-form-urlencoded")
			? "t" : "f",
			bytes_literal(exchange),
			visible(exchange->head.signature),
			visible(parameter(exchange, "token")),
	}};
	callback_ask(exchange, callback, report_statement);
}

/* GET: whether the address is ours, as Meta asks before it sends reports. */
void
serve_callback_check(Exchange *exchange)
{
	static const Problem no_challenge = {400, "invalid_request", "",
		"The address takes reports by POST; a GET comes with hub.mode, "
		"hub.verify_token and hub.challenge."
	};
	Callback   *callback = arena_alloc(&exchange->arena, sizeof(Callback));

	*callback = (Callback) {
		.params = {
			channel_id(exchange),
			visible(parameter(exchange, "hub.verify_token"))
		},
		.challenge = parameter(exchange, "hub.challenge"),
	};
	if (callback->challenge != NULL &&
		text_is_visible_ascii(callback->challenge, CHALLENGE_MAX))
		callback_ask(exchange, callback, check_statement);
	else
	{
		exchange_refuse(exchange, &no_challenge);
		callback_end(exchange);
	}
}

/* The channel that the path names. */
static const char *
channel_id(const Exchange *exchange)
{
	return route_path_value(exchange->call.route, "channel_id",
							exchange->head.segments);
}

/* A parameter of the query; NULL: it is not there, or not once. */
static const char *
parameter(Exchange *exchange, const char *name)
{
	const char *value = NULL;
	QueryParams params;
	int			i;

	if (!target_params(&exchange->arena, exchange->head.query, &params))
		return NULL;
	for (i = 0; i < params.count; i++)
	{
		if (strcmp(params.items[i].name, name) != 0)
			continue;
		if (value != NULL)
			return NULL;
		value = params.items[i].value;
	}
	return value;
}

/* A signature or secret that can be one; NULL: it cannot. */
static const char *
visible(const char *proof)
{
	return proof != NULL && text_is_visible_ascii(proof, PROOF_MAX)
		? proof : NULL;
}

/* The body as PostgreSQL takes bytes: \x and two digits each. */
static const char *
bytes_literal(Exchange *exchange)
{
	const Buf  *bytes = &exchange->body.bytes;
	char	   *literal = arena_alloc(&exchange->arena, bytes->len * 2 + 3);

	memcpy(literal, "\\x", 3);
	if (bytes->len > 0)
		encode_hex((const unsigned char *) bytes->data, bytes->len,
				   literal + 2);
	return literal;
}

/* Asks the database for its verdict. */
static void
callback_ask(Exchange *exchange, Callback *callback,
			 const Statement *statement)
{
	exchange->work = callback;
	exchange->query = (Query) {
		.statement = statement,
		.params = callback->params,
		.lane = LANE_OWN,
		.caller = "callbacks",
		.writes = true,
		.done = callback_done,
		.context = exchange,
	};
	exchange_submit(exchange);
}

/* The database answered, or will not. */
static void
callback_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;

	if (outcome != QUERY_OK)
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
	else if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
		callback_answer(exchange, PQgetvalue(result, 0, 0));
	else
		callback_answer(exchange, "unknown");
	PQclear(result);
	callback_end(exchange);
}

/* Answers as the verdict is; nobody is told what was made of a report. */
static void
callback_answer(Exchange *exchange, const char *verdict)
{
	const Callback *callback = exchange->work;
	static const char received[] = "{\"received\":true}";

	if (strcmp(verdict, "taken") != 0)
		callback_refuse(exchange, verdict);
	else if (callback->challenge != NULL)
		answer_body(&exchange->answer, 200, "text/plain; charset=utf-8",
					callback->challenge, strlen(callback->challenge));
	else
	{
		answer_body(&exchange->answer, 200, "application/json", received,
					strlen(received));
		wake_soon(&exchange->service->wake);
	}
}

/* Why it was not taken. */
static void
callback_refuse(Exchange *exchange, const char *verdict)
{
	static const Problem malformed = {400, "invalid_request", "",
		"The body is no report."
	};
	static const Problem refused = {403, "invalid_signature", "",
		"The signature, or the secret in the address, is not the channel's."
	};
	static const Problem unknown = {404, "not_found", "",
		"There is no channel of that name that takes reports."
	};

	if (strcmp(verdict, "malformed") == 0)
		exchange_refuse(exchange, &malformed);
	else if (strcmp(verdict, "refused") == 0)
	{
		metrics_auth_failure(FAILURE_WRONG_SIGNATURE);
		exchange_refuse(exchange, &refused);
	}
	else
		exchange_refuse(exchange, &unknown);
}

/*
 * Lets the answer out.  A refusal takes from the budget of its address, and
 * comes late when that is spent.
 */
static void
callback_end(Exchange *exchange)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The address sends too many requests that are refused."
	};
	int			status = exchange->answer.status;
	int			retry_s;

	if (status >= 400 && status < 500 &&
		!strangers_take(&exchange->head.from, &retry_s))
	{
		answer_drop(&exchange->answer);
		exchange_refuse(exchange, &too_many);
		answer_retry_after(&exchange->answer, retry_s);
		exchange->hold = HOLD_REFUSAL;
	}
	else if (status == 403)
		LOG_WARNING("wrong signature", log_text("id", exchange->head.id),
					log_text("channel_id", channel_id(exchange)));
	if (exchange->suspended && exchange->hold != HOLD_NONE)
		hold_answer(exchange);
	else if (exchange->suspended)
		exchange_resume(exchange);
}
