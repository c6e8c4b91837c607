/*
 * oauth.c
 *		POST /auth/token (RFC 6749, client credentials) and POST /auth/revoke
 *		(RFC 7009).  Errors of the client are OAuth's, not problem+json.
 *
 *		Who is not let in by what the loop knows of clients waits for the next
 *		reading of them, a fraction of a second, so that a client made just now
 *		is let in; then he is refused without a word to the database.  A wrong
 *		secret is slowed down by client and address, the right one never: it
 *		is known to be right before anything is counted.
 */
#include "http/serve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "http/auth.h"
#include "common/json.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/oauthform.h"
#include "http/options.h"
#include "http/peer.h"
#include "http/strangers.h"
#include "http/text.h"
#include "http/token.h"
#include "http/worker.h"

#define CLIENT_DEPTH 2			/* what appt_api.authenticate answers */
#define WRONG_SECRETS_A_MINUTE 10

static const Statement *authenticate_statement;
static const Statement *revoke_statement;

static void oauth_begin(Request *request, OauthForm *form);
static void oauth_judge(Request *request, OauthForm *form);
static void oauth_wait(Request *request, OauthForm *form);
static void oauth_judge_again(AuthWait *wait);
static bool oauth_within(Request *request, LimitKind kind,
						 const OauthForm *form);
static void oauth_ask(Request *request, OauthForm *form,
					  const Statement *statement, QueryDone done);
static void token_ask(Request *request, OauthForm *form);
static void token_done(Query *query, QueryOutcome outcome, PGresult *result);
static void token_answer(Request *request, const json_t *client);
static const char *token_scope(Request *request, const json_t *scopes,
							   const char *wanted);
static void revoke_ask(Request *request, OauthForm *form);
static void revoke_done(Query *query, QueryOutcome outcome, PGresult *result);
static const char *answer_text(QueryOutcome outcome, const PGresult *result);
static void refuse_client(Request *request, const OauthForm *form,
						  AuthFailure failure);
static void refuse_secret(Request *request, const OauthForm *form,
						  AuthFailure failure);
static void refuse_for_now(Request *request);
static void oauth_end(Request *request);

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
serve_token(Request *request)
{
	OauthForm  *form = oauth_form(request);

	if (form != NULL && form->grant_type == NULL)
		oauth_error(request, 400, "invalid_request",
					"grant_type is missing.");
	else if (form != NULL &&
			 strcmp(form->grant_type, "client_credentials") != 0)
		oauth_error(request, 400, "unsupported_grant_type",
					"The only grant_type is client_credentials.");
	else if (form != NULL)
	{
		form->proceed = token_ask;
		oauth_begin(request, form);
	}
	oauth_end(request);
}

/* POST /auth/revoke */
void
serve_revoke(Request *request)
{
	OauthForm  *form = oauth_form(request);

	if (form != NULL && form->token == NULL)
		oauth_error(request, 400, "invalid_request", "token is missing.");
	else if (form != NULL)
	{
		form->proceed = revoke_ask;
		oauth_begin(request, form);
	}
	oauth_end(request);
}

/* Goes on if the client has named itself. */
static void
oauth_begin(Request *request, OauthForm *form)
{
	request->work = form;
	if (form->client_id == NULL || form->client_secret == NULL)
		refuse_client(request, form, FAILURE_NO_CLIENT);
	else if (strlen(form->client_id) >= CLIENT_ID_SIZE)
		refuse_client(request, form, FAILURE_UNKNOWN_CLIENT);
	else
		oauth_judge(request, form);
}

/* Goes on if the secret is the client's; else waits for news of it, once. */
static void
oauth_judge(Request *request, OauthForm *form)
{
	static const AuthFailure failures[] = {
		[SECRET_WRONG] = FAILURE_WRONG_SECRET,
		[SECRET_NO_CLIENT] = FAILURE_UNKNOWN_CLIENT,
		[SECRET_DISABLED] = FAILURE_DISABLED_CLIENT,
	};
	SecretOutcome outcome = auth_check_secret(request->worker->auth,
											  form->client_id,
											  form->client_secret);

	if (outcome == SECRET_RIGHT)
		form->proceed(request, form);
	else if (!form->waited)
		oauth_wait(request, form);
	else if (outcome == SECRET_UNKNOWN)
		refuse_for_now(request);
	else
		refuse_secret(request, form, failures[outcome]);
}

