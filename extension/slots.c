/*
 * slots.c
 *		Pure interval arithmetic: what is free on a doctor's day.
 *
 * The one predicate is slots_judge().  A booking asks it of one slot and the
 * list of every point of the grid, so what is listed can be booked and what is
 * not listed cannot.  The list asks only its second half, judge_place(): a
 * session's grid makes no point that the first would refuse.  No SPI here, and
 * no clock but the day's own.
 */
#include "slots.h"

#include "port/pg_bitutils.h"

static int	list_session(SlotDay *day, const SlotSession *session,
						 int duration_min, Slot *slots);
static int	explain_session(SlotDay *day, const SlotSession *session,
							int duration_min, Slot *slots);
static void make_room(SlotList *list, int nslots);
static TimestampTz first_point(const SlotSession *session,
							   TimestampTz earliest);
static int	max_slots(const SlotDay *day);
static SlotVerdict judge_time(const SlotDay *day, TimestampTz start);
static SlotVerdict judge_session(const SlotDay *day, TimestampTz start,
								 TimestampTz end, int *capacity);
static SlotVerdict judge_place(const SlotDay *day, Slot *slot);
static SlotVerdict judge_blocks(const SlotDay *day, TimestampTz start,
								TimestampTz end);
static SlotVerdict judge_lanes(const SlotDay *day, Slot *slot);
static bool contains(const SlotSession *session, TimestampTz start,
					 TimestampTz end);
static bool on_grid(const SlotSession *session, TimestampTz start);

/*
 * Whether [start, end) can be booked, and if not, why.  Where it can, *slot
 * says how many places are left and which lane the next booking takes.
 */
SlotVerdict
slots_judge(SlotDay *day, TimestampTz start, TimestampTz end, Slot *slot)
{
	SlotVerdict verdict;

	*slot = (Slot) {.start = start, .end = end};

	verdict = judge_time(day, start);
	if (verdict == SLOT_FREE)
		verdict = judge_session(day, start, end, &slot->capacity);
	if (verdict == SLOT_FREE)
		verdict = judge_place(day, slot);
	return verdict;
}

/*
 * Puts the day's free slots into the list, in order of start.  duration_min 0
 * asks for the grid's own length.  The list grows in the current context.
 */
void
slots_list(SlotDay *day, int duration_min, SlotList *list)
{
	list->nitems = 0;
	if (day->beyond_horizon || day->daily_limit_reached || day->nsessions == 0)
		return;

	make_room(list, max_slots(day));
	for (int i = 0; i < day->nsessions; i++)
		list->nitems += list_session(day, &day->sessions[i], duration_min,
									 list->items + list->nitems);
}

/*
 * The same for every point of the day's grid, each with its verdict: what a
 * calendar shows beside the free ones.
 */
void
slots_explain(SlotDay *day, int duration_min, SlotList *list)
{
	list->nitems = 0;
	make_room(list, max_slots(day));
	for (int i = 0; i < day->nsessions; i++)
		list->nitems += explain_session(day, &day->sessions[i], duration_min,
										list->items + list->nitems);
}

static void
make_room(SlotList *list, int nslots)
{
	if (nslots <= list->size)
		return;
	if (list->items != NULL)
		pfree(list->items);
	list->items = palloc_array(Slot, nslots);
	list->size = nslots;
}

/* Minutes of the slot that begins at start; 0 where no session runs then. */
int
slots_default_length(const SlotDay *day, TimestampTz start)
{
	for (int i = 0; i < day->nsessions; i++)
	{
		const SlotSession *session = &day->sessions[i];

		if (start >= session->start && start < session->end)
			return session->step_min;
	}
	return 0;
}

/* Puts one session's free slots into the array; their number. */
static int
list_session(SlotDay *day, const SlotSession *session, int duration_min,
			 Slot *slots)
{
	int64		length = MINUTES(duration_min ? duration_min
								 : session->step_min);
	int64		step = MINUTES(session->step_min);
	int64		gap = MINUTES(day->gap_min);
	TimestampTz start = first_point(session, day->earliest);
	int			nslots = 0;

	day->first_busy = 0;
	for (; start < session->end && start + length <= session->until;
		 start += step)
	{
		Slot	   *slot = &slots[nslots];

		while (day->first_busy < day->nbusy &&
			   day->busy[day->first_busy].end + gap <= start)
			day->first_busy++;
		*slot = (Slot) {
			.start = start,
			.end = start + length,
			.capacity = session->capacity
		};
		if (judge_place(day, slot) == SLOT_FREE)
			nslots++;
	}
	day->first_busy = 0;
	return nslots;
}

