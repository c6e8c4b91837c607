/*
 * appointment.c
 *		Rows of appt.appointment: finding, storing, and the full appointment
 *		object as JSON.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

/* The table's columns; they are read whatever their order is there. */
enum
{
	COL_APPOINTMENT_ID,
	COL_APPOINTMENT_NO,
	COL_PATIENT_ID,
	COL_DOCTOR_ID,
	COL_BRANCH_ID,
	COL_SLOT_START,
	COL_SLOT_END,
	COL_VISIT_TYPE,
	COL_STATUS,
	COL_TOKEN_NUMBER,
	COL_TOKEN_DATE,
	COL_SOURCE,
	COL_NOTES,
	COL_VERSION,
	COL_RESCHEDULE_COUNT,
	COL_REASON,
	COL_PRIORITY,
	COL_SKIPPED_AT,
	COL_OVERRIDE,
	COL_BOOKED_AT,
	COL_CHECKED_IN_AT,
	COL_STARTED_AT,
	COL_COMPLETED_AT,
	COL_CANCELLED_AT,
	COL_CONFIRMED_AT,
	COL_HOLD_EXPIRES_AT,
	COL_HELD_BY,
	COL_DOCTOR_NO,
	COL_PATIENT_NO,
	COL_LANE,
	COL_BUFFER_BEFORE_MIN,
	COL_BUFFER_AFTER_MIN,
	COL_WALL_START,
	COL_COUNT
};

static const RowColumn columns[COL_COUNT] = {
	[COL_APPOINTMENT_ID] = {"appointment_id", TEXTOID, true},
	[COL_APPOINTMENT_NO] = {"appointment_no", INT8OID, true},
	[COL_PATIENT_ID] = {"patient_id", TEXTOID, false},
	[COL_DOCTOR_ID] = {"doctor_id", TEXTOID, true},
	[COL_BRANCH_ID] = {"branch_id", TEXTOID, true},
	[COL_SLOT_START] = {"slot_start", TIMESTAMPTZOID, true},
	[COL_SLOT_END] = {"slot_end", TIMESTAMPTZOID, true},
	[COL_VISIT_TYPE] = {"visit_type", TEXTOID, false},
	[COL_STATUS] = {"status", TEXTOID, true},
	[COL_TOKEN_NUMBER] = {"token_number", INT4OID, false},
	[COL_TOKEN_DATE] = {"token_date", DATEOID, true},
	[COL_SOURCE] = {"source", TEXTOID, true},
	[COL_NOTES] = {"notes", TEXTOID, false},
	[COL_VERSION] = {"version", INT4OID, true},
	[COL_RESCHEDULE_COUNT] = {"reschedule_count", INT4OID, true},
	[COL_REASON] = {"reason", TEXTOID, false},
	[COL_PRIORITY] = {"priority", INT2OID, true},
	[COL_SKIPPED_AT] = {"skipped_at", TIMESTAMPTZOID, false},
	[COL_OVERRIDE] = {"override", BOOLOID, true},
	[COL_BOOKED_AT] = {"booked_at", TIMESTAMPTZOID, true},
	[COL_CHECKED_IN_AT] = {"checked_in_at", TIMESTAMPTZOID, false},
	[COL_STARTED_AT] = {"started_at", TIMESTAMPTZOID, false},
	[COL_COMPLETED_AT] = {"completed_at", TIMESTAMPTZOID, false},
	[COL_CANCELLED_AT] = {"cancelled_at", TIMESTAMPTZOID, false},
	[COL_CONFIRMED_AT] = {"confirmed_at", TIMESTAMPTZOID, false},
	[COL_HOLD_EXPIRES_AT] = {"hold_expires_at", TIMESTAMPTZOID, false},
	[COL_HELD_BY] = {"held_by", TEXTOID, false},
	[COL_DOCTOR_NO] = {"doctor_no", INT4OID, true},
	[COL_PATIENT_NO] = {"patient_no", INT4OID, false},
	[COL_LANE] = {"lane", INT2OID, true},
	[COL_BUFFER_BEFORE_MIN] = {"buffer_before_min", INT2OID, true},
	[COL_BUFFER_AFTER_MIN] = {"buffer_after_min", INT2OID, true},
	[COL_WALL_START] = {"wall_start", TIMESTAMPOID, false}
};

static RowReader reader = {"appt.appointment", columns, COL_COUNT};

static const char *const statuses[] = {
	"held", "booked", "checked_in", "in_consultation", "completed",
	"cancelled", "no_show"
};

/* Where a booking can come from. */
static const char *const sources[] = {
	"sql", "api", "web", "mobile", "aggregator", "front_desk", "walk_in"
};

