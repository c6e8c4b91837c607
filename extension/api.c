/*
 * api.c
 *		Entry points of booking and of the life cycle in schema appt: each
 *		reads its arguments, calls one function and returns.
 */
#include "api.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "utils/builtins.h"

typedef struct ChangeCall
{
	FunctionCallInfo fcinfo;
	Appointment *(*change) (const ChangeRequest *request);
	int			version_arg;
	int			override_arg;	/* 0: it has none, nor notify */
	bool		has_reason;
} ChangeCall;

static Datum call_book(void *arg);
static Datum call_hold(void *arg);
static Datum call_offer(void *arg);
static Datum call_release(void *arg);
static Datum call_walk_in(void *arg);
static Datum call_reschedule(void *arg);
static Datum call_change(void *arg);
static Datum call_appointment_json(void *arg);
static Datum change(FunctionCallInfo fcinfo,
					Appointment *(*verb) (const ChangeRequest *request));
static char *hash_of_booking(const BookRequest *request);

PG_FUNCTION_INFO_V1(appt_appointment_json);
PG_FUNCTION_INFO_V1(appt_book);
PG_FUNCTION_INFO_V1(appt_hold);
PG_FUNCTION_INFO_V1(appt_offer);
PG_FUNCTION_INFO_V1(appt_release);
PG_FUNCTION_INFO_V1(appt_walk_in);
PG_FUNCTION_INFO_V1(appt_reschedule);
PG_FUNCTION_INFO_V1(appt_cancel);
PG_FUNCTION_INFO_V1(appt_confirm);
PG_FUNCTION_INFO_V1(appt_check_in);
PG_FUNCTION_INFO_V1(appt_undo_check_in);
PG_FUNCTION_INFO_V1(appt_start);
PG_FUNCTION_INFO_V1(appt_complete);
PG_FUNCTION_INFO_V1(appt_no_show);

Datum
appt_appointment_json(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_appointment_json, fcinfo);
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
appt_offer(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_offer, fcinfo);
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
		.version_arg = 2,
		.override_arg = 3
	};

	return appt_with_spi(call_change, &call);
}

Datum
appt_confirm(PG_FUNCTION_ARGS)
{
	return change(fcinfo, lifecycle_confirm);
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
	FunctionCallInfo fcinfo = call->fcinfo;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.reason = call->has_reason ? api_text(fcinfo, 1) : NULL,
		.expected_version = api_optional_int(fcinfo, call->version_arg),
		.override = call->override_arg != 0 &&
			api_bool(fcinfo, call->override_arg)
	};

	if (call->override_arg != 0)
		caller.silent = api_silent(fcinfo, call->override_arg + 1);
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
		.key = api_exact_text(fcinfo, 9)
	};
	Answer		answer;
	Appointment *booked;

	caller.silent = api_silent(fcinfo, 11);
	if (key.key != NULL)
		key.request_hash = hash_of_booking(&request);
	if (idempotency_begin(&key, &answer))
		booked = appointment_find(answer.id, &caller, APPT_UNLOCKED);
	else
	{
		booked = booking_book(&request);
		answer = (Answer) {
			.id = booked->appointment_id,
			.version = {.given = true, .value = booked->version},
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
call_offer(void *arg)
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
		.expires_at = api_time(fcinfo, 6)
	};

	caller.silent = api_silent(fcinfo, 7);
	return SPI_datumTransfer(
		offer_row(booking_offer(&request)->appointment_id), false, -1);
}

static Datum
call_release(void *arg)
{
	Caller		caller = caller_of_session();

	hold_release(api_text(arg, 0), &caller);
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
		.expected_version = api_optional_int(fcinfo, 6),
		.hold_id = api_text(fcinfo, 7),
		.override = api_bool(fcinfo, 8)
	};

	caller.silent = api_silent(fcinfo, 9);
	schedule_refresh();
	return SPI_datumTransfer(reschedule_move(&request)->row, false, -1);
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

/* The lower-case hex SHA-256 of what a booking asks for. */
static char *
hash_of_booking(const BookRequest *r)
{
	char	   *text;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *hex = palloc(2 * sizeof(digest) + 1);
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	text = psprintf("%s\n%s\n%d " INT64_FORMAT "\n%d " INT64_FORMAT
					"\n%s\n%s\n%s\n%s\n%s\n%d %d",
					r->patient_id ? r->patient_id : "",
					r->doctor_id ? r->doctor_id : "",
					r->slot_start.given, r->slot_start.at,
					r->slot_end.given, r->slot_end.at,
					r->branch_id ? r->branch_id : "",
					r->visit_type ? r->visit_type : "",
					r->notes ? r->notes : "",
					r->source ? r->source : "",
					r->hold_id ? r->hold_id : "",
					r->override, r->caller->silent);
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
