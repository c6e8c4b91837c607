/*
 * answer.c
 *		A provider's answer: whether it is JSON, and what stands in it at a
 *		path such as ["messages", 0, "id"].
 */
#include "appt.h"

#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

/* Longer ones may overflow what jsonb keeps of a number. */
#define MAX_DIGITS	100
#define MAX_EXPONENT	1000

static json_scalar_result check_number(void *state, char *token,
									   JsonTokenType type);
static ArrayBuildState *steps_of(Jsonb *path);

PG_FUNCTION_INFO_V1(appt_answer_path);
PG_FUNCTION_INFO_V1(appt_json_or_null);

/*
 * json_or_null(answer): NULL where it is no JSON, which is asked before, as an
 * error would take a subtransaction to be caught.
 */
Datum
appt_json_or_null(PG_FUNCTION_ARGS)
{
	char	   *answer = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		fits = true;
	JsonSemAction actions = {.semstate = &fits, .scalar = check_number};
	JsonLexContext *lex = json_lex_compat(answer, strlen(answer),
										  GetDatabaseEncoding());

	if (pg_parse_json(lex, &actions) != JSON_SUCCESS || !fits)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(answer)));
}

/* Whether jsonb can have the number. */
static json_scalar_result
check_number(void *state, char *token, JsonTokenType type)
{
	bool	   *fits = state;
	char	   *exponent = type == JSON_TOKEN_NUMBER
		? strpbrk(token, "eE") : NULL;

	if (type == JSON_TOKEN_NUMBER && strlen(token) > MAX_DIGITS)
		*fits = false;
	if (exponent != NULL && labs(strtol(exponent + 1, NULL, 10)) > MAX_EXPONENT)
		*fits = false;
	return JSON_SCALAR_TAKEN;
}

/* answer_path(answer, path): NULL where nothing is there. */
Datum
appt_answer_path(PG_FUNCTION_ARGS)
{
	ArrayBuildState *steps = steps_of(PG_GETARG_JSONB_P(1));
	LOCAL_FCINFO(call, 2);
	Datum		found;

	InitFunctionCallInfoData(*call, NULL, 2, InvalidOid, NULL, NULL);
	call->args[0].value = PG_GETARG_DATUM(0);
	call->args[0].isnull = false;
	call->args[1].value = steps == NULL
		? PointerGetDatum(construct_empty_array(TEXTOID))
		: makeArrayResult(steps, CurrentMemoryContext);
	call->args[1].isnull = false;
	found = jsonb_extract_path_text(call);
	if (call->isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(found);
}

/* The path's names and numbers as an array of texts; NULL: it has none. */
static ArrayBuildState *
steps_of(Jsonb *path)
{
	JsonbIterator *it = JsonbIteratorInit(&path->root);
	ArrayBuildState *steps = NULL;
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_ELEM)
	{
		text	   *step;

		if (v.type == jbvString)
			step = cstring_to_text_with_len(v.val.string.val,
											v.val.string.len);
		else if (v.type == jbvNumeric)
			step = cstring_to_text(DatumGetCString(DirectFunctionCall1(
				numeric_out, NumericGetDatum(v.val.numeric))));
		else
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("a path is a list of names and numbers"));
		steps = accumArrayResult(steps, PointerGetDatum(step), false, TEXTOID,
								 CurrentMemoryContext);
	}
	return steps;
}
