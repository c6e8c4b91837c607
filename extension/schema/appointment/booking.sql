/* ---------------------------------------------------------------------------
 * The scheduling engine in SQL.  Each function raises errors of the table in
 * appt_errors.h; docs/sql.md shows them at work.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.appointment_json(
	appointment appt.appointment)
	RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_appointment_json';

COMMENT ON FUNCTION appt.appointment_json(appt.appointment) IS
	'The full appointment object (docs/rest.md) as JSON text, '
	'times with the branch''s offset';

CREATE FUNCTION appt.available_slots(
	doctor_id text,
	on_date date,
	branch_id text DEFAULT NULL,
	duration_min integer DEFAULT NULL,
	to_date date DEFAULT NULL,
	visit_type text DEFAULT NULL,
	OUT start_time timestamptz,
	OUT end_time timestamptz,
	OUT remaining integer,
	OUT branch_id text)
	RETURNS SETOF record
	LANGUAGE c STABLE PARALLEL UNSAFE ROWS 50
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_available_slots';

COMMENT ON FUNCTION appt.available_slots(
	text, date, text, integer, date, text)
	IS
	'Free slots of a doctor from on_date to to_date (default: that day; '
	'at most 31 days), dates of the branch''s time zone, by branch '
	'(default: every branch where the doctor works) and start. '
	'duration_min (5 to max_duration_min, a setting) changes a slot''s '
	'length, not the grid. Takes no lock and writes nothing. Raises SB404 '
	'(doctor, branch, visit type), SB001';

CREATE FUNCTION appt.explain_slot(
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz DEFAULT NULL,
	branch_id text DEFAULT NULL,
	visit_type text DEFAULT NULL)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_explain_slot';

COMMENT ON FUNCTION appt.explain_slot(
	text, timestamptz, timestamptz, text, text)
	IS
	'Why a slot cannot be booked, in one line to read out; free if it '
	'can. Raises SBU01 (doctor, branch, visit type), SB001, SB002';

CREATE FUNCTION appt.book(
	patient_id text,
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz DEFAULT NULL,
	branch_id text DEFAULT NULL,
	visit_type text DEFAULT NULL,
	notes text DEFAULT NULL,
	source text DEFAULT NULL,
	hold_id text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	override boolean DEFAULT false,
	notify boolean DEFAULT true)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_book';

COMMENT ON FUNCTION appt.book(
	text, text, timestamptz, timestamptz, text, text, text, text, text,
	text, boolean, boolean)
	IS
	'Books a slot and draws the day''s next token; slot_end defaults to '
	'the visit type''s or the grid''s length, branch_id to the only active '
	'branch. override books against the slot rules, also beside those who '
	'have the slot, and is recorded. notify false: the patient is not told. '
	'Raises SB901 to SB910 (slot not available, by reason), SB920 (patient '
	'elsewhere), SB940 (hold expired), SBU01 (unknown id), SB003, '
	'SB950 and SBU02 (idempotency key), SB001, SB002 (branch_id is needed)';

CREATE FUNCTION appt.hold(
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz DEFAULT NULL,
	branch_id text DEFAULT NULL,
	visit_type text DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_hold';

COMMENT ON FUNCTION appt.hold(text, timestamptz, timestamptz, text, text) IS
	'Keeps a slot for hold_min minutes (a setting, 5) under the same '
	'constraint as a booking; the result''s appointment_id is the hold_id '
	'to book with. Raises as appt.book';

CREATE FUNCTION appt.release(
	hold_id text)
	RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_release';

COMMENT ON FUNCTION appt.release(text) IS
	'Gives a held slot back; raises SB404 if there is no such hold (any '
	'more)';

CREATE FUNCTION appt.walk_in(
	patient_id text,
	doctor_id text,
	branch_id text DEFAULT NULL,
	visit_type text DEFAULT NULL,
	notes text DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_walk_in';

COMMENT ON FUNCTION appt.walk_in(text, text, text, text, text) IS
	'Books somebody who is there now: checked in at once with the day''s '
	'next token, beside the bookable slots. Up to 32 walk-ins and late '
	'returns of a doctor can be there within one visit''s length; whose '
	'visit is completed does not count. Raises SB901 (32 are there), SB905 '
	'or SB906 (doctor away, branch closed), SB920, SBU01, SB001, SB002 '
	'(branch_id is needed)';

CREATE FUNCTION appt.reschedule(
	appointment_id text,
	new_slot_start timestamptz,
	new_slot_end timestamptz DEFAULT NULL,
	reason text DEFAULT NULL,
	doctor_id text DEFAULT NULL,
	branch_id text DEFAULT NULL,
	expected_version integer DEFAULT NULL,
	hold_id text DEFAULT NULL,
	override boolean DEFAULT false,
	notify boolean DEFAULT true)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_reschedule';

COMMENT ON FUNCTION appt.reschedule(
	text, timestamptz, timestamptz, text, text, text, integer, text, boolean,
	boolean)
	IS
	'Moves a booked appointment; its length, doctor and branch stay '
	'unless given. On the same doctor''s day the token stays, else a new '
	'one is drawn there. To where it is already: unchanged. hold_id: a hold '
	'on the new slot, which the move uses up. override, which needs a reason '
	'and is recorded: also when it is too late, against the slot rules, and '
	'from checked_in (who stays at the branch that day stays checked in). '
	'notify false: the patient is not told. '
	'Raises SB930 (not booked), SB932 (too late), SB940 (hold expired), SBP01 '
	'(expected_version), SB901 to SB910, SB920, SB404, SBU01, SB001 (also '
	'where hold_id is of another slot)';

CREATE FUNCTION appt.cancel(
	appointment_id text,
	reason text,
	expected_version integer DEFAULT NULL,
	override boolean DEFAULT false,
	notify boolean DEFAULT true)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_cancel';

COMMENT ON FUNCTION appt.cancel(text, text, integer, boolean, boolean) IS
	'Cancels a booked or checked-in appointment and retires its token; '
	'one that is cancelled stays as it is. override, which is recorded: also '
	'when it is too late. notify false: the patient is not told. Raises SB930 '
	'(final already), SB931 (too late: cancellation_window_min, a setting), '
	'SBP01, SB404, SB001 (blank reason)';

CREATE FUNCTION appt.confirm(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_confirm';

COMMENT ON FUNCTION appt.confirm(text, integer) IS
	'Records that the patient will come (confirmed_at); one that is confirmed '
	'stays as it is. A move, or another patient, takes it back. Raises SB930 '
	'(status does not allow it, or the visit''s time is over), SBP01, SB404';

CREATE FUNCTION appt.check_in(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_check_in';

COMMENT ON FUNCTION appt.check_in(text, integer) IS
	'Marks the patient as there: on the visit''s branch-local day, within '
	'check_in_before_min minutes (a setting, 120) around the visit, and in '
	'the night after while others of that day are still there; a no-show '
	'may come back with the same token. Raises SB930 (status or time does '
	'not allow it), SBP01, SB404';

CREATE FUNCTION appt.undo_check_in(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_undo_check_in';

COMMENT ON FUNCTION appt.undo_check_in(text, integer) IS
	'Takes a check-in back, as long as one can check in. Raises SB930 '
	'(status or time does not allow it), SBP01, SB404';

CREATE FUNCTION appt.start(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_start';

COMMENT ON FUNCTION appt.start(text, integer) IS
	'Begins the consultation of a checked-in patient. Raises SB930 '
	'(status does not allow it), SBP01, SB404';

CREATE FUNCTION appt.complete(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_complete';

COMMENT ON FUNCTION appt.complete(text, integer) IS
	'Ends the visit of a patient who is checked in or in consultation; '
	'final. Raises SB930 (status does not allow it), SBP01, SB404';

CREATE FUNCTION appt.no_show(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_no_show';

COMMENT ON FUNCTION appt.no_show(text, integer) IS
	'Marks a booked patient as not having come, from the slot''s start on. '
	'Raises SB930 (status or time does not allow it), SBP01, SB404';

CREATE FUNCTION appt.correct(
	appointment_id text,
	status text,
	reason text,
	expected_version integer DEFAULT NULL,
	override boolean DEFAULT false)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_correct';

COMMENT ON FUNCTION appt.correct(text, text, text, integer, boolean) IS
	'Sets the status that a visit should have, on any day: booked, '
	'checked_in, in_consultation, completed or no_show, from each of these. '
	'Needs override and a reason, which the history has. The token stays; one '
	'who comes back gets the place that the visit had, if that is free, else '
	'one beside the bookable ones. To the status that it has: unchanged. '
	'Raises SB930 (cancelled, or too early for that), SB901 (no place), SB920 '
	'(patient elsewhere), SBP01, SB404, SB001';

CREATE FUNCTION appt.edit(
	appointment_id text,
	notes text DEFAULT NULL,
	visit_type text DEFAULT NULL,
	patient_id text DEFAULT NULL,
	reason text DEFAULT NULL,
	expected_version integer DEFAULT NULL,
	override boolean DEFAULT false)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_edit';

COMMENT ON FUNCTION appt.edit(text, text, text, text, text, integer, boolean)
	IS
	'Changes notes and visit type (NULL: as they are; an empty text: none), '
	'and with override and a reason the patient: the right one of two '
	'namesakes. Slot and token stay; a visit type of another length needs '
	'override. Nothing that differs: unchanged. Raises SB930 (cancelled, or '
	'another length), SB920 (that patient is elsewhere then), SBU01, SBP01, '
	'SB404, SB001';
