/*
 * busy.c
 *		Reads what is taken of a doctor's time, in order of start.
 *
 * Every slot list and every booking asks for it, and the answer is one short
 * range of one index.  Starting and ending a query costs more than reading
 * that range, so an index-only scan is made here, without the executor.  What
 * the executor would check and lock for such a scan is checked and locked here:
 *
 * - privileges: the current user (the extension's owner, behind SECURITY
 *   DEFINER) may read the table and no row security stands before it;
 * - locks: the table's until the end of the transaction, as a query's, so
 *   nothing takes the index away.  Its own is given back: a session has room
 *   for sixteen before it needs the lock table that all share, and a booking
 *   that is told has as many;
 * - visibility: by the visibility map, and by the row where its page may hold
 *   some that this snapshot does not see;
 * - SERIALIZABLE: the index locks its own pages and a row its fetch; the pages
 *   whose rows are not fetched are locked here.
 *
 * Where the table or the index is not as the extension made it, a query asks
 * the same, and answers or refuses as the server does.
 */
#include "appointment.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/visibilitymap.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* The index that is read here, as the server spells its definition. */
#define INDEX_NAME	"appointment_slot"
#define INDEX_DEFINITION \
	"CREATE INDEX appointment_slot ON appt.appointment" \
	" USING btree (doctor_no, slot_start)" \
	" INCLUDE (slot_end, lane, buffer_before_min, buffer_after_min," \
	" patient_no)" \
	" WHERE (status <> ALL (ARRAY['cancelled'::text, 'no_show'::text]))"

/* The columns of an entry; the last is NULL, and missing, in a hold's. */
typedef struct BusyEntry
{
	int32		doctor_no;
	TimestampTz slot_start;
	TimestampTz slot_end;
	int16		lane;
	int16		buffer_before_min;
	int16		buffer_after_min;
	int32		patient_no;
} BusyEntry;

static const Oid entry_types[] = {
	INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID, INT2OID, INT2OID, INT4OID
};

#define COLUMNS \
	"SELECT doctor_no, slot_start, slot_end, lane, buffer_before_min," \
	" buffer_after_min, hold_expires_at" \
	" FROM appt.appointment" \
	" WHERE doctor_no = $1 AND slot_start > $2 AND slot_start < $3" \
	" AND status NOT IN ('cancelled', 'no_show')"

static ApptStatement index_definition = {
	"SELECT pg_catalog.pg_get_indexdef($1)",
	1, {OIDOID}
};

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

static bool scan(BusyList *list, const BusyQuery *query);
static Relation open_index(Relation table);
static bool has_all_rows(Relation index);
static bool fits(Relation index);
static void scan_index(BusyList *list, const BusyQuery *query,
					   Relation table, Relation index, Snapshot snapshot);
static TimestampTz first_start(const BusyQuery *query);
static TimestampTz last_start(const BusyQuery *query);
static void take_entries(BusyList *list, const BusyQuery *query,
						 IndexScanDesc scan);
static SlotBusy busy_of(IndexTuple tuple);
static bool is_visible(IndexScanDesc scan, ItemPointer tid, Buffer *map);
static bool fetch(IndexScanDesc scan, TupleTableSlot **row);
static OptionalTime expiry(Relation table, TupleTableSlot *row);
static void select_rows(BusyList *list, const BusyQuery *query);
static void begin(DestReceiver *self, int operation, TupleDesc desc);
static bool receive(TupleTableSlot *slot, DestReceiver *self);
static void end(DestReceiver *self);
static void add(BusyList *list, const SlotBusy *busy,
				OptionalTime expires_at);

/*
 * Fills the list, whose "now" is given, with what is taken around the query's
 * window.  It is in the current context.
 */
void
busy_load(BusyList *list, const BusyQuery *query)
{
	list->size = 64;
	list->items = palloc_array(SlotBusy, list->size);
	if (query->except_no != 0 || !scan(list, query))
		select_rows(list, query);
}

/* False, and nothing done, where only a query can answer. */
static bool
scan(BusyList *list, const BusyQuery *query)
{
	Relation	table = table_open(relation_oid("appointment"),
								   AccessShareLock);
	Relation	index = open_index(table);

	if (index != NULL)
	{
		Snapshot	snapshot = GetActiveSnapshot();

		if (query->access != APPT_READ)
		{
			PushActiveSnapshot(GetLatestSnapshot());
			snapshot = GetActiveSnapshot();
		}
		scan_index(list, query, table, index, snapshot);
		if (query->access != APPT_READ)
			PopActiveSnapshot();
		index_close(index, AccessShareLock);
	}
	table_close(table, NoLock);
	return index != NULL;
}

/* NULL where the table may not simply be read or the index does not fit. */
static Relation
open_index(Relation table)
{
	Relation	index;
	Oid			index_oid;

	if (table->rd_rel->relrowsecurity ||
		pg_class_aclcheck(RelationGetRelid(table), GetUserId(),
						  ACL_SELECT) != ACLCHECK_OK)
		return NULL;
	index_oid = relation_oid(INDEX_NAME);
	if (!OidIsValid(index_oid))
		return NULL;
	index = index_open(index_oid, AccessShareLock);
	if (index->rd_index->indrelid == RelationGetRelid(table) &&
		index->rd_index->indisvalid && has_all_rows(index) && fits(index))
		return index;
	index_close(index, NoLock);
	return NULL;
}

/*
 * Whether it has what every snapshot of this transaction sees.  An index that
 * was made over rows changed by HOT has the newest version of each alone: its
 * row in pg_index, which then says so, must be older than the transaction, as
 * the planner asks (get_relation_info).
 */
