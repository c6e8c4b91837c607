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

PG_FUNCTION_INFO_V1(appt_confirm_by_link);
PG_FUNCTION_INFO_V1(appt_cancel_by_link);
PG_FUNCTION_INFO_V1(appt_move_by_link);

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
