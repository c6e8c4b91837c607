/*
 * patient.c
 *		What a booking needs to know of a patient.
 *
 * The patient's row is locked after the doctor-day's; under it the daily limit
 * is exact and nothing that is new at a time of the patient's meets another
 * such in the patient's overlap constraint, where the two could deadlock.
 */
#include "booking.h"

#include "catalog/pg_type.h"

/*
 * The row's lock keeps out who books, changes or erases the patient meanwhile;
 * what somebody who was waited for has changed is judged anew.
 */
static ApptStatement lock_active = {
	"SELECT p.patient_no::integer"
	" FROM appt.patient p"
	" WHERE p.patient_id = $1 AND p.active"
	" FOR NO KEY UPDATE",
	1, {TEXTOID}
};

static ApptStatement lock_no = {
	"SELECT"
	" FROM appt.patient p"
	" WHERE p.patient_no = $1"
	" FOR NO KEY UPDATE",
	1, {INT4OID}
};

/* Whether an API client that is limited to branches sees the patient. */
static ApptStatement sees = {
	"SELECT"
	" FROM appt.patient p"
	" WHERE p.patient_no = $1"
	" AND appt_internal.client_sees_patient($2, p)",
	2, {INT4OID, TEXTOID}
};

static ApptStatement day_count = {
	"SELECT count(*)::integer"
	" FROM appt.appointment"
	" WHERE patient_no = $1 AND token_date = $2 AND appointment_no <> $3"
	" AND status NOT IN ('cancelled', 'no_show')",
	3, {INT4OID, DATEOID, INT8OID}
};

/*
 * By the B-tree: a SERIALIZABLE scan of an SP-GiST index locks all of it.
 * Mostly there is no row, and each condition more is prepared for each
 * statement, so what is near is looked at here.
 */
static ApptStatement near = {
	"SELECT a"
	" FROM appt.appointment a"
	" WHERE a.patient_no = $1 AND a.slot_start > $2 AND a.slot_start < $3",
	3, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static ApptStatement note_look = {
	"SELECT appt_internal.note_access(ARRAY[$1], $2, 'visit')",
	2, {TEXTOID, TEXTOID}
};

static bool has_reached(int patient_no, int limit, DateADT date,
						int64 except_no);
static bool caller_sees_patient(const Caller *caller, int patient_no);

/*
 * Looks up an active patient whom the caller may see, and locks the row.
 * Returns the patient's number; any other id is refused (SBU01).
 */
int
patient_lock(const char *patient_id, const Caller *caller)
{
	ApptArg		args[] = {appt_arg_text(patient_id)};
	int			patient_no = 0;
	bool		isnull;

	appt_require(patient_id != NULL, "patient_id");
	if (appt_run(&lock_active, args, APPT_LOCK) > 0)
		patient_no = DatumGetInt32(appt_field(0, 1, &isnull));
	if (patient_no == 0 || !caller_sees_patient(caller, patient_no))
		reference_unknown_id(ID_IN_BODY, "patient", patient_id, "patient_id");
	reference_check_patient(patient_no);
	return patient_no;
}

/* Locks the row of a patient who is known to exist. */
void
patient_lock_no(int patient_no)
{
	ApptArg		args[] = {appt_arg(Int32GetDatum(patient_no))};

	(void) appt_run(&lock_no, args, APPT_LOCK);
}

/* Refuses one more appointment on a day on which the patient has enough. */
void
patient_check_limit(int patient_no, const Placement *placement,
					int64 except_no)
{
	int			limit = placement->place.rules->patient_daily_limit;

	if (!has_reached(patient_no, limit, placement->date, except_no))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(SLOT_DAILY_LIMIT),
			 errmsg("patient has reached the daily limit of %d", limit),
			 errdetail("A patient can have no more than %d appointments on %s.",
					   limit, appt_spoken_date(placement->date))));
}

/* Whether the patient is free then and below the day's limit. */
bool
patient_can_come(int patient_no, const OfferedSlot *slot, int daily_limit,
				 int64 except_no)
{
	DateADT		date = appt_local_date(slot->slot.start, slot->branch->zone);

	return !patient_is_busy(patient_no, slot->slot.start, slot->slot.end,
							except_no) &&
		!has_reached(patient_no, daily_limit, date, except_no);
}

static bool
has_reached(int patient_no, int limit, DateADT date, int64 except_no)
{
	bool		isnull;
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(patient_no)),
		appt_arg(DateADTGetDatum(date)),
		appt_arg(Int64GetDatum(except_no))
	};

	if (limit == 0)
		return false;
	appt_run(&day_count, args, APPT_READ_LATEST);
	return DatumGetInt32(appt_field(0, 1, &isnull)) >= limit;
}

/*
 * Whether the patient is elsewhere in [start, end).  One who has been there for
 * longer than a visit of the engine's lasts is the overlap constraint's matter.
 */
bool
patient_is_busy(int patient_no, TimestampTz start, TimestampTz end,
				int64 except_no)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(patient_no)),
		appt_arg_time(start - APPT_REACH),
		appt_arg_time(end)
	};
	uint64		n = appt_run(&near, args, APPT_READ_LATEST);
	bool		isnull;

	for (uint64 i = 0; i < n; i++)
	{
		Appointment *a = appointment_from_row(appt_field(i, 1, &isnull));

		if (a->slot_end > start && a->appointment_no != except_no &&
			taken_of_patient(a->status))
			return true;
	}
	return false;
}

/*
 * Refuses a patient who is elsewhere in [start, end), under the patient's lock.
 * The overlap constraint would find it as well, but would wait for the
 * transaction that changes that other appointment, and that one for ours where
 * it meets our row: a deadlock.
 */
void
patient_check_free(int patient_no, const char *patient_id, TimestampTz start,
				   TimestampTz end, int64 except_no)
{
	if (patient_is_busy(patient_no, start, end, except_no))
		patient_refuse_busy(patient_id);
}

/* Raises SB920. */
void
patient_refuse_busy(const char *patient_id)
{
	ereport(ERROR,
			(APPT_ERRCODE(PATIENT_CONFLICT),
			 errmsg("patient \"%s\" has another appointment then", patient_id),
			 errdetail("The patient already has an appointment that overlaps this time.")));
}

/* Notes that a member of staff is shown a visit of the patient's. */
void
patient_note_look(const char *patient_id, const Caller *caller)
{
	ApptArg		args[] = {
		appt_arg_text(patient_id),
		appt_arg_text(caller->client_id)
	};

	if (caller->client_id != NULL &&
		strncmp(caller->client_id, APPT_STAFF_PREFIX,
				strlen(APPT_STAFF_PREFIX)) == 0)
		(void) appt_run(&note_look, args, APPT_WRITE);
}

static bool
caller_sees_patient(const Caller *caller, int patient_no)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(patient_no)),
		appt_arg_text(caller->client_id)
	};

	return !caller->limited || appt_run(&sees, args, APPT_READ_LATEST) > 0;
}
