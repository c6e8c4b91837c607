/*
 * json.c
 *		Reads JSON whose nesting is bounded: jansson calls itself for each
 *		level, 2048 of them, which is more than a small stack has.
 */
#include "http/json.h"

static bool is_too_deep(const char *text, size_t len, int depth);

/*
 * The value in the text, an object or an array nested at most so deep, without
 * a member that is there twice; NULL where it is none.  Says why in *fault
 * unless that is NULL.
 */
json_t *
json_read(const char *text, size_t len, int depth, JsonFault *fault)
{
	json_error_t error;
	json_t	   *value;
	JsonFault	ignored;

	if (fault == NULL)
		fault = &ignored;
	*fault = (JsonFault) {0};
	if (is_too_deep(text, len, depth))
	{
		fault->too_deep = true;
		return NULL;
	}
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL)
	{
		fault->repeats = json_error_code(&error) == json_error_duplicate_key;
		fault->line = error.line;
		fault->column = error.column;
	}
	return value;
}

/* Whether arrays and objects are nested deeper. */
static bool
is_too_deep(const char *text, size_t len, int depth)
{
	bool		in_string = false;
	int			level = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (in_string)
		{
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
			continue;
		}
		if (text[i] == '"')
			in_string = true;
		else if (text[i] == '{' || text[i] == '[')
		{
			if (++level > depth)
				return true;
		}
		else if ((text[i] == '}' || text[i] == ']') && level > 0)
			level--;
	}
	return false;
}
