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
 * stores it with its event.  What was recorded wrongly is for correction.c.
 */
#include "booking.h"

/* What distinguishes one change from another. */
typedef struct Transition
{
	const char *verb;			/* for messages: "cannot be …" */
	const char *from[2];
	const char *to;				/* NULL: stays */
	const char *event_type;
	const char *change;			/* of an appointment.updated: which */
} Transition;

static const Transition cancel = {
	.verb = "cancelled",
	.from = {"booked", "checked_in"},
	.to = "cancelled",
	.event_type = "appointment.cancelled"
};
static const Transition confirm = {
	.verb = "confirmed",
	.from = {"booked"},
	.event_type = "appointment.updated",
	.change = "confirmed"
};
static const Transition check_in = {
	.verb = "checked in",
	.from = {"booked", "no_show"},
	.to = "checked_in",
	.event_type = "appointment.checked_in"
};
static const Transition undo_check_in = {
	.verb = "taken back to booked",
	.from = {"checked_in"},
	.to = "booked",
	.event_type = "appointment.updated",
	.change = "check_in_undone"
};
static const Transition start = {
	.verb = "started",
	.from = {"checked_in"},
	.to = "in_consultation",
	.event_type = "visit.started"
};
static const Transition complete = {
	.verb = "completed",
	.from = {"in_consultation", "checked_in"},
	.to = "completed",
	.event_type = "appointment.completed"
};
static const Transition no_show = {
	.verb = "marked as a no-show",
	.from = {"booked"},
	.to = "no_show",
	.event_type = "appointment.no_show"
};
static const Transition skip = {
	.verb = "skipped",
	.from = {"checked_in", "in_consultation"},
	.to = "checked_in",
	.event_type = "appointment.updated",
	.change = "skipped"
};
static const Transition recall = {
	.verb = "called again",
	.from = {"checked_in", "in_consultation"},
	.to = "in_consultation",
	.event_type = "appointment.updated",
	.change = "recalled"
};
static const Transition recall_skipped = {
	.to = "in_consultation",
	.event_type = "visit.started",
	.change = "recalled"
};
static const Transition set_priority = {
	.verb = "given a priority",
	.from = {"booked", "checked_in"},
	.event_type = "appointment.updated",
	.change = "priority_set"
};

typedef struct CheckIn
{
	const ChangeRequest *request;
	Appointment *checked_in;
} CheckIn;

static Appointment *begin(const ChangeRequest *request,
						  const Transition *transition);
static void check_transition(const Appointment *current,
							 const Transition *transition);
static bool is_from(const Transition *transition, const Appointment *current);
static void check_called(const Appointment *current);
static void check_not_over(const Appointment *current);
static bool is_too_late(const Appointment *current);
static void refuse_late(const Appointment *current);
static bool check_in_once(void *arg);
static Appointment *finish(Appointment *current, const ChangeRequest *request,
						   const Transition *transition);

/* Cancels; one that is cancelled already stays as it is. */
Appointment *
lifecycle_cancel(const ChangeRequest *request)
{
	ChangeRequest recorded = *request;
	Appointment *current;
	bool		late;

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
	late = !request->forced && is_too_late(current);
	if (late && !request->override)
		refuse_late(current);
	current->cancelled_at = appt_time(appt_now());
	current->reason = pstrdup(request->reason);
	recorded.reason = lifecycle_reason(request->reason, late);
	return finish(current, &recorded, &cancel);
}

/* Notes that the patient will come; a second time it changes nothing. */
Appointment *
lifecycle_confirm(const ChangeRequest *request)
{
	Appointment *current = begin(request, &confirm);

	if (current->confirmed_at.given)
		return current;
	check_not_over(current);
	current->confirmed_at = appt_time(appt_now());
	return finish(current, request, &confirm);
}

/*
 * Checks in, at the right time; a no-show may come back with the same number.
 */
Appointment *
lifecycle_check_in(const ChangeRequest *request)
{
	CheckIn		work = {.request = request};

	appt_retry(check_in_once, &work);
	return work.checked_in;
}

/* Takes a check-in back, at a time at which one can check in. */
Appointment *
lifecycle_undo_check_in(const ChangeRequest *request)
{
	Appointment *current = begin(request, &undo_check_in);

	arrival_check_time(current, undo_check_in.verb);
	current->checked_in_at.given = false;
	return finish(current, request, &undo_check_in);
}

