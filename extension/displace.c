/*
 * displace.c
 *		Time off and closures over existing bookings.
 *
 * A row trigger takes the doctor's or the branch's lock exclusively before the
 * row is written, so no booking slips in; a constraint trigger then refuses
 * the row while appointments lie in it.  Functions that displace defer that
 * trigger, cancel or move, and let it judge what is left, whoever wrote.
 */
#include "api.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#define LISTED_APPOINTMENTS	20

/*
 * A new absence is judged with all that lies in it.  Later on, what is booked
 * on purpose against the rules may lie there, and who is there already, beside
 * the bookable places: walk-ins and late returns.  So a row that is changed,
 * or restored from a dump after the appointments, lets those pass.  A row that
 * brings its created_at along is a restored one: new ones are given theirs
 * here.  No clock tells them apart, as the restoring server's may go behind.
 */

static const char *const absence_tables[] = {"time_off", "closure", NULL};

/* The last transaction that made new absences. */
static FullTransactionId made_new = {0};

/* What a row of time_off or closure covers. */
typedef struct Absence
{
	bool		closure;
	char	   *id;				/* of the doctor or the branch */
	TimestampTz start;
	TimestampTz end;
	bool		is_new;
} Absence;

static ApptStatement doctor_key = {
	"SELECT doctor_no"
	" FROM appt.doctor"
	" WHERE doctor_id = $1",
	1, {TEXTOID}
};

static ApptStatement affected_by_time_off = {
	"SELECT a"
	" FROM appt.appointment a"
	" JOIN appt.doctor d ON d.doctor_no = a.doctor_no"
	" WHERE d.doctor_id = $1"
	" AND a.slot_start < $3 AND a.slot_start > $2 - interval '8 hours'"
	" AND a.slot_end > $2"
	" AND a.status IN ('booked', 'checked_in', 'held')"
	" AND ($4 OR NOT a.override AND a.lane < 32)"
	" ORDER BY a.slot_start, a.appointment_no",
	4, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID}
};

static ApptStatement affected_by_closure = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.branch_id = $1"
	" AND a.token_date BETWEEN ($2 - interval '2 days')::date"
	" AND ($3 + interval '2 days')::date"
	" AND a.slot_start < $3 AND a.slot_end > $2"
	" AND a.status IN ('booked', 'checked_in', 'held')"
	" AND ($4 OR NOT a.override AND a.lane < 32)"
	" ORDER BY a.slot_start, a.appointment_no",
	4, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID}
};

static ApptStatement branch_ids = {
	"SELECT branch_id"
	" FROM appt.branch"
};

static ApptStatement delete_hold = {
	"DELETE FROM appt.appointment"
	" WHERE appointment_no = $1 AND status = 'held'",
	1, {INT8OID}
};

static Datum lock_absence(void *arg);
static Datum check_absence(void *arg);
static Datum displace_absence(void *arg);
static void lock_doctors(Appointment **appointments, int n);
static int	compare_ints(const void *a, const void *b);
static HeapTuple stamp_new(const TriggerData *trigger);
static Absence absence_of_trigger(const TriggerData *trigger);
static HeapTuple new_row(const TriggerData *trigger);
static int	affected(const Absence *absence, Appointment ***appointments);
static void end_hold(const Appointment *hold);
static void refuse(const Absence *absence, Appointment **appointments, int n);
static void cancel(const Appointment *appointment, const Caller *caller,
				   const char *reason);
static void move(const Appointment *appointment, const Caller *caller,
				 const char *reason);

PG_FUNCTION_INFO_V1(appt_absence_lock);
PG_FUNCTION_INFO_V1(appt_absence_check);
PG_FUNCTION_INFO_V1(appt_displace);

/* BEFORE row trigger of appt.time_off and appt.closure. */
Datum
appt_absence_lock(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt.absence_lock",
		.when = TRIGGER_EVENT_BEFORE | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = absence_tables
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);

	(void) appt_with_spi(lock_absence, trigger);
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)
						   ? trigger->tg_newtuple
						   : stamp_new(trigger));
}

/* Constraint trigger of appt.time_off and appt.closure. */
Datum
appt_absence_check(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt.absence_check",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = absence_tables
	};

	(void) appt_with_spi(check_absence, appt_trigger(fcinfo, &use));
	return PointerGetDatum(NULL);
}

