/*
 * availability.c
 *		Brings together the schedule, the day's appointments and the rules for
 *		slots.c to judge.
 *
 * A list reads with the calling query's snapshot and takes no lock.  A booking
 * reads what is committed, holding the doctor-day lock.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

static ApptStatement day_counts = {
	"SELECT token_date, count(*)::integer"
	" FROM appt.appointment"
	" WHERE doctor_no = $1 AND token_date BETWEEN $2 AND $3"
	" AND status NOT IN ('cancelled', 'no_show')"
	" AND (hold_expires_at IS NULL OR hold_expires_at > $4)"
	" AND appointment_no <> $5"
	" GROUP BY token_date",
	5, {INT4OID, DATEOID, DATEOID, TIMESTAMPTZOID, INT8OID}
};

/* Consecutive days of one doctor at one branch, and what is taken in them. */
typedef struct Days
{
	const Place *place;
	DateADT		from_date;
	DateADT		to_date;
	SlotDay    *days;
	int			ndays;
	TimestampTz from;			/* the window of the busy slots */
	TimestampTz to;
	int64		except_no;
	ApptAccess	access;
} Days;

/* The free slots that were found so far. */
typedef struct Offers
{
	OfferedSlot *items;
	int			nitems;
	int			size;
} Offers;

static void init_day(SlotDay *day, const Place *place, DateADT date,
					 const VisitType *visit, TimestampTz now);
static void cover_sessions(Days *days);
static void load_busy(Days *days);
static void slice_busy(Days *days, const BusyList *busy);
static void apply_daily_limit(Days *days);
static bool is_length_listed(const SlotQuery *query, const Place *place);
static bool is_refused_anywhere(const SlotQuery *query, int nbranches);
static List *branches_to_list(const SlotQuery *query, Doctor *doctor);
static void list_place(const SlotQuery *query, const Place *place,
					   SlotReceiver receive, void *context);
static const VisitType *visit_type_of(const SlotQuery *query);
static void offer(const Place *place, const SlotList *slots, void *context);
static void check_slot_query(const SlotQuery *query);

/*
 * The doctor and branch of those ids.  Without a branch id the only active
 * branch is meant; where there are several it is refused (SB002).  An id that
 * is unknown, inactive or not for the caller is refused as the origin says.
 */
Place
availability_place(const char *doctor_id, const char *branch_id,
				   const Caller *caller, IdOrigin origin)
{
	Place		place;

	appt_require(doctor_id != NULL, "doctor_id");
	place.branch = branch_id != NULL
		? schedule_branch(branch_id)
		: schedule_only_branch();
	if (branch_id == NULL && place.branch == NULL)
		ereport(ERROR,
				(APPT_ERRCODE(BRANCH_REQUIRED),
				 errmsg("branch_id is required"),
				 errdetail("More than one branch is active."),
				 appt_errfield("branch_id")));
	if (place.branch == NULL || !place.branch->active ||
		!caller_sees(caller, place.branch->branch_id))
		reference_unknown_id(origin, "branch", branch_id ? branch_id : "",
							 "branch_id");

	place.doctor = schedule_doctor(doctor_id);
	if (place.doctor == NULL || !place.doctor->active ||
		!caller_sees_doctor(caller, place.doctor))
		reference_unknown_id(origin, "doctor", doctor_id, "doctor_id");
	(void) schedule_zone(place.branch);
	place.rules = schedule_rules(place.doctor, place.branch);
	return place;
}

/* NULL for NULL; raises for one that is unknown or inactive. */
VisitType *
availability_visit_type(const char *visit_type, IdOrigin origin)
{
	VisitType  *visit;

	if (visit_type == NULL)
		return NULL;
	visit = schedule_visit_type(visit_type);
	if (visit == NULL || !visit->active)
		reference_unknown_id(origin, "visit type", visit_type, "visit_type");
	return visit;
}

/*
 * One day, and what is taken around the slot, as it is committed now; the
 * caller holds the doctor-day's lock.
 */
void
availability_day(SlotDay *day, const DayQuery *query)
{
	Days		days = {
		.place = query->place,
		.from_date = query->date,
		.to_date = query->date,
		.days = day,
		.ndays = 1,
		.from = query->slot_start,
		.to = query->slot_end,
		.except_no = query->except_no,
		.access = APPT_READ_LATEST
	};

	init_day(day, query->place, query->date, query->visit, appt_now());
	load_busy(&days);
	apply_daily_limit(&days);
}

/*
 * The free slots of a doctor from one date to another, in order of branch and
 * start.  The array is in the current context.
 */
