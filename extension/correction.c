/*
 * correction.c
 *		Puts right what was recorded wrongly: a state, a patient, a text.
 *
 * A state is set on purpose, with override and a reason, from whatever state it
 * is in but cancelled.  A visit that had given its place free gets it back, or
 * one beside the bookable places; the locks for that come before the row's, so
 * the row is read without one first, as for a move.
 */
#include "booking.h"

#include "catalog/pg_type.h"

static ApptStatement edit = {
	"UPDATE appt.appointment a"
	" SET notes = $2, visit_type = $3, patient_id = $4, patient_no = $5,"
	" reason = $6, confirmed_at = $7, version = a.version + 1"
	" WHERE a.appointment_no = $1"
	" RETURNING a",
	7, {INT8OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID}
};

/* The states that can be set. */
static const char *const statuses[] = {
	"booked", "checked_in", "in_consultation", "completed", "no_show"
};

typedef struct Correction
{
	const ChangeRequest *request;
	Appointment *corrected;
} Correction;

static void check_request(const ChangeRequest *request);
static void require_override(bool override, const char *reason);
static bool correct_once(void *arg);
static void check_correctable(const Appointment *current, const char *to);
static bool has_no_place(const Appointment *seen);
static void set_times(Appointment *current, const char *to);
static OptionalTime or_now(OptionalTime time);
static void put_texts(Appointment *edited, const EditRequest *request);
static void check_length(const Appointment *current, const VisitType *visit);
static void put_patient(Appointment *edited, const EditRequest *request,
						int patient_no);
static bool differs(const char *a, const char *b);
static Datum update_row(void *arg);
pg_noreturn static void refuse_overlap(const char *constraint,
									   const void *context);

/* Sets the state that a visit should have; the one that it has stays. */
Appointment *
correction_set_status(const ChangeRequest *request)
{
	Correction	work = {.request = request};

	check_request(request);
	appt_retry(correct_once, &work);
	return work.corrected;
}

static void
check_request(const ChangeRequest *request)
{
	appt_require(request->status != NULL, "status");
	require_override(request->override, request->reason);
	for (int i = 0; i < lengthof(statuses); i++)
	{
		if (strcmp(request->status, statuses[i]) == 0)
			return;
	}
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 errmsg("status \"%s\" cannot be set by a correction",
					request->status),
			 errdetail("It is one of booked, checked_in, in_consultation, completed and no_show."),
			 appt_errfield("status")));
}

static void
require_override(bool override, const char *reason)
{
	if (!override)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("override is required for a correction"),
				 errdetail("A correction is made on purpose: it needs override and a reason."),
				 appt_errfield("override")));
	appt_require(reason != NULL, "reason");
	appt_check_text(reason, "reason");
}

/* An ApptAttempt. */
static bool
correct_once(void *arg)
{
	Correction *work = arg;
	const ChangeRequest *request = work->request;
	const char *to = request->status;
	Appointment *seen;
	Appointment *current;
	int			lane = -1;		/* the one that it has now, which can change */

	schedule_refresh();
	seen = appointment_find(request->appointment_id, request->caller,
							APPT_UNLOCKED);
	if (has_no_place(seen) && strcmp(to, "no_show") != 0 &&
		!appointment_is(seen, to))
		lane = arrival_find_lane(seen, request->caller, ARRIVAL_AGAIN);
	current = appointment_find(request->appointment_id, request->caller,
							   APPT_FOR_UPDATE);
	if (current->version != seen->version)
		return false;
	appointment_check_version(current, request->expected_version);
	work->corrected = current;
	if (appointment_is(current, to))
		return true;

	check_correctable(current, to);
	set_times(current, to);
	if (lane >= 0)
		current->lane = lane;
	current->status = to;
	current->reason = request->reason;
	work->corrected = appointment_store(current);
	event_record(work->corrected, request->caller, &(Event) {
		.type = "appointment.updated",
		.change = "status_corrected",
		.reason = lifecycle_reason(request->reason, true),
		.at = appt_now()
	});
	return true;
}

/* A cancelled visit is booked anew; nobody was there, or not, ahead of time. */
static void
check_correctable(const Appointment *current, const char *to)
{
	if (appointment_is(current, "cancelled"))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_TRANSITION),
				 errmsg("appointment \"%s\" cannot be corrected",
						current->appointment_id),
				 errdetail("Its status is cancelled."),
				 errhint("Book it again.")));
	if (strcmp(to, "no_show") == 0)
		lifecycle_check_begun(current, "marked as a no-show");
	else if (strcmp(to, "booked") != 0)
		arrival_check_early(current, "checked in");
}

/* Whether others may have taken its place, or the patient's time, since. */
static bool
has_no_place(const Appointment *seen)
{
	return appointment_is(seen, "no_show") ||
		appointment_is(seen, "completed");
}

