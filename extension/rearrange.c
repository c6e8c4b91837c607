/*
 * rearrange.c
 *		Gives appointments other lanes where that makes room for one more.
 *
 * The caller holds the doctor-day's lock, under which no lane of the day is
 * given away and no time of it changes.  Only rows that lie in that day wholly
 * change their lane.  A row may be locked by somebody who changes its status:
 * he is waited for, and holds no lock that comes before a row's.  Nobody sees
 * a lane, so neither version nor event tells of it.
 *
 * The overlap constraint judges each update by itself.  So a row goes where
 * nobody is; where rows wait for each other in a circle, one of them waits in
 * a lane beside the bookable ones.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

/* What can meet the slot, or what gives way to it, and so on. */
static ApptStatement rows_around = {
	"SELECT appointment_no, slot_start, slot_end, lane, buffer_before_min,"
	" buffer_after_min, token_date"
	" FROM appt.appointment"
	" WHERE doctor_no = $1 AND slot_start > $2 AND slot_start < $3"
	" AND status NOT IN ('cancelled', 'no_show')"
	" AND (lane < 32 OR status <> 'completed')"
	" ORDER BY slot_start, appointment_no",
	3, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static ApptStatement delete_expired_holds = {
	"DELETE FROM appt.appointment"
	" WHERE doctor_no = $1 AND slot_start > $2 AND slot_start < $3"
	" AND status = 'held' AND hold_expires_at <= $4",
	4, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* Who was cancelled meanwhile has no place any more. */
static ApptStatement set_lane = {
	"UPDATE appt.appointment"
	" SET lane = $2"
	" WHERE appointment_no = $1"
	" AND status NOT IN ('cancelled', 'no_show')",
	2, {INT8OID, INT2OID}
};

typedef struct Rearrangement
{
	const Placement *placement;
	int64		moving_no;		/* the appointment that moves, 0: none */
	LaneRow    *rows;
	int			nrows;
} Rearrangement;

static void load_rows(Rearrangement *r);
static LaneRow read_row(const Rearrangement *r, int n);
static Datum carry_out(void *arg);
static LaneRow *find_blocker(const Rearrangement *r, const LaneRow *row,
							 int lane);
static void park(const Rearrangement *r, LaneRow *row);
static void change_lane(LaneRow *row, int lane);
pg_noreturn static void refuse_overlap(const char *constraint,
									   const void *context);

/*
 * The lane for a slot that slots_judge() found free, once others have changed
 * theirs.  -1 where all are in use.
 */
int
rearrange_lanes(const Placement *placement, int64 moving_no)
{
	Rearrangement r = {.placement = placement, .moving_no = moving_no};
	SlotBusy	wanted = {
		.start = placement->slot_start,
		.end = placement->slot_end,
		.buffer_before_min = placement->buffer_before_min,
		.buffer_after_min = placement->buffer_after_min
	};
	int			lane;

	load_rows(&r);
	lane = lanes_arrange(r.rows, r.nrows, &wanted);
	if (lane >= 0)
		appt_run_excluded(carry_out, &r, refuse_overlap, placement);
	return lane;
}

static void
load_rows(Rearrangement *r)
{
	const Placement *p = r->placement;
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(p->place.doctor->doctor_no)),
		appt_arg_time(p->slot_start - APPT_REACH),
		appt_arg_time(p->slot_end + USECS_PER_DAY + APPT_REACH),
		appt_arg_time(p->now)
	};

	appt_run(&delete_expired_holds, args, APPT_LOCK);
	r->nrows = appt_run(&rows_around, args, APPT_READ_LATEST);
	r->rows = palloc_array(LaneRow, r->nrows + 1);
	for (int i = 0; i < r->nrows; i++)
		r->rows[i] = read_row(r, i);
}

static LaneRow
read_row(const Rearrangement *r, int n)
{
	const Placement *p = r->placement;
	bool		isnull;
	LaneRow		row = {
		.appointment_no = DatumGetInt64(appt_field(n, 1, &isnull)),
		.busy = {
			.start = DatumGetTimestampTz(appt_field(n, 2, &isnull)),
			.end = DatumGetTimestampTz(appt_field(n, 3, &isnull)),
			.lane = DatumGetInt16(appt_field(n, 4, &isnull)),
			.buffer_before_min = DatumGetInt16(appt_field(n, 5, &isnull)),
			.buffer_after_min = DatumGetInt16(appt_field(n, 6, &isnull))
		}
	};
	DateADT		date = DatumGetDateADT(appt_field(n, 7, &isnull));

	row.moves = row.appointment_no == r->moving_no;
	row.fixed = row.busy.lane >= APPT_BOOKABLE_LANES || date != p->date ||
		appt_local_date(row.busy.end - 1, p->place.branch->zone) != date;
	return row;
}

/* An ApptWork: each row to its new lane, in an order without clashes. */
static Datum
carry_out(void *arg)
{
	Rearrangement *r = arg;
	bool		waiting = true;

	while (waiting)
	{
		LaneRow    *blocker = NULL;
		bool		moved = false;

		CHECK_FOR_INTERRUPTS();
		waiting = false;
		for (int i = 0; i < r->nrows; i++)
		{
			LaneRow    *row = &r->rows[i];

			if (row->to == row->busy.lane)
				continue;
			blocker = find_blocker(r, row, row->to);
			waiting = waiting || blocker != NULL;
			moved = moved || blocker == NULL;
			if (blocker == NULL)
				change_lane(row, row->to);
		}
		if (waiting && !moved)
			park(r, blocker);
	}
	return (Datum) 0;
}

/* Who is in the lane at the row's time, as the constraint sees it. */
static LaneRow *
find_blocker(const Rearrangement *r, const LaneRow *row, int lane)
{
	for (int i = 0; i < r->nrows; i++)
	{
		LaneRow    *other = &r->rows[i];

		if (other != row && other->busy.lane == lane &&
			other->busy.start < row->busy.end &&
			other->busy.end > row->busy.start)
			return other;
	}
	return NULL;
}

/* Lets a row wait beside the bookable lanes, at most once each. */
static void
park(const Rearrangement *r, LaneRow *row)
{
	int			lane = APPT_BOOKABLE_LANES;

	while (lane < APPT_LANES && find_blocker(r, row, lane) != NULL)
		lane++;
	if (lane == APPT_LANES || row->fixed)
		refuse_overlap(APPT_DOCTOR_OVERLAP, r->placement);
	change_lane(row, lane);
	if (row->moves)
		row->to = lane;			/* it leaves for its new time from there */
}

static void
change_lane(LaneRow *row, int lane)
{
	ApptArg		args[] = {
		appt_arg(Int64GetDatum(row->appointment_no)),
		appt_arg(Int16GetDatum(lane))
	};

	appt_run(&set_lane, args, APPT_LOCK);
	row->busy.lane = lane;
}

static void
refuse_overlap(const char *constraint, const void *context)
{
	const Placement *placement = context;

	refusal_raise(SLOT_TAKEN, &placement->place, placement->slot_start);
}
