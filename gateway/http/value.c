/*
 * value.c
 *		A value from the wire, checked and turned into a statement parameter.
 *		What does not fit is noted as a field error and becomes NULL.
 */
#include "http/value.h"

#include <inttypes.h>
#include <string.h>

#include "common/array.h"
#include "common/utf8.h"
#include "http/text.h"
#include "http/weak.h"

static const char *without_zeros(Call *call, const char *text);
static const char *checked_text(Call *call, const Arg *arg,
								const char *name, const char *text);
static bool text_fits(Call *call, const Arg *arg, const char *name,
					  const char *text);
static bool is_choice(Call *call, const Arg *arg, const char *name,
					  const char *text);
static const char *checked_int(Call *call, const Arg *arg,
							   const char *name, int64_t number);
static bool list_fits(Call *call, const Arg *arg, const char *name,
					  const json_t *array);
static const char *array_literal(Call *call, const Arg *arg,
								 const char *name, const json_t *array);
static void not_a(Call *call, const Arg *arg, const char *name);

/* Whether the text counts as left out: an empty text or id does. */
bool
value_is_absent(const Arg *arg, const char *text)
{
	return text[0] == '\0' &&
		(arg->kind == KIND_TEXT || arg->kind == KIND_ID);
}

/*
 * The parameter for a value of the query: the text itself, or one in the
 * call's arena.  NULL: it is bad, and is noted among the call's field errors.
 */
const char *
value_from_text(Call *call, const Arg *arg, const char *text)
{
	int64_t		number;
	char	   *plus;

	switch (arg->kind)
	{
		case KIND_INT:
			if (text_int(without_zeros(call, text), INT64_MIN, INT64_MAX,
						 &number))
				return checked_int(call, arg, arg->name, number);
			break;
		case KIND_BOOL:
			if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
				return text;
			break;
		case KIND_TIMESTAMP:
			/* A plus sign that nobody escaped came as a blank. */
			plus = arena_strdup(call->arena, text);
			if (strchr(plus, ' ') != NULL)
				*strchr(plus, ' ') = '+';
			return checked_text(call, arg, arg->name, plus);
		case KIND_TEXT_ARRAY:
		case KIND_SCALAR:
		case KIND_JSON:
		case KIND_ANY:
			break;
		default:
			return checked_text(call, arg, arg->name, text);
	}
	not_a(call, arg, arg->name);
	return NULL;
}

/* A number without a fraction of zeros: 15.0 is 15, as in a body. */
static const char *
without_zeros(Call *call, const char *text)
{
	size_t		whole = strcspn(text, ".");

	if (whole == 0 || text[whole] == '\0' || text[whole + 1] == '\0' ||
		text[whole + 1 + strspn(text + whole + 1, "0")] != '\0')
		return text;
	return arena_copy(call->arena, text, whole);
}

/* The same for a member of the body, which came under "name". */
const char *
value_from_json(Call *call, const Arg *arg, const char *name,
				const json_t *value)
{
	switch (arg->kind)
	{
		case KIND_INT:
			if (json_is_integer(value))
				return checked_int(call, arg, name,
								   json_integer_value(value));
			break;
		case KIND_BOOL:
			if (json_is_boolean(value))
				return json_is_true(value) ? "true" : "false";
			break;
		case KIND_TEXT_ARRAY:
			if (json_is_array(value))
				return list_fits(call, arg, name, value)
					? array_literal(call, arg, name, value) : NULL;
			break;
		case KIND_SCALAR:
			if (json_is_string(value) || json_is_number(value) ||
				json_is_boolean(value))
				return NULL;	/* goes with the body as a whole */
			break;
		case KIND_ANY:
			if (json_is_object(value) || json_is_string(value))
				return NULL;	/* goes with the body as a whole */
			break;
		case KIND_JSON:
			if (json_is_object(value) || json_is_array(value))
			{
				char	   *text = json_dumps(value, JSON_COMPACT);
				const char *copy = arena_strdup(call->arena, text);

				free(text);
				return copy;
			}
			break;
		default:
			if (json_is_string(value))
				return checked_text(call, arg, name,
									json_string_value(value));
			break;
	}
	not_a(call, arg, name);
	return NULL;
}

