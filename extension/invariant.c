/*
 * invariant.c
 *		What holds of every row of appt.appointment and appt.notification by
 *		itself, whoever writes it: in a CHECK, and in a constraint trigger.
 *
 * PostgreSQL parses a table's CHECKs anew for each statement that writes: with
 * a CHECK for each invariant that was a fifth of a booking's cost.  So
 * appt.appointment has one CHECK, whose function is given the row, and
 * appt.notification a trigger, which costs a third of that.  The error names
 * the invariant that the row violates as its constraint.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* A row's values by the enum of its table's columns, below. */
typedef struct Row
{
	Datum		values[APPT_MAX_COLUMNS];
	bool		nulls[APPT_MAX_COLUMNS];
} Row;

typedef struct Invariant
{
	const char *name;			/* the constraint of an error */
	bool		(*holds) (const Row *row);
	const char *rule;			/* a sentence for its detail */
} Invariant;

/* The times come last. */
enum
{
	APPOINTMENT_STATUS,
	APPOINTMENT_SOURCE,
	APPOINTMENT_LANE,
	APPOINTMENT_PATIENT_NO,
	APPOINTMENT_PATIENT_ID,
	APPOINTMENT_TOKEN_NUMBER,
	APPOINTMENT_TOKEN_DATE,
	APPOINTMENT_SLOT_START,
	APPOINTMENT_SLOT_END,
	APPOINTMENT_HOLD_EXPIRES_AT,
	APPOINTMENT_TIMES,
	APPOINTMENT_COLUMNS = APPOINTMENT_TIMES + 7
};

enum
{
	NOTIFICATION_EVENT,
	NOTIFICATION_LEAD_MIN,
	NOTIFICATION_APPOINTMENT_NO,
	NOTIFICATION_SLOT_START,
	NOTIFICATION_TEMPLATE_NO,
	NOTIFICATION_STATE,
	NOTIFICATION_RELAY_NO,
	NOTIFICATION_LEASE_UNTIL,
	NOTIFICATION_FINISHED_AT,
	NOTIFICATION_COLUMNS
};

static const RowColumn appointment_columns[APPOINTMENT_COLUMNS] = {
	[APPOINTMENT_STATUS] = {"status", TEXTOID, true},
	[APPOINTMENT_SOURCE] = {"source", TEXTOID, true},
	[APPOINTMENT_LANE] = {"lane", INT2OID, true},
	[APPOINTMENT_PATIENT_NO] = {"patient_no", INT4OID, false},
	[APPOINTMENT_PATIENT_ID] = {"patient_id", TEXTOID, false},
	[APPOINTMENT_TOKEN_NUMBER] = {"token_number", INT4OID, false},
	[APPOINTMENT_TOKEN_DATE] = {"token_date", DATEOID, true},
	[APPOINTMENT_SLOT_START] = {"slot_start", TIMESTAMPTZOID, true},
	[APPOINTMENT_SLOT_END] = {"slot_end", TIMESTAMPTZOID, true},
	[APPOINTMENT_HOLD_EXPIRES_AT] = {"hold_expires_at", TIMESTAMPTZOID, false},
	[APPOINTMENT_TIMES] = {"booked_at", TIMESTAMPTZOID, true},
	{"skipped_at", TIMESTAMPTZOID, false},
	{"checked_in_at", TIMESTAMPTZOID, false},
	{"started_at", TIMESTAMPTZOID, false},
	{"completed_at", TIMESTAMPTZOID, false},
	{"cancelled_at", TIMESTAMPTZOID, false},
	{"confirmed_at", TIMESTAMPTZOID, false}
};

static const RowColumn notification_columns[NOTIFICATION_COLUMNS] = {
	[NOTIFICATION_EVENT] = {"event", TEXTOID, true},
	[NOTIFICATION_LEAD_MIN] = {"lead_min", INT4OID, false},
	[NOTIFICATION_APPOINTMENT_NO] = {"appointment_no", INT8OID, false},
	[NOTIFICATION_SLOT_START] = {"slot_start", TIMESTAMPTZOID, false},
	[NOTIFICATION_TEMPLATE_NO] = {"template_no", INT8OID, false},
	[NOTIFICATION_STATE] = {"state", TEXTOID, true},
	[NOTIFICATION_RELAY_NO] = {"relay_no", INT8OID, false},
	[NOTIFICATION_LEASE_UNTIL] = {"lease_until", TIMESTAMPTZOID, false},
	[NOTIFICATION_FINISHED_AT] = {"finished_at", TIMESTAMPTZOID, false}
};

