/*
 * token.c
 *		The doctor-day row: a lock, and the counter of the day's tokens.
 *
 * A number is drawn and the row locked by one update.  What rolls back gives
 * its number back, so the day's numbers are 1, 2, 3, … without a gap and none
 * is given twice.
 *
 * Whoever has the row keeps it to the end of his transaction, and the others
 * queue for the day's lock of lock.c, which he keeps as well: a commit then
 * wakes the first of them alone, while the row by itself would wake all.  Of
 * the days of a transaction that books on many only the first keep that lock,
 * for the server's lock table is small; of the others the first in the queue
 * waits for the row, with the lock in hand.  So who has the row never queues.
 */
#include "appointment.h"

#include "access/xact.h"
#include "catalog/pg_type.h"

/* Days of a transaction that keep their lock to its end; a move has two. */
#define MAX_KEPT_LOCKS	8

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

/* The transaction that made the newest version of the row that we see. */
static ApptStatement find_writer = {
	"SELECT xmin"
	" FROM appt.doctor_day"
	" WHERE doctor_no = $1 AND on_date = $2",
	2, {INT4OID, DATEOID}
};

static int	compare_days(const void *a, const void *b);
static void lock_day(DoctorDay *day);
static bool queue_up(const DoctorDay *day, uint64 key);
static bool may_keep_lock(void);
static bool is_ours(const DoctorDay *day);
static uint64 lock_key(const DoctorDay *day);
static void take(DoctorDay *day);

/*
 * Locks the days to the end of the transaction, in their order, and draws a
 * number on those that ask for one.  No day may be given twice.
 */
void
token_lock_days(DoctorDay *days, int ndays)
{
	if (ndays > 1)
		qsort(days, ndays, sizeof(DoctorDay), compare_days);
	for (int i = 0; i < ndays; i++)
		lock_day(&days[i]);
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

static void
lock_day(DoctorDay *day)
{
	uint64		key = lock_key(day);
	bool		queued = queue_up(day, key);

	take(day);
	if (queued && !may_keep_lock())
		appt_unlock_exclusive(APPT_LOCK_DAY, key);
}

/* Counts the locks that this transaction keeps, those given back as well. */
static bool
may_keep_lock(void)
{
	static TransactionId counted = InvalidTransactionId;
	static int	kept = 0;
	TransactionId now = GetTopTransactionId();

	if (now != counted)
	{
		counted = now;
		kept = 0;
	}
	return kept++ < MAX_KEPT_LOCKS;
}

/* Waits to be the first of the queue; false for who has the row without it. */
static bool
queue_up(const DoctorDay *day, uint64 key)
{
	if (appt_try_lock_exclusive(APPT_LOCK_DAY, key))
		return true;
	if (is_ours(day))
		return false;
	appt_lock_exclusive(APPT_LOCK_DAY, key);
	return true;
}

/* Whether this transaction has written the day's row before. */
static bool
is_ours(const DoctorDay *day)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(day->doctor_no)),
		appt_arg(DateADTGetDatum(day->on_date))
	};
	bool		isnull;

	return appt_run(&find_writer, args, APPT_READ_LATEST) > 0 &&
		TransactionIdIsCurrentTransactionId(
			DatumGetTransactionId(appt_field(0, 1, &isnull)));
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

	if (appt_run(&take_day, args, APPT_LOCK) != 1)
	{
		reference_check_doctor(day->doctor_no);
		if (appt_run(&open_day, args, APPT_LOCK) != 1)
			appt_refuse_kept_out("doctor_day");
	}
	day->token_number = DatumGetInt32(appt_field(0, 1, &isnull));
}
