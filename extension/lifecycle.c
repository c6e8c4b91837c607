/*
 * lifecycle.c
 *		The states of an appointment after it is booked:
 *
 *		booked -> checked_in -> in_consultation -> completed
 *		checked_in -> completed, booked (undo), cancelled
 *		booked -> cancelled, no_show;  no_show -> checked_in
 *		in_consultation -> checked_in (called, but did not come: skipped)
 *
 * Each change locks the row, checks that the transition is one of these, and
 * stores it with its event.
 */
#include "booking.h"

/* What distinguishes one change from another. */
typedef struct Transition
{
	const char *verb;			/* for messages: "cannot be …" */
	const char *from[2];
	const char *to;				/* NULL: stays */
	const char *event_type;
	bool		same_day;		/* only on the branch-local day of the slot */
} Transition;

static const Transition cancel = {
	"cancelled", {"booked", "checked_in"}, "cancelled",
	"appointment.cancelled", false
};
static const Transition check_in = {
	"checked in", {"booked", "no_show"}, "checked_in",
	"appointment.checked_in", true
};
static const Transition undo_check_in = {
	"taken back to booked", {"checked_in", NULL}, "booked",
	"appointment.check_in_undone", true
};
static const Transition start = {
	"started", {"checked_in", NULL}, "in_consultation",
	"appointment.started", false
};
static const Transition complete = {
	"completed", {"in_consultation", "checked_in"}, "completed",
	"appointment.completed", false
};
static const Transition no_show = {
	"marked as a no-show", {"booked", NULL}, "no_show",
	"appointment.no_show", false
};

typedef struct CheckIn
{
	const ChangeRequest *request;
	Appointment *checked_in;
} CheckIn;

static const Transition skip = {
	"skipped", {"checked_in", "in_consultation"}, "checked_in",
	"appointment.skipped", false
};
static const Transition recall = {
	"called again", {"checked_in", "in_consultation"}, "in_consultation",
	"appointment.recalled", false
};
static const Transition set_priority = {
	"given a priority", {"booked", "checked_in"}, NULL,
	"appointment.priority_set", false
};

static Appointment *begin(const ChangeRequest *request,
						  const Transition *transition);
static void check_transition(const Appointment *current,
							 const Transition *transition);
static bool is_from(const Transition *transition, const Appointment *current);
static void check_day(const Appointment *current,
					  const Transition *transition);
static void check_window(const ChangeRequest *request,
						 const Appointment *current);
static void check_called(const Appointment *current);
static bool check_in_once(void *arg);
static void find_way_back(Appointment *seen, const ChangeRequest *request);
static Appointment *finish(Appointment *current, const ChangeRequest *request,
						   const Transition *transition);

/* Cancels; one that is cancelled already stays as it is. */
Appointment *
lifecycle_cancel(const ChangeRequest *request)
{
	Appointment *current;

	appt_require(request->reason != NULL, "reason");
	appt_check_text(request->reason, "reason");
	schedule_refresh();
	current = appointment_find(request->appointment_id, request->caller,
							   APPT_FOR_UPDATE);
	appointment_check_version(current, request->expected_version);
	if (appointment_is(current, "cancelled") ||
		(request->forced && !is_from(&cancel, current)))
		return current;
	check_transition(current, &cancel);
	check_window(request, current);
	current->cancelled_at = appt_time(appt_now());
	current->reason = pstrdup(request->reason);
	return finish(current, request, &cancel);
}

/* Only on the day itself; a no-show may come back with the same number. */
Appointment *
lifecycle_check_in(const ChangeRequest *request)
{
	CheckIn		work = {.request = request};

	appt_retry(check_in_once, &work);
	return work.checked_in;
}

Appointment *
lifecycle_undo_check_in(const ChangeRequest *request)
{
	Appointment *current = begin(request, &undo_check_in);

	current->checked_in_at.given = false;
	return finish(current, request, &undo_check_in);
}

Appointment *
lifecycle_start(const ChangeRequest *request)
{
	Appointment *current = begin(request, &start);

	current->started_at = appt_time(appt_now());
	return finish(current, request, &start);
}

Appointment *
lifecycle_complete(const ChangeRequest *request)
{
	Appointment *current = begin(request, &complete);

	current->completed_at = appt_time(appt_now());
	return finish(current, request, &complete);
}

Appointment *
lifecycle_no_show(const ChangeRequest *request)
{
	Appointment *current = begin(request, &no_show);

	return finish(current, request, &no_show);
}

/*
 * Puts a patient who did not answer the call behind the others; if the call
 * had begun a consultation, there was none.
 */
Appointment *
lifecycle_skip(const ChangeRequest *request)
{
	Appointment *current = begin(request, &skip);

	current->started_at.given = false;
	current->skipped_at = appt_time(appt_now());
	return finish(current, request, &skip);
}

/*
 * Calls a patient again who was called before: one who was skipped now, whoever
 * else waits; one whose consultation has begun is taken to begin it now.
 */
