/*
 * oauthform.c
 *		Reads the form of POST /auth/token and /auth/revoke, and the client in
 *		it or in an Authorization header (RFC 6749, 2.3.1).
 */
#include "http/oauthform.h"

#include <string.h>
#include <strings.h>

#include "common/encode.h"
#include "http/body.h"
#include "http/media.h"
#include "http/target.h"
#include "http/text.h"

static bool form_read(Exchange *exchange, OauthForm *form);
static bool form_field(OauthForm *form, const QueryParam *param);
static bool form_basic(Exchange *exchange, OauthForm *form);

/*
 * The form, with its client; NULL: the request is answered.  A header of
 * another scheme than Basic, which some send along with every request, is not
 * for us: the form is judged by what is in it.
 */
OauthForm *
oauth_form(Exchange *exchange)
{
	OauthForm  *form = arena_alloc(&exchange->arena, sizeof(OauthForm));
	const char *authorization = exchange->head.authorization;

	if (!form_read(exchange, form))
		return NULL;
	form->basic = authorization != NULL &&
		strncasecmp(authorization, "Basic", 5) == 0 &&
		(authorization[5] == ' ' || authorization[5] == '\0');
	return form->basic && !form_basic(exchange, form) ? NULL : form;
}

/* Answers as RFC 6749, 5.2 says. */
void
oauth_error(Exchange *exchange, int status, const char *error,
			const char *description)
{
	const char *body = arena_printf(
		&exchange->arena, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
		error, description);

	answer_body(&exchange->answer, status, "application/json", body,
				strlen(body));
	answer_header(&exchange->answer, "Pragma", "no-cache");
}

/* Reads the form's fields; false: the request is answered. */
static bool
form_read(Exchange *exchange, OauthForm *form)
{
	const char *content_type = exchange->head.content_type;
	QueryParams params;
	int			i;

	if (content_type == NULL ||
		!media_is(content_type,
				  "application/x-www-form-urlencoded"))
	{
		oauth_error(exchange, 400, "invalid_request", "The body must be "
					"application/x-www-form-urlencoded.");
		return false;
	}
	if (body_is_coded(&exchange->head))
	{
		oauth_error(exchange, 400, "invalid_request",
					"The form must come without a Content-Encoding.");
		answer_header(&exchange->answer, "Accept-Encoding", "identity");
		return false;
	}
	if (exchange->body.seen > exchange->body.max ||
		strlen(buf_get(&exchange->body.bytes)) != exchange->body.bytes.len ||
		!target_params(&exchange->arena, buf_get(&exchange->body.bytes),
					   &params))
	{
		oauth_error(exchange, 400, "invalid_request",
					"The form is not well formed.");
		return false;
	}
	for (i = 0; i < params.count; i++)
	{
		if (!form_field(form, &params.items[i]))
		{
			oauth_error(exchange, 400, "invalid_request",
						"A parameter is there twice.");
			return false;
		}
	}
	return true;
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
 * Takes the client from the Authorization header.  What cannot be read there
 * names nobody, which is refused later.  False: the request is answered.
 */
static bool
form_basic(Exchange *exchange, OauthForm *form)
{
	const char *encoded = exchange->head.authorization + 5;
	const char *named = form->client_id;
	char	   *pair = arena_alloc(&exchange->arena, strlen(encoded) + 1);
	char	   *colon = NULL;
	ssize_t		len;

	encoded += strspn(encoded, " ");
	len = decode_base64(encoded, strlen(encoded), (unsigned char *) pair);
	if (len >= 0)
		pair[len] = '\0';
	if (len >= 0 && strlen(pair) == (size_t) len)
		colon = strchr(pair, ':');
	form->client_id = NULL;
	if (colon != NULL)
		form->client_id = text_percent_decode(
			&exchange->arena, pair, (size_t) (colon - pair), PLUS_IS_SPACE);
	if (form->client_secret != NULL ||
		(named != NULL && form->client_id != NULL &&
		 strcmp(named, form->client_id) != 0))
	{
		oauth_error(exchange, 400, "invalid_request",
					"The client is named in two ways.");
		return false;
	}
	if (form->client_id != NULL)
		form->client_secret = text_percent_decode(
			&exchange->arena, colon + 1, strlen(colon + 1), PLUS_IS_SPACE);
	return true;
}
