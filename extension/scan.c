/*
 * scan.c
 *		An index of appt.appointment, opened to be read without a query.
 *
 * Starting and ending a query costs more than reading a short range of an
 * index, so what every booking asks for is read by a scan without the executor
 * (busy.c, patient.c).  What the executor would check and lock for it is done
 * here:
 *
 * - privileges: the current user (the extension's owner, behind SECURITY
 *   DEFINER) may read the table and no row security stands before it;
 * - locks: the table's until the end of the transaction, as a query's, so
 *   nothing takes the index away;
 * - SERIALIZABLE: the index locks its own pages and a row its fetch.
 *
 * Where the table or the index is not as the extension made it, a query asks
 * the same, and answers or refuses as the server does.
 */
#include "appointment.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static ApptStatement index_definition = {
	"SELECT pg_catalog.pg_get_indexdef($1)",
	1, {OIDOID}
};

static Relation open_index(Relation table, OwnIndex *use);
static bool has_all_rows(Relation index);
static bool fits(Relation index, OwnIndex *use);

/*
 * Opens the index and its table and takes the snapshot that "access" reads by.
 * False, and nothing done, where only a query can answer.
 */
bool
scan_begin(OwnScan *scan, OwnIndex *use, ApptAccess access)
{
	scan->table = table_open(relation_oid("appointment"), AccessShareLock);
	scan->index = open_index(scan->table, use);
	scan->is_latest = access != APPT_READ;
	if (scan->index == NULL)
	{
		table_close(scan->table, NoLock);
		return false;
	}
	if (scan->is_latest)
		PushActiveSnapshot(GetLatestSnapshot());
	scan->snapshot = GetActiveSnapshot();
	return true;
}

void
scan_end(OwnScan *scan)
{
	if (scan->is_latest)
		PopActiveSnapshot();
	index_close(scan->index, NoLock);
	table_close(scan->table, NoLock);
}

/* NULL where the table may not simply be read or the index does not fit. */
static Relation
open_index(Relation table, OwnIndex *use)
{
	Relation	index;
	Oid			index_oid;

	if (table->rd_rel->relrowsecurity ||
		pg_class_aclcheck(RelationGetRelid(table), GetUserId(),
						  ACL_SELECT) != ACLCHECK_OK)
		return NULL;
	index_oid = relation_oid(use->name);
	if (!OidIsValid(index_oid))
		return NULL;
	index = index_open(index_oid, AccessShareLock);
	if (index->rd_index->indrelid == RelationGetRelid(table) &&
		index->rd_index->indisvalid && has_all_rows(index) &&
		fits(index, use))
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

/* Whether it is the one that is meant.  An index never changes but its name. */
static bool
fits(Relation index, OwnIndex *use)
{
	TupleDesc	desc = RelationGetDescr(index);
	ApptArg		args[] = {appt_arg(ObjectIdGetDatum(RelationGetRelid(index)))};

	if (RelationGetRelid(index) == use->fitting)
		return true;
	(void) appt_run(&index_definition, args, APPT_READ_LATEST);
	if (strcmp(appt_field_text(0, 1), use->definition) != 0)
		return false;
	for (int i = 0; i < use->ntypes; i++)
	{
		if (TupleDescAttr(desc, i)->atttypid != use->types[i])
			return false;
	}
	use->fitting = RelationGetRelid(index);
	return true;
}