/* All of them, in the table's order: so the row is taken as it is given. */
#define COLUMNS \
	"appointment_id, appointment_no, patient_id, doctor_id, " \
	"branch_id, slot_start, slot_end, visit_type, status, " \
	"token_number, token_date, source, notes, version, " \
	"reschedule_count, reason, priority, skipped_at, override, " \
	"booked_at, checked_in_at, started_at, completed_at, " \
	"cancelled_at, confirmed_at, hold_expires_at, held_by, " \
	"doctor_no, patient_no, lane, buffer_before_min, " \
	"buffer_after_min, wall_start"

static ApptStatement insert = {
	"INSERT INTO appt.appointment (" COLUMNS ")"
	" SELECT " COLUMNS
	" FROM given",
	COL_COUNT,
	.given = columns
};

static ApptStatement find = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.appointment_id = $1",
	1, {TEXTOID}
};

static ApptStatement find_for_update = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.appointment_id = $1"
	" FOR UPDATE",
	1, {TEXTOID}
};

static ApptStatement store = {
	"UPDATE appt.appointment a"
	" SET status = $2, reason = $3, lane = $4, priority = $5,"
	" skipped_at = $6, checked_in_at = $7, started_at = $8,"
	" completed_at = $9, cancelled_at = $10, confirmed_at = $11,"
	" version = a.version + 1"
	" WHERE a.appointment_no = $1"
	" RETURNING a",
	11, {INT8OID, TEXTOID, TEXTOID, INT2OID, INT2OID, TIMESTAMPTZOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID}
};

pg_noreturn static void refuse_reference(const Appointment *appointment,
										 const char *object, const char *id);
static char *write_json(const Appointment *a);
static bool is_one_of(const char *value, const char *const *names, int n);
static char *text_or_null(const Datum *values, const bool *nulls, int column);

bool
appointment_is_status(const char *status)
{
	return is_one_of(status, statuses, lengthof(statuses));
}

bool
appointment_is_source(const char *source)
{
	return is_one_of(source, sources, lengthof(sources));
}

/*
 * Reads a composite Datum; everything is in the current context.  A row that an
 * SQL caller made up obeys none of the table's constraints.
 */
Appointment *
appointment_from_row(Datum row)
{
	Datum		values[COL_COUNT];
	bool		nulls[COL_COUNT];
	Appointment *a = palloc_object(Appointment);

	row_read(&reader, DatumGetRow(row), values, nulls);

#define TEXT(col) text_or_null(values, nulls, COL_##col)
#define TIME(col) DatumGetTimestampTz(values[COL_##col])
#define TIME_OR_NONE(col) \
	(nulls[COL_##col] ? (OptionalTime) {0} : appt_time(TIME(col)))
#define INT4(col) (nulls[COL_##col] ? 0 : DatumGetInt32(values[COL_##col]))
#define INT2(col) (nulls[COL_##col] ? 0 : DatumGetInt16(values[COL_##col]))
	*a = (Appointment) {
		.row = row,
		.appointment_id = TEXT(APPOINTMENT_ID),
		.appointment_no = DatumGetInt64(values[COL_APPOINTMENT_NO]),
		.patient_id = TEXT(PATIENT_ID),
		.doctor_id = TEXT(DOCTOR_ID),
		.branch_id = TEXT(BRANCH_ID),
		.slot_start = TIME(SLOT_START),
		.slot_end = TIME(SLOT_END),
		.visit_type = TEXT(VISIT_TYPE),
		.status = TEXT(STATUS),
		.token_number = INT4(TOKEN_NUMBER),
		.token_date = INT4(TOKEN_DATE),
		.source = TEXT(SOURCE),
		.notes = TEXT(NOTES),
		.version = INT4(VERSION),
		.reschedule_count = INT4(RESCHEDULE_COUNT),
		.reason = TEXT(REASON),
		.priority = INT2(PRIORITY),
		.override = DatumGetBool(values[COL_OVERRIDE]),
		.skipped_at = TIME_OR_NONE(SKIPPED_AT),
		.booked_at = TIME(BOOKED_AT),
		.checked_in_at = TIME_OR_NONE(CHECKED_IN_AT),
		.started_at = TIME_OR_NONE(STARTED_AT),
		.completed_at = TIME_OR_NONE(COMPLETED_AT),
		.cancelled_at = TIME_OR_NONE(CANCELLED_AT),
		.confirmed_at = TIME_OR_NONE(CONFIRMED_AT),
		.hold_expires_at = TIME_OR_NONE(HOLD_EXPIRES_AT),
		.held_by = TEXT(HELD_BY),
		.doctor_no = INT4(DOCTOR_NO),
		.patient_no = INT4(PATIENT_NO),
		.lane = INT2(LANE),
		.buffer_before_min = INT2(BUFFER_BEFORE_MIN),
		.buffer_after_min = INT2(BUFFER_AFTER_MIN)
	};
#undef TEXT
#undef TIME
#undef TIME_OR_NONE
#undef INT4
#undef INT2
	return a;
}

/*
 * The appointment of that id, never NULL: one that does not exist, that the
 * caller may not see, and a hold are all refused as an unknown id (SB404).
 */
Appointment *
appointment_find(const char *appointment_id, const Caller *caller,
				 ApptLocking locking)
{
	ApptArg		args[] = {appt_arg_text(appointment_id)};
	Appointment *found = NULL;
	bool		isnull;

	appt_require(appointment_id != NULL, "appointment_id");
	if (locking == APPT_FOR_UPDATE
		? appt_run(&find_for_update, args, APPT_LOCK)
		: appt_run(&find, args, APPT_READ_LATEST))
		found = appointment_from_row(appt_field(0, 1, &isnull));
	if (found == NULL || appointment_is(found, "held") ||
		!caller_sees_visit(caller, found->branch_id, found->doctor_no))
		reference_unknown_id(ID_ADDRESSED, "appointment", appointment_id,
							 "appointment_id");
	return found;
}

bool
appointment_is(const Appointment *appointment, const char *status)
{
	return strcmp(appointment->status, status) == 0;
}

/* Refuses a change that was meant for another version. */
void
appointment_check_version(const Appointment *appointment,
						  OptionalInt expected_version)
{
	if (!expected_version.given ||
		expected_version.value == appointment->version)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(VERSION_MISMATCH),
			 errmsg("appointment \"%s\" has version %d, not %d",
					appointment->appointment_id, appointment->version,
					expected_version.value)));
}

