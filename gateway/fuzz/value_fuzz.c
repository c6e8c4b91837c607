/*
 * value_fuzz.c
 *		Fuzz target: a value of a query or a body, of every kind.  What is
 *		taken has its kind's form; what is not is named as a bad field.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "http/text.h"
#include "http/value.h"

#define VALUE_MAX 100

static void check_text(Call *call, const Arg *arg, const char *text);
static void check_json(Call *call, const Arg *arg, const json_t *json);
static void check_form(const Call *call, const Arg *arg,
					   const char *value);
static void check_array(const char *literal);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	Call		call = {.arena = &arena};
	json_t	   *json = json_loadb((const char *) data, size,
								  JSON_DECODE_ANY, NULL);
	char	   *text;
	int			kind;

	text = arena_copy(&arena, (const char *) data, size);
	for (kind = KIND_TEXT; kind <= KIND_ANY; kind++)
	{
		const Arg	arg = {.name = "field", .kind = kind};
		const Arg	bounded = {
			.name = "field", .kind = kind, .min = -3, .max = VALUE_MAX
		};

		check_text(&call, &arg, text);
		check_text(&call, &bounded, text);
		if (json != NULL)
			check_json(&call, &arg, json);
	}
	json_decref(json);
	arena_free(&arena);
	return 0;
}

/* As a value of a query. */
static void
check_text(Call *call, const Arg *arg, const char *text)
{
	call->fields = NULL;
	if (!value_is_absent(arg, text))
		check_form(call, arg, value_from_text(call, arg, text));
}

/* As a member of a body. */
static void
check_json(Call *call, const Arg *arg, const json_t *json)
{
	const char *value;

	call->fields = NULL;
	value = value_from_json(call, arg, "field", json);
	if (arg->kind == KIND_SCALAR || arg->kind == KIND_ANY)
		HOLDS(value == NULL);	/* it goes with the body as a whole */
	else
		check_form(call, arg, value);
}

/* A value, or a bad field; never both, never neither. */
static void
check_form(const Call *call, const Arg *arg, const char *value)
{
	int64_t		number;

	HOLDS((value != NULL) == (call->fields == NULL));
	if (value == NULL)
	{
		HOLDS(strcmp(call->fields->field, "field") == 0);
		return;
	}
	if (arg->kind == KIND_INT)
		HOLDS(text_int(value, arg->max > 0 ? arg->min : INT32_MIN,
					   arg->max > 0 ? arg->max : INT32_MAX, &number));
	else if (arg->kind == KIND_BOOL)
		HOLDS(strcmp(value, "true") == 0 || strcmp(value, "false") == 0);
	else if (arg->kind == KIND_DATE)
		HOLDS(text_is_date(value));
	else if (arg->kind == KIND_TIMESTAMP)
		HOLDS(text_is_timestamp(value));
	else if (arg->kind == KIND_TEXT_ARRAY)
		check_array(value);
}

/* PostgreSQL reads one literal, of quoted elements and nothing else. */
static void
check_array(const char *literal)
{
	const char *p = literal;

	HOLDS(*p == '{');
	for (p++; *p == '"'; p += *p == ',')
	{
		for (p++; *p != '"'; p++)
		{
			p += *p == '\\';
			HOLDS(*p != '\0');
		}
		p++;
		HOLDS(*p == ',' || *p == '}');
	}
	HOLDS(strcmp(p, "}") == 0);
}
