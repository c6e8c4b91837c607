/*
 * sessions.c
 *		A doctor's sessions of one date at one branch, as instants.
 */
#include "schedule.h"

static bool applies(const Hours *hours, const Branch *branch, DateADT date,
					int weekday);
static SlotSession to_session(const Hours *hours, const Doctor *doctor,
							  const Branch *branch, DateADT date);
static void add_blocks(SlotDay *day, const SlotBlock *blocks, int nblocks);
static int	compare_sessions(const void *a, const void *b);

/*
 * Fills in the day's sessions, sorted by start, and what blocks them: the
 * branch's closures and the doctor's time off.
 */
void
sessions_of_day(SlotDay *day, const Doctor *doctor, const Branch *branch,
				DateADT date)
{
	int			weekday = appt_iso_weekday(date);

	day->sessions = palloc_array(SlotSession, doctor->nhours + 1);
	day->nsessions = 0;
	for (int i = 0; i < doctor->nhours; i++)
	{
		SlotSession session;

		if (!applies(&doctor->hours[i], branch, date, weekday))
			continue;
		session = to_session(&doctor->hours[i], doctor, branch, date);
		/* A DST gap can swallow a session whole. */
		if (session.start < session.end)
			day->sessions[day->nsessions++] = session;
	}
	if (day->nsessions > 1)
		qsort(day->sessions, day->nsessions, sizeof(SlotSession),
			  compare_sessions);

	day->blocks = NULL;
	day->nblocks = 0;
	add_blocks(day, branch->closures, branch->nclosures);
	add_blocks(day, doctor->time_off, doctor->ntime_off);
}

static bool
applies(const Hours *hours, const Branch *branch, DateADT date, int weekday)
{
	return date >= APPT_FIRST_DATE && date < APPT_END_DATE &&
		hours->branch == branch &&
		(hours->weekday == weekday || hours->weekday == 0) &&
		date >= hours->valid_from && date <= hours->valid_to;
}

static SlotSession
to_session(const Hours *hours, const Doctor *doctor, const Branch *branch,
		   DateADT date)
{
	int			step_min = hours->slot_min;

	if (step_min == 0)
		step_min = doctor->slot_min ? doctor->slot_min : branch->slot_min;
	return (SlotSession) {
		.start = appt_instant(date, hours->start, branch->zone),
		.end = appt_instant(date, hours->end, branch->zone),
		.step_min = step_min,
		.capacity = hours->capacity
	};
}

/* Adds those that meet the day's sessions. */
static void
add_blocks(SlotDay *day, const SlotBlock *blocks, int nblocks)
{
	for (int i = 0; i < nblocks; i++)
	{
		bool		meets = false;

		for (int j = 0; j < day->nsessions && !meets; j++)
			meets = blocks[i].start < day->sessions[j].end &&
				blocks[i].end > day->sessions[j].start;
		if (!meets)
			continue;
		if (day->blocks == NULL)
			day->blocks = palloc_array(SlotBlock, 1);
		else
			day->blocks = repalloc_array(day->blocks, SlotBlock,
										 day->nblocks + 1);
		day->blocks[day->nblocks++] = blocks[i];
	}
}

static int
compare_sessions(const void *a, const void *b)
{
	const SlotSession *x = a;
	const SlotSession *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}
