/*
 * appt.h
 *		Shared structs, limits and prototypes of the extension.
 *
 * Files stand on floors (docs/design.md); the prototypes below are grouped by
 * them, and a file calls only its own floor and those before it.
 */
#ifndef APPT_H
#define APPT_H

#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "appt_errors.h"

/* Limits of the contract. */
#define APPT_MIN_DURATION_MIN	5
#define APPT_MAX_DURATION_MIN	480
#define APPT_MAX_BUFFER_MIN		240
#define APPT_MAX_RANGE_DAYS		31
#define APPT_MAX_TEXT_LENGTH	4000
#define APPT_MAX_PRIORITY		100

/*
 * Places in a slot: lanes below APPT_BOOKABLE_LANES are for bookings, the
 * others for walk-ins and late returns, which take no bookable slot away.
 */
#define APPT_BOOKABLE_LANES		32
#define APPT_LANES				64

#define APPT_CHANNEL			"bioecko_appt"

#define MINUTES(n)	((int64) (n) * USECS_PER_MINUTE)

/* ---- floor 1: error.c ---- */

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

/* ---- floor 1: spi.c ---- */

/* A statement that is prepared once per backend and kept. */
typedef struct ApptStatement
{
	const char *sql;
	int			nargs;
	Oid			types[24];
	SPIPlanPtr	plan;
} ApptStatement;

typedef enum ApptAccess
{
	APPT_READ,					/* the calling query's snapshot */
	APPT_READ_LATEST,			/* what is committed now, at any isolation */
	APPT_WRITE					/* likewise, and may write */
} ApptAccess;

/* An argument of a statement: a Datum with its NULL flag. */
typedef NullableDatum ApptArg;

typedef Datum (*ApptWork) (void *request);

/* Raises the error for a violated constraint; does not return. */
typedef void (*ApptRefusal) (const char *constraint, const void *context);

extern uint64 appt_run(ApptStatement *statement, const ApptArg *args,
					   ApptAccess access);
extern uint64 appt_run_excluded(ApptStatement *statement, const ApptArg *args,
								ApptRefusal refuse, const void *context);
extern void appt_run_to(ApptStatement *statement, const ApptArg *args,
						ApptAccess access, DestReceiver *receiver);
extern Datum appt_field(int row, int column, bool *isnull);
extern char *appt_field_text(int row, int column);
extern Datum appt_retry(ApptWork work, void *request);
extern Datum appt_with_spi(ApptWork work, void *request);

extern ApptArg appt_arg(Datum value);
extern ApptArg appt_arg_text(const char *value);
extern ApptArg appt_arg_time(TimestampTz instant);
extern ApptArg appt_arg_null(void);

/* ---- floor 1: lock.c ---- */

typedef enum ApptLockClass
{
	APPT_LOCK_IDEMPOTENCY = 1,
	APPT_LOCK_BRANCH,
	APPT_LOCK_DOCTOR,
	APPT_LOCK_PATIENT
} ApptLockClass;

extern void appt_lock_shared(ApptLockClass class, uint64 key);
extern void appt_lock_exclusive(ApptLockClass class, uint64 key);
extern bool appt_try_lock_exclusive(ApptLockClass class, uint64 key);
extern uint64 appt_lock_key(const char *name);

/* ---- floor 1: localtime.c ---- */

/* Room for an instant in RFC 3339. */
#define MAX_TIME_LENGTH	sizeof("294276-12-31T10:00:00.000+05:30")

extern pg_tz *appt_zone(const char *name);
extern pg_tz *appt_utc(void);
extern TimestampTz appt_now(void);
extern DateADT appt_local_date(TimestampTz instant, pg_tz *zone);
extern TimestampTz appt_instant(DateADT date, TimeADT wall, pg_tz *zone);
extern int	appt_iso_weekday(DateADT date);
extern int	appt_year(DateADT date);
extern char *appt_put_time(char *p, TimestampTz instant, pg_tz *zone);
extern void appt_append_time(StringInfo out, TimestampTz instant, pg_tz *zone);
extern char *appt_spoken_time(TimestampTz instant, pg_tz *zone);
extern char *appt_spoken_date(DateADT date);

/* ---- floor 1: json.c ---- */

extern void appt_json_text(StringInfo out, const char *name,
						   const char *value);
