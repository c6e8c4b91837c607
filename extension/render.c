/*
 * render.c
 *		Texts of messages to patients with values in their places.
 *
 *		A document is filled while it is a tree and written as text afterwards,
 *		so a value stays in one whole JSON string, form value, part of a URL or
 *		header, whatever it has in it.  Values are not looked at again: what
 *		looks like a placeholder in a name is none.
 *
 *		In C because it is done some ten times a message: as SQL it took longer
 *		than all else that a message needs.
 */
#include "appt.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#define OPENS		"{{"
#define CLOSES		"}}"
#define VARIABLES	"{{variables}}"
#define EACH		"{{each variable}}"

/* How a value stands in its text. */
typedef enum Encoding
{
	AS_IT_IS,
	PERCENT_ENCODED
} Encoding;

/* Where values are looked for. */
typedef struct Filling
{
	JsonbContainer *values;		/* an object */
	JsonbContainer *variable;	/* the same, and asked first; or NULL */
	JsonbContainer *variables;	/* a list of such */
	Datum	   *own;			/* asked before values: name, value, ... */
	bool	   *own_nulls;
	int			own_count;
	int			longest;		/* characters of a value; 0: any */
} Filling;

static text *filled(text *template, const Filling *filling,
					Encoding encoding);
static void fill(StringInfo out, const char *text, int len,
				 const Filling *filling, Encoding encoding);
static void add_value(StringInfo out, const char *name, int len,
					  const Filling *filling, Encoding encoding);
static JsonbValue *find(const Filling *filling, const char *name, int len);
static JsonbValue *find_own(const Filling *filling, const char *name, int len);
static char *value_text(const JsonbValue *value, int *len);
static JsonbValue *fill_tree(JsonbParseState **state, JsonbIteratorToken as,
							 JsonbValue *node, const Filling *filling);
static JsonbValue *fill_object(JsonbParseState **state,
							   JsonbContainer *object, const Filling *filling);
static JsonbValue *fill_array(JsonbParseState **state, JsonbContainer *array,
							  const Filling *filling);
static void add_variables(JsonbParseState **state, const Filling *filling);
static JsonbValue *member_of(JsonbValue *variable, const char *name);
static int	length_of(JsonbValue *variable, int otherwise);
static JsonbValue *member(JsonbContainer *object, const char *name);
static void add_string(JsonbParseState **state, JsonbIteratorToken as,
					   StringInfo text);
static JsonbIterator *members_of(Jsonb *object, const char *what);
static Filling filling_of(Jsonb *values);
static Filling filling_with(Jsonb *values, ArrayType *own);

PG_FUNCTION_INFO_V1(appt_fill_template);
PG_FUNCTION_INFO_V1(appt_fill_short);
PG_FUNCTION_INFO_V1(appt_fill_url);
PG_FUNCTION_INFO_V1(appt_fill_json);
PG_FUNCTION_INFO_V1(appt_fill_headers);
PG_FUNCTION_INFO_V1(appt_fill_variables);
PG_FUNCTION_INFO_V1(appt_form_body);

/* fill_template(template, filling): values as they are. */
Datum
appt_fill_template(PG_FUNCTION_ARGS)
{
	Filling		filling = filling_of(PG_GETARG_JSONB_P(1));

	PG_RETURN_TEXT_P(filled(PG_GETARG_TEXT_PP(0), &filling, AS_IT_IS));
}

/* fill_short(template, filling, max_length): the same, values cut off. */
Datum
appt_fill_short(PG_FUNCTION_ARGS)
{
	Filling		filling = filling_of(PG_GETARG_JSONB_P(1));

	filling.longest = PG_GETARG_INT32(2);
	PG_RETURN_TEXT_P(filled(PG_GETARG_TEXT_PP(0), &filling, AS_IT_IS));
}

/* fill_url(template, filling, own): a value is a segment, or of the query. */
Datum
appt_fill_url(PG_FUNCTION_ARGS)
{
	Filling		filling = filling_with(PG_GETARG_JSONB_P(1),
									   PG_GETARG_ARRAYTYPE_P(2));

	PG_RETURN_TEXT_P(filled(PG_GETARG_TEXT_PP(0), &filling, PERCENT_ENCODED));
}

