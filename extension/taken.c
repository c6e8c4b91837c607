/*
 * taken.c
 *		Whose time an appointment takes: the conditions and a value of the
 *		overlap constraints of appt.appointment.
 *
 * A statement that writes prepares the expressions and conditions of its
 * table's indexes anew, each operator by itself, so each is one call here.
 *
 * An index has what these say of a row when it is written.  A library in which
 * they say otherwise needs an update script as occupancy.c describes it.
 */
#include "appt.h"

#include "common/int.h"
#include "utils/builtins.h"

static bool is_one_of(const char *status, const char *const *statuses);

/* Of these an appointment takes neither its place nor its patient's time. */
static const char *const undone[] = {"cancelled", "no_show", NULL};

/* A patient who has left, or whose place is not yet his, is free. */
static const char *const absent[] = {"completed", "held", NULL};

static const char *const completed[] = {"completed", NULL};

PG_FUNCTION_INFO_V1(appt_place_time);
PG_FUNCTION_INFO_V1(appt_takes_place);
PG_FUNCTION_INFO_V1(appt_takes_patient);

/* place_time(doctor_no, lane, slot_start, slot_end) */
Datum
appt_place_time(PG_FUNCTION_ARGS)
{
	int32		key;

	if (pg_mul_s32_overflow(PG_GETARG_INT32(0), APPT_LANES, &key) ||
		pg_add_s32_overflow(key, PG_GETARG_INT16(1), &key))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("doctor_no %d is out of range", PG_GETARG_INT32(0))));
	return DirectFunctionCall3(appt_occupancy, Int32GetDatum(key),
							   PG_GETARG_DATUM(2), PG_GETARG_DATUM(3));
}

/* takes_place(status, lane) */
Datum
appt_takes_place(PG_FUNCTION_ARGS)
{
	const char *status = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		is_bookable = PG_GETARG_INT16(1) < APPT_BOOKABLE_LANES;

	PG_RETURN_BOOL(!is_one_of(status, undone) &&
				   (is_bookable || !is_one_of(status, completed)));
}

/* takes_patient(status) */
Datum
appt_takes_patient(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(taken_of_patient(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/* Whether an appointment of that status takes its patient's time. */
bool
taken_of_patient(const char *status)
{
	return !is_one_of(status, undone) && !is_one_of(status, absent);
}

static bool
is_one_of(const char *status, const char *const *statuses)
{
	for (; *statuses != NULL; statuses++)
	{
		if (strcmp(status, *statuses) == 0)
			return true;
	}
	return false;
}
