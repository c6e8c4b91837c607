/*
 * oauth.c
 *		POST /auth/token (RFC 6749, client credentials) and POST /auth/revoke
 *		(RFC 7009).  Errors of the client are OAuth's, not problem+json.
 *
 *		A client that the loop does not know, or whose secret it finds
 *		wrong, waits for the next reading of clients, a fraction of a
 *		second, as it may have been made just now; then it is refused
 *		without a query.  Wrong secrets are throttled by client and address,
 *		right ones never: a secret is known to be right before anything is
 *		counted.
 */
#include "http/oauth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "http/auth.h"
#include "http/handlers.h"
#include "http/hold.h"
#include "common/json.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/oauthform.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/reply.h"
#include "http/strangers.h"
#include "http/text.h"

#define CLIENT_DEPTH 2			/* what appt_api.authenticate answers */
#define WRONG_SECRETS_A_MINUTE 10

static const Statement *authenticate_statement;
static const Statement *revoke_statement;

static void oauth_begin(Exchange *exchange, OauthForm *form);
static void oauth_judge(Exchange *exchange, OauthForm *form);
static void oauth_wait(Exchange *exchange, OauthForm *form);
static void oauth_judge_again(AuthWait *wait);
static bool oauth_within(Exchange *exchange, LimitKind kind,
						 const OauthForm *form);
static void oauth_ask(Exchange *exchange, OauthForm *form,
					  const Statement *statement, QueryDone done);
static void token_ask(Exchange *exchange, OauthForm *form);
static void token_done(Query *query, QueryOutcome outcome, PGresult *result);
static void token_answer(Exchange *exchange, const json_t *client);
static const char *token_scope(Exchange *exchange, const json_t *scopes,
							   const char *wanted);
static void revoke_ask(Exchange *exchange, OauthForm *form);
static void revoke_answer(Exchange *exchange);
static void revoke_done(Query *query, QueryOutcome outcome, PGresult *result);
static const char *answer_text(QueryOutcome outcome, const PGresult *result);
static void refuse_client(Exchange *exchange, const OauthForm *form,
						  AuthFailure failure);
static void refuse_secret(Exchange *exchange, const OauthForm *form,
						  AuthFailure failure);
static void refuse_for_now(Exchange *exchange);
static void oauth_end(Exchange *exchange);

/* Registers the statements; before any loop. */
void
oauth_init(void)
{
	authenticate_statement = statement_register(
		"SELECT body FROM appt_api.authenticate("
		"client_id => $1, secret_sha256 => $2)", 2);
	revoke_statement = statement_register(
		"SELECT body FROM appt_api.revoke_token("
		"jti => $1, expires_at => to_timestamp($2), client => $3)", 3);
}

/* POST /auth/token */
void
serve_token(Exchange *exchange)
{
	OauthForm  *form = oauth_form(exchange);

	if (form != NULL && form->grant_type == NULL)
		oauth_error(exchange, 400, "invalid_request",
					"grant_type is missing.");
	else if (form != NULL &&
			 strcmp(form->grant_type, "client_credentials") != 0)
		oauth_error(exchange, 400, "unsupported_grant_type",
					"The only grant_type is client_credentials.");
	else if (form != NULL)
	{
		form->proceed = token_ask;
		oauth_begin(exchange, form);
	}
	oauth_end(exchange);
}

/* POST /auth/revoke */
void
serve_revoke(Exchange *exchange)
{
	OauthForm  *form = oauth_form(exchange);

	if (form != NULL && form->token == NULL)
		oauth_error(exchange, 400, "invalid_request", "token is missing.");
	else if (form != NULL)
	{
		form->proceed = revoke_ask;
		oauth_begin(exchange, form);
	}
	oauth_end(exchange);
}

/* Goes on if the client has named itself. */
static void
oauth_begin(Exchange *exchange, OauthForm *form)
{
	exchange->work = form;
	if (form->client_id == NULL || form->client_secret == NULL)
		refuse_client(exchange, form, FAILURE_NO_CLIENT);
	else if (strlen(form->client_id) >= CLIENT_ID_SIZE)
		refuse_client(exchange, form, FAILURE_UNKNOWN_CLIENT);
	else
		oauth_judge(exchange, form);
}

/* Goes on if the secret is the client's; else waits for news of it, once. */
static void
oauth_judge(Exchange *exchange, OauthForm *form)
{
	static const AuthFailure failures[] = {
		[SECRET_WRONG] = FAILURE_WRONG_SECRET,
		[SECRET_NO_CLIENT] = FAILURE_UNKNOWN_CLIENT,
		[SECRET_DISABLED] = FAILURE_DISABLED_CLIENT,
	};
	SecretOutcome outcome = auth_check_secret(exchange->service->auth,
											  form->client_id,
											  form->client_secret);

	if (outcome == SECRET_RIGHT)
		form->proceed(exchange, form);
	else if (!form->waited)
		oauth_wait(exchange, form);
	else if (outcome == SECRET_UNKNOWN)
		refuse_for_now(exchange);
	else
		refuse_secret(exchange, form, failures[outcome]);
}

