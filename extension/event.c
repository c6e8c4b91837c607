/*
 * event.c
 *		The event log: an appointment's history and the source of every
 *		webhook, written in the transaction of the change.
 *
 * Deliveries are made in the same transaction, one for each subscribed
 * endpoint.  NOTIFY only wakes the relay; the tables are the truth.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "commands/async.h"
#include "commands/sequence.h"

static const char *const published[] = {
	"appointment.booked", "appointment.rescheduled", "appointment.cancelled",
	"appointment.checked_in", "appointment.completed", "appointment.no_show"
};

/* Columns, in the order of CREATE TABLE appt.event. */
enum
{
	COL_EVENT_NO,
	COL_EVENT_ID,
	COL_EVENT_TYPE,
	COL_APPOINTMENT_NO,
	COL_BRANCH_ID,
	COL_OCCURRED_AT,
	COL_STAMP,
	COL_ACTOR,
	COL_REASON,
	COL_DATA,
	COL_COUNT
};

static ApptTable table = {.name = "event"};

static ApptStatement insert_deliveries = {
	"INSERT INTO appt.delivery (webhook_no, event_no, appointment_no, state)"
	" SELECT w.webhook_no, $1, $2,"
	" CASE w.status WHEN 'enabled' THEN 'pending' ELSE 'held' END"
	" FROM appt.webhook w"
	" WHERE (w.events @> ARRAY[$3] OR w.events @> ARRAY['*'])"
	" AND (w.branch_ids IS NULL OR w.branch_ids @> ARRAY[$4])",
	4, {INT8OID, INT8OID, TEXTOID, TEXTOID}
};

static int64 write_event(Appointment *after, const char *event_type,
						 const Caller *caller, const char *reason,
						 TimestampTz now);
static void fan_out(const Appointment *after, int64 event_no,
					const char *event_type);
static bool is_published(const char *event_type);

/*
 * Records what happened to an appointment; "after" is its row as it is now,
 * and the caller holds that row's lock.
 */
void
event_record(Appointment *after, const char *event_type,
			 const Caller *caller, const char *reason, TimestampTz now)
{
	int64		event_no = write_event(after, event_type, caller, reason, now);

	if (is_published(event_type) && schedule_has_webhooks())
		fan_out(after, event_no, event_type);
}

static int64
write_event(Appointment *after, const char *event_type,
			const Caller *caller, const char *reason, TimestampTz now)
{
	int64		event_no = nextval_internal(table_oid("event_event_no_seq"),
											false);
	StringInfoData stamp;

	initStringInfo(&stamp);
	appt_append_time(&stamp, now, appointment_zone(after));
	{
		ApptArg		values[COL_COUNT] = {
			[COL_EVENT_NO] = appt_arg(Int64GetDatum(event_no)),
			[COL_EVENT_ID] = appt_arg_text(appt_new_id("evt")),
			[COL_EVENT_TYPE] = appt_arg_text(event_type),
			[COL_APPOINTMENT_NO] =
				appt_arg(Int64GetDatum(after->appointment_no)),
			[COL_BRANCH_ID] = appt_arg_text(after->branch_id),
			[COL_OCCURRED_AT] = appt_arg_time(now),
			[COL_STAMP] = appt_arg_text(stamp.data),
			[COL_ACTOR] = appt_arg_text(caller->actor),
			[COL_REASON] = appt_arg_text(reason),
			[COL_DATA] = appt_arg_text(appointment_json(after))
		};

		table_insert(&table, values, COL_COUNT, NULL);
	}
	return event_no;
}

static void
fan_out(const Appointment *after, int64 event_no, const char *event_type)
{
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(event_no)),
		appt_arg(Int64GetDatum(after->appointment_no)),
		appt_arg_text(event_type),
		appt_arg_text(after->branch_id)
	};

	if (appt_run(&insert_deliveries, args, APPT_WRITE) > 0 &&
		appt_notify_setting)
		Async_Notify(APPT_CHANNEL, "");
}

static bool
is_published(const char *event_type)
{
	for (int i = 0; i < lengthof(published); i++)
	{
		if (strcmp(published[i], event_type) == 0)
			return true;
	}
	return false;
}
