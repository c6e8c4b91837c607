/*
 * slots.c
 *		Pure interval arithmetic: what is free on a doctor's day.
 *
 * The one predicate is slots_judge().  A booking asks it of one slot and the
 * list of every point of the grid, so what is listed can be booked and what is
 * not listed cannot.  Of a session that no other overlaps the list asks only
 * the second half, judge_place(): its grid makes no point that the first would
 * refuse.  No SPI here, and no clock but the day's own.
 */
#include "slots.h"

#include "port/pg_bitutils.h"

static bool sessions_overlap(const SlotDay *day);
static bool is_free_point(SlotDay *day, int session, int duration_min,
						  bool overlap, Slot *slot);
static bool is_listed_before(const SlotDay *day, int session,
							 int duration_min, TimestampTz start,
							 TimestampTz end);
static int	list_session(SlotDay *day, int session, int duration_min,
						 bool overlap, Slot *slots);
static int	max_slots(const SlotDay *day);
static int	compare_slots(const void *a, const void *b);
static SlotVerdict judge_time(const SlotDay *day, TimestampTz start);
static SlotVerdict judge_session(const SlotDay *day, TimestampTz start,
								 TimestampTz end, int *capacity);
static SlotVerdict judge_place(const SlotDay *day, Slot *slot);
static SlotVerdict judge_blocks(const SlotDay *day, TimestampTz start,
								TimestampTz end);
static SlotVerdict judge_lanes(const SlotDay *day, Slot *slot);
static void occupied(const SlotDay *day, TimestampTz start, TimestampTz end,
					 uint64 *taken, uint64 *held);
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
 * The day's free slots in order of start.  duration_min 0 asks for the grid's
 * own length.  The array is in the current context.
 */
int
slots_list(SlotDay *day, int duration_min, Slot **slots)
{
	bool		overlap = sessions_overlap(day);
	int			nslots = 0;

	*slots = NULL;
	if (day->beyond_horizon || day->daily_limit_reached || day->nsessions == 0)
		return 0;

	*slots = palloc_array(Slot, max_slots(day));
	for (int i = 0; i < day->nsessions; i++)
		nslots += list_session(day, i, duration_min, overlap,
							   *slots + nslots);
	if (overlap)
		qsort(*slots, nslots, sizeof(Slot), compare_slots);
	return nslots;
}

/* The first lane of [from, to) with nothing in [start, end), -1 for none. */
int
slots_free_lane(const SlotDay *day, TimestampTz start, TimestampTz end,
				int from, int to)
{
	uint64		taken = 0;

	for (int i = 0; i < day->nbusy; i++)
	{
		const SlotBusy *busy = &day->busy[i];

		if (start < busy->end && end > busy->start)
			taken |= UINT64CONST(1) << busy->lane;
	}
	for (int lane = from; lane < to; lane++)
	{
		if ((taken & (UINT64CONST(1) << lane)) == 0)
			return lane;
	}
	return -1;
}

/* Minutes of the slot that begins at start; 0 where no session runs then. */
int
slots_default_length(const SlotDay *day, TimestampTz start)
{
	int			length_min = 0;

	for (int i = 0; i < day->nsessions; i++)
	{
		const SlotSession *session = &day->sessions[i];

		if (start < session->start || start >= session->end)
			continue;
		if (on_grid(session, start))
			return session->step_min;
		if (length_min == 0)
			length_min = session->step_min;
	}
	return length_min;
}

/* They are sorted by start: if any two overlap, two neighbours do. */
static bool
sessions_overlap(const SlotDay *day)
{
	for (int i = 1; i < day->nsessions; i++)
	{
		if (day->sessions[i].start < day->sessions[i - 1].end)
			return true;
	}
	return false;
}

/* Puts one session's free slots into the array; their number. */
static int
list_session(SlotDay *day, int session, int duration_min, bool overlap,
			 Slot *slots)
{
	const SlotSession *s = &day->sessions[session];
	int64		length = MINUTES(duration_min ? duration_min : s->step_min);
	int64		step = MINUTES(s->step_min);
	int64		gap = MINUTES(day->gap_min);
	TimestampTz start = s->start;
	int			nslots = 0;

	day->first_busy = 0;
	if (start < day->earliest)
		start += (day->earliest - start + step - 1) / step * step;

	for (; start + length <= s->end; start += step)
	{
		Slot	   *slot = &slots[nslots];

		while (day->first_busy < day->nbusy &&
			   day->busy[day->first_busy].end + gap <= start)
			day->first_busy++;
		*slot = (Slot) {
			.start = start,
			.end = start + length,
			.capacity = s->capacity
		};
		if (is_free_point(day, session, duration_min, overlap, slot))
			nslots++;
	}
	day->first_busy = 0;
	return nslots;
}

static bool
is_free_point(SlotDay *day, int session, int duration_min, bool overlap,
			  Slot *slot)
{
	if (!overlap)
		return judge_place(day, slot) == SLOT_FREE;
	return !is_listed_before(day, session, duration_min, slot->start,
							 slot->end) &&
		slots_judge(day, slot->start, slot->end, slot) == SLOT_FREE;
}

/* Whether an earlier session's grid offers the same slot. */
static bool
is_listed_before(const SlotDay *day, int session, int duration_min,
				 TimestampTz start, TimestampTz end)
{
	for (int i = 0; i < session; i++)
	{
		const SlotSession *s = &day->sessions[i];

		if (contains(s, start, end) && on_grid(s, start) &&
			end - start == MINUTES(duration_min ? duration_min : s->step_min))
			return true;
	}
	return false;
}

static int
max_slots(const SlotDay *day)
{
	int64		n = 1;

	for (int i = 0; i < day->nsessions; i++)
	{
		const SlotSession *s = &day->sessions[i];

		if (s->end > s->start)
			n += (s->end - s->start) / MINUTES(s->step_min) + 1;
	}
	return (int) n;
}

static int
compare_slots(const void *a, const void *b)
{
	const Slot *x = a;
	const Slot *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
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

/* The first session that holds the whole slot on its grid gives capacity. */
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
	uint64		taken = 0;
	uint64		held = 0;

	occupied(day, slot->start, slot->end, &taken, &held);
	slot->remaining = slot->capacity - pg_popcount64(taken | held);
	if (slot->remaining > 0)
	{
		slot->lane = pg_rightmost_one_pos64(~(taken | held));
		return SLOT_FREE;
	}
	slot->remaining = 0;
	return slot->capacity > pg_popcount64(taken) ? SLOT_HELD : SLOT_TAKEN;
}

/* The bookable lanes in use in [start, end). */
static void
occupied(const SlotDay *day, TimestampTz start, TimestampTz end,
		 uint64 *taken, uint64 *held)
{
	for (int i = day->first_busy; i < day->nbusy; i++)
	{
		const SlotBusy *busy = &day->busy[i];

		if (busy->start >= end + MINUTES(day->gap_min))
			break;
		if (busy->lane >= APPT_BOOKABLE_LANES ||
			!slots_meet(busy, start, end, day->buffer_before_min,
						day->buffer_after_min))
			continue;
		if (busy->held)
			*held |= UINT64CONST(1) << busy->lane;
		else
			*taken |= UINT64CONST(1) << busy->lane;
	}
}

static bool
contains(const SlotSession *session, TimestampTz start, TimestampTz end)
{
	return start >= session->start && end <= session->end;
}

static bool
on_grid(const SlotSession *session, TimestampTz start)
{
	return (start - session->start) % MINUTES(session->step_min) == 0;
}
