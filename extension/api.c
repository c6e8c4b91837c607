/*
 * api.c
 *		Entry points of schema appt: each reads its arguments, calls one
 *		function and returns.
 */
#include "appt.h"

#include "api.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"

typedef struct ChangeCall
{
	FunctionCallInfo fcinfo;
	Appointment *(*change) (const ChangeRequest *request);
	int			version_arg;
	bool		has_reason;
} ChangeCall;

static Datum call_book(void *arg);
static Datum call_hold(void *arg);
static Datum call_release(void *arg);
static Datum call_walk_in(void *arg);
static Datum call_reschedule(void *arg);
static Datum call_change(void *arg);
static Datum call_available_slots(void *arg);
static Datum call_explain_slot(void *arg);
static Datum call_appointment_json(void *arg);
static IdempotencyKey key_of_args(FunctionCallInfo fcinfo);
static Datum call_idempotency_begin(void *arg);
static Datum call_idempotency_finish(void *arg);
static Datum change(FunctionCallInfo fcinfo,
					Appointment *(*verb) (const ChangeRequest *request));
static char *hash_of_booking(const BookRequest *request);
static void put_slot(ReturnSetInfo *result, const OfferedSlot *offered);

PG_FUNCTION_INFO_V1(appt_is_time_zone);
PG_FUNCTION_INFO_V1(appt_schedule_changed);
PG_FUNCTION_INFO_V1(appt_clock);
PG_FUNCTION_INFO_V1(appt_json_time_sql);
PG_FUNCTION_INFO_V1(appt_new_id_sql);
PG_FUNCTION_INFO_V1(appt_appointment_json);
PG_FUNCTION_INFO_V1(appt_available_slots);
PG_FUNCTION_INFO_V1(appt_explain_slot);
PG_FUNCTION_INFO_V1(appt_book);
PG_FUNCTION_INFO_V1(appt_hold);
PG_FUNCTION_INFO_V1(appt_release);
PG_FUNCTION_INFO_V1(appt_walk_in);
PG_FUNCTION_INFO_V1(appt_reschedule);
PG_FUNCTION_INFO_V1(appt_cancel);
PG_FUNCTION_INFO_V1(appt_check_in);
PG_FUNCTION_INFO_V1(appt_undo_check_in);
PG_FUNCTION_INFO_V1(appt_start);
PG_FUNCTION_INFO_V1(appt_complete);
PG_FUNCTION_INFO_V1(appt_no_show);
PG_FUNCTION_INFO_V1(appt_idempotency_begin);
PG_FUNCTION_INFO_V1(appt_idempotency_finish);

char *
api_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

int
api_int(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n);
}

TimestampTz
api_time(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? 0 : PG_GETARG_TIMESTAMPTZ(n);
}

bool
api_bool(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

Datum
appt_is_time_zone(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(appt_zone(text_to_cstring(PG_GETARG_TEXT_PP(0))) != NULL);
}

Datum
appt_schedule_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "appt.schedule_changed() was not called by a trigger");
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	PG_RETURN_POINTER(NULL);
}

Datum
appt_clock(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(appt_now());
}

Datum
appt_json_time_sql(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pg_tz	   *zone = appt_zone(name);
	StringInfoData out;

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known", name)));
	initStringInfo(&out);
	appt_append_time(&out, PG_GETARG_TIMESTAMPTZ(0), zone);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
appt_new_id_sql(PG_FUNCTION_ARGS)
{
	char	   *prefix = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(appt_new_id(prefix)));
}

Datum
appt_appointment_json(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_appointment_json, fcinfo);
}

Datum
appt_available_slots(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return appt_with_spi(call_available_slots, fcinfo);
}

Datum
appt_explain_slot(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_explain_slot, fcinfo);
}

Datum
appt_book(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_book, fcinfo);
}

Datum
appt_hold(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_hold, fcinfo);
}

Datum
appt_release(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_release, fcinfo);
}