/* Text in the form that its kind asks for. */
static const char *
checked_text(Call *call, const Arg *arg, const char *name,
			 const char *text)
{
	switch (arg->kind)
	{
		case KIND_DATE:
			if (text_is_date(text))
				return text;
			break;
		case KIND_TIMESTAMP:
			if (text_is_timestamp(text))
				return text;
			break;
		case KIND_PASSWORD:
			if (!text_fits(call, arg, name, text))
				return NULL;
			if (!password_is_weak(text))
				return text;
			call_field_error(call, name, "is among those that everybody tries "
							 "first");
			return NULL;
		default:
			return text_fits(call, arg, name, text) ? text : NULL;
	}
	not_a(call, arg, name);
	return NULL;
}

/* Whether a text is one of those to choose from, and not too short or long. */
static bool
text_fits(Call *call, const Arg *arg, const char *name,
		  const char *text)
{
	int			length;

	if (!is_choice(call, arg, name, text))
		return false;
	if (arg->max == 0)
		return true;
	length = utf8_characters(text);
	if (length >= arg->min && length <= arg->max)
		return true;
	if (arg->min == 0)
		call_field_error(call, name, "must have at most %d characters",
						 arg->max);
	else
		call_field_error(call, name, "must have from %d to %d characters",
						 arg->min, arg->max);
	return false;
}

/* Whether a text is one of those to choose from, if the argument has any. */
static bool
is_choice(Call *call, const Arg *arg, const char *name,
		  const char *text)
{
	Buf			list = {0};
	int			i;

	if (arg->choices == NULL)
		return true;
	for (i = 0; arg->choices[i] != NULL; i++)
	{
		if (strcmp(arg->choices[i], text) == 0)
			return true;
	}
	for (i = 0; arg->choices[i] != NULL; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", arg->choices[i]);
	call_field_error(call, name, "must be one of %s", buf_get(&list));
	buf_free(&list);
	return false;
}

/* A whole number within the argument's bounds. */
static const char *
checked_int(Call *call, const Arg *arg, const char *name,
			int64_t number)
{
	int64_t		min = arg->min;
	int64_t		max = arg->max;

	if (min == 0 && max == 0)
	{
		min = INT32_MIN;
		max = INT32_MAX;
	}
	if (number >= min && number <= max)
		return arena_printf(call->arena, "%" PRId64, number);
	call_field_error(call, name,
					 "must be from %" PRId64 " to %" PRId64, min, max);
	return NULL;
}

/* Whether a list has neither too few nor too many items. */
static bool
list_fits(Call *call, const Arg *arg, const char *name,
		  const json_t *array)
{
	size_t		count = json_array_size(array);

	if (arg->max == 0 ||
		(count >= (size_t) arg->min && count <= (size_t) arg->max))
		return true;
	if (count == 0)
		call_field_error(call, name, "must not be empty");
	else
		call_field_error(call, name, "must have from %d to %d items",
						 arg->min, arg->max);
	return false;
}

/* An array of strings as PostgreSQL's array literal. */
static const char *
array_literal(Call *call, const Arg *arg, const char *name,
			  const json_t *array)
{
	Buf			literal = {0};
	const char *copy;
	size_t		i;

	for (i = 0; i < json_array_size(array); i++)
	{
		const char *item = json_string_value(json_array_get(array, i));

		if (item == NULL)
			not_a(call, arg, name);
		if (item == NULL || !is_choice(call, arg, name, item))
		{
			buf_free(&literal);
			return NULL;
		}
		array_text(&literal, item);
	}
	array_end(&literal);
	copy = arena_strdup(call->arena, buf_get(&literal));
	buf_free(&literal);
	return copy;
}

/* Notes that the value is of another form. */
static void
not_a(Call *call, const Arg *arg, const char *name)
{
	static const char *const forms[] = {
		[KIND_TEXT] = "a string",
		[KIND_ID] = "a string",
		[KIND_INT] = "a whole number",
		[KIND_BOOL] = "true or false",
		[KIND_DATE] = "a date such as 2026-03-15",
		[KIND_TIMESTAMP] =
		("an RFC 3339 timestamp with an offset, such as "
		 "2026-03-15T10:00:00+05:30"),
		[KIND_TEXT_ARRAY] = "a list of strings",
		[KIND_SCALAR] = "a string, a number, or true or false",
		[KIND_JSON] = "an object or a list",
		[KIND_ANY] = "an object or a string",
	};

	call_field_error(call, name, "must be %s", forms[arg->kind]);
}
