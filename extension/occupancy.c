/*
 * occupancy.c
 *		Somebody's time, taken: a key and an interval as one value, and the
 *		SP-GiST operator class by which the overlap constraints look for it.
 *
 * A value lies at a path of 60 bits: its key, the class of its length, the
 * slice of time that it starts in.  What overlaps [start, end) of a key then
 * lies, for each class, in one window of paths: from as many slices before the
 * start as the class is long, to the slice of the end.  The index is a trie of
 * paths, three bits a level, which leaves levels out that decide nothing.
 *
 * A cell is a node of that trie as one number: the bits that lead to it, a one
 * bit, zeros (as S2 numbers the cells of a sphere).  All paths below a cell are
 * a span of numbers around it.  The same by a GiST, each of whose pages has 190
 * entries to compare with, takes three times the work (docs/performance.md).
 *
 * ON-DISK FORMAT: struct Occupancy, and all that says where the path of a value
 * leads: SLICE_BITS, SLICES_BITS, CLASS_BITS, LEVEL_BITS, path_cell(),
 * slice_of() and class_of().  A library that changes one of them does not find
 * what an index of before holds, and lets visits overlap.  Its update script
 * has to REINDEX INDEX appt.appointment_no_overlap and
 * appt.appointment_patient_no_overlap, and so has a DBA each index of his own
 * with this class.
 */
#include "appt.h"

#include "access/spgist.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"

/* A slice of time is 2^30 microseconds, some 18 minutes. */
#define SLICE_BITS		30
#define SLICE			(INT64CONST(1) << SLICE_BITS)

/* So many slices are told apart, 570 years to both sides of 2000. */
#define SLICES_BITS		25
#define NSLICES			(INT64CONST(1) << SLICES_BITS)

/* Class c is of what lasts up to 2^c slices, the last one of the rest. */
#define CLASS_BITS		3
#define NCLASSES		(1 << CLASS_BITS)

/*
 * A cell's children: no more than the eight nodes of the tuple that PostgreSQL
 * makes where nothing tells apart what is there (its checkAllTheSame).  A cell
 * above such a one takes its place in the page, and must not be longer.
 */
#define LEVEL_BITS		3
#define NCHILDREN		(1 << LEVEL_BITS)

StaticAssertDecl(NCHILDREN <= 8, "a split finds room for its cell's children");

StaticAssertDecl((32 + CLASS_BITS + SLICES_BITS) % LEVEL_BITS == 0 &&
				 32 + CLASS_BITS + SLICES_BITS < 64,
				 "a path is of whole levels and leaves a bit to end a cell");

typedef struct Occupancy
{
	int32		key;
	TimestampTz start;			/* [start, end) */
	TimestampTz end;
} Occupancy;

StaticAssertDecl(sizeof(Occupancy) == 24,
				 "a value is as long as type appt_internal.occupancy says");

/* Node of the trie; that of one path ends in a one. */
typedef uint64 Cell;

/* Where values can be that overlap one: from a path's cell to another's. */
typedef struct Window
{
	Cell		first;
	Cell		last;
} Window;

/* A set of a cell's children, bit n for number n. */
typedef uint64 Children;

#define ALL_CHILDREN	PG_UINT64_MAX

StaticAssertDecl(NCHILDREN <= 64, "a set of children has a bit for each");

#define GET_OCCUPANCY(n)	((const Occupancy *) PG_GETARG_POINTER(n))
#define DATUM_OCCUPANCY(datum)	((const Occupancy *) DatumGetPointer(datum))

static char *print_time(TimestampTz instant);
static bool overlap(const Occupancy *a, const Occupancy *b);
static Cell path_cell(int32 key, int class, int64 slice);
static Cell cell_of(const Occupancy *value);
static int64 slice_of(TimestampTz instant);
static int	class_of(const Occupancy *value);
static Cell end_bit(Cell cell);
static Cell first_below(Cell cell);
static Cell last_below(Cell cell);
static bool is_below(Cell path, Cell cell);
static int	child_toward(Cell cell, Cell path);
static Cell common_cell(Cell a, Cell b);
static void find_windows(const Occupancy *sought, Window *windows);
static Children wanted_children(Cell cell, const Window *windows);

PG_FUNCTION_INFO_V1(appt_occupancy);
PG_FUNCTION_INFO_V1(appt_occupancy_in);
PG_FUNCTION_INFO_V1(appt_occupancy_out);
PG_FUNCTION_INFO_V1(appt_occupancy_overlaps);
PG_FUNCTION_INFO_V1(appt_occupancy_config);
PG_FUNCTION_INFO_V1(appt_occupancy_choose);
PG_FUNCTION_INFO_V1(appt_occupancy_picksplit);
PG_FUNCTION_INFO_V1(appt_occupancy_inner_consistent);
PG_FUNCTION_INFO_V1(appt_occupancy_leaf_consistent);

