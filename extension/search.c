/*
 * search.c
 *		The first free slot among several doctors.
 */
#include "booking.h"

#include "catalog/pg_type.h"

/* The first look covers what is most often found, the day itself anywhere. */
#define FIRST_DAYS	3
#define STEP_DAYS	7

static ApptStatement departments = {
	"SELECT FROM appt.department WHERE department_id = $1",
	1, {TEXTOID}
};

static ApptStatement doctors = {
	"SELECT doctor_id"
	" FROM appt.doctor"
	" WHERE active"
	" AND ($1 IS NULL OR lower(specialty) = lower($1))"
	" AND ($2 IS NULL OR department_id = $2)"
	" ORDER BY doctor_id",
	2, {TEXTOID, TEXTOID}
};

static bool search_doctor(const SearchQuery *query, const char *doctor_id,
						  OfferedSlot *best, bool found);
static const OfferedSlot *first_accepted(const SearchQuery *query,
										 const SlotQuery *slots,
										 TimestampTz from);
static DateADT last_date(Doctor *doctor, TimestampTz now);

/*
 * Finds the earliest free slot from query->from on, within the booking
 * horizon; of equally early ones the doctor named first wins.
 */
bool
search_first(const SearchQuery *query, OfferedSlot *best)
{
	bool		found = false;

	for (int i = 0; i < query->ndoctors; i++)
		found = search_doctor(query, query->doctor_ids[i], best, found);
	return found;
}

/*
 * Asks for the active doctors of a specialty, whatever its case, of a
 * department, or (neither is NULL) of both, whom the caller sees.
 */
void
search_doctors(SearchQuery *query, const char *specialty,
			   const char *department_id)
{
	ApptArg		department[] = {appt_arg_text(department_id)};
	ApptArg		args[] = {appt_arg_text(specialty),
	appt_arg_text(department_id)};
	const char **found;
	int			n;

	if (department_id != NULL &&
		appt_run(&departments, department, APPT_READ_LATEST) == 0)
		reference_unknown_id(ID_ADDRESSED, "department", department_id,
							 "department_id");
	n = appt_run(&doctors, args, APPT_READ_LATEST);
	found = palloc_array(const char *, n + 1);
	for (int i = 0; i < n; i++)
		found[i] = appt_field_text(i, 1);

	/* Only now: loading the cache overwrites SPI_tuptable. */
	query->doctor_ids = palloc_array(const char *, n + 1);
	for (int i = 0; i < n; i++)
	{
		const Doctor *doctor = schedule_doctor(found[i]);

		if (doctor != NULL && caller_sees_doctor(query->caller, doctor))
			query->doctor_ids[query->ndoctors++] = found[i];
	}
}

/* Looks some days at a time, no further than what was found so far. */
static bool
search_doctor(const SearchQuery *query, const char *doctor_id,
			  OfferedSlot *best, bool found)
{
	pg_tz	   *utc = appt_utc();
	TimestampTz now = appt_now();
	TimestampTz from = Max(query->from, now);
	Doctor	   *doctor = schedule_doctor(doctor_id);
	DateADT		date = appt_local_date(from, utc) - 1;
	DateADT		last;
	int			ndays = FIRST_DAYS;
	SlotQuery	slots = {
		.doctor_id = doctor_id,
		.branch_id = query->branch_id,
		.visit_type = query->visit_type,
		.moves = query->moves,
		.duration_min = query->duration_min,
		.every_branch = true,
		.any_place = true,
		.caller = query->caller,
		.access = query->access
	};

	if (doctor == NULL || !doctor->active ||
		!caller_sees_doctor(query->caller, doctor))
		reference_unknown_id(ID_ADDRESSED, "doctor", doctor_id,
							 query->doctor_field);
	if (found)
		last = appt_local_date(best->slot.start, utc) + 1;
	else
		last = last_date(doctor, now);

	for (; date <= last; date += ndays, ndays = STEP_DAYS)
	{
		const OfferedSlot *earliest;

		slots.from_date = date;
		slots.to_date = date + ndays - 1;
		earliest = first_accepted(query, &slots, from);
		if (earliest == NULL)
			continue;
		if (!found || earliest->slot.start < best->slot.start)
			*best = *earliest;
		return true;
	}
	return found;
}

/* Of the slots that are free then, the earliest that will do; NULL if none. */
static const OfferedSlot *
first_accepted(const SearchQuery *query, const SlotQuery *slots,
			   TimestampTz from)
{
	OfferedSlot *offered;
	const OfferedSlot *earliest = NULL;
	int			n = availability_list(slots, &offered);

	for (int i = 0; i < n; i++)
	{
		if (offered[i].slot.start >= from &&
			(earliest == NULL ||
			 offered[i].slot.start < earliest->slot.start) &&
			(query->accepts == NULL ||
			 query->accepts(&offered[i], query->context)))
			earliest = &offered[i];
	}
	return earliest;
}

/* No slot of the doctor lies beyond it. */
static DateADT
last_date(Doctor *doctor, TimestampTz now)
{
	int			horizon_days = 0;

	for (int i = 0; i < doctor->nhours; i++)
	{
		const Rules *rules = schedule_rules(doctor, doctor->hours[i].branch);

		horizon_days = Max(horizon_days, rules->horizon_days);
	}
	return appt_local_date(now, appt_utc()) + horizon_days + 1;
}