/* Waits for the next reading of what the database says of clients. */
static void
oauth_wait(Exchange *exchange, OauthForm *form)
{
	form->waited = true;
	form->wait = (AuthWait) {
		.done = oauth_judge_again, .context = exchange
	};
	exchange_suspend(exchange);
	auth_wait(exchange->service->auth, &form->wait);
}

/* What is known is newer than the request, or does not get any newer. */
static void
oauth_judge_again(AuthWait *wait)
{
	Exchange   *exchange = wait->context;

	oauth_judge(exchange, exchange->work);
	oauth_end(exchange);
}

/*
 * Whether the client, whose secret is right, is within the limit; else answers.
 */
static bool
oauth_within(Exchange *exchange, LimitKind kind, const OauthForm *form)
{
	RateState	state = limits_take(kind, form->client_id,
									options.token_limit);

	if (state.allowed)
		return true;
	oauth_error(exchange, 429, "temporarily_unavailable",
				"The client asks for more tokens a minute than it may.");
	answer_retry_after(&exchange->answer, state.retry_s);
	return false;
}

/* Asks the database; the form has the parameters. */
static void
oauth_ask(Exchange *exchange, OauthForm *form, const Statement *statement,
		  QueryDone done)
{
	exchange->query = (Query) {
		.statement = statement,
		.params = form->params,
		.lane = LANE_AUTH,
		.writes = true,
		.done = done,
		.context = exchange,
	};
	exchange_submit(exchange);
}

/* Has the database look at the secret, too, and note the token. */
static void
token_ask(Exchange *exchange, OauthForm *form)
{
	char	   *hash = arena_alloc(&exchange->arena, SHA256_HEX_SIZE);

	if (!oauth_within(exchange, LIMIT_TOKENS, form))
		return;
	text_sha256_hex(&form->client_secret, 1, hash);
	form->params[0] = form->client_id;
	form->params[1] = hash;
	oauth_ask(exchange, form, authenticate_statement, token_done);
}

/* The secret is right, or is not any more: the next reading tells why. */
static void
token_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	OauthForm  *form = exchange->work;
	const char *text = answer_text(outcome, result);
	json_t	   *client = text != NULL
		? json_read(text, strlen(text), CLIENT_DEPTH, NULL) : NULL;

	if (outcome != QUERY_OK)
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
	else if (client == NULL && !form->waited)
		oauth_wait(exchange, form);
	else if (client == NULL)
		refuse_secret(exchange, form, FAILURE_WRONG_SECRET);
	else
		token_answer(exchange, client);
	json_decref(client);
	PQclear(result);
	oauth_end(exchange);
}

/* Answers with a token of the scope that was asked for. */
static void
token_answer(Exchange *exchange, const json_t *client)
{
	const OauthForm *form = exchange->work;
	const char *id = json_string_value(json_object_get(client, "client_id"));
	const char *scope = token_scope(
		exchange, json_object_get(client, "scopes"), form->scope);
	static const Problem no_key = {503, "unavailable", "",
		"There is no signing key yet; try again."
	};
	char	   *token;
	const char *body;

	if (scope == NULL)
	{
		oauth_error(exchange, 400, "invalid_scope",
					"The client does not have that scope.");
		return;
	}
	token = auth_issue(exchange->service->auth, id, scope, (int)
					   json_integer_value(json_object_get(client, "epoch")));
	if (token == NULL)
	{
		exchange_refuse(exchange, &no_key);
		answer_retry_after(&exchange->answer, 1);
		return;
	}
	snprintf(exchange->caller.client_id, sizeof(exchange->caller.client_id),
			 "%s", id);
	body = arena_printf(&exchange->arena,
						"{\"access_token\":\"%s\",\"token_type\":\"Bearer\","
						"\"expires_in\":%d,\"scope\":\"%s\"}",
						token, options.token_lifetime_s, scope);
	free(token);
	answer_body(&exchange->answer, 200, "application/json", body, strlen(body));
	answer_header(&exchange->answer, "Pragma", "no-cache");
}

/* The scope to grant, all without a wish; NULL: beyond the client's. */
static const char *
token_scope(Exchange *exchange, const json_t *scopes, const char *wanted)
{
	Buf			all = {0};
	const char *copy;
	unsigned	has;
	size_t		i;

	for (i = 0; i < json_array_size(scopes); i++)
	{
		if (i > 0)
			buf_char(&all, ' ');
		buf_text(&all, json_string_value(json_array_get(scopes, i)));
	}
	copy = arena_strdup(&exchange->arena, buf_get(&all));
	buf_free(&all);
	if (wanted == NULL || wanted[0] == '\0')
		return copy;

	has = scope_bits(copy);
	copy = wanted;
	while (*wanted != '\0')
	{
		size_t		len = strcspn(wanted, " ");

		if ((has & (1u << scope_from_name(wanted, len))) == 0)
			return NULL;
		wanted += len;
		if (*wanted == ' ')
			wanted++;
	}
	return copy;
}

