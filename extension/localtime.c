/*
 * localtime.c
 *		Branch-local date and wall clock to instant, and back.
 *
 * A wall-clock time becomes the first instant at which the zone's clock shows
 * it or a later one: of a time that comes twice the first, of one that a DST
 * change skips the moment of the change.  So neighbouring sessions stay
 * neighbours, and one within the gap is gone.
 */
#include "appt.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

/* Seconds from the Unix epoch to PostgreSQL's. */
#define EPOCHS_S \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* 0001-01-01: RFC 3339 has no year before, in which j2date() is not to go. */
#define FIRST_RFC_DATE	(-730119)

/* Farther than any zone is from UTC. */
#define FARTHEST_OFFSET_S	(26 * SECS_PER_HOUR)

/* A local day, or part of one, with the same offset. */
typedef struct LocalDay
{
	pg_tz	   *zone;
	TimestampTz start;
	TimestampTz end;
	int64		first;			/* the time of day at start, microseconds */
	DateADT		on_date;
	long		offset_s;
} LocalDay;

/* The same as it is printed. */
typedef struct PrintedDay
{
	LocalDay	day;
	char		date[sizeof("9999-12-31T") - 1];
	char		offset[sizeof("+05:30") - 1];
} PrintedDay;

/* Offsets before standard time had seconds; RFC 3339 has none. */
typedef enum OffsetUnit
{
	OFFSET_IN_SECONDS = 1,
	OFFSET_IN_MINUTES = SECS_PER_MINUTE
} OffsetUnit;

/* A stretch of time in which a zone's offset does not change. */
typedef struct SteadyTime
{
	pg_tz	   *zone;
	pg_time_t	from;
	pg_time_t	to;
	long		offset_s;
} SteadyTime;

static pg_time_t find_instant(int64 local, pg_tz *zone, SteadyTime *steady);
static bool is_within(const LocalDay *day, TimestampTz instant, pg_tz *zone);
static void load_day(LocalDay *day, TimestampTz instant, pg_tz *zone,
					 OffsetUnit unit);
static void print_day(PrintedDay *printed);
pg_noreturn static void refuse_timestamp(void);
static void find_steady(SteadyTime *steady, pg_time_t instant, pg_tz *zone);
static int64 floor_div(int64 value, int64 divisor);
static char *put_clock(char *p, int64 time);
static inline char *put_two_digits(char *p, unsigned int value);
static inline char *put_digits(char *p, unsigned int value, int width);
static TimestampTz parse_clock(const char *text);
static void to_fields(TimestampTz instant, pg_tz *zone, struct pg_tm *tm,
					  fsec_t *fsec, int *offset_s);

/*
 * The zone of that name, NULL if the server knows none.  The last one is
 * remembered, as a clinic has few and asks again and again.
 */
pg_tz *
appt_zone(const char *name)
{
	static char last_name[TZ_STRLEN_MAX + 1] = "";
	static pg_tz *last = NULL;
	pg_tz	   *zone;

	if (last != NULL && strcmp(name, last_name) == 0)
		return last;
	zone = pg_tzset(name);
	if (zone == NULL || !pg_tz_acceptable(zone))
		return NULL;
	strlcpy(last_name, name, sizeof(last_name));
	last = zone;
	return zone;
}

pg_tz *
appt_utc(void)
{
	return pg_tzset("UTC");
}

/*
 * Ends a session that may know former rules of a time zone: PostgreSQL reads a
 * zone's file once a session.  The next one reads it anew.
 */
void
appt_check_zone_data(void)
{
	int64		since_s = (int64) appt_zone_data_setting;

	if (since_s == 0 ||
		MyStartTimestamp >= (since_s - EPOCHS_S) * USECS_PER_SEC)
		return;
	ereport(FATAL,
			(errcode(ERRCODE_ADMIN_SHUTDOWN),
			 errmsg("this session began before the server got its time zone data"),
			 errhint("Connect again.")));
}

/* The extension's clock: the real one unless bioecko_appt.clock freezes it. */
TimestampTz
appt_now(void)
{
	static char *parsed = NULL;
	static TimestampTz frozen;

	if (appt_clock_setting == NULL || appt_clock_setting[0] == '\0')
		return GetCurrentTimestamp();
	if (parsed == NULL || strcmp(parsed, appt_clock_setting) != 0)
	{
		frozen = parse_clock(appt_clock_setting);
		if (parsed != NULL)
			pfree(parsed);
		parsed = MemoryContextStrdup(TopMemoryContext, appt_clock_setting);
	}
	return frozen;
}

/* The same for SQL: one instant for all of a statement. */
TimestampTz
appt_statement_now(void)
{
	if (appt_clock_setting == NULL || appt_clock_setting[0] == '\0')
		return GetCurrentStatementStartTimestamp();
	return appt_now();
}

/* Whether a slot may begin or end then. */
bool
appt_is_in_range(TimestampTz instant)
{
	return instant >= APPT_FIRST_INSTANT && instant <= APPT_END_INSTANT;
}

