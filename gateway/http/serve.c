/*
 * serve.c
 *		Calls that the gateway answers itself: health, metrics, keys, the
 *		OpenAPI document.
 */
#include "http/serve.h"

#include <string.h>

#include "http/auth.h"
#include "http/document.h"
#include "http/metrics.h"
#include "http/request.h"
#include "http/worker.h"

/* The document, linked in by the Makefile. */
extern const char _binary_openapi_json_start[];
extern const char _binary_openapi_json_end[];

static Document openapi = {.content_type = "application/json"};

/* Names the documents; before any loop. */
void
serve_init(void)
{
	openapi.body = _binary_openapi_json_start;
	openapi.len = (size_t) (_binary_openapi_json_end -
							_binary_openapi_json_start);
	document_name(&openapi);
}

/* The process is alive: nothing else is asked. */
void
serve_healthz(Request *request)
{
	static const char body[] = "{\"status\":\"alive\"}";

	request_answer(request, 200, "application/json", body, strlen(body));
}

/* Whether requests can be served. */
void
serve_readyz(Request *request)
{
	static const char body[] = "{\"status\":\"ready\"}";
	const char *why = auth_not_ready(request->worker->auth);
	const char *missing = pool_missing_call(request->worker->pool);

	if (why == NULL && missing != NULL)
		why = arena_printf(&request->arena, "the database has no %s as this "
						   "gateway calls it", missing);
	if (request->worker->stopping)
		why = "the service is stopping";
	if (why == NULL)
		request_answer(request, 200, "application/json", body, strlen(body));
	else
	{
		const Problem problem = {503, "unavailable", "",
			arena_printf(&request->arena, "Not ready: %s.", why)
		};

		request_refuse(request, &problem);
		request_retry_after(request, 1);
	}
}

/* Counters for Prometheus. */
void
serve_metrics(Request *request)
{
	Buf			body = {0};

	metrics_print(&body);
	request_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8",
				   arena_copy(&request->arena, body.data, body.len),
				   body.len);
	buf_free(&body);
}

/* The keys that verify our tokens. */
void
serve_jwks(Request *request)
{
	Document	keys = {.content_type = "application/jwk-set+json"};
	Buf			body = {0};

	auth_jwks(request->worker->auth, &body);
	keys.body = arena_copy(&request->arena, body.data, body.len);
	keys.len = body.len;
	document_name(&keys);
	document_answer(request, &keys);
	buf_free(&body);
}

/* The REST interface as an OpenAPI document. */
void
serve_openapi(Request *request)
{
	document_answer(request, &openapi);
}
