/*
 * reschedule.c
 *		Moves an appointment to another time, doctor or branch.
 *
 * The row is read without a lock to learn its day; the days are locked in
 * order, then the patient, then the row, which is read again.  If it changed
 * meanwhile, the work begins anew in a fresh subtransaction, so no lock is
 * ever taken out of order and two opposite moves do not deadlock.  Where many
 * are moved (bulk.c), its doctor is locked exclusively: nobody else moves it,
 * and its row may be locked first.
 */
#include "booking.h"

#include "catalog/pg_type.h"

static ApptStatement move = {
	"UPDATE appt.appointment a"
	" SET doctor_id = $2, doctor_no = $3, branch_id = $4, slot_start = $5,"
	" slot_end = $6, lane = $7, token_number = $8, token_date = $9,"
	" reason = coalesce($10, a.reason), buffer_before_min = $11,"
	" buffer_after_min = $12, override = $13, status = $14,"
	" checked_in_at = $15, skipped_at = $16, wall_start = $17,"
	" confirmed_at = NULL,"
	" version = a.version + 1, reschedule_count = a.reschedule_count + 1"
	" WHERE a.appointment_no = $1"
	" RETURNING a",
	17, {INT8OID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
		INT2OID, INT4OID, DATEOID, TEXTOID, INT2OID, INT2OID, BOOLOID, TEXTOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPOID}
};

typedef struct Move
{
	const RescheduleRequest *request;
	const Appointment *seen;	/* as it was before the days were locked */
	PlacementRequest wanted;
	Placement	placement;
	int			token_number;
	Appointment *moved;
} Move;

static bool move_once(void *arg);
static PlacementRequest placement_request(const RescheduleRequest *request,
										  const Appointment *seen);
static bool is_same_day(const Move *m);
static void lock_days(Move *m);
static void check_movable(const Move *m, const Appointment *current);
static bool is_too_late(const Appointment *current);
static void refuse_late(const Appointment *current);
static bool stays_checked_in(const Move *m);
static void record(const Move *m, const Appointment *before, bool overridden);
static bool is_unchanged(const Move *m, const Appointment *current);
static Datum update_row(void *arg);
pg_noreturn static void refuse_overlap(const char *constraint,
									   const void *context);

/* Moves an appointment; to where it is already changes nothing. */
Appointment *
reschedule_move(const RescheduleRequest *request)
{
	Move		m = {.request = request};

	appt_require(request->appointment_id != NULL, "appointment_id");
	appt_require(request->slot_start.given, "new_slot_start");
	appt_require(request->reason != NULL || !request->override, "reason");
	appt_check_text(request->reason, "reason");
	if (request->locked)
		(void) move_once(&m);
	else
		appt_retry(move_once, &m);
	return m.moved;
}

/* An ApptAttempt. */
static bool
move_once(void *arg)
{
	Move	   *m = arg;
	const RescheduleRequest *request = m->request;
	Appointment *current;
	bool		late;

	/* Who holds the other locks may begin with the row's: no retry then. */
	current = appointment_find(request->appointment_id, request->caller,
							   request->locked ? APPT_FOR_UPDATE
							   : APPT_UNLOCKED);
	m->seen = m->moved = current;
	if (request->locked && !appointment_is(current, "booked"))
		return true;
	appointment_check_version(m->seen, request->expected_version);
	check_movable(m, m->seen);
	m->wanted = placement_request(request, m->seen);
	placement_begin(&m->placement, &m->wanted);
	lock_days(m);
	patient_lock_no(m->seen->patient_no);
	current = appointment_find(request->appointment_id, request->caller,
							   APPT_FOR_UPDATE);
	if (current->version != m->seen->version)
		return false;
	m->moved = current;
	if (is_unchanged(m, current))
		return true;

	late = !request->forced && is_too_late(current);
	if (late && !request->override)
		refuse_late(current);
	if (request->hold_id != NULL)
		hold_use(&m->placement, &(HoldUse) {
			.hold_id = request->hold_id,
			.caller = request->caller,
			.own_length = m->wanted.own_length,
			.override = request->override
		});
	else
		placement_find(&m->placement, &m->wanted);
	patient_check_limit(current->patient_no, &m->placement,
						current->appointment_no);
	patient_check_free(current->patient_no, current->patient_id,
					   m->placement.slot_start, m->placement.slot_end,
					   current->appointment_no);
	appt_run_excluded(update_row, m, refuse_overlap, m);
	offer_accept(request->hold_id, m->moved, request->caller);
	record(m, current, late);
	return true;
}

/* A visit keeps doctor, branch and length (or its hold's) if not told else. */
static PlacementRequest
placement_request(const RescheduleRequest *request, const Appointment *seen)
{
	return (PlacementRequest) {
		.caller = request->caller,
		.doctor_id = request->doctor_id ? request->doctor_id : seen->doctor_id,
		.branch_id = request->branch_id ? request->branch_id : seen->branch_id,
		.visit_type = seen->visit_type,
		.slot_start = request->slot_start,
		.slot_end = request->slot_end.given || request->hold_id != NULL
			? request->slot_end
			: appt_time(request->slot_start.at +
						(seen->slot_end - seen->slot_start)),
		.override = request->override,
		.except_no = seen->appointment_no,
		.own_length = seen->slot_end - seen->slot_start,
		.from_doctor_no = seen->doctor_no
	};
}

