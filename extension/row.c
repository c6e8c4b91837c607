/*
 * row.c
 *		Reads rows as composite values, their columns found by name: what a
 *		DBA adds, drops, puts elsewhere or has generated is passed over.
 */
#include "appt.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static void find_columns(RowReader *reader, TupleDesc desc);
static void check_null(const RowReader *reader, int column, bool isnull);
static AttrNumber find_column(const RowReader *reader, TupleDesc desc,
							  const RowColumn *column);

/*
 * The values of the reader's columns of a composite value, in the order of its
 * list; what is not passed by value lies in the row.
 */
void
row_read(RowReader *reader, HeapTupleHeader row, Datum *values, bool *nulls)
{
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(row),
		.t_data = row
	};
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	Datum	   *all_values = palloc_array(Datum, desc->natts);
	bool	   *all_nulls = palloc_array(bool, desc->natts);

	find_columns(reader, desc);
	heap_deform_tuple(&tuple, desc, all_values, all_nulls);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		AttrNumber	number = reader->numbers[i];

		values[i] = all_values[number - 1];
		nulls[i] = all_nulls[number - 1];
		check_null(reader, i, nulls[i]);
	}
	pfree(all_values);
	pfree(all_nulls);
	ReleaseTupleDesc(desc);
}

/*
 * The same of a row in a slot.  Only as much of it is taken apart as it has up
 * to the last of the reader's columns.
 */
void
row_read_slot(RowReader *reader, TupleTableSlot *slot, Datum *values,
			  bool *nulls)
{
	find_columns(reader, slot->tts_tupleDescriptor);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		values[i] = slot_getattr(slot, reader->numbers[i], &nulls[i]);
		check_null(reader, i, nulls[i]);
	}
}

static void
check_null(const RowReader *reader, int column, bool isnull)
{
	if (isnull && reader->columns[column].not_null)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of a row of type %s",
						reader->columns[column].name, reader->table)));
}

/*
 * Sees to it that the reader knows where the row's type has its columns.  They
 * are looked for anew when the type cache says that its descriptor is another
 * than last time.
 */
static void
find_columns(RowReader *reader, TupleDesc desc)
{
	uint64		descriptor =
		assign_record_type_identifier(desc->tdtypeid, desc->tdtypmod);

	Assert(reader->ncolumns <= APPT_MAX_COLUMNS);
	if (reader->descriptor == descriptor)
		return;
	reader->descriptor = 0;
	for (int i = 0; i < reader->ncolumns; i++)
		reader->numbers[i] = find_column(reader, desc, &reader->columns[i]);
	reader->descriptor = descriptor;
}

/* The number of a column, whose type must be the one that is read. */
static AttrNumber
find_column(const RowReader *reader, TupleDesc desc, const RowColumn *column)
{
	int			number = SPI_fnumber(desc, column->name);
	Oid			type;

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\"",
						reader->table, column->name)));
	type = getBaseType(TupleDescAttr(desc, number - 1)->atttypid);
	if (type != column->type &&
		!(type == VARCHAROID && column->type == TEXTOID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" has type %s",
						column->name, reader->table, format_type_be(type)),
				 errdetail("The extension reads it as %s.",
						   format_type_be(column->type))));
	return number;
}
