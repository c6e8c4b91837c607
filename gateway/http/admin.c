/*
 * admin.c
 *		The pages of /admin by their names, as addresses that can be written
 *		down: each leads to the one page there is, with the name behind #.
 */
#include <string.h>

#include "http/exchange.h"
#include "http/handlers.h"

static bool is_page_name(const char *name);

/* GET /admin/{page}, and what is on that page by names below it. */
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