/* Revokes the token, if it is one of the client's. */
static void
revoke_ask(Exchange *exchange, OauthForm *form)
{
	AuthOutcome outcome;

	if (!oauth_within(exchange, LIMIT_REVOCATIONS, form))
		return;
	outcome = auth_check_token(exchange->service->auth, form->token,
							   &form->owner);
	if (outcome == AUTH_UNKNOWN)
		refuse_for_now(exchange);
	else if (outcome != AUTH_GOOD ||
			 strcmp(form->owner.client_id, form->client_id) != 0)
		revoke_answer(exchange);
	else
	{
		form->params[0] = form->owner.jti;
		form->params[1] = arena_printf(&exchange->arena, "%" PRId64,
									   form->owner.expires_at);
		form->params[2] = form->client_id;
		oauth_ask(exchange, form, revoke_statement, revoke_done);
	}
}

/* RFC 7009 looks at no body, but there are clients that parse one. */
static void
revoke_answer(Exchange *exchange)
{
	answer_body(&exchange->answer, 200, "application/json", "{}", 2);
}

/* The revocation is stored: it counts here at once, elsewhere soon. */
static void
revoke_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Exchange   *exchange = query->context;
	const OauthForm *form = exchange->work;

	if (outcome != QUERY_OK)
		reply_from_outcome(&exchange->answer, &exchange->call, query, outcome,
						   result);
	else
	{
		auth_revoked(exchange->service->auth, &form->owner);
		revoke_answer(exchange);
	}
	PQclear(result);
	oauth_end(exchange);
}

/* The one text of the answer; NULL without. */
static const char *
answer_text(QueryOutcome outcome, const PGresult *result)
{
	if (outcome != QUERY_OK || PQntuples(result) == 0 ||
		PQgetisnull(result, 0, 0))
		return NULL;
	return PQgetvalue(result, 0, 0);
}

/* 401: the client is not who it says, or says nothing. */
static void
refuse_client(Exchange *exchange, const OauthForm *form, AuthFailure failure)
{
	metrics_auth_failure(failure);
	oauth_error(exchange, 401, "invalid_client",
				"The client is unknown, disabled, or its secret is wrong.");
	if (form->basic)
		answer_header(&exchange->answer, "WWW-Authenticate",
					  "Basic realm=\"bioecko_appt\"");
}

/* 401, and a line in the log; or 429 to who has tried too many. */
static void
refuse_secret(Exchange *exchange, const OauthForm *form, AuthFailure failure)
{
	IpAddress	network = peer_network(&exchange->head.from);
	char		address[IP_TEXT_SIZE];
	RateState	state;

	ip_text(&network, address);
	state = limits_take(LIMIT_SECRETS,
						arena_printf(&exchange->arena, "%s %s",
									 form->client_id, address),
						WRONG_SECRETS_A_MINUTE);
	if (!state.allowed)
	{
		metrics_auth_failure(FAILURE_THROTTLED);
		oauth_error(exchange, 429, "invalid_client",
					"Too many wrong secrets; wait a while.");
		answer_retry_after(&exchange->answer, state.retry_s);
		return;
	}
	ip_text(&exchange->head.from, address);
	LOG_WARNING("wrong secret", log_text("id", exchange->head.id),
				log_text("reason", metrics_failure_name(failure)),
				log_text("client_id", form->client_id),
				log_text("address", address));
	refuse_client(exchange, form, failure);
}

/* 503: what is known of clients is nothing, or too old. */
static void
refuse_for_now(Exchange *exchange)
{
	static const Problem unknown = {503, "unavailable", "",
		"The service does not know its clients yet; try again."
	};

	exchange_refuse(exchange, &unknown);
	answer_retry_after(&exchange->answer, 1);
}

/*
 * Lets the answer out, if there is one.  A refusal takes from the budget of
 * its address, and comes late when that is spent.
 */
static void
oauth_end(Exchange *exchange)
{
	int			status = exchange->answer.status;
	int			retry_s;

	if (!exchange_is_answered(exchange))
		return;
	if (status >= 400 && status < 500 &&
		!strangers_take(&exchange->head.from, &retry_s))
	{
		answer_drop(&exchange->answer);
		oauth_error(exchange, 429, "temporarily_unavailable",
					"The address sends too many requests that are refused.");
		answer_retry_after(&exchange->answer, retry_s);
		exchange->hold = HOLD_REFUSAL;
	}
	if (exchange->suspended && exchange->hold != HOLD_NONE)
		hold_answer(exchange);
	else if (exchange->suspended)
		exchange_resume(exchange);
}
