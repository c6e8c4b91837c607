/*
 * page.c
 *		The pages behind links in messages to patients: GET shows, POST acts,
 *		and what either means the database knows.
 *
 *		The link is the credential: no cookie is set or read, nothing of the
 *		link goes on to another host, and no other page can frame it.  A link
 *		that is not ours takes from the budget of its address, and is answered
 *		late when that is spent; a good one never is.
 */
#include "http/page.h"

#include <string.h>

#include "http/exchange.h"
#include "http/handlers.h"
#include "http/hold.h"
#include "http/media.h"
#include "http/reply.h"
#include "http/strangers.h"
#include "http/target.h"
#include "http/text.h"

#define POLICY "default-src 'none'; style-src 'self'; img-src data:; " \
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/* What a browser shows that gets no page from the database. */
#define NO_PAGE "<!DOCTYPE html>\n<html lang=\"en\">\n" \
	"<meta charset=\"utf-8\">\n" \
	"<meta name=\"viewport\" content=\"width=device-width\">\n" \
	"<title>Try again</title>\n<link rel=\"icon\" href=\"data:,\">\n" \
	"<link rel=\"stylesheet\" href=\"page.css\">\n<main>\n" \
	"<h1>Try again in a minute</h1>\n" \
	"<p lang=\"hi\">कृपया एक मिनट बाद फिर कोशिश करें।</p>\n</main>\n"

/* What the statement is given. */
typedef struct PageRequest
{
	const char *params[2];		/* the link, and fields as a JSON object */
} PageRequest;

static const Statement *show_statement;
static const Statement *use_statement;

static void page_ask(Exchange *exchange, const Statement *statement,
					 const char *fields, bool acts);
static bool is_form(const Exchange *exchange);
static const char *fields_json(Exchange *exchange, const QueryParams *fields);
static void refuse_fields(Exchange *exchange);
static void page_done(Query *query, QueryOutcome outcome, PGresult *result);
static void page_answer(Exchange *exchange, PGresult *result);
static void page_apologize(Exchange *exchange);
static void page_headers(Answer *answer);
static void page_end(Exchange *exchange);

/* Registers the statements; before any loop. */
void
page_init(void)
{
	show_statement = statement_register(
		"SELECT status, body FROM appt_api.show_link("
		"link => $1, fields => $2)", 2);
	use_statement = statement_register(
		"SELECT status, body FROM appt_api.use_link("
		"link => $1, fields => $2)", 2);
}

/* GET /v/{link} */
void
serve_page(Exchange *exchange)
{
	page_ask(exchange, show_statement, exchange->head.query, false);
}

/*
 * POST /v/{link}: to send it is enough.  What is no form has no fields: a
 * mailbox provider unsubscribes with multipart/form-data (RFC 8058, 3.1).
 */
void
serve_page_act(Exchange *exchange)
{
	const Buf  *bytes = &exchange->body.bytes;

	if (!is_form(exchange))
		page_ask(exchange, use_statement, "", true);
	else if (exchange->body.seen > exchange->body.max ||
			 strlen(buf_get(bytes)) != bytes->len)
		refuse_fields(exchange);
	else
		page_ask(exchange, use_statement, buf_get(bytes), true);
}

/* Asks the database; fields are in the form of a query. */
static void
page_ask(Exchange *exchange, const Statement *statement, const char *fields,
		 bool acts)
{
	PageRequest *request = arena_alloc(&exchange->arena, sizeof(*request));
	QueryParams params;

	if (!target_params(&exchange->arena, fields, &params))
	{
		refuse_fields(exchange);
		return;
	}
	request->params[0] = route_path_value(exchange->call.route, "link",
										  exchange->head.segments);
	request->params[1] = fields_json(exchange, &params);
	exchange->query = (Query) {
		.statement = statement,
		.params = request->params,
		.lane = LANE_OWN,		/* what is true now, not at a standby */
		.writes = acts,
		.done = page_done,
		.context = exchange,
	};
	exchange_submit(exchange);
}

static bool
is_form(const Exchange *exchange)
{
	return exchange->head.content_type != NULL &&
		media_is(exchange->head.content_type,
				 "application/x-www-form-urlencoded");
}

/* The fields as a JSON object. */
static const char *
fields_json(Exchange *exchange, const QueryParams *fields)
{
	Buf			json = {0};
	const char *copy;
	int			i;

	buf_char(&json, '{');
	for (i = 0; i < fields->count; i++)
	{
		if (i > 0)
			buf_char(&json, ',');
		buf_json_string(&json, fields->items[i].name);
		buf_char(&json, ':');
		buf_json_string(&json, fields->items[i].value);
	}
	buf_char(&json, '}');
	copy = arena_strdup(&exchange->arena, json.data);
	buf_free(&json);
	return copy;
}

static void
refuse_fields(Exchange *exchange)
{
	static const Problem malformed = {400, "invalid_request", "",
		"The form or query is not well formed."
	};

	exchange_refuse(exchange, &malformed);
	page_end(exchange);
}

/* The database answered, or will not. */
static void
page_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	int64_t		status;

	if (outcome == QUERY_OK && PQntuples(result) == 1 &&
		text_int(PQgetvalue(result, 0, 0), 200, 499, &status))
	{
		page_answer(exchange, result);
		exchange->answer.status = (int) status;
		if (query->writes)
			wake_soon(&exchange->service->wake);
	}
	else
	{
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
		PQclear(result);
		page_apologize(exchange);
	}
	page_end(exchange);
}

/* Answers with the page; the result is taken over. */
static void
page_answer(Exchange *exchange, PGresult *result)
{
	exchange->answer.result = result;
	answer_body(&exchange->answer, 200, "text/html; charset=utf-8",
				PQgetvalue(result, 0, 1), (size_t) PQgetlength(result, 0, 1));
	page_headers(&exchange->answer);
}

/* The problem in words for patients; its status and headers stay. */
static void
page_apologize(Exchange *exchange)
{
	answer_body(&exchange->answer, exchange->answer.status,
				"text/html; charset=utf-8", NO_PAGE, strlen(NO_PAGE));
	page_headers(&exchange->answer);
}

static void
page_headers(Answer *answer)
{
	answer_header(answer, "Content-Security-Policy", POLICY);
	answer_header(answer, "Referrer-Policy", "no-referrer");
	answer_header(answer, "X-Robots-Tag", "noindex");
}

/* Lets the answer out; who guesses links is refused, late. */
static void
page_end(Exchange *exchange)
{
	static const Problem too_many = {429, "rate_limited", "",
		"The address asks for more links that are none than it may."
	};
	int			retry_s;

	if ((exchange->answer.status == 404 || exchange->answer.status == 400) &&
		!strangers_take(&exchange->head.from, &retry_s))
	{
		answer_drop(&exchange->answer);
		exchange_refuse(exchange, &too_many);
		answer_retry_after(&exchange->answer, retry_s);
		exchange->hold = HOLD_REFUSAL;
	}
	if (exchange->suspended && exchange->hold != HOLD_NONE)
		hold_answer(exchange);
	else if (exchange->suspended)
		exchange_resume(exchange);
}