/*
 * Inserts an appointment or a hold, and returns it as it is now.  The caller
 * holds the locks of booking.c.
 */
Appointment *
appointment_insert(const Appointment *a)
{
	bool		is_hold = appointment_is(a, "held");
	StoredRow	other;
	ApptArg		args[COL_COUNT] = {
		[COL_APPOINTMENT_ID] = appt_arg_text(a->appointment_id),
		[COL_APPOINTMENT_NO] = appt_arg(Int64GetDatum(a->appointment_no)),
		[COL_PATIENT_ID] = appt_arg_text(a->patient_id),
		[COL_DOCTOR_ID] = appt_arg_text(a->doctor_id),
		[COL_BRANCH_ID] = appt_arg_text(a->branch_id),
		[COL_SLOT_START] = appt_arg_time(a->slot_start),
		[COL_SLOT_END] = appt_arg_time(a->slot_end),
		[COL_VISIT_TYPE] = appt_arg_text(a->visit_type),
		[COL_STATUS] = appt_arg_text(a->status),
		[COL_TOKEN_NUMBER] = is_hold ? appt_arg_null()
			: appt_arg(Int32GetDatum(a->token_number)),
		[COL_TOKEN_DATE] = appt_arg(DateADTGetDatum(a->token_date)),
		[COL_SOURCE] = appt_arg_text(a->source),
		[COL_NOTES] = appt_arg_text(a->notes),
		[COL_VERSION] = appt_arg(Int32GetDatum(1)),
		[COL_RESCHEDULE_COUNT] = appt_arg(Int32GetDatum(0)),
		[COL_REASON] = appt_arg_null(),
		[COL_PRIORITY] = appt_arg(Int16GetDatum(0)),
		[COL_SKIPPED_AT] = appt_arg_null(),
		[COL_OVERRIDE] = appt_arg(BoolGetDatum(a->override)),
		[COL_BOOKED_AT] = appt_arg_time(a->booked_at),
		[COL_CHECKED_IN_AT] = appt_arg_optional_time(a->checked_in_at),
		[COL_STARTED_AT] = appt_arg_null(),
		[COL_COMPLETED_AT] = appt_arg_null(),
		[COL_CANCELLED_AT] = appt_arg_null(),
		[COL_CONFIRMED_AT] = appt_arg_null(),
		[COL_HOLD_EXPIRES_AT] = appt_arg_optional_time(a->hold_expires_at),
		[COL_HELD_BY] = appt_arg_text(a->held_by),
		[COL_DOCTOR_NO] = appt_arg(Int32GetDatum(a->doctor_no)),
		[COL_PATIENT_NO] = is_hold ? appt_arg_null()
			: appt_arg(Int32GetDatum(a->patient_no)),
		[COL_LANE] = appt_arg(Int16GetDatum(a->lane)),
		[COL_BUFFER_BEFORE_MIN] = appt_arg(Int16GetDatum(a->buffer_before_min)),
		[COL_BUFFER_AFTER_MIN] = appt_arg(Int16GetDatum(a->buffer_after_min)),
		[COL_WALL_START] = appt_arg(TimestampGetDatum(
			appt_local_time(a->slot_start, appointment_zone(a))))
	};

	other = stored_expect(a->appointment_no);
	if (appt_run(&insert, args, APPT_WRITE) != 1)
		appt_refuse_kept_out("appointment");
	return appointment_from_row(stored_row(a->appointment_no, other));
}