static bool
is_same_day(const Move *m)
{
	return m->seen->doctor_no == m->placement.place.doctor->doctor_no &&
		m->seen->token_date == m->placement.date;
}

/* On its own day the number stays; on another a new one is drawn. */
static void
lock_days(Move *m)
{
	int			doctor_no = m->placement.place.doctor->doctor_no;
	DoctorDay	days[2] = {
		{.doctor_no = doctor_no, .on_date = m->placement.date},
		{.doctor_no = m->seen->doctor_no, .on_date = m->seen->token_date}
	};

	if (is_same_day(m))
	{
		token_lock_days(days, 1);
		m->token_number = m->seen->token_number;
		return;
	}
	days[0].draw = true;
	token_lock_days(days, 2);
	m->token_number = days[0].draw
		? days[0].token_number
		: days[1].token_number;
}

static void
check_movable(const Move *m, const Appointment *current)
{
	if (appointment_is(current, "booked") ||
		(m->request->override && appointment_is(current, "checked_in")))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be rescheduled",
					current->appointment_id),
			 errdetail("Its status is %s; only a booked appointment can be moved.",
					   current->status)));
}

/* Whether reschedule_window_min before the slot that it leaves has begun. */
static bool
is_too_late(const Appointment *current)
{
	int			window_min = appointment_rules(current)->reschedule_window_min;

	return appt_now() > current->slot_start - MINUTES(window_min);
}

static void
refuse_late(const Appointment *current)
{
	ereport(ERROR,
			(APPT_ERRCODE(RESCHEDULE_WINDOW),
			 errmsg("appointment \"%s\" can no longer be rescheduled",
					current->appointment_id),
			 errdetail("Appointments can be rescheduled until %d minutes before they begin.",
					   appointment_rules(current)->reschedule_window_min)));
}

/*
 * Whether a patient who is checked in stays so: at the same branch, the same
 * day.
 */
static bool
stays_checked_in(const Move *m)
{
	return appointment_is(m->seen, "checked_in") &&
		m->seen->token_date == m->placement.date &&
		strcmp(m->seen->branch_id, m->placement.place.branch->branch_id) == 0;
}

static bool
is_unchanged(const Move *m, const Appointment *current)
{
	return current->slot_start == m->wanted.slot_start.at &&
		(current->slot_end == m->wanted.slot_end.at ||
		 !m->wanted.slot_end.given) &&
		strcmp(current->doctor_id, m->wanted.doctor_id) == 0 &&
		strcmp(current->branch_id, m->wanted.branch_id) == 0;
}

static Datum
update_row(void *arg)
{
	Move	   *m = arg;
	const Placement *p = &m->placement;
	bool		stays = stays_checked_in(m);
	bool		isnull;
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(m->seen->appointment_no)),
		appt_arg_text(p->place.doctor->doctor_id),
		appt_arg(Int32GetDatum(p->place.doctor->doctor_no)),
		appt_arg_text(p->place.branch->branch_id),
		appt_arg_time(p->slot_start),
		appt_arg_time(p->slot_end),
		appt_arg(Int16GetDatum(p->lane)),
		appt_arg(Int32GetDatum(m->token_number)),
		appt_arg(DateADTGetDatum(p->date)),
		appt_arg_text(m->request->reason),
		appt_arg(Int16GetDatum(p->buffer_before_min)),
		appt_arg(Int16GetDatum(p->buffer_after_min)),
		appt_arg(BoolGetDatum(placement_is_overridden(p))),
		appt_arg_text(stays ? "checked_in" : "booked"),
		stays ? appt_arg_optional_time(m->seen->checked_in_at)
		: appt_arg_null(),
		stays ? appt_arg_optional_time(m->seen->skipped_at) : appt_arg_null(),
		appt_arg(TimestampGetDatum(appt_local_time(p->slot_start,
												   p->place.branch->zone)))
	};

	if (appt_run(&move, args, APPT_WRITE) != 1)
		elog(ERROR, "appointment \"%s\" is gone", m->seen->appointment_id);
	m->moved = appointment_from_row(appt_field(0, 1, &isnull));
	return (Datum) 0;
}

static void
refuse_overlap(const char *constraint, const void *context)
{
	const Move *m = context;

	placement_refuse_overlap(&m->placement, constraint, m->seen->patient_id);
}

static void
record(const Move *m, const Appointment *before, bool overridden)
{
	overridden = overridden || placement_is_overridden(&m->placement) ||
		!appointment_is(before, "booked");
	event_record(m->moved, m->request->caller, &(Event) {
		.type = "appointment.rescheduled",
		.reason = lifecycle_reason(m->request->reason, overridden),
		.before = before,
		.at = m->placement.now
	});
}
