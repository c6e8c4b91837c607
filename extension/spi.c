/*
 * spi.c
 *		Saved plans, and running again what a concurrent change made fail.
 *
 * Writes and the reads that decide about them see what is committed now, at
 * every isolation level, as foreign-key checks do; so a booking made while we
 * waited for its lock is never overlooked.
 *
 * Only what can succeed is run again.  What SERIALIZABLE finds wrong between
 * whole transactions stays wrong until the caller begins a new one, and is
 * passed on.
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

/* Each try that fails means that another transaction got further. */
#define MAX_TRIES		100

/* A deadlock costs deadlock_timeout. */
#define MAX_DEADLOCKS	3

/* As the functions set it. */
#define SEARCH_PATH	"pg_catalog, pg_temp"

/* A statement and how it is to run. */
typedef struct Execution
{
	ApptStatement *statement;
	const ApptArg *args;
	ApptAccess	access;
} Execution;

/* Whether running the same again can mend what the error says. */
typedef bool (*IsMendable) (const ErrorData *error);

static bool execute(void *arg);
static bool is_exclusion_of_ours(const ErrorData *error);
static int	fix_search_path(void);
static int	parameters(const ApptStatement *statement);
static void prepare(ApptStatement *statement);
static bool attempt(ApptAttempt work, void *request, IsMendable is_mendable,
					ErrorData **error);
static bool is_row_changed(const ErrorData *error);
static bool is_deadlock(const ErrorData *error);

/*
 * Runs a statement and returns the number of rows; SPI must be connected.
 *
 * APPT_LOCK is for one that waits for rows which others are changing.  READ
 * COMMITTED goes on with what they made of them; the levels above fail, and
 * the statement is run again in a subtransaction with a snapshot from after
 * the change.
 */
uint64
appt_run(ApptStatement *statement, const ApptArg *args, ApptAccess access)
{
	Execution	run = {.statement = statement, .args = args, .access = access};
	ErrorData  *error = NULL;

	if (access != APPT_LOCK || !IsolationUsesXactSnapshot())
	{
		(void) execute(&run);
		return SPI_processed;
	}
	for (int i = 0; i < MAX_TRIES; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (attempt(execute, &run, is_row_changed, &error))
			return SPI_processed;
	}
	ReThrowError(error);
}

/* An ApptAttempt: the statement, once. */
static bool
execute(void *arg)
{
	const Execution *run = arg;
	ApptStatement *statement = run->statement;
	Datum		values[lengthof(statement->types)];
	char		nulls[lengthof(statement->types)];
	Snapshot	snapshot = InvalidSnapshot;
	MemoryContext context = CurrentMemoryContext;
	GivenRow	given = NULL;
	bool		read_only = run->access == APPT_READ ||
		run->access == APPT_READ_LATEST;
	int			settings = fix_search_path();
	int			code;

	if (statement->given != NULL)
		given = given_begin(statement, run->args);
	if (statement->plan == NULL)
		prepare(statement);
	for (int i = 0; i < parameters(statement); i++)
	{
		values[i] = run->args[i].value;
		nulls[i] = run->args[i].isnull ? 'n' : ' ';
	}
	if (run->access != APPT_READ)
		snapshot = GetLatestSnapshot();

	code = SPI_execute_snapshot(statement->plan, values, nulls, snapshot,
								InvalidSnapshot, read_only, true, 0);
	MemoryContextSwitchTo(context); /* SPI leaves another one */
	if (given != NULL)
		given_end(given);
	if (settings > 0)
		AtEOXact_GUC(true, settings);
	if (code < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(code));
	return true;
}

/*
 * Runs work that writes.  If an overlap constraint of appt.appointment forbids
 * it, "refuse" is told which one and raises the error that the caller sees.
 * Exclusion constraints that a DBA has made, and what his triggers raise under
 * that SQLSTATE, are passed on as they are.
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
		version_check_failure(error->sqlerrcode);
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
		error->schema_name != NULL && strcmp(error->schema_name, "appt") == 0 &&
		error->constraint_name != NULL &&
		(strcmp(error->constraint_name, APPT_DOCTOR_OVERLAP) == 0 ||
		 strcmp(error->constraint_name, APPT_PATIENT_OVERLAP) == 0);
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
 * Runs work in a subtransaction.  Where it answers false, what it read before
 * it had its locks has changed: the subtransaction is rolled back, which gives
 * them back, and it begins anew.  So it does after a deadlock, unless the
 * transaction had written before: then whoever waits for that waits on.
 */
void
appt_retry(ApptAttempt work, void *request)
{
	bool		is_first = !TransactionIdIsValid(GetTopTransactionIdIfAny());
	int			deadlocks = 0;

	for (int i = 0; i < MAX_TRIES; i++)
	{
		ErrorData  *error = NULL;
		bool		mend = is_first && deadlocks < MAX_DEADLOCKS;

		CHECK_FOR_INTERRUPTS();
		if (attempt(work, request, mend ? is_deadlock : NULL, &error))
			return;
		deadlocks += error != NULL;
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not keep up with concurrent changes")));
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
	result = work(request);
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

ApptArg
appt_arg_time(TimestampTz instant)
{
	return appt_arg(TimestampTzGetDatum(instant));
}

/* NULL where it is absent. */
ApptArg
appt_arg_optional_time(OptionalTime time)
{
	return time.given ? appt_arg_time(time.at) : appt_arg_null();
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

static int
parameters(const ApptStatement *statement)
{
	return statement->given == NULL ? statement->nargs : 0;
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

	plan = SPI_prepare_cursor(statement->sql, parameters(statement),
							  statement->types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s for \"%s\"",
			 SPI_result_code_string(SPI_result), statement->sql);
	SPI_keepplan(plan);
	statement->plan = plan;
}

/*
 * Runs work in a subtransaction, once.  False, and everything rolled back, if
 * it answered false or failed with an error that is mendable, which is then in
 * *error; other errors are passed on.
 */
static bool
attempt(ApptAttempt work, void *request, IsMendable is_mendable,
		ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		done = work(request);
		if (done)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (is_mendable == NULL || !is_mendable(*error))
			ReThrowError(*error);
		done = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

/* Only what SERIALIZABLE finds wrong has its reason in the detail. */
static bool
is_row_changed(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE &&
		error->detail == NULL;
}

static bool
is_deadlock(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}
