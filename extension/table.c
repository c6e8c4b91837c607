/*
 * table.c
 *		Rows of the extension's own tables, found by a key and put in without
 *		a statement.
 *
 * A row goes in the way of one that comes by logical replication: triggers,
 * constraints and indexes have their say, only no plan is started.  What an
 * INSERT finds out each time, CHECKs and expressions of indexes, is parsed once
 * and kept until the table's definition changes.  Who gets here runs a
 * SECURITY DEFINER function as the owner of the tables, so no right and no row
 * security is asked for.  Nor is a foreign key whose row the writer has found
 * and locked already, which is all that the key would do: a query, and a tenth
 * of a booking.
 *
 * As in spi.c, what is found is what is committed now, at every isolation
 * level.
 */
#include "appt.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* What is kept of a table, ready to use, in a context of its own. */
typedef struct TableDefinition
{
	Oid			oid;
	bool		is_stale;		/* it has changed since */
	MemoryContext context;
	ExprState **checks;
	int			nindexes;
	Oid		   *index_oids;
	IndexInfo **indexes;
	Oid			kept_key;		/* trigger of the key that the writer keeps */
} TableDefinition;

typedef struct KnownRelation
{
	const char *name;
	Oid			oid;
} KnownRelation;

/* What an insert works with, for as long as it lasts. */
typedef struct Target
{
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
} Target;

/* What checks a foreign key of a table when a row is put in. */
static ApptStatement trigger_of_key = {
	"SELECT t.oid"
	" FROM pg_catalog.pg_trigger t"
	" WHERE t.tgrelid = $1"
	" AND t.tgfoid = 'pg_catalog.\"RI_FKey_check_ins\"'::pg_catalog.regproc"
	" AND pg_catalog.pg_get_constraintdef(t.tgconstraint) = $2",
	2, {OIDOID, TEXTOID}
};

/* All that is kept. */
static List *definitions = NIL;

/* Relations of schema appt that were asked for; a few are, again and again. */
static KnownRelation known[16];
static int	nknown = 0;

static void insert_index_entries(Relation relation, HeapTuple row);
static void on_relcache_change(Datum unused, Oid relid);
static void on_name_change(Datum unused, int cache, uint32 hash);
static TableDefinition *definition(ApptTable *table, Relation relation);
static void discard(ApptTable *table);
static TableDefinition *read_definition(ApptTable *table, Relation relation);
static void read_checks(TableDefinition *kept, TupleConstr *constraints);
static void read_indexes(TableDefinition *kept, Relation relation);
static Oid	find_kept_key(ApptTable *table, Relation relation);
static void open_target(Target *target, ApptTable *table);
static void open_indexes(ResultRelInfo *result, const TableDefinition *kept);
static void skip_kept_key(TriggerDesc *triggers, const TableDefinition *kept);
static void close_target(Target *target);
static void fill_slot(TupleTableSlot *slot, const ApptArg *values);

/* Called once per backend. */
void
table_init(void)
{
	CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
	CacheRegisterSyscacheCallback(RELNAMENSP, on_name_change, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACENAME, on_name_change, (Datum) 0);
}

/* A relation's, by a name that is a constant; InvalidOid if there is none. */
Oid
table_oid(const char *name)
{
	Oid			oid;

	for (int i = 0; i < nknown; i++)
	{
		if (strcmp(known[i].name, name) == 0)
			return known[i].oid;
	}
	oid = get_relname_relid(name, get_namespace_oid("appt", false));
	if (OidIsValid(oid) && nknown < lengthof(known))
		known[nknown++] = (KnownRelation) {.name = name, .oid = oid};
	return oid;
}

/*
 * Inserts a row, given all its columns in their order.  Unless "row" is NULL,
 * it is given the row as it came to be: a composite Datum in the current
 * context.
 */
