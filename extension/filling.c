/*
 * filling.c
 *		What placeholders stand for in a visit (schema part
 *		notification/template.sql), an object whose values render.c puts into
 *		their places.
 *
 *		In C because each message of a claim has one.
 */
#include "appt.h"

#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"

/* The arguments of visit_values. */
enum
{
	ARG_APPOINTMENT_ID,
	ARG_TOKEN_NUMBER,
	ARG_SLOT_START,
	ARG_TIME_ZONE,
	ARG_REASON,
	ARG_BRANCH_NAME,
	ARG_BRANCH_PHONE,
	ARG_BRANCH_ADDRESS,
	ARG_DOCTOR_NAME,
	ARG_VISIT_TYPE_NAME,
	ARG_FIRST_NAME,
	ARG_LAST_NAME
};

static void add(JsonbParseState **object, const char *name,
				const JsonbValue *value);
static JsonbValue text_value(FunctionCallInfo fcinfo, int arg);
static JsonbValue string_value(char *text);
static JsonbValue token_value(FunctionCallInfo fcinfo);
static JsonbValue name_value(FunctionCallInfo fcinfo);
static void slot_values(FunctionCallInfo fcinfo, JsonbValue *date,
						JsonbValue *time);
static char *add_two(char *to, int number);

PG_FUNCTION_INFO_V1(appt_visit_values);

/* visit_values(appointment_id, ...); the names by length, as jsonb has them */
Datum
appt_visit_values(PG_FUNCTION_ARGS)
{
	JsonbParseState *object = NULL;
	JsonbValue	token = token_value(fcinfo);
	JsonbValue	patient = name_value(fcinfo);
	JsonbValue	date;
	JsonbValue	time;
	const struct
	{
		const char *name;
		JsonbValue	value;
	}			values[] = {
		{"branch_name", text_value(fcinfo, ARG_BRANCH_NAME)},
		{"doctor_name", text_value(fcinfo, ARG_DOCTOR_NAME)},
		{"branch_phone", text_value(fcinfo, ARG_BRANCH_PHONE)},
		{"patient_name", patient},
		{"token_number", token},
		{"appointment_id", text_value(fcinfo, ARG_APPOINTMENT_ID)},
		{"branch_address", text_value(fcinfo, ARG_BRANCH_ADDRESS)},
		{"visit_type_name", text_value(fcinfo, ARG_VISIT_TYPE_NAME)},
		{"patient_last_name", text_value(fcinfo, ARG_LAST_NAME)},
		{"patient_first_name", text_value(fcinfo, ARG_FIRST_NAME)}
	};
	JsonbValue	reason = text_value(fcinfo, ARG_REASON);

	slot_values(fcinfo, &date, &time);
	pushJsonbValue(&object, WJB_BEGIN_OBJECT, NULL);
	add(&object, "reason", &reason);
	add(&object, "slot_date", &date);
	add(&object, "slot_time", &time);
	for (int i = 0; i < lengthof(values); i++)
		add(&object, values[i].name, &values[i].value);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&object, WJB_END_OBJECT,
													   NULL)));
}

static void
add(JsonbParseState **object, const char *name, const JsonbValue *value)
{
	JsonbValue	key = string_value(unconstify(char *, name));
	JsonbValue	copy = *value;

	pushJsonbValue(object, WJB_KEY, &key);
	pushJsonbValue(object, WJB_VALUE, &copy);
}

/* A text of the arguments, or null. */
static JsonbValue
text_value(FunctionCallInfo fcinfo, int arg)
{
	text	   *value;

	if (PG_ARGISNULL(arg))
		return (JsonbValue) {.type = jbvNull};
	value = PG_GETARG_TEXT_PP(arg);
	return (JsonbValue) {
		.type = jbvString,
		.val.string = {
			.len = VARSIZE_ANY_EXHDR(value),
			.val = VARDATA_ANY(value)
		}
	};
}

static JsonbValue
string_value(char *text)
{
	return (JsonbValue) {
		.type = jbvString,
		.val.string = {.len = strlen(text), .val = text}
	};
}

static JsonbValue
token_value(FunctionCallInfo fcinfo)
{
	char	   *digits;

	if (PG_ARGISNULL(ARG_TOKEN_NUMBER))
		return (JsonbValue) {.type = jbvNull};
	digits = palloc(12);
	pg_ltoa(PG_GETARG_INT32(ARG_TOKEN_NUMBER), digits);
	return string_value(digits);
}

/* First and last name, as far as there are. */
static JsonbValue
name_value(FunctionCallInfo fcinfo)
{
	JsonbValue	first = text_value(fcinfo, ARG_FIRST_NAME);
	JsonbValue	last = text_value(fcinfo, ARG_LAST_NAME);
	int			len;
	char	   *both;

	if (first.type == jbvNull && last.type == jbvNull)
		return string_value("");
	if (first.type == jbvNull)
		return last;
	if (last.type == jbvNull)
		return first;
	len = first.val.string.len;
	both = palloc(len + 1 + last.val.string.len);
	memcpy(both, first.val.string.val, len);
	both[len] = ' ';
	memcpy(both + len + 1, last.val.string.val, last.val.string.len);
	first.val.string.val = both;
	first.val.string.len = len + 1 + last.val.string.len;
	return first;
}

/* 15/03/2026 and 09:30 by the zone's clock; UTC's where it is not known. */
static void
slot_values(FunctionCallInfo fcinfo, JsonbValue *date, JsonbValue *time)
{
	pg_tz	   *zone = PG_ARGISNULL(ARG_TIME_ZONE) ? NULL
		: appt_zone(text_to_cstring(PG_GETARG_TEXT_PP(ARG_TIME_ZONE)));
	Timestamp	local;
	TimeOffset	of_day;
	DateADT		day;
	int			year;
	int			month;
	int			month_day;
	char	   *to;

	*date = *time = (JsonbValue) {.type = jbvNull};
	if (PG_ARGISNULL(ARG_SLOT_START))
		return;
	local = appt_local_time(PG_GETARG_TIMESTAMPTZ(ARG_SLOT_START),
							zone != NULL ? zone : appt_utc());
	if (TIMESTAMP_NOT_FINITE(local))
		return;
	day = local / USECS_PER_DAY - (local % USECS_PER_DAY < 0 ? 1 : 0);
	of_day = local - day * USECS_PER_DAY;
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	*date = string_value(palloc0(sizeof("15/03/2026")));
	*time = string_value(palloc0(sizeof("09:30")));
	to = add_two(date->val.string.val, month_day);
	*to++ = '/';
	to = add_two(to, month);
	*to++ = '/';
	add_two(add_two(to, year / 100), year % 100);
	date->val.string.len = strlen("15/03/2026");
	to = add_two(time->val.string.val, of_day / USECS_PER_HOUR);
	*to++ = ':';
	add_two(to, of_day % USECS_PER_HOUR / USECS_PER_MINUTE);
	time->val.string.len = strlen("09:30");
}

static char *
add_two(char *to, int number)
{
	*to++ = '0' + number / 10 % 10;
	*to++ = '0' + number % 10;
	return to;
}
