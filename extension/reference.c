/*
 * reference.c
 *		What an appointment refers to, checked for the rows of any writer; and
 *		how an id that refers to nothing is answered.
 *
 * A foreign key to doctors and branches would lock the doctor's and the
 * branch's one row in every booking.  A trigger looks into the cached schedule
 * instead: it keeps out history that is loaded with codes that nobody entered.
 */
#include "appointment.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

static ApptStatement find_patient = {
	"SELECT"
	" FROM appt.patient"
	" WHERE patient_no = $1",
	1, {INT4OID}
};

static ApptStatement find_doctor = {
	"SELECT"
	" FROM appt.doctor"
	" WHERE doctor_no = $1",
	1, {INT4OID}
};

/* What a change of any visit makes another. */
#define VISITS_SUM \
	"SELECT count(*), sum(version)" \
	" FROM appt.appointment"

static ApptStatement visits_of_patient = {
	VISITS_SUM " WHERE patient_no = $1",
	1, {INT4OID}
};

static ApptStatement visits_at_branch = {
	VISITS_SUM " WHERE branch_id = $1",
	1, {TEXTOID}
};

static void check_snapshot(ApptStatement *find, int no, const char *object);
static void check_visits(ApptStatement *sum, ApptArg of);
static void sum_visits(ApptStatement *sum, const ApptArg *of,
					   ApptAccess access, int64 *sums);
pg_noreturn static void refuse(const char *appointment_id, const char *object,
							   const char *id);

PG_FUNCTION_INFO_V1(appt_check_branch_visits);
PG_FUNCTION_INFO_V1(appt_check_patient_visits);

/*
 * Refuses a patient whose row is there but newer than the snapshot of this
 * transaction, which the foreign key would call missing.
 */
void
reference_check_patient(int patient_no)
{
	check_snapshot(&find_patient, patient_no, "patient");
}

/* The same of a doctor. */
void
reference_check_doctor(int doctor_no)
{
	check_snapshot(&find_doctor, doctor_no, "doctor");
}

/* READ COMMITTED has a snapshot for each statement, and nothing is asked. */
static void
check_snapshot(ApptStatement *find, int no, const char *object)
{
	ApptArg		args[] = {appt_arg(Int32GetDatum(no))};
	uint64		found;

	if (!IsolationUsesXactSnapshot())
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	found = appt_run(find, args, APPT_READ);
	PopActiveSnapshot();
	if (found == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: the %s was entered after this transaction began",
						object),
				 errhint("Run the whole transaction again.")));
}

/* The visits at a branch, for a function in SQL that decides by them. */
Datum
appt_check_branch_visits(PG_FUNCTION_ARGS)
{
	check_visits(&visits_at_branch, appt_arg(PG_GETARG_DATUM(0)));
	PG_RETURN_VOID();
}

/* The same of a patient's. */
Datum
appt_check_patient_visits(PG_FUNCTION_ARGS)
{
	check_visits(&visits_of_patient, appt_arg(PG_GETARG_DATUM(0)));
	PG_RETURN_VOID();
}

/* Refuses where what is committed is not what this transaction sees. */
static void
check_visits(ApptStatement *sum, ApptArg of)
{
	int64		seen[2];
	int64		now[2];

	if (!IsolationUsesXactSnapshot())
		return;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	sum_visits(sum, &of, APPT_READ, seen);
	PopActiveSnapshot();
	sum_visits(sum, &of, APPT_READ_LATEST, now);
	SPI_finish();
	if (seen[0] != now[0] || seen[1] != now[1])
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: visits were changed after this transaction began"),
				 errhint("Run the whole transaction again.")));
}

static void
sum_visits(ApptStatement *sum, const ApptArg *of, ApptAccess access,
		   int64 *sums)
{
	bool		isnull;

	(void) appt_run(sum, of, access);
	sums[0] = DatumGetInt64(appt_field(0, 1, &isnull));
	sums[1] = DatumGetInt64(appt_field(0, 2, &isnull));
}

/*
 * Refuses a row of appt.appointment whose doctor or branch does not exist, or
 * whose doctor_no is another doctor's.
 */
void
reference_check_row(const char *appointment_id, const char *doctor_id,
					int doctor_no, const char *branch_id)
{
	const Doctor *doctor;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	schedule_refresh();
	doctor = schedule_doctor(doctor_id);
	if (doctor == NULL)
		refuse(appointment_id, "doctor", doctor_id);
	if (doctor->doctor_no != doctor_no)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("doctor_no %d of appointment \"%s\" is not that of doctor \"%s\"",
						doctor_no, appointment_id, doctor_id),
				 errdetail("It is %d.", doctor->doctor_no)));
	if (schedule_branch(branch_id) == NULL)
		refuse(appointment_id, "branch", branch_id);
	SPI_finish();
}

static void
refuse(const char *appointment_id, const char *object, const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("%s \"%s\" of appointment \"%s\" does not exist",
					object, id, appointment_id)));
}

/*
 * Answers an id that does not exist, is inactive or may not be seen: the three
 * look alike.
 */
void
reference_unknown_id(IdOrigin origin, const char *object, const char *id,
					 const char *field)
{
	ereport(ERROR,
			(errcode(appt_sqlstate(origin == ID_IN_BODY
								   ? APPT_ERR_UNKNOWN_REFERENCE
								   : APPT_ERR_NOT_FOUND)),
			 errmsg("%s \"%s\" does not exist", object, id),
			 appt_errfield(field)));
}
