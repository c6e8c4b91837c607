/*
 * token.c
 *		The doctor-day row: a lock, and the counter of the day's tokens.
 *
 * A number is drawn and the row locked by one update.  What rolls back gives
 * its number back, so the day's numbers are 1, 2, 3, … without a gap and none
 * is given twice.  Bookings queue for the day's lock before, which wakes one
 * of them at a time; the row alone would wake all of them for each.
 */
#include "appointment.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* A row of appt.doctor_day. */
typedef struct DayRow
{
	int32		doctor_no;
	DateADT		on_date;
	int32		last_token;
} DayRow;

enum
{
	COL_DOCTOR_NO = 1,
	COL_ON_DATE
};

/* The first to come to a day; another may be the first at the same time. */
static ApptStatement open_day = {
	"INSERT INTO appt.doctor_day AS d (doctor_no, on_date, last_token)"
	" VALUES ($1, $2, $3)"
	" ON CONFLICT (doctor_no, on_date)"
	" DO UPDATE SET last_token = d.last_token + $3"
	" RETURNING last_token",
	3, {INT4OID, DATEOID, INT4OID}
};

static int	compare_days(const void *a, const void *b);
static uint64 lock_key(const DoctorDay *day);
static bool take_day(DoctorDay *day);
static HeapTuple find_day(Relation relation, const DoctorDay *day);
static void take_new_day(DoctorDay *day);

/*
 * Locks the days to the end of the transaction, in their order, and draws a
 * number on those that ask for one.  No day may be given twice.
 */
void
token_lock_days(DoctorDay *days, int ndays)
{
	qsort(days, ndays, sizeof(DoctorDay), compare_days);
	for (int i = 0; i < ndays; i++)
	{
		appt_lock_exclusive(APPT_LOCK_DAY, lock_key(&days[i]));
		if (!take_day(&days[i]))
			take_new_day(&days[i]);
	}
}

static int
compare_days(const void *a, const void *b)
{
	const DoctorDay *x = a;
	const DoctorDay *y = b;

	if (x->doctor_no != y->doctor_no)
		return x->doctor_no < y->doctor_no ? -1 : 1;
	return (x->on_date > y->on_date) - (x->on_date < y->on_date);
}

static uint64
lock_key(const DoctorDay *day)
{
	return (uint64) day->doctor_no << 32 | (uint32) day->on_date;
}

/*
 * Writes the day's row, which locks it; whoever has it first is waited for.
 * False if the day has no row.
 */
static bool
take_day(DoctorDay *day)
{
	Relation	relation = table_open(table_oid("doctor_day"),
									  RowExclusiveLock);
	bool		taken = false;
	HeapTuple	found;

	while (!taken && (found = find_day(relation, day)) != NULL)
	{
		HeapTuple	row = heap_copytuple(found);
		DayRow	   *now = (DayRow *) GETSTRUCT(row);

		if (day->draw)
			now->last_token++;
		day->token_number = now->last_token;
		taken = table_replace(relation, found, row);
	}
	table_close(relation, NoLock);
	return taken;
}

static HeapTuple
find_day(Relation relation, const DoctorDay *day)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], COL_DOCTOR_NO, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(day->doctor_no));
	ScanKeyInit(&keys[1], COL_ON_DATE, BTEqualStrategyNumber, F_DATE_EQ,
				DateADTGetDatum(day->on_date));
	return table_find(relation, RelationGetPrimaryKeyIndex(relation), keys,
					  lengthof(keys));
}

static void
take_new_day(DoctorDay *day)
{
	bool		isnull;
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(day->doctor_no)),
		appt_arg(DateADTGetDatum(day->on_date)),
		appt_arg(Int32GetDatum(day->draw ? 1 : 0))
	};

	appt_run(&open_day, args, APPT_WRITE);
	day->token_number = DatumGetInt32(appt_field(0, 1, &isnull));
}
