/*
 * booking.c
 *		Booking, walk-ins, holds and offers.
 *
 * Locks, in order: branch and doctor (placement_begin), the doctor-day with
 * its token, the patient.  Under them no other booking can be about to take
 * the same place, so the insert never waits in the overlap constraints
 * and cannot deadlock there; what they forbid becomes the booking's refusal.
 */
#include "booking.h"

/* What the row is to be, beside where it is placed. */
typedef struct NewRow
{
	const BookRequest *request;
	const Placement *placement;
	const char *status;
	const char *hold_id;		/* of a hold: its id */
	const char *source;
	int			token_number;
	int			patient_no;		/* 0: a hold */
	OptionalTime checked_in_at;
	OptionalTime hold_expires_at;
	Appointment *inserted;
} NewRow;

static void check_texts(const BookRequest *request);
static PlacementRequest placement_request(const BookRequest *request);
static int	draw_token(const Placement *placement);
static void lock_day(const Placement *placement);
static Appointment *insert_row(NewRow *row);
static Datum insert(void *arg);
pg_noreturn static void refuse_overlap(const char *constraint,
									   const void *context);
static void refuse_if_away(const Placement *placement);
static const char *override_note(const Placement *placement);

/* Books a slot, from a hold if the request names one. */
Appointment *
booking_book(const BookRequest *request)
{
	PlacementRequest wanted = placement_request(request);
	Placement	placement;
	Appointment *booked;
	NewRow		row = {
		.request = request,
		.placement = &placement,
		.status = "booked",
		.source = request->source ? request->source : request->caller->source
	};

	check_texts(request);
	appt_require(request->patient_id != NULL, "patient_id");
	placement_begin(&placement, &wanted);
	row.token_number = draw_token(&placement);
	row.patient_no = patient_lock(request->patient_id, request->caller);
	if (request->hold_id != NULL)
		hold_use(&placement, &(HoldUse) {
			.hold_id = request->hold_id,
			.caller = request->caller,
			.override = request->override
		});
	else
		placement_find(&placement, &wanted);
	patient_check_limit(row.patient_no, &placement, 0);

	booked = insert_row(&row);
	offer_accept(request->hold_id, booked, request->caller);
	event_record(booked, request->caller, &(Event) {
		.type = "appointment.booked",
		.reason = override_note(&placement),
		.at = placement.now
	});
	return booked;
}

/*
 * Books somebody who is there now: checked in at once, with the next number
 * and beside the bookable slots, so that none is lost.
 */
Appointment *
booking_walk_in(const BookRequest *request)
{
	TimestampTz now = appt_now();
	BookRequest at_once = *request;
	PlacementRequest wanted;
	Placement	placement;
	Appointment *booked;
	NewRow		row = {
		.request = &at_once,
		.placement = &placement,
		.status = "checked_in",
		.source = "walk_in",
		.checked_in_at = appt_time(now)
	};

	at_once.slot_start = appt_time(now - now % MINUTES(1));
	check_texts(request);
	wanted = placement_request(&at_once);
	placement_begin(&placement, &wanted);
	placement.slot_end = placement.slot_start +
		MINUTES(placement_length(&placement));
	refuse_if_away(&placement);
	row.token_number = draw_token(&placement);
	row.patient_no = patient_lock(request->patient_id, request->caller);
	placement_find_overflow(&placement);

	booked = insert_row(&row);
	event_record(booked, request->caller, &(Event) {
		.type = "appointment.booked",
		.reason = "walk-in",
		.at = placement.now
	});
	event_record(booked, request->caller, &(Event) {
		.type = "appointment.checked_in",
		.reason = "walk-in",
		.at = placement.now
	});
	return booked;
}

/* Keeps a slot for some minutes, without a patient and without a number. */
Appointment *
booking_hold(const BookRequest *request)
{
	PlacementRequest wanted = placement_request(request);
	Placement	placement;
	NewRow		row = {
		.request = request,
		.placement = &placement,
		.status = "held",
		.hold_id = appt_new_id("hold"),
		.source = request->caller->source
	};

	placement_begin(&placement, &wanted);
	lock_day(&placement);
	placement_find(&placement, &wanted);
	hold_check_limit(request->caller, placement.now);
	row.hold_expires_at =
		appt_time(placement.now + MINUTES(placement.place.rules->hold_min));
	return insert_row(&row);
}

/* Keeps a slot for a patient who could be booked there, and has him told. */
Appointment *
booking_offer(const BookRequest *request)
{
	PlacementRequest wanted = placement_request(request);
	Placement	placement;
	int			patient_no;
	Appointment *hold;
	NewRow		row = {
		.request = request,
		.placement = &placement,
		.status = "held",
		.hold_id = offer_new_id(),
		.source = request->caller->source
	};

	appt_require(request->patient_id != NULL, "patient_id");
	placement_begin(&placement, &wanted);
	lock_day(&placement);
	patient_no = patient_lock(request->patient_id, request->caller);
	placement_find(&placement, &wanted);
	patient_check_limit(patient_no, &placement, 0);
	patient_check_free(patient_no, request->patient_id, placement.slot_start,
					   placement.slot_end, 0);
	hold_check_limit(request->caller, placement.now);
	row.hold_expires_at = appt_time(offer_kept_until(&placement,
													 request->caller,
													 request->expires_at));
	hold = insert_row(&row);
	offer_write(hold, patient_no, request->caller);
	return hold;
}