/* The template with the values in their places. */
static text *
filled(text *template, const Filling *filling, Encoding encoding)
{
	StringInfoData out;

	initStringInfo(&out);
	fill(&out, VARDATA_ANY(template), VARSIZE_ANY_EXHDR(template), filling,
		 encoding);
	return cstring_to_text_with_len(out.data, out.len);
}

/* fill_json(document, filling, own, variables) */
Datum
appt_fill_json(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	Filling		filling = filling_with(PG_GETARG_JSONB_P(1),
									   PG_GETARG_ARRAYTYPE_P(2));
	JsonbParseState *state = NULL;
	JsonbValue	node;

	filling.variables = &PG_GETARG_JSONB_P(3)->root;
	if (JB_ROOT_IS_SCALAR(document))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a document is an object or a list"));
	JsonbToJsonbValue(document, &node);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(fill_tree(&state, WJB_VALUE, &node,
												  &filling)));
}

/* fill_headers(headers, filling, own): a line each, no control characters. */
Datum
appt_fill_headers(PG_FUNCTION_ARGS)
{
	JsonbIterator *it = members_of(PG_GETARG_JSONB_P(0), "headers");
	Filling		filling = filling_with(PG_GETARG_JSONB_P(1),
									   PG_GETARG_ARRAYTYPE_P(2));
	JsonbIteratorToken token;
	JsonbValue	v;
	StringInfoData out;
	StringInfoData line;

	initStringInfo(&out);
	initStringInfo(&line);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		int			len;
		char	   *text;

		if (token == WJB_KEY)
			appendStringInfo(&out, "%s%.*s: ", out.len > 0 ? "\n" : "",
							 v.val.string.len, v.val.string.val);
		if (token != WJB_VALUE)
			continue;
		text = value_text(&v, &len);
		resetStringInfo(&line);
		fill(&line, text, len, &filling, AS_IT_IS);
		appt_add_line(&out, line.data, line.len);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * fill_variables(variables, filling, max_length): the variables of a template,
 * one line each, and no longer than they may be.
 */
Datum
appt_fill_variables(PG_FUNCTION_ARGS)
{
	Jsonb	   *variables = PG_GETARG_JSONB_P(0);
	Filling		filling = filling_of(PG_GETARG_JSONB_P(1));
	int			longest = PG_GETARG_INT32(2);
	JsonbParseState *state = NULL;
	JsonbIterator *it = JsonbIteratorInit(&variables->root);
	JsonbValue	v;
	StringInfoData text;
	StringInfoData line;

	initStringInfo(&text);
	initStringInfo(&line);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_ELEM)
	{
		JsonbValue *value = member_of(&v, "value");

		resetStringInfo(&text);
		resetStringInfo(&line);
		fill(&text, value->val.string.val, value->val.string.len, &filling,
			 AS_IT_IS);
		appt_add_line(&line, text.data, text.len);
		line.len = pg_mbcharcliplen(line.data, line.len,
									length_of(&v, longest));
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		pushJsonbValue(&state, WJB_KEY, &(JsonbValue) {
			.type = jbvString, .val.string = {.len = 4, .val = "name"}});
		pushJsonbValue(&state, WJB_VALUE, member_of(&v, "name"));
		pushJsonbValue(&state, WJB_KEY, &(JsonbValue) {
			.type = jbvString, .val.string = {.len = 5, .val = "value"}});
		add_string(&state, WJB_VALUE, &line);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY,
													   NULL)));
}

/* form_body(fields): names and values; what is null is left out. */
Datum
appt_form_body(PG_FUNCTION_ARGS)
{
	JsonbIterator *it = members_of(PG_GETARG_JSONB_P(0), "a form");
	JsonbIteratorToken token;
	JsonbValue	v;
	JsonbValue	key = {0};
	StringInfoData out;

	initStringInfo(&out);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		int			len;
		char	   *text;

		if (token == WJB_KEY)
			key = v;
		if (token != WJB_VALUE || v.type == jbvNull)
			continue;
		text = value_text(&v, &len);
		if (out.len > 0)
			appendStringInfoChar(&out, '&');
		appt_add_encoded(&out, key.val.string.val, key.val.string.len);
		appendStringInfoChar(&out, '=');
		appt_add_encoded(&out, text, len);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

static Filling
filling_of(Jsonb *values)
{
	if (!JB_ROOT_IS_OBJECT(values))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("values are an object"));
	return (Filling) {.values = &values->root};
}

