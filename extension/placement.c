/*
 * placement.c
 *		Finds a place for a slot: under the locks that keep the schedule and
 *		the doctor's day still, the one predicate of slots.c decides.
 *
 * Locks: branch and doctor, shared, so that a closure or time off cannot slip
 * in between; then the caller locks the doctor-day and calls placement_find().
 * Where one doctor-day's lock would not keep out every overlap, because the
 * slot crosses midnight or the doctor's branches count their days in several
 * zones, the doctor is locked exclusively.  So writers never meet in the
 * overlap constraint, where they could deadlock.
 */
#include "booking.h"

#include "catalog/pg_type.h"

static ApptStatement delete_expired_holds = {
	"DELETE FROM appt.appointment"
	" WHERE doctor_no = $1 AND status = 'held' AND hold_expires_at <= $2"
	" AND slot_start < $4 AND slot_end > $3",
	4, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* The places beside the bookable ones of those who are there or expected. */
static ApptStatement overflow_lanes = {
	"SELECT a.lane::integer"
	" FROM appt.appointment a"
	" WHERE a.doctor_no = $1 AND a.lane >= 32"
	" AND a.slot_start < $3 AND a.slot_start > $2 - interval '8 hours'"
	" AND a.slot_end > $2"
	" AND a.status NOT IN ('cancelled', 'no_show') AND a.status <> 'completed'",
	3, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* Whether anybody else has that lane then, or holds it still. */
static ApptStatement lane_taken = {
	"SELECT"
	" FROM appt.appointment a"
	" WHERE a.doctor_no = $1 AND a.lane = $2"
	" AND a.slot_start < $4 AND a.slot_end > $3"
	" AND a.status NOT IN ('cancelled', 'no_show')"
	" AND (a.lane < 32 OR a.status <> 'completed')"
	" AND a.appointment_no <> $5"
	" LIMIT 1",
	5, {INT4OID, INT2OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}
};

static Placement placement_of(const Appointment *seen);
static bool is_within_day(const Placement *placement);
static int	longest_length(const Placement *placement);
static void lock_doctors(const Placement *placement, int from_doctor_no);
static const char *start_field(const PlacementRequest *request);
static const char *end_field(const PlacementRequest *request);
static void check_times(const PlacementRequest *request);
static void check_range(TimestampTz instant, const char *field);
static void check_ahead(const Placement *placement,
						const PlacementRequest *request);
static void resolve(Placement *placement, const PlacementRequest *request);
static void load_day(Placement *placement, const PlacementRequest *request,
					 SlotDay *day);
static void check_length(Placement *placement,
						 const PlacementRequest *request);
static int	default_length(const Placement *placement, const SlotDay *day);
static void clear_expired_holds(const Placement *placement);
pg_noreturn static void refuse_crowd(const Placement *placement);

/*
 * Resolves the request's ids and keeps the schedule of that doctor and branch
 * still to the end of the transaction.
 */
void
placement_begin(Placement *placement, const PlacementRequest *request)
{
	check_times(request);
	*placement = (Placement) {0};
	schedule_refresh();
	resolve(placement, request);
	appt_lock_shared(APPT_LOCK_BRANCH,
					 appt_lock_key(placement->place.branch->branch_id));
	lock_doctors(placement, request->from_doctor_no);
	schedule_refresh();
	resolve(placement, request);
}

/*
 * The same for where an appointment is already, also if its doctor or branch
 * has been retired since.
 */
void
placement_begin_at(Placement *placement, const Appointment *seen)
{
	schedule_refresh();
	*placement = placement_of(seen);
	appt_lock_shared(APPT_LOCK_BRANCH, appt_lock_key(seen->branch_id));
	lock_doctors(placement, 0);
	schedule_refresh();
	*placement = placement_of(seen);
}

static Placement
placement_of(const Appointment *seen)
{
	return (Placement) {
		.place = {
			.rules = appointment_rules(seen),
			.doctor = schedule_doctor(seen->doctor_id),
			.branch = appointment_branch(seen)
		},
		.slot_start = seen->slot_start,
		.slot_end = seen->slot_end,
		.has_end = true,
		.date = seen->token_date,
		.now = appt_now()
	};
}

/* The doctor's lock, and that of the one whose day is left, in their order. */
static void
lock_doctors(const Placement *placement, int from_doctor_no)
{
	int			doctor_no = placement->place.doctor->doctor_no;

	if (from_doctor_no != 0 && from_doctor_no < doctor_no)
		appt_lock_shared(APPT_LOCK_DOCTOR, from_doctor_no);
	if (is_within_day(placement))
		appt_lock_shared(APPT_LOCK_DOCTOR, doctor_no);
	else
		appt_lock_exclusive(APPT_LOCK_DOCTOR, doctor_no);
	if (from_doctor_no > doctor_no)
		appt_lock_shared(APPT_LOCK_DOCTOR, from_doctor_no);
}

/*
 * Finds the lane, or refuses.  The caller holds the doctor-day's lock.  With
 * override the rules give way, and placement->overridden tells which.
 */
void
placement_find(Placement *placement, const PlacementRequest *request)
{
	SlotDay		day;
	Slot		slot;
	SlotVerdict verdict;

	load_day(placement, request, &day);
	verdict = slots_judge(&day, placement->slot_start, placement->slot_end,
						  &slot);
	if (verdict != SLOT_FREE && !request->override)
		refusal_raise(verdict, &placement->place, placement->slot_start);
	if (verdict != SLOT_FREE)
		check_ahead(placement, request);

	placement->overridden = verdict;
	placement->lane = verdict == SLOT_FREE
		? slot.lane
		: lanes_free(&day, placement->slot_start, placement->slot_end);
	if (placement->lane < 0 && verdict == SLOT_FREE)
		placement->lane = rearrange_lanes(placement, request->except_no);
	if (placement->lane < 0)
		refusal_raise(SLOT_TAKEN, &placement->place, placement->slot_start);
	if (day.expired_holds)
		clear_expired_holds(placement);
}

/* Whether a rule gave way to the placement, on purpose. */
bool
placement_is_overridden(const Placement *placement)
{
	return placement->overridden != SLOT_FREE || placement->length_overridden;
}

/*
 * Why the slot cannot be booked, as a verdict and in a sentence, or "free";
 * takes no lock.  Call schedule_refresh() before.
 */
char *
placement_explain(Placement *placement, const PlacementRequest *request,
				  SlotVerdict *verdict)
{
	SlotDay		day;
	Slot		slot;
	char	   *sentence;

	check_times(request);
	resolve(placement, request);
	load_day(placement, request, &day);
	*verdict = slots_judge(&day, placement->slot_start, placement->slot_end,
						   &slot);
	sentence = refusal_sentence(*verdict, &placement->place,
								placement->slot_start);
	if (*verdict != SLOT_HELD)
		return sentence;
	return psprintf("%s%s", sentence,
					hold_sentence(placement, request->caller));
}

/*
 * Finds a lane beside the bookable ones, for somebody who is there already
 * and takes no slot away.  Whose visit is completed has left his.  Lock as for
 * placement_find().
 */
void
placement_find_overflow(Placement *placement)
{
	uint64		taken = 0;
	bool		isnull;
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(placement->place.doctor->doctor_no)),
		appt_arg_time(placement->slot_start),
		appt_arg_time(placement->slot_end)
	};
	uint64		n = appt_run(&overflow_lanes, args, APPT_READ_LATEST);

	for (uint64 i = 0; i < n; i++)
		taken |= UINT64CONST(1) << DatumGetInt32(appt_field(i, 1, &isnull));
	for (int lane = APPT_BOOKABLE_LANES; lane < APPT_LANES; lane++)
	{
		placement->lane = lane;
		if ((taken & (UINT64CONST(1) << lane)) == 0)
			return;
	}
	refuse_crowd(placement);
}