extern void appt_json_int(StringInfo out, const char *name, int64 value);
extern void appt_json_bool(StringInfo out, const char *name, bool value);
extern void appt_json_time(StringInfo out, const char *name,
						   TimestampTz instant, pg_tz *zone);
extern void appt_json_date(StringInfo out, const char *name, DateADT date);

/* ---- floor 2: slots.c ---- */

/* A session of one date as instants; its grid begins at its start. */
typedef struct SlotSession
{
	TimestampTz start;
	TimestampTz end;
	int			step_min;
	int			capacity;
} SlotSession;

/* A stretch in which no slot may lie. */
typedef struct SlotBlock
{
	TimestampTz start;
	TimestampTz end;
	bool		closed;			/* the branch's closure, else time off */
} SlotBlock;

/* What is taken: an appointment or a hold. */
typedef struct SlotBusy
{
	TimestampTz start;
	TimestampTz end;
	int			lane;
	int			buffer_before_min;
	int			buffer_after_min;
	bool		held;
} SlotBusy;

/* Everything that decides about one doctor at one branch on one date. */
typedef struct SlotDay
{
	SlotSession *sessions;
	int			nsessions;
	SlotBlock  *blocks;
	int			nblocks;
	SlotBusy   *busy;			/* sorted by start */
	int			nbusy;
	int			gap_min;		/* the largest buffer that can matter */
	int			first_busy;		/* earlier ones can't meet what is asked now */
	TimestampTz now;
	TimestampTz earliest;		/* now + lead time */
	bool		beyond_horizon;
	bool		daily_limit_reached;
	bool		expired_holds;	/* some are still in the table */
	int			buffer_before_min;
	int			buffer_after_min;
} SlotDay;

typedef enum SlotVerdict
{
	SLOT_FREE,
	SLOT_TAKEN,
	SLOT_HELD,
	SLOT_OUTSIDE_HOURS,
	SLOT_OFF_GRID,
	SLOT_ON_LEAVE,
	SLOT_CLOSED,
	SLOT_IN_PAST,
	SLOT_LEAD_TIME,
	SLOT_BEYOND_HORIZON,
	SLOT_DAILY_LIMIT
} SlotVerdict;

typedef struct Slot
{
	TimestampTz start;
	TimestampTz end;
	int			capacity;
	int			remaining;
	int			lane;			/* the free one that a booking takes */
} Slot;

extern SlotVerdict slots_judge(SlotDay *day, TimestampTz start,
							   TimestampTz end, Slot *slot);
extern int	slots_list(SlotDay *day, int duration_min, Slot **slots);
extern int	slots_free_lane(const SlotDay *day, TimestampTz start,
							TimestampTz end, int from, int to);
extern int	slots_default_length(const SlotDay *day, TimestampTz start);

/* ---- floor 3: schedule.c ---- */

typedef struct Branch
{
	char		branch_id[65];	/* hash key */
	pg_tz	   *zone;
	int			slot_min;
	bool		active;
	SlotBlock  *closures;
	int			nclosures;
} Branch;

typedef struct Hours
{
	Branch	   *branch;
	DateADT		valid_from;
	DateADT		valid_to;
	int			weekday;		/* 0: dated, from extra_session */
	TimeADT		start;
	TimeADT		end;
	int			slot_min;		/* 0: the doctor's or the branch's */
	int			capacity;
} Hours;

/* Settings as they are for one doctor at one branch. */
typedef struct Rules
{
	Branch	   *branch;
	int			lead_time_min;
	int			horizon_days;
	int			cancellation_window_min;
	int			reschedule_window_min;
	int			hold_min;
	int			doctor_daily_limit;
	int			patient_daily_limit;
	int			late_after_min;
} Rules;

typedef struct Doctor
{
	char		doctor_id[65];	/* hash key */
	char	   *name;
	int			doctor_no;
	int			slot_min;		/* 0: the branch's */
	int			buffer_before_min;
	int			buffer_after_min;
	bool		active;
	pg_tz	   *zone;			/* of all the hours; NULL: several or none */
	Hours	   *hours;
	int			nhours;
	SlotBlock  *time_off;
	int			ntime_off;
	Rules	  **rules;			/* one per branch asked for so far */
	int			nrules;
} Doctor;

