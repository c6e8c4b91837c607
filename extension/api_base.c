/*
 * api_base.c
 *		Reading arguments, and the entry points that other SQL builds on.
 */
#include "api.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"

static IdempotencyKey key_of_args(FunctionCallInfo fcinfo);
static bool is_no_place(const char *name);
static pg_tz *zone_of_arg(FunctionCallInfo fcinfo, int n);
static Datum call_idempotency_begin(void *arg);
static Datum call_idempotency_finish(void *arg);

PG_FUNCTION_INFO_V1(appt_is_time_zone);
PG_FUNCTION_INFO_V1(appt_server_zone);
PG_FUNCTION_INFO_V1(appt_known_zone);
PG_FUNCTION_INFO_V1(appt_local_time_sql);
PG_FUNCTION_INFO_V1(appt_schedule_changed);
PG_FUNCTION_INFO_V1(appt_schedule_replicated);
PG_FUNCTION_INFO_V1(appt_lock_branch);
PG_FUNCTION_INFO_V1(appt_clock);
PG_FUNCTION_INFO_V1(appt_instant_sql);
PG_FUNCTION_INFO_V1(appt_json_time_sql);
PG_FUNCTION_INFO_V1(appt_new_id_sql);
PG_FUNCTION_INFO_V1(appt_idempotency_begin);
PG_FUNCTION_INFO_V1(appt_idempotency_finish);

/* A text as it is kept: trimmed, NULL where it is empty (text.c). */
char *
api_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL
		: appt_clean_text(text_to_cstring(PG_GETARG_TEXT_PP(n)));
}

/* A text that must stay as it is, such as a key or an answer. */
char *
api_exact_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* 0 where it is NULL. */
int
api_int(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n);
}

/* Not given where it is NULL; so is the next. */
OptionalTime
api_time(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? (OptionalTime) {0}
		: appt_time(PG_GETARG_TIMESTAMPTZ(n));
}

OptionalInt
api_optional_int(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? (OptionalInt) {0}
		: (OptionalInt) {.given = true, .value = PG_GETARG_INT32(n)};
}

/* Given if it is not NULL; an empty one is none. */
OptionalText
api_optional_text(FunctionCallInfo fcinfo, int n)
{
	return (OptionalText) {
		.given = !PG_ARGISNULL(n),
		.value = api_text(fcinfo, n)
	};
}

