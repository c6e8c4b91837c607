/* ---------------------------------------------------------------------------
 * Appointments as JSON: listed, booked, held, moved, cancelled.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_api.get_appointment(
	appointment_id text,
	client text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_get_appointment';

COMMENT ON FUNCTION appt_api.get_appointment(text, text) IS
	'One appointment. Notes which member of staff looks. Raises SB404';

CREATE FUNCTION appt_api.book(
	patient_id text,
	doctor_id text,
	branch_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	visit_type text,
	notes text,
	source text,
	hold_id text,
	override boolean,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL,
	notify boolean DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_book';

COMMENT ON FUNCTION appt_api.book(
	text, text, text, timestamptz, timestamptz, text, text, text, text,
	boolean, text, text, text, boolean)
	IS
	'As appt.book; notify NULL: true';

CREATE FUNCTION appt_api.walk_in(
	patient_id text,
	doctor_id text,
	branch_id text,
	visit_type text,
	notes text,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_walk_in';

COMMENT ON FUNCTION appt_api.walk_in(
	text, text, text, text, text, text, text, text)
	IS
	'As appt.walk_in';

CREATE FUNCTION appt_api.hold(
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	branch_id text,
	visit_type text,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_hold';

COMMENT ON FUNCTION appt_api.hold(
	text, timestamptz, timestamptz, text, text, text, text, text)
	IS
	'As appt.hold; the body is {hold_id, doctor_id, branch_id, '
	'slot_start, slot_end, expires_at}. Raises SB963 too: the client holds '
	'holds_per_client (a setting) already';

CREATE FUNCTION appt_api.release_hold(
	hold_id text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_release_hold';

COMMENT ON FUNCTION appt_api.release_hold(text, text) IS
	'As appt.release; answers NULL';

CREATE FUNCTION appt_api.reschedule(
	appointment_id text,
	new_slot_start timestamptz,
	new_slot_end timestamptz,
	reason text,
	doctor_id text,
	branch_id text,
	hold_id text,
	override boolean,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL,
	notify boolean DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_reschedule';

COMMENT ON FUNCTION appt_api.reschedule(
	text, timestamptz, timestamptz, text, text, text, text, boolean, integer,
	text, text, text, boolean)
	IS
	'As appt.reschedule';

CREATE FUNCTION appt_api.cancel(
	appointment_id text,
	reason text,
	override boolean,
	expected_version integer,
	client text DEFAULT NULL,
	notify boolean DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_cancel';

COMMENT ON FUNCTION appt_api.cancel(text, text, boolean, integer, text,
	boolean) IS
	'As appt.cancel';

CREATE FUNCTION appt_api.reschedule_day(
	doctor_id text,
	from_date date,
	to_date date,
	to_doctor_id text,
	branch_id text,
	reason text,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	route constant text := 'reschedule_day';
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.check_scope(branch_id, NULL, client, 'SBU01');
	SELECT '[' || coalesce(string_agg(appt.appointment_json(m), ','
		ORDER BY m.slot_start, m.appointment_no), '') || ']'
	INTO answer.body
	FROM appt_internal.reschedule_day(doctor_id, from_date, to_date,
		to_doctor_id, branch_id, reason, client) m;
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.reschedule_day(text, date, date, text, text, text,
	text, text, text) IS
	'As appt.reschedule_day, of what the client sees: a JSON array of the '
	'moved appointments. Raises SBU01 (branch_id, to_doctor_id)';

CREATE FUNCTION appt_api.edit(
	appointment_id text,
	changes jsonb,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_edit';

COMMENT ON FUNCTION appt_api.edit(text, jsonb, integer, text, text, text) IS
	'As appt.edit; a member that is null takes away what is there';

CREATE FUNCTION appt_api.list_appointments(
	doctor_id text,
	patient_id text,
	branch_id text,
	status text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text DEFAULT NULL)
	RETURNS appt_api.page
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	branches text[]
		:= nullif(appt_internal.client_branches(client), ARRAY['*']);
	size integer := coalesce(per_page, 20);
	doctors CONSTANT integer[] := appt_internal.client_doctor_nos(client);
	doctor integer;
	patient integer;
	conditions text := 'a.status <> ''held''';
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.check_dates(date_from, date_to);
	IF status NOT IN ('booked', 'checked_in', 'in_consultation', 'completed',
		'cancelled', 'no_show')
	THEN
		RAISE EXCEPTION 'status "%" is not known', status
			USING ERRCODE = 'SB001', COLUMN = 'status';
	END IF;

	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	IF doctor_id IS NOT NULL THEN
		SELECT d.doctor_no INTO doctor
		FROM appt.doctor d
		WHERE d.doctor_id = doctor_id;
		conditions := conditions || ' AND a.doctor_no = $1';
	END IF;
	IF patient_id IS NOT NULL THEN
		SELECT p.patient_no INTO patient
		FROM appt.patient p
		WHERE p.patient_id = patient_id
			AND appt_internal.client_sees_patient(client, p);
		IF NOT FOUND THEN
			PERFORM appt_internal.refuse_id('patient', patient_id, 'patient_id',
				'SB404');
		END IF;
		conditions := conditions || ' AND a.patient_no = $2';
		PERFORM appt_internal.note_access(ARRAY[patient_id], client, 'visit');
	END IF;
	conditions := conditions
		|| CASE WHEN branch_id IS NULL THEN ''
			ELSE ' AND a.branch_id = $3' END
		|| CASE WHEN status IS NULL THEN ''
			ELSE ' AND a.status = $4' END
		|| CASE WHEN date_from IS NULL THEN ''
			ELSE ' AND a.token_date >= $5' END
		|| CASE WHEN date_to IS NULL THEN ''
			ELSE ' AND a.token_date <= $6' END
		|| CASE WHEN branches IS NULL THEN ''
			ELSE ' AND a.branch_id = ANY ($7)' END
		|| CASE WHEN doctors IS NULL THEN ''
			ELSE ' AND a.doctor_no = ANY ($11)' END;

	EXECUTE
		'SELECT coalesce('
		' (SELECT ''['' || string_agg(appt.appointment_json(p), '','''
		'    ORDER BY p.slot_start, p.appointment_no) || '']'''
		'  FROM (SELECT a.*'
		'   FROM appt.appointment a'
		'   WHERE ' || conditions ||
		'   ORDER BY a.slot_start, a.appointment_no'
		'   LIMIT $8 OFFSET $9) p), ''[]''),'
		' (SELECT count(*) FROM (SELECT FROM appt.appointment a WHERE '
		|| conditions || ' LIMIT $10) n)'
	INTO result
	USING doctor, patient, branch_id, status, date_from, date_to, branches,
		size, (coalesce(page, 1)::bigint - 1) * size,
		appt_internal.count_limit(page, size), doctors;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_appointments(text, text, text, text, date,
	date, integer, integer, text) IS
	'Appointments by doctor, patient, branch, status and branch-local dates '
	'(all optional), in order of start; page from 1, per_page 20, at most 100. '
	'Notes which member of staff looks at a patient''s. Raises SB001, SB404 '
	'(doctor_id, patient_id, branch_id)';

CREATE FUNCTION appt_api.appointment_history(
	appointment_id text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	wanted bigint;
	patient text;
	zone text;
BEGIN
	PERFORM appt_internal.require_client($2);
	SELECT a.appointment_no, a.patient_id, b.time_zone
	INTO wanted, patient, zone
	FROM appt.appointment a
	JOIN appt.branch b ON b.branch_id = a.branch_id
	WHERE a.appointment_id = $1 AND a.status <> 'held'
		AND appt_internal.client_sees_visit($2, a.branch_id, a.doctor_no);

	IF NOT FOUND THEN
		RAISE EXCEPTION 'appointment "%" does not exist', $1
			USING ERRCODE = 'SB404', COLUMN = 'appointment_id';
	END IF;

	PERFORM appt_internal.note_access(ARRAY[patient], $2, 'visit');
	SELECT '[' || string_agg(format(
		'{"event":%s,"change":%s,"event_id":%s,"timestamp":%s,"actor":%s,'
		'"reason":%s,"notify":%s,"changes":%s,"appointment":%s}',
		to_json(e.event_type), coalesce(to_json(e.change)::text, 'null'),
		to_json(e.event_id), to_json(e.stamp),
		to_json(e.actor), coalesce(to_json(e.reason)::text, 'null'),
		to_json(e.notify), e.changes, e.data), ',' ORDER BY e.event_no) || ']'
	INTO body
	FROM (
		SELECT v.*,
			(SELECT coalesce(json_object_agg(n.key, json_build_object(
				'from', v.before->n.key, 'to', n.value)), '{}')
			 FROM jsonb_each(v.data::jsonb) n
			 WHERE v.before IS NOT NULL
				AND n.key <> 'version'
				AND n.value IS DISTINCT FROM v.before->n.key) AS changes
		FROM (
			SELECT x.*, lag(x.data::jsonb) OVER (ORDER BY x.event_no) AS before
			FROM appt.event x
			WHERE x.appointment_no = wanted
				AND x.event_type <> 'visit.completed') v) e;
END
$$;

COMMENT ON FUNCTION appt_api.appointment_history(text, text) IS
	'As appt.history, oldest first: event, timestamp, actor, reason, changes '
	'(from and to by member) and the appointment after it. Notes which member '
	'of staff looks. Raises SB404';
