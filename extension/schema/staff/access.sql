/* ---------------------------------------------------------------------------
 * Who looked at which patient.  It is written by the call that shows the
 * patient, in its transaction: what could not be written was not shown.  The
 * same person who looks again and again, as a page does that is kept up to
 * date, is noted once in five minutes.
 *
 * A look is an answer about one patient who was asked for, or with the name or
 * the address of several.  A day's appointments, a calendar without its
 * patients, a queue and the reports have patients' ids alone and are none;
 * whose names a page puts to them it asks for, and is noted.  Who changes
 * something stands in the history.
 *
 * The clock is the real one, as in all of staff.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.patient_access (
	patient_access_no bigint GENERATED ALWAYS AS IDENTITY,
	patient_id text NOT NULL,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	actor text NOT NULL,
	call text NOT NULL,
	CONSTRAINT patient_access_pkey PRIMARY KEY (patient_access_no),
	CONSTRAINT patient_access_call_known
		CHECK (call IN ('profile', 'visit', 'list'))
);

CREATE INDEX patient_access_patient ON appt.patient_access (patient_id, at);

COMMENT ON TABLE appt.patient_access IS
	'Who looked at which patient over HTTP. Kept for patient_access_days, a '
	'setting';
COMMENT ON COLUMN appt.patient_access.patient_access_no IS
	'Number of the entry';
COMMENT ON COLUMN appt.patient_access.at IS
	'When; again within five minutes is not noted';
COMMENT ON COLUMN appt.patient_access.actor IS
	'Who: staff:<account> or client:<id>';
COMMENT ON COLUMN appt.patient_access.call IS
	'profile: all of the patient, GET /patients/{patient_id}. Of staff alone: '
	'visit, one visit, its history or its messages, one message, or the '
	'visits of the patient, GET /appointments?patient_id; list, name, '
	'telephone number and age on a page of GET /patients or in GET '
	'/branches/{branch_id}/calendar?patients=true, or the address on a page of '
	'GET /notifications';

INSERT INTO appt.setting_definition
	(name, kind, default_value, min_value, max_value, description)
VALUES
	('patient_access_days', 'integer', '1095', 1, 36500,
		'Days for which it is kept who looked at a patient');

CREATE TRIGGER patient_access_setting_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW WHEN (NEW.name = 'patient_access_days')
	EXECUTE FUNCTION appt_internal.staff_setting_check();

CREATE FUNCTION appt_internal.note_access(
	patient_ids text[],
	client text,
	call text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who CONSTANT text := appt_internal.actor_of($2);
BEGIN
	INSERT INTO appt.patient_access (patient_id, actor, call)
	SELECT p.id, who, $3
	FROM (SELECT DISTINCT unnest($1)) AS p (id)
	WHERE ($2 LIKE 'staff:%' OR $2 IS NOT NULL AND $3 = 'profile')
		AND p.id IS NOT NULL
		AND NOT EXISTS (
			SELECT
			FROM appt.patient_access AS a
			WHERE a.patient_id = p.id
				AND a.actor = who
				AND a.call = $3
				AND a.at > clock_timestamp() - interval '5 minutes')
	ORDER BY p.id;
END
$$;

COMMENT ON FUNCTION appt_internal.note_access(text[], text, text) IS
	'Notes that a member of staff is shown these patients, or an API client '
	'all of them (profile); NULL, a session''s role, is not noted: it reads '
	'the table';

CREATE FUNCTION appt_internal.note_page(page text, client text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF client LIKE 'staff:%' THEN
		PERFORM appt_internal.note_access(ARRAY(
			SELECT s.line ->> 'patient_id'
			FROM json_array_elements(page::json) AS s (line)), client, 'list');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.note_page(text, text) IS
	'Notes that a member of staff is shown the lines of a page, which have '
	'patient_id';

CREATE FUNCTION appt_internal.sweep_patient_access(batch integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept CONSTANT interval := make_interval(days =>
		appt_internal.staff_setting('patient_access_days')::integer);
	swept bigint;
BEGIN
	DELETE FROM appt.patient_access AS a
	WHERE a.patient_access_no = ANY (ARRAY(
			SELECT o.patient_access_no
			FROM appt.patient_access AS o
			ORDER BY o.patient_access_no
			LIMIT batch))
		AND a.at < clock_timestamp() - kept;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_patient_access(integer) IS
	'Deletes entries on who looked at patients that are older than '
	'patient_access_days (a setting), among the first batch of them (NULL: '
	'all); returns how many';
