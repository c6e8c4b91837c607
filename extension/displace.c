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

/* Before this a doctor has no free slot for visits like one. */
typedef struct Frontier
{
	const BulkItem *of;
	TimestampTz from;
} Frontier;

/* Cancelling or moving what lies in an absence, one by one. */
typedef struct Displacement
{
	const Caller *caller;
	bool		moves;
	const char *reason;
	const BulkItem *item;		/* the one whose turn it is */
	TimestampTz first_free;		/* for it, whether or not the patient can */
	int			doctor_no;		/* whose the frontiers are */
	Frontier	frontiers[16];
	int			nfrontiers;
	int			displaced;
} Displacement;

static ApptStatement doctor_key = {
	"SELECT doctor_no"
	" FROM appt.doctor"
	" WHERE doctor_id = $1",
	1, {TEXTOID}
};

static ApptStatement affected_by_time_off = {
	"SELECT" BULK_COLUMNS("a.slot_start")
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
	"SELECT" BULK_COLUMNS("a.slot_start")
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

static ApptStatement delete_hold = {
	"DELETE FROM appt.appointment"
	" WHERE appointment_no = $1 AND status = 'held'",
	1, {INT8OID}
};

static Datum lock_absence(void *arg);
static Datum check_absence(void *arg);
static Datum displace_absence(void *arg);
static int	compare_items(const void *a, const void *b);
static Datum displace(void *arg);
static bool is_hold(const BulkItem *item);
static HeapTuple stamp_new(const TriggerData *trigger);
static Absence absence_of_trigger(const TriggerData *trigger);
static HeapTuple new_row(const TriggerData *trigger);
static BulkList affected(const Absence *absence);
static void end_hold(const BulkItem *hold);
static void refuse(const Absence *absence, const BulkList *list);
static Appointment *cancel(const Displacement *d);
static Appointment *move(Displacement *d);
static bool find_place(Displacement *d, OfferedSlot *found);
static int	length_min(const BulkItem *item);
static Frontier *frontier_of(Displacement *d);
static bool suits_patient(const OfferedSlot *slot, void *context);

PG_FUNCTION_INFO_V1(appt_absence_lock);
PG_FUNCTION_INFO_V1(appt_absence_check);
PG_FUNCTION_INFO_V1(appt_displace);

/* BEFORE row trigger of appt.time_off and appt.closure. */
Datum
appt_absence_lock(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt_internal.absence_lock",
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
		.function = "appt_internal.absence_check",
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
 * and they come before the doctor's.  Closures come one transaction at a time:
 * the branches of one may come in any order.
 */
static Datum
lock_absence(void *arg)
{
	Absence		absence = absence_of_trigger(arg);
	ApptArg		args[] = {appt_arg_text(absence.id)};
	bool		isnull;

	if (absence.closure)
	{
		appt_lock_exclusive(APPT_LOCK_ABSENCES, 0);
		appt_lock_exclusive(APPT_LOCK_BRANCH, appt_lock_key(absence.id));
		return (Datum) 0;
	}
	bulk_lock_branches();
	if (appt_run(&doctor_key, args, APPT_READ_LATEST) > 0)
		appt_lock_exclusive(APPT_LOCK_DOCTOR,
							DatumGetInt32(appt_field(0, 1, &isnull)));
	return (Datum) 0;
}

static Datum
check_absence(void *arg)
{
	Absence		absence = absence_of_trigger(arg);
	BulkList	list = affected(&absence);
	int			kept = 0;

	schedule_refresh();
	for (int i = 0; i < list.nitems; i++)
	{
		if (is_hold(&list.items[i]))
			end_hold(&list.items[i]);
		else
			list.items[kept++] = list.items[i];
	}
	list.nitems = kept;
	if (kept > 0)
		refuse(&absence, &list);
	return (Datum) 0;
}

/*
 * The doctors of a closure's appointments are locked once they are known; time
 * off has locked its own.  Then nobody else moves or books what lies in it.
 */
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
	Displacement d = {
		.caller = &caller,
		.moves = api_bool(fcinfo, 4),
		.reason = api_text(fcinfo, 5)
	};
	BulkList	list;

	appt_require(absence.id != NULL, "id");
	appt_require(!PG_ARGISNULL(2), "starts_at");
	appt_require(!PG_ARGISNULL(3), "ends_at");
	schedule_refresh();
	caller = caller_of_client(api_exact_text(fcinfo, 6));
	if (absence.closure)
	{
		list = affected(&absence);
		bulk_lock_doctors(&list);
	}
	list = affected(&absence);
	if (d.moves)
		bulk_lock_patients(&list);
	qsort(list.items, list.nitems, sizeof(BulkItem), compare_items);
	for (int i = 0; i < list.nitems; i++)
	{
		d.item = &list.items[i];
		bulk_change(displace, &d);
	}
	return Int32GetDatum(d.displaced);
}

/* By doctor, so that the search for places goes on where it was. */
static int
compare_items(const void *a, const void *b)
{
	const BulkItem *x = a;
	const BulkItem *y = b;

	if (x->doctor_no != y->doctor_no)
		return x->doctor_no < y->doctor_no ? -1 : 1;
	if (x->slot_start != y->slot_start)
		return x->slot_start < y->slot_start ? -1 : 1;
	return (x->appointment_no > y->appointment_no) -
		(x->appointment_no < y->appointment_no);
}

/* What somebody ended or began meanwhile stays as it is. */
static Datum
displace(void *arg)
{
	Displacement *d = arg;
	const Appointment *displaced;

	if (is_hold(d->item))
	{
		end_hold(d->item);
		return (Datum) 0;
	}
	if (d->moves && strcmp(d->item->status, "booked") != 0)
		return (Datum) 0;		/* there already: is judged afterwards */
	displaced = d->moves ? move(d) : cancel(d);
	if (displaced->version != d->item->version)
		d->displaced++;
	return (Datum) 0;
}

static bool
is_hold(const BulkItem *item)
{
	return strcmp(item->status, "held") == 0;
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
static BulkList
affected(const Absence *absence)
{
	ApptArg		args[] = {
		appt_arg_text(absence->id),
		appt_arg(TimestampTzGetDatum(absence->start)),
		appt_arg(TimestampTzGetDatum(absence->end)),
		appt_arg(BoolGetDatum(absence->is_new))
	};

	return bulk_load(absence->closure ? &affected_by_closure
					 : &affected_by_time_off, args);
}

/* A hold gives way without a word: booking from it says that it expired. */
static void
end_hold(const BulkItem *hold)
{
	ApptArg		args[] = {appt_arg(Int64GetDatum(hold->appointment_no))};

	appt_run(&delete_hold, args, APPT_LOCK);
}

static void
refuse(const Absence *absence, const BulkList *list)
{
	int			n = list->nitems;
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < n && i < LISTED_APPOINTMENTS; i++)
	{
		const BulkItem *item = &list->items[i];
		const Branch *branch = schedule_branch(item->branch_id);

		appendStringInfo(&text, "%s%s at %s", i > 0 ? ", " : "",
						 item->appointment_id,
						 appt_spoken_time(item->slot_start,
										  branch && branch->zone ? branch->zone
										  : appt_utc()));
	}
	if (n > LISTED_APPOINTMENTS)
		appendStringInfo(&text, " and %d more", n - LISTED_APPOINTMENTS);
	ereport(ERROR,
			(APPT_ERRCODE(AFFECTS_APPOINTMENTS),
			 errmsg_plural("%s of \"%s\" affects %d appointment",
						   "%s of \"%s\" affects %d appointments", n,
						   absence->closure ? "closure" : "time off",
						   absence->id, n),
			 errdetail("These lie in it: %s.", text.data),
			 errhint("Cancel or move them first, or ask to displace them.")));
}

static Appointment *
cancel(const Displacement *d)
{
	ChangeRequest request = {
		.caller = d->caller,
		.appointment_id = d->item->appointment_id,
		.reason = d->reason,
		.forced = true
	};

	return lifecycle_cancel(&request);
}

/*
 * To the doctor's next free slot of that length at that branch at which the
 * patient is free, too.
 */
static Appointment *
move(Displacement *d)
{
	OfferedSlot found;
	RescheduleRequest request = {
		.caller = d->caller,
		.appointment_id = d->item->appointment_id,
		.reason = d->reason,
		.forced = true,
		.locked = true
	};

	if (!find_place(d, &found))
		ereport(ERROR,
				(APPT_ERRCODE(AFFECTS_APPOINTMENTS),
				 errmsg("appointment \"%s\" cannot be moved",
						d->item->appointment_id),
				 errdetail("%s has no free slot for it within the booking horizon.",
						   d->item->doctor_id)));
	request.slot_start = appt_time(found.slot.start);
	request.slot_end = appt_time(found.slot.end);
	return reschedule_move(&request);
}

/*
 * Looks on from where the last one of the same kind found the first free slot:
 * what was found full before is full still.  To look from the beginning each
 * time takes a minute for a branch's week.
 */
static bool
find_place(Displacement *d, OfferedSlot *found)
{
	const Doctor *doctor = schedule_doctor(d->item->doctor_id);
	const Branch *branch = schedule_branch(d->item->branch_id);
	Frontier   *frontier = frontier_of(d);
	SearchQuery query = {
		.doctor_field = "doctor_id",
		.caller = d->caller,
		.doctor_ids = (const char **) &d->item->doctor_id,
		.ndoctors = 1,
		.branch_id = d->item->branch_id,
		.visit_type = d->item->visit_type,
		.moves = true,
		.duration_min = {.given = true, .value = length_min(d->item)},
		.from = Max(d->item->slot_start, frontier->from),
		.access = APPT_READ_LATEST,
		.accepts = suits_patient,
		.context = d
	};

	if (doctor == NULL || !doctor->active || branch == NULL || !branch->active)
		return false;
	d->first_free = 0;
	if (!search_first(&query, found))
		return false;
	frontier->from = d->first_free;
	return true;
}

static int
length_min(const BulkItem *item)
{
	return (item->slot_end - item->slot_start) / MINUTES(1);
}

/* Of the doctor whose turn it is, for visits of that kind. */
static Frontier *
frontier_of(Displacement *d)
{
	Frontier   *f;

	if (d->doctor_no != d->item->doctor_no)
	{
		d->doctor_no = d->item->doctor_no;
		d->nfrontiers = 0;
	}
	for (int i = 0; i < d->nfrontiers; i++)
	{
		f = &d->frontiers[i];
		if (length_min(f->of) == length_min(d->item) &&
			strcmp(f->of->branch_id, d->item->branch_id) == 0 &&
			strcmp(f->of->visit_type ? f->of->visit_type : "",
				   d->item->visit_type ? d->item->visit_type : "") == 0)
			return f;
	}
	if (d->nfrontiers == lengthof(d->frontiers))
		d->nfrontiers = 0;
	f = &d->frontiers[d->nfrontiers++];
	*f = (Frontier) {.of = d->item, .from = DT_NOBEGIN};
	return f;
}

/* Called with slots in order of time. */
static bool
suits_patient(const OfferedSlot *slot, void *context)
{
	Displacement *d = context;
	const Rules *rules = schedule_rules((Doctor *) slot->doctor,
										(Branch *) slot->branch);

	if (d->first_free == 0)
		d->first_free = slot->slot.start;
	return patient_can_come(d->item->patient_no, slot,
							rules->patient_daily_limit,
							d->item->appointment_no);
}