/* Begins the consultation of one who is checked in. */
Appointment *
lifecycle_start(const ChangeRequest *request)
{
	Appointment *current = begin(request, &start);

	current->started_at = appt_time(appt_now());
	return finish(current, request, &start);
}

/* Completes; the visit's end is an event of its own, beside the change's. */
Appointment *
lifecycle_complete(const ChangeRequest *request)
{
	Appointment *current = begin(request, &complete);
	Appointment *completed;

	current->completed_at = appt_time(appt_now());
	completed = finish(current, request, &complete);
	event_record(completed, request->caller, &(Event) {
		.type = "visit.completed",
		.at = completed->completed_at.at
	});
	return completed;
}

/* Marks as a no-show, from the visit's start on: the patient may still come. */
Appointment *
lifecycle_no_show(const ChangeRequest *request)
{
	Appointment *current = begin(request, &no_show);

	lifecycle_check_begun(current, no_show.verb);
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
	bool		begun = appointment_is(current, recall.to);

	check_called(current);
	current->started_at = appt_time(appt_now());
	current->skipped_at.given = false;
	return finish(current, request, begun ? &recall : &recall_skipped);
}

/* Raises SB001 for a priority beyond 0 to APPT_MAX_PRIORITY. */
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

/* What the history has for a reason: it tells where a rule was overridden. */
const char *
lifecycle_reason(const char *reason, bool overridden)
{
	return overridden ? psprintf("override: %s", reason) : reason;
}

/* Refuses what can be said of a visit only once its time has come. */
void
lifecycle_check_begun(const Appointment *current, const char *verb)
{
	if (appt_now() >= current->slot_start)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s yet",
					current->appointment_id, verb),
			 errdetail("It begins at %s.",
					   appt_spoken_time(current->slot_start,
										appointment_zone(current)))));
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

/*
 * Whether cancellation_window_min has begun; it counts for who is not there
 * yet.
 */
static bool
is_too_late(const Appointment *current)
{
	int			window_min =
		appointment_rules(current)->cancellation_window_min;

	return appointment_is(current, "booked") &&
		appt_now() > current->slot_start - MINUTES(window_min);
}

/* Refuses to recall a patient who was not called before. */
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

static void
check_not_over(const Appointment *current)
{
	if (appt_now() < current->slot_end)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_TRANSITION),
			 errmsg("appointment \"%s\" cannot be %s any more",
					current->appointment_id, confirm.verb),
			 errdetail("It ended at %s.",
					   appt_spoken_time(current->slot_end,
										appointment_zone(current)))));
}

static void
refuse_late(const Appointment *current)
{
	ereport(ERROR,
			(APPT_ERRCODE(CANCELLATION_WINDOW),
			 errmsg("appointment \"%s\" can no longer be cancelled",
					current->appointment_id),
			 errdetail("Appointments can be cancelled until %d minutes before they begin.",
					   appointment_rules(current)->cancellation_window_min)));
}

/* An ApptAttempt: a no-show's locks come before the row's. */
static bool
check_in_once(void *arg)
{
	CheckIn    *work = arg;
	const ChangeRequest *request = work->request;
	Appointment *seen;
	Appointment *current;
	int			lane = -1;		/* the one that it has now, which can change */

	schedule_refresh();
	seen = appointment_find(request->appointment_id, request->caller,
							APPT_UNLOCKED);
	if (appointment_is(seen, "no_show"))
		lane = arrival_find_lane(seen, request->caller,
								 ARRIVAL_BESIDE);
	current = begin(request, &check_in);
	if (current->version != seen->version)
		return false;
	arrival_check_time(current, check_in.verb);
	if (lane >= 0)
		current->lane = lane;
	current->checked_in_at = appt_time(appt_now());
	current->skipped_at.given = false;
	work->checked_in = finish(current, request, &check_in);
	return true;
}

static Appointment *
finish(Appointment *current, const ChangeRequest *request,
	   const Transition *transition)
{
	Appointment *stored;

	if (transition->to != NULL)
		current->status = pstrdup(transition->to);
	stored = appointment_store(current);
	event_record(stored, request->caller, &(Event) {
		.type = transition->event_type,
		.change = transition->change,
		.reason = request->reason,
		.at = appt_now()
	});
	return stored;
}
