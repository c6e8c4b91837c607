/*
 * length.c
 *		How long a visit may be: as long as its type says; of a type that says
 *		nothing as long as the slot, or as is asked for up to a limit.
 */
#include "booking.h"

/* Refuses a length that no slot can have. */
void
length_check_slot(TimestampTz start, TimestampTz end, const char *field)
{
	int64		length = end - start;

	if (length >= MINUTES(APPT_MIN_DURATION_MIN) &&
		length <= MINUTES(APPT_MAX_DURATION_MIN) &&
		length % MINUTES(1) == 0)
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 errmsg("%s does not make a slot of %d to %d whole minutes",
					field, APPT_MIN_DURATION_MIN, APPT_MAX_DURATION_MIN),
			 appt_errfield(field)));
}

/* Whether a visit, of that type if not NULL, may last so many minutes. */
bool
length_is_allowed(const Place *place, const VisitType *visit, int length_min)
{
	if (visit != NULL && visit->duration_min > 0)
		return length_min == visit->duration_min;
	return length_min <= Max(place->rules->max_duration_min,
							 length_longest_slot(place));
}

/* Refuses one that is not allowed, by what makes it so. */
void
length_refuse(const Place *place, const VisitType *visit, const char *field)
{
	bool		by_type = visit != NULL && visit->duration_min > 0;
	int			limit_min = by_type ? visit->duration_min
		: Max(place->rules->max_duration_min, length_longest_slot(place));

	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 by_type
			 ? errmsg("%s must make a visit of %d minutes", field, limit_min)
			 : errmsg("%s can make a visit of at most %d minutes",
					  field, limit_min),
			 by_type
			 ? errdetail("A visit of type \"%s\" takes %d minutes.",
						 visit->visit_type, limit_min)
			 : errdetail("%s sees nobody for longer at %s.",
						 place->doctor->name, place->branch->branch_id),
			 appt_errfield(field)));
}

/* Minutes of the longest slot that the doctor's hours at the branch make. */
int
length_longest_slot(const Place *place)
{
	const Doctor *doctor = place->doctor;
	int			length_min = length_default_slot(place);

	for (int i = 0; i < doctor->nhours; i++)
	{
		if (doctor->hours[i].branch == place->branch)
			length_min = Max(length_min, doctor->hours[i].slot_min);
	}
	return length_min;
}

/* Minutes of a slot where no session says it. */
int
length_default_slot(const Place *place)
{
	return place->doctor->slot_min > 0
		? place->doctor->slot_min
		: place->branch->slot_min;
}