int
availability_list(const SlotQuery *query, OfferedSlot **slots)
{
	Offers		offers = {0};

	availability_each(query, offer, &offers);
	*slots = offers.items;
	return offers.nitems;
}

/*
 * Hands over the same day by day.  A month's slots fill a hundred kilobytes:
 * to gather them first would cost more than to find them, most of it the
 * kernel's for memory that comes and goes.
 */
void
availability_each(const SlotQuery *query, SlotReceiver receive,
				  void *context)
{
	Place		place;
	List	   *branches;
	ListCell   *cell;

	check_slot_query(query);
	place.doctor = schedule_doctor(query->doctor_id);
	if (place.doctor == NULL || !place.doctor->active ||
		!caller_sees_doctor(query->caller, place.doctor))
		reference_unknown_id(ID_ADDRESSED, "doctor", query->doctor_id,
							 "doctor_id");
	branches = branches_to_list(query, place.doctor);
	foreach(cell, branches)
	{
		place.branch = lfirst(cell);
		place.rules = schedule_rules(place.doctor, place.branch);
		if (query->duration_min.given && !is_length_listed(query, &place))
		{
			if (is_refused_anywhere(query, list_length(branches)))
				length_refuse(&place, visit_type_of(query), "duration");
			continue;
		}
		list_place(query, &place, receive, context);
	}
}

/* Whether a visit there can last as long as is asked for. */
static bool
is_length_listed(const SlotQuery *query, const Place *place)
{
	return query->moves ||
		length_is_allowed(place, visit_type_of(query),
						  query->duration_min.value);
}

/*
 * Whether a length that is not allowed is refused, rather than that place
 * passed over: no other place could have it.
 */
static bool
is_refused_anywhere(const SlotQuery *query, int nbranches)
{
	const VisitType *visit = visit_type_of(query);

	return (visit != NULL && visit->duration_min > 0) ||
		(!query->any_place && nbranches == 1);
}

static List *
branches_to_list(const SlotQuery *query, Doctor *doctor)
{
	List	   *branches = NIL;

	if (query->branch_id != NULL || !query->every_branch)
	{
		Place		place = availability_place(query->doctor_id,
											   query->branch_id,
											   query->caller, ID_ADDRESSED);

		return list_make1(place.branch);
	}
	for (int i = 0; i < doctor->nhours; i++)
	{
		Branch	   *branch = doctor->hours[i].branch;

		if (branch->active && branch->zone != NULL &&
			caller_sees(query->caller, branch->branch_id))
			branches = list_append_unique_ptr(branches, branch);
	}
	return branches;
}

static void
list_place(const SlotQuery *query, const Place *place, SlotReceiver receive,
		   void *context)
{
	const VisitType *visit = visit_type_of(query);
	int			duration_min = query->duration_min.value;
	TimestampTz now = appt_now();
	Days		days = {
		.place = place,
		.from_date = query->from_date,
		.to_date = query->to_date,
		.ndays = query->to_date - query->from_date + 1,
		.access = query->access
	};
	SlotList	slots = {0};

	if (!query->duration_min.given && visit != NULL)
		duration_min = visit->duration_min;
	days.days = palloc_array(SlotDay, days.ndays);
	for (int i = 0; i < days.ndays; i++)
		init_day(&days.days[i], place, days.from_date + i, visit, now);
	cover_sessions(&days);
	load_busy(&days);
	apply_daily_limit(&days);

	for (int i = 0; i < days.ndays; i++)
	{
		if (query->explain)
			slots_explain(&days.days[i], duration_min, &slots);
		else
			slots_list(&days.days[i], duration_min, &slots);
		receive(place, &slots, context);
	}
}

static const VisitType *
visit_type_of(const SlotQuery *query)
{
	return query->moves && query->visit_type != NULL
		? schedule_visit_type(query->visit_type)
		: availability_visit_type(query->visit_type, ID_ADDRESSED);
}

/* A SlotReceiver; the array grows by doubling, for a month has many. */
static void
offer(const Place *place, const SlotList *slots, void *context)
{
	Offers	   *offers = context;
	int			needed = offers->nitems + slots->nitems;

	if (needed > offers->size)
	{
		offers->size = Max(needed, 2 * offers->size);
		offers->items = offers->items == NULL
			? palloc_array(OfferedSlot, offers->size)
			: repalloc_array(offers->items, OfferedSlot, offers->size);
	}
	for (int i = 0; i < slots->nitems; i++)
		offers->items[offers->nitems++] = (OfferedSlot) {
			.slot = slots->items[i],
			.doctor = place->doctor,
			.branch = place->branch
		};
}