Datum
appt_walk_in(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_walk_in, fcinfo);
}

Datum
appt_reschedule(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_reschedule, fcinfo);
}

Datum
appt_cancel(PG_FUNCTION_ARGS)
{
	ChangeCall	call = {
		.fcinfo = fcinfo,
		.change = lifecycle_cancel,
		.has_reason = true,
		.version_arg = 2
	};

	return appt_with_spi(call_change, &call);
}

Datum
appt_check_in(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_check_in);
}

Datum
appt_undo_check_in(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_undo_check_in);
}

Datum
appt_start(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_start);
}

Datum
appt_complete(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_complete);
}

Datum
appt_no_show(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_no_show);
}

Datum
appt_idempotency_begin(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_idempotency_begin, fcinfo);
}

Datum
appt_idempotency_finish(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_idempotency_finish, fcinfo);
}

static Datum
change(FunctionCallInfo fcinfo,
	   Appointment *(*verb) (const ChangeRequest *request))
{
	ChangeCall	call = {.fcinfo = fcinfo, .change = verb, .version_arg = 1};

	return appt_with_spi(call_change, &call);
}

static Datum
call_change(void *arg)
{
	ChangeCall *call = arg;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(call->fcinfo, 0),
		.reason = call->has_reason ? api_text(call->fcinfo, 1) : NULL,
		.expected_version = api_int(call->fcinfo, call->version_arg)
	};

	return SPI_datumTransfer(call->change(&request)->row, false, -1);
}

static Datum
call_book(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	BookRequest request = {
		.caller = &caller,
		.patient_id = api_text(fcinfo, 0),
		.doctor_id = api_text(fcinfo, 1),
		.slot_start = api_time(fcinfo, 2),
		.slot_end = api_time(fcinfo, 3),
		.branch_id = api_text(fcinfo, 4),
		.visit_type = api_text(fcinfo, 5),
		.notes = api_text(fcinfo, 6),
		.source = api_text(fcinfo, 7),
		.hold_id = api_text(fcinfo, 8),
		.override = api_bool(fcinfo, 10)
	};
	IdempotencyKey key = {
		.client = caller.actor,
		.route = "appt.book",
		.key = api_text(fcinfo, 9),
		.request_hash = hash_of_booking(&request)
	};
	Answer		answer;
	Appointment *booked;

	if (idempotency_begin(&key, &answer))
		booked = appointment_find(answer.id, &caller, APPT_UNLOCKED);
	else
	{
		booked = booking_book(&request);
		answer = (Answer) {
			.id = booked->appointment_id,
			.version = booked->version,
			.body = appointment_json(booked)
		};
		idempotency_finish(&key, &answer);
	}
	return SPI_datumTransfer(booked->row, false, -1);
}

static Datum
call_hold(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	BookRequest request = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.visit_type = api_text(fcinfo, 4)
	};

	return SPI_datumTransfer(booking_hold(&request)->row, false, -1);
}

static Datum
call_release(void *arg)
{
	Caller		caller = caller_of_session();

	booking_release(api_text(arg, 0), &caller);
	return (Datum) 0;
}

static Datum
call_walk_in(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	BookRequest request = {
		.caller = &caller,
		.patient_id = api_text(fcinfo, 0),
		.doctor_id = api_text(fcinfo, 1),
		.branch_id = api_text(fcinfo, 2),
		.visit_type = api_text(fcinfo, 3),
		.notes = api_text(fcinfo, 4)
	};

	return SPI_datumTransfer(booking_walk_in(&request)->row, false, -1);
}

static Datum
call_reschedule(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	RescheduleRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.reason = api_text(fcinfo, 3),
		.doctor_id = api_text(fcinfo, 4),
		.branch_id = api_text(fcinfo, 5),
		.expected_version = api_int(fcinfo, 6)
	};

	schedule_refresh();
	return SPI_datumTransfer(reschedule_move(&request)->row, false, -1);
}