static void check(const RowReader *reader, const Row *row,
				  const Invariant *invariants, int ninvariants);
pg_noreturn static void refuse(const char *table, const Invariant *invariant);
static char *text_of(const Row *row, int column);
static bool is_hold_or_booking(const Row *row);
static bool has_lane(const Row *row);
static bool has_source(const Row *row);
static bool has_slot(const Row *row);
static bool has_status(const Row *row);
static bool has_times(const Row *row);
static bool has_token(const Row *row);
static bool has_shape(const Row *row);
static bool has_stage(const Row *row);
static bool is_finished(const char *state);

/* In the order of the names, as PostgreSQL asks CHECKs. */
static const Invariant of_appointment[] = {
	{"appointment_held_or_patient", is_hold_or_booking,
		"A hold expires and has neither patient nor token; a booking has both "
		"and does not expire."},
	{"appointment_lane_range", has_lane, "A lane is 0 to 63."},
	{"appointment_source_known", has_source,
		"A source is sql, api, web, mobile, aggregator, front_desk or "
		"walk_in."},
	{"appointment_start_before_end", has_slot,
		"The start lies before the end, and both in 1970 to 2199."},
	{"appointment_status_known", has_status,
		"A status is booked, checked_in, in_consultation, completed, cancelled "
		"or no_show; a hold's is held."},
	{"appointment_times_in_range", has_times,
		"Dates and times lie in 1970 to 2199."},
	{"appointment_token_positive", has_token, "Tokens are counted from 1."}
};

static const Invariant of_notification[] = {
	{"notification_shape", has_shape,
		"A reminder has a lead, a follow-up one of 0 and nothing else has one; "
		"a test, an offer and what staff are told have neither visit nor "
		"time, all others have both, and none but a test has a template."},
	{"notification_stage", has_stage,
		"One that is sending is leased; due and sending are not finished; "
		"sent, delivered, read, failed, skipped and dead are."}
};

static RowReader appointment_reader = {
	"appt.appointment", appointment_columns, APPOINTMENT_COLUMNS
};

static RowReader notification_reader = {
	"appt.notification", notification_columns, NOTIFICATION_COLUMNS
};

PG_FUNCTION_INFO_V1(appt_appointment_invariants);
PG_FUNCTION_INFO_V1(appt_notification_invariants);

/* In the table's CHECK: true, or an error. */
Datum
appt_appointment_invariants(PG_FUNCTION_ARGS)
{
	Row			row;

	row_read(&appointment_reader, DatumGetRow(PG_GETARG_DATUM(0)), row.values,
			 row.nulls);
	check(&appointment_reader, &row, of_appointment, lengthof(of_appointment));
	PG_RETURN_BOOL(true);
}

/* Constraint trigger of appt.notification. */
Datum
appt_notification_invariants(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"notification", NULL};
	static const TriggerUse use = {
		.function = "appt_internal.notification_invariants",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = tables
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);
	Row			row;

	row_read_slot(&notification_reader, appt_new_row(trigger), row.values,
				  row.nulls);
	check(&notification_reader, &row, of_notification,
		  lengthof(of_notification));
	return PointerGetDatum(NULL);
}

static void
check(const RowReader *reader, const Row *row, const Invariant *invariants,
	  int ninvariants)
{
	for (int i = 0; i < ninvariants; i++)
	{
		if (!invariants[i].holds(row))
			refuse(strchr(reader->table, '.') + 1, &invariants[i]);
	}
}

/*
 * Raises what PostgreSQL raises for a CHECK, less the row, which is a
 * patient's.
 */
static void
refuse(const char *table, const Invariant *invariant)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("new row for relation \"%s\" violates check constraint \"%s\"",
					table, invariant->name),
			 errdetail("%s", invariant->rule),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, "appt"),
			 err_generic_string(PG_DIAG_TABLE_NAME, table),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, invariant->name)));
}

