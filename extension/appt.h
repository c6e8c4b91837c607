/*
 * appt.h
 *		Limits, settings, and what every file builds on.
 *
 * Files stand on floors (docs/design.md), and each floor has a header that
 * includes the one below: appt.h, slots.h, schedule.h, appointment.h,
 * booking.h.  A file includes the header of its own floor and so cannot call
 * a higher one.
 */
#ifndef APPT_H
#define APPT_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "appt_errors.h"
#include "compat.h"

/* Limits that the documentation promises. */
#define APPT_MIN_DURATION_MIN	5
#define APPT_MAX_DURATION_MIN	480
#define APPT_MAX_BUFFER_MIN		240
#define APPT_MAX_RANGE_DAYS		31
#define APPT_MAX_TEXT_LENGTH	4000
#define APPT_MAX_PRIORITY		100
#define APPT_ID_SIZE			65	/* bytes of the longest id, with its NUL */

/*
 * When a slot can be, also by override and in history that is loaded: what
 * comes out of it by adding a buffer, a zone's offset or some days is a
 * timestamp still, and RFC 3339 can write it.  The bounds are constraints of
 * the tables; APPT_MAX_AHEAD_DAYS is the largest horizon_days, too.
 */
#define APPT_FIRST_YEAR			1970
#define APPT_LAST_YEAR			2199
#define APPT_FIRST_DATE			(UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE)
#define APPT_END_DATE			73049	/* 2200-01-01 */
#define APPT_FIRST_INSTANT		(APPT_FIRST_DATE * USECS_PER_DAY)
#define APPT_END_INSTANT		(APPT_END_DATE * USECS_PER_DAY)
#define APPT_MAX_AHEAD_DAYS		3650

/*
 * Places in a slot: lanes below APPT_BOOKABLE_LANES are for bookings, the
 * others for walk-ins and late returns, which take no bookable slot away.
 */
#define APPT_BOOKABLE_LANES		32
#define APPT_LANES				64

#define APPT_EXTENSION			"bioecko_appt"
#define APPT_CHANNEL			"bioecko_appt"

/* The overlap constraints of appt.appointment; their names are API. */
#define APPT_DOCTOR_OVERLAP		"appointment_no_overlap"
#define APPT_PATIENT_OVERLAP	"appointment_patient_no_overlap"

#define MINUTES(n)	((int64) (n) * USECS_PER_MINUTE)

/*
 * What may be absent: zeroed, it is.  No value can stand for that, for 0 is an
 * instant (2000-01-01 00:00Z) and a version that a caller may send.
 */
typedef struct OptionalTime
{
	bool		given;
	TimestampTz at;
} OptionalTime;

typedef struct OptionalInt
{
	bool		given;
	int			value;
} OptionalInt;

static inline OptionalTime
appt_time(TimestampTz at)
{
	return (OptionalTime) {.given = true, .at = at};
}

/* ---- error.c ---- */

typedef enum ApptError
{
#define APPT_ERROR_NAME(name, sqlstate, http, code, reason) APPT_ERR_##name,
	APPT_ERROR_TABLE(APPT_ERROR_NAME)
#undef APPT_ERROR_NAME
	APPT_ERROR_COUNT
} ApptError;

#define APPT_ERRCODE(name)	errcode(appt_sqlstate(APPT_ERR_##name))

extern int	appt_sqlstate(ApptError error);
extern int	appt_errfield(const char *field);
extern void appt_require(bool present, const char *field);
extern void appt_check_text(const char *value, const char *field);

/* ---- spi.c ---- */

/* Of a row that is read or given. */
#define APPT_MAX_COLUMNS	33

/* A column of a row, by whatever number a table has it. */
typedef struct RowColumn
{
	const char *name;
	Oid			type;
	bool		not_null;		/* as the table says it */
} RowColumn;

/*
 * A statement that is prepared once per backend and kept.  Its arguments are
 * parameters of those types or, with "given", the columns of the one row of a
 * relation of that name (given.c).
 */
typedef struct ApptStatement
{
	const char *sql;
	int			nargs;
	Oid			types[24];
	const RowColumn *given;
	SPIPlanPtr	plan;
	TupleDesc	desc;			/* of the row that is given */
} ApptStatement;

typedef enum ApptAccess
{
	APPT_READ,					/* the calling query's snapshot */
	APPT_READ_LATEST,			/* what is committed now, at any isolation */
	APPT_WRITE,					/* likewise, and may write */
	APPT_LOCK					/* likewise, rows that others may change */
} ApptAccess;

/* An argument of a statement: a Datum with its NULL flag. */
typedef NullableDatum ApptArg;

typedef Datum (*ApptWork) (void *request);

/* False: what it read has changed since, and it must begin anew. */
typedef bool (*ApptAttempt) (void *request);

/* Raises the error for a violated constraint; does not return. */
typedef void (*ApptRefusal) (const char *constraint, const void *context);

extern uint64 appt_run(ApptStatement *statement, const ApptArg *args,
					   ApptAccess access);
extern void appt_run_excluded(ApptWork work, void *request,
							  ApptRefusal refuse, const void *context);
pg_noreturn extern void appt_refuse_kept_out(const char *table);
extern void appt_run_to(ApptStatement *statement, const ApptArg *args,
						ApptAccess access, DestReceiver *receiver);