/* An empty interval overlaps nothing and would slip past a constraint. */
Datum
appt_occupancy(PG_FUNCTION_ARGS)
{
	/* Zeros: the padding behind the key goes to disk and into the WAL. */
	Occupancy  *result = palloc0_object(Occupancy);

	result->key = PG_GETARG_INT32(0);
	result->start = PG_GETARG_TIMESTAMPTZ(1);
	result->end = PG_GETARG_TIMESTAMPTZ(2);
	if (result->start >= result->end)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("the start of an interval must lie before its end")));
	PG_RETURN_POINTER(result);
}

/* Values live in indexes only, which are made again from their tables. */
Datum
appt_occupancy_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s",
					"appt_internal.occupancy"),
			 errhint("Use appt_internal.occupancy(key, start, end).")));
	PG_RETURN_VOID();
}

Datum
appt_occupancy_out(PG_FUNCTION_ARGS)
{
	const Occupancy *value = GET_OCCUPANCY(0);
	char	   *start = print_time(value->start);
	char	   *end = print_time(value->end);

	PG_RETURN_CSTRING(psprintf("%d: [%s, %s)", value->key, start, end));
}

Datum
appt_occupancy_overlaps(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(overlap(GET_OCCUPANCY(0), GET_OCCUPANCY(1)));
}

/* An inner tuple's prefix is its cell; its nodes are all children of it. */
Datum
appt_occupancy_config(PG_FUNCTION_ARGS)
{
	spgConfigOut *config = (spgConfigOut *) PG_GETARG_POINTER(1);

	config->prefixType = INT8OID;
	config->labelType = VOIDOID;
	config->canReturnData = false;
	config->longValuesOK = false;
	PG_RETURN_VOID();
}

/*
 * Down to the child that the value is below, or to a new cell above this one
 * if it is not below this one.  (Where all nodes are the same, which is so if
 * no child tells apart what is there, the number of the child is not used.)
 */
Datum
appt_occupancy_choose(PG_FUNCTION_ARGS)
{
	const spgChooseIn *in = (const spgChooseIn *) PG_GETARG_POINTER(0);
	spgChooseOut *out = (spgChooseOut *) PG_GETARG_POINTER(1);
	Cell		cell = (Cell) DatumGetInt64(in->prefixDatum);
	Cell		path = cell_of(DATUM_OCCUPANCY(in->leafDatum));

	if (is_below(path, cell))
	{
		out->resultType = spgMatchNode;
		out->result.matchNode.nodeN = child_toward(cell, path);
		out->result.matchNode.levelAdd = 0;
		out->result.matchNode.restDatum = in->leafDatum;
	}
	else
	{
		Cell		above = common_cell(cell, path);

		out->resultType = spgSplitTuple;
		out->result.splitTuple.prefixHasPrefix = true;
		out->result.splitTuple.prefixPrefixDatum = Int64GetDatum(above);
		out->result.splitTuple.prefixNNodes = NCHILDREN;
		out->result.splitTuple.prefixNodeLabels = NULL;
		out->result.splitTuple.childNodeN = child_toward(above, cell);
		out->result.splitTuple.postfixHasPrefix = true;
		out->result.splitTuple.postfixPrefixDatum = in->prefixDatum;
	}
	PG_RETURN_VOID();
}

/* The smallest cell that has them all, so that they get to several children. */
Datum
appt_occupancy_picksplit(PG_FUNCTION_ARGS)
{
	const spgPickSplitIn *in = (const spgPickSplitIn *) PG_GETARG_POINTER(0);
	spgPickSplitOut *out = (spgPickSplitOut *) PG_GETARG_POINTER(1);
	Cell		cell = cell_of(DATUM_OCCUPANCY(in->datums[0]));

	for (int i = 1; i < in->nTuples; i++)
	{
		Cell		path = cell_of(DATUM_OCCUPANCY(in->datums[i]));

		if (!is_below(path, cell))
			cell = common_cell(cell, path);
	}
	out->hasPrefix = true;
	out->prefixDatum = Int64GetDatum(cell);
	out->nNodes = NCHILDREN;
	out->nodeLabels = NULL;
	out->mapTuplesToNodes = palloc_array(int, in->nTuples);
	out->leafTupleDatums = palloc_array(Datum, in->nTuples);
	for (int i = 0; i < in->nTuples; i++)
	{
		out->mapTuplesToNodes[i] =
			child_toward(cell, cell_of(DATUM_OCCUPANCY(in->datums[i])));
		out->leafTupleDatums[i] = in->datums[i];
	}
	PG_RETURN_VOID();
}

/* The children below which there can be what is sought. */
Datum
appt_occupancy_inner_consistent(PG_FUNCTION_ARGS)
{
	const spgInnerConsistentIn *in =
		(const spgInnerConsistentIn *) PG_GETARG_POINTER(0);
	spgInnerConsistentOut *out =
		(spgInnerConsistentOut *) PG_GETARG_POINTER(1);
	Cell		cell = (Cell) DatumGetInt64(in->prefixDatum);
	Children	wanted = ALL_CHILDREN;

	for (int key = 0; key < in->nkeys; key++)
	{
		Window		windows[NCLASSES];

		find_windows(DATUM_OCCUPANCY(in->scankeys[key].sk_argument), windows);
		wanted &= wanted_children(cell, windows);
	}
	if (in->allTheSame && wanted != 0)
		wanted = ALL_CHILDREN;

	out->nodeNumbers = palloc_array(int, in->nNodes);
	out->nNodes = 0;
	for (int i = 0; i < in->nNodes; i++)
	{
		if (wanted >> i & 1)
			out->nodeNumbers[out->nNodes++] = i;
	}
	PG_RETURN_VOID();
}

