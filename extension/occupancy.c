/*
 * occupancy.c
 *		Somebody's time, taken: a key and an interval as one value, and the
 *		GiST operator class by which the overlap constraints look for it.
 *
 * btree_gist with a range does the same at twice the cost, which was a fifth
 * of a booking (docs/performance.md).  An entry above the leaves covers a span
 * of keys and of time, so the value has both ends of both.  Pages are split in
 * the order of (key, start), between two keys where there is a choice: a
 * doctor's or a patient's entries lie together.
 */
#include "appt.h"

#include "access/gist.h"
#include "access/stratnum.h"
#include "utils/builtins.h"

/* What a page's split must leave on each side, as a share of its entries. */
#define LEAST_SHARE		4

/* The cost of another key on a page, in seconds of time: above any of them. */
#define COST_OF_KEY		1e13

typedef struct Occupancy
{
	int32		first_key;		/* of one occupant: both the same */
	int32		last_key;
	TimestampTz start;			/* [start, end) */
	TimestampTz end;
} Occupancy;

/* An entry of a page that is to be split. */
typedef struct SplitEntry
{
	const Occupancy *occupancy;
	OffsetNumber offset;
} SplitEntry;

#define GET_OCCUPANCY(n)	((const Occupancy *) PG_GETARG_POINTER(n))
#define ENTRY_OCCUPANCY(entry) \
	((const Occupancy *) DatumGetPointer((entry).key))

static char *print_time(TimestampTz instant);
static bool overlap(const Occupancy *a, const Occupancy *b);
static Occupancy *copy(const Occupancy *occupancy);
static void extend(Occupancy *occupancy, const Occupancy *by);
static SplitEntry *sorted_entries(const GistEntryVector *entries, int n);
static int	compare_entries(const void *a, const void *b);
static int	where_to_split(const SplitEntry *entries, int n);
static OffsetNumber *take_side(const SplitEntry *entries, int n,
							   Occupancy **all);

PG_FUNCTION_INFO_V1(appt_occupancy);
PG_FUNCTION_INFO_V1(appt_occupancy_in);
PG_FUNCTION_INFO_V1(appt_occupancy_out);
PG_FUNCTION_INFO_V1(appt_occupancy_overlaps);
PG_FUNCTION_INFO_V1(appt_occupancy_consistent);
PG_FUNCTION_INFO_V1(appt_occupancy_union);
PG_FUNCTION_INFO_V1(appt_occupancy_penalty);
PG_FUNCTION_INFO_V1(appt_occupancy_picksplit);
PG_FUNCTION_INFO_V1(appt_occupancy_same);

/* An empty interval overlaps nothing and would slip past a constraint. */
Datum
appt_occupancy(PG_FUNCTION_ARGS)
{
	Occupancy  *result = palloc_object(Occupancy);

	*result = (Occupancy) {
		.first_key = PG_GETARG_INT32(0),
		.last_key = PG_GETARG_INT32(0),
		.start = PG_GETARG_TIMESTAMPTZ(1),
		.end = PG_GETARG_TIMESTAMPTZ(2)
	};
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
			 errmsg("cannot accept a value of type %s", "appt.occupancy"),
			 errhint("Use appt.occupancy(key, start, end).")));
	PG_RETURN_VOID();
}

Datum
appt_occupancy_out(PG_FUNCTION_ARGS)
{
	const Occupancy *value = GET_OCCUPANCY(0);
	char	   *start = print_time(value->start);
	char	   *end = print_time(value->end);

	if (value->first_key == value->last_key)
		PG_RETURN_CSTRING(psprintf("%d: [%s, %s)", value->first_key,
								   start, end));
	PG_RETURN_CSTRING(psprintf("%d..%d: [%s, %s)", value->first_key,
							   value->last_key, start, end));
}

Datum
appt_occupancy_overlaps(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(overlap(GET_OCCUPANCY(0), GET_OCCUPANCY(1)));
}

/* The class has one operator, and an entry answers for it exactly. */
Datum
appt_occupancy_consistent(PG_FUNCTION_ARGS)
{
	const GISTENTRY *entry = (const GISTENTRY *) PG_GETARG_POINTER(0);
	bool	   *recheck = (bool *) PG_GETARG_POINTER(4);

	Assert(PG_GETARG_UINT16(2) == RTOverlapStrategyNumber);
	*recheck = false;
	PG_RETURN_BOOL(overlap(ENTRY_OCCUPANCY(*entry), GET_OCCUPANCY(1)));
}

Datum
appt_occupancy_union(PG_FUNCTION_ARGS)
{
	const GistEntryVector *entries =
		(const GistEntryVector *) PG_GETARG_POINTER(0);
	int		   *size = (int *) PG_GETARG_POINTER(1);
	Occupancy  *all = copy(ENTRY_OCCUPANCY(entries->vector[0]));

	for (int i = 1; i < entries->n; i++)
		extend(all, ENTRY_OCCUPANCY(entries->vector[i]));
	*size = sizeof(Occupancy);
	PG_RETURN_POINTER(all);
}

