/*
 * api_queue.c
 *		Entry points for the queue, in SQL and as JSON.
 */
#include "api.h"

#include "funcapi.h"
#include "utils/builtins.h"

static Datum call_queue(void *arg);
static Datum call_call_next(void *arg);
static Datum call_skip(void *arg);
static Datum call_recall(void *arg);
static Datum call_set_priority(void *arg);
static Datum call_queue_json(void *arg);
static void put_entry(ReturnSetInfo *result, const QueueEntry *entry,
					  int position);
static char *queue_json(const QueueEntry *entries, int n);

PG_FUNCTION_INFO_V1(appt_queue);
PG_FUNCTION_INFO_V1(appt_call_next);
PG_FUNCTION_INFO_V1(appt_skip);
PG_FUNCTION_INFO_V1(appt_recall);
PG_FUNCTION_INFO_V1(appt_set_priority);
PG_FUNCTION_INFO_V1(appt_api_queue);

Datum
appt_queue(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return appt_with_spi(call_queue, fcinfo);
}

Datum
appt_call_next(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_call_next, fcinfo);
}

Datum
appt_skip(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_skip, fcinfo);
}

Datum
appt_recall(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_recall, fcinfo);
}

Datum
appt_set_priority(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_set_priority, fcinfo);
}

Datum
appt_api_queue(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_queue_json, fcinfo);
}

static Datum
call_queue(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	QueueEntry *entries;
	int			n;

	schedule_refresh();
	n = queue_load(api_text(fcinfo, 0),
				   PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1),
				   PG_ARGISNULL(1), &caller, &entries);
	for (int i = 0; i < n; i++)
		put_entry((ReturnSetInfo *) fcinfo->resultinfo, &entries[i], i + 1);
	return (Datum) 0;
}

static void
put_entry(ReturnSetInfo *result, const QueueEntry *entry, int position)
{
	const Appointment *a = entry->appointment;
	Datum		values[] = {
		Int32GetDatum(position),
		Int32GetDatum(a->token_number),
		CStringGetTextDatum(a->appointment_id),
		CStringGetTextDatum(a->patient_id),
		CStringGetTextDatum(a->branch_id),
		CStringGetTextDatum(a->status),
		Int32GetDatum(a->priority),
		TimestampTzGetDatum(a->slot_start),
		TimestampTzGetDatum(a->checked_in_at.at),
		BoolGetDatum(entry->late),
		BoolGetDatum(a->skipped_at.given),
		Int32GetDatum(entry->ahead),
		TimestampTzGetDatum(entry->estimated_start.at)
	};
	bool		nulls[lengthof(values)] = {0};

	nulls[8] = !a->checked_in_at.given;
	nulls[12] = !entry->estimated_start.given;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
call_call_next(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	QueueCall	call = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.origin = ID_ADDRESSED,
		.today = PG_ARGISNULL(1),
		.date = PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1)
	};
	Appointment *called;

	schedule_refresh();
	called = queue_call_next(&call);
	if (called == NULL)
	{
		fcinfo->isnull = true;
		return (Datum) 0;
	}
	return SPI_datumTransfer(called->row, false, -1);
}

static Datum
call_skip(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.expected_version = api_optional_int(fcinfo, 1)
	};

	return SPI_datumTransfer(lifecycle_skip(&request)->row, false, -1);
}

static Datum
call_recall(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.expected_version = api_optional_int(fcinfo, 1)
	};

	return SPI_datumTransfer(lifecycle_recall(&request)->row, false, -1);
}

static Datum
call_set_priority(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	ChangeRequest request = {
		.caller = &caller,
		.appointment_id = api_text(fcinfo, 0),
		.priority = api_int(fcinfo, 1),
		.expected_version = api_optional_int(fcinfo, 2)
	};

	return SPI_datumTransfer(lifecycle_set_priority(&request)->row, false, -1);
}

static Datum
call_queue_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	QueueEntry *entries;
	int			n;

	schedule_refresh();
	caller = caller_of_client(api_exact_text(fcinfo, 2));
	n = queue_load(api_text(fcinfo, 0),
				   PG_ARGISNULL(1) ? 0 : PG_GETARG_DATEADT(1),
				   PG_ARGISNULL(1), &caller, &entries);
	return SPI_datumTransfer(CStringGetTextDatum(queue_json(entries, n)),
							 false, -1);
}

static char *
queue_json(const QueueEntry *entries, int n)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < n; i++)
	{
		const QueueEntry *entry = &entries[i];
		const Appointment *a = entry->appointment;
		pg_tz	   *zone = appointment_shown_zone(a);

		appendStringInfoString(&out, i > 0 ? ",{" : "{");
		appt_json_int(&out, "position", i + 1);
		appt_json_int(&out, "token_number", a->token_number);
		appt_json_text(&out, "appointment_id", a->appointment_id);
		appt_json_text(&out, "patient_id", a->patient_id);
		appt_json_text(&out, "branch_id", a->branch_id);
		appt_json_text(&out, "status", a->status);
		appt_json_int(&out, "priority", a->priority);
		appt_json_time(&out, "slot_start", a->slot_start, zone);
		appt_json_optional_time(&out, "checked_in_at", a->checked_in_at, zone);
		appt_json_bool(&out, "late", entry->late);
		appt_json_bool(&out, "skipped", a->skipped_at.given);
		appt_json_int(&out, "people_ahead", entry->ahead);
		appt_json_optional_time(&out, "estimated_start",
								entry->estimated_start, zone);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}