/*
 * Stores what the life cycle changes and returns the row as it is now, its
 * version raised.  The caller holds the row's lock.
 */
Appointment *
appointment_store(const Appointment *a)
{
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(a->appointment_no)),
		appt_arg_text(a->status),
		appt_arg_text(a->reason),
		appt_arg(Int16GetDatum(a->lane)),
		appt_arg(Int16GetDatum(a->priority)),
		appt_arg_optional_time(a->skipped_at),
		appt_arg_optional_time(a->checked_in_at),
		appt_arg_optional_time(a->started_at),
		appt_arg_optional_time(a->completed_at),
		appt_arg_optional_time(a->cancelled_at),
		appt_arg_optional_time(a->confirmed_at)
	};
	bool		isnull;

	if (appt_run(&store, args, APPT_WRITE) != 1)
		elog(ERROR, "appointment \"%s\" is gone", a->appointment_id);
	return appointment_from_row(appt_field(0, 1, &isnull));
}

/*
 * The appointment's branch from the cache; raises where there is none, as a row
 * that the engine did not write may name any.
 */
Branch *
appointment_branch(const Appointment *appointment)
{
	Branch	   *branch = schedule_branch(appointment->branch_id);

	if (branch == NULL)
		refuse_reference(appointment, "branch", appointment->branch_id);
	return branch;
}

/* The zone of its branch. */
pg_tz *
appointment_zone(const Appointment *appointment)
{
	return schedule_zone(appointment_branch(appointment));
}

/*
 * The zone that its times are shown in: UTC where this server does not know
 * its branch's, as a list must not fail for one of its rows.
 */
pg_tz *
appointment_shown_zone(const Appointment *appointment)
{
	const Branch *branch = appointment_branch(appointment);

	return branch->zone != NULL ? branch->zone : appt_zone("UTC");
}

/* The settings for its doctor at its branch; raises like the branch. */
const Rules *
appointment_rules(const Appointment *appointment)
{
	Doctor	   *doctor = schedule_doctor(appointment->doctor_id);

	if (doctor == NULL)
		refuse_reference(appointment, "doctor", appointment->doctor_id);
	return schedule_rules(doctor, appointment_branch(appointment));
}

static void
refuse_reference(const Appointment *appointment, const char *object,
				 const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("%s \"%s\" of appointment \"%s\" does not exist",
					object, id, appointment->appointment_id)));
}

/*
 * The appointment object (docs/rest.md, Answers): what an event has for its
 * data and an answer for its body.
 */
const char *
appointment_json(Appointment *a)
{
	if (a->json == NULL)
		a->json = write_json(a);
	return a->json;
}

static char *
write_json(const Appointment *a)
{
	pg_tz	   *zone = appointment_shown_zone(a);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	appt_json_text(&out, "appointment_id", a->appointment_id);
	appt_json_text(&out, "patient_id", a->patient_id);
	appt_json_text(&out, "doctor_id", a->doctor_id);
	appt_json_text(&out, "branch_id", a->branch_id);
	appt_json_time(&out, "slot_start", a->slot_start, zone);
	appt_json_time(&out, "slot_end", a->slot_end, zone);
	appt_json_text(&out, "visit_type", a->visit_type);
	appt_json_text(&out, "status", a->status);
	appt_json_int(&out, "token_number", a->token_number);
	appt_json_date(&out, "token_date", a->token_date);
	appt_json_text(&out, "source", a->source);
	appt_json_text(&out, "notes", a->notes);
	appt_json_int(&out, "version", a->version);
	appt_json_int(&out, "reschedule_count", a->reschedule_count);
	appt_json_text(&out, "reason", a->reason);
	appt_json_time(&out, "booked_at", a->booked_at, zone);
	appt_json_optional_time(&out, "checked_in_at", a->checked_in_at, zone);
	appt_json_optional_time(&out, "started_at", a->started_at, zone);
	appt_json_optional_time(&out, "completed_at", a->completed_at, zone);
	appt_json_optional_time(&out, "cancelled_at", a->cancelled_at, zone);
	appt_json_optional_time(&out, "confirmed_at", a->confirmed_at, zone);
	appendStringInfoChar(&out, '}');
	return out.data;
}

static bool
is_one_of(const char *value, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(value, names[i]) == 0)
			return true;
	}
	return false;
}

static char *
text_or_null(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? NULL : TextDatumGetCString(values[column]);
}
