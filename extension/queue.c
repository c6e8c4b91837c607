/*
 * queue.c
 *		Who is called next, and about when (docs/sql.md, The day).
 *
 * The call order is computed, never stored: priority first, then those who
 * came on time by their slot, then late ones and walk-ins by check-in; who was
 * skipped goes behind them, and who is not there yet stands last.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/* So many measured consultations make an estimate, and no more are asked. */
#define ENOUGH_LENGTHS	5

static ApptStatement waiting = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.doctor_no = $1 AND a.token_date = $2"
	" AND a.status IN ('booked', 'checked_in', 'in_consultation')"
	" ORDER BY a.token_number",
	2, {INT4OID, DATEOID}
};

static ApptStatement median_length = {
	"SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds))::integer,"
	" count(*)::integer"
	" FROM (SELECT extract(epoch FROM completed_at - started_at) AS seconds"
	"  FROM appt.appointment"
	"  WHERE doctor_no = $1 AND status = 'completed'"
	"  AND started_at IS NOT NULL"
	"  ORDER BY token_date DESC, token_number DESC"
	"  LIMIT 20) recent",
	1, {INT4OID}
};

/* A doctor's queue of one date while it is put in order. */
typedef struct Queue
{
	Doctor	   *doctor;
	DateADT		date;
	TimestampTz now;
	bool		present;		/* without those who were forgotten */
	QueueEntry *entries;
	int			nentries;
} Queue;

static Appointment *call_if_any(Queue *queue, const Caller *caller);
static Appointment *call_of_day(Queue *queue, const Caller *caller);
static const Appointment *first_waiting(Queue *queue, const Caller *caller);
static Doctor *find_doctor(const char *doctor_id, IdOrigin origin,
						   const Caller *caller);
static DateADT today_of(const Doctor *doctor, TimestampTz now);
static void load_entries(Queue *queue, ApptAccess access);
static bool is_late(const Appointment *a, Doctor *doctor);
static int	compare_entries(const void *a, const void *b);
static int	group_of(const QueueEntry *entry);
static TimestampTz arrival(const QueueEntry *entry);
static void estimate(Queue *queue);
static int64 consultation_length(const Queue *queue);

/*
 * The queue of a doctor's day in call order; "today" ignores the date.  Whom
 * the caller may not see is counted in "ahead" but left out.  Returns how many
 * entries there are; they are in the current context.
 */
int
queue_load(const char *doctor_id, DateADT date, bool today,
		   const Caller *caller, QueueEntry **entries)
{
	Queue		queue = {
		.doctor = find_doctor(doctor_id, ID_ADDRESSED, caller),
		.now = appt_now()
	};
	int			n = 0;

	queue.date = today ? today_of(queue.doctor, queue.now) : date;
	load_entries(&queue, APPT_READ);
	estimate(&queue);
	*entries = palloc_array(QueueEntry, queue.nentries + 1);
	for (int i = 0; i < queue.nentries; i++)
	{
		if (caller_sees(caller, queue.entries[i].appointment->branch_id))
			(*entries)[n++] = queue.entries[i];
	}
	return n;
}

/*
 * Starts the consultation of the first who is there that day; NULL if nobody
 * is.  A day that nobody waits on gets no row.  Today, after midnight, those
 * who still wait from the day before come first.
 */
Appointment *
queue_call_next(const QueueCall *call)
{
	Queue		queue = {
		.doctor = find_doctor(call->doctor_id, call->origin, call->caller),
		.now = appt_now(),
		.date = call->date,
		.present = call->today
	};
	Appointment *called = NULL;

	if (call->today)
	{
		queue.date = today_of(queue.doctor, queue.now) - 1;
		called = call_if_any(&queue, call->caller);
		queue.date++;
	}
	return called ? called : call_if_any(&queue, call->caller);
}

static Appointment *
call_if_any(Queue *queue, const Caller *caller)
{
	if (first_waiting(queue, caller) == NULL)
		return NULL;
	return call_of_day(queue, caller);
}

/*
 * Under the doctor-day's lock two calls never get the same patient; who was
 * changed by somebody else while we waited for the row is looked at again.
 */
static Appointment *
call_of_day(Queue *queue, const Caller *caller)
{
	DoctorDay	day = {
		.doctor_no = queue->doctor->doctor_no,
		.on_date = queue->date
	};

	token_lock_days(&day, 1);
	for (;;)
	{
		const Appointment *first = first_waiting(queue, caller);
		ChangeRequest request = {.caller = caller};

		if (first == NULL)
			return NULL;
		request.appointment_id = first->appointment_id;
		if (appointment_find(first->appointment_id, caller,
							 APPT_FOR_UPDATE)->version == first->version)
			return lifecycle_start(&request);
		CHECK_FOR_INTERRUPTS();
	}
}

