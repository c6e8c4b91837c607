/*
 * file.c
 *		Files that are linked in: the pages of gateway/web with their scripts
 *		and style sheets, or the notes that they were not built, the style sheet
 *		of the pages behind links, and the OpenAPI document.
 *
 *		A page may load and ask this gateway alone, runs no script and no style
 *		that stands in the page itself, and stands in nobody's frame.
 *
 *		The script of the clinic's page comes in parts, which the build names by
 *		their contents: under such a name there is never anything else.
 */
#include "http/file.h"

#include <stdlib.h>
#include <string.h>

#include "http/document.h"
#include "http/exchange.h"
#include "http/handlers.h"
#include "parts.gen.h"

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define JSON "application/json"

#define FOR_STAFF "default-src 'self'; img-src 'self' data:; " \
	"object-src 'none'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"
#define FOR_ALL "default-src 'none'; script-src 'self'; " \
	"style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#define A_YEAR "public, max-age=31536000, immutable"

/* A file's symbol, the path of its route, its type and its policy, if any. */
#define FILES(X) \
	X(admin_html, "/admin", HTML, FOR_STAFF) \
	X(admin_css, "/admin/admin.css", STYLE, FOR_STAFF) \
	X(board_html, "/board/{branch_id}", HTML, FOR_STAFF) \
	X(board_js, "/board/files/board.js", SCRIPT, FOR_STAFF) \
	X(board_css, "/board/files/board.css", STYLE, FOR_STAFF) \
	X(docs_html, "/docs", HTML, FOR_ALL) \
	X(docs_js, "/docs/docs.js", SCRIPT, FOR_ALL) \
	X(docs_css, "/docs/docs.css", STYLE, FOR_ALL) \
	X(page_css, "/v/page.css", STYLE, NULL) \
	X(openapi_json, "/api/v1/openapi.json", JSON, NULL)

typedef struct File
{
	const char *path;
	const char *policy;			/* Content-Security-Policy, or NULL */
	Document	document;
} File;

#define DECLARE(symbol, path, type, policy) DOCUMENT_SYMBOLS(symbol);
#define NUMBER(symbol, path, type, policy) FILE_ ## symbol,
#define ROW(symbol, path, type, policy) {path, policy, {.content_type = type}},
#define LINK(symbol, path, type, policy) \
	DOCUMENT_LINK(&files[FILE_ ## symbol].document, symbol);

FILES(DECLARE)

/* A part of the clinic's script, by the name that the others have of it. */
typedef struct Part
{
	const char *name;
	Document	document;
} Part;

#define PART_DECLARE(symbol, name) DOCUMENT_SYMBOLS(symbol);
#define PART_NUMBER(symbol, name) PART_ ## symbol,
#define PART_ROW(symbol, name) {name, {.content_type = SCRIPT}},
#define PART_LINK(symbol, name) \
	DOCUMENT_LINK(&parts[PART_ ## symbol].document, symbol);

PARTS(PART_DECLARE)

enum
{
	PARTS(PART_NUMBER)
	PART_COUNT
};

static Part parts[] = {PARTS(PART_ROW) {NULL}};

enum
{
	FILES(NUMBER)
	FILE_COUNT
};

static File files[] = {FILES(ROW)};

static const File *file_of_route(const Route *route);
static void answer_policy(Answer *answer, const char *policy);
static bool is_asked_for(const Head *head, const Document *document);

/*
 * Names the files by their contents, and sees that each route has its own;
 * before any loop.
 */
void
file_init(void)
{
	const Route *route;
	int			i;

	FILES(LINK)
	PARTS(PART_LINK)
	for (i = 0; (route = route_at(i)) != NULL; i++)
		if (route->serve == serve_file)
			file_of_route(route);
}

/*
 * Answers with the file of the route.  What a page names by its hash never
 * changes under that name; a gateway of another build, asked for that hash,
 * gives what it has, to be asked for again.
 */
void
serve_file(Exchange *exchange)
{
	const File *file = file_of_route(exchange->call.route);
	Answer	   *answer = &exchange->answer;

	document_answer(answer, &exchange->head, &file->document);
	if (is_asked_for(&exchange->head, &file->document))
		answer->cache_control = A_YEAR;
	if (file->policy != NULL)
		answer_policy(answer, file->policy);
}

/*
 * GET /admin/files/{file}: a part of the clinic's script.  One that another
 * build had is not there any more; the page, which was loaded before, then asks
 * for all of it anew.
 */
void
serve_admin_part(Exchange *exchange)
{
	static const Problem unknown = {404, "not_found", "",
		"This build of the page has no such part."
	};
	const char *name = route_path_value(exchange->call.route, "file",
										exchange->head.segments);
	const Part *part = parts;

	while (part->name != NULL && strcmp(part->name, name) != 0)
		part++;
	if (part->name == NULL)
	{
		exchange_refuse(exchange, &unknown);
		return;
	}
	document_answer(&exchange->answer, &exchange->head, &part->document);
	exchange->answer.cache_control = A_YEAR;
	answer_policy(&exchange->answer, FOR_STAFF);
}

static void
answer_policy(Answer *answer, const char *policy)
{
	answer_header(answer, "Content-Security-Policy", policy);
	answer_header(answer, "Referrer-Policy", "no-referrer");
}

/* The route's file; that there is one, file_init has seen. */
static const File *
file_of_route(const Route *route)
{
	int			i;

	for (i = 0; i < FILE_COUNT; i++)
		if (strcmp(files[i].path, route->path) == 0)
			return &files[i];
	abort();
}

/* Whether the query is v= and the file's hash, as in its entity tag. */
static bool
is_asked_for(const Head *head, const Document *document)
{
	return strncmp(head->query, "v=", 2) == 0 &&
		strlen(head->query + 2) == 2 * DOCUMENT_HASH_SIZE &&
		strncmp(head->query + 2, document->etag + 1,
				2 * DOCUMENT_HASH_SIZE) == 0;
}
