/*
 * offer.c
 *		Offers: holds that are kept for a patient, who is told of the place.
 *
 * An offer's hold is a hold like any other.  Who keeps it for whom is in
 * appt.waitlist_offer, and is written and ended by whoever has just made, used
 * or released the hold: the hold's row comes before the offer's in the order of
 * locks, and its end decides between two who want it.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

/* What the id of an offer, which is its hold's, begins with. */
#define OFFER_PREFIX	"offer"

static ApptStatement kept_until = {
	"SELECT appt_internal.offer_kept_until($1, $2, $3, $4, $5)",
	5, {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID}
};

static ApptStatement write_offer = {
	"SELECT appt_internal.write_offer($1, $2, $3, $4)",
	4, {TEXTOID, INT4OID, TEXTOID, BOOLOID}
};

static ApptStatement find_row = {
	"SELECT o"
	" FROM appt.waitlist_offer o"
	" WHERE o.offer_id = $1",
	1, {TEXTOID}
};

static ApptStatement body = {
	"SELECT appt_internal.offer_body($1)",
	1, {TEXTOID}
};

static ApptStatement set_accepted = {
	"UPDATE appt.waitlist_offer o"
	" SET outcome = 'accepted', appointment_no = $3, ended_at = $4,"
	" ended_by = $5"
	" WHERE o.offer_id = $1 AND o.patient_no = $2",
	5, {TEXTOID, INT4OID, INT8OID, TIMESTAMPTZOID, TEXTOID}
};

/* One that expired a moment ago was not withdrawn. */
static ApptStatement set_ended = {
	"UPDATE appt.waitlist_offer o"
	" SET outcome = $2, ended_at = $3, ended_by = $4"
	" WHERE o.offer_id = $1 AND o.outcome IS NULL AND o.expires_at > $3",
	4, {TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID}
};

static bool accept_it(const char *offer_id, const Appointment *visit,
					  const Caller *caller);
static bool is_told(const Caller *caller);
static bool is_offer(const char *hold_id);

/* The id of a new offer's hold. */
char *
offer_new_id(void)
{
	return appt_new_id(OFFER_PREFIX);
}

/*
 * Until when a place is kept: "wanted" or what the settings say, whichever is
 * sooner, and not beyond its beginning.  Refuses a time that is over.
 */
TimestampTz
offer_kept_until(const Placement *placement, const Caller *caller,
				 OptionalTime wanted)
{
	ApptArg		args[] = {
		appt_arg_text(placement->place.branch->branch_id),
		appt_arg_text(placement->place.doctor->doctor_id),
		appt_arg_time(placement->slot_start),
		appt_arg_optional_time(wanted),
		appt_arg(BoolGetDatum(is_told(caller)))
	};
	bool		isnull;

	if (wanted.given && wanted.at <= placement->now)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("expires_at is in the past"),
				 errdetail("A place is kept until a time that is to come."),
				 appt_errfield("expires_at")));
	appt_run(&kept_until, args, APPT_READ_LATEST);
	return DatumGetTimestampTz(appt_field(0, 1, &isnull));
}

/* Writes for whom a hold that was just made is, and what he is told. */
void
offer_write(const Appointment *hold, int patient_no, const Caller *caller)
{
	ApptArg		args[] = {
		appt_arg_text(hold->appointment_id),
		appt_arg(Int32GetDatum(patient_no)),
		appt_arg_text(caller->actor),
		appt_arg(BoolGetDatum(is_told(caller)))
	};

	(void) appt_run(&write_offer, args, APPT_WRITE);
}

/* Its row of appt.waitlist_offer. */
Datum
offer_row(const char *offer_id)
{
	ApptArg		args[] = {appt_arg_text(offer_id)};
	bool		isnull;

	appt_run(&find_row, args, APPT_READ_LATEST);
	return appt_field(0, 1, &isnull);
}

/* The offer as JSON text, by its hold. */
const char *
offer_json(Appointment *hold)
{
	ApptArg		args[] = {appt_arg_text(hold->appointment_id)};
	bool		isnull;

	appt_run(&body, args, APPT_READ_LATEST);
	return TextDatumGetCString(appt_field(0, 1, &isnull));
}

/*
 * The hold became that visit.  One that is kept for a patient is no other
 * patient's; of other holds there is nothing to note.
 */
void
offer_accept(const char *hold_id, const Appointment *visit,
			 const Caller *caller)
{
	if (!is_offer(hold_id) || accept_it(hold_id, visit, caller))
		return;
	ereport(ERROR,
			(APPT_ERRCODE(INVALID_REQUEST),
			 errmsg("hold \"%s\" is kept for another patient", hold_id),
			 errdetail("The place is offered to another patient; withdraw that offer first."),
			 appt_errfield("hold_id")));
}

/* The hold was given back: declined by its patient, withdrawn by others. */
void
offer_end(const char *hold_id, const Caller *caller)
{
	ApptArg		args[] = {
		appt_arg_text(hold_id),
		appt_arg_text(caller->is_patient ? "declined" : "withdrawn"),
		appt_arg_time(appt_now()),
		appt_arg_text(caller->actor)
	};

	if (is_offer(hold_id))
		(void) appt_run(&set_ended, args, APPT_WRITE);
}

/* False: it is kept for another patient. */
static bool
accept_it(const char *offer_id, const Appointment *visit, const Caller *caller)
{
	ApptArg		args[] = {
		appt_arg_text(offer_id),
		appt_arg(Int32GetDatum(visit->patient_no)),
		appt_arg(Int64GetDatum(visit->appointment_no)),
		appt_arg_time(appt_now()),
		appt_arg_text(caller->actor)
	};

	return appt_run(&set_accepted, args, APPT_WRITE) == 1;
}

static bool
is_told(const Caller *caller)
{
	return !caller->silent && schedule_has_channels();
}

static bool
is_offer(const char *hold_id)
{
	return hold_id != NULL &&
		strncmp(hold_id, OFFER_PREFIX "_", strlen(OFFER_PREFIX "_")) == 0;
}
