/*
 * oauth.c
 *		POST /auth/token (RFC 6749, client credentials) and POST /auth/revoke
 *		(RFC 7009).  Errors of the client are OAuth's, not problem+json.
 *
 *		The secret is hashed here; the database compares hashes.  Wrong ones
 *		are counted by client and address, and slowed down.
 */
#include "http/serve.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "http/auth.h"
#include "http/headers.h"
#include "http/json.h"
#include "http/limits.h"
#include "http/options.h"
#include "http/request.h"
#include "http/target.h"
#include "http/text.h"
#include "http/token.h"

#define CLIENT_DEPTH 2			/* what appt_api.authenticate answers */

/* What a token or revocation request carries. */
typedef struct OauthForm
{
	const char *grant_type;
	const char *client_id;
	const char *client_secret;
	const char *scope;			/* NULL: all that the client has */
	const char *token;
	const char *who;			/* client and address, for throttling */
	const char *params[3];
	Caller		owner;			/* of the token */
} OauthForm;

static const Statement *authenticate_statement;
static const Statement *revoke_statement;

static OauthForm *form_read(Request *request);
static bool form_field(OauthForm *form, const QueryParam *param);
static bool form_basic(Request *request, OauthForm *form);
static bool form_client(Request *request, OauthForm *form);
static void oauth_authenticate(Request *request, OauthForm *form,
							   QueryDone done);
static void token_done(Query *query, QueryOutcome outcome, PGresult *result);
static void token_answer(Request *request, const json_t *client);
static const char *token_scope(Request *request, const json_t *scopes,
							   const char *wanted);
static void revoke_authenticated(Query *query, QueryOutcome outcome,
								 PGresult *result);
static void revoke_done(Query *query, QueryOutcome outcome, PGresult *result);
static const char *answer_text(QueryOutcome outcome, const PGresult *result);
static void oauth_error(Request *request, int status, const char *error,
						const char *description);
static void refuse_client(Request *request);
static void refuse_for_now(Request *request);
static const char *client_address(Request *request);
static void address_text(const struct sockaddr *address, char *text);

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
	OauthForm  *form = form_read(request);

	if (form == NULL)
		return;
	if (form->grant_type == NULL)
		oauth_error(request, 400, "invalid_request",
					"grant_type is missing.");
	else if (strcmp(form->grant_type, "client_credentials") != 0)
		oauth_error(request, 400, "unsupported_grant_type",
					"The only grant_type is client_credentials.");
	else if (form_client(request, form))
		oauth_authenticate(request, form, token_done);
}

/* POST /auth/revoke */
void
serve_revoke(Request *request)
{
	OauthForm  *form = form_read(request);

	if (form == NULL)
		return;
	if (form->token == NULL)
		oauth_error(request, 400, "invalid_request", "token is missing.");
	else if (form_client(request, form))
		oauth_authenticate(request, form, revoke_authenticated);
}

/* The form's fields; NULL: the request is answered. */
static OauthForm *
form_read(Request *request)
{
	OauthForm  *form = arena_alloc(&request->arena, sizeof(OauthForm));
	const char *content_type = request->headers.content_type;
	QueryParams params;
	int			i;

	if (content_type == NULL ||
		!header_is_media_type(content_type,
							  "application/x-www-form-urlencoded"))
	{
		oauth_error(request, 400, "invalid_request", "The body must be "
					"application/x-www-form-urlencoded.");
		return NULL;
	}
	if (request->body_seen > request->body_max ||
		strlen(buf_get(&request->body)) != request->body.len ||
		!target_params(&request->arena, buf_get(&request->body), &params))
	{
		oauth_error(request, 400, "invalid_request",
					"The form is not well formed.");
		return NULL;
	}
	for (i = 0; i < params.count; i++)
	{
		if (!form_field(form, &params.items[i]))
		{
			oauth_error(request, 400, "invalid_request",
						"A parameter is there twice.");
			return NULL;
		}
	}
	return form;
}

