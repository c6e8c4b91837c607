/*
 * sessions.c
 *		A doctor's sessions of one date at one branch, as instants.
 *
 * An extra session takes the place of the weekly hours of its branch that it
 * overlaps: of these the parts before and after it are left.  Where a branch
 * has operating hours, the time outside them is closed: triggers keep sessions
 * within them, and what came past these must not be offered either.
 */
#include "schedule.h"

static void add_sessions(SlotDay *day, const Doctor *doctor,
						 const Branch *branch, DateADT date);
static void go_on_after_midnight(SlotDay *day, const Doctor *doctor,
								 const Branch *branch, DateADT date);
static int	first_extra(const Doctor *doctor, DateADT date);
static SlotSession to_session(const Hours *hours, const Doctor *doctor,
							  DateADT date);
static void add_session(SlotDay *day, SlotSession session);
static void cut_out(SlotDay *day, int n, SlotSession *extra);
static void add_closed_hours(SlotDay *day, const Branch *branch,
							 DateADT date);
static bool has_operating_hours(const Branch *branch, DateADT date);
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
	day->sessions = NULL;
	day->nsessions = 0;
	day->blocks = NULL;
	day->nblocks = 0;
	if (date < APPT_FIRST_DATE || date >= APPT_END_DATE)
		return;
	add_sessions(day, doctor, branch, date);
	if (day->nsessions == 0)
		return;
	go_on_after_midnight(day, doctor, branch, date);
	add_blocks(day, branch->closures, branch->nclosures);
	if (branch->nopen_hours > 0)
	{
		add_closed_hours(day, branch, date);
		add_closed_hours(day, branch, date + 1);	/* after midnight */
	}
	add_blocks(day, doctor->time_off, doctor->ntime_off);
}

/* The weekly hours, less what extra sessions take of them, and these. */
static void
add_sessions(SlotDay *day, const Doctor *doctor, const Branch *branch,
			 DateADT date)
{
	int			weekday = appt_iso_weekday(date);
	int			first = first_extra(doctor, date);
	int			last = first_extra(doctor, date + 1);

	/* Each extra session is one, and cuts at most one other in two. */
	day->sessions = palloc_array(SlotSession,
								 doctor->weekly[weekday] -
								 doctor->weekly[weekday - 1] +
								 2 * (last - first) + 1);
	for (int i = doctor->weekly[weekday - 1]; i < doctor->weekly[weekday]; i++)
	{
		const Hours *hours = &doctor->hours[i];

		if (hours->branch == branch &&
			date >= hours->valid_from && date <= hours->valid_to)
			add_session(day, to_session(hours, doctor, date));
	}
	for (int i = first; i < last; i++)
	{
		SlotSession extra;

		if (doctor->hours[i].branch != branch)
			continue;
		extra = to_session(&doctor->hours[i], doctor, date);
		for (int j = day->nsessions - 1; j >= 0; j--)
			cut_out(day, j, &extra);
		add_session(day, extra);
	}
	if (day->nsessions > 1)
		qsort(day->sessions, day->nsessions, sizeof(SlotSession),
			  compare_sessions);
}

/*
 * A session that ends at midnight goes on with the next day's that begins
 * then, where that has as many places.
 */
static void
go_on_after_midnight(SlotDay *day, const Doctor *doctor,
					 const Branch *branch, DateADT date)
{
	SlotSession *last = &day->sessions[day->nsessions - 1];
	SlotDay		next = {0};

	if (last->end != appt_instant(date, USECS_PER_DAY, branch->zone) ||
		date + 1 >= APPT_END_DATE)
		return;
	add_sessions(&next, doctor, branch, date + 1);
	if (next.nsessions > 0 && next.sessions[0].start == last->end &&
		next.sessions[0].capacity == last->capacity)
		last->until = next.sessions[0].end;
}

/* The first of the doctor's extra sessions on that date or a later one. */
static int
first_extra(const Doctor *doctor, DateADT date)
{
	int			low = doctor->weekly[7];
	int			high = doctor->nhours;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (doctor->hours[middle].valid_from < date)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static SlotSession
to_session(const Hours *hours, const Doctor *doctor, DateADT date)
{
	const Branch *branch = hours->branch;
	int			step_min = hours->slot_min;
	TimestampTz start = appt_instant(date, hours->start, branch->zone);
	TimestampTz end = appt_instant(date, hours->end, branch->zone);

	if (step_min == 0)
		step_min = doctor->slot_min ? doctor->slot_min : branch->slot_min;
	return (SlotSession) {
		.start = start,
		.end = end,
		.until = end,
		.grid = start,
		.step_min = step_min,
		.capacity = hours->capacity
	};
}

/* A DST gap can swallow a session whole. */
static void
add_session(SlotDay *day, SlotSession session)
{
	if (session.start < session.end)
		day->sessions[day->nsessions++] = session;
}

/*
 * Leaves of the n-th session what lies before and after the extra one.  Where
 * both have as many places, a slot may reach from one into the other.
 */
static void
cut_out(SlotDay *day, int n, SlotSession *extra)
{
	SlotSession *session = &day->sessions[n];
	SlotSession rest = *session;
	bool		goes_on = extra->capacity == session->capacity;

	if (extra->start >= extra->end || extra->start >= session->until ||
		extra->end <= session->start)
		return;
	rest.start = Max(extra->end, session->start);
	if (goes_on)
		extra->until = Max(extra->until, session->until);
	else
		session->until = Min(session->until, extra->start);
	session->end = Min(session->end, extra->start);
	if (session->start >= session->end)
		*session = day->sessions[--day->nsessions];
	add_session(day, rest);
}

/* Blocks what lies between a date's operating hours, before and after them. */
static void
add_closed_hours(SlotDay *day, const Branch *branch, DateADT date)
{
	int			weekday = appt_iso_weekday(date);
	SlotBlock	closed = {
		.start = appt_instant(date, 0, branch->zone),
		.closed = true
	};

	if (!has_operating_hours(branch, date))
		return;
	for (int i = 0; i < branch->nopen_hours; i++)
	{
		const OpenHours *hours = &branch->open_hours[i];

		if (hours->weekday != weekday ||
			date < hours->valid_from || date > hours->valid_to)
			continue;
		closed.end = appt_instant(date, hours->opens, branch->zone);
		if (closed.start < closed.end)
			add_blocks(day, &closed, 1);
		closed.start = appt_instant(date, hours->closes, branch->zone);
	}
	closed.end = appt_instant(date, USECS_PER_DAY, branch->zone);
	if (closed.start < closed.end)
		add_blocks(day, &closed, 1);
}

/* Whether any are valid then, for whatever weekday. */
static bool
has_operating_hours(const Branch *branch, DateADT date)
{
	for (int i = 0; i < branch->nopen_hours; i++)
	{
		if (date >= branch->open_hours[i].valid_from &&
			date <= branch->open_hours[i].valid_to)
			return true;
	}
	return false;
}

/* Adds those that meet the day's sessions. */
static void
add_blocks(SlotDay *day, const SlotBlock *blocks, int nblocks)
{
	for (int i = 0; i < nblocks; i++)
	{
		bool		meets = false;

		for (int j = 0; j < day->nsessions && !meets; j++)
			meets = blocks[i].start < day->sessions[j].until &&
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