/*
 * The lane that the appointment had, if nobody has taken it since, else one
 * beside the bookable ones.  Lock as for placement_find().
 */
void
placement_find_again(Placement *placement, int lane, int64 except_no)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(placement->place.doctor->doctor_no)),
		appt_arg(Int16GetDatum(lane)),
		appt_arg_time(placement->slot_start),
		appt_arg_time(placement->slot_end),
		appt_arg(Int64GetDatum(except_no))
	};

	clear_expired_holds(placement);
	placement->lane = lane;
	if (appt_run(&lane_taken, args, APPT_READ_LATEST) > 0)
		placement_find_overflow(placement);
}

/* Minutes of a visit where no session says it. */
int
placement_length(const Placement *placement)
{
	if (placement->visit != NULL && placement->visit->duration_min > 0)
		return placement->visit->duration_min;
	return length_default_slot(&placement->place);
}

/*
 * Raises what a violated overlap constraint means: the patient is elsewhere,
 * or the slot is taken.
 */
void
placement_refuse_overlap(const Placement *placement, const char *constraint,
						 const char *patient_id)
{
	if (strcmp(constraint, APPT_PATIENT_OVERLAP) == 0)
		patient_refuse_busy(patient_id);
	refusal_raise(SLOT_TAKEN, &placement->place, placement->slot_start);
}

/* Whether all that could overlap the slot counts in the same doctor-day. */
static bool
is_within_day(const Placement *placement)
{
	pg_tz	   *zone = placement->place.branch->zone;
	TimestampTz end = placement->slot_end;

	if (!placement->has_end)
		end = placement->slot_start + MINUTES(longest_length(placement));
	return placement->place.doctor->zone == zone &&
		appt_local_date(end - 1, zone) == placement->date;
}

/* Minutes that default_length() can come to, whatever session it finds. */
static int
longest_length(const Placement *placement)
{
	if (placement->visit != NULL && placement->visit->duration_min > 0)
		return placement->visit->duration_min;
	return length_longest_slot(&placement->place);
}

