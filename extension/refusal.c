/*
 * refusal.c
 *		Says why a slot cannot be booked, as a sentence to read out and as an
 *		error.
 */
#include "booking.h"

static ApptError verdict_error(SlotVerdict verdict);

/* Why, in one line that a receptionist can read out; "free" if it is. */
char *
refusal_sentence(SlotVerdict verdict, const Place *place, TimestampTz start)
{
	const char *who = place->doctor->name;
	const char *when = appt_spoken_time(start, place->branch->zone);
	const char *where = place->branch->branch_id;

	switch (verdict)
	{
		case SLOT_FREE:
			return pstrdup("free");
		case SLOT_TAKEN:
			return psprintf("%s is already booked at %s.", who, when);
		case SLOT_HELD:
			return psprintf("%s at %s is being held for another booking; it may come free.",
							who, when);
		case SLOT_OUTSIDE_HOURS:
			return psprintf("%s does not work at %s at %s, or not for so long.",
							who, where, when);
		case SLOT_OFF_GRID:
			return psprintf("No slot of %s begins at %s.", who, when);
		case SLOT_ON_LEAVE:
			return psprintf("%s is away at %s.", who, when);
		case SLOT_CLOSED:
			return psprintf("%s is closed at %s.", where, when);
		case SLOT_IN_PAST:
			return psprintf("%s is in the past.", when);
		case SLOT_LEAD_TIME:
			return psprintf("%s is too soon: bookings are taken until %d minutes before.",
							when, place->rules->lead_time_min);
		case SLOT_BEYOND_HORIZON:
			return psprintf("%s is too far ahead: bookings are taken for the next %d days.",
							when, place->rules->horizon_days);
		case SLOT_DAILY_LIMIT:
			return psprintf("%s takes no more than %d appointments on that day.",
							who, place->rules->doctor_daily_limit);
	}
	pg_unreachable();
}

/* The same in one word, which stands beside slot_unavailable; NULL: free. */
const char *
refusal_reason(SlotVerdict verdict)
{
#define APPT_ERROR_REASON(name, sqlstate, http, code, reason) reason,
	static const char *const reasons[] = {
		APPT_ERROR_TABLE(APPT_ERROR_REASON)
	};

	return verdict == SLOT_FREE ? NULL : reasons[verdict_error(verdict)];
}

/* Refuses a booking at a slot that is not free. */
void
refusal_raise(SlotVerdict verdict, const Place *place, TimestampTz start)
{
	ereport(ERROR,
			(errcode(appt_sqlstate(verdict_error(verdict))),
			 errmsg("slot %s of doctor \"%s\" is not available",
					appt_spoken_time(start, place->branch->zone),
					place->doctor->doctor_id),
			 errdetail("%s", refusal_sentence(verdict, place, start))));
}

static ApptError
verdict_error(SlotVerdict verdict)
{
	switch (verdict)
	{
		case SLOT_FREE:
			break;
		case SLOT_TAKEN:
			return APPT_ERR_SLOT_TAKEN;
		case SLOT_HELD:
			return APPT_ERR_SLOT_HELD;
		case SLOT_OUTSIDE_HOURS:
			return APPT_ERR_SLOT_OUTSIDE_HOURS;
		case SLOT_OFF_GRID:
			return APPT_ERR_SLOT_OFF_GRID;
		case SLOT_ON_LEAVE:
			return APPT_ERR_SLOT_ON_LEAVE;
		case SLOT_CLOSED:
			return APPT_ERR_SLOT_CLOSED;
		case SLOT_IN_PAST:
			return APPT_ERR_SLOT_IN_PAST;
		case SLOT_LEAD_TIME:
			return APPT_ERR_SLOT_LEAD_TIME;
		case SLOT_BEYOND_HORIZON:
			return APPT_ERR_SLOT_BEYOND_HORIZON;
		case SLOT_DAILY_LIMIT:
			return APPT_ERR_SLOT_DAILY_LIMIT;
	}
	elog(ERROR, "slot verdict %d is no refusal", (int) verdict);
	pg_unreachable();
}
