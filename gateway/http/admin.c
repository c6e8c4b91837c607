/*
 * admin.c
 *		The clinic's own pages, for its staff and for its waiting rooms: those
 *		of gateway/web, linked in.
 *
 *		They may load and ask this gateway alone, run no script and no style
 *		that stands in the page itself, and stand in nobody's frame.
 */
#include "http/admin.h"

#include <string.h>

#include "http/document.h"
#include "http/exchange.h"
#include "http/handlers.h"

#define POLICY "default-src 'self'; img-src 'self' data:; " \
	"object-src 'none'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"

#define A_YEAR "public, max-age=31536000, immutable"

/* The files of the pages, or of the notes that they were not built. */
#define FILES(X) \
	X(page, "text/html; charset=utf-8", admin_html) \
	X(script, "text/javascript; charset=utf-8", admin_js) \
	X(style, "text/css; charset=utf-8", admin_css) \
	X(board_page, "text/html; charset=utf-8", board_html) \
	X(board_script, "text/javascript; charset=utf-8", board_js) \
	X(board_style, "text/css; charset=utf-8", board_css)

#define DECLARE(name, type, symbol) \
	DOCUMENT_SYMBOLS(symbol); \
	static Document name = {.content_type = (type)};

FILES(DECLARE)

static bool is_page_name(const char *name);
static void answer_file(Exchange *exchange, const Document *file);
static bool is_asked_for(const Head *head, const Document *file);

#define LINK(name, type, symbol) DOCUMENT_LINK(&(name), symbol);

/* Names the files; before any loop. */
void
admin_init(void)
{
	FILES(LINK)
}

/* The page. */
void
serve_admin(Exchange *exchange)
{
	answer_file(exchange, &page);
}

/* Its script. */
void
serve_admin_script(Exchange *exchange)
{
	answer_file(exchange, &script);
}

/* Its style sheet. */
void
serve_admin_style(Exchange *exchange)
{
	answer_file(exchange, &style);
}

/* The board of a waiting room; which, the page reads off its address. */
void
serve_board_page(Exchange *exchange)
{
	answer_file(exchange, &board_page);
}

/* Its script. */
void
serve_board_script(Exchange *exchange)
{
	answer_file(exchange, &board_script);
}

/* Its style sheet. */
void
serve_board_style(Exchange *exchange)
{
	answer_file(exchange, &board_style);
}

/*
 * A page of it by its name, or what is on that by names below it: what is
 * behind # in the one page's address.
 */
void
serve_admin_page(Exchange *exchange)
{
	static const Problem unknown = {404, "not_found", "",
		"There is no such page."
	};
	const Head *head = &exchange->head;
	const char *up = "";
	const char *place = "";
	int			i;

	/* From where the page was asked for, a proxy's path kept, to /admin. */
	for (i = 1; i < head->segment_count; i++)
	{
		if (!is_page_name(head->segments[i]))
		{
			exchange_refuse(exchange, &unknown);
			return;
		}
		up = arena_printf(&exchange->arena, "../%s", up);
		place = arena_printf(&exchange->arena, "%s/%s", place,
							 head->segments[i]);
	}
	answer_body(&exchange->answer, 302, NULL, "", 0);
	answer_header(&exchange->answer, "Location",
				  arena_printf(&exchange->arena, "%sadmin#%s", up, place));
}

/* Whether it is a word of small letters. */
static bool
is_page_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name);
}

/*
 * Answers with a file that was linked in.  What the page names by its hash
 * never changes under that name; a gateway of another build, asked for that
 * hash, gives what it has, to be asked for again.
 */
static void
answer_file(Exchange *exchange, const Document *file)
{
	document_answer(&exchange->answer, &exchange->head, file);
	if (is_asked_for(&exchange->head, file))
		exchange->answer.cache_control = A_YEAR;
	answer_header(&exchange->answer, "Content-Security-Policy", POLICY);
	answer_header(&exchange->answer, "Referrer-Policy", "no-referrer");
}

/* Whether the query is v= and the file's hash, as in its entity tag. */
static bool
is_asked_for(const Head *head, const Document *file)
{
	return strncmp(head->query, "v=", 2) == 0 &&
		strlen(head->query + 2) == 2 * DOCUMENT_HASH_SIZE &&
		strncmp(head->query + 2, file->etag + 1,
				2 * DOCUMENT_HASH_SIZE) == 0;
}