typedef struct VisitType
{
	char		visit_type[65]; /* hash key */
	int			duration_min;	/* 0: the slot's */
	int			buffer_before_min;	/* -1: the doctor's */
	int			buffer_after_min;	/* likewise */
	bool		active;
} VisitType;

/* An API client's limits, as far as the engine enforces them. */
typedef struct Client
{
	char		client_id[65];	/* hash key */
	bool		limited;
	char	  **branch_ids;
	int			nbranch_ids;
} Client;

extern void schedule_init(void);
extern void schedule_refresh(void);
extern Doctor *schedule_doctor(const char *doctor_id);
extern Branch *schedule_branch(const char *branch_id);
extern Branch *schedule_only_branch(void);
extern VisitType *schedule_visit_type(const char *visit_type);
extern Client *schedule_client(const char *client_id);
extern const Rules *schedule_rules(Doctor *doctor, Branch *branch);
extern const char *schedule_setting(const char *name);
extern bool schedule_has_webhooks(void);

/* ---- floor 3: schedule_load.c ---- */

/* One row of appt.setting; the built-in default has neither id. */
typedef struct Setting
{
	char	   *name;
	char	   *branch_id;
	char	   *doctor_id;
	char	   *value;
} Setting;

extern List *schedule_load_branches(void);
extern List *schedule_load_visit_types(void);
extern List *schedule_load_settings(void);
extern bool schedule_load_has_webhooks(void);
extern Doctor *schedule_load_doctor(const char *doctor_id);
extern Client *schedule_load_client(const char *client_id);

/* ---- floor 3: sessions.c ---- */

extern void sessions_of_day(SlotDay *day, const Doctor *doctor,
							const Branch *branch, DateADT date);

/* ---- floor 3: ids.c ---- */

extern int64 appt_next_appointment_no(void);
extern char *appt_appointment_id(int64 appointment_no, DateADT booked_on);
extern char *appt_new_id(const char *prefix);

/* ---- floor 3: caller.c ---- */

/* On whose behalf a function runs. */
typedef struct Caller
{
	const char *actor;			/* what the history shows */
	const char *source;			/* source of its bookings by default */
	bool		limited;		/* to the branches below */
	char	  **branch_ids;
	int			nbranch_ids;
} Caller;

extern Caller caller_of_session(void);
extern Caller caller_of_client(const char *client);
extern bool caller_sees(const Caller *caller, const char *branch_id);

/* ---- floor 3: appointment.c ---- */

/* A row of appt.appointment, and the row itself as a composite Datum. */
typedef struct Appointment
{
	Datum		row;
	char	   *appointment_id;
	int64		appointment_no;
	char	   *patient_id;
	char	   *doctor_id;
	char	   *branch_id;
	TimestampTz slot_start;
	TimestampTz slot_end;
	char	   *visit_type;
	char	   *status;
	int			token_number;
	DateADT		token_date;
	char	   *source;
	char	   *notes;
	int			version;
	int			reschedule_count;
	char	   *reason;
	int			priority;
	TimestampTz skipped_at;		/* 0: never, here and below */
	bool		override;
	TimestampTz booked_at;
	TimestampTz checked_in_at;
	TimestampTz started_at;
	TimestampTz completed_at;
	TimestampTz cancelled_at;
	TimestampTz hold_expires_at;
	int			doctor_no;
	int			patient_no;
	int			lane;
	int			buffer_before_min;
	int			buffer_after_min;
} Appointment;

typedef enum ApptLocking
{
	APPT_UNLOCKED,
	APPT_FOR_UPDATE
} ApptLocking;

extern bool appointment_is_status(const char *status);
extern bool appointment_is_source(const char *source);
extern Appointment *appointment_from_row(Datum row);
extern Appointment *appointment_find(const char *appointment_id,
									 const Caller *caller,
									 ApptLocking locking);
extern bool appointment_is(const Appointment *appointment, const char *status);
extern void appointment_check_version(const Appointment *appointment,
									  int expected_version);
extern Appointment *appointment_store(const Appointment *appointment);
extern char *appointment_json(const Appointment *appointment);
extern pg_tz *appointment_zone(const Appointment *appointment);

/* ---- floor 3: event.c ---- */

extern void event_record(const Appointment *after, const char *event_type,
						 const Caller *caller, const char *reason,
						 TimestampTz now);

/* ---- floor 3: token.c ---- */

