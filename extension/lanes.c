/*
 * lanes.c
 *		Places in a slot: who takes which, and how many are taken at once.
 *
 * A doctor's appointments share out lanes, and those of one lane never overlap
 * (a constraint of appt.appointment).  The capacity counts patients at one
 * moment.  So a slot can be free although each lane is in use for some of it;
 * then others change theirs.  Going by their starts, each keeps its lane unless
 * somebody who came before has it now, and takes the lowest that is free.  As
 * intervals are, no more lanes come to be in use than patients are there at
 * once (Gupta, Lee and Leung 1979).
 */
#include "slots.h"

#include "port/pg_bitutils.h"

/* What is asked of the day. */
typedef struct Window
{
	const SlotDay *day;
	TimestampTz start;
	TimestampTz end;
	bool		holds_too;
} Window;

static int	most_at_once(const Window *window);
static uint64 lanes_with(const Window *window, int n);
static bool counts(const Window *window, const SlotBusy *busy);
static bool is_past(const Window *window, const SlotBusy *busy);
static bool meet(const SlotBusy *a, const SlotBusy *b);
static bool must_give_way(const LaneRow *rows, int n, const SlotBusy *wanted,
						  int lane);
static uint64 lanes_around(const LaneRow *rows, int nrows, int n);
static int	lowest_free(uint64 lanes);
static uint64 lane_bit(int lane);
static bool is_at_most_one(uint64 lanes);

/* The bookable lanes in use in [start, end). */
LaneUse
lanes_use(const SlotDay *day, TimestampTz start, TimestampTz end)
{
	Window		window = {
		.day = day,
		.start = start,
		.end = end,
		.holds_too = true
	};
	LaneUse		use = {0};
	bool		any_held = false;

	for (int i = day->first_busy; i < day->nbusy; i++)
	{
		const SlotBusy *busy = &day->busy[i];

		if (is_past(&window, busy))
			break;
		if (!counts(&window, busy))
			continue;
		use.lanes |= lane_bit(busy->lane);
		any_held |= busy->held;
	}
	use.most = is_at_most_one(use.lanes)
		? use.lanes != 0 : most_at_once(&window);
	window.holds_too = false;
	use.most_booked = any_held ? most_at_once(&window) : use.most;
	return use;
}

/* The first bookable lane with nothing in [start, end), -1 for none. */
int
lanes_free(const SlotDay *day, TimestampTz start, TimestampTz end)
{
	uint64		taken = 0;

	for (int i = 0; i < day->nbusy; i++)
	{
		const SlotBusy *busy = &day->busy[i];

		if (start < busy->end && end > busy->start)
			taken |= lane_bit(busy->lane);
	}
	return lowest_free(taken);
}

/*
 * Finds a lane for the wanted one, and says in rows, which are sorted by their
 * start, what lanes the others take then.  -1 if all are in use.
 */
int
lanes_arrange(LaneRow *rows, int nrows, const SlotBusy *wanted)
{
	uint64		lanes = 0;
	int			lane;

	for (int i = 0; i < nrows; i++)
	{
		const LaneRow *row = &rows[i];

		rows[i].to = row->busy.lane;
		if (!row->moves && meet(&row->busy, wanted) &&
			(row->fixed || row->busy.start <= wanted->start))
			lanes |= lane_bit(row->to);
	}
	lane = lowest_free(lanes);
	for (int i = 0; i < nrows && lane >= 0; i++)
	{
		if (!must_give_way(rows, i, wanted, lane))
			continue;
		lanes = lanes_around(rows, nrows, i);
		if (meet(&rows[i].busy, wanted))
			lanes |= lane_bit(lane);
		rows[i].to = lowest_free(lanes);
		if (rows[i].to < 0)
			return -1;
	}
	return lane;
}

/*
 * The most lanes in use at one moment of the window.  Their number rises only
 * where somebody's time begins.
 */
static int
most_at_once(const Window *window)
{
	const SlotDay *day = window->day;
	uint64		lanes = 0;
	int			most = 0;

	for (int i = day->first_busy; i < day->nbusy; i++)
	{
		const SlotBusy *busy = &day->busy[i];

		if (is_past(window, busy))
			break;
		if (!counts(window, busy))
			continue;
		lanes = busy->start <= window->start
			? lanes | lane_bit(busy->lane) : lanes_with(window, i);
		most = Max(most, pg_popcount64(lanes));
	}
	return most;
}

/* The lanes in use when the n-th begins, its own among them. */
static uint64
lanes_with(const Window *window, int n)
{
	const SlotDay *day = window->day;
	uint64		lanes = lane_bit(day->busy[n].lane);

	for (int i = day->first_busy; i < n; i++)
	{
		if (counts(window, &day->busy[i]) &&
			meet(&day->busy[i], &day->busy[n]))
			lanes |= lane_bit(day->busy[i].lane);
	}
	return lanes;
}

/* Whether it takes a bookable place from the window. */
static bool
counts(const Window *window, const SlotBusy *busy)
{
	return busy->lane < APPT_BOOKABLE_LANES &&
		(window->holds_too || !busy->held) &&
		slots_meet(busy, window->start, window->end,
				   window->day->buffer_before_min,
				   window->day->buffer_after_min);
}

/* Whether neither it nor any that begins later can matter. */
static bool
is_past(const Window *window, const SlotBusy *busy)
{
	return busy->start >= window->end + MINUTES(window->day->gap_min);
}

/* Whether one lane cannot have both. */
static bool
meet(const SlotBusy *a, const SlotBusy *b)
{
	return slots_meet(a, b->start, b->end, b->buffer_before_min,
					  b->buffer_after_min);
}

/* Whether the n-th begins on a lane that somebody before it has now. */
static bool
must_give_way(const LaneRow *rows, int n, const SlotBusy *wanted, int lane)
{
	const LaneRow *row = &rows[n];

	if (row->fixed || row->moves || row->busy.start <= wanted->start)
		return false;
	if (row->busy.lane == lane && meet(&row->busy, wanted))
		return true;
	for (int i = 0; i < n; i++)
	{
		if (rows[i].to == row->busy.lane &&
			rows[i].to != rows[i].busy.lane &&
			meet(&rows[i].busy, &row->busy))
			return true;
	}
	return false;
}

/* The lanes of those before the n-th, and of those that stay, around it. */
static uint64
lanes_around(const LaneRow *rows, int nrows, int n)
{
	uint64		lanes = 0;

	for (int i = 0; i < nrows; i++)
	{
		if ((i < n || rows[i].fixed) && i != n && !rows[i].moves &&
			meet(&rows[i].busy, &rows[n].busy))
			lanes |= lane_bit(rows[i].to);
	}
	return lanes;
}

/* The first bookable lane that is not among these, -1 for none. */
static int
lowest_free(uint64 lanes)
{
	uint64		free = ~lanes & ((UINT64CONST(1) << APPT_BOOKABLE_LANES) - 1);

	return free == 0 ? -1 : pg_rightmost_one_pos64(free);
}

static uint64
lane_bit(int lane)
{
	return UINT64CONST(1) << lane;
}

static bool
is_at_most_one(uint64 lanes)
{
	return (lanes & (lanes - 1)) == 0;
}