/* What happened before the state is kept, what would come after it is not. */
static void
set_times(Appointment *current, const char *to)
{
	OptionalTime checked_in_at = current->checked_in_at;
	OptionalTime started_at = current->started_at;

	current->checked_in_at.given = current->started_at.given =
		current->completed_at.given = false;
	if (strcmp(to, "booked") == 0 || strcmp(to, "no_show") == 0)
	{
		current->skipped_at.given = false;
		return;
	}
	current->checked_in_at = checked_in_at;
	if (strcmp(to, "checked_in") == 0)
	{
		current->checked_in_at = or_now(checked_in_at);
		return;
	}
	current->started_at = started_at;
	if (strcmp(to, "in_consultation") == 0)
	{
		current->checked_in_at = or_now(checked_in_at);
		current->started_at = or_now(started_at);
	}
	else
		current->completed_at = appt_time(appt_now());
}

static OptionalTime
or_now(OptionalTime time)
{
	return time.given ? time : appt_time(appt_now());
}

/*
 * Changes texts, and with override the patient.  Nothing that differs: the
 * appointment stays as it is.  The new patient's row is locked before the
 * appointment's.
 */
Appointment *
correction_edit(const EditRequest *request)
{
	Appointment *current;
	Appointment edited;
	bool		another;
	int			patient_no = 0;

	appt_check_text(request->reason, "reason");
	schedule_refresh();
	if (request->patient_id != NULL)
		patient_no = patient_lock(request->patient_id, request->caller);
	current = appointment_find(request->appointment_id, request->caller,
							   APPT_FOR_UPDATE);
	appointment_check_version(current, request->expected_version);
	if (appointment_is(current, "cancelled"))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_TRANSITION),
				 errmsg("appointment \"%s\" cannot be edited",
						current->appointment_id),
				 errdetail("Its status is cancelled.")));

	edited = *current;
	put_texts(&edited, request);
	another = patient_no != 0 && patient_no != current->patient_no;
	if (another)
		put_patient(&edited, request, patient_no);
	if (request->reason != NULL)
		edited.reason = request->reason;
	if (!another && !differs(edited.notes, current->notes) &&
		!differs(edited.visit_type, current->visit_type))
		return current;
	appt_run_excluded(update_row, &edited, refuse_overlap, &edited);
	current = appointment_from_row(edited.row);
	event_record(current, request->caller, &(Event) {
		.type = "appointment.updated",
		.change = another ? "patient_corrected" : "edited",
		.reason = lifecycle_reason(request->reason, another),
		.at = appt_now()
	});
	return current;
}

/* Slot and buffers stay: the visit type must be one of that length. */
static void
put_texts(Appointment *edited, const EditRequest *request)
{
	if (request->notes.given)
	{
		appt_check_text(request->notes.value, "notes");
		edited->notes = request->notes.value;
	}
	if (request->visit_type.given &&
		differs(request->visit_type.value, edited->visit_type))
	{
		const VisitType *visit =
			availability_visit_type(request->visit_type.value, ID_IN_BODY);

		if (visit != NULL && !request->override)
			check_length(edited, visit);
		edited->visit_type = request->visit_type.value;
	}
}

static void
check_length(const Appointment *current, const VisitType *visit)
{
	int			length_min = (current->slot_end - current->slot_start) /
		USECS_PER_MINUTE;

	if (visit->duration_min == 0 || visit->duration_min == length_min)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot become a \"%s\"",
					current->appointment_id, visit->visit_type),
			 errdetail("It has %d minutes, and a \"%s\" takes %d.",
					   length_min, visit->visit_type, visit->duration_min),
			 errhint("Move it to a slot of that length, or override."),
			 appt_errfield("visit_type")));
}

/* The caller holds the new patient's row and the appointment's. */
static void
put_patient(Appointment *edited, const EditRequest *request, int patient_no)
{
	require_override(request->override, request->reason);
	if (!has_no_place(edited))
		patient_check_free(patient_no, request->patient_id, edited->slot_start,
						   edited->slot_end, edited->appointment_no);
	edited->patient_id = request->patient_id;
	edited->patient_no = patient_no;
	edited->confirmed_at.given = false; /* he has not said so */
}

static bool
differs(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

/* Leaves the new row in the appointment. */
static Datum
update_row(void *arg)
{
	Appointment *edited = arg;
	bool		isnull;
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(edited->appointment_no)),
		appt_arg_text(edited->notes),
		appt_arg_text(edited->visit_type),
		appt_arg_text(edited->patient_id),
		appt_arg(Int32GetDatum(edited->patient_no)),
		appt_arg_text(edited->reason),
		appt_arg_optional_time(edited->confirmed_at)
	};

	if (appt_run(&edit, args, APPT_WRITE) != 1)
		elog(ERROR, "appointment \"%s\" is gone", edited->appointment_id);
	edited->row = appt_field(0, 1, &isnull);
	return (Datum) 0;
}

static void
refuse_overlap(const char *constraint, const void *context)
{
	const Appointment *edited = context;

	patient_refuse_busy(edited->patient_id);
}
