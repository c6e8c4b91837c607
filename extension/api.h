/*
 * api.h
 *		Reading the arguments of SQL-callable functions, and changing many
 *		appointments in one.
 */
#ifndef APPT_API_H
#define APPT_API_H

#include "booking.h"

/*
 * ---- api_base.c ----
 *
 * NULL becomes NULL, 0 or false, which every request struct reads as "not
 * given".
 */

extern char *api_text(FunctionCallInfo fcinfo, int n);
extern char *api_exact_text(FunctionCallInfo fcinfo, int n);
extern int	api_int(FunctionCallInfo fcinfo, int n);
extern OptionalTime api_time(FunctionCallInfo fcinfo, int n);
extern OptionalInt api_optional_int(FunctionCallInfo fcinfo, int n);
extern OptionalText api_optional_text(FunctionCallInfo fcinfo, int n);
extern bool api_bool(FunctionCallInfo fcinfo, int n);
extern bool api_silent(FunctionCallInfo fcinfo, int n);
extern Caller api_caller(FunctionCallInfo fcinfo, int n);

/* ---- api_json.c ---- */

/* What an entry point of appt_api does; the client stands at context_arg. */
typedef struct JsonCall
{
	FunctionCallInfo fcinfo;
	const char *route;
	int			context_arg;
	int			notify_arg;		/* 0: it has none */
	bool		has_key;		/* followed by idempotency_key, request_hash */
	Appointment *(*work) (FunctionCallInfo fcinfo, const Caller *caller);
	const char *(*body) (Appointment *appointment);
} JsonCall;

extern Datum api_answer(void *arg);

/* ---- bulk.c ---- */

/* One of many appointments or holds that are to be changed. */
typedef struct BulkItem
{
	int64		appointment_no;
	int			doctor_no;
	int			patient_no;		/* 0: a hold */
	int			version;
	TimestampTz slot_start;
	TimestampTz slot_end;
	TimestampTz to_start;		/* where it moves, if that is known */
	char	   *appointment_id;
	char	   *doctor_id;
	char	   *branch_id;
	char	   *visit_type;
	char	   *status;
} BulkItem;

typedef struct BulkList
{
	BulkItem   *items;
	int			nitems;
} BulkList;

/* What a statement for bulk_load() selects of appt.appointment a. */
#define BULK_COLUMNS(to_start) \
	" a.appointment_no, a.doctor_no, a.patient_no, a.version," \
	" a.slot_start, a.slot_end, " to_start "," \
	" a.appointment_id, a.doctor_id, a.branch_id, a.visit_type, a.status"

extern BulkList bulk_load(ApptStatement *statement, const ApptArg *args);
extern void bulk_lock_branches(void);
extern void bulk_lock_doctors(const BulkList *list);
extern void bulk_lock_patients(const BulkList *list);
extern void bulk_change(ApptWork work, void *request);

#endif							/* APPT_API_H */
