/*
 * busy.c
 *		Reads what is taken of a doctor's time: one index-only scan, whose
 *		rows are taken over as the executor brings them.
 */
#include "appointment.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "tcop/dest.h"

/* The columns of the index in its order: the executor need not project. */
#define COLUMNS \
	"SELECT doctor_no, slot_start, slot_end, lane, buffer_before_min," \
	" buffer_after_min, hold_expires_at" \
	" FROM appt.appointment" \
	" WHERE doctor_no = $1 AND slot_start > $2 AND slot_start < $3" \
	" AND status NOT IN ('cancelled', 'no_show')"

static ApptStatement taken = {
	COLUMNS
	" ORDER BY slot_start",
	3, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static ApptStatement taken_by_others = {
	COLUMNS
	" AND appointment_no <> $4"
	" ORDER BY slot_start",
	4, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}
};

typedef struct BusyReceiver
{
	DestReceiver pub;
	BusyList   *list;
} BusyReceiver;

static void begin(DestReceiver *self, int operation, TupleDesc desc);
static bool receive(TupleTableSlot *slot, DestReceiver *self);
static void end(DestReceiver *self);
static void add(BusyList *list, const SlotBusy *busy);

/*
 * Fills the list, whose "now" is given, with what begins between query->from
 * and query->to.  It is in the current context.
 */
void
busy_load(BusyList *list, const BusyQuery *query)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(query->doctor_no)),
		appt_arg(TimestampTzGetDatum(query->from)),
		appt_arg(TimestampTzGetDatum(query->to)),
		appt_arg(Int64GetDatum(query->except_no))
	};
	BusyReceiver receiver = {
		.pub = {
			.receiveSlot = receive,
			.rStartup = begin,
			.rShutdown = end,
			.rDestroy = end,
			.mydest = DestTuplestore
		},
		.list = list
	};

	list->size = 64;
	list->items = palloc_array(SlotBusy, list->size);
	appt_run_to(query->except_no ? &taken_by_others : &taken, args,
				query->access, &receiver.pub);
}

static void
begin(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
end(DestReceiver *self)
{
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	BusyList   *list = ((BusyReceiver *) self)->list;
	SlotBusy	busy;

	slot_getallattrs(slot);
	busy = (SlotBusy) {
		.start = DatumGetTimestampTz(slot->tts_values[1]),
		.end = DatumGetTimestampTz(slot->tts_values[2]),
		.lane = DatumGetInt16(slot->tts_values[3]),
		.buffer_before_min = DatumGetInt16(slot->tts_values[4]),
		.buffer_after_min = DatumGetInt16(slot->tts_values[5]),
		.held = !slot->tts_isnull[6]
	};
	if (busy.held && DatumGetTimestampTz(slot->tts_values[6]) <= list->now)
		list->expired_holds = true;
	else
		add(list, &busy);
	return true;
}

/* Called in the executor's context: the array stays in its own. */
static void
add(BusyList *list, const SlotBusy *busy)
{
	if (list->nitems == list->size)
	{
		list->size *= 2;
		list->items = repalloc_array(list->items, SlotBusy, list->size);
	}
	list->items[list->nitems++] = *busy;
	list->gap_min = Max(list->gap_min,
						Max(busy->buffer_before_min, busy->buffer_after_min));
}
