/*
 * spi.c
 *		Saved plans, and running work again after a serialization failure.
 *
 * Writes and the reads that decide about them see what is committed now, at
 * every isolation level, as foreign-key checks do; so a booking made while we
 * waited for its lock is never overlooked.
 */
#include "appt.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/*
 * How long appt_retry() goes on.  At REPEATABLE READ each of n that wait for
 * an appointment's row fails once for each that goes first.  What SERIALIZABLE
 * finds wrong between whole transactions is less likely to mend, a deadlock
 * costs deadlock_timeout and may come from locks that the caller's transaction
 * holds.
 */
#define PATIENCE			200
#define COST_OF_CONFLICT	1
#define COST_OF_DANGER		10
#define COST_OF_DEADLOCK	70

/* As the functions set it. */
#define SEARCH_PATH	"pg_catalog, pg_temp"

static bool is_exclusion_of_ours(const ErrorData *error);
static int	fix_search_path(void);
static void prepare(ApptStatement *statement);
static int	attempt(ApptWork work, void *request, Datum *result);
static int	cost_of_retry(const ErrorData *error);

/* Runs a statement and returns the number of rows; SPI must be connected. */
uint64
appt_run(ApptStatement *statement, const ApptArg *args, ApptAccess access)
{
	Datum		values[lengthof(statement->types)];
	char		nulls[lengthof(statement->types)];
	Snapshot	snapshot = InvalidSnapshot;
	MemoryContext context = CurrentMemoryContext;
	int			settings = fix_search_path();
	int			code;

	if (statement->plan == NULL)
		prepare(statement);
	for (int i = 0; i < statement->nargs; i++)
	{
		values[i] = args[i].value;
		nulls[i] = args[i].isnull ? 'n' : ' ';
	}
	if (access != APPT_READ)
		snapshot = GetLatestSnapshot();

	code = SPI_execute_snapshot(statement->plan, values, nulls, snapshot,
								InvalidSnapshot, access != APPT_WRITE,
								true, 0);
	MemoryContextSwitchTo(context); /* SPI leaves another one */
	if (settings > 0)
		AtEOXact_GUC(true, settings);
	if (code < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(code));
	return SPI_processed;
}

/*
 * Runs work that writes.  If an exclusion constraint of a table of ours forbids
 * it, "refuse" is told which one and raises the error that the caller sees.
 * What a DBA's trigger raises under that SQLSTATE, or its tables, is passed on.
 */
void
appt_run_excluded(ApptWork work, void *request, ApptRefusal refuse,
				  const void *context)
{
	MemoryContext old = CurrentMemoryContext;

	PG_TRY();
	{
		(void) work(request);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old);
		error = CopyErrorData();
		if (!is_exclusion_of_ours(error))
			PG_RE_THROW();
		FlushErrorState();
		refuse(error->constraint_name, context);
	}
	PG_END_TRY();
}

static bool
is_exclusion_of_ours(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_EXCLUSION_VIOLATION &&
		error->constraint_name != NULL && error->schema_name != NULL &&
		strcmp(error->schema_name, "appt") == 0;
}

/* Raises what it means that a row was not written, though nothing failed. */
void
appt_refuse_kept_out(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			 errmsg("a trigger or rule of table \"%s\" kept the row out",
					table)));
}

/*
 * Runs a SELECT and hands its rows to a receiver as they come, which spares
 * copying them.  Not APPT_WRITE.
 */
void
appt_run_to(ApptStatement *statement, const ApptArg *args, ApptAccess access,
			DestReceiver *receiver)
{
	ParamListInfo params = makeParamList(statement->nargs);
	SPIExecuteOptions options = {
		.params = params,
		.read_only = true,
		.dest = receiver
	};
	MemoryContext context = CurrentMemoryContext;
	int			settings = fix_search_path();
	int			code;

	if (statement->plan == NULL)
		prepare(statement);
	for (int i = 0; i < statement->nargs; i++)
		params->params[i] = (ParamExternData) {
			.value = args[i].value,
			.isnull = args[i].isnull,
			.pflags = PARAM_FLAG_CONST,
			.ptype = statement->types[i]
		};
	if (access != APPT_READ)
		PushActiveSnapshot(GetLatestSnapshot());
	code = SPI_execute_plan_extended(statement->plan, &options);
	if (access != APPT_READ)
		PopActiveSnapshot();
	MemoryContextSwitchTo(context);
	if (settings > 0)
		AtEOXact_GUC(true, settings);
	if (code < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(code));
}

