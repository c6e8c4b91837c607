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

#include "catalog/pg_type.h"

/* As every booking of the day but its first does. */
static ApptStatement take_day = {
	"UPDATE appt.doctor_day"
	" SET last_token = last_token + $3"
	" WHERE doctor_no = $1 AND on_date = $2"
	" RETURNING last_token::integer",
	3, {INT4OID, DATEOID, INT4OID}
};

/* The first to come to a day; another may be the first at the same time. */
static ApptStatement open_day = {
	"INSERT INTO appt.doctor_day AS d (doctor_no, on_date, last_token)"
	" VALUES ($1, $2, $3)"
	" ON CONFLICT (doctor_no, on_date)"
	" DO UPDATE SET last_token = d.last_token + $3"
	" RETURNING last_token::integer",
	3, {INT4OID, DATEOID, INT4OID}
};

static int	compare_days(const void *a, const void *b);
static uint64 lock_key(const DoctorDay *day);
static void take(DoctorDay *day);

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
		take(&days[i]);
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

/* Writes the day's row, which locks it; whoever has it first is waited for. */
static void
take(DoctorDay *day)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(day->doctor_no)),
		appt_arg(DateADTGetDatum(day->on_date)),
		appt_arg(Int32GetDatum(day->draw ? 1 : 0))
	};
	bool		isnull;

	if (appt_run(&take_day, args, APPT_WRITE) != 1 &&
		appt_run(&open_day, args, APPT_WRITE) != 1)
		appt_refuse_kept_out("doctor_day");
	day->token_number = DatumGetInt32(appt_field(0, 1, &isnull));
}
