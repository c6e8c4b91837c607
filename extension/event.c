/*
 * event.c
 *		The event log: an appointment's history and the source of every
 *		webhook, written in the transaction of the change.
 *
 * Deliveries are made in the same transaction, one for each subscribed
 * endpoint.  NOTIFY only wakes the relay; the tables are the truth.
 */
#include "appointment.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "utils/xid8.h"

static const char *const published[] = {
	"appointment.booked", "appointment.rescheduled", "appointment.cancelled",
	"appointment.checked_in", "appointment.completed", "appointment.no_show",
	"appointment.updated", "visit.started", "visit.completed"
};

/* The table's columns. */
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
	COL_CHANGE,
	COL_PREVIOUS,
	COL_FROM_BRANCH_ID,
	COL_PATIENT_NO,
	COL_NOTIFY,
	COL_CHANGED_XID,
	COL_COUNT
};

static const RowColumn columns[COL_COUNT] = {
	[COL_EVENT_NO] = {"event_no", INT8OID, true},
	[COL_EVENT_ID] = {"event_id", TEXTOID, true},
	[COL_EVENT_TYPE] = {"event_type", TEXTOID, true},
	[COL_APPOINTMENT_NO] = {"appointment_no", INT8OID, false},
	[COL_BRANCH_ID] = {"branch_id", TEXTOID, false},
	[COL_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID, true},
	[COL_STAMP] = {"stamp", TEXTOID, true},
	[COL_ACTOR] = {"actor", TEXTOID, true},
	[COL_REASON] = {"reason", TEXTOID, false},
	[COL_DATA] = {"data", TEXTOID, true},
	[COL_CHANGE] = {"change", TEXTOID, false},
	[COL_PREVIOUS] = {"previous", TEXTOID, false},
	[COL_FROM_BRANCH_ID] = {"from_branch_id", TEXTOID, false},
	[COL_PATIENT_NO] = {"patient_no", INT4OID, false},
	[COL_NOTIFY] = {"notify", BOOLOID, true},
	[COL_CHANGED_XID] = {"changed_xid", XID8OID, true}
};

/* All of them, in the table's order: so the row is taken as it is given. */
#define COLUMNS \
	"event_no, event_id, event_type, appointment_no, branch_id," \
	" occurred_at, stamp, actor, reason, data, change, previous," \
	" from_branch_id, patient_no, notify, changed_xid"

static ApptStatement insert_event = {
	"INSERT INTO appt.event (" COLUMNS ")"
	" OVERRIDING SYSTEM VALUE"
	" SELECT " COLUMNS
	" FROM given",
	COL_COUNT,
	.given = columns
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
	int64		event_no = relation_nextval("event_event_no_seq");
	FullTransactionId xid = GetTopFullTransactionId();
	StringInfoData stamp;

	initStringInfo(&stamp);
	appt_append_time(&stamp, event->at, appointment_zone(after));
	{
		ApptArg		args[COL_COUNT] = {
			[COL_EVENT_NO] = appt_arg(Int64GetDatum(event_no)),
			[COL_EVENT_ID] = appt_arg_text(appt_new_id("evt")),
			[COL_EVENT_TYPE] = appt_arg_text(event->type),
			[COL_APPOINTMENT_NO] =
				appt_arg(Int64GetDatum(after->appointment_no)),
			[COL_BRANCH_ID] = appt_arg_text(after->branch_id),
			[COL_OCCURRED_AT] = appt_arg_time(event->at),
			[COL_STAMP] = appt_arg_text(stamp.data),
			[COL_ACTOR] = appt_arg_text(caller->actor),
			[COL_REASON] = appt_arg_text(event->reason),
			[COL_DATA] = appt_arg_text(appointment_json(after)),
			[COL_CHANGE] = appt_arg_text(event->change),
			[COL_PREVIOUS] = appt_arg_text(previous_json(event)),
			[COL_FROM_BRANCH_ID] = appt_arg_text(branch_left(after, event)),
			[COL_PATIENT_NO] = appt_arg_null(),
			[COL_NOTIFY] = appt_arg(BoolGetDatum(!caller->silent)),
			[COL_CHANGED_XID] = appt_arg(FullTransactionIdGetDatum(xid))
		};

		if (appt_run(&insert_event, args, APPT_WRITE) != 1)
			appt_refuse_kept_out("event");
	}
	return event_no;
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
