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
	"appointment.checked_in", "appointment.completed", "appointment.no_show",
	"appointment.updated", "visit.started", "visit.completed"
};

static ApptStatement insert_event = {
	"INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,"
	" occurred_at, stamp, actor, reason, data, change, previous,"
	" from_branch_id, notify)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	" RETURNING event_no::bigint",
	13, {TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID}
};

/* Those of the branch that a visit left are told that it did. */
static ApptStatement insert_deliveries = {
	"INSERT INTO appt.delivery (webhook_no, event_no, appointment_no, state)"
	" SELECT w.webhook_no, $1, $2,"
	" CASE w.status WHEN 'enabled' THEN 'pending' ELSE 'held' END"
	" FROM appt.webhook w"
	" WHERE (w.events @> ARRAY[$3] OR w.events @> ARRAY['*'])"
	" AND (w.branch_ids IS NULL OR w.branch_ids && ARRAY[$4, $5])",
	5, {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID}
};

static int64 write_event(Appointment *after, const Caller *caller,
						 const Event *event);
static const char *branch_left(const Appointment *after, const Event *event);
static char *previous_json(const Event *event);
static void fan_out(const Appointment *after, int64 event_no,
					const Event *event);
static bool is_published(const char *event_type);

/*
 * Records what happened to an appointment; "after" is its row as it is now,
 * and the caller holds that row's lock.
 */
void
event_record(Appointment *after, const Caller *caller, const Event *event)
{
	int64		event_no = write_event(after, caller, event);

	if (is_published(event->type) && schedule_has_webhooks())
		fan_out(after, event_no, event);
	if (!caller->silent && schedule_has_channels())
		notification_write(after, event->type);
}

static int64
write_event(Appointment *after, const Caller *caller, const Event *event)
{
	StringInfoData stamp;
	bool		isnull;

	initStringInfo(&stamp);
	appt_append_time(&stamp, event->at, appointment_zone(after));
	{
		ApptArg		args[] = {
			appt_arg_text(appt_new_id("evt")),
			appt_arg_text(event->type),
			appt_arg(Int64GetDatum(after->appointment_no)),
			appt_arg_text(after->branch_id),
			appt_arg_time(event->at),
			appt_arg_text(stamp.data),
			appt_arg_text(caller->actor),
			appt_arg_text(event->reason),
			appt_arg_text(appointment_json(after)),
			appt_arg_text(event->change),
			appt_arg_text(previous_json(event)),
			appt_arg_text(branch_left(after, event)),
			appt_arg(BoolGetDatum(!caller->silent))
		};

		if (appt_run(&insert_event, args, APPT_WRITE) != 1)
			appt_refuse_kept_out("event");
	}
	return DatumGetInt64(appt_field(0, 1, &isnull));
}

/* The branch that a move left for another; NULL: none. */
static const char *
branch_left(const Appointment *after, const Event *event)
{
	if (event->before == NULL ||
		strcmp(event->before->branch_id, after->branch_id) == 0)
		return NULL;
	return event->before->branch_id;
}

/* Where a moved visit was (docs/webhooks.md); NULL for what did not move. */
static char *
previous_json(const Event *event)
{
	const Appointment *before = event->before;
	StringInfoData out;
	pg_tz	   *zone;

	if (before == NULL)
		return NULL;
	zone = appointment_zone(before);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	appt_json_time(&out, "slot_start", before->slot_start, zone);
	appt_json_time(&out, "slot_end", before->slot_end, zone);
	appt_json_text(&out, "doctor_id", before->doctor_id);
	appt_json_text(&out, "branch_id", before->branch_id);
	appt_json_int(&out, "token_number", before->token_number);
	appt_json_date(&out, "token_date", before->token_date);
	appendStringInfoChar(&out, '}');
	return out.data;
}

static void
fan_out(const Appointment *after, int64 event_no, const Event *event)
{
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(event_no)),
		appt_arg(Int64GetDatum(after->appointment_no)),
		appt_arg_text(event->type),
		appt_arg_text(after->branch_id),
		appt_arg_text(branch_left(after, event))
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
