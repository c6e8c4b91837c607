/*
 * given.c
 *		A row that a statement reads as a relation, "given".
 *
 * For INSERTs of wide rows.  PostgreSQL sets up an expression for each value
 * that is a parameter, anew for each statement; a row that comes out of a scan
 * as the table has it, column for column, is taken as it is.  Where the table
 * has got other columns since, PostgreSQL sees to what is between.
 */
#include "appt.h"

#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#define RELATION	"given"

/* More than any row has, so that none goes by a file. */
#define MAX_KB		(MaxAllocSize / 1024)

static TupleDesc describe(const ApptStatement *statement);

/*
 * Makes the arguments the relation that the statement reads, until
 * given_end(), or in place of one that an error left, which was mended since.
 * SPI must be connected, and ends it by itself when it is not any more.
 */
GivenRow
given_begin(ApptStatement *statement, const ApptArg *args)
{
	EphemeralNamedRelation relation =
		palloc0_object(EphemeralNamedRelationData);
	GivenRow	row = tuplestore_begin_heap(false, false, MAX_KB);
	Datum		values[APPT_MAX_COLUMNS];
	bool		nulls[APPT_MAX_COLUMNS];

	Assert(statement->nargs <= APPT_MAX_COLUMNS);
	for (int i = 0; i < statement->nargs; i++)
	{
		values[i] = args[i].value;
		nulls[i] = args[i].isnull;
	}
	if (statement->desc == NULL)
		statement->desc = describe(statement);
	tuplestore_putvalues(row, statement->desc, values, nulls);
	*relation = (EphemeralNamedRelationData) {
		.md = {
			.name = RELATION,
			.tupdesc = statement->desc,
			.enrtype = ENR_NAMED_TUPLESTORE,
			.enrtuples = 1
		},
		.reldata = row
	};
	(void) SPI_unregister_relation(RELATION);
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed");
	return row;
}

void
given_end(GivenRow row)
{
	if (SPI_unregister_relation(RELATION) != SPI_OK_REL_UNREGISTER)
		elog(ERROR, "SPI_unregister_relation failed");
	tuplestore_end(row);
}

/* Of what the statement's row is, for as long as the backend lives. */
static TupleDesc
describe(const ApptStatement *statement)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	TupleDesc	desc = CreateTemplateTupleDesc(statement->nargs);

	for (int i = 0; i < statement->nargs; i++)
		TupleDescInitEntry(desc, i + 1, statement->given[i].name,
						   statement->given[i].type, -1, 0);
	MemoryContextSwitchTo(old);
	return desc;
}