/* Takes one field; false when it was there before.  Others are ignored. */
static bool
form_field(OauthForm *form, const QueryParam *param)
{
	const struct
	{
		const char *name;
		const char **field;
	}			fields[] = {
		{"grant_type", &form->grant_type},
		{"client_id", &form->client_id},
		{"client_secret", &form->client_secret},
		{"scope", &form->scope},
		{"token", &form->token},
	};
	size_t		i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		if (strcmp(param->name, fields[i].name) != 0)
			continue;
		if (*fields[i].field != NULL)
			return false;
		*fields[i].field = param->value;
	}
	return true;
}

/*
 * Whether the client has named itself in one of the two ways and may try;
 * otherwise answers.
 */
static bool
form_client(Request *request, OauthForm *form)
{
	int			wait_s;

	if (request->headers.authorization != NULL && !form_basic(request, form))
		return false;
	if (form->client_id == NULL || form->client_secret == NULL ||
		strlen(form->client_id) > 64)
	{
		refuse_client(request);
		return false;
	}
	form->who = arena_printf(&request->arena, "%s %s", form->client_id,
							 client_address(request));
	wait_s = limits_throttled_s(form->who);
	if (wait_s == 0)
		return true;
	oauth_error(request, 429, "invalid_client",
				"Too many wrong secrets; wait a while.");
	request_retry_after(request, wait_s);
	return false;
}

/* Takes the client from the Authorization header (RFC 6749, 2.3.1). */
static bool
form_basic(Request *request, OauthForm *form)
{
	const char *header = request->headers.authorization;
	size_t		len = 0;
	char	   *pair = NULL;
	char	   *colon = NULL;

	if (strncasecmp(header, "Basic ", 6) == 0)
		pair = text_base64_decode(&request->arena, header + 6, &len);
	if (pair != NULL && strlen(pair) == len)
		colon = strchr(pair, ':');
	if (colon == NULL)
	{
		refuse_client(request);
		return false;
	}
	if (form->client_secret != NULL)
	{
		oauth_error(request, 400, "invalid_request",
					"The client is named in two ways.");
		return false;
	}
	form->client_id = text_percent_decode(
		&request->arena, pair, (size_t) (colon - pair), PLUS_IS_SPACE);
	form->client_secret = text_percent_decode(
		&request->arena, colon + 1, strlen(colon + 1), PLUS_IS_SPACE);
	return true;
}

/* Asks the database whether the secret is the client's. */
static void
oauth_authenticate(Request *request, OauthForm *form, QueryDone done)
{
	char	   *hash = arena_alloc(&request->arena, SHA256_HEX_SIZE);

	text_sha256_hex(&form->client_secret, 1, hash);
	form->params[0] = form->client_id;
	form->params[1] = hash;
	request->work = form;
	request->query = (Query) {
		.statement = authenticate_statement,
		.params = form->params,
		.lane = LANE_AUTH,
		.writes = true,
		.done = done,
		.context = request,
	};
	request_submit(request);
}

/* The secret was right, or not. */
static void
token_done(Query *query, QueryOutcome outcome, PGresult *result)
{
	Request    *request = query->context;
	const char *text = answer_text(outcome, result);
	json_t	   *client = text != NULL
		? json_read(text, strlen(text), CLIENT_DEPTH, NULL) : NULL;

	if (outcome != QUERY_OK)
		request_database_error(request, outcome, result);
	else if (client == NULL)
	{
		limits_failed(((OauthForm *) request->work)->who);
		refuse_client(request);
	}
	else
		token_answer(request, client);
	json_decref(client);
	PQclear(result);
	request_resume(request);
}

