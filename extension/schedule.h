/*
 * schedule.h
 *		The configuration as a backend caches it, and who calls.
 */
#ifndef APPT_SCHEDULE_H
#define APPT_SCHEDULE_H

#include "slots.h"

/* ---- schedule.c ---- */

/* When a branch is open: a row of appt.operating_hours. */
typedef struct OpenHours
{
	int			weekday;
	DateADT		valid_from;
	DateADT		valid_to;
	TimeADT		opens;
	TimeADT		closes;
} OpenHours;

typedef struct Branch
{
	char		branch_id[APPT_ID_SIZE];	/* hash key */
	pg_tz	   *zone;			/* NULL: unknown to this server, and refused */
	char	   *time_zone;		/* its name */
	int			slot_min;
	bool		active;
	SlotBlock  *closures;
	int			nclosures;
	OpenHours  *open_hours;		/* by weekday and opening */
	int			nopen_hours;	/* 0: open whenever sessions say so */
} Branch;

typedef struct Hours
{
	Branch	   *branch;
	DateADT		valid_from;
	DateADT		valid_to;
	int			weekday;		/* 8: dated, from extra_session */
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
	int			max_duration_min;
	int			hold_min;
	int			doctor_daily_limit;
	int			patient_daily_limit;
	int			late_after_min;
	int			settle_s;		/* until patients are told of a change */
	int			check_in_before_min;
} Rules;

typedef struct Doctor
{
	char		doctor_id[APPT_ID_SIZE];	/* hash key */
	char	   *name;
	int			doctor_no;
	int			slot_min;		/* or the department's; 0: the branch's */
	int			buffer_before_min;
	int			buffer_after_min;
	bool		active;
	pg_tz	   *zone;			/* of all the hours; NULL: several or none */
	Hours	   *hours;			/* weekly ones by weekday, then dated ones */
	int			nhours;
	int			weekly[8];		/* where those of weekday n end; [0]: 0 */
	SlotBlock  *time_off;
	int			ntime_off;
	Rules	  **rules;			/* one per branch asked for so far */
	int			nrules;
} Doctor;

typedef struct VisitType
{
	char		visit_type[APPT_ID_SIZE]; /* hash key */
	int			duration_min;	/* 0: the slot's */
	int			buffer_before_min;	/* -1: the doctor's */
	int			buffer_after_min;	/* likewise */
	bool		active;
} VisitType;

/* How a member of staff is named where an API client is. */
#define APPT_STAFF_PREFIX "staff:"

/*
 * The limits of an API client or a member of staff, as far as the engine
 * enforces them.
 */
typedef struct Client
{
	char		client_id[APPT_ID_SIZE];	/* hash key */
	char	   *actor;			/* what the history shows */
	bool		limited;		/* to the branches below */
	char	  **branch_ids;
	int			nbranch_ids;
	bool		some_doctors;	/* alone, those below */
	int32	   *doctor_nos;
	int			ndoctor_nos;
} Client;

extern void schedule_init(void);
extern void schedule_refresh(void);
extern Doctor *schedule_doctor(const char *doctor_id);
extern Branch *schedule_branch(const char *branch_id);
extern Branch *schedule_only_branch(void);
extern pg_tz *schedule_zone(const Branch *branch);
extern VisitType *schedule_visit_type(const char *visit_type);
extern Client *schedule_client(const char *client_id);
extern const Rules *schedule_rules(Doctor *doctor, Branch *branch);
extern const char *schedule_setting(const char *name);
extern const char *schedule_id_prefix(void);
extern bool schedule_has_webhooks(void);
extern bool schedule_has_channels(void);

/* ---- schedule_load.c ---- */

/* One row of appt.setting; the built-in default has neither id. */
typedef struct Setting
{
	char	   *name;
	char	   *branch_id;
	char	   *doctor_id;
	char	   *value;
} Setting;

/* What finds the branch of an id; NULL: there is none. */
typedef Branch *(*BranchFinder) (const char *branch_id);

extern List *schedule_load_branches(void);
extern List *schedule_load_visit_types(void);
extern List *schedule_load_settings(void);
extern bool schedule_load_has_webhooks(void);
extern bool schedule_load_has_channels(void);
extern Doctor *schedule_load_doctor(const char *doctor_id,
									BranchFinder branch_of);
extern Client *schedule_load_client(const char *client_id);

/* ---- sessions.c ---- */

extern void sessions_of_day(SlotDay *day, const Doctor *doctor,
							const Branch *branch, DateADT date);

/* ---- ids.c ---- */

extern int64 appt_next_appointment_no(void);
extern char *appt_appointment_id(int64 appointment_no, DateADT booked_on);
extern char *appt_new_id(const char *prefix);

/* ---- caller.c ---- */

/* On whose behalf a function runs. */
typedef struct Caller
{
	const char *actor;			/* what the history shows */
	const char *source;			/* source of its bookings by default */
	const char *client_id;		/* NULL: neither API client nor staff */
	bool		limited;		/* to the branches below */
	char	  **branch_ids;
	int			nbranch_ids;
	bool		some_doctors;	/* alone, those below */
	const int32 *doctor_nos;
	int			ndoctor_nos;
	bool		silent;			/* patients are not told of what it does */
	bool		is_patient;		/* by a link that was sent to him */
} Caller;

extern Caller caller_of_session(void);
extern Caller caller_of_link(void);
extern Caller caller_of_client(const char *client);
extern bool caller_sees(const Caller *caller, const char *branch_id);
extern bool caller_sees_visit(const Caller *caller, const char *branch_id,
							  int doctor_no);
extern bool caller_sees_doctor(const Caller *caller, const Doctor *doctor);

#endif							/* APPT_SCHEDULE_H */
