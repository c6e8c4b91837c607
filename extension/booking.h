/*
 * booking.h
 *		Looking for slots, booking, moving, the life cycle, the queue.
 */
#ifndef APPT_BOOKING_H
#define APPT_BOOKING_H

#include "appointment.h"

/* ---- availability.c ---- */

/* Where an appointment is or is to be. */
typedef struct Place
{
	Doctor	   *doctor;
	Branch	   *branch;
	const Rules *rules;
} Place;

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
	bool		moves;			/* a visit that has its type and length */
	DateADT		from_date;
	DateADT		to_date;
	OptionalInt duration_min;	/* else the visit type's, or the grid's */
	bool		every_branch;	/* where none is named; else it is required */
	bool		any_place;		/* nothing where visits cannot last so long */
	bool		explain;		/* all of the grid, with verdicts */
	const Caller *caller;
	ApptAccess	access;			/* of the appointments: a snapshot, or latest */
} SlotQuery;

typedef struct OfferedSlot
{
	Slot		slot;
	const Doctor *doctor;
	const Branch *branch;
} OfferedSlot;

/* Takes the slots of a doctor's day at a branch, in order of start. */
typedef void (*SlotReceiver) (const Place *place, const SlotList *slots,
							  void *context);

extern Place availability_place(const char *doctor_id, const char *branch_id,
								const Caller *caller, IdOrigin origin);
extern void availability_day(SlotDay *day, const DayQuery *query);
extern void availability_each(const SlotQuery *query, SlotReceiver receive,
							  void *context);
extern int	availability_list(const SlotQuery *query, OfferedSlot **slots);
extern VisitType *availability_visit_type(const char *visit_type,
										  IdOrigin origin);

/* ---- length.c ---- */

extern void length_check_slot(TimestampTz start, TimestampTz end,
							  const char *field);
extern bool length_is_allowed(const Place *place, const VisitType *visit,
							  int length_min);
pg_noreturn extern void length_refuse(const Place *place,
									  const VisitType *visit,
									  const char *field);
extern int	length_longest_slot(const Place *place);
extern int	length_default_slot(const Place *place);

/* ---- search.c ---- */

typedef struct SearchQuery
{
	const Caller *caller;
	const char *doctor_field;	/* what the caller calls them */
	const char **doctor_ids;
	int			ndoctors;
	const char *branch_id;		/* NULL: any */
	const char *visit_type;
	bool		moves;			/* a visit that has its type and length */
	OptionalInt duration_min;	/* else the visit type's, or the grid's */
	TimestampTz from;
	ApptAccess	access;
	bool		(*accepts) (const OfferedSlot *slot, void *context);
	void	   *context;		/* NULL accepts: any slot will do */
} SearchQuery;

extern bool search_first(const SearchQuery *query, OfferedSlot *best);
extern void search_doctors(SearchQuery *query, const char *specialty,
						   const char *department_id);

/* ---- refusal.c ---- */

extern char *refusal_sentence(SlotVerdict verdict, const Place *place,
							  TimestampTz start);
extern const char *refusal_reason(SlotVerdict verdict);
pg_noreturn extern void refusal_raise(SlotVerdict verdict, const Place *place,
									  TimestampTz start);

/* ---- placement.c ---- */

typedef struct PlacementRequest
{
	const Caller *caller;
	const char *doctor_id;
	const char *branch_id;
	const char *visit_type;
	OptionalTime slot_start;	/* required */
	OptionalTime slot_end;		/* else by visit type, else by the grid */
	bool		addressed;		/* the ids are a path's or query's */
	bool		override;
	int64		except_no;		/* the appointment that moves, 0: none */
	int64		own_length;		/* which it may keep */
	int			from_doctor_no; /* whose day it leaves, 0: nobody's */
} PlacementRequest;