/* Waits for the next reading of what the database says of clients. */
static void
oauth_wait(Request *request, OauthForm *form)
{
	form->waited = true;
	form->wait = (AuthWait) {
		.done = oauth_judge_again, .context = request
	};
	request_suspend(request);
	auth_wait(request->worker->auth, &form->wait);
}

/* What is known is newer than the request, or does not get any newer. */
static void
oauth_judge_again(AuthWait *wait)
{
	Request    *request = wait->context;

	oauth_judge(request, request->work);
	oauth_end(request);
}

/* Whether the client, whose secret is right, has one left; else answers. */
static bool
oauth_within(Request *request, LimitKind kind, const OauthForm *form)
{
	RateState	state = limits_take(kind, form->client_id,
									options.token_limit);

	if (state.allowed)
		return true;
	oauth_error(request, 429, "temporarily_unavailable",
				"The client asks for more tokens a minute than it may.");
	request_retry_after(request, state.retry_s);
	return false;
}

/* Asks the database; the form has the parameters. */
static void
oauth_ask(Request *request, OauthForm *form, const Statement *statement,
		  QueryDone done)
{
	request->query = (Query) {
		.statement = statement,
		.params = form->params,
		.lane = LANE_AUTH,
		.writes = true,
		.done = done,
		.context = request,
	};
	request_submit(request);
}

/* Has the database look at the secret, too, and note the token. */
static void
token_ask(Request *request, OauthForm *form)
{
	char	   *hash = arena_alloc(&request->arena, SHA256_HEX_SIZE);

	if (!oauth_within(request, LIMIT_TOKENS, form))
		return;
	text_sha256_hex(&form->client_secret, 1, hash);
	form->params[0] = form->client_id;
	form->params[1] = hash;
	oauth_ask(request, form, authenticate_statement, token_done);
}

/* The secret is right, or is not any more: the next reading tells why. */
static void
token_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Request    *request = query->context;
	OauthForm  *form = request->work;
	const char *text = answer_text(outcome, result);
	json_t	   *client = text != NULL
		? json_read(text, strlen(text), CLIENT_DEPTH, NULL) : NULL;

	if (outcome != QUERY_OK)
		request_database_error(request, outcome, result);
	else if (client == NULL && !form->waited)
		oauth_wait(request, form);
	else if (client == NULL)
		refuse_secret(request, form, FAILURE_WRONG_SECRET);
	else
		token_answer(request, client);
	json_decref(client);
	PQclear(result);
	oauth_end(request);
}

/* Answers with a token of the scope that was asked for. */
static void
token_answer(Request *request, const json_t *client)
{
	const OauthForm *form = request->work;
	const char *id = json_string_value(json_object_get(client, "client_id"));
	const char *scope = token_scope(
		request, json_object_get(client, "scopes"), form->scope);
	static const Problem no_key = {503, "unavailable", "",
		"There is no signing key yet; try again."
	};
	char	   *token;
	const char *body;

	if (scope == NULL)
	{
		oauth_error(request, 400, "invalid_scope",
					"The client does not have that scope.");
		return;
	}
	token = auth_issue(request->worker->auth, id, scope, (int)
					   json_integer_value(json_object_get(client, "epoch")));
	if (token == NULL)
	{
		request_refuse(request, &no_key);
		request_retry_after(request, 1);
		return;
	}
	snprintf(request->caller.client_id, sizeof(request->caller.client_id),
			 "%s", id);
	body = arena_printf(&request->arena,
						"{\"access_token\":\"%s\",\"token_type\":\"Bearer\","
						"\"expires_in\":%d,\"scope\":\"%s\"}",
						token, options.token_lifetime_s, scope);
	free(token);
	request_answer(request, 200, "application/json", body, strlen(body));
	request_header(request, "Pragma", "no-cache");
}