/*
 * The class has one operator, and an entry answers for it exactly.  A scan that
 * needs no column of the row is one of the index alone, and asks for the value
 * although none can be read from it.
 */
Datum
appt_occupancy_leaf_consistent(PG_FUNCTION_ARGS)
{
	const spgLeafConsistentIn *in =
		(const spgLeafConsistentIn *) PG_GETARG_POINTER(0);
	spgLeafConsistentOut *out = (spgLeafConsistentOut *) PG_GETARG_POINTER(1);
	const Occupancy *value = DATUM_OCCUPANCY(in->leafDatum);

	out->recheck = false;
	out->leafValue = in->leafDatum;
	for (int key = 0; key < in->nkeys; key++)
	{
		Assert(in->scankeys[key].sk_strategy == RTOverlapStrategyNumber);
		if (!overlap(value, DATUM_OCCUPANCY(in->scankeys[key].sk_argument)))
			PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(true);
}

static char *
print_time(TimestampTz instant)
{
	Datum		value = TimestampTzGetDatum(instant);

	return DatumGetCString(DirectFunctionCall1(timestamptz_out, value));
}

static bool
overlap(const Occupancy *a, const Occupancy *b)
{
	return a->key == b->key && a->start < b->end && b->start < a->end;
}

static Cell
path_cell(int32 key, int class, int64 slice)
{
	uint64		path = (uint32) key;

	path = path << CLASS_BITS | class;
	path = path << SLICES_BITS | slice;
	return path << 1 | 1;
}

static Cell
cell_of(const Occupancy *value)
{
	return path_cell(value->key, class_of(value), slice_of(value->start));
}

/* The slice of an instant; the outermost two stand for all time beyond them. */
static int64
slice_of(TimestampTz instant)
{
	const int64 middle = NSLICES / 2 * SLICE;

	if (instant < -middle)
		return 0;
	if (instant >= middle)
		return NSLICES - 1;
	return (instant + middle) >> SLICE_BITS;
}

static int
class_of(const Occupancy *value)
{
	uint64		length = (uint64) value->end - (uint64) value->start;
	int			class = 0;

	while (class < NCLASSES - 1 && length > (uint64) SLICE << class)
		class++;
	return class;
}

static Cell
end_bit(Cell cell)
{
	return cell & -cell;
}

static Cell
first_below(Cell cell)
{
	return cell - (end_bit(cell) - 1);
}

static Cell
last_below(Cell cell)
{
	return cell + (end_bit(cell) - 1);
}

static bool
is_below(Cell path, Cell cell)
{
	return first_below(cell) <= path && path <= last_below(cell);
}

/* The number of the child of "cell" under which "below" lies; 0 for a path. */
static int
child_toward(Cell cell, Cell below)
{
	Cell		bit = end_bit(cell);

	return bit == 1 ? 0 : below / (bit >> (LEVEL_BITS - 1)) % NCHILDREN;
}

/* The smallest cell above two of which none is below the other. */
static Cell
common_cell(Cell a, Cell b)
{
	int			differs = pg_leftmost_one_pos64(a ^ b);
	int			level = (differs + LEVEL_BITS - 1) / LEVEL_BITS;
	Cell		bit = UINT64CONST(1) << (level * LEVEL_BITS);

	return (a & ~(bit | (bit - 1))) | bit;
}

/*
 * A window of paths for each class of lengths: an interval of class n that
 * overlaps "sought" starts at most 2^n slices before it.  The last class holds
 * all longer intervals, which can have started at any time.
 */
static void
find_windows(const Occupancy *sought, Window *windows)
{
	int64		start = slice_of(sought->start);
	int64		end = slice_of(sought->end);

	for (int class = 0; class < NCLASSES; class++)
	{
		int64		before = class == NCLASSES - 1
			? NSLICES : INT64CONST(1) << class;

		windows[class] = (Window) {
			.first = path_cell(sought->key, class, Max(start - before, 0)),
			.last = path_cell(sought->key, class, end)
		};
	}
}

/* Those below which some window may have a path. */
static Children
wanted_children(Cell cell, const Window *windows)
{
	Cell		first = first_below(cell);
	Cell		last = last_below(cell);
	Children	wanted = 0;

	for (int class = 0; class < NCLASSES; class++)
	{
		const Window *window = &windows[class];

		if (window->first <= last && first <= window->last)
		{
			int			from = child_toward(cell, Max(first, window->first));
			int			to = child_toward(cell, Min(last, window->last));

			wanted |= ALL_CHILDREN << from & ALL_CHILDREN >> (63 - to);
		}
	}
	return wanted;
}