/* A text of a column that is NOT NULL. */
static char *
text_of(const Row *row, int column)
{
	return TextDatumGetCString(row->values[column]);
}

static bool
is_hold_or_booking(const Row *row)
{
	bool		is_hold = strcmp(text_of(row, APPOINTMENT_STATUS), "held") == 0;
	bool		expires = !row->nulls[APPOINTMENT_HOLD_EXPIRES_AT];
	int			missing = row->nulls[APPOINTMENT_PATIENT_NO] +
		row->nulls[APPOINTMENT_PATIENT_ID] +
		row->nulls[APPOINTMENT_TOKEN_NUMBER];

	return expires == is_hold && missing == (is_hold ? 3 : 0);
}

static bool
has_lane(const Row *row)
{
	int			lane = DatumGetInt16(row->values[APPOINTMENT_LANE]);

	return lane >= 0 && lane < APPT_LANES;
}

static bool
has_source(const Row *row)
{
	return appointment_is_source(text_of(row, APPOINTMENT_SOURCE));
}

static bool
has_slot(const Row *row)
{
	const Datum *values = row->values;
	TimestampTz start = DatumGetTimestampTz(values[APPOINTMENT_SLOT_START]);
	TimestampTz end = DatumGetTimestampTz(values[APPOINTMENT_SLOT_END]);

	return start < end && appt_is_in_range(start) && appt_is_in_range(end);
}

static bool
has_status(const Row *row)
{
	return appointment_is_status(text_of(row, APPOINTMENT_STATUS));
}

/* A zone's date may be the day before the first instant's in UTC. */
static bool
has_times(const Row *row)
{
	DateADT		date = DatumGetDateADT(row->values[APPOINTMENT_TOKEN_DATE]);

	if (date < APPT_FIRST_DATE - 1 || date > APPT_END_DATE)
		return false;
	for (int i = APPOINTMENT_TIMES; i < APPOINTMENT_COLUMNS; i++)
	{
		if (!row->nulls[i] &&
			!appt_is_in_range(DatumGetTimestampTz(row->values[i])))
			return false;
	}
	return true;
}

static bool
has_token(const Row *row)
{
	return row->nulls[APPOINTMENT_TOKEN_NUMBER] ||
		DatumGetInt32(row->values[APPOINTMENT_TOKEN_NUMBER]) > 0;
}

static bool
has_shape(const Row *row)
{
	char	   *event = text_of(row, NOTIFICATION_EVENT);
	bool		is_reminder = strcmp(event, "reminder") == 0;
	bool		is_follow_up = strcmp(event, "follow_up") == 0;
	bool		is_test = strcmp(event, "test") == 0;
	bool		is_apart = is_test || strcmp(event, "sign_in") == 0 ||
		strcmp(event, "waitlist_offer") == 0;

	return (is_reminder || is_follow_up) ==
		!row->nulls[NOTIFICATION_LEAD_MIN] &&
		(row->nulls[NOTIFICATION_LEAD_MIN] || is_follow_up ==
		 (DatumGetInt32(row->values[NOTIFICATION_LEAD_MIN]) == 0)) &&
		is_apart == row->nulls[NOTIFICATION_APPOINTMENT_NO] &&
		is_apart == row->nulls[NOTIFICATION_SLOT_START] &&
		(is_test || row->nulls[NOTIFICATION_TEMPLATE_NO]);
}

static bool
has_stage(const Row *row)
{
	char	   *state = text_of(row, NOTIFICATION_STATE);
	bool		finished = !row->nulls[NOTIFICATION_FINISHED_AT];

	if (strcmp(state, "sending") == 0)
		return !row->nulls[NOTIFICATION_RELAY_NO] &&
			!row->nulls[NOTIFICATION_LEASE_UNTIL] && !finished;
	if (strcmp(state, "due") == 0)
		return !finished;
	return is_finished(state) && finished;
}

static bool
is_finished(const char *state)
{
	static const char *const done[] = {
		"sent", "delivered", "read", "failed", "skipped", "dead"
	};

	for (int i = 0; i < lengthof(done); i++)
	{
		if (strcmp(state, done[i]) == 0)
			return true;
	}
	return false;
}