/* Puts one session's points into the array; their number. */
static int
explain_session(SlotDay *day, const SlotSession *session, int duration_min,
				Slot *slots)
{
	int64		length = MINUTES(duration_min ? duration_min
								 : session->step_min);
	TimestampTz start = first_point(session, session->start);
	int			nslots = 0;

	for (; start < session->end; start += MINUTES(session->step_min))
	{
		Slot	   *slot = &slots[nslots++];
		SlotVerdict verdict = slots_judge(day, start, start + length, slot);

		slot->verdict = verdict;
	}
	return nslots;
}

/* The first point of the grid that lies in the session and is early enough. */
static TimestampTz
first_point(const SlotSession *session, TimestampTz earliest)
{
	int64		step = MINUTES(session->step_min);
	TimestampTz from = Max(session->start, earliest);

	return session->grid +
		(from - session->grid + step - 1) / step * step;
}

static int
max_slots(const SlotDay *day)
{
	int64		n = 1;

	for (int i = 0; i < day->nsessions; i++)
	{
		const SlotSession *s = &day->sessions[i];

		n += (s->end - s->start) / MINUTES(s->step_min) + 1;
	}
	return (int) n;
}

static SlotVerdict
judge_time(const SlotDay *day, TimestampTz start)
{
	if (start < day->now)
		return SLOT_IN_PAST;
	if (start < day->earliest)
		return SLOT_LEAD_TIME;
	if (day->beyond_horizon)
		return SLOT_BEYOND_HORIZON;
	return SLOT_FREE;
}

/* The session that holds the whole slot on its grid gives the capacity. */
static SlotVerdict
judge_session(const SlotDay *day, TimestampTz start, TimestampTz end,
			  int *capacity)
{
	SlotVerdict verdict = SLOT_OUTSIDE_HOURS;

	for (int i = 0; i < day->nsessions; i++)
	{
		const SlotSession *session = &day->sessions[i];

		if (!contains(session, start, end))
			continue;
		if (on_grid(session, start))
		{
			*capacity = session->capacity;
			return SLOT_FREE;
		}
		verdict = SLOT_OFF_GRID;
	}
	return verdict;
}

/* Of a slot that has the right time and session: is its place free? */
static SlotVerdict
judge_place(const SlotDay *day, Slot *slot)
{
	SlotVerdict verdict = judge_blocks(day, slot->start, slot->end);

	if (verdict == SLOT_FREE && day->daily_limit_reached)
		verdict = SLOT_DAILY_LIMIT;
	if (verdict == SLOT_FREE)
		verdict = judge_lanes(day, slot);
	return verdict;
}

static SlotVerdict
judge_blocks(const SlotDay *day, TimestampTz start, TimestampTz end)
{
	SlotVerdict verdict = SLOT_FREE;

	for (int i = 0; i < day->nblocks; i++)
	{
		const SlotBlock *block = &day->blocks[i];

		if (start >= block->end || end <= block->start)
			continue;
		if (block->closed)
			return SLOT_CLOSED;
		verdict = SLOT_ON_LEAVE;
	}
	return verdict;
}

/*
 * Counts every lane in use, also those above the capacity: where the capacity
 * was lowered, or staff overbooked, what is booked still counts.
 */
static SlotVerdict
judge_lanes(const SlotDay *day, Slot *slot)
{
	LaneUse		use = lanes_use(day, slot->start, slot->end);

	slot->remaining = slot->capacity - use.most;
	if (slot->remaining > 0)
	{
		slot->lane = pg_rightmost_one_pos64(~use.lanes);
		if (slot->lane >= slot->capacity)
			slot->lane = -1;
		return SLOT_FREE;
	}
	slot->remaining = 0;
	return slot->capacity > use.most_booked ? SLOT_HELD : SLOT_TAKEN;
}

/* Whether a slot of the session can be [start, end). */
static bool
contains(const SlotSession *session, TimestampTz start, TimestampTz end)
{
	return start >= session->start && start < session->end &&
		end <= session->until;
}

static bool
on_grid(const SlotSession *session, TimestampTz start)
{
	return (start - session->grid) % MINUTES(session->step_min) == 0;
}