/* False where it is NULL. */
bool
api_bool(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

/* Whether the caller asked for the patient not to be told: notify is false. */
bool
api_silent(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && !PG_GETARG_BOOL(n);
}

/*
 * The API client of an argument that only the gateway's form of a function has;
 * without it the session.  Call schedule_refresh() before.
 */
Caller
api_caller(FunctionCallInfo fcinfo, int n)
{
	return n < PG_NARGS() ? caller_of_client(api_exact_text(fcinfo, n))
		: caller_of_session();
}

Datum
appt_server_zone(PG_FUNCTION_ARGS)
{
	pg_tz	   *zone = appt_zone(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	if (zone == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(pg_get_timezone_name(zone)));
}

Datum
appt_is_time_zone(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_BOOL(!is_no_place(name) && appt_zone(name) != NULL);
}

Datum
appt_known_zone(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (appt_zone(name) == NULL)
		PG_RETURN_TEXT_P(cstring_to_text("UTC"));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

Datum
appt_local_time_sql(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pg_tz	   *zone = appt_zone(name);
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(0);

	PG_RETURN_TIMESTAMP(appt_local_time(instant, zone ? zone : appt_utc()));
}

/*
 * Names that PostgreSQL accepts as time zones though they are of no place: the
 * server's own zone (localtime), placeholders (Factory), the copies below
 * posix/, and POSIX rules such as UTC+5:30, which lies west of UTC.  A rule is
 * told by its digits; the few zones with digits in their names are listed.
 */
static bool
is_no_place(const char *name)
{
	static const char *const no_places[] = {
		"localtime", "posixrules", "Factory"
	};
	static const char *const with_digits[] = {
		"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0"
	};

	for (int i = 0; i < lengthof(no_places); i++)
	{
		if (pg_strcasecmp(name, no_places[i]) == 0)
			return true;
	}
	for (int i = 0; i < lengthof(with_digits); i++)
	{
		if (pg_strcasecmp(name, with_digits[i]) == 0)
			return false;
	}
	if (pg_strncasecmp(name, "Etc/GMT", strlen("Etc/GMT")) == 0)
		return strlen(name) > strlen("Etc/GMT+12");
	return pg_strncasecmp(name, "posix/", strlen("posix/")) == 0 ||
		strpbrk(name, "0123456789") != NULL;
}

Datum
appt_schedule_changed(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt_internal.schedule_changed",
		.when = TRIGGER_EVENT_AFTER
	};

	CacheInvalidateRelcache(appt_trigger(fcinfo, &use)->tg_relation);
	PG_RETURN_POINTER(NULL);
}

Datum
appt_schedule_replicated(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		.function = "appt_internal.schedule_replicated",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW
	};

	CacheInvalidateRelcache(appt_trigger(fcinfo, &use)->tg_relation);
	return PointerGetDatum(NULL);
}

Datum
appt_lock_branch(PG_FUNCTION_ARGS)
{
	char	   *branch_id = text_to_cstring(PG_GETARG_TEXT_PP(0));

	appt_lock_exclusive(APPT_LOCK_BRANCH, appt_lock_key(branch_id));
	PG_RETURN_VOID();
}

Datum
appt_clock(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(appt_statement_now());
}

Datum
appt_instant_sql(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(0);
	pg_tz	   *zone = zone_of_arg(fcinfo, 2);
	TimestampTz instant = 0;
	bool		valid = !DATE_NOT_FINITE(date) &&
		date < TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;

	if (valid)
		instant = appt_instant(date, PG_GETARG_TIMEADT(1), zone);
	if (!valid || !IS_VALID_TIMESTAMP(instant))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range")));
	PG_RETURN_TIMESTAMPTZ(instant);
}

Datum
appt_json_time_sql(PG_FUNCTION_ARGS)
{
	pg_tz	   *zone = zone_of_arg(fcinfo, 1);
	StringInfoData out;

	initStringInfo(&out);
	appt_append_time(&out, PG_GETARG_TIMESTAMPTZ(0), zone);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
appt_new_id_sql(PG_FUNCTION_ARGS)
{
	char	   *prefix = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(appt_new_id(prefix)));
}

Datum
appt_idempotency_begin(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_idempotency_begin, fcinfo);
}

Datum
appt_idempotency_finish(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_idempotency_finish, fcinfo);
}

static IdempotencyKey
key_of_args(FunctionCallInfo fcinfo)
{
	return (IdempotencyKey) {
		.client = api_exact_text(fcinfo, 0),
		.route = api_exact_text(fcinfo, 1),
		.key = api_exact_text(fcinfo, 2),
		.request_hash = api_exact_text(fcinfo, 3)
	};
}

/* The zone that an argument names; one that the server knows. */
static pg_tz *
zone_of_arg(FunctionCallInfo fcinfo, int n)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(n));
	pg_tz	   *zone = appt_zone(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known", name)));
	return zone;
}

static Datum
call_idempotency_begin(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	IdempotencyKey key = key_of_args(fcinfo);
	Answer		answer;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, true, true, true};

	values[0] = BoolGetDatum(idempotency_begin(&key, &answer));
	if (answer.replayed)
	{
		nulls[1] = answer.id == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(answer.id);
		nulls[2] = !answer.version.given;
		values[2] = Int32GetDatum(answer.version.value);
		nulls[3] = false;
		values[3] = CStringGetTextDatum(answer.body);
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	return PointerGetDatum(
		SPI_returntuple(heap_form_tuple(desc, values, nulls), desc));
}

static Datum
call_idempotency_finish(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	IdempotencyKey key = key_of_args(fcinfo);
	Answer		answer = {
		.id = api_exact_text(fcinfo, 4),
		.version = api_optional_int(fcinfo, 5),
		.body = api_exact_text(fcinfo, 6)
	};

	idempotency_finish(&key, &answer);
	return (Datum) 0;
}
