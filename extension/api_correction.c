/*
 * api_correction.c
 *		Entry points for what is put right, in SQL and as JSON.
 */
#include "api.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

static Datum call_correct(void *arg);
static Datum call_edit(void *arg);
static Appointment *work_correct(FunctionCallInfo fcinfo,
								 const Caller *caller);
static Appointment *work_edit(FunctionCallInfo fcinfo, const Caller *caller);
static Jsonb *object_of_arg(FunctionCallInfo fcinfo, int n,
							const char *field);
static OptionalText text_member(Jsonb *object, const char *name);
static bool bool_member(Jsonb *object, const char *name);

PG_FUNCTION_INFO_V1(appt_correct);
PG_FUNCTION_INFO_V1(appt_edit);
PG_FUNCTION_INFO_V1(appt_api_correct);
PG_FUNCTION_INFO_V1(appt_api_edit);

Datum
appt_correct(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_correct, fcinfo);
}

Datum
appt_edit(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_edit, fcinfo);
}

Datum
appt_api_correct(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "correct",
		.context_arg = 5,
		.has_key = true,
		.work = work_correct,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_edit(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "edit",
		.context_arg = 3,
		.has_key = true,
		.work = work_edit,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

static Datum
call_correct(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.status = api_text(fcinfo, 1),
		.reason = api_text(fcinfo, 2),
		.expected_version = api_optional_int(fcinfo, 3),
		.override = api_bool(fcinfo, 4)
	};

	return SPI_datumTransfer(correction_set_status(&request)->row, false, -1);
}

/* What is NULL stays; an empty text takes away what is there. */
static Datum
call_edit(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	EditRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.notes = api_optional_text(fcinfo, 1),
		.visit_type = api_optional_text(fcinfo, 2),
		.patient_id = api_text(fcinfo, 3),
		.reason = api_text(fcinfo, 4),
		.expected_version = api_optional_int(fcinfo, 5),
		.override = api_bool(fcinfo, 6)
	};

	return SPI_datumTransfer(correction_edit(&request)->row, false, -1);
}

static Appointment *
work_correct(FunctionCallInfo fcinfo, const Caller *caller)
{
	ChangeRequest request = {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.status = api_text(fcinfo, 1),
		.reason = api_text(fcinfo, 2),
		.override = api_bool(fcinfo, 3),
		.expected_version = api_optional_int(fcinfo, 4)
	};

	return correction_set_status(&request);
}

/* A member that is not there stays; null takes away what is there. */
static Appointment *
work_edit(FunctionCallInfo fcinfo, const Caller *caller)
{
	Jsonb	   *changes = object_of_arg(fcinfo, 1, "changes");
	EditRequest request = {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.notes = text_member(changes, "notes"),
		.visit_type = text_member(changes, "visit_type"),
		.patient_id = text_member(changes, "patient_id").value,
		.reason = text_member(changes, "reason").value,
		.override = bool_member(changes, "override"),
		.expected_version = api_optional_int(fcinfo, 2)
	};

	return correction_edit(&request);
}

/* What has members; nothing else can be asked for one. */
static Jsonb *
object_of_arg(FunctionCallInfo fcinfo, int n, const char *field)
{
	appt_require(!PG_ARGISNULL(n), field);
	if (!JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(n)))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s must be an object", field),
				 appt_errfield(field)));
	return PG_GETARG_JSONB_P(n);
}

static OptionalText
text_member(Jsonb *object, const char *name)
{
	JsonbValue	found;

	if (getKeyJsonValueFromContainer(&object->root, name, strlen(name),
									 &found) == NULL)
		return (OptionalText) {0};
	return (OptionalText) {
		.given = true,
		.value = found.type != jbvString ? NULL
			: appt_clean_text(pnstrdup(found.val.string.val,
									   found.val.string.len))
	};
}

static bool
bool_member(Jsonb *object, const char *name)
{
	JsonbValue	found;

	return getKeyJsonValueFromContainer(&object->root, name, strlen(name),
										&found) != NULL &&
		found.type == jbvBool && found.val.boolean;
}
