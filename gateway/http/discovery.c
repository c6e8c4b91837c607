/*
 * discovery.c
 *		GET /.well-known/oauth-authorization-server (RFC 8414): where tokens are
 *		to be had, for what, and how a client names itself.
 */
#include "http/handlers.h"

#include <string.h>

#include "http/exchange.h"
#include "http/options.h"
#include "http/tls.h"

static const char *service_url(Exchange *exchange);
static void add_url(Buf *body, const char *name, const char *service,
					const char *path);

/* The metadata; built for each request, as the address may be the caller's. */
void
serve_oauth_metadata(Exchange *exchange)
{
	static const Problem no_host = {400, "invalid_request", "",
		"The header Host is not the name of a host."
	};
	const char *service = service_url(exchange);
	Buf			body = {0};
	int			scope;

	if (service == NULL)
	{
		exchange_refuse(exchange, &no_host);
		return;
	}
	buf_text(&body, "{\"issuer\":");
	buf_json_string(&body, service);
	add_url(&body, "token_endpoint", service, "/api/v1/auth/token");
	add_url(&body, "revocation_endpoint", service, "/api/v1/auth/revoke");
	add_url(&body, "jwks_uri", service, "/.well-known/jwks.json");
	add_url(&body, "service_documentation", service, "/docs");
	buf_text(&body, ",\"scopes_supported\":[");
	for (scope = 1; scope < SCOPE_COUNT; scope++)
		buf_printf(&body, "%s\"%s\"", scope > 1 ? "," : "",
				   scope_name((Scope) scope));
	buf_text(&body, "],\"response_types_supported\":[],"
			 "\"grant_types_supported\":[\"client_credentials\"],"
			 "\"token_endpoint_auth_methods_supported\":"
			 "[\"client_secret_basic\",\"client_secret_post\"],"
			 "\"revocation_endpoint_auth_methods_supported\":"
			 "[\"client_secret_basic\",\"client_secret_post\"]}");
	answer_body(&exchange->answer, 200, "application/json",
				arena_copy(&exchange->arena, body.data, body.len),
				body.len);
	buf_free(&body);
}

/*
 * Where clients reach the service: the tokens' issuer where that is a URL,
 * otherwise as this request has come; NULL: that cannot be told.
 */
static const char *
service_url(Exchange *exchange)
{
	const char *host = exchange->head.host;

	if (strncmp(options.issuer, "https://", 8) == 0 ||
		strncmp(options.issuer, "http://", 7) == 0)
		return options.issuer;
	if (host == NULL || host[0] == '\0' ||
		host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]")] != '\0')
		return NULL;
	return arena_printf(&exchange->arena, "%s://%s",
						tls_wanted() ? "https" : "http", host);
}

/* Adds a member whose value is a path of the service. */
static void
add_url(Buf *body, const char *name, const char *service, const char *path)
{
	size_t		len = strlen(service);
	Buf			url = {0};

	buf_add(&url, service, len > 0 && service[len - 1] == '/' ? len - 1 : len);
	buf_text(&url, path);
	buf_printf(body, ",\"%s\":", name);
	buf_json_string(body, buf_get(&url));
	buf_free(&url);
}