/* The date that the zone's calendar shows then. */
DateADT
appt_local_date(TimestampTz instant, pg_tz *zone)
{
	static LocalDay day;

	if (!is_within(&day, instant, zone))
		load_day(&day, instant, zone, OFFSET_IN_SECONDS);
	return day.on_date;
}

/* What the zone's clock shows then. */
Timestamp
appt_local_time(TimestampTz instant, pg_tz *zone)
{
	static LocalDay day;

	if (TIMESTAMP_NOT_FINITE(instant))
		return instant;
	if (!is_within(&day, instant, zone))
		load_day(&day, instant, zone, OFFSET_IN_SECONDS);
	return instant + day.offset_s * USECS_PER_SEC;
}

/* The instant of a wall-clock time on a date; 24:00 is the next midnight. */
TimestampTz
appt_instant(DateADT date, TimeADT wall, pg_tz *zone)
{
	static SteadyTime steady;
	int64		local = (int64) date * SECS_PER_DAY + wall / USECS_PER_SEC +
		EPOCHS_S;
	pg_time_t	instant = local - steady.offset_s;

	if (zone != steady.zone || local - FARTHEST_OFFSET_S < steady.from ||
		instant >= steady.to)
		instant = find_instant(local, zone, &steady);
	return (instant - EPOCHS_S) * USECS_PER_SEC + wall % USECS_PER_SEC;
}

/* 1 = Monday … 7 = Sunday. */
int
appt_iso_weekday(DateADT date)
{
	int			sunday_based = j2day(date + POSTGRES_EPOCH_JDATE);

	return sunday_based == 0 ? 7 : sunday_based;
}

int
appt_year(DateADT date)
{
	int			year,
				month,
				day;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return year;
}

/*
 * Appends RFC 3339 with the zone's offset at that instant, down to
 * milliseconds where there are any.  Raises for what it cannot write: infinity
 * and years other than 1 to 9999.
 */
void
appt_append_time(StringInfo out, TimestampTz instant, pg_tz *zone)
{
	enlargeStringInfo(out, MAX_TIME_LENGTH);
	out->len = appt_put_time(out->data + out->len, instant, zone) - out->data;
	out->data[out->len] = '\0';
}

/*
 * Writes the same where there is room for MAX_TIME_LENGTH, without an end
 * mark, and returns its end.
 */
char *
appt_put_time(char *p, TimestampTz instant, pg_tz *zone)
{
	static PrintedDay printed;
	const LocalDay *day = &printed.day;

	if (!is_within(day, instant, zone))
	{
		load_day(&printed.day, instant, zone, OFFSET_IN_MINUTES);
		print_day(&printed);
	}
	memcpy(p, printed.date, sizeof(printed.date));
	p = put_clock(p + sizeof(printed.date), instant - day->start + day->first);
	memcpy(p, printed.offset, sizeof(printed.offset));
	return p + sizeof(printed.offset);
}

/* As one would say it: 15/03/2026 10:00. */
char *
appt_spoken_time(TimestampTz instant, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset_s;

	to_fields(instant, zone, &tm, &fsec, &offset_s);
	return psprintf("%02d/%02d/%04d %02d:%02d",
					tm.tm_mday, tm.tm_mon, tm.tm_year, tm.tm_hour, tm.tm_min);
}

char *
appt_spoken_date(DateADT date)
{
	int			year,
				month,
				day;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	return psprintf("%02d/%02d/%04d", day, month, year);
}

static bool
is_within(const LocalDay *day, TimestampTz instant, pg_tz *zone)
{
	return zone == day->zone && instant >= day->start && instant < day->end;
}

/*
 * Fills in the local day of an instant, or of a day on which the offset
 * changes the part that has the same.  In minutes, the offset and the local
 * time that goes with it are less by the offset's seconds: the same instant.
 */
static void
load_day(LocalDay *day, TimestampTz instant, pg_tz *zone, OffsetUnit unit)
{
	static SteadyTime steady;
	pg_time_t	instant_s;
	TimestampTz midnight;

	if (TIMESTAMP_NOT_FINITE(instant))
		refuse_timestamp();
	instant_s = floor_div(instant, USECS_PER_SEC) + EPOCHS_S;
	if (zone != steady.zone || instant_s < steady.from ||
		instant_s >= steady.to)
		find_steady(&steady, instant_s, zone);

	day->zone = zone;
	day->offset_s = steady.offset_s - steady.offset_s % unit;
	day->on_date = floor_div(instant + day->offset_s * USECS_PER_SEC,
							 USECS_PER_DAY);
	midnight = day->on_date * USECS_PER_DAY - day->offset_s * USECS_PER_SEC;
	day->start = midnight;
	day->end = midnight + USECS_PER_DAY;
	if (steady.from > floor_div(day->start, USECS_PER_SEC) + EPOCHS_S)
		day->start = (steady.from - EPOCHS_S) * USECS_PER_SEC;
	if (steady.to < floor_div(day->end, USECS_PER_SEC) + EPOCHS_S)
		day->end = (steady.to - EPOCHS_S) * USECS_PER_SEC;
	day->first = day->start - midnight;
}

