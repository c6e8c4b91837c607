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
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"
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

static void check_snapshot(ApptStatement *find, int no, const char *object);
static void check_row(Relation table, HeapTuple row);
static char *text_column(Relation table, HeapTuple row, const char *name);
static int	int_column(Relation table, HeapTuple row, const char *name);
pg_noreturn static void refuse(Relation table, HeapTuple row,
							   const char *object, const char *id);

PG_FUNCTION_INFO_V1(appt_appointment_refers);

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

/*
 * AFTER row trigger of appt.appointment.  A dump brings appointments before
 * doctors, for want of a foreign key that would put them in order.
 */
Datum
appt_appointment_refers(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"appointment", NULL};
	static const TriggerUse use = {
		.function = "appt_internal.appointment_refers",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = tables
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);

	if (!appt_in_restore())
		check_row(trigger->tg_relation,
				  TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)
				  ? trigger->tg_newtuple : trigger->tg_trigtuple);
	return PointerGetDatum(NULL);
}

static void
check_row(Relation table, HeapTuple row)
{
	char	   *doctor_id = text_column(table, row, "doctor_id");
	char	   *branch_id = text_column(table, row, "branch_id");
	int			doctor_no = int_column(table, row, "doctor_no");
	const Doctor *doctor;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	schedule_refresh();
	doctor = schedule_doctor(doctor_id);
	if (doctor == NULL)
		refuse(table, row, "doctor", doctor_id);
	if (doctor->doctor_no != doctor_no)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("doctor_no %d of appointment \"%s\" is not that of doctor \"%s\"",
						doctor_no, text_column(table, row, "appointment_id"),
						doctor_id),
				 errdetail("It is %d.", doctor->doctor_no)));
	if (schedule_branch(branch_id) == NULL)
		refuse(table, row, "branch", branch_id);
	SPI_finish();
}

/* A column that the table has NOT NULL, here and below. */
static char *
text_column(Relation table, HeapTuple row, const char *name)
{
	TupleDesc	desc = RelationGetDescr(table);
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, SPI_fnumber(desc, name),
									  &isnull);

	return isnull ? "" : TextDatumGetCString(value);
}

static int
int_column(Relation table, HeapTuple row, const char *name)
{
	TupleDesc	desc = RelationGetDescr(table);
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, SPI_fnumber(desc, name),
									  &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static void
refuse(Relation table, HeapTuple row, const char *object, const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("%s \"%s\" of appointment \"%s\" does not exist",
					object, id, text_column(table, row, "appointment_id"))));
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
