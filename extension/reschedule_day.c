/*
 * reschedule_day.c
 *		Moves all booked appointments of a doctor's day, or none.
 *
 * The locks are those of bulk.c: the two doctors' exclusively, so that what is
 * to be moved stays what it is, and the patients' in order.
 */
#include "api.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"

/* The same wall-clock time so many days later; of no days the same instant. */
#define TO_START \
	"CASE WHEN $3 = 0 THEN a.slot_start" \
	" ELSE appt_internal.instant(a.token_date + $3," \
	" (a.slot_start AT TIME ZONE b.time_zone)::time, b.time_zone) END"

static ApptStatement booked = {
	"SELECT" BULK_COLUMNS(TO_START)
	" FROM appt.appointment a"
	" JOIN appt.branch b ON b.branch_id = a.branch_id"
	" WHERE a.doctor_no = $1 AND a.token_date = $2 AND a.status = 'booked'"
	" AND ($4 IS NULL OR a.branch_id = $4)"
	" ORDER BY a.slot_start, a.appointment_no",
	4, {INT4OID, DATEOID, INT4OID, TEXTOID}
};

typedef struct DayMove
{
	const Caller *caller;
	char	   *doctor_id;
	DateADT		from_date;
	DateADT		to_date;
	char	   *to_doctor_id;	/* NULL: the same */
	char	   *branch_id;		/* NULL: every one */
	char	   *reason;
	const BulkItem *item;		/* the one whose turn it is */
	ReturnSetInfo *result;
} DayMove;

static Datum call_reschedule_day(void *arg);
static DateADT date_of_arg(FunctionCallInfo fcinfo, int n, const char *field);
static int	lock_doctors(const DayMove *m);
static BulkList load(const DayMove *m, int doctor_no);
static Datum move_item(void *arg);
static void put_row(ReturnSetInfo *result, Datum row);

PG_FUNCTION_INFO_V1(appt_reschedule_day);

Datum
appt_reschedule_day(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return appt_with_spi(call_reschedule_day, fcinfo);
}

static Datum
call_reschedule_day(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	DayMove		m = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.from_date = date_of_arg(fcinfo, 1, "from_date"),
		.to_doctor_id = api_text(fcinfo, 3),
		.branch_id = api_text(fcinfo, 4),
		.reason = api_text(fcinfo, 5),
		.result = (ReturnSetInfo *) fcinfo->resultinfo
	};
	int			doctor_no;
	BulkList	list;

	m.to_date = PG_ARGISNULL(2)
		? m.from_date : date_of_arg(fcinfo, 2, "to_date");
	appt_require(m.doctor_id != NULL, "doctor_id");
	bulk_lock_branches();
	schedule_refresh();
	caller = api_caller(fcinfo, 6);
	doctor_no = lock_doctors(&m);
	list = load(&m, doctor_no);
	bulk_lock_patients(&list);
	for (int i = 0; i < list.nitems; i++)
	{
		m.item = &list.items[i];
		bulk_change(move_item, &m);
	}
	return (Datum) 0;
}

static DateADT
date_of_arg(FunctionCallInfo fcinfo, int n, const char *field)
{
	appt_require(!PG_ARGISNULL(n), field);
	if (DATE_NOT_FINITE(PG_GETARG_DATEADT(n)))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s must be finite", field),
				 appt_errfield(field)));
	return PG_GETARG_DATEADT(n);
}

/* Of the doctor and of the one who takes over; the doctor's number. */
static int
lock_doctors(const DayMove *m)
{
	const Doctor *from = schedule_doctor(m->doctor_id);
	const Doctor *to = from;
	BulkItem	items[2];
	BulkList	list = {.items = items, .nitems = lengthof(items)};

	if (from == NULL || !caller_sees_doctor(m->caller, from))
		reference_unknown_id(ID_ADDRESSED, "doctor", m->doctor_id, "doctor_id");
	if (m->to_doctor_id != NULL)
		to = schedule_doctor(m->to_doctor_id);
	if (to == NULL || !caller_sees_doctor(m->caller, to))
		reference_unknown_id(ID_IN_BODY, "doctor", m->to_doctor_id,
							 "to_doctor_id");
	items[0].doctor_no = from->doctor_no;
	items[1].doctor_no = to->doctor_no;
	bulk_lock_doctors(&list);
	return from->doctor_no;
}

/* Those of the day that the caller sees. */
static BulkList
load(const DayMove *m, int doctor_no)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(doctor_no)),
		appt_arg(DateADTGetDatum(m->from_date)),
		appt_arg(Int32GetDatum(m->to_date - m->from_date)),
		appt_arg_text(m->branch_id)
	};

	BulkList	list = bulk_load(&booked, args);
	int			n = 0;

	for (int i = 0; i < list.nitems; i++)
	{
		if (caller_sees(m->caller, list.items[i].branch_id))
			list.items[n++] = list.items[i];
	}
	list.nitems = n;
	return list;
}

static Datum
move_item(void *arg)
{
	DayMove    *m = arg;
	RescheduleRequest request = {
		.caller = m->caller,
		.appointment_id = m->item->appointment_id,
		.slot_start = appt_time(m->item->to_start),
		.slot_end = appt_time(m->item->to_start +
							  (m->item->slot_end - m->item->slot_start)),
		.reason = m->reason,
		.doctor_id = m->to_doctor_id,
		.locked = true
	};

	Appointment *moved = reschedule_move(&request);

	if (appointment_is(moved, "booked"))
		put_row(m->result, moved->row);
	return (Datum) 0;
}

static void
put_row(ReturnSetInfo *result, Datum row)
{
	HeapTupleHeader header = DatumGetRow(row);
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(header),
		.t_data = header
	};

	tuplestore_puttuple(result->setResult, &tuple);
}
