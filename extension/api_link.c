/*
 * api_link.c
 *		What a patient does by a link in a message, in schema appt_internal:
 *		the same functions as for others, under the same rules.
 *
 * Who holds the link has been judged (schema part link/link.sql).
 */
#include "api.h"

static Datum call_confirm(void *arg);
static Datum call_cancel(void *arg);
static Datum call_move(void *arg);
static Datum call_accept(void *arg);
static Datum call_decline(void *arg);

PG_FUNCTION_INFO_V1(appt_confirm_by_link);
PG_FUNCTION_INFO_V1(appt_cancel_by_link);
PG_FUNCTION_INFO_V1(appt_move_by_link);
PG_FUNCTION_INFO_V1(appt_accept_by_link);
PG_FUNCTION_INFO_V1(appt_decline_by_link);

Datum
appt_confirm_by_link(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_confirm, fcinfo);
}

Datum
appt_cancel_by_link(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_cancel, fcinfo);
}

Datum
appt_move_by_link(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_move, fcinfo);
}

Datum
appt_accept_by_link(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_accept, fcinfo);
}

Datum
appt_decline_by_link(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_decline, fcinfo);
}

static Datum
call_confirm(void *arg)
{
	Caller		caller = caller_of_link();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(arg, 0),
		.expected_version = api_optional_int(arg, 1)
	};

	return SPI_datumTransfer(lifecycle_confirm(&request)->row, false, -1);
}

static Datum
call_cancel(void *arg)
{
	Caller		caller = caller_of_link();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(arg, 0),
		.reason = api_text(arg, 1),
		.expected_version = api_optional_int(arg, 3)
	};

	if (request.reason == NULL)
		request.reason = api_text(arg, 2);
	return SPI_datumTransfer(lifecycle_cancel(&request)->row, false, -1);
}

static Datum
call_move(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_link();
	RescheduleRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.expected_version = api_optional_int(fcinfo, 2)
	};

	schedule_refresh();
	return SPI_datumTransfer(reschedule_move(&request)->row, false, -1);
}

/* Books what the offer keeps. */
static Datum
call_accept(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_link();
	BookRequest request = {
		.caller = &caller,
		.hold_id = api_text(fcinfo, 0),
		.patient_id = api_text(fcinfo, 1),
		.doctor_id = api_text(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.slot_start = api_time(fcinfo, 4),
		.slot_end = api_time(fcinfo, 5),
		.visit_type = api_text(fcinfo, 6)
	};

	return SPI_datumTransfer(booking_book(&request)->row, false, -1);
}

static Datum
call_decline(void *arg)
{
	Caller		caller = caller_of_link();

	hold_release(api_text(arg, 0), &caller);
	return (Datum) 0;
}