/* The same, and values of the message's own, which are asked for first. */
static Filling
filling_with(Jsonb *values, ArrayType *own)
{
	Filling		filling = filling_of(values);

	deconstruct_array(own, TEXTOID, -1, false, TYPALIGN_INT, &filling.own,
					  &filling.own_nulls, &filling.own_count);
	return filling;
}

/* Over the names and values of an object, past its beginning. */
static JsonbIterator *
members_of(Jsonb *object, const char *what)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue	v;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%s must be an object", what));
	(void) JsonbIteratorNext(&it, &v, true);
	return it;
}

/* Adds a text with values in place of {{name}}; of what there is not, none. */
static void
fill(StringInfo out, const char *text, int len, const Filling *filling,
	 Encoding encoding)
{
	const char *end = text + len;

	while (text < end)
	{
		const char *opens = memmem(text, end - text, OPENS, strlen(OPENS));
		const char *name = opens == NULL ? NULL : opens + strlen(OPENS);
		const char *closes = opens == NULL ? NULL
			: memmem(name, end - name, CLOSES, strlen(CLOSES));

		if (closes == NULL)
			break;
		appendBinaryStringInfo(out, text, opens - text);
		add_value(out, name, closes - name, filling, encoding);
		text = closes + strlen(CLOSES);
	}
	appendBinaryStringInfo(out, text, end - text);
}

static void
add_value(StringInfo out, const char *name, int len, const Filling *filling,
		  Encoding encoding)
{
	JsonbValue *value = find(filling, name, len);
	char	   *text;

	if (value == NULL)
		return;
	text = value_text(value, &len);
	if (filling->longest > 0)
		len = pg_mbcharcliplen(text, len, filling->longest);
	if (encoding == PERCENT_ENCODED)
		appt_add_encoded(out, text, len);
	else
		appendBinaryStringInfo(out, text, len);
}

/* NULL: there is none of that name. */
static JsonbValue *
find(const Filling *filling, const char *name, int len)
{
	JsonbValue *value = NULL;

	if (filling->variable != NULL)
		value = getKeyJsonValueFromContainer(filling->variable, name, len,
											 NULL);
	if (value == NULL)
		value = find_own(filling, name, len);
	if (value == NULL)
		value = getKeyJsonValueFromContainer(filling->values, name, len, NULL);
	return value;
}

/* The same among the message's own values, of which one may be null. */
static JsonbValue *
find_own(const Filling *filling, const char *name, int len)
{
	int			i;

	for (i = 0; i + 1 < filling->own_count; i += 2)
	{
		text	   *own = filling->own_nulls[i] ? NULL
			: DatumGetTextPP(filling->own[i]);
		JsonbValue *value;

		if (own == NULL || VARSIZE_ANY_EXHDR(own) != len ||
			memcmp(VARDATA_ANY(own), name, len) != 0)
			continue;
		value = palloc0(sizeof(*value));
		if (filling->own_nulls[i + 1])
			return value;
		own = DatumGetTextPP(filling->own[i + 1]);
		value->type = jbvString;
		value->val.string.val = VARDATA_ANY(own);
		value->val.string.len = VARSIZE_ANY_EXHDR(own);
		return value;
	}
	return NULL;
}

/* As ->> has it, but that null is empty; not always ended by a NUL. */
static char *
value_text(const JsonbValue *value, int *len)
{
	char	   *text = "";

	switch (value->type)
	{
		case jbvNull:
			break;
		case jbvString:
			*len = value->val.string.len;
			return value->val.string.val;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(
				numeric_out, NumericGetDatum(value->val.numeric)));
			break;
		case jbvBinary:
			text = JsonbToCString(NULL, value->val.binary.data,
								  value->val.binary.len);
			break;
		default:
			elog(ERROR, "unexpected type of a JSON value: %d", value->type);
	}
	*len = strlen(text);
	return text;
}

