/* ---------------------------------------------------------------------------
 * patient.created and patient.updated: whoever writes the row, over HTTP or in
 * SQL, and whoever restores it, who tells nobody.
 *
 * Personal data is in appt.patient alone, so such an event is written only
 * where an endpoint is there to be told of it, and erasing a patient empties
 * it.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.may_hear_of_patients(owner text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT owner NOT LIKE 'client:%'
		OR EXISTS (
			SELECT
			FROM appt.api_client c
			WHERE c.client_id = substr(owner, 8)
				AND c.active
				AND 'patients:read' = ANY (c.scopes))
$$;

COMMENT ON FUNCTION appt_internal.may_hear_of_patients(text) IS
	'Whether the endpoints of an owner (client:<id> or role:<name>) are told '
	'of patients: a client needs patients:read';

CREATE FUNCTION appt_internal.patient_listeners(
	event_type text,
	patient appt.patient,
	from_branch_id text)
	RETURNS SETOF appt.webhook
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.*
	FROM appt.webhook w
	WHERE w.events && ARRAY[$1, '*']
		AND appt_internal.may_hear_of_patients(w.created_by)
		AND (w.branch_ids IS NULL
			OR ($2).branch_id IS NULL
			OR ($2).branch_id = ANY (w.branch_ids)
			OR $3 = ANY (w.branch_ids)
			OR appt_internal.patient_has_been_at(
				($2).patient_no, w.branch_ids))
$$;

COMMENT ON FUNCTION appt_internal.patient_listeners(text, appt.patient, text) IS
	'The endpoints that are told of an event of a patient, who registered at '
	'from_branch_id before, or NULL: those that its branches see';

CREATE FUNCTION appt_internal.record_patient_event() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted CONSTANT text := CASE TG_OP WHEN 'INSERT' THEN 'patient.created'
		ELSE 'patient.updated' END;
	left_branch text;
	at CONSTANT timestamptz := appt.clock();
	recorded bigint;
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.branch_id <> NEW.branch_id THEN
		left_branch := OLD.branch_id;
	END IF;
	/* A dump is being restored: see appt_in_restore in trigger.c. */
	IF current_setting('check_function_bodies') = 'off'
		OR NOT EXISTS (SELECT FROM appt.webhook)
		OR NOT EXISTS (
			SELECT
			FROM appt_internal.patient_listeners(wanted, NEW, left_branch))
	THEN
		RETURN NULL;
	END IF;

	INSERT INTO appt.event AS e
		(event_id, event_type, patient_no, branch_id, from_branch_id,
		occurred_at, stamp, actor, data)
	VALUES (appt_internal.new_id('evt'), wanted, NEW.patient_no,
		NEW.branch_id, left_branch, at,
		appt_internal.json_time(at,
			coalesce(appt_internal.branch_zone(NEW.branch_id), 'UTC')),
		appt_internal.client_actor(),
		appt_internal.patient_json(NEW, NULL))
	RETURNING e.event_no INTO recorded;
	INSERT INTO appt.delivery (webhook_no, event_no, appointment_no, state)
	SELECT w.webhook_no, recorded, -NEW.patient_no,
		CASE w.status WHEN 'enabled' THEN 'pending' ELSE 'held' END
	FROM appt_internal.patient_listeners(wanted, NEW, left_branch) w;
	PERFORM appt_internal.wake_relay();
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.record_patient_event() IS
	'Row trigger: tells the endpoints that want it of a new or changed '
	'patient, with the patient as GET answers it';

CREATE TRIGGER record_patient_created
	AFTER INSERT ON appt.patient
	FOR EACH ROW EXECUTE FUNCTION appt_internal.record_patient_event();

CREATE TRIGGER record_patient_updated
	AFTER UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.version <> NEW.version)
	EXECUTE FUNCTION appt_internal.record_patient_event();
