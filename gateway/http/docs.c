/*
 * docs.c
 *		The REST reference for people: the page of gateway/web, linked in.
 *
 *		The page may load and ask this gateway alone.
 */
#include "http/docs.h"

#include "http/request.h"

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

static void answer_file(Request *request, const char *content_type,
						const char *start, const char *end);

/* The page. */
void
serve_docs(Request *request)
{
	answer_file(request, "text/html; charset=utf-8",
				_binary_docs_html_start, _binary_docs_html_end);
}

/* Its script. */
void
serve_docs_script(Request *request)
{
	answer_file(request, "text/javascript; charset=utf-8",
				_binary_docs_js_start, _binary_docs_js_end);
}

/* Its style sheet. */
void
serve_docs_style(Request *request)
{
	answer_file(request, "text/css; charset=utf-8",
				_binary_docs_css_start, _binary_docs_css_end);
}

/* Answers with a file that was linked in. */
static void
answer_file(Request *request, const char *content_type, const char *start,
			const char *end)
{
	request_answer(request, 200, content_type, start, (size_t) (end - start));
	request_header(request, "Content-Security-Policy", POLICY);
	request_header(request, "Referrer-Policy", "no-referrer");
}
