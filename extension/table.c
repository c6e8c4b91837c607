/*
 * table.c
 *		Rows of the extension's own tables, found by a key and put in without
 *		a statement.
 *
 * A row goes in the way of one that comes by logical replication: triggers,
 * constraints and indexes have their say, only no plan is started.  The CHECKs
 * are parsed once and kept until the table's definition changes; an INSERT
 * parses them each time.  Who gets here runs a SECURITY DEFINER function as
 * the owner of the tables, so no right is asked for; row security would be
 * passed over and is refused.
 *
 * As in spi.c, what is found is what is committed now, at every isolation
 * level.
 */
#include "appt.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* What an insert works with, for as long as it lasts. */
typedef struct Target
{
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
} Target;

/* Tables whose CHECKs are kept. */
static ApptTable *kept = NULL;

static void insert_index_entries(Relation relation, HeapTuple row);
static void forget_checks(Datum unused, Oid relid);
static void keep_checks(ApptTable *table, Relation relation);
static void open_target(Target *target, ApptTable *table);
static void close_target(Target *target);
static void fill_slot(TupleTableSlot *slot, const ApptArg *values);

/* Called once per backend. */
void
table_init(void)
{
	CacheRegisterRelcacheCallback(forget_checks, (Datum) 0);
}

Oid
table_oid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("appt", false));
}

/*
 * Inserts a row, given all its columns in their order, and returns it as it
 * came to be: a composite Datum in the current context.
 */
Datum
table_insert(ApptTable *table, const ApptArg *values, int nvalues)
{
	Target		target;
	Datum		row;

	open_target(&target, table);
	if (RelationGetNumberOfAttributes(target.relation) != nvalues)
		elog(ERROR, "table appt.%s has %d columns, not %d", table->name,
			 RelationGetNumberOfAttributes(target.relation), nvalues);
	fill_slot(target.slot, values);

	AfterTriggerBeginQuery();
	ExecBSInsertTriggers(target.estate, target.result);
	ExecSimpleRelationInsert(target.result, target.estate, target.slot);
	ExecASInsertTriggers(target.estate, target.result, NULL);
	AfterTriggerEndQuery(target.estate);
	if (!ItemPointerIsValid(&target.slot->tts_tid))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("a trigger of table \"%s\" kept the row out",
						table->name)));

	row = ExecFetchSlotHeapTupleDatum(target.slot);
	close_target(&target);
	CommandCounterIncrement();
	return row;
}

/*
 * The row with those values of the columns of a unique index, in the current
 * context; NULL if there is none.
 */
HeapTuple
table_find(Relation relation, Oid index, ScanKey keys, int nkeys)
{
	SysScanDesc scan;
	HeapTuple	row;

	PushActiveSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(relation, index, true, GetActiveSnapshot(),
							  nkeys, keys);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	PopActiveSnapshot();
	return row;
}

/* A column of a row that was found; it is NOT NULL. */
Datum
table_column(HeapTuple row, TupleDesc desc, const char *name)
{
	bool		isnull;

	return SPI_getbinval(row, desc, SPI_fnumber(desc, name), &isnull);
}

/*
 * Locks a row that was found, if nobody changed it since; waits for whoever
 * is about to.
 */
bool
table_lock(Relation relation, HeapTuple found, LockTupleMode mode)
{
	TM_FailureData failure;
	Buffer		buffer;
	TM_Result	result = heap_lock_tuple(relation, found,
										 GetCurrentCommandId(true), mode,
										 LockWaitBlock, false, &buffer,
										 &failure);

	ReleaseBuffer(buffer);
	if (result == TM_Updated || result == TM_Deleted)
		return false;
	if (result != TM_Ok)
		elog(ERROR, "could not lock a row of table \"%s\": %d",
			 RelationGetRelationName(relation), (int) result);
	return true;
}

/*
 * Puts a row in the place of one that was found, if nobody else did so since;
 * waits for whoever is about to.  Only for columns that no index, constraint
 * or trigger is about.
 */
