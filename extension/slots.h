/*
 * slots.h
 *		Interval arithmetic: a doctor's day and what is free of it.
 */
#ifndef APPT_SLOTS_H
#define APPT_SLOTS_H

#include "appt.h"

/* ---- slots.c ---- */

/*
 * A session of one date as instants, or the part of one that an extra session
 * leaves.  No two of a day overlap.
 */
typedef struct SlotSession
{
	TimestampTz start;			/* slots begin in [start, end) */
	TimestampTz end;
	TimestampTz until;			/* slots end by then: beyond midnight, where
								 * the next day's hours go on */
	TimestampTz grid;			/* where its grid begins */
	int			step_min;
	int			capacity;
} SlotSession;

/* A stretch in which no slot may lie. */
typedef struct SlotBlock
{
	TimestampTz start;
	TimestampTz end;
	bool		closed;			/* the branch's closure, else time off */
} SlotBlock;

/* What is taken: an appointment or a hold. */
typedef struct SlotBusy
{
	TimestampTz start;
	TimestampTz end;
	int			lane;
	int			buffer_before_min;
	int			buffer_after_min;
	bool		held;
} SlotBusy;

/* Everything that decides about one doctor at one branch on one date. */
typedef struct SlotDay
{
	SlotSession *sessions;		/* sorted by start */
	int			nsessions;
	SlotBlock  *blocks;
	int			nblocks;
	SlotBusy   *busy;			/* sorted by start */
	int			nbusy;
	int			gap_min;		/* the largest buffer that can matter */
	int			first_busy;		/* earlier ones can't meet what is asked now */
	TimestampTz now;
	TimestampTz earliest;		/* now + lead time */
	bool		beyond_horizon;
	bool		daily_limit_reached;
	bool		expired_holds;	/* some are still in the table */
	int			buffer_before_min;
	int			buffer_after_min;
} SlotDay;

typedef enum SlotVerdict
{
	SLOT_FREE,
	SLOT_TAKEN,
	SLOT_HELD,
	SLOT_OUTSIDE_HOURS,
	SLOT_OFF_GRID,
	SLOT_ON_LEAVE,
	SLOT_CLOSED,
	SLOT_IN_PAST,
	SLOT_LEAD_TIME,
	SLOT_BEYOND_HORIZON,
	SLOT_DAILY_LIMIT
} SlotVerdict;

typedef struct Slot
{
	TimestampTz start;
	TimestampTz end;
	int			capacity;
	int			remaining;
	int			lane;			/* the free one that a booking takes; -1: one
								 * is free once others have changed theirs */
	SlotVerdict verdict;		/* of slots_explain(); else SLOT_FREE */
} Slot;

/* A day's slots, the free or all; the next day's take the same room. */
typedef struct SlotList
{
	Slot	   *items;
	int			nitems;
	int			size;
} SlotList;

/*
 * Whether it leaves too little to [start, end): between two appointments of a
 * lane lies the larger of the one's buffer after and the other's before.
 */
static inline bool
slots_meet(const SlotBusy *busy, TimestampTz start, TimestampTz end,
		   int buffer_before_min, int buffer_after_min)
{
	int			gap_before = Max(buffer_before_min, busy->buffer_after_min);
	int			gap_after = Max(buffer_after_min, busy->buffer_before_min);

	return start < busy->end + MINUTES(gap_before) &&
		end + MINUTES(gap_after) > busy->start;
}

extern SlotVerdict slots_judge(SlotDay *day, TimestampTz start,
							   TimestampTz end, Slot *slot);
extern void slots_list(SlotDay *day, int duration_min, SlotList *list);
extern void slots_explain(SlotDay *day, int duration_min, SlotList *list);
extern int	slots_default_length(const SlotDay *day, TimestampTz start);

/* ---- lanes.c ---- */

/* Who is in the way of a slot. */
typedef struct LaneUse
{
	uint64		lanes;			/* the bookable ones in use, all in all */
	int			most;			/* so many of them at one moment */
	int			most_booked;	/* likewise, without holds */
} LaneUse;

/* A row that may have to change its lane for a new one. */
typedef struct LaneRow
{
	SlotBusy	busy;
	int64		appointment_no;
	bool		fixed;			/* it stays where it is */
	bool		moves;			/* it leaves for where the new one is to be */
	int			to;				/* its lane afterwards */
} LaneRow;

extern LaneUse lanes_use(const SlotDay *day, TimestampTz start,
						 TimestampTz end);
extern int	lanes_free(const SlotDay *day, TimestampTz start,
					   TimestampTz end);
extern int	lanes_arrange(LaneRow *rows, int nrows, const SlotBusy *wanted);

#endif							/* APPT_SLOTS_H */
