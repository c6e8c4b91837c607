/*
 * serve.c
 *		Calls that the gateway answers itself: health, metrics, keys, the
 *		client of a demo's page.
 */
#include "http/serve.h"

#include <string.h>

#include "common/monitor.h"
#include "http/auth.h"
#include "http/document.h"
#include "http/exchange.h"
#include "http/handlers.h"
#include "http/metrics.h"
#include "http/options.h"

static int	monitor_page(const char *path, Buf *text);

/* The process is alive: nothing else is asked. */
void
serve_healthz(Exchange *exchange)
{
	static const char body[] = "{\"status\":\"alive\"}";

	answer_body(&exchange->answer, 200, "application/json", body, strlen(body));
}

/* Whether requests can be served. */
void
serve_readyz(Exchange *exchange)
{
	static const char body[] = "{\"status\":\"ready\"}";
	const char *why = auth_not_ready(exchange->service->auth);
	const char *missing = pool_missing_call(exchange->service->pool);

	if (why == NULL && missing != NULL)
		why = arena_printf(&exchange->arena, "the database has no %s as this "
						   "gateway calls it", missing);
	if (exchange->service->stopping)
		why = "the service is stopping";
	if (why == NULL)
		answer_body(&exchange->answer, 200, "application/json", body,
					strlen(body));
	else
	{
		const Problem problem = {503, "unavailable", "",
			arena_printf(&exchange->arena, "Not ready: %s.", why)
		};

		exchange_refuse(exchange, &problem);
		answer_retry_after(&exchange->answer, 1);
	}
}

/* Starts to show the counters on an address of their own, if there is one. */
bool
serve_monitor(void)
{
	return options.metrics_listen[0] == '\0' ||
		monitor_listen(options.metrics_listen, monitor_page);
}

/* The counters there. */
static int
monitor_page(const char *path, Buf *text)
{
	if (strcmp(path, "/metrics") != 0)
		return 404;
	metrics_print(text);
	return 200;
}

/* Counters for Prometheus, where they have no address of their own. */
void
serve_metrics(Exchange *exchange)
{
	static const Problem elsewhere = {404, "not_found", "",
		"The counters are not shown here."
	};
	Buf			body = {0};

	if (options.metrics_listen[0] != '\0')
	{
		exchange_refuse(exchange, &elsewhere);
		return;
	}
	metrics_print(&body);
	answer_body(&exchange->answer, 200,
				"text/plain; version=0.0.4; charset=utf-8",
				arena_copy(&exchange->arena, body.data, body.len),
				body.len);
	buf_free(&body);
}

/* The keys that verify our tokens. */
void
serve_jwks(Exchange *exchange)
{
	Document	keys = {.content_type = "application/jwk-set+json"};
	Buf			body = {0};

	auth_jwks(exchange->service->auth, &body);
	keys.body = arena_copy(&exchange->arena, body.data, body.len);
	keys.len = body.len;
	document_name(&keys);
	document_answer(&exchange->answer, &exchange->head, &keys);
	buf_free(&body);
}

/* The client that APPT_DOCS_CLIENT lends to whoever reads a demo's page. */
void
serve_docs_client(Exchange *exchange)
{
	const char *client = options.docs_client;
	const char *colon = strchr(client, ':');
	Buf			body = {0};

	if (colon == NULL)
		buf_text(&body, "{\"client_id\":null,\"client_secret\":null}");
	else
	{
		buf_text(&body, "{\"client_id\":");
		buf_json_string(&body, arena_copy(&exchange->arena, client,
										  (size_t) (colon - client)));
		buf_text(&body, ",\"client_secret\":");
		buf_json_string(&body, colon + 1);
		buf_char(&body, '}');
	}
	answer_body(&exchange->answer, 200, "application/json",
				arena_copy(&exchange->arena, body.data, body.len), body.len);
	buf_free(&body);
}