/* As it is committed now; NULL if nobody is there. */
static const Appointment *
first_waiting(Queue *queue, const Caller *caller)
{
	load_entries(queue, APPT_READ_LATEST);
	for (int i = 0; i < queue->nentries; i++)
	{
		const Appointment *a = queue->entries[i].appointment;

		if (appointment_is(a, "checked_in") &&
			caller_sees(caller, a->branch_id) &&
			(!queue->present || arrival_counts(a)))
			return a;
	}
	return NULL;
}

static Doctor *
find_doctor(const char *doctor_id, IdOrigin origin, const Caller *caller)
{
	Doctor	   *doctor;

	appt_require(doctor_id != NULL, "doctor_id");
	doctor = schedule_doctor(doctor_id);
	if (doctor == NULL || !caller_sees_doctor(caller, doctor))
		reference_unknown_id(origin, "doctor", doctor_id, "doctor_id");
	return doctor;
}

/* Today where the doctor works. */
static DateADT
today_of(const Doctor *doctor, TimestampTz now)
{
	const Branch *branch = schedule_only_branch();

	if (doctor->nhours > 0)
		branch = doctor->hours[0].branch;
	for (int i = 1; i < doctor->nhours && branch->zone == NULL; i++)
		branch = doctor->hours[i].branch;
	if (branch == NULL)
		return appt_local_date(now, session_timezone);
	return appt_local_date(now, branch->zone ? branch->zone : appt_utc());
}

static void
load_entries(Queue *queue, ApptAccess access)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(queue->doctor->doctor_no)),
		appt_arg(DateADTGetDatum(queue->date))
	};
	bool		isnull;

	queue->nentries = appt_run(&waiting, args, access);
	queue->entries = palloc0_array(QueueEntry, queue->nentries + 1);
	for (int i = 0; i < queue->nentries; i++)
	{
		Appointment *a = appointment_from_row(appt_field(i, 1, &isnull));

		queue->entries[i].appointment = a;
		queue->entries[i].late = is_late(a, queue->doctor);
	}
	qsort(queue->entries, queue->nentries, sizeof(QueueEntry),
		  compare_entries);
}

static bool
is_late(const Appointment *a, Doctor *doctor)
{
	const Rules *rules;

	if (!a->checked_in_at.given)
		return false;
	if (strcmp(a->source, "walk_in") == 0)
		return true;
	rules = schedule_rules(doctor, appointment_branch(a));
	return a->checked_in_at.at >
		a->slot_start + MINUTES(rules->late_after_min);
}

static int
compare_entries(const void *a, const void *b)
{
	const QueueEntry *x = a;
	const QueueEntry *y = b;
	int			difference = group_of(x) - group_of(y);

	if (difference == 0)
		difference = y->appointment->priority - x->appointment->priority;
	if (difference == 0)
		difference = x->late - y->late;
	if (difference == 0 && arrival(x) != arrival(y))
		return arrival(x) < arrival(y) ? -1 : 1;
	if (difference == 0)
		difference = x->appointment->token_number -
			y->appointment->token_number;
	return difference;
}

/* Being seen, waiting, skipped, not there yet. */
static int
group_of(const QueueEntry *entry)
{
	const Appointment *a = entry->appointment;

	if (appointment_is(a, "in_consultation"))
		return 0;
	if (appointment_is(a, "booked"))
		return 3;
	return a->skipped_at.given ? 2 : 1;
}

/* What counts among equals: the slot for the punctual, else the check-in. */
static TimestampTz
arrival(const QueueEntry *entry)
{
	const Appointment *a = entry->appointment;

	if (a->skipped_at.given)
		return a->skipped_at.at;
	return entry->late ? a->checked_in_at.at : a->slot_start;
}

/* Adds up consultations from now on, or from the day's first slot. */
static void
estimate(Queue *queue)
{
	int64		length = consultation_length(queue);
	TimestampTz next = queue->now;

	for (int i = 0; i < queue->nentries; i++)
	{
		QueueEntry *entry = &queue->entries[i];
		const Appointment *a = entry->appointment;

		entry->ahead = i;
		if (appointment_is(a, "in_consultation"))
		{
			next = Max(next, a->started_at.at + length);
			continue;
		}
		if (appointment_is(a, "booked"))
			next = Max(next, a->slot_start);
		entry->estimated_start = appt_time(next);
		next += length;
	}
}

/* The median of the last consultations; the slot's length until enough are. */
static int64
consultation_length(const Queue *queue)
{
	ApptArg		args[] = {appt_arg(Int32GetDatum(queue->doctor->doctor_no))};
	const Appointment *any;
	bool		isnull;

	if (queue->nentries == 0)
		return 0;
	appt_run(&median_length, args, APPT_READ_LATEST);
	if (DatumGetInt32(appt_field(0, 2, &isnull)) >= ENOUGH_LENGTHS)
		return DatumGetInt32(appt_field(0, 1, &isnull)) * USECS_PER_SEC;
	any = queue->entries[0].appointment;
	return any->slot_end - any->slot_start;
}