static void
check_texts(const BookRequest *request)
{
	appt_check_text(request->notes, "notes");
	if (request->source == NULL ||
		(appointment_is_source(request->source) &&
		 strcmp(request->source, "walk_in") != 0))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 errmsg("source \"%s\" is not known", request->source),
			 errdetail("It is one of api, web, mobile, aggregator, front_desk and sql."),
			 appt_errfield("source")));
}

static PlacementRequest
placement_request(const BookRequest *request)
{
	return (PlacementRequest) {
		.caller = request->caller,
		.doctor_id = request->doctor_id,
		.branch_id = request->branch_id,
		.visit_type = request->visit_type,
		.slot_start = request->slot_start,
		.slot_end = request->slot_end,
		.override = request->override
	};
}

static int
draw_token(const Placement *placement)
{
	DoctorDay	day = {
		.doctor_no = placement->place.doctor->doctor_no,
		.on_date = placement->date,
		.draw = true
	};

	token_lock_days(&day, 1);
	return day.token_number;
}

static void
lock_day(const Placement *placement)
{
	DoctorDay	day = {
		.doctor_no = placement->place.doctor->doctor_no,
		.on_date = placement->date
	};

	token_lock_days(&day, 1);
}

static Appointment *
insert_row(NewRow *row)
{
	const Placement *p = row->placement;

	if (row->patient_no != 0)
		patient_check_free(row->patient_no, row->request->patient_id,
						   p->slot_start, p->slot_end, 0);
	appt_run_excluded(insert, row, refuse_overlap, row);
	return row->inserted;
}

static Datum
insert(void *arg)
{
	NewRow	   *row = arg;
	const Placement *p = row->placement;
	bool		is_hold = row->patient_no == 0;
	int64		no = appt_next_appointment_no();
	DateADT		today = appt_local_date(p->now, p->place.branch->zone);
	Appointment new = {
		.appointment_id = is_hold
			? row->hold_id
			: appt_appointment_id(no, today),
		.appointment_no = no,
		.patient_id = is_hold ? NULL : row->request->patient_id,
		.doctor_id = p->place.doctor->doctor_id,
		.branch_id = p->place.branch->branch_id,
		.slot_start = p->slot_start,
		.slot_end = p->slot_end,
		.visit_type = row->request->visit_type,
		.status = row->status,
		.token_number = row->token_number,
		.token_date = p->date,
		.source = row->source,
		.notes = row->request->notes,
		.override = placement_is_overridden(p),
		.booked_at = p->now,
		.checked_in_at = row->checked_in_at,
		.hold_expires_at = row->hold_expires_at,
		.held_by = is_hold ? row->request->caller->client_id : NULL,
		.doctor_no = p->place.doctor->doctor_no,
		.patient_no = row->patient_no,
		.lane = p->lane,
		.buffer_before_min = p->buffer_before_min,
		.buffer_after_min = p->buffer_after_min
	};

	row->inserted = appointment_insert(&new);
	return (Datum) 0;
}

static void
refuse_overlap(const char *constraint, const void *context)
{
	const NewRow *row = context;

	placement_refuse_overlap(row->placement, constraint,
							 row->request->patient_id);
}

/* A walk-in needs a doctor who is not on leave and a branch that is open. */
static void
refuse_if_away(const Placement *placement)
{
	const Branch *branch = placement->place.branch;
	const Doctor *doctor = placement->place.doctor;

	for (int i = 0; i < branch->nclosures; i++)
	{
		if (branch->closures[i].start <= placement->now &&
			branch->closures[i].end > placement->now)
			refusal_raise(SLOT_CLOSED, &placement->place, placement->now);
	}
	for (int i = 0; i < doctor->ntime_off; i++)
	{
		if (doctor->time_off[i].start <= placement->now &&
			doctor->time_off[i].end > placement->now)
			refusal_raise(SLOT_ON_LEAVE, &placement->place, placement->now);
	}
}

/* What the history says of an override; NULL where nothing was overridden. */
static const char *
override_note(const Placement *placement)
{
	if (placement->overridden != SLOT_FREE)
		return psprintf("override: %s",
						refusal_sentence(placement->overridden,
										 &placement->place,
										 placement->slot_start));
	if (placement->length_overridden)
		return psprintf("override: the visit lasts %d minutes.",
						(int) ((placement->slot_end - placement->slot_start) /
							   MINUTES(1)));
	return NULL;
}