static Datum
call_available_slots(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	SlotQuery	query = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.branch_id = api_text(fcinfo, 2),
		.duration_min = api_int(fcinfo, 3),
		.visit_type = api_text(fcinfo, 5),
		.every_branch = true
	};
	OfferedSlot *slots;
	int			n;

	appt_require(!PG_ARGISNULL(1), "on_date");
	query.from_date = PG_GETARG_DATEADT(1);
	query.to_date = PG_ARGISNULL(4) ? query.from_date : PG_GETARG_DATEADT(4);
	schedule_refresh();
	n = availability_list(&query, &slots);
	for (int i = 0; i < n; i++)
		put_slot((ReturnSetInfo *) fcinfo->resultinfo, &slots[i]);
	return (Datum) 0;
}

static void
put_slot(ReturnSetInfo *result, const OfferedSlot *offered)
{
	Datum		values[] = {
		TimestampTzGetDatum(offered->slot.start),
		TimestampTzGetDatum(offered->slot.end),
		Int32GetDatum(offered->slot.remaining),
		CStringGetTextDatum(offered->branch->branch_id)
	};
	bool		nulls[lengthof(values)] = {0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
call_explain_slot(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	PlacementRequest request = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.visit_type = api_text(fcinfo, 4)
	};
	char	   *sentence = placement_explain(&request);

	return SPI_datumTransfer(CStringGetTextDatum(sentence), false, -1);
}

static Datum
call_appointment_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Appointment *appointment;

	schedule_refresh();
	appointment = appointment_from_row(PG_GETARG_DATUM(0));
	return SPI_datumTransfer(
		CStringGetTextDatum(appointment_json(appointment)), false, -1);
}

static IdempotencyKey
key_of_args(FunctionCallInfo fcinfo)
{
	return (IdempotencyKey) {
		.client = api_text(fcinfo, 0),
		.route = api_text(fcinfo, 1),
		.key = api_text(fcinfo, 2),
		.request_hash = api_text(fcinfo, 3)
	};
}

static Datum
call_idempotency_begin(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	IdempotencyKey key = key_of_args(fcinfo);
	Answer		answer;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, true, true, true};

	values[0] = BoolGetDatum(idempotency_begin(&key, &answer));
	if (answer.replayed)
	{
		nulls[1] = answer.id == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(answer.id);
		nulls[2] = answer.version == 0;
		values[2] = Int32GetDatum(answer.version);
		nulls[3] = false;
		values[3] = CStringGetTextDatum(answer.body);
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	return PointerGetDatum(
		SPI_returntuple(heap_form_tuple(desc, values, nulls), desc));
}

static Datum
call_idempotency_finish(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	IdempotencyKey key = key_of_args(fcinfo);
	Answer		answer = {
		.id = api_text(fcinfo, 4),
		.version = api_int(fcinfo, 5),
		.body = api_text(fcinfo, 6)
	};

	idempotency_finish(&key, &answer);
	return (Datum) 0;
}

/* The lower-case hex SHA-256 of what a booking asks for. */
static char *
hash_of_booking(const BookRequest *r)
{
	char	   *text;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *hex = palloc(2 * sizeof(digest) + 1);
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	text = psprintf("%s\n%s\n" INT64_FORMAT "\n" INT64_FORMAT
					"\n%s\n%s\n%s\n%s\n%s\n%d",
					r->patient_id ? r->patient_id : "",
					r->doctor_id ? r->doctor_id : "",
					r->slot_start, r->slot_end,
					r->branch_id ? r->branch_id : "",
					r->visit_type ? r->visit_type : "",
					r->notes ? r->notes : "",
					r->source ? r->source : "",
					r->hold_id ? r->hold_id : "",
					r->override);
	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) text, strlen(text)) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-256 hash: %s",
			 pg_cryptohash_error(context));
	pg_cryptohash_free(context);
	hex_encode((char *) digest, sizeof(digest), hex);
	hex[2 * sizeof(digest)] = '\0';
	return hex;
}
