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

static const char *const published[] = {
	"appointment.booked", "appointment.rescheduled", "appointment.cancelled",
	"appointment.checked_in", "appointment.completed", "appointment.no_show"
};

static ApptStatement insert_event = {
	"INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,"
	" occurred_at, stamp, actor, reason, data, notify)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	" RETURNING event_no::bigint",
	10, {TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, BOOLOID}
};

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
	if (!caller->silent && schedule_has_channels())
		notification_write(after, event_type);
}

static int64
write_event(Appointment *after, const char *event_type,
			const Caller *caller, const char *reason, TimestampTz now)
{
	StringInfoData stamp;
	bool		isnull;

	initStringInfo(&stamp);
	appt_append_time(&stamp, now, appointment_zone(after));
	{
		ApptArg		args[] = {
			appt_arg_text(appt_new_id("evt")),
			appt_arg_text(event_type),
			appt_arg(Int64GetDatum(after->appointment_no)),
			appt_arg_text(after->branch_id),
			appt_arg_time(now),
			appt_arg_text(stamp.data),
			appt_arg_text(caller->actor),
			appt_arg_text(reason),
			appt_arg_text(appointment_json(after)),
			appt_arg(BoolGetDatum(!caller->silent))
		};

		if (appt_run(&insert_event, args, APPT_WRITE) != 1)
			appt_refuse_kept_out("event");
	}
	return DatumGetInt64(appt_field(0, 1, &isnull));
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
