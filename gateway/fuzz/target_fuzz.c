/*
 * target_fuzz.c
 *		Fuzz target: a request's target and query, its Accept header and how
 *		deep JSON may be nested.
 */
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "fuzz/fuzz.h"
#include "http/media.h"
#include "http/target.h"
#include "http/text.h"

static void check_segments(const Head *head);
static void check_params(const QueryParams *params);
static int	levels(const json_t *value);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	Head		head = {.arena = &arena};
	QueryParams params;
	char	   *text;
	json_t	   *json;

	text = arena_copy(&arena, (const char *) data, size);
	head.target = text;
	if (target_split(&head))
		check_segments(&head);
	if (target_params(&arena, text, &params))
		check_params(&params);
	media_accepts(text, "application/json");
	media_is(text, "application/json");
	json = json_read((const char *) data, size, 3, NULL);
	HOLDS(levels(json) <= 3);
	json_decref(json);
	arena_free(&arena);
	return 0;
}

/* No segment leads elsewhere, or is read in two ways. */
static void
check_segments(const Head *head)
{
	int			i;

	for (i = 0; i < head->segment_count && i < HEAD_SEGMENTS; i++)
	{
		HOLDS(strcmp(head->segments[i], "..") != 0);
		HOLDS(strpbrk(head->segments[i], "/\\") == NULL);
	}
}

/* Names and values are text that a database takes. */
static void
check_params(const QueryParams *params)
{
	int			i;

	HOLDS(params->count <= HEAD_PARAMS_MAX);
	for (i = 0; i < params->count; i++)
	{
		HOLDS(utf8_is_valid(params->items[i].name,
							strlen(params->items[i].name)));
		HOLDS(utf8_is_valid(params->items[i].value,
							strlen(params->items[i].value)));
	}
}

/* How many arrays and objects stand in one another; 0: it is neither. */
static int
levels(const json_t *value)
{
	const char *name;
	json_t	   *member;
	size_t		i;
	int			most = 0;

	json_object_foreach((json_t *) value, name, member)
		most = levels(member) > most ? levels(member) : most;
	json_array_foreach(value, i, member)
		most = levels(member) > most ? levels(member) : most;
	return most + (json_is_object(value) || json_is_array(value));
}
