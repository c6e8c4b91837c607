/*
 * docs.c
 *		The REST reference for people: the page of gateway/web, linked in.
 *
 *		The page may load and ask this gateway alone.
 */
#include "http/docs.h"

#include "http/document.h"
#include "http/exchange.h"

#define POLICY "default-src 'none'; script-src 'self'; " \
	"style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* The files of the page, or of the note that it was not built. */
extern const char _binary_docs_html_start[];
extern const char _binary_docs_html_end[];
extern const char _binary_docs_js_start[];
extern const char _binary_docs_js_end[];
extern const char _binary_docs_css_start[];
extern const char _binary_docs_css_end[];

/* Each: its name here, content type, and what its symbols end with. */
#define FILES(X) \
	X(page, "text/html; charset=utf-8", html) \
	X(script, "text/javascript; charset=utf-8", js) \
	X(style, "text/css; charset=utf-8", css)

#define DOCUMENT(name, type, suffix) \
	static Document name = {.content_type = (type)};

FILES(DOCUMENT)

static void answer_file(Exchange *exchange, const Document *file);

#define NAME(name, type, suffix) \
	(name).body = _binary_docs_ ## suffix ## _start; \
	(name).len = (size_t) (_binary_docs_ ## suffix ## _end - \
						   _binary_docs_ ## suffix ## _start); \
	document_name(&(name));

/* Names the files; before any loop. */
void
docs_init(void)
{
	FILES(NAME)
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

/* Answers with a file that was linked in. */
static void
answer_file(Exchange *exchange, const Document *file)
{
	document_answer(&exchange->answer, &exchange->head, file);
	answer_header(&exchange->answer, "Content-Security-Policy", POLICY);
	answer_header(&exchange->answer, "Referrer-Policy", "no-referrer");
}
