/*
 * hold.c
 *		Holds: how many an API client may have, and what becomes of one.
 *
 * A hold ends under its doctor-day's lock, the patient's and the appointment's,
 * in that order: a hold's row comes after all of them.  A client's holds are
 * counted under the client's lock, which is taken last of all and by no
 * booking, so nobody waits for it with a lock that its holder wants.
 */
#include "booking.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

static ApptStatement take_hold = {
	"DELETE FROM appt.appointment a"
	" WHERE a.appointment_id = $1 AND a.status = 'held'"
	" RETURNING a",
	1, {TEXTOID}
};

static ApptStatement count_holds = {
	"SELECT count(*)::integer"
	" FROM appt.appointment"
	" WHERE patient_no IS NULL AND held_by = $1 AND hold_expires_at > $2",
	2, {TEXTOID, TIMESTAMPTZOID}
};

static ApptStatement holds_at = {
	"SELECT a.held_by, a.hold_expires_at, p.patient_id"
	" FROM appt.appointment a"
	" LEFT JOIN appt.waitlist_offer o ON o.offer_id = a.appointment_id"
	" LEFT JOIN appt.patient p ON p.patient_no = o.patient_no"
	" WHERE a.doctor_no = $1 AND a.slot_start < $3 AND a.slot_end > $2"
	" AND a.hold_expires_at > $4"
	" ORDER BY a.hold_expires_at",
	4, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* For who keeps a page up to date. */
static ApptStatement note_change = {
	"INSERT INTO appt_internal.change (what, branch_id, doctor_id, on_date)"
	" VALUES ('hold', $1, $2, $3)",
	3, {TEXTOID, TEXTOID, DATEOID}
};

static void check_type_fits(Placement *placement, const HoldUse *use);
static char *holder_name(const char *client_id);
static bool is_staff(const char *client_id);
static Appointment *delete_hold(const char *hold_id, const Caller *caller);
static int	count_of(const char *client_id, TimestampTz now);
static int	limit(void);
pg_noreturn static void refuse_expired(const char *hold_id);

/*
 * Ends the hold and puts the placement where it was.  What was judged when the
 * hold was made is not judged again.  Locks: as for placement_find().
 */
void
hold_use(Placement *placement, const HoldUse *use)
{
	Appointment *hold = delete_hold(use->hold_id, use->caller);

	if (hold == NULL || hold->hold_expires_at.at <= placement->now)
		refuse_expired(use->hold_id);
	if (!placement->has_end)
		placement->slot_end = hold->slot_end;
	if (hold->doctor_no != placement->place.doctor->doctor_no ||
		strcmp(hold->branch_id, placement->place.branch->branch_id) != 0 ||
		hold->slot_start != placement->slot_start ||
		hold->slot_end != placement->slot_end)
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("hold \"%s\" is for another slot", use->hold_id),
				 appt_errfield("hold_id")));
	if (placement->visit != NULL && placement->visit->duration_min > 0)
		check_type_fits(placement, use);
	placement->lane = hold->lane;
	placement->buffer_before_min = hold->buffer_before_min;
	placement->buffer_after_min = hold->buffer_after_min;
}

/* The hold may have been made without the visit type. */
static void
check_type_fits(Placement *placement, const HoldUse *use)
{
	int64		length = placement->slot_end - placement->slot_start;

	if (length == use->own_length ||
		length == MINUTES(placement->visit->duration_min))
		return;
	if (!use->override)
		length_refuse(&placement->place, placement->visit, "hold_id");
	placement->length_overridden = true;
}

/* Gives a held slot back. */
void
hold_release(const char *hold_id, const Caller *caller)
{
	appt_require(hold_id != NULL, "hold_id");
	if (delete_hold(hold_id, caller) == NULL)
		reference_unknown_id(ID_ADDRESSED, "hold", hold_id, "hold_id");
	offer_end(hold_id, caller);
}

/*
 * Refuses an API client one hold more than it may have.  Two that are made at
 * once are counted one after the other.
 */
