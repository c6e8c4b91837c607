/*
 * slots.h
 *		Interval arithmetic: a doctor's day and what is free of it.
 */
#ifndef APPT_SLOTS_H
#define APPT_SLOTS_H

#include "appt.h"

/* ---- slots.c ---- */

/* A session of one date as instants; its grid begins at its start. */
typedef struct SlotSession
{
	TimestampTz start;
	TimestampTz end;
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
	SlotSession *sessions;
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
	int			lane;			/* the free one that a booking takes */
} Slot;

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
extern int	slots_list(SlotDay *day, int duration_min, Slot **slots);
extern int	slots_free_lane(const SlotDay *day, TimestampTz start,
							TimestampTz end, int from, int to);
extern int	slots_default_length(const SlotDay *day, TimestampTz start);

#endif							/* APPT_SLOTS_H */