/* Answers with a token of the scope that was asked for. */
static void
token_answer(Request *request, const json_t *client)
{
	const OauthForm *form = request->work;
	const char *id = json_string_value(json_object_get(client, "client_id"));
	const char *scope = token_scope(
		request, json_object_get(client, "scopes"), form->scope);
	char	   *token;
	const char *body;

	if (scope == NULL)
	{
		oauth_error(request, 400, "invalid_scope",
					"The client does not have that scope.");
		return;
	}
	token = auth_issue(request->loop->auth, id, scope, (int)
					   json_integer_value(json_object_get(client, "epoch")));
	if (token == NULL)
	{
		refuse_for_now(request);
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

/* The client is who it says: its token is revoked, if it is its own. */
static void
revoke_authenticated(Query *query, QueryOutcome outcome, PGresult *result)
{
	Request    *request = query->context;
	OauthForm  *form = request->work;
	AuthOutcome token = auth_check_token(request->loop->auth, form->token,
										 &form->owner);

	if (outcome != QUERY_OK)
		request_database_error(request, outcome, result);
	else if (answer_text(outcome, result) == NULL)
	{
		limits_failed(form->who);
		refuse_client(request);
	}
	else if (token == AUTH_UNKNOWN)
		refuse_for_now(request);
	else if (token != AUTH_GOOD ||
			 strcmp(form->owner.client_id, form->client_id) != 0)
		request_answer(request, 200, NULL, "", 0);
	PQclear(result);
	if (request->state == REQUEST_ANSWERED)
	{
		request_resume(request);
		return;
	}
	form->params[0] = form->owner.jti;
	form->params[1] = arena_printf(&request->arena, "%" PRId64,
								   form->owner.expires_at);
	form->params[2] = form->client_id;
	request->query.statement = revoke_statement;
	request->query.done = revoke_done;
	pool_submit(request->loop->pool, &request->query);
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
		auth_revoked(request->loop->auth, &form->owner);
		request_answer(request, 200, NULL, "", 0);
	}
	PQclear(result);
	request_resume(request);
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

/* Answers as RFC 6749, 5.2 says. */
static void
oauth_error(Request *request, int status, const char *error,
			const char *description)
{
	const char *body = arena_printf(
		&request->arena, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
		error, description);

	request_answer(request, status, "application/json", body, strlen(body));
	request_header(request, "Pragma", "no-cache");
}

/* 401: the client is not who it says, or says nothing. */
static void
refuse_client(Request *request)
{
	oauth_error(request, 401, "invalid_client",
				"The client is unknown, disabled, or its secret is wrong.");
	request_header(request, "WWW-Authenticate",
				   "Basic realm=\"bioecko_appt\"");
}

/* 503: the keys are not known yet. */
static void
refuse_for_now(Request *request)
{
	static const Problem no_key = {503, "unavailable", "",
		"There is no signing key yet; try again."
	};

	request_refuse(request, &no_key);
	request_retry_after(request, 1);
}

/*
 * Where the request comes from, as text: who connected, or whom a proxy of
 * ours says that it speaks for.
 */
static const char *
client_address(Request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
	char	   *text = arena_alloc(&request->arena, INET6_ADDRSTRLEN);
	const char *said = request->headers.forwarded_for;
	const char *last;

	if (address != NULL)
		address_text(address, text);
	if (said == NULL || !text_is_listed(options.trusted_proxies, text))
		return text;
	last = strrchr(said, ',');
	last = last != NULL ? last + 1 : said;
	last += strspn(last, " ");
	return strspn(last, "0123456789abcdefABCDEF:.") == strlen(last) &&
		strlen(last) < INET6_ADDRSTRLEN ? last : text;
}

/*
 * The address as text of at most INET6_ADDRSTRLEN bytes.  One of IPv4 is the
 * same where the socket listens to both, as ::ffff:127.0.0.1.
 */
static void
address_text(const struct sockaddr *address, char *text)
{
	const void *bytes = &((const struct sockaddr_in *) address)->sin_addr;
	int			family = address->sa_family;

	if (family == AF_INET6)
	{
		const struct in6_addr *six =
			&((const struct sockaddr_in6 *) address)->sin6_addr;
		bool		is_four = IN6_IS_ADDR_V4MAPPED(six);

		bytes = is_four ? six->s6_addr + 12 : six->s6_addr;
		family = is_four ? AF_INET : AF_INET6;
	}
	if (inet_ntop(family, bytes, text, INET6_ADDRSTRLEN) == NULL)
		text[0] = '\0';
}
