/*
 * answer.c
 *		What stands in a provider's answer at a path such as
 *		["messages", 0, "id"].
 */
#include "appt.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

static ArrayBuildState *steps_of(Jsonb *path);

PG_FUNCTION_INFO_V1(appt_answer_path);

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
