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

/* The table's columns. */
enum
{
	COL_NOTIFICATION_NO,
	COL_APPOINTMENT_NO,
	COL_EVENT,
	COL_SLOT_START,
	COL_LEAD_MIN,
	COL_ROOT_NO,
	COL_TEMPLATE_NO,
	COL_STATE,
	COL_REASON,
	COL_QUEUE_NO,
	COL_CHANNEL_NO,
	COL_CHANNEL,
	COL_LANGUAGE,
	COL_ADDRESS,
	COL_DUE_AT,
	COL_ATTEMPTS,
	COL_FENCE,
	COL_RELAY_NO,
	COL_LEASE_UNTIL,
	COL_CREATED_AT,
	COL_SENT_AT,
	COL_FINISHED_AT,
	COL_COUNT
};

static const RowColumn columns[COL_COUNT] = {
	[COL_NOTIFICATION_NO] = {"notification_no", INT8OID, true},
	[COL_APPOINTMENT_NO] = {"appointment_no", INT8OID, false},
	[COL_EVENT] = {"event", TEXTOID, true},
	[COL_SLOT_START] = {"slot_start", TIMESTAMPTZOID, false},
	[COL_LEAD_MIN] = {"lead_min", INT4OID, false},
	[COL_ROOT_NO] = {"root_no", INT8OID, false},
	[COL_TEMPLATE_NO] = {"template_no", INT8OID, false},
	[COL_STATE] = {"state", TEXTOID, true},
	[COL_REASON] = {"reason", TEXTOID, false},
	[COL_QUEUE_NO] = {"queue_no", INT4OID, true},
	[COL_CHANNEL_NO] = {"channel_no", INT4OID, true},
	[COL_CHANNEL] = {"channel", TEXTOID, false},
	[COL_LANGUAGE] = {"language", TEXTOID, false},
	[COL_ADDRESS] = {"address", TEXTOID, false},
	[COL_DUE_AT] = {"due_at", TIMESTAMPTZOID, true},
	[COL_ATTEMPTS] = {"attempts", INT4OID, true},
	[COL_FENCE] = {"fence", INT8OID, true},
	[COL_RELAY_NO] = {"relay_no", INT8OID, false},
	[COL_LEASE_UNTIL] = {"lease_until", TIMESTAMPTZOID, false},
	[COL_CREATED_AT] = {"created_at", TIMESTAMPTZOID, true},
	[COL_SENT_AT] = {"sent_at", TIMESTAMPTZOID, false},
	[COL_FINISHED_AT] = {"finished_at", TIMESTAMPTZOID, false}
};

/* All of them, in the table's order: so the row is taken as it is given. */
#define COLUMNS \
	"notification_no, appointment_no, event, slot_start, lead_min, root_no," \
	" template_no, state, reason, queue_no, channel_no, channel, language," \
	" address, due_at, attempts, fence, relay_no, lease_until, created_at," \
	" sent_at, finished_at"

static ApptStatement insert_notification = {
	"INSERT INTO appt.notification (" COLUMNS ")"
	" OVERRIDING SYSTEM VALUE"
	" SELECT " COLUMNS
	" FROM given",
	COL_COUNT,
	.given = columns
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
		int64		no = relation_nextval("notification_notification_no_seq");
		ApptArg		args[COL_COUNT];

		for (int i = 0; i < COL_COUNT; i++)
			args[i] = appt_arg_null();
		args[COL_NOTIFICATION_NO] = appt_arg(Int64GetDatum(no));
		args[COL_APPOINTMENT_NO] =
			appt_arg(Int64GetDatum(after->appointment_no));
		args[COL_EVENT] = appt_arg_text(event);
		args[COL_SLOT_START] = appt_arg_time(after->slot_start);
		args[COL_STATE] = appt_arg_text("due");
		args[COL_QUEUE_NO] = appt_arg(Int32GetDatum(0));
		args[COL_CHANNEL_NO] = appt_arg(Int32GetDatum(0));
		args[COL_DUE_AT] = appt_arg_time(told_at(after, event));
		args[COL_ATTEMPTS] = appt_arg(Int32GetDatum(0));
		args[COL_FENCE] = appt_arg(Int64GetDatum(0));
		args[COL_CREATED_AT] = appt_arg_time(GetCurrentTimestamp());
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