bool
table_replace(Relation relation, HeapTuple found, HeapTuple row)
{
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result = heap_update(relation, &found->t_self, row,
									 GetCurrentCommandId(true),
									 InvalidSnapshot, true, &failure, &mode);

	if (result == TM_Updated || result == TM_Deleted)
		return false;
	if (result != TM_Ok)
		elog(ERROR, "could not update a row of table \"%s\": %d",
			 RelationGetRelationName(relation), (int) result);
	if (!HeapTupleIsHeapOnly(row))
		insert_index_entries(relation, row);
	CommandCounterIncrement();
	return true;
}

/* Where the row's page had no room left for its new version. */
static void
insert_index_entries(Relation relation, HeapTuple row)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result = makeNode(ResultRelInfo);
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(RelationGetDescr(relation),
								 &TTSOpsHeapTuple);

	InitResultRelInfo(result, relation, 0, NULL, 0);
	ExecOpenIndices(result, false);
	ExecStoreHeapTuple(row, slot, false);
	slot->tts_tid = row->t_self;
	ExecInsertIndexTuples(result, slot, estate, true, false, NULL, NIL);
	ExecDropSingleTupleTableSlot(slot);
	ExecCloseIndices(result);
	FreeExecutorState(estate);
}

static void
forget_checks(Datum unused, Oid relid)
{
	for (ApptTable *table = kept; table != NULL; table = table->next)
	{
		if (relid == InvalidOid || relid == table->oid)
			table->is_stale = true;
	}
}

/* Parses the table's CHECKs, as ExecConstraints() would for each statement. */
static void
keep_checks(ApptTable *table, Relation relation)
{
	TupleConstr *constraints = RelationGetDescr(relation)->constr;
	int			n = constraints ? constraints->num_check : 0;
	ExprState **checks;
	MemoryContext old;

	if (table->context == NULL)
	{
		table->context = AllocSetContextCreate(TopMemoryContext,
											   "checks of a table of appt",
											   ALLOCSET_SMALL_SIZES);
		table->next = kept;
		kept = table;
	}
	table->checks = NULL;		/* the executor parses them itself */
	MemoryContextReset(table->context);
	table->oid = RelationGetRelid(relation);
	table->is_stale = false;

	old = MemoryContextSwitchTo(table->context);
	checks = palloc_array(ExprState *, n);
	for (int i = 0; i < n; i++)
	{
		Expr	   *check = stringToNode(constraints->check[i].ccbin);

		checks[i] = ExecInitExpr(expression_planner(check), NULL);
	}
	MemoryContextSwitchTo(old);
	table->checks = checks;
}

/* Opening the relation brings in what others changed of its definition. */
static void
open_target(Target *target, ApptTable *table)
{
	Relation	relation = table_open(table_oid(table->name),
									  RowExclusiveLock);

	if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) ==
		RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot insert into table \"%s\" with row security",
						table->name),
				 errhint("ALTER TABLE appt.%s NO FORCE ROW LEVEL SECURITY.",
						 table->name)));
	if (table->context == NULL || table->is_stale ||
		table->oid != RelationGetRelid(relation))
		keep_checks(table, relation);

	*target = (Target) {
		.relation = relation,
		.estate = CreateExecutorState(),
		.result = makeNode(ResultRelInfo),
		.slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
										 &TTSOpsVirtual)
	};
	InitResultRelInfo(target->result, relation, 0, NULL, 0);
	target->result->ri_ConstraintExprs = table->checks;
	target->estate->es_opened_result_relations = list_make1(target->result);
	ExecOpenIndices(target->result, false);
}

static void
close_target(Target *target)
{
	ExecDropSingleTupleTableSlot(target->slot);
	ExecCloseIndices(target->result);
	ExecResetTupleTable(target->estate->es_tupleTable, false);
	FreeExecutorState(target->estate);
	table_close(target->relation, NoLock);
}

static void
fill_slot(TupleTableSlot *slot, const ApptArg *values)
{
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = values[i].value;
		slot->tts_isnull[i] = values[i].isnull;
	}
	ExecStoreVirtualTuple(slot);
}