/* A slot with the place that was found for it. */
typedef struct Placement
{
	Place		place;
	const VisitType *visit;
	TimestampTz slot_start;
	TimestampTz slot_end;		/* not yet known unless has_end */
	bool		has_end;
	DateADT		date;			/* the branch-local date of slot_start */
	TimestampTz now;
	int			lane;
	int			buffer_before_min;
	int			buffer_after_min;
	SlotVerdict overridden;		/* SLOT_FREE: nothing was */
	bool		length_overridden;
} Placement;

extern void placement_begin(Placement *placement,
							const PlacementRequest *request);
extern void placement_begin_at(Placement *placement, const Appointment *seen);
extern void placement_find(Placement *placement,
						   const PlacementRequest *request);
pg_noreturn extern void placement_refuse_overlap(const Placement *placement,
												 const char *constraint,
												 const char *patient_id);
extern bool placement_is_overridden(const Placement *placement);
extern void placement_find_overflow(Placement *placement);
extern void placement_find_again(Placement *placement, int lane,
								 int64 except_no);
extern char *placement_explain(Placement *placement,
							   const PlacementRequest *request,
							   SlotVerdict *verdict);
extern int	placement_length(const Placement *placement);

/* ---- rearrange.c ---- */

extern int	rearrange_lanes(const Placement *placement, int64 moving_no);

/* ---- patient.c ---- */

extern int	patient_lock(const char *patient_id, const Caller *caller);
extern void patient_lock_no(int patient_no);
extern void patient_check_limit(int patient_no, const Placement *placement,
								int64 except_no);
extern bool patient_is_busy(int patient_no, TimestampTz start,
							TimestampTz end, int64 except_no);
extern bool patient_can_come(int patient_no, const OfferedSlot *slot,
							 int daily_limit, int64 except_no);
extern void patient_check_free(int patient_no, const char *patient_id,
							   TimestampTz start, TimestampTz end,
							   int64 except_no);
pg_noreturn extern void patient_refuse_busy(const char *patient_id);
extern void patient_note_look(const char *patient_id, const Caller *caller);

/* ---- hold.c ---- */

typedef struct HoldUse
{
	const char *hold_id;
	const Caller *caller;
	int64		own_length;		/* which a visit that moves may keep */
	bool		override;		/* of the length of the visit type */
} HoldUse;

extern void hold_use(Placement *placement, const HoldUse *use);
extern void hold_release(const char *hold_id, const Caller *caller);
extern void hold_note(Relation table, Datum branch_id, Datum doctor_id,
					  Datum token_date);
extern void hold_check_limit(const Caller *caller, TimestampTz now);
extern char *hold_sentence(const Placement *placement, const Caller *caller);

/* ---- offer.c ---- */

extern char *offer_new_id(void);
extern TimestampTz offer_kept_until(const Placement *placement,
									const Caller *caller,
									OptionalTime wanted);
extern void offer_write(const Appointment *hold, int patient_no,
						const Caller *caller);
extern Datum offer_row(const char *offer_id);
extern const char *offer_json(Appointment *hold);
extern void offer_accept(const char *hold_id, const Appointment *visit,
						 const Caller *caller);
extern void offer_end(const char *hold_id, const Caller *caller);

/* ---- booking.c, reschedule.c, lifecycle.c, correction.c ---- */

typedef struct BookRequest
{
	const Caller *caller;
	const char *patient_id;
	const char *doctor_id;
	const char *branch_id;
	OptionalTime slot_start;	/* required */
	OptionalTime slot_end;		/* else by visit type or grid */
	const char *visit_type;
	const char *notes;
	const char *source;
	const char *hold_id;
	OptionalTime expires_at;	/* of an offer; else by the settings */
	bool		override;
} BookRequest;