/* The day is not left behind half printed. */
static void
print_day(PrintedDay *printed)
{
	int			offset_min = printed->day.offset_s / SECS_PER_MINUTE;
	char	   *p = printed->date;
	int			year,
				month,
				mday;

	j2date(printed->day.on_date + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	if (printed->day.on_date < FIRST_RFC_DATE || year > 9999)
	{
		printed->day.zone = NULL;
		refuse_timestamp();
	}
	p = put_digits(p, year, 4);
	*p++ = '-';
	p = put_two_digits(p, month);
	*p++ = '-';
	p = put_two_digits(p, mday);
	*p++ = 'T';
	p = printed->offset;
	*p++ = offset_min < 0 ? '-' : '+';
	p = put_two_digits(p, abs(offset_min) / MINS_PER_HOUR);
	*p++ = ':';
	(void) put_two_digits(p, abs(offset_min) % MINS_PER_HOUR);
}

static void
refuse_timestamp(void)
{
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 errmsg("timestamp out of range")));
}

/*
 * The steady time around an instant, in seconds since 1970, as far as it is
 * likely to be asked for.
 */
static void
find_steady(SteadyTime *steady, pg_time_t instant, pg_tz *zone)
{
	pg_time_t	from = instant - 100 * SECS_PER_DAY;
	pg_time_t	boundary;

	do
	{
		long		offset_s;
		long		next_offset_s;
		int			isdst;

		if (pg_next_dst_boundary(&from, &offset_s, &isdst, &boundary,
								 &next_offset_s, &isdst, zone) <= 0)
			boundary = PG_INT64_MAX;
		*steady = (SteadyTime) {
			.zone = zone,
			.from = from,
			.to = boundary,
			.offset_s = offset_s
		};
		from = boundary;
	} while (instant >= steady->to);
}

static int64
floor_div(int64 value, int64 divisor)
{
	return value / divisor - (value % divisor < 0);
}

/* hh:mm:ss, and .mmm where it is not zero. */
static char *
put_clock(char *p, int64 time)
{
	unsigned int ms = time / 1000;
	unsigned int s = ms / 1000;
	unsigned int min = s / SECS_PER_MINUTE;

	p = put_two_digits(p, min / MINS_PER_HOUR);
	*p++ = ':';
	p = put_two_digits(p, min % MINS_PER_HOUR);
	*p++ = ':';
	p = put_two_digits(p, s % SECS_PER_MINUTE);
	if (ms % 1000 == 0)
		return p;
	*p++ = '.';
	return put_digits(p, ms % 1000, 3);
}

static inline char *
put_two_digits(char *p, unsigned int value)
{
	p[0] = '0' + value / 10;
	p[1] = '0' + value % 10;
	return p + 2;
}

/* A number with leading zeros and no end mark. */
static inline char *
put_digits(char *p, unsigned int value, int width)
{
	for (int i = width - 1; i >= 0; i--)
	{
		p[i] = '0' + value % 10;
		value /= 10;
	}
	return p + width;
}

/*
 * The instant of a local time, both in seconds since 1970; where the offset
 * did not change before it, also how long it stays so.
 */
static pg_time_t
find_instant(int64 local, pg_tz *zone, SteadyTime *steady)
{
	pg_time_t	from = local - FARTHEST_OFFSET_S;
	pg_time_t	boundary;
	long		offset_s;
	long		next_offset_s;
	int			isdst;
	int			found;

	found = pg_next_dst_boundary(&from, &offset_s, &isdst, &boundary,
								 &next_offset_s, &isdst, zone);
	*steady = (SteadyTime) {
		.zone = zone,
		.from = from,
		.to = found > 0 ? boundary : PG_INT64_MAX,
		.offset_s = offset_s
	};
	while (found > 0 && local - offset_s >= boundary)
	{
		if (boundary + next_offset_s >= local)
			return boundary;
		from = boundary;
		found = pg_next_dst_boundary(&from, &offset_s, &isdst, &boundary,
									 &next_offset_s, &isdst, zone);
	}
	return local - offset_s;
}

static TimestampTz
parse_clock(const char *text)
{
	return DatumGetTimestampTz(
		DirectFunctionCall3(timestamptz_in,
							CStringGetDatum(text),
							ObjectIdGetDatum(InvalidOid),
							Int32GetDatum(-1)));
}

static void
to_fields(TimestampTz instant, pg_tz *zone, struct pg_tm *tm, fsec_t *fsec,
		  int *offset_s)
{
	if (TIMESTAMP_NOT_FINITE(instant) ||
		timestamp2tm(instant, offset_s, tm, fsec, NULL, zone) != 0)
		refuse_timestamp();
}