/*
 * Cancels or moves what lies in an absence that has just been written; its
 * deferred constraint trigger judges what is left.
 */
Datum
appt_displace(PG_FUNCTION_ARGS)
{
	return appt_with_spi(displace_absence, fcinfo);
}

/*
 * Time off takes every branch's lock first, shared: to displace needs them,
 * and they come before the doctor's.
 */
static Datum
lock_absence(void *arg)
{
	Absence		absence = absence_of_trigger(arg);
	ApptArg		args[] = {appt_arg_text(absence.id)};
	uint64		nbranches;
	bool		isnull;

	if (absence.closure)
	{
		appt_lock_exclusive(APPT_LOCK_BRANCH, appt_lock_key(absence.id));
		return (Datum) 0;
	}
	nbranches = appt_run(&branch_ids, NULL, APPT_READ_LATEST);
	for (uint64 i = 0; i < nbranches; i++)
		appt_lock_shared(APPT_LOCK_BRANCH,
						 appt_lock_key(appt_field_text(i, 1)));
	if (appt_run(&doctor_key, args, APPT_READ_LATEST) > 0)
		appt_lock_exclusive(APPT_LOCK_DOCTOR,
							DatumGetInt32(appt_field(0, 1, &isnull)));
	return (Datum) 0;
}

static Datum
check_absence(void *arg)
{
	Absence		absence = absence_of_trigger(arg);
	Appointment **appointments;
	int			n = affected(&absence, &appointments);
	int			kept = 0;

	schedule_refresh();
	for (int i = 0; i < n; i++)
	{
		if (appointment_is(appointments[i], "held"))
			end_hold(appointments[i]);
		else
			appointments[kept++] = appointments[i];
	}
	if (kept > 0)
		refuse(&absence, appointments, kept);
	return (Datum) 0;
}

static Datum
displace_absence(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	Absence		absence = {
		.closure = api_bool(fcinfo, 0),
		.id = api_text(fcinfo, 1),
		.start = api_time(fcinfo, 2).at,
		.end = api_time(fcinfo, 3).at,
		.is_new = true
	};
	bool		moves = api_bool(fcinfo, 4);
	const char *reason = api_text(fcinfo, 5);
	Appointment **appointments;
	int			n;
	int			displaced = 0;

	schedule_refresh();
	caller = caller_of_client(api_text(fcinfo, 6));
	n = affected(&absence, &appointments);
	if (absence.closure)
	{
		lock_doctors(appointments, n);
		n = affected(&absence, &appointments);
	}
	for (int i = 0; i < n; i++)
	{
		Appointment *a = appointments[i];

		if (appointment_is(a, "held"))
			end_hold(a);
		else if (!moves)
			cancel(a, &caller, reason);
		else if (appointment_is(a, "booked"))
			move(a, &caller, reason);
		displaced += !appointment_is(a, "held");
	}
	return Int32GetDatum(displaced);
}

/* Keeps their doctors' other days still while several are moved. */
static void
lock_doctors(Appointment **appointments, int n)
{
	int		   *doctors = palloc_array(int, n + 1);

	for (int i = 0; i < n; i++)
		doctors[i] = appointments[i]->doctor_no;
	qsort(doctors, n, sizeof(int), compare_ints);
	for (int i = 0; i < n; i++)
		appt_lock_exclusive(APPT_LOCK_DOCTOR, doctors[i]);
}

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* The inserted row, with a created_at; notes that it is new if it had none. */
static HeapTuple
stamp_new(const TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	row = trigger->tg_trigtuple;
	int			column = SPI_fnumber(desc, "created_at");
	Datum		now = TimestampTzGetDatum(appt_now());
	bool		isnull;

	(void) heap_getattr(row, column, desc, &isnull);
	if (!isnull)
		return row;
	made_new = GetTopFullTransactionId();
	isnull = false;
	return heap_modify_tuple_by_cols(row, desc, 1, &column, &now, &isnull);
}

static HeapTuple
new_row(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)
		? trigger->tg_newtuple : trigger->tg_trigtuple;
}