typedef struct RescheduleRequest
{
	const Caller *caller;
	const char *appointment_id;
	OptionalTime slot_start;	/* required */
	OptionalTime slot_end;		/* else as long as before */
	const char *reason;
	const char *doctor_id;		/* NULL: the same */
	const char *branch_id;		/* NULL: the same */
	const char *hold_id;		/* NULL: the place is looked for */
	OptionalInt expected_version;	/* else any */
	bool		override;		/* on purpose, with a reason */
	bool		forced;			/* displaced: whatever the window says */
	bool		locked;			/* bulk.c's: only if it is booked still */
} RescheduleRequest;

typedef struct ChangeRequest
{
	const Caller *caller;
	const char *appointment_id;
	const char *reason;
	OptionalInt expected_version;	/* else any */
	int			priority;
	const char *status;			/* a correction's: what it should be */
	bool		override;		/* on purpose, with a reason */
	bool		forced;			/* displaced: no window, if it can be */
} ChangeRequest;

/* A text that may be given, and then may be one or none (NULL). */
typedef struct OptionalText
{
	bool		given;
	const char *value;
} OptionalText;

/* What is to be edited; what is not given stays. */
typedef struct EditRequest
{
	const Caller *caller;
	const char *appointment_id;
	OptionalText notes;
	OptionalText visit_type;
	const char *patient_id;		/* needs override and a reason */
	const char *reason;
	OptionalInt expected_version;	/* else any */
	bool		override;
} EditRequest;

extern Appointment *booking_book(const BookRequest *request);
extern Appointment *booking_walk_in(const BookRequest *request);
extern Appointment *booking_hold(const BookRequest *request);
extern Appointment *booking_offer(const BookRequest *request);
extern Appointment *reschedule_move(const RescheduleRequest *request);
extern Appointment *lifecycle_cancel(const ChangeRequest *request);
extern Appointment *lifecycle_confirm(const ChangeRequest *request);
extern Appointment *lifecycle_check_in(const ChangeRequest *request);
extern Appointment *lifecycle_undo_check_in(const ChangeRequest *request);
extern Appointment *lifecycle_start(const ChangeRequest *request);
extern Appointment *lifecycle_complete(const ChangeRequest *request);
extern Appointment *lifecycle_no_show(const ChangeRequest *request);
extern Appointment *lifecycle_skip(const ChangeRequest *request);
extern Appointment *lifecycle_recall(const ChangeRequest *request);
extern Appointment *lifecycle_set_priority(const ChangeRequest *request);
extern Appointment *correction_set_status(const ChangeRequest *request);
extern Appointment *correction_edit(const EditRequest *request);

/* ---- lifecycle.c, what others say and check likewise ---- */

extern const char *lifecycle_reason(const char *reason, bool overridden);
extern void lifecycle_check_begun(const Appointment *current,
								  const char *verb);

/* ---- arrival.c ---- */

typedef enum ArrivalPlace
{
	ARRIVAL_BESIDE,				/* beside the bookable places */
	ARRIVAL_AGAIN				/* its own if that is free, else beside */
} ArrivalPlace;

extern void arrival_check_time(const Appointment *current, const char *verb);
extern void arrival_check_early(const Appointment *current, const char *verb);
extern bool arrival_counts(const Appointment *current);
extern int	arrival_find_lane(const Appointment *seen, const Caller *caller,
							  ArrivalPlace where);

/* ---- queue.c ---- */

/* Somebody in a doctor's queue, in call order. */
typedef struct QueueEntry
{
	Appointment *appointment;
	bool		late;			/* checked in late, or a walk-in */
	int			ahead;			/* people to be seen before */
	OptionalTime estimated_start;	/* none for who is being seen */
} QueueEntry;

extern int	queue_load(const char *doctor_id, DateADT date, bool today,
					   const Caller *caller, QueueEntry **entries);

/* Whose next patient is called. */
typedef struct QueueCall
{
	const Caller *caller;
	const char *doctor_id;
	IdOrigin	origin;			/* of doctor_id */
	bool		today;			/* where the doctor works, else: */
	DateADT		date;
} QueueCall;

extern Appointment *queue_call_next(const QueueCall *call);

#endif							/* APPT_BOOKING_H */
