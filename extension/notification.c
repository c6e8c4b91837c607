/*
 * notification.c
 *		What a patient is to be told of a change, written in its transaction.
 *
 * The row only says that there is something to tell.  Whether, by which way
 * and in which words is decided when a relay is about to send it (schema part
 * notification/judge.sql).  It waits for settle_s first, so that after several
 * changes in short order one message tells how the visit is now.
 */
#include "appointment.h"

#include "catalog/pg_type.h"

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