/* Reads the new row; both tables name these columns alike. */
static Absence
absence_of_trigger(const TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	row = new_row(trigger);
	bool		isnull;
	Absence		absence;

	absence.closure = SPI_fnumber(desc, "branch_id") > 0;
	absence.id = SPI_getvalue(row, desc,
							  SPI_fnumber(desc, absence.closure
										  ? "branch_id" : "doctor_id"));
	if (absence.id == NULL)
		absence.id = pstrdup("");	/* the table's NOT NULL refuses it */
	absence.start = DatumGetTimestampTz(
		SPI_getbinval(row, desc, SPI_fnumber(desc, "starts_at"), &isnull));
	absence.end = DatumGetTimestampTz(
		SPI_getbinval(row, desc, SPI_fnumber(desc, "ends_at"), &isnull));
	absence.is_new = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		FullTransactionIdEquals(made_new, GetTopFullTransactionId());
	return absence;
}

/* The appointments and holds that lie in an absence, in order of time. */
static int
affected(const Absence *absence, Appointment ***appointments)
{
	ApptArg		args[] = {
		appt_arg_text(absence->id),
		appt_arg(TimestampTzGetDatum(absence->start)),
		appt_arg(TimestampTzGetDatum(absence->end)),
		appt_arg(BoolGetDatum(absence->is_new))
	};
	int			n = appt_run(absence->closure ? &affected_by_closure
							 : &affected_by_time_off,
							 args, APPT_READ_LATEST);
	bool		isnull;

	*appointments = palloc_array(Appointment *, n + 1);
	for (int i = 0; i < n; i++)
		(*appointments)[i] = appointment_from_row(appt_field(i, 1, &isnull));
	return n;
}

/* A hold gives way without a word: booking from it says that it expired. */
static void
end_hold(const Appointment *hold)
{
	ApptArg		args[] = {appt_arg(Int64GetDatum(hold->appointment_no))};

	appt_run(&delete_hold, args, APPT_LOCK);
}

static void
refuse(const Absence *absence, Appointment **appointments, int n)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n && i < LISTED_APPOINTMENTS; i++)
		appendStringInfo(&list, "%s%s at %s", i > 0 ? ", " : "",
						 appointments[i]->appointment_id,
						 appt_spoken_time(appointments[i]->slot_start,
										  appointment_zone(appointments[i])));
	if (n > LISTED_APPOINTMENTS)
		appendStringInfo(&list, " and %d more", n - LISTED_APPOINTMENTS);
	ereport(ERROR,
			(APPT_ERRCODE(AFFECTS_APPOINTMENTS),
			 errmsg_plural("%s of \"%s\" affects %d appointment",
						   "%s of \"%s\" affects %d appointments", n,
						   absence->closure ? "closure" : "time off",
						   absence->id, n),
			 errdetail("These lie in it: %s.", list.data),
			 errhint("Cancel or move them first, or ask to displace them.")));
}

static void
cancel(const Appointment *appointment, const Caller *caller,
	   const char *reason)
{
	ChangeRequest request = {
		.caller = caller,
		.appointment_id = appointment->appointment_id,
		.reason = reason,
		.forced = true
	};

	(void) lifecycle_cancel(&request);
}

/* To the doctor's next free slot of that length at that branch. */
static void
move(const Appointment *appointment, const Caller *caller,
	 const char *reason)
{
	SearchQuery query = {
		.caller = caller,
		.doctor_ids = (const char **) &appointment->doctor_id,
		.ndoctors = 1,
		.branch_id = appointment->branch_id,
		.visit_type = appointment->visit_type,
		.duration_min = (appointment->slot_end - appointment->slot_start) /
			MINUTES(1),
		.from = appointment->slot_start,
		.access = APPT_READ_LATEST
	};
	OfferedSlot found;
	RescheduleRequest request = {
		.caller = caller,
		.appointment_id = appointment->appointment_id,
		.reason = reason,
		.forced = true
	};

	if (!search_first(&query, &found))
		ereport(ERROR,
				(APPT_ERRCODE(AFFECTS_APPOINTMENTS),
				 errmsg("appointment \"%s\" cannot be moved",
						appointment->appointment_id),
				 errdetail("%s has no free slot for it within the booking horizon.",
						   appointment->doctor_id)));
	request.slot_start = appt_time(found.slot.start);
	request.slot_end = appt_time(found.slot.end);
	(void) reschedule_move(&request);
}