static void
check_slot_query(const SlotQuery *query)
{
	appt_require(query->doctor_id != NULL, "doctor_id");
	if (DATE_NOT_FINITE(query->from_date) || DATE_NOT_FINITE(query->to_date))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("date must be finite"),
				 appt_errfield("date")));
	if (query->to_date < query->from_date ||
		query->to_date - query->from_date >= APPT_MAX_RANGE_DAYS)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("date_to does not make a range of 1 to %d days",
						APPT_MAX_RANGE_DAYS),
				 appt_errfield("date_to")));
	if (query->duration_min.given &&
		(query->duration_min.value < APPT_MIN_DURATION_MIN ||
		 query->duration_min.value > APPT_MAX_DURATION_MIN))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("duration must be from %d to %d minutes",
						APPT_MIN_DURATION_MIN, APPT_MAX_DURATION_MIN),
				 appt_errfield("duration")));
}

/* Everything about a day except what is taken. */
static void
init_day(SlotDay *day, const Place *place, DateADT date,
		 const VisitType *visit, TimestampTz now)
{
	const Rules *rules = place->rules;
	DateADT		today = appt_local_date(now, place->branch->zone);

	*day = (SlotDay) {
		.now = now,
		.earliest = now + MINUTES(rules->lead_time_min),
		.beyond_horizon = date > today + rules->horizon_days,
		.buffer_before_min = place->doctor->buffer_before_min,
		.buffer_after_min = place->doctor->buffer_after_min
	};
	if (visit != NULL && visit->buffer_before_min >= 0)
		day->buffer_before_min = visit->buffer_before_min;
	if (visit != NULL && visit->buffer_after_min >= 0)
		day->buffer_after_min = visit->buffer_after_min;
	sessions_of_day(day, place->doctor, place->branch, date);
}

/* A window that covers all sessions. */
static void
cover_sessions(Days *days)
{
	for (int i = 0; i < days->ndays; i++)
	{
		const SlotDay *day = &days->days[i];

		for (int j = 0; j < day->nsessions; j++)
		{
			const SlotSession *session = &day->sessions[j];
			bool		is_first = days->from == days->to;

			days->from = is_first
				? session->start : Min(days->from, session->start);
			days->to = is_first
				? session->until : Max(days->to, session->until);
		}
	}
}

/* One index scan for all the days. */
static void
load_busy(Days *days)
{
	BusyList	busy = {.now = days->days[0].now};
	BusyQuery	query = {
		.doctor_no = days->place->doctor->doctor_no,
		.from = days->from,
		.to = days->to,
		.buffer_before_min = days->days[0].buffer_before_min,
		.buffer_after_min = days->days[0].buffer_after_min,
		.except_no = days->except_no,
		.access = days->access
	};

	if (days->from == days->to)
		return;
	busy_load(&busy, &query);
	days->days[0].expired_holds = busy.expired_holds;
	slice_busy(days, &busy);
}

/* Gives each day the tail of the array that can still matter to it. */
static void
slice_busy(Days *days, const BusyList *busy)
{
	int			first = 0;

	for (int i = 0; i < days->ndays; i++)
	{
		SlotDay    *day = &days->days[i];

		while (days->ndays > 1 && day->nsessions > 0 &&
			   first < busy->nitems &&
			   busy->items[first].start + APPT_REACH <= day->sessions[0].start)
			first++;
		day->busy = busy->items + first;
		day->nbusy = busy->nitems - first;
		day->gap_min = Max(busy->gap_min,
						   Max(day->buffer_before_min,
							   day->buffer_after_min));
	}
}

/* Where a daily limit is set, marks the days that have reached it. */
static void
apply_daily_limit(Days *days)
{
	int			limit = days->place->rules->doctor_daily_limit;
	uint64		n;
	bool		isnull;

	if (limit == 0)
		return;
	{
		ApptArg		args[] = {
			appt_arg(Int32GetDatum(days->place->doctor->doctor_no)),
			appt_arg(DateADTGetDatum(days->from_date)),
			appt_arg(DateADTGetDatum(days->to_date)),
			appt_arg(TimestampTzGetDatum(days->days[0].now)),
			appt_arg(Int64GetDatum(days->except_no))
		};

		n = appt_run(&day_counts, args, days->access);
	}
	for (uint64 i = 0; i < n; i++)
	{
		DateADT		date = DatumGetDateADT(appt_field(i, 1, &isnull));

		if (DatumGetInt32(appt_field(i, 2, &isnull)) >= limit)
			days->days[date - days->from_date].daily_limit_reached = true;
	}
}
