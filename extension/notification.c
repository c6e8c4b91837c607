/*
 * notification.c
 *		What a patient is to be told of a change, written in its transaction.
 *
 * The row only says that there is something to tell.  Whether, by which way
 * and in which words is decided when a relay is about to send it (schema part
 * notification/judge.sql).  It waits for settle_s first, so that of several
 * changes in short order the last tells the end of it.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

/* A cancellation nearer to the visit than this goes at once. */
#define URGENT_H	12

static ApptStatement insert_notification = {
	"INSERT INTO appt.notification (appointment_no, event, slot_start, due_at)"
	" VALUES ($1, $2, $3, $4)",
	4, {INT8OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static const char *told_event(const Appointment *after,
							  const char *event_type);
static TimestampTz told_at(const Appointment *after, const char *event);

PG_FUNCTION_INFO_V1(appt_is_message_shape);
PG_FUNCTION_INFO_V1(appt_is_message_stage);

/*
 * Writes the message of a change, if it is one that patients are told of;
 * "after" is the row as it is now, and the caller holds its lock.
 */
void
notification_write(const Appointment *after, const char *event_type)
{
	const char *event = told_event(after, event_type);

	if (event != NULL)
	{
		ApptArg		args[] = {
			appt_arg(Int64GetDatum(after->appointment_no)),
			appt_arg_text(event),
			appt_arg_time(after->slot_start),
			appt_arg_time(told_at(after, event))
		};

		if (appt_run(&insert_notification, args, APPT_WRITE) != 1)
			appt_refuse_kept_out("notification");
	}
}

/* NULL: nobody is told.  A walk-in is there and need not be. */
static const char *
told_event(const Appointment *after, const char *event_type)
{
	if (strcmp(event_type, "appointment.booked") == 0)
		return appointment_is(after, "booked") ? "booked" : NULL;
	if (strcmp(event_type, "appointment.rescheduled") == 0)
		return "rescheduled";
	if (strcmp(event_type, "appointment.cancelled") == 0)
		return "cancelled";
	return NULL;
}

/* In real time, as all that relays do. */
static TimestampTz
told_at(const Appointment *after, const char *event)
{
	TimestampTz now = GetCurrentTimestamp();

	if (strcmp(event, "cancelled") == 0 &&
		after->slot_start < appt_now() + MINUTES(URGENT_H * 60))
		return now;
	return now + appointment_rules(after)->settle_s * USECS_PER_SEC;
}

/*
 * is_message_shape(event, lead_min, appointment_no, slot_start, template_no):
 * a reminder has a lead; all but a test are of a visit, and no test is.
 */
Datum
appt_is_message_shape(PG_FUNCTION_ARGS)
{
	char	   *event = PG_ARGISNULL(0) ? ""
		: text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		is_test = strcmp(event, "test") == 0;

	PG_RETURN_BOOL((strcmp(event, "reminder") == 0) == !PG_ARGISNULL(1) &&
				   is_test == PG_ARGISNULL(2) && is_test == PG_ARGISNULL(3) &&
				   (is_test || PG_ARGISNULL(4)));
}

/*
 * is_message_stage(state, relay_no, lease_until, finished_at): one under way
 * is leased, and what is neither due nor under way is finished.
 */
Datum
appt_is_message_stage(PG_FUNCTION_ARGS)
{
	static const char *const done[] = {
		"sent", "delivered", "read", "failed", "skipped", "dead"
	};
	char	   *state = PG_ARGISNULL(0) ? ""
		: text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strcmp(state, "sending") == 0)
		PG_RETURN_BOOL(!PG_ARGISNULL(1) && !PG_ARGISNULL(2) &&
					   PG_ARGISNULL(3));
	if (strcmp(state, "due") == 0)
		PG_RETURN_BOOL(PG_ARGISNULL(3));
	for (int i = 0; i < lengthof(done); i++)
	{
		if (strcmp(state, done[i]) == 0)
			PG_RETURN_BOOL(!PG_ARGISNULL(3));
	}
	PG_RETURN_BOOL(false);
}
