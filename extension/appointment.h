/*
 * appointment.h
 *		Rows: appointments, events, doctor-days, what is taken, answers kept.
 */
#ifndef APPT_APPOINTMENT_H
#define APPT_APPOINTMENT_H

#include "schedule.h"

/* ---- reference.c ---- */

/* Where an id came from decides how one that does not resolve is answered. */
typedef enum IdOrigin
{
	ID_ADDRESSED,				/* path or query: not_found */
	ID_IN_BODY					/* unknown_reference with the field's name */
} IdOrigin;

pg_noreturn extern void reference_unknown_id(IdOrigin origin,
											 const char *object,
											 const char *id, const char *field);
extern void reference_check_patient(int patient_no);
extern void reference_check_doctor(int doctor_no);
extern void reference_check_row(const char *appointment_id,
								const char *doctor_id, int doctor_no,
								const char *branch_id);

/* ---- appointment.c ---- */

/* A row of appt.appointment, and the row itself as a composite Datum. */
typedef struct Appointment
{
	Datum		row;
	char	   *json;			/* appointment_json()'s */
	const char *appointment_id;
	int64		appointment_no;
	const char *patient_id;
	const char *doctor_id;
	const char *branch_id;
	TimestampTz slot_start;
	TimestampTz slot_end;
	const char *visit_type;
	const char *status;
	int			token_number;
	DateADT		token_date;
	const char *source;
	const char *notes;
	int			version;
	int			reschedule_count;
	const char *reason;
	int			priority;
	bool		override;		/* booked against the rules of slots */
	OptionalTime skipped_at;
	TimestampTz booked_at;
	OptionalTime checked_in_at;
	OptionalTime started_at;
	OptionalTime completed_at;
	OptionalTime cancelled_at;
	OptionalTime confirmed_at;	/* the patient said that he will come */
	OptionalTime hold_expires_at;
	const char *held_by;		/* the API client whose hold it is */
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
									  OptionalInt expected_version);
extern Appointment *appointment_insert(const Appointment *appointment);
extern Appointment *appointment_store(const Appointment *appointment);
extern const char *appointment_json(Appointment *appointment);
extern Branch *appointment_branch(const Appointment *appointment);
extern pg_tz *appointment_zone(const Appointment *appointment);
extern pg_tz *appointment_shown_zone(const Appointment *appointment);
extern const Rules *appointment_rules(const Appointment *appointment);

/* ---- event.c ---- */

/* What happened to an appointment. */
typedef struct Event
{
	const char *type;
	const char *change;			/* of an appointment.updated: which */
	const char *reason;
	const Appointment *before;	/* of a move: as it was */
	TimestampTz at;
} Event;

extern void event_record(Appointment *after, const Caller *caller,
						 const Event *event);

/* ---- notification.c ---- */

extern void notification_write(const Appointment *after,
							   const char *event_type);

/* ---- token.c ---- */

typedef struct DoctorDay
{
	int			doctor_no;
	DateADT		on_date;
	bool		draw;			/* draw a number, or only lock */
	int			token_number;	/* the number drawn */
} DoctorDay;

extern void token_lock_days(DoctorDay *days, int ndays);

/* ---- busy.c ---- */

/*
 * What is taken of a doctor's time, sorted by start.  Expired holds are left
 * out, and some of what cannot meet what lies in the query's window.
 */
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
	TimestampTz from;			/* the window, without buffers */
	TimestampTz to;
	int			buffer_before_min;	/* of what is to be placed in it */
	int			buffer_after_min;
	int64		except_no;		/* an appointment to overlook, 0: none */
	ApptAccess	access;
} BusyQuery;

/* The longest that an appointment before the window can reach into it. */
#define APPT_REACH	MINUTES(APPT_MAX_DURATION_MIN + APPT_MAX_BUFFER_MIN)

extern void busy_load(BusyList *list, const BusyQuery *query);

/* ---- stored.c ---- */

/* A row by its number; 0: it was not seen, or none is expected. */
typedef struct StoredRow
{
	int64		appointment_no;
	Datum		row;
} StoredRow;

extern StoredRow stored_expect(int64 appointment_no);
extern void stored_see(int64 appointment_no, TupleTableSlot *slot);
extern Datum stored_row(int64 appointment_no, StoredRow other);

/* ---- idempotency.c ---- */

typedef struct Answer
{
	const char *body;
	const char *id;				/* NULL: none */
	OptionalInt version;
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

#endif							/* APPT_APPOINTMENT_H */
