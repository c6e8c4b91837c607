/*
 * bulk.c
 *		Changing many appointments in one transaction.
 *
 * Whoever changes many takes all locks before the first change: absences,
 * branches, doctors, patients, the keys of each class in ascending order.  The
 * doctors are locked exclusively, which keeps everybody else from their days.
 * So two such transactions never wait for each other in a circle, and no
 * change needs a subtransaction to start over in.
 *
 * Each change runs in an SPI connection of its own, whose memory goes with it.
 */
#include "api.h"

#include "miscadmin.h"

static ApptStatement branch_ids = {
	"SELECT branch_id"
	" FROM appt.branch"
};

static int	compare_keys(const void *a, const void *b);
static int	compare_ints(const void *a, const void *b);

/*
 * The rows of a statement with the columns BULK_COLUMNS, in the current
 * context.
 */
BulkList
bulk_load(ApptStatement *statement, const ApptArg *args)
{
	BulkList	list = {.nitems = appt_run(statement, args, APPT_READ_LATEST)};

	list.items = palloc_array(BulkItem, list.nitems);
	for (int i = 0; i < list.nitems; i++)
	{
		bool		no_patient;
		bool		isnull;
		Datum		patient_no = appt_field(i, 3, &no_patient);

		list.items[i] = (BulkItem) {
			.appointment_no = DatumGetInt64(appt_field(i, 1, &isnull)),
			.doctor_no = DatumGetInt32(appt_field(i, 2, &isnull)),
			.patient_no = no_patient ? 0 : DatumGetInt32(patient_no),
			.version = DatumGetInt32(appt_field(i, 4, &isnull)),
			.slot_start = DatumGetTimestampTz(appt_field(i, 5, &isnull)),
			.slot_end = DatumGetTimestampTz(appt_field(i, 6, &isnull)),
			.to_start = DatumGetTimestampTz(appt_field(i, 7, &isnull)),
			.appointment_id = appt_field_text(i, 8),
			.doctor_id = appt_field_text(i, 9),
			.branch_id = appt_field_text(i, 10),
			.visit_type = appt_field_text(i, 11),
			.status = appt_field_text(i, 12)
		};
	}
	SPI_freetuptable(SPI_tuptable);
	return list;
}

/* The lock of absences, and every branch's, shared, with them. */
void
bulk_lock_branches(void)
{
	uint64		n;
	uint64	   *keys;

	appt_lock_shared(APPT_LOCK_ABSENCES, 0);
	n = appt_run(&branch_ids, NULL, APPT_READ_LATEST);
	keys = palloc_array(uint64, n);
	for (uint64 i = 0; i < n; i++)
		keys[i] = appt_lock_key(appt_field_text(i, 1));
	qsort(keys, n, sizeof(uint64), compare_keys);
	for (uint64 i = 0; i < n; i++)
		appt_lock_shared(APPT_LOCK_BRANCH, keys[i]);
}

/* The doctors of the items. */
void
bulk_lock_doctors(const BulkList *list)
{
	int		   *doctors = palloc_array(int, list->nitems);

	for (int i = 0; i < list->nitems; i++)
		doctors[i] = list->items[i].doctor_no;
	qsort(doctors, list->nitems, sizeof(int), compare_ints);
	for (int i = 0; i < list->nitems; i++)
	{
		if (i == 0 || doctors[i] != doctors[i - 1])
			appt_lock_exclusive(APPT_LOCK_DOCTOR, doctors[i]);
	}
}

/* The patients of the items; holds have none. */
void
bulk_lock_patients(const BulkList *list)
{
	int		   *patients = palloc_array(int, list->nitems);
	int			last = 0;

	for (int i = 0; i < list->nitems; i++)
		patients[i] = list->items[i].patient_no;
	qsort(patients, list->nitems, sizeof(int), compare_ints);
	for (int i = 0; i < list->nitems; i++)
	{
		if (patients[i] != last)
			patient_lock_no(patients[i]);
		last = patients[i];
	}
}

/* One change; what it allocates is gone afterwards. */
void
bulk_change(ApptWork work, void *request)
{
	CHECK_FOR_INTERRUPTS();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) work(request);
	SPI_finish();
}

static int
compare_keys(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

static int
compare_ints(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}