/* The scope to grant, all without a wish; NULL: beyond the client's. */
static const char *
token_scope(Request *request, const json_t *scopes, const char *wanted)
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
	copy = arena_strdup(&request->arena, buf_get(&all));
	buf_free(&all);
	if (wanted == NULL || wanted[0] == '\0')
		return copy;

	has = token_scopes(copy);
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
revoke_ask(Request *request, OauthForm *form)
{
	AuthOutcome outcome;

	if (!oauth_within(request, LIMIT_REVOCATIONS, form))
		return;
	outcome = auth_check_token(request->worker->auth, form->token,
							   &form->owner);
	if (outcome == AUTH_UNKNOWN)
		refuse_for_now(request);
	else if (outcome != AUTH_GOOD ||
			 strcmp(form->owner.client_id, form->client_id) != 0)
		request_answer(request, 200, NULL, "", 0);
	else
	{
		form->params[0] = form->owner.jti;
		form->params[1] = arena_printf(&request->arena, "%" PRId64,
									   form->owner.expires_at);
		form->params[2] = form->client_id;
		oauth_ask(request, form, revoke_statement, revoke_done);
	}
}

/* The revocation is stored: it counts here at once, elsewhere soon. */
static void
revoke_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Request    *request = query->context;
	const OauthForm *form = request->work;

	if (outcome != QUERY_OK)
		request_database_error(request, outcome, result);
	else
	{
		auth_revoked(request->worker->auth, &form->owner);
		request_answer(request, 200, NULL, "", 0);
	}
	PQclear(result);
	oauth_end(request);
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
refuse_client(Request *request, const OauthForm *form, AuthFailure failure)
{
	metrics_auth_failure(failure);
	oauth_error(request, 401, "invalid_client",
				"The client is unknown, disabled, or its secret is wrong.");
	if (form->basic)
		request_header(request, "WWW-Authenticate",
					   "Basic realm=\"bioecko_appt\"");
}

/* 401, and a line in the log; or 429 to who has tried too many. */
static void
refuse_secret(Request *request, const OauthForm *form, AuthFailure failure)
{
	IpAddress	network = peer_network(&request->from);
	char		address[IP_TEXT_SIZE];
	RateState	state;

	ip_text(&network, address);
	state = limits_take(LIMIT_SECRETS,
						arena_printf(&request->arena, "%s %s",
									 form->client_id, address),
						WRONG_SECRETS_A_MINUTE);
	if (!state.allowed)
	{
		metrics_auth_failure(FAILURE_THROTTLED);
		oauth_error(request, 429, "invalid_client",
					"Too many wrong secrets; wait a while.");
		request_retry_after(request, state.retry_s);
		return;
	}
	ip_text(&request->from, address);
	LOG_WARNING("wrong secret", log_text("id", request->id),
				log_text("reason", metrics_failure_name(failure)),
				log_text("client_id", form->client_id),
				log_text("address", address));
	refuse_client(request, form, failure);
}

/* 503: what is known of clients is nothing, or too old. */
static void
refuse_for_now(Request *request)
{
	static const Problem unknown = {503, "unavailable", "",
		"The service does not know its clients yet; try again."
	};

	request_refuse(request, &unknown);
	request_retry_after(request, 1);
}

/*
 * Lets the answer out, if there is one.  A refusal takes from the budget of
 * its address, and comes late when that is spent.
 */
static void
oauth_end(Request *request)
{
	int			status = request->answer.status;
	int			retry_s;

	if (request->state != REQUEST_ANSWERED)
		return;
	if (status >= 400 && status < 500 && !strangers_take(request, &retry_s))
	{
		request->answer = (Answer) {0};
		oauth_error(request, 429, "temporarily_unavailable",
					"The address sends too many requests that are refused.");
		request_retry_after(request, retry_s);
		request->hold = HOLD_REFUSAL;
	}
	if (request->suspended && request->hold != HOLD_NONE)
		strangers_hold(request);
	else if (request->suspended)
		request_resume(request);
}
