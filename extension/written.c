/*
 * written.c
 *		What follows from a row of appt.appointment that anybody has written.
 *
 * One AFTER row trigger for all: for each that a booking fires PostgreSQL looks
 * for its function anew.  It has no WHEN, which each booking would parse.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/builtins.h"

/* What the trigger reads of a row. */
enum
{
	COL_APPOINTMENT_ID,
	COL_APPOINTMENT_NO,
	COL_DOCTOR_ID,
	COL_DOCTOR_NO,
	COL_BRANCH_ID,
	COL_TOKEN_DATE,
	COL_HOLD_EXPIRES_AT,
	COL_COUNT
};

static const RowColumn columns[COL_COUNT] = {
	[COL_APPOINTMENT_ID] = {"appointment_id", TEXTOID, true},
	[COL_APPOINTMENT_NO] = {"appointment_no", INT8OID, true},
	[COL_DOCTOR_ID] = {"doctor_id", TEXTOID, true},
	[COL_DOCTOR_NO] = {"doctor_no", INT4OID, true},
	[COL_BRANCH_ID] = {"branch_id", TEXTOID, true},
	[COL_TOKEN_DATE] = {"token_date", DATEOID, true},
	[COL_HOLD_EXPIRES_AT] = {"hold_expires_at", TIMESTAMPTZOID, false}
};

static RowReader reader = {"appt.appointment", columns, COL_COUNT};

PG_FUNCTION_INFO_V1(appt_appointment_written);

/*
 * The doctor and the branch must exist, the row comes back to who inserts it,
 * and a hold is noted.  Not in a restore: a dump brings appointments before
 * doctors, for want of a foreign key that would put them in order.
 */
Datum
appt_appointment_written(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"appointment", NULL};
	static const TriggerUse use = {
		.function = "appt_internal.appointment_written",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = tables
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);
	TupleTableSlot *slot = appt_new_row(trigger);
	Datum		row[COL_COUNT];
	bool		nulls[COL_COUNT];

	if (appt_in_restore())
		return PointerGetDatum(NULL);
	row_read_slot(&reader, slot, row, nulls);
	reference_check_row(TextDatumGetCString(row[COL_APPOINTMENT_ID]),
						TextDatumGetCString(row[COL_DOCTOR_ID]),
						DatumGetInt32(row[COL_DOCTOR_NO]),
						TextDatumGetCString(row[COL_BRANCH_ID]));
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(NULL);
	stored_see(DatumGetInt64(row[COL_APPOINTMENT_NO]), slot);
	if (!nulls[COL_HOLD_EXPIRES_AT])
		hold_note(trigger->tg_relation, row[COL_BRANCH_ID],
				  row[COL_DOCTOR_ID], row[COL_TOKEN_DATE]);
	return PointerGetDatum(NULL);
}