/* What the caller calls the slot's ends: a move's are the new ones. */
static const char *
start_field(const PlacementRequest *request)
{
	return request->except_no != 0 ? "new_slot_start" : "slot_start";
}

static const char *
end_field(const PlacementRequest *request)
{
	return request->except_no != 0 ? "new_slot_end" : "slot_end";
}

static void
check_times(const PlacementRequest *request)
{
	appt_require(request->slot_start.given, start_field(request));
	check_range(request->slot_start.at, start_field(request));
	if (request->slot_end.given)
		check_range(request->slot_end.at, end_field(request));
}

/* Of years that no visit is in, most are typing errors. */
static void
check_range(TimestampTz instant, const char *field)
{
	if (!appt_is_in_range(instant))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s must be in the years %d to %d",
						field, APPT_FIRST_YEAR, APPT_LAST_YEAR),
				 appt_errfield(field)));
}

/* What overrides the horizon stays within the farthest that there can be. */
static void
check_ahead(const Placement *placement, const PlacementRequest *request)
{
	if (placement->slot_start >
		placement->now + APPT_MAX_AHEAD_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("%s is more than %d days ahead",
						start_field(request), APPT_MAX_AHEAD_DAYS),
				 appt_errfield(start_field(request))));
}

static void
resolve(Placement *placement, const PlacementRequest *request)
{
	IdOrigin	origin = request->addressed ? ID_ADDRESSED : ID_IN_BODY;
	const VisitType *visit;
	Doctor	   *doctor;

	placement->place = availability_place(request->doctor_id,
										  request->branch_id,
										  request->caller, origin);
	/* One that moves keeps its visit type, even if it was retired since. */
	visit = request->except_no != 0 && request->visit_type != NULL
		? schedule_visit_type(request->visit_type)
		: availability_visit_type(request->visit_type, origin);
	doctor = placement->place.doctor;
	placement->visit = visit;
	placement->now = appt_now();
	placement->slot_start = request->slot_start.at;
	placement->slot_end = request->slot_end.at;
	placement->has_end = request->slot_end.given;
	placement->date = appt_local_date(request->slot_start.at,
									  placement->place.branch->zone);
	placement->buffer_before_min = visit && visit->buffer_before_min >= 0
		? visit->buffer_before_min : doctor->buffer_before_min;
	placement->buffer_after_min = visit && visit->buffer_after_min >= 0
		? visit->buffer_after_min : doctor->buffer_after_min;
}

/* Loads the day and settles the slot's end. */
static void
load_day(Placement *placement, const PlacementRequest *request, SlotDay *day)
{
	DayQuery	query = {
		.place = &placement->place,
		.date = placement->date,
		.visit = placement->visit,
		.slot_start = placement->slot_start,
		.slot_end = placement->has_end
			? placement->slot_end
			: placement->slot_start + MINUTES(APPT_MAX_DURATION_MIN),
		.except_no = request->except_no
	};

	if (placement->has_end)
		check_length(placement, request);
	availability_day(day, &query);
	placement->now = day->now;
	if (!placement->has_end)
		placement->slot_end = placement->slot_start +
			MINUTES(default_length(placement, day));
}

/* Another length than is allowed is booked by override alone. */
static void
check_length(Placement *placement, const PlacementRequest *request)
{
	int64		length = placement->slot_end - placement->slot_start;

	length_check_slot(placement->slot_start, placement->slot_end,
					  end_field(request));
	if (length == request->own_length ||
		length_is_allowed(&placement->place, placement->visit,
						  length / MINUTES(1)))
		return;
	if (!request->override)
		length_refuse(&placement->place, placement->visit,
					  end_field(request));
	placement->length_overridden = true;
}

static int
default_length(const Placement *placement, const SlotDay *day)
{
	int			length_min;

	if (placement->visit != NULL && placement->visit->duration_min > 0)
		return placement->visit->duration_min;
	length_min = slots_default_length(day, placement->slot_start);
	return length_min > 0 ? length_min : placement_length(placement);
}

static void
clear_expired_holds(const Placement *placement)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(placement->place.doctor->doctor_no)),
		appt_arg_time(placement->now),
		appt_arg_time(placement->slot_start),
		appt_arg_time(placement->slot_end)
	};

	appt_run(&delete_expired_holds, args, APPT_LOCK);
}

/* All places beside the bookable ones are taken. */
static void
refuse_crowd(const Placement *placement)
{
	const Place *place = &placement->place;

	ereport(ERROR,
			(APPT_ERRCODE(SLOT_TAKEN),
			 errmsg("doctor \"%s\" has no place for another walk-in now",
					place->doctor->doctor_id),
			 errdetail("%s has %d walk-ins and late returns at %s already.",
					   place->doctor->name, APPT_LANES - APPT_BOOKABLE_LANES,
					   appt_spoken_time(placement->slot_start,
										place->branch->zone)),
			 errhint("Complete a visit that is over.")));
}