static bool
has_all_rows(Relation index)
{
	HeapTupleHeader row = index->rd_indextuple->t_data;

	return !index->rd_index->indcheckxmin ||
		TransactionIdPrecedes(HeapTupleHeaderGetXmin(row), TransactionXmin);
}

/* Whether its entries are BusyEntry.  An index never changes but its name. */
static bool
fits(Relation index)
{
	static Oid	fitting = InvalidOid;
	TupleDesc	desc = RelationGetDescr(index);
	ApptArg		args[] = {appt_arg(ObjectIdGetDatum(RelationGetRelid(index)))};

	if (RelationGetRelid(index) == fitting)
		return true;
	(void) appt_run(&index_definition, args, APPT_READ_LATEST);
	if (strcmp(appt_field_text(0, 1), INDEX_DEFINITION) != 0)
		return false;
	for (int i = 0; i < lengthof(entry_types); i++)
	{
		if (TupleDescAttr(desc, i)->atttypid != entry_types[i])
			return false;
	}
	fitting = RelationGetRelid(index);
	return true;
}

static void
scan_index(BusyList *list, const BusyQuery *query, Relation table,
		   Relation index, Snapshot snapshot)
{
	IndexScanDesc scan;
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(query->doctor_no));
	ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT,
				TimestampTzGetDatum(first_start(query)));
	ScanKeyInit(&keys[2], 2, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
				TimestampTzGetDatum(last_start(query)));
	scan = index_beginscan_compat(table, index, snapshot, lengthof(keys));
	scan->xs_want_itup = true;
	index_rescan(scan, keys, lengthof(keys), NULL, 0);
	take_entries(list, query, scan);
	index_endscan(scan);
}

/* Appointments that reach into the window start later than this. */
static TimestampTz
first_start(const BusyQuery *query)
{
	return query->from - APPT_REACH;
}

/* Appointments that reach into the window start earlier than this. */
static TimestampTz
last_start(const BusyQuery *query)
{
	return query->to + MINUTES(APPT_MAX_BUFFER_MIN);
}

/* The row of an entry that does not meet the window is not asked for. */
static void
take_entries(BusyList *list, const BusyQuery *query, IndexScanDesc scan)
{
	Buffer		map = InvalidBuffer;
	TupleTableSlot *row = NULL;
	ItemPointer tid;

	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		bool		is_hold = IndexTupleHasNulls(scan->xs_itup);
		SlotBusy	busy = busy_of(scan->xs_itup);
		OptionalTime expires_at = {0};

		CHECK_FOR_INTERRUPTS();
		if (!slots_meet(&busy, query->from, query->to,
						query->buffer_before_min, query->buffer_after_min))
			continue;
		if (is_hold || !is_visible(scan, tid, &map))
		{
			if (!fetch(scan, &row))
				continue;
			if (is_hold)
				expires_at = expiry(scan->heapRelation, row);
			ExecClearTuple(row);
		}
		busy.held = expires_at.given;
		add(list, &busy, expires_at);
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
	if (row != NULL)
		ExecDropSingleTupleTableSlot(row);
}

static SlotBusy
busy_of(IndexTuple tuple)
{
	const BusyEntry *entry = (const BusyEntry *)
		((char *) tuple + IndexInfoFindDataOffset(tuple->t_info));

	return (SlotBusy) {
		.start = entry->slot_start,
		.end = entry->slot_end,
		.lane = entry->lane,
		.buffer_before_min = entry->buffer_before_min,
		.buffer_after_min = entry->buffer_after_min
	};
}

/* Whether the map says so; then the page counts as read. */
static bool
is_visible(IndexScanDesc scan, ItemPointer tid, Buffer *map)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);

	if (!VM_ALL_VISIBLE(scan->heapRelation, block, map))
		return false;
	PredicateLockPage(scan->heapRelation, block, scan->xs_snapshot);
	return true;
}

/* Whether the snapshot sees the entry's row, which is then in *row. */
static bool
fetch(IndexScanDesc scan, TupleTableSlot **row)
{
	if (*row == NULL)
		*row = table_slot_create(scan->heapRelation, NULL);
	return index_fetch_heap(scan, *row);
}

static OptionalTime
expiry(Relation table, TupleTableSlot *row)
{
	AttrNumber	column = get_attnum(RelationGetRelid(table),
									"hold_expires_at");
	bool		isnull;
	Datum		value = slot_getattr(row, column, &isnull);

	return isnull ? (OptionalTime) {0}
		: appt_time(DatumGetTimestampTz(value));
}

/* What scan_index() finds, found by a query through the executor. */
static void
select_rows(BusyList *list, const BusyQuery *query)
{
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(query->doctor_no)),
		appt_arg(TimestampTzGetDatum(first_start(query))),
		appt_arg(TimestampTzGetDatum(last_start(query))),
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
	add(list, &busy,
		busy.held ? appt_time(DatumGetTimestampTz(slot->tts_values[6]))
		: (OptionalTime) {0});
	return true;
}

/* Called in the executor's context: the array stays in its own. */
static void
add(BusyList *list, const SlotBusy *busy, OptionalTime expires_at)
{
	if (busy->held && expires_at.at <= list->now)
	{
		list->expired_holds = true;
		return;
	}
	if (list->nitems == list->size)
	{
		list->size *= 2;
		list->items = repalloc_array(list->items, SlotBusy, list->size);
	}
	list->items[list->nitems++] = *busy;
	list->gap_min = Max(list->gap_min,
						Max(busy->buffer_before_min, busy->buffer_after_min));
}
