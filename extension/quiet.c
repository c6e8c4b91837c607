/*
 * quiet.c
 *		Quiet hours, and when reminders and follow-ups go out because of them.
 *
 *		Quiet hours are as long as the clock on the wall says, as a session is
 *		(localtime.c).  In C because each reminder of a claim asks, and each
 *		visit whose patient may have to be reminded, again and again.
 */
#include "appt.h"

#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Before quiet hours, of a reminder that cannot wait for their end. */
#define BEFORE_QUIET_MIN	15

typedef struct Quiet
{
	TimeADT		from;
	TimeADT		to;
	pg_tz	   *zone;
} Quiet;

/* Half-open. */
typedef struct QuietPeriod
{
	TimestampTz start;
	TimestampTz end;
} QuietPeriod;

static Quiet quiet_of(FunctionCallInfo fcinfo, int zone, int from, int to);
static TimestampTz reminder_time(const Quiet *quiet, TimestampTz slot_start,
								 int32 lead_min);
static bool find_period(const Quiet *quiet, TimestampTz at,
						QuietPeriod *period);

PG_FUNCTION_INFO_V1(appt_quiet_period);
PG_FUNCTION_INFO_V1(appt_reminder_time);
PG_FUNCTION_INFO_V1(appt_follow_up_time);
PG_FUNCTION_INFO_V1(appt_current_lead);

/* quiet_period(at, time_zone, quiet_from, quiet_to): NULLs: it is in none */
Datum
appt_quiet_period(PG_FUNCTION_ARGS)
{
	Quiet		quiet = quiet_of(fcinfo, 1, 2, 3);
	QuietPeriod period;
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (find_period(&quiet, PG_GETARG_TIMESTAMPTZ(0), &period))
	{
		values[0] = TimestampTzGetDatum(period.start);
		values[1] = TimestampTzGetDatum(period.end);
		nulls[0] = nulls[1] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/* reminder_time(slot_start, lead_min, time_zone, quiet_from, quiet_to) */
Datum
appt_reminder_time(PG_FUNCTION_ARGS)
{
	Quiet		quiet = quiet_of(fcinfo, 2, 3, 4);

	PG_RETURN_TIMESTAMPTZ(reminder_time(&quiet, PG_GETARG_TIMESTAMPTZ(0),
										PG_GETARG_INT32(1)));
}

/*
 * current_lead(slot_start, at, leads, time_zone, quiet_from, quiet_to): the
 * shortest whose time has come, of which the longest comes first; or NULL.
 */
Datum
appt_current_lead(PG_FUNCTION_ARGS)
{
	TimestampTz slot_start = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	ArrayType  *leads = PG_GETARG_ARRAYTYPE_P(2);
	Quiet		quiet = quiet_of(fcinfo, 3, 4, 5);
	int32	   *lead_min = (int32 *) ARR_DATA_PTR(leads);
	int			nleads = ArrayGetNItems(ARR_NDIM(leads), ARR_DIMS(leads));
	int			current = -1;

	if (array_contains_nulls(leads))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a lead must not be null")));
	for (int i = 0; i < nleads; i++)
	{
		/* Quiet hours move it forward by a day at most. */
		if (slot_start - MINUTES(lead_min[i]) > at + USECS_PER_DAY)
			break;
		if (reminder_time(&quiet, slot_start, lead_min[i]) <= at)
			current = i;
	}
	if (current < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(lead_min[current]);
}

/* lead_min before the visit, but not in quiet hours. */
static TimestampTz
reminder_time(const Quiet *quiet, TimestampTz slot_start, int32 lead_min)
{
	TimestampTz at = slot_start - MINUTES(lead_min);
	QuietPeriod period;

	if (!find_period(quiet, at, &period))
		return at;
	return period.end < slot_start ? period.end
		: period.start - MINUTES(BEFORE_QUIET_MIN);
}

/* follow_up_time(slot_start, days, time_zone, quiet_from, quiet_to) */
Datum
appt_follow_up_time(PG_FUNCTION_ARGS)
{
	TimestampTz slot_start = PG_GETARG_TIMESTAMPTZ(0);
	Quiet		quiet = quiet_of(fcinfo, 2, 3, 4);
	DateADT		day = appt_local_date(slot_start, quiet.zone);
	TimeADT		wall = appt_local_time(slot_start, quiet.zone) -
		(int64) day * USECS_PER_DAY;
	TimestampTz at = appt_instant(day + PG_GETARG_INT32(1), wall, quiet.zone);
	QuietPeriod period;

	PG_RETURN_TIMESTAMPTZ(find_period(&quiet, at, &period) ? period.end : at);
}

/* The quiet hours of three arguments; UTC's where the zone is not known. */
static Quiet
quiet_of(FunctionCallInfo fcinfo, int zone, int from, int to)
{
	Quiet		quiet = {
		.from = PG_GETARG_TIMEADT(from),
		.to = PG_GETARG_TIMEADT(to),
		.zone = appt_zone(text_to_cstring(PG_GETARG_TEXT_PP(zone)))
	};

	if (quiet.zone == NULL)
		quiet.zone = appt_utc();
	return quiet;
}

/* Whether the instant lies in quiet hours, and in which. */
static bool
find_period(const Quiet *quiet, TimestampTz at, QuietPeriod *period)
{
	bool		over_midnight = quiet->from > quiet->to;
	DateADT		day = appt_local_date(at, quiet->zone);
	TimeADT		wall = appt_local_time(at, quiet->zone) -
		(int64) day * USECS_PER_DAY;

	if (quiet->from == quiet->to)
		return false;
	/* The evening that they began on. */
	if (over_midnight && wall < quiet->to)
		day--;
	period->start = appt_instant(day, quiet->from, quiet->zone);
	period->end = appt_instant(day + (over_midnight ? 1 : 0), quiet->to,
							   quiet->zone);
	return at >= period->start && at < period->end;
}