Datum
appt_occupancy_penalty(PG_FUNCTION_ARGS)
{
	const GISTENTRY *page = (const GISTENTRY *) PG_GETARG_POINTER(0);
	const GISTENTRY *added = (const GISTENTRY *) PG_GETARG_POINTER(1);
	float	   *penalty = (float *) PG_GETARG_POINTER(2);
	const Occupancy *before = ENTRY_OCCUPANCY(*page);
	Occupancy	after = *before;
	double		keys;
	double		seconds;

	extend(&after, ENTRY_OCCUPANCY(*added));
	keys = ((double) after.last_key - after.first_key) -
		((double) before->last_key - before->first_key);
	seconds = ((double) (after.end - after.start) -
			   (double) (before->end - before->start)) / USECS_PER_SEC;
	*penalty = (float) (keys * COST_OF_KEY + seconds);
	PG_RETURN_POINTER(penalty);
}

Datum
appt_occupancy_picksplit(PG_FUNCTION_ARGS)
{
	const GistEntryVector *entries =
		(const GistEntryVector *) PG_GETARG_POINTER(0);
	GIST_SPLITVEC *split = (GIST_SPLITVEC *) PG_GETARG_POINTER(1);
	int			n = entries->n - FirstOffsetNumber;
	SplitEntry *sorted = sorted_entries(entries, n);
	int			nleft = where_to_split(sorted, n);
	Occupancy  *left;
	Occupancy  *right;

	split->spl_left = take_side(sorted, nleft, &left);
	split->spl_nleft = nleft;
	split->spl_ldatum = PointerGetDatum(left);
	split->spl_right = take_side(sorted + nleft, n - nleft, &right);
	split->spl_nright = n - nleft;
	split->spl_rdatum = PointerGetDatum(right);
	PG_RETURN_POINTER(split);
}

Datum
appt_occupancy_same(PG_FUNCTION_ARGS)
{
	const Occupancy *a = GET_OCCUPANCY(0);
	const Occupancy *b = GET_OCCUPANCY(1);
	bool	   *same = (bool *) PG_GETARG_POINTER(2);

	*same = a->first_key == b->first_key && a->last_key == b->last_key &&
		a->start == b->start && a->end == b->end;
	PG_RETURN_POINTER(same);
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
	return a->first_key <= b->last_key && b->first_key <= a->last_key &&
		a->start < b->end && b->start < a->end;
}

static Occupancy *
copy(const Occupancy *occupancy)
{
	Occupancy  *result = palloc_object(Occupancy);

	*result = *occupancy;
	return result;
}

static void
extend(Occupancy *occupancy, const Occupancy *by)
{
	occupancy->first_key = Min(occupancy->first_key, by->first_key);
	occupancy->last_key = Max(occupancy->last_key, by->last_key);
	occupancy->start = Min(occupancy->start, by->start);
	occupancy->end = Max(occupancy->end, by->end);
}

/* The entries, which are counted from 1, in the order of (key, start). */
static SplitEntry *
sorted_entries(const GistEntryVector *entries, int n)
{
	SplitEntry *sorted = palloc_array(SplitEntry, n);

	for (int i = 0; i < n; i++)
	{
		OffsetNumber offset = FirstOffsetNumber + i;

		sorted[i] = (SplitEntry) {
			.occupancy = ENTRY_OCCUPANCY(entries->vector[offset]),
			.offset = offset
		};
	}
	qsort(sorted, n, sizeof(SplitEntry), compare_entries);
	return sorted;
}

static int
compare_entries(const void *a, const void *b)
{
	const Occupancy *x = ((const SplitEntry *) a)->occupancy;
	const Occupancy *y = ((const SplitEntry *) b)->occupancy;

	if (x->first_key != y->first_key)
		return x->first_key < y->first_key ? -1 : 1;
	return (x->start > y->start) - (x->start < y->start);
}

/*
 * How many entries go to the left: half of them, or up to the change of key
 * that is next to the middle and leaves neither side too few.
 */
static int
where_to_split(const SplitEntry *entries, int n)
{
	int			middle = n / 2;

	for (int away = 0; away <= middle - n / LEAST_SHARE; away++)
	{
		int			sides[] = {middle - away, middle + away};

		for (int i = 0; i < lengthof(sides); i++)
		{
			int			at = sides[i];

			if (at > 0 && at < n && entries[at - 1].occupancy->last_key <
				entries[at].occupancy->first_key)
				return at;
		}
	}
	return middle;
}

/* The offsets of one side's entries, and what covers all of them. */
static OffsetNumber *
take_side(const SplitEntry *entries, int n, Occupancy **all)
{
	OffsetNumber *offsets = palloc_array(OffsetNumber, n + 1);

	*all = copy(entries[0].occupancy);
	for (int i = 0; i < n; i++)
	{
		offsets[i] = entries[i].offset;
		extend(*all, entries[i].occupancy);
	}
	return offsets;
}