typedef struct DoctorDay
{
	int			doctor_no;
	DateADT		on_date;
	bool		draw;			/* draw a number, or only lock */
	int			token_number;	/* the number drawn */
} DoctorDay;

extern void token_lock_days(DoctorDay *days, int ndays);

/* ---- floor 3: busy.c ---- */

/* What is taken of a doctor's time, sorted by start; expired holds left out. */
typedef struct BusyList
{
	SlotBusy   *items;
	int			nitems;
	int			size;
	int			gap_min;		/* the largest buffer among them */
	TimestampTz now;
	bool		expired_holds;	/* some are still in the table */
} BusyList;

typedef struct BusyQuery
{
	int			doctor_no;
	TimestampTz from;
	TimestampTz to;
	int64		except_no;		/* an appointment to overlook, 0: none */
	ApptAccess	access;
} BusyQuery;

extern void busy_load(BusyList *list, const BusyQuery *query);

/* ---- floor 3: availability.c ---- */

/* Where an appointment is or is to be. */
typedef struct Place
{
	Doctor	   *doctor;
	Branch	   *branch;
	const Rules *rules;
} Place;

/* Where an id came from decides how one that does not resolve is answered. */
typedef enum IdOrigin
{
	ID_ADDRESSED,				/* path or query: not_found */
	ID_IN_BODY					/* unknown_reference with the field's name */
} IdOrigin;

/* One day to look at; the slot asked for may lie outside its sessions. */
typedef struct DayQuery
{
	const Place *place;
	DateADT		date;
	const VisitType *visit;		/* NULL: the doctor's buffers */
	TimestampTz slot_start;
	TimestampTz slot_end;
	int64		except_no;		/* an appointment to overlook, 0: none */
} DayQuery;

typedef struct SlotQuery
{
	const char *doctor_id;
	const char *branch_id;
	const char *visit_type;
	DateADT		from_date;
	DateADT		to_date;
	int			duration_min;	/* 0: the grid's */
	bool		every_branch;	/* where none is named; else it is required */
	const Caller *caller;
	ApptAccess	access;			/* of the appointments: a snapshot, or latest */
} SlotQuery;

typedef struct OfferedSlot
{
	Slot		slot;
	const Doctor *doctor;
	const Branch *branch;
} OfferedSlot;

extern Place availability_place(const char *doctor_id, const char *branch_id,
								const Caller *caller, IdOrigin origin);
extern void availability_day(SlotDay *day, const DayQuery *query);
extern int	availability_list(const SlotQuery *query, OfferedSlot **slots);
extern VisitType *availability_visit_type(const char *visit_type,
										  IdOrigin origin);
extern void availability_check_length(TimestampTz start, TimestampTz end,
									  const char *field);

/* ---- floor 3: search.c ---- */

typedef struct SearchQuery
{
	const Caller *caller;
	const char **doctor_ids;
	int			ndoctors;
	const char *branch_id;		/* NULL: any */
	const char *visit_type;
	int			duration_min;	/* 0: the grid's */
	TimestampTz from;
	ApptAccess	access;
} SearchQuery;

extern bool search_first(const SearchQuery *query, OfferedSlot *best);
extern int	search_specialty(const char *specialty, const char ***doctor_ids);

/* ---- floor 3: refusal.c ---- */

extern char *refusal_sentence(SlotVerdict verdict, const Place *place,
							  TimestampTz start);
extern void refusal_raise(SlotVerdict verdict, const Place *place,
						  TimestampTz start) pg_attribute_noreturn();
extern void refusal_unknown_id(IdOrigin origin, const char *object,
							   const char *id, const char *field)
			pg_attribute_noreturn();

/* ---- floor 3: placement.c ---- */

typedef struct PlacementRequest
{
	const Caller *caller;
	const char *doctor_id;
	const char *branch_id;
	const char *visit_type;
	TimestampTz slot_start;
	TimestampTz slot_end;		/* 0: by visit type, else by the grid */
	bool		override;
	int64		except_no;		/* the appointment that moves, 0: none */
} PlacementRequest;

/* A slot with the place that was found for it. */
typedef struct Placement
{
	Place		place;
	const VisitType *visit;
	TimestampTz slot_start;
	TimestampTz slot_end;
	DateADT		date;			/* the branch-local date of slot_start */
	TimestampTz now;
	int			lane;
	int			buffer_before_min;
	int			buffer_after_min;
	SlotVerdict overridden;		/* SLOT_FREE: nothing was */
} Placement;

