/*
 * stored.c
 *		The row of appt.appointment that an INSERT has stored.
 *
 * It comes back by the table's row trigger (written.c), which sees it as the
 * triggers before it have left it: for RETURNING PostgreSQL would set up, form
 * and copy it anew.  Where that trigger is disabled a query asks for the row.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/memutils.h"

static ApptStatement find = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.appointment_no = $1",
	1, {INT8OID}
};

/*
 * The row of which number is expected, and that row once it was seen, in
 * TopTransactionContext.  What an error leaves here is looked at by nobody.
 */
static StoredRow expected = {0};

/*
 * Before the INSERT.  Returns what is expected besides: a trigger may book in
 * its turn.
 */
StoredRow
stored_expect(int64 appointment_no)
{
	StoredRow	other = expected;

	expected = (StoredRow) {.appointment_no = appointment_no};
	return other;
}

/* Called by the trigger with each row that was inserted, whoever did. */
void
stored_see(int64 appointment_no, TupleTableSlot *slot)
{
	MemoryContext old;

	if (appointment_no != expected.appointment_no || expected.row != 0)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	expected.row = ExecFetchSlotHeapTupleDatum(slot);
	MemoryContextSwitchTo(old);
}

/*
 * After the INSERT: the row, in the current context.  It is not the one that is
 * expected where a trigger's own booking has failed and the trigger went on.
 */
Datum
stored_row(int64 appointment_no, StoredRow other)
{
	StoredRow	stored = expected;
	ApptArg		args[] = {appt_arg(Int64GetDatum(appointment_no))};
	Datum		row;
	bool		isnull;

	expected = other;
	if (stored.appointment_no != appointment_no || stored.row == 0)
	{
		if (appt_run(&find, args, APPT_READ_LATEST) != 1)
			appt_refuse_kept_out("appointment");
		return appt_field(0, 1, &isnull);
	}
	row = datumCopy(stored.row, false, -1);
	pfree(DatumGetPointer(stored.row));
	return row;
}
