/*
 * cors.c
 *		Which pages of other origins may call: those of APPT_CORS_ORIGINS.
 *		The cookie of a sign-in is for our own pages: credentials are never
 *		allowed.
 */
#include "http/cors.h"

#include <string.h>

#include "http/options.h"
#include "http/text.h"

#define ORIGIN_MAX 256

/* What a page may send to any call; APPT_CORS_HEADERS has what else. */
#define OWN_HEADERS "Authorization, Content-Type, If-Match, If-None-Match, " \
	"Idempotency-Key, Last-Event-ID, X-Request-Id"

/* Adds what a listed origin's browser asks for to the answer. */
void
cors_headers(Answer *answer, const Head *head)
{
	const char *origin = head->origin;

	if (options.cors_origins[0] == '\0')
		return;
	answer_header(answer, "Vary", "Origin");
	if (origin == NULL || strlen(origin) > ORIGIN_MAX ||
		(!text_is_listed(options.cors_origins, origin) &&
		 !text_is_listed(options.cors_origins, "*")))
		return;
	answer_header(answer, "Access-Control-Allow-Origin", origin);
	if (head->cors_method != NULL &&
		strcmp(head->method, "OPTIONS") == 0)
	{
		answer_header(answer, "Access-Control-Allow-Methods",
					  "GET, POST, PUT, PATCH, DELETE");
		answer_header(answer, "Access-Control-Allow-Headers",
					  arena_printf(answer->arena, OWN_HEADERS "%s%s",
								   options.cors_headers[0] != '\0'
								   ? ", " : "", options.cors_headers));
		answer_header(answer, "Access-Control-Max-Age", "600");
	}
	else
		answer_header(answer, "Access-Control-Expose-Headers",
					  "ETag, Idempotency-Replayed, Link, Location, "
					  "RateLimit-Limit, RateLimit-Remaining, "
					  "RateLimit-Reset, Retry-After, X-Request-Id, "
					  "X-Total-Count");
}
