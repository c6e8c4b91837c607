/* ---------------------------------------------------------------------------
 * What a link does: as everybody's calls, under the same rules, with "patient
 * link" for the actor.  To do it twice is to do it once.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.confirm_by_link(
	appointment_id text,
	expected_version integer)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_confirm_by_link';

COMMENT ON FUNCTION appt_internal.confirm_by_link(text, integer) IS
	'As appt.confirm, by the patient';

CREATE FUNCTION appt_internal.cancel_by_link(
	appointment_id text,
	reason text,
	without_reason text,
	expected_version integer)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_cancel_by_link';

COMMENT ON FUNCTION appt_internal.cancel_by_link(text, text, text, integer) IS
	'As appt.cancel, by the patient; without_reason: what is kept for a reason '
	'where none was given';

CREATE FUNCTION appt_internal.move_by_link(
	appointment_id text,
	slot_start timestamptz,
	expected_version integer)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_move_by_link';

COMMENT ON FUNCTION appt_internal.move_by_link(text, timestamptz, integer) IS
	'As appt.reschedule, by the patient: the same doctor, branch and length';

CREATE FUNCTION appt_internal.unsubscribe_by_link(patient_id text, channel text)
	RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO appt.notification_opt_out (patient_id, channel, event, way)
	VALUES ($1, $2, 'reminder', 'link'), ($1, $2, 'follow_up', 'link')
	ON CONFLICT DO NOTHING
$$;

COMMENT ON FUNCTION appt_internal.unsubscribe_by_link(text, text) IS
	'The patient gets no more reminders by that channel, of a visit or to come '
	'again; the first time that he said so stays';

CREATE FUNCTION appt_internal.act_by_link(l record, fields jsonb)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a CONSTANT appt.appointment := l.appointment;
	situation CONSTANT text := appt_internal.visit_situation(a);
	wanted CONSTANT timestamptz := appt_internal.page_time(fields->>'slot');
BEGIN
	CASE
	WHEN l.purpose = 'offer' THEN
		RETURN appt_internal.act_on_offer(l.offer, fields->>'answer');
	WHEN l.purpose = 'unsubscribe' THEN
		PERFORM appt_internal.unsubscribe_by_link(a.patient_id, l.detail);
		RETURN 'unsubscribed';
	WHEN l.purpose = 'confirm' AND situation = 'confirmed' THEN
		RETURN 'confirmed';
	WHEN l.purpose = 'cancel' AND situation = 'cancelled' THEN
		RETURN 'cancelled';
	WHEN l.purpose = 'move' AND situation IN ('booked', 'confirmed')
		AND wanted = a.slot_start THEN
		RETURN 'moved';
	WHEN l.purpose = 'view' OR situation NOT IN ('booked', 'confirmed')
		OR l.purpose IN ('cancel', 'move')
			AND appt_internal.was_moved_since(a, l.detail::integer) THEN
		RETURN NULL;
	WHEN l.purpose = 'confirm' THEN
		PERFORM appt_internal.confirm_by_link(a.appointment_id, a.version);
		RETURN 'confirmed';
	WHEN l.purpose = 'cancel' THEN
		PERFORM appt_internal.cancel_by_link(a.appointment_id,
			appt_internal.header_value(left(fields->>'reason', 200)),
			appt_internal.page_words(appt_internal.page_languages(a))
				->>'no_reason', a.version);
		RETURN 'cancelled';
	WHEN wanted IS NULL THEN
		RETURN 'note_choose';
	ELSE
		PERFORM appt_internal.move_by_link(a.appointment_id, wanted,
			a.version);
		RETURN 'moved';
	END CASE;
EXCEPTION
	WHEN SQLSTATE 'SBP01' THEN
		RETURN 'note_changed';
	WHEN SQLSTATE 'SB931' THEN
		RETURN 'note_too_late_cancel';
	WHEN SQLSTATE 'SB932' THEN
		RETURN 'note_too_late_move';
	WHEN SQLSTATE 'SB920' THEN
		RETURN 'note_elsewhere';
	WHEN OTHERS THEN
		IF SQLSTATE LIKE 'SB90_' OR SQLSTATE LIKE 'SB91_' THEN
			RETURN 'note_slot_gone';
		ELSIF SQLSTATE LIKE 'SB%' THEN
			RETURN 'note_refused';
		END IF;
		RAISE;
END
$$;

COMMENT ON FUNCTION appt_internal.act_by_link(record, jsonb) IS
	'Does what a good link, as appt_internal.read_link returns it, is for: '
	'what was done (confirmed, cancelled, moved, unsubscribed, answered), the '
	'word that says why not (note_...), or NULL: nothing, the page says what '
	'is true';
