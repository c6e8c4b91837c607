/*
 * api_json.c
 *		Entry points of schema appt_api: the same functions for the gateway,
 *		with JSON text as their answer.
 *
 * Every write goes through api_answer(): the client's limits, the
 * idempotency key, the work, the answer kept with it.
 */
#include "api.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static Datum form_answer(FunctionCallInfo fcinfo, const Answer *answer);
static Appointment *work_book(FunctionCallInfo fcinfo, const Caller *caller);
static Appointment *work_walk_in(FunctionCallInfo fcinfo,
								 const Caller *caller);
static Appointment *work_hold(FunctionCallInfo fcinfo, const Caller *caller);
static Appointment *work_offer(FunctionCallInfo fcinfo, const Caller *caller);
static Appointment *work_reschedule(FunctionCallInfo fcinfo,
									const Caller *caller);
static Appointment *work_cancel(FunctionCallInfo fcinfo,
								const Caller *caller);
static Appointment *work_get(FunctionCallInfo fcinfo, const Caller *caller);
static Appointment *work_call_next(FunctionCallInfo fcinfo,
								   const Caller *caller);
static Appointment *work_set_priority(FunctionCallInfo fcinfo,
									  const Caller *caller);
static ChangeRequest change_request(FunctionCallInfo fcinfo,
									const Caller *caller);
static const char *hold_json(Appointment *hold);
static Datum call_release_hold(void *arg);

PG_FUNCTION_INFO_V1(appt_api_get_appointment);
PG_FUNCTION_INFO_V1(appt_api_book);
PG_FUNCTION_INFO_V1(appt_api_walk_in);
PG_FUNCTION_INFO_V1(appt_api_hold);
PG_FUNCTION_INFO_V1(appt_api_offer);
PG_FUNCTION_INFO_V1(appt_api_release_hold);
PG_FUNCTION_INFO_V1(appt_api_reschedule);
PG_FUNCTION_INFO_V1(appt_api_cancel);
PG_FUNCTION_INFO_V1(appt_api_call_next);
PG_FUNCTION_INFO_V1(appt_api_set_priority);