Appointment *
lifecycle_recall(const ChangeRequest *request)
{
	Appointment *current = begin(request, &recall);

	check_called(current);
	current->started_at = appt_time(appt_now());
	current->skipped_at.given = false;
	return finish(current, request, &recall);
}

Appointment *
lifecycle_set_priority(const ChangeRequest *request)
{
	Appointment *current;

	if (request->priority < 0 || request->priority > APPT_MAX_PRIORITY)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("priority must be from 0 to %d", APPT_MAX_PRIORITY),
				 appt_errfield("priority")));
	current = begin(request, &set_priority);
	current->priority = request->priority;
	return finish(current, request, &set_priority);
}

/* Locks the row and checks that the change is allowed. */
static Appointment *
begin(const ChangeRequest *request, const Transition *transition)
{
	Appointment *current;

	appt_check_text(request->reason, "reason");
	schedule_refresh();
	current = appointment_find(request->appointment_id, request->caller,
							   APPT_FOR_UPDATE);
	appointment_check_version(current, request->expected_version);
	check_transition(current, transition);
	if (transition->same_day)
		check_day(current, transition);
	return current;
}

static void
check_transition(const Appointment *current, const Transition *transition)
{
	if (!is_from(transition, current))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_TRANSITION),
				 errmsg("appointment \"%s\" cannot be %s",
						current->appointment_id, transition->verb),
				 errdetail("Its status is %s.", current->status)));
}

/* Whether the change leads from the state that the appointment is in. */
static bool
is_from(const Transition *transition, const Appointment *current)
{
	for (int i = 0; i < lengthof(transition->from); i++)
	{
		if (transition->from[i] != NULL &&
			appointment_is(current, transition->from[i]))
			return true;
	}
	return false;
}

static void
check_day(const Appointment *current, const Transition *transition)
{
	DateADT		today = appt_local_date(appt_now(), appointment_zone(current));

	if (current->token_date == today)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s today",
					current->appointment_id, transition->verb),
			 errdetail("Its day is %s.",
					   appt_spoken_date(current->token_date))));
}

/* Who waits and was not called is to be called, not called again. */
static void
check_called(const Appointment *current)
{
	if (appointment_is(current, recall.to) || current->skipped_at.given)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s",
					current->appointment_id, recall.verb),
			 errdetail("The patient has not been called yet.")));
}

/* The window guards slots; a patient who is there already may still leave. */
static void
check_window(const ChangeRequest *request, const Appointment *current)
{
	int			window_min;

	if (request->forced || !appointment_is(current, "booked"))
		return;
	window_min = appointment_rules(current)->cancellation_window_min;
	if (appt_now() <= current->slot_start - MINUTES(window_min))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(CANCELLATION_WINDOW),
			 errmsg("appointment \"%s\" can no longer be cancelled",
					current->appointment_id),
			 errdetail("Appointments can be cancelled until %d minutes before they begin.",
					   window_min)));
}

/* An ApptAttempt. */
static bool
check_in_once(void *arg)
{
	CheckIn    *work = arg;
	const ChangeRequest *request = work->request;
	Appointment *seen;
	Appointment *current;
	bool		returns;

	schedule_refresh();
	seen = appointment_find(request->appointment_id, request->caller,
							APPT_UNLOCKED);
	returns = appointment_is(seen, "no_show");
	if (returns)
		find_way_back(seen, request);
	current = begin(request, &check_in);
	if (current->version != seen->version)
		return false;
	if (returns)
		current->lane = seen->lane;
	current->checked_in_at = appt_time(appt_now());
	current->skipped_at.given = false;
	work->checked_in = finish(current, request, &check_in);
	return true;
}

/*
 * A no-show gave its slot free, so it comes back beside the bookable ones:
 * seen->lane becomes that lane.  Takes the locks that come before the row's.
 */
static void
find_way_back(Appointment *seen, const ChangeRequest *request)
{
	PlacementRequest wanted = {
		.caller = request->caller,
		.doctor_id = seen->doctor_id,
		.branch_id = seen->branch_id,
		.slot_start = appt_time(seen->slot_start),
		.slot_end = appt_time(seen->slot_end)
	};
	DoctorDay	day = {
		.doctor_no = seen->doctor_no,
		.on_date = seen->token_date
	};
	Placement	placement;

	placement_begin(&placement, &wanted);
	token_lock_days(&day, 1);
	patient_lock_no(seen->patient_no);
	if (patient_is_busy(seen->patient_no, seen->slot_start, seen->slot_end,
						seen->appointment_no))
		patient_refuse_busy(seen->patient_id);
	placement_find_overflow(&placement);
	seen->lane = placement.lane;
}

static Appointment *
finish(Appointment *current, const ChangeRequest *request,
	   const Transition *transition)
{
	Appointment *stored;

	if (transition->to != NULL)
		current->status = pstrdup(transition->to);
	stored = appointment_store(current);
	event_record(stored, transition->event_type, request->caller,
				 request->reason, appt_now());
	return stored;
}
