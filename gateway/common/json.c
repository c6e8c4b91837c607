/*
 * json.c
 *		Reads JSON whose nesting is bounded: jansson calls itself for each
 *		level, 2048 of them, which is more than a small stack has.
 */
#include "common/json.h"

#include <string.h>

#define EXACT_MAX 9007199254740992.0	/* 2^53: below it reals are exact */

static bool is_too_deep(const char *text, size_t len, int depth);
static json_t *whole_number(const json_t *value);

/*
 * Parses an object or an array, nested at most depth levels, without duplicate
 * members; NULL where the text is anything else, with the reason in *fault
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
	if (value != NULL && strnlen(text, len) < len)
	{
		/*
		 * jansson passes over a NUL behind a number or a literal (its issue
		 * 331).  JSON has none (RFC 8259 section 2): read up to it, the text
		 * breaks off there.
		 */
		json_decref(value);
		value = json_loadb(text, strnlen(text, len), JSON_REJECT_DUPLICATES,
						   &error);
	}
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

/*
 * Makes integers of the real numbers that are whole, at every depth: in JSON
 * 15.0 and 1.5e1 are the number 15.
 */
void
json_settle_numbers(json_t *value)
{
	const char *name;
	json_t	   *item;
	void	   *next;
	size_t		i;

	json_object_foreach_safe(value, next, name, item)
	{
		json_settle_numbers(item);
		if (json_is_real(item))
			json_object_set_new(value, name, whole_number(item));
	}
	json_array_foreach(value, i, item)
	{
		json_settle_numbers(item);
		if (json_is_real(item))
			json_array_set_new(value, i, whole_number(item));
	}
}

/* The real number as an integer if it is one, or else again as it is. */
static json_t *
whole_number(const json_t *value)
{
	double		real = json_real_value(value);

	if (real > -EXACT_MAX && real < EXACT_MAX && real == (json_int_t) real)
		return json_integer((json_int_t) real);
	return json_real(real);
}
