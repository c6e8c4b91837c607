/*
 * arrival.c
 *		When a patient may check in, and where one is put who comes after all.
 */
#include "booking.h"

#include "catalog/pg_type.h"

/* Who came longer ago is not waiting, but was forgotten. */
#define LONGEST_WAIT	(6 * USECS_PER_HOUR)

/* Whether anybody else of a doctor's day is there, waiting or being seen. */
static ApptStatement still_there = {
	"SELECT"
	" FROM appt.appointment"
	" WHERE doctor_no = $1 AND token_date = $2"
	" AND status IN ('checked_in', 'in_consultation')"
	" AND greatest(checked_in_at, started_at) > $3"
	" AND appointment_no <> $4"
	" LIMIT 1",
	4, {INT4OID, DATEOID, TIMESTAMPTZOID, INT8OID}
};

static TimestampTz until_of(const Appointment *current);
static int64 margin_of(const Appointment *current);
static bool is_day_going_on(const Appointment *current, TimestampTz now);

/*
 * Refuses a check-in, or its undoing, at the wrong time (docs/sql.md, The day):
 * it is for the visit's branch-local day and for check_in_before_min around
 * the visit, and for the night after while others of that day are still there.
 */
void
arrival_check_time(const Appointment *current, const char *verb)
{
	TimestampTz now = appt_now();
	TimestampTz until = until_of(current);

	arrival_check_early(current, verb);
	if (now < until || is_day_going_on(current, now))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s any more",
					current->appointment_id, verb),
			 errdetail("That was possible until %s.",
					   appt_spoken_time(until, appointment_zone(current)))));
}

/* Whether a patient who is checked in counts as there, or was forgotten. */
bool
arrival_counts(const Appointment *current)
{
	TimestampTz now = appt_now();

	return now < until_of(current) ||
		current->checked_in_at.at > now - LONGEST_WAIT;
}

/* Refuses a change before the visit's day and before check_in_before_min. */
void
arrival_check_early(const Appointment *current, const char *verb)
{
	pg_tz	   *zone = appointment_zone(current);
	TimestampTz from = Min(appt_instant(current->token_date, 0, zone),
						   current->slot_start - margin_of(current));

	if (appt_now() >= from)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s yet",
					current->appointment_id, verb),
			 errdetail("That is possible from %s on.",
					   appt_spoken_time(from, zone))));
}

static TimestampTz
until_of(const Appointment *current)
{
	return Max(appt_instant(current->token_date + 1, 0,
							appointment_zone(current)),
			   current->slot_end + margin_of(current));
}

static int64
margin_of(const Appointment *current)
{
	return MINUTES(appointment_rules(current)->check_in_before_min);
}

/*
 * Whether others of the visit's day are still there, as in the night after an
 * evening on which the doctor got late.
 */
static bool
is_day_going_on(const Appointment *current, TimestampTz now)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(current->doctor_no)),
		appt_arg(DateADTGetDatum(current->token_date)),
		appt_arg_time(now - LONGEST_WAIT),
		appt_arg(Int64GetDatum(current->appointment_no))
	};

	return appt_run(&still_there, args, APPT_READ_LATEST) > 0;
}

/*
 * The lane for a visit that gave its place free and takes up one again.  Takes
 * the locks that come before the appointment's row, which the caller has read
 * without a lock.
 */
int
arrival_find_lane(const Appointment *seen, const Caller *caller,
				  ArrivalPlace where)
{
	DoctorDay	day = {
		.doctor_no = seen->doctor_no,
		.on_date = seen->token_date
	};
	Placement	placement;

	placement_begin_at(&placement, seen);
	token_lock_days(&day, 1);
	patient_lock_no(seen->patient_no);
	patient_check_free(seen->patient_no, seen->patient_id, seen->slot_start,
					   seen->slot_end, seen->appointment_no);
	/* Until the day was locked another booking may have changed the lane. */
	seen = appointment_find(seen->appointment_id, caller, APPT_UNLOCKED);
	if (where == ARRIVAL_AGAIN)
		placement_find_again(&placement, seen->lane, seen->appointment_no);
	else
		placement_find_overflow(&placement);
	return placement.lane;
}