extern Datum appt_field(int row, int column, bool *isnull);
extern char *appt_field_text(int row, int column);
extern void appt_retry(ApptAttempt work, void *request);
extern Datum appt_with_spi(ApptWork work, void *request);

extern ApptArg appt_arg(Datum value);
extern ApptArg appt_arg_text(const char *value);
extern ApptArg appt_arg_time(TimestampTz instant);
extern ApptArg appt_arg_optional_time(OptionalTime time);
extern ApptArg appt_arg_null(void);

/* ---- given.c ---- */

typedef struct Tuplestorestate *GivenRow;

extern GivenRow given_begin(ApptStatement *statement, const ApptArg *args);
extern void given_end(GivenRow row);

/* ---- relation.c ---- */

extern void relation_init(void);
extern Oid	relation_oid(const char *name);
extern int64 relation_nextval(const char *name);

/* ---- row.c ---- */

/* Reads some columns of a table's rows. */
typedef struct RowReader
{
	const char *table;
	const RowColumn *columns;
	int			ncolumns;
	uint64		descriptor;		/* of which the numbers are; 0: none yet */
	AttrNumber	numbers[APPT_MAX_COLUMNS];
} RowReader;

extern void row_read(RowReader *reader, HeapTupleHeader row, Datum *values,
					 bool *nulls);
extern void row_read_slot(RowReader *reader, TupleTableSlot *slot,
						  Datum *values, bool *nulls);

/* ---- occupancy.c ---- */

/* occupancy(key, slot_start, slot_end) */
extern Datum appt_occupancy(PG_FUNCTION_ARGS);

/* ---- lock.c ---- */

typedef enum ApptLockClass
{
	APPT_LOCK_IDEMPOTENCY = 1,
	APPT_LOCK_BRANCH,
	APPT_LOCK_DOCTOR,
	APPT_LOCK_DAY,
	APPT_LOCK_ABSENCES,			/* comes before a branch's; key 0 */
	APPT_LOCK_HOLDS				/* of an API client; comes last of all */
} ApptLockClass;

extern void appt_lock_shared(ApptLockClass class, uint64 key);
extern void appt_lock_exclusive(ApptLockClass class, uint64 key);
extern bool appt_try_lock_exclusive(ApptLockClass class, uint64 key);
extern void appt_unlock_exclusive(ApptLockClass class, uint64 key);
extern uint64 appt_lock_key(const char *name);

/* ---- version.c ---- */

extern void version_init(void);
extern void version_check(void);
extern void version_check_failure(int sqlerrcode);

/* ---- taken.c ---- */

extern bool taken_of_patient(const char *status);

/* ---- trigger.c ---- */

/* What a trigger function is for. */
typedef struct TriggerUse
{
	const char *function;
	TriggerEvent when;			/* TRIGGER_EVENT_ROW, TRIGGER_EVENT_BEFORE */
	bool		needs_new_row;	/* not for DELETE and TRUNCATE */
	const char *const *tables;	/* of schema appt, up to a NULL; NULL: all */
} TriggerUse;

extern TriggerData *appt_trigger(FunctionCallInfo fcinfo,
								 const TriggerUse *use);
extern TupleTableSlot *appt_new_row(const TriggerData *trigger);
extern bool appt_in_restore(void);

/* ---- localtime.c ---- */

/* Room for an instant in RFC 3339. */
#define MAX_TIME_LENGTH	sizeof("9999-12-31T10:00:00.000+05:30")

extern pg_tz *appt_zone(const char *name);
extern pg_tz *appt_utc(void);
extern void appt_check_zone_data(void);
extern TimestampTz appt_now(void);
extern bool appt_is_in_range(TimestampTz instant);
extern TimestampTz appt_statement_now(void);
extern Timestamp appt_local_time(TimestampTz instant, pg_tz *zone);
extern DateADT appt_local_date(TimestampTz instant, pg_tz *zone);
extern TimestampTz appt_instant(DateADT date, TimeADT wall, pg_tz *zone);
extern int	appt_iso_weekday(DateADT date);
extern int	appt_year(DateADT date);
extern char *appt_put_time(char *p, TimestampTz instant, pg_tz *zone);
extern void appt_append_time(StringInfo out, TimestampTz instant, pg_tz *zone);
extern char *appt_spoken_time(TimestampTz instant, pg_tz *zone);
extern char *appt_spoken_date(DateADT date);

/* ---- text.c ---- */

extern char *appt_clean_text(const char *text);

/* ---- encode.c ---- */

extern void appt_add_encoded(StringInfo out, const char *text, int len);
extern void appt_add_line(StringInfo out, const char *text, int len);

/* ---- json.c ---- */

extern void appt_json_text(StringInfo out, const char *name,
						   const char *value);
extern void appt_json_int(StringInfo out, const char *name, int64 value);
extern void appt_json_bool(StringInfo out, const char *name, bool value);
extern void appt_json_time(StringInfo out, const char *name,
						   TimestampTz instant, pg_tz *zone);
extern void appt_json_optional_time(StringInfo out, const char *name,
									OptionalTime time, pg_tz *zone);
extern void appt_json_date(StringInfo out, const char *name, DateADT date);

/* ---- setting.c ---- */

extern char *appt_clock_setting;
extern double appt_zone_data_setting;
extern bool appt_notify_setting;
extern bool appt_allow_drop_setting;
extern char *appt_actor_setting;

#endif							/* APPT_H */