/* Adds what a node of the document becomes. */
static JsonbValue *
fill_tree(JsonbParseState **state, JsonbIteratorToken as, JsonbValue *node,
		  const Filling *filling)
{
	StringInfoData text;

	check_stack_depth();
	if (node->type == jbvBinary)
		return JsonContainerIsObject(node->val.binary.data)
			? fill_object(state, node->val.binary.data, filling)
			: fill_array(state, node->val.binary.data, filling);
	if (node->type != jbvString)
		return pushJsonbValue(state, as, node);
	initStringInfo(&text);
	fill(&text, node->val.string.val, node->val.string.len, filling, AS_IT_IS);
	add_string(state, as, &text);
	return NULL;
}

static JsonbValue *
fill_object(JsonbParseState **state, JsonbContainer *object,
			const Filling *filling)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &v, true);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		JsonbValue	key = v;

		(void) JsonbIteratorNext(&it, &v, true);
		if (key.val.string.len == strlen(VARIABLES) &&
			memcmp(key.val.string.val, VARIABLES, strlen(VARIABLES)) == 0)
		{
			add_variables(state, filling);
			continue;
		}
		pushJsonbValue(state, WJB_KEY, &key);
		fill_tree(state, WJB_VALUE, &v, filling);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* A member for each variable. */
static void
add_variables(JsonbParseState **state, const Filling *filling)
{
	JsonbIterator *it = JsonbIteratorInit(filling->variables);
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_ELEM)
	{
		pushJsonbValue(state, WJB_KEY, member_of(&v, "name"));
		pushJsonbValue(state, WJB_VALUE, member_of(&v, "value"));
	}
}

static JsonbValue *
fill_array(JsonbParseState **state, JsonbContainer *array,
		   const Filling *filling)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &v, true);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	while (JsonbIteratorNext(&it, &v, true) == WJB_ELEM)
	{
		JsonbValue *item = v.type == jbvBinary &&
			JsonContainerIsObject(v.val.binary.data)
			? member(v.val.binary.data, EACH) : NULL;
		JsonbIterator *each;
		JsonbValue	variable;
		Filling		inner = *filling;

		if (item == NULL)
		{
			fill_tree(state, WJB_ELEM, &v, filling);
			continue;
		}
		each = JsonbIteratorInit(filling->variables);
		(void) JsonbIteratorNext(&each, &variable, true);
		while (JsonbIteratorNext(&each, &variable, true) == WJB_ELEM)
		{
			(void) member_of(&variable, "value");
			inner.variable = variable.val.binary.data;
			fill_tree(state, WJB_ELEM, item, &inner);
		}
	}
	return pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* A text of a variable, which has it. */
static JsonbValue *
member_of(JsonbValue *variable, const char *name)
{
	JsonbValue *value = NULL;

	if (variable->type == jbvBinary &&
		JsonContainerIsObject(variable->val.binary.data))
		value = member(variable->val.binary.data, name);
	if (value == NULL || value->type != jbvString)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a variable has a name and a value"));
	return value;
}

/* How many characters the variable may have. */
static int
length_of(JsonbValue *variable, int otherwise)
{
	JsonbValue *most = member(variable->val.binary.data, "max_length");
	int			len;
	char	   *text;

	if (most == NULL)
		return otherwise;
	text = value_text(most, &len);
	return pg_strtoint32(pnstrdup(text, len));
}

/* NULL: it has none of that name. */
static JsonbValue *
member(JsonbContainer *object, const char *name)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

/* A string that stays where it is until the document is written. */
static void
add_string(JsonbParseState **state, JsonbIteratorToken as, StringInfo text)
{
	JsonbValue	value = {
		.type = jbvString,
		.val.string = {
			.len = text->len,
			.val = pnstrdup(text->data, text->len),
		},
	};

	if (text->len > JENTRY_OFFLENMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("string too long to represent as jsonb string"));
	pushJsonbValue(state, as, &value);
}
