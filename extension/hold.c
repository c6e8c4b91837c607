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
#include "commands/trigger.h"
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
	"SELECT held_by, hold_expires_at"
	" FROM appt.appointment"
	" WHERE doctor_no = $1 AND slot_start < $3 AND slot_end > $2"
	" AND hold_expires_at > $4"
	" ORDER BY hold_expires_at",
	4, {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* For who keeps a page up to date. */
static ApptStatement note_change = {
	"INSERT INTO appt_internal.change (what, branch_id, doctor_id, on_date)"
	" VALUES ('hold', $1, $2, $3)",
	3, {TEXTOID, TEXTOID, DATEOID}
};

static void note(const TriggerData *trigger);
static ApptArg row_column(const TriggerData *trigger, const char *name);
static void check_type_fits(Placement *placement, const HoldUse *use);
static char *holder_name(const char *client_id);
static Appointment *delete_hold(const char *hold_id, const Caller *caller);
static int	count_of(const char *client_id, TimestampTz now);
static int	limit(void);
pg_noreturn static void refuse_expired(const char *hold_id);

PG_FUNCTION_INFO_V1(appt_note_hold);

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
 * AFTER row trigger for INSERT of appt.appointment: notes that a slot is held,
 * whoever wrote the row.  It has no WHEN, as each booking would parse that.
 */
Datum
appt_note_hold(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"appointment", NULL};
	static const TriggerUse use = {
		.function = "appt_internal.note_hold",
		.when = TRIGGER_EVENT_AFTER | TRIGGER_EVENT_ROW,
		.needs_new_row = true,
		.tables = tables
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);

	if (!row_column(trigger, "hold_expires_at").isnull && !appt_in_restore())
		note(trigger);
	return PointerGetDatum(NULL);
}

/* By the right of the table's owner, as foreign keys are checked. */
static void
note(const TriggerData *trigger)
{
	ApptArg		args[] = {
		row_column(trigger, "branch_id"),
		row_column(trigger, "doctor_id"),
		row_column(trigger, "token_date")
	};
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(RelationGetForm(trigger->tg_relation)->relowner,
						   context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) appt_run(&note_change, args, APPT_WRITE);
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

static ApptArg
row_column(const TriggerData *trigger, const char *name)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	ApptArg		column;

	column.value = SPI_getbinval(trigger->tg_trigtuple, desc,
								 SPI_fnumber(desc, name), &column.isnull);
	return column;
}

/*
 * Who holds a slot and until when, in a sentence; an empty one if nobody does.
 * An API client is told of none but its own holds.
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
		bool		isnull;
		Datum		until = SPI_getbinval(rows->vals[i], rows->tupdesc, 2,
										  &isnull);

		if (client_id == NULL || (caller->client_id != NULL &&
								  strcmp(client_id, caller->client_id) != 0))
			continue;
		appendStringInfo(&out,
						 " %s holds it until %s; it has %d of %d holds.",
						 holder_name(client_id),
						 appt_spoken_time(DatumGetTimestampTz(until),
										  placement->place.branch->zone),
						 count_of(client_id, placement->now), limit());
	}
	return out.data;
}

/* Who holds, as the beginning of a sentence. */
static char *
holder_name(const char *client_id)
{
	return strncmp(client_id, APPT_STAFF_PREFIX,
				   strlen(APPT_STAFF_PREFIX)) == 0
		? pstrdup("This account") : psprintf("API client \"%s\"", client_id);
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