void
table_insert(ApptTable *table, const ApptArg *values, int nvalues, Datum *row)
{
	Target		target;

	PreventCommandIfReadOnly("INSERT");
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

	if (row != NULL)
		*row = ExecFetchSlotHeapTupleDatum(target.slot);
	close_target(&target);
	CommandCounterIncrement();
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
 * is about to.  Whom the lock does not keep waiting may be changing the row
 * now: what he makes of it is locked as well.
 */
bool
table_lock(Relation relation, HeapTuple found, LockTupleMode mode)
{
	TM_FailureData failure;
	Buffer		buffer;
	TM_Result	result = heap_lock_tuple(relation, found,
										 GetCurrentCommandId(true), mode,
										 LockWaitBlock, true, &buffer,
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
	TM_Result	result;

	PreventCommandIfReadOnly("UPDATE");
	result = heap_update(relation, &found->t_self, row,
						 GetCurrentCommandId(true), InvalidSnapshot, true,
						 &failure, &mode);
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
on_relcache_change(Datum unused, Oid relid)
{
	ListCell   *cell;

	foreach(cell, definitions)
	{
		TableDefinition *kept = lfirst(cell);

		if (relid == InvalidOid || relid == kept->oid)
			kept->is_stale = true;
	}
}

/* Something has got another name, or is new or gone. */
static void
on_name_change(Datum unused, int cache, uint32 hash)
{
	nknown = 0;
}

/* The table's definition as it is now. */
static TableDefinition *
definition(ApptTable *table, Relation relation)
{
	if (table->kept != NULL && (table->kept->is_stale ||
								table->kept->oid != RelationGetRelid(relation)))
		discard(table);
	if (table->kept == NULL)
		table->kept = read_definition(table, relation);
	return table->kept;
}

/* An insert may be using it, if this one comes from its trigger. */
static void
discard(ApptTable *table)
{
	MemoryContextSetParent(table->kept->context, TopTransactionContext);
	definitions = list_delete_ptr(definitions, table->kept);
	table->kept = NULL;
}

/* What fails half way leaves a definition that nobody uses. */
static TableDefinition *
read_definition(ApptTable *table, Relation relation)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext,
												  "table of appt",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	TableDefinition *kept = MemoryContextAllocZero(context, sizeof(*kept));

	kept->context = context;
	kept->oid = RelationGetRelid(relation);
	definitions = lappend(definitions, kept);
	MemoryContextSwitchTo(context);
	read_checks(kept, RelationGetDescr(relation)->constr);
	read_indexes(kept, relation);
	MemoryContextSwitchTo(old);
	kept->kept_key = find_kept_key(table, relation);
	return kept;
}

/* As ExecConstraints() does for each statement. */
static void
read_checks(TableDefinition *kept, TupleConstr *constraints)
{
	int			n = constraints ? constraints->num_check : 0;

	kept->checks = palloc_array(ExprState *, n);
	for (int i = 0; i < n; i++)
	{
		Expr	   *check = stringToNode(constraints->check[i].ccbin);

		kept->checks[i] = ExecInitExpr(expression_planner(check), NULL);
	}
}

/* As ExecOpenIndices() does, and FormIndexDatum() on its first row. */
static void
read_indexes(TableDefinition *kept, Relation relation)
{
	List	   *oids = RelationGetIndexList(relation);

	kept->nindexes = list_length(oids);
	kept->index_oids = palloc_array(Oid, kept->nindexes);
	kept->indexes = palloc_array(IndexInfo *, kept->nindexes);
	for (int i = 0; i < kept->nindexes; i++)
	{
		Relation	index = index_open(list_nth_oid(oids, i),
									   RowExclusiveLock);
		IndexInfo  *info = BuildIndexInfo(index);
		Expr	   *predicate = (Expr *) info->ii_Predicate;
		ListCell   *cell;

		foreach(cell, info->ii_Expressions)
			info->ii_ExpressionsState =
				lappend(info->ii_ExpressionsState,
						ExecInitExpr(expression_planner(lfirst(cell)), NULL));
		info->ii_PredicateState =
			ExecInitQual((List *) expression_planner(predicate), NULL);
		kept->index_oids[i] = RelationGetRelid(index);
		kept->indexes[i] = info;
		index_close(index, NoLock);
	}
}

/* The trigger; none if there is no key that is spelled like this. */
static Oid
find_kept_key(ApptTable *table, Relation relation)
{
	ApptArg		args[] = {
		appt_arg(ObjectIdGetDatum(RelationGetRelid(relation))),
		appt_arg_text(table->kept_key)
	};
	bool		isnull;

	if (table->kept_key == NULL ||
		appt_run(&trigger_of_key, args, APPT_READ_LATEST) == 0)
		return InvalidOid;
	return DatumGetObjectId(appt_field(0, 1, &isnull));
}

/* Opening the relation brings in what others changed of its definition. */
static void
open_target(Target *target, ApptTable *table)
{
	Relation	relation = table_open(table_oid(table->name),
									  RowExclusiveLock);
	TableDefinition *kept = definition(table, relation);

	*target = (Target) {
		.relation = relation,
		.estate = CreateExecutorState(),
		.result = makeNode(ResultRelInfo),
		.slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
										 &TTSOpsVirtual)
	};
	InitResultRelInfo(target->result, relation, 0, NULL, 0);
	target->result->ri_ConstraintExprs = kept->checks;
	target->estate->es_opened_result_relations = list_make1(target->result);
	open_indexes(target->result, kept);
	skip_kept_key(target->result->ri_TrigDesc, kept);
}

/*
 * In the insert's own copy of the table's triggers.  One that runs before may
 * make the row refer to another, which nobody has found.
 */
static void
skip_kept_key(TriggerDesc *triggers, const TableDefinition *kept)
{
	if (!OidIsValid(kept->kept_key) || triggers->trig_insert_before_row)
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tgoid == kept->kept_key)
			triggers->triggers[i].tgenabled = TRIGGER_DISABLED;
	}
}

/*
 * What an access method keeps of an index is the insert's own and lasts as long
 * as it: a trigger may insert into the same table before the row goes in.
 */
static void
open_indexes(ResultRelInfo *result, const TableDefinition *kept)
{
	result->ri_NumIndices = kept->nindexes;
	result->ri_IndexRelationDescs = palloc_array(Relation, kept->nindexes);
	result->ri_IndexRelationInfo = palloc_array(IndexInfo *, kept->nindexes);
	for (int i = 0; i < kept->nindexes; i++)
	{
		IndexInfo  *info = palloc_object(IndexInfo);

		*info = *kept->indexes[i];
		info->ii_AmCache = NULL;
		info->ii_Context = CurrentMemoryContext;
		result->ri_IndexRelationInfo[i] = info;
		result->ri_IndexRelationDescs[i] = index_open(kept->index_oids[i],
													  RowExclusiveLock);
	}
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