void
hold_check_limit(const Caller *caller, TimestampTz now)
{
	if (caller->client_id == NULL)
		return;
	appt_lock_exclusive(APPT_LOCK_HOLDS, appt_lock_key(caller->client_id));
	if (count_of(caller->client_id, now) < limit())
		return;
	ereport(ERROR,
			(APPT_ERRCODE(LIMIT_REACHED),
			 errmsg("%s has reached its limit of holds",
					holder_name(caller->client_id)),
			 errdetail_plural("It can hold no more than %d slot at a time.",
							  "It can hold no more than %d slots at a time.",
							  limit(), limit()),
			 errhint("Book or release one, or wait until one expires.")));
}

/*
 * Notes that a slot is held, of the row that the table has got.  By the right
 * of the table's owner, as foreign keys are checked.
 */
void
hold_note(Relation table, Datum branch_id, Datum doctor_id, Datum token_date)
{
	ApptArg		args[] = {
		appt_arg(branch_id),
		appt_arg(doctor_id),
		appt_arg(token_date)
	};
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(RelationGetForm(table)->relowner,
						   context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) appt_run(&note_change, args, APPT_WRITE);
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

/*
 * Who holds a slot, or to whom it is offered, and until when, in a sentence; an
 * empty one if nobody does.  An API client is told of none but its own holds,
 * staff of all offers.
 */
char *
hold_sentence(const Placement *placement, const Caller *caller)
{
	StringInfoData out;
	ApptArg		args[] = {
		appt_arg(Int32GetDatum(placement->place.doctor->doctor_no)),
		appt_arg_time(placement->slot_start),
		appt_arg_time(placement->slot_end),
		appt_arg_time(placement->now)
	};
	uint64		n = appt_run(&holds_at, args, APPT_READ_LATEST);
	SPITupleTable *rows = SPI_tuptable;

	initStringInfo(&out);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *client_id = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		char	   *patient_id = SPI_getvalue(rows->vals[i], rows->tupdesc, 3);
		bool		isnull;
		Datum		at = SPI_getbinval(rows->vals[i], rows->tupdesc, 2,
									   &isnull);
		char	   *until = appt_spoken_time(DatumGetTimestampTz(at),
											 placement->place.branch->zone);
		bool		is_own = caller->client_id == NULL ||
			(client_id != NULL && strcmp(client_id, caller->client_id) == 0);

		if (patient_id != NULL && (is_own || is_staff(caller->client_id)))
			appendStringInfo(&out, " It is offered to patient %s until %s.",
							 patient_id, until);
		if (client_id != NULL && is_own)
			appendStringInfo(&out,
							 " %s holds it until %s; it has %d of %d holds.",
							 holder_name(client_id), until,
							 count_of(client_id, placement->now), limit());
	}
	return out.data;
}

/* Who holds, as the beginning of a sentence. */
static char *
holder_name(const char *client_id)
{
	return is_staff(client_id)
		? pstrdup("This account") : psprintf("API client \"%s\"", client_id);
}

static bool
is_staff(const char *client_id)
{
	return strncmp(client_id, APPT_STAFF_PREFIX,
				   strlen(APPT_STAFF_PREFIX)) == 0;
}

/*
 * Takes a hold out of the table; NULL if the caller sees none of that id, which
 * the caller of this must refuse.
 */
static Appointment *
delete_hold(const char *hold_id, const Caller *caller)
{
	ApptArg		args[] = {appt_arg_text(hold_id)};
	Appointment *hold;
	bool		isnull;

	schedule_refresh();
	if (appt_run(&take_hold, args, APPT_LOCK) == 0)
		return NULL;
	hold = appointment_from_row(appt_field(0, 1, &isnull));
	return caller_sees_visit(caller, hold->branch_id, hold->doctor_no)
		? hold : NULL;
}

static int
count_of(const char *client_id, TimestampTz now)
{
	ApptArg		args[] = {appt_arg_text(client_id), appt_arg_time(now)};
	bool		isnull;

	appt_run(&count_holds, args, APPT_READ_LATEST);
	return DatumGetInt32(appt_field(0, 1, &isnull));
}

static int
limit(void)
{
	return pg_strtoint32(schedule_setting("holds_per_client"));
}

static void
refuse_expired(const char *hold_id)
{
	ereport(ERROR,
			(APPT_ERRCODE(HOLD_EXPIRED),
			 errmsg("hold \"%s\" has expired or was released", hold_id),
			 errdetail("The slot is no longer held; choose a slot again.")));
}