/* A column (from 1) of a row (from 0) of the statement that ran last. */
Datum
appt_field(int row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

/* The same as a C string in the current context; NULL for NULL. */
char *
appt_field_text(int row, int column)
{
	bool		isnull;
	Datum		value = appt_field(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Runs work in a subtransaction, again after a serialization failure or a
 * deadlock: its locks are given back and it sees the newest state.
 */
Datum
appt_retry(ApptWork work, void *request)
{
	Datum		result = (Datum) 0;
	int			patience = PATIENCE;

	while (patience > 0)
	{
		int			cost;

		CHECK_FOR_INTERRUPTS();
		cost = attempt(work, request, &result);
		if (cost == 0)
			return result;
		patience -= cost;
	}
	return work(request);
}

/*
 * Runs work with SPI connected.  Its result must be in the caller's context
 * (SPI_palloc, SPI_datumTransfer) or pass by value.
 */
Datum
appt_with_spi(ApptWork work, void *request)
{
	Datum		result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = IsolationUsesXactSnapshot()
		? appt_retry(work, request)
		: work(request);
	SPI_finish();
	return result;
}

ApptArg
appt_arg(Datum value)
{
	return (ApptArg) {.value = value, .isnull = false};
}

ApptArg
appt_arg_text(const char *value)
{
	if (value == NULL)
		return appt_arg_null();
	return appt_arg(CStringGetTextDatum(value));
}

/* NULL for 0, "not yet". */
ApptArg
appt_arg_time(TimestampTz instant)
{
	if (instant == 0)
		return appt_arg_null();
	return appt_arg(TimestampTzGetDatum(instant));
}

ApptArg
appt_arg_null(void)
{
	return (ApptArg) {.value = (Datum) 0, .isnull = true};
}

/*
 * Sees to it that no name in a statement means an object of the caller's.
 * appt_api.slots leaves it to this function, for few of its calls come to a
 * statement; the others bring the setting along.  Returns the level for
 * AtEOXact_GUC(), 0 for none; an error ends it by itself.
 */
static int
fix_search_path(void)
{
	int			settings;

	if (strcmp(namespace_search_path, SEARCH_PATH) == 0)
		return 0;
	settings = NewGUCNestLevel();
	(void) set_config_option("search_path", SEARCH_PATH, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return settings;
}

/*
 * Every statement goes by an index and is planned once: left to itself the
 * server plans a big table's anew at each call, for it guesses that a day is a
 * two-hundredth of all.
 */
static void
prepare(ApptStatement *statement)
{
	SPIPlanPtr	plan;

	plan = SPI_prepare_cursor(statement->sql, statement->nargs,
							  statement->types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s for \"%s\"",
			 SPI_result_code_string(SPI_result), statement->sql);
	SPI_keepplan(plan);
	statement->plan = plan;
}

/* One try: 0 if it went well, else what it costs to try again. */
static int
attempt(ApptWork work, void *request, Datum *result)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int cost = 0;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		*result = work(request);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		cost = cost_of_retry(error);
		if (cost == 0)
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return cost;
}

/* 0 for what no further try can mend. */
static int
cost_of_retry(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
			/* Only SERIALIZABLE gives its reason in the detail. */
			return error->detail ? COST_OF_DANGER : COST_OF_CONFLICT;
		case ERRCODE_T_R_DEADLOCK_DETECTED:
			return COST_OF_DEADLOCK;
		default:
			return 0;
	}
}
