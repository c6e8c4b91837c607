/*
 * docs.c
 *		The REST reference for people: the page of gateway/web, linked in.
 *
 *		The page may load and ask this gateway alone.
 */
#include "http/docs.h"

#include <string.h>

#include "http/document.h"
#include "http/exchange.h"
#include "http/handlers.h"
#include "http/options.h"

#define POLICY "default-src 'none'; script-src 'self'; " \
	"style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* The files of the page, or of the note that it was not built. */
#define FILES(X) \
	X(page, "text/html; charset=utf-8", docs_html) \
	X(script, "text/javascript; charset=utf-8", docs_js) \
	X(style, "text/css; charset=utf-8", docs_css)

#define DECLARE(name, type, symbol) \
	DOCUMENT_SYMBOLS(symbol); \
	static Document name = {.content_type = (type)};

FILES(DECLARE)

static void answer_file(Exchange *exchange, const Document *file);

#define LINK(name, type, symbol) DOCUMENT_LINK(&(name), symbol);

/* Names the files; before any loop. */
void
docs_init(void)
{
	FILES(LINK)
}

/* The page. */
void
serve_docs(Exchange *exchange)
{
	answer_file(exchange, &page);
}

/* Its script. */
void
serve_docs_script(Exchange *exchange)
{
	answer_file(exchange, &script);
}

/* Its style sheet. */
void
serve_docs_style(Exchange *exchange)
{
	answer_file(exchange, &style);
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

/* Answers with a file that was linked in. */
static void
answer_file(Exchange *exchange, const Document *file)
{
	document_answer(&exchange->answer, &exchange->head, file);
	answer_header(&exchange->answer, "Content-Security-Policy", POLICY);
	answer_header(&exchange->answer, "Referrer-Policy", "no-referrer");
}