extern void placement_begin(Placement *placement,
							const PlacementRequest *request);
extern void placement_find(Placement *placement,
						   const PlacementRequest *request);
extern void placement_refuse_overlap(const Placement *placement,
									 const char *constraint,
									 const char *patient_id)
			pg_attribute_noreturn();
extern void placement_find_overflow(Placement *placement);
extern char *placement_explain(const PlacementRequest *request);
extern int	placement_length(const Placement *placement);

/* ---- floor 3: patient.c ---- */

extern int	patient_lock(const char *patient_id);
extern void patient_lock_no(int patient_no);
extern void patient_check_limit(int patient_no, const Placement *placement,
								int64 except_no);
extern bool patient_is_busy(int patient_no, TimestampTz start,
							TimestampTz end, int64 except_no);
extern void patient_refuse_busy(const char *patient_id)
			pg_attribute_noreturn();

/* ---- floor 3: booking.c, reschedule.c, lifecycle.c ---- */

typedef struct BookRequest
{
	const Caller *caller;
	const char *patient_id;
	const char *doctor_id;
	const char *branch_id;
	TimestampTz slot_start;
	TimestampTz slot_end;		/* 0: by visit type or grid */
	const char *visit_type;
	const char *notes;
	const char *source;
	const char *hold_id;
	bool		override;
} BookRequest;

typedef struct RescheduleRequest
{
	const Caller *caller;
	const char *appointment_id;
	TimestampTz slot_start;
	TimestampTz slot_end;		/* 0: as long as before */
	const char *reason;
	const char *doctor_id;		/* NULL: the same */
	const char *branch_id;		/* NULL: the same */
	int			expected_version;	/* 0: any */
	bool		forced;			/* displaced: no window, no source rule */
} RescheduleRequest;

typedef struct ChangeRequest
{
	const Caller *caller;
	const char *appointment_id;
	const char *reason;
	int			expected_version;	/* 0: any */
	int			priority;
	bool		forced;
} ChangeRequest;

extern Appointment *booking_book(const BookRequest *request);
extern Appointment *booking_walk_in(const BookRequest *request);
extern Appointment *booking_hold(const BookRequest *request);
extern void booking_release(const char *hold_id, const Caller *caller);
extern Appointment *reschedule_move(const RescheduleRequest *request);
extern Appointment *lifecycle_cancel(const ChangeRequest *request);
extern Appointment *lifecycle_check_in(const ChangeRequest *request);
extern Appointment *lifecycle_undo_check_in(const ChangeRequest *request);
extern Appointment *lifecycle_start(const ChangeRequest *request);
extern Appointment *lifecycle_complete(const ChangeRequest *request);
extern Appointment *lifecycle_no_show(const ChangeRequest *request);

extern Appointment *lifecycle_skip(const ChangeRequest *request);
extern Appointment *lifecycle_set_priority(const ChangeRequest *request);

/* ---- floor 3: queue.c ---- */

/* Somebody in a doctor's queue, in call order. */
typedef struct QueueEntry
{
	Appointment *appointment;
	bool		late;			/* checked in late, or a walk-in */
	int			ahead;			/* people to be seen before */
	TimestampTz estimated_start;	/* 0 for who is being seen */
} QueueEntry;

extern int	queue_load(const char *doctor_id, DateADT date, bool today,
					   const Caller *caller, QueueEntry **entries);
extern Appointment *queue_call_next(const char *doctor_id,
									const Caller *caller);

/* ---- floor 3: idempotency.c ---- */

typedef struct Answer
{
	char	   *body;
	char	   *id;				/* NULL: none */
	int			version;		/* 0: none */
	bool		replayed;
} Answer;

typedef struct IdempotencyKey
{
	const char *client;			/* whose keys these are: the caller's actor */
	const char *route;
	const char *key;			/* NULL: none was given */
	const char *request_hash;
} IdempotencyKey;

extern bool idempotency_begin(const IdempotencyKey *key, Answer *answer);
extern void idempotency_finish(const IdempotencyKey *key,
							   const Answer *answer);

/* ---- module.c ---- */

extern char *appt_clock_setting;
extern bool appt_notify_setting;
extern bool appt_allow_drop_setting;
extern char *appt_actor_setting;

#endif							/* APPT_H */