Datum
appt_api_get_appointment(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.context_arg = 1,
		.work = work_get,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_book(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "book",
		.context_arg = 10,
		.notify_arg = 13,
		.has_key = true,
		.work = work_book,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_walk_in(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "walk_in",
		.context_arg = 5,
		.has_key = true,
		.work = work_walk_in,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_hold(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "hold",
		.context_arg = 5,
		.has_key = true,
		.work = work_hold,
		.body = hold_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_offer(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "offer",
		.context_arg = 7,
		.notify_arg = 10,
		.has_key = true,
		.work = work_offer,
		.body = offer_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_release_hold(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_release_hold, fcinfo);
}

Datum
appt_api_reschedule(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "reschedule",
		.context_arg = 9,
		.notify_arg = 12,
		.has_key = true,
		.work = work_reschedule,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_cancel(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.context_arg = 4,
		.notify_arg = 5,
		.work = work_cancel,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_call_next(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "call_next",
		.context_arg = 2,
		.has_key = true,
		.work = work_call_next,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

Datum
appt_api_set_priority(PG_FUNCTION_ARGS)
{
	JsonCall	call = {
		.fcinfo = fcinfo,
		.route = "set_priority",
		.context_arg = 3,
		.has_key = true,
		.work = work_set_priority,
		.body = appointment_json
	};

	return appt_with_spi(api_answer, &call);
}

/* The plain changes differ in one function only. */
#define CHANGE_ENTRY(verb) \
	PG_FUNCTION_INFO_V1(appt_api_##verb); \
	\
	static Appointment * \
	work_##verb(FunctionCallInfo fcinfo, const Caller *caller) \
	{ \
		ChangeRequest request = change_request(fcinfo, caller); \
		\
		return lifecycle_##verb(&request); \
	} \
	\
	Datum \
	appt_api_##verb(PG_FUNCTION_ARGS) \
	{ \
		JsonCall	call = { \
			.fcinfo = fcinfo, \
			.route = #verb, \
			.context_arg = 2, \
			.has_key = true, \
			.work = work_##verb, \
			.body = appointment_json \
		}; \
		\
		return appt_with_spi(api_answer, &call); \
	}

CHANGE_ENTRY(confirm)
CHANGE_ENTRY(check_in)
CHANGE_ENTRY(undo_check_in)
CHANGE_ENTRY(start)
CHANGE_ENTRY(complete)
CHANGE_ENTRY(no_show)
CHANGE_ENTRY(skip)
CHANGE_ENTRY(recall)

/* An ApptWork: the answer of a JsonCall. */
Datum
api_answer(void *arg)
{
	JsonCall   *call = arg;
	FunctionCallInfo fcinfo = call->fcinfo;
	Caller		caller;
	IdempotencyKey key = {.route = call->route};
	Answer		answer;
	Appointment *appointment;

	schedule_refresh();
	caller = caller_of_client(api_exact_text(fcinfo, call->context_arg));
	caller.silent = call->notify_arg != 0 &&
		api_silent(fcinfo, call->notify_arg);
	key.client = caller.actor;
	if (call->has_key)
	{
		key.key = api_exact_text(fcinfo, call->context_arg + 1);
		key.request_hash = api_exact_text(fcinfo, call->context_arg + 2);
		appt_require(key.key == NULL || key.request_hash != NULL,
					 "request_hash");
	}
	if (idempotency_begin(&key, &answer))
		return form_answer(fcinfo, &answer);

	appointment = call->work(fcinfo, &caller);
	answer.id = appointment->appointment_id;
	answer.version = (OptionalInt) {
		.given = true,
		.value = appointment->version
	};
	answer.body = call->body(appointment);
	idempotency_finish(&key, &answer);
	return form_answer(fcinfo, &answer);
}

/* A row of type appt_api.answer, in the caller's context. */
static Datum
form_answer(FunctionCallInfo fcinfo, const Answer *answer)
{
	TupleDesc	desc =
		lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	Datum		values[] = {
		CStringGetTextDatum(answer->body),
		Int32GetDatum(answer->version.value),
		CStringGetTextDatum(answer->id),
		BoolGetDatum(answer->replayed)
	};
	bool		nulls[lengthof(values)] = {false, !answer->version.given};
	HeapTupleHeader row =
		SPI_returntuple(heap_form_tuple(desc, values, nulls), desc);

	ReleaseTupleDesc(desc);
	return PointerGetDatum(row);
}

static Appointment *
work_book(FunctionCallInfo fcinfo, const Caller *caller)
{
	BookRequest request = {
		.caller = caller,
		.patient_id = api_text(fcinfo, 0),
		.doctor_id = api_text(fcinfo, 1),
		.branch_id = api_text(fcinfo, 2),
		.slot_start = api_time(fcinfo, 3),
		.slot_end = api_time(fcinfo, 4),
		.visit_type = api_text(fcinfo, 5),
		.notes = api_text(fcinfo, 6),
		.source = api_text(fcinfo, 7),
		.hold_id = api_text(fcinfo, 8),
		.override = api_bool(fcinfo, 9)
	};

	return booking_book(&request);
}

static Appointment *
work_walk_in(FunctionCallInfo fcinfo, const Caller *caller)
{
	BookRequest request = {
		.caller = caller,
		.patient_id = api_text(fcinfo, 0),
		.doctor_id = api_text(fcinfo, 1),
		.branch_id = api_text(fcinfo, 2),
		.visit_type = api_text(fcinfo, 3),
		.notes = api_text(fcinfo, 4)
	};

	return booking_walk_in(&request);
}

static Appointment *
work_hold(FunctionCallInfo fcinfo, const Caller *caller)
{
	BookRequest request = {
		.caller = caller,
		.doctor_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.visit_type = api_text(fcinfo, 4)
	};

	return booking_hold(&request);
}

static Appointment *
work_offer(FunctionCallInfo fcinfo, const Caller *caller)
{
	BookRequest request = {
		.caller = caller,
		.patient_id = api_text(fcinfo, 0),
		.doctor_id = api_text(fcinfo, 1),
		.slot_start = api_time(fcinfo, 2),
		.slot_end = api_time(fcinfo, 3),
		.branch_id = api_text(fcinfo, 4),
		.visit_type = api_text(fcinfo, 5),
		.expires_at = api_time(fcinfo, 6)
	};

	return booking_offer(&request);
}

static Appointment *
work_reschedule(FunctionCallInfo fcinfo, const Caller *caller)
{
	RescheduleRequest request = {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.reason = api_text(fcinfo, 3),
		.doctor_id = api_text(fcinfo, 4),
		.branch_id = api_text(fcinfo, 5),
		.hold_id = api_text(fcinfo, 6),
		.override = api_bool(fcinfo, 7),
		.expected_version = api_optional_int(fcinfo, 8)
	};

	return reschedule_move(&request);
}

static Appointment *
work_cancel(FunctionCallInfo fcinfo, const Caller *caller)
{
	ChangeRequest request = {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.reason = api_text(fcinfo, 1),
		.override = api_bool(fcinfo, 2),
		.expected_version = api_optional_int(fcinfo, 3)
	};

	return lifecycle_cancel(&request);
}

static Appointment *
work_get(FunctionCallInfo fcinfo, const Caller *caller)
{
	Appointment *found = appointment_find(api_text(fcinfo, 0), caller,
										  APPT_UNLOCKED);

	patient_note_look(found->patient_id, caller);
	return found;
}

/*
 * That nobody waits is an error, so that it is not stored as the key's answer:
 * a retry looks again.
 */
static Appointment *
work_call_next(FunctionCallInfo fcinfo, const Caller *caller)
{
	QueueCall	call = {
		.caller = caller,
		.doctor_id = api_text(fcinfo, 0),
		.origin = ID_IN_BODY,
		.today = PG_ARGISNULL(1),
		.date = PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1)
	};
	Appointment *called = queue_call_next(&call);

	if (called == NULL)
		ereport(ERROR,
				(APPT_ERRCODE(QUEUE_EMPTY),
				 errmsg("doctor \"%s\" has nobody to call", call.doctor_id),
				 errdetail("Nobody who is checked in waits there.")));
	return called;
}

static Appointment *
work_set_priority(FunctionCallInfo fcinfo, const Caller *caller)
{
	ChangeRequest request = {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.priority = api_int(fcinfo, 1),
		.expected_version = api_optional_int(fcinfo, 2)
	};

	appt_require(!PG_ARGISNULL(1), "priority");
	return lifecycle_set_priority(&request);
}

static ChangeRequest
change_request(FunctionCallInfo fcinfo, const Caller *caller)
{
	return (ChangeRequest) {
		.caller = caller,
		.appointment_id = api_text(fcinfo, 0),
		.expected_version = api_optional_int(fcinfo, 1)
	};
}

static const char *
hold_json(Appointment *hold)
{
	pg_tz	   *zone = appointment_zone(hold);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	appt_json_text(&out, "hold_id", hold->appointment_id);
	appt_json_text(&out, "doctor_id", hold->doctor_id);
	appt_json_text(&out, "branch_id", hold->branch_id);
	appt_json_time(&out, "slot_start", hold->slot_start, zone);
	appt_json_time(&out, "slot_end", hold->slot_end, zone);
	appt_json_optional_time(&out, "expires_at", hold->hold_expires_at, zone);
	appendStringInfoChar(&out, '}');
	return out.data;
}

static Datum
call_release_hold(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;

	schedule_refresh();
	caller = caller_of_client(api_exact_text(fcinfo, 1));
	hold_release(api_text(fcinfo, 0), &caller);
	fcinfo->isnull = true;
	return (Datum) 0;
}
