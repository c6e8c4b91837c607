/* ---------------------------------------------------------------------------
 * Lists for the gateway.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_api.page AS (
	body text,
	total bigint
);

COMMENT ON TYPE appt_api.page IS
	'One page of a list, a JSON array, and how many entries there are in all, '
	'as far as appt.count_limit says';

CREATE FUNCTION appt.check_page(page integer, per_page integer)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF page < 1 THEN
		RAISE EXCEPTION 'page must be 1 or more'
			USING ERRCODE = 'SB001', COLUMN = 'page';
	ELSIF per_page < 1 OR per_page > 100 THEN
		RAISE EXCEPTION 'per_page must be from 1 to 100'
			USING ERRCODE = 'SB001', COLUMN = 'per_page';
	END IF;
END
$$;

COMMENT ON FUNCTION appt.check_page(integer, integer) IS
	'Refuses a page that cannot be; raises SB001';

CREATE FUNCTION appt.count_limit(page integer, per_page integer)
	RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN greatest(10001,
		greatest(coalesce(page, 1), 1)::bigint
		* greatest(coalesce(per_page, 20), 1) + 1);

COMMENT ON FUNCTION appt.count_limit(integer, integer) IS
	'How far a list that may be long is counted: to 10,001, which stands for '
	'more than 10,000, or to one beyond the page, which tells that another '
	'follows. Counting a log of millions would take seconds';

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
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	branches text[] := nullif(appt.client_branches(client), ARRAY['*']);
	size integer := coalesce(per_page, 20);
	doctor integer;
	patient integer;
	conditions text := 'a.status <> ''held''';
	result appt_api.page;
BEGIN
	PERFORM appt.check_page(page, per_page);
	IF status NOT IN ('booked', 'checked_in', 'in_consultation', 'completed',
		'cancelled', 'no_show')
	THEN
		RAISE EXCEPTION 'status "%" is not known', status
			USING ERRCODE = 'SB001', COLUMN = 'status';
	END IF;

	PERFORM appt.check_scope(branch_id, doctor_id, client, 'SB404');
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
			AND appt.client_sees_patient(client, p);
		IF NOT FOUND THEN
			PERFORM appt.refuse_id('patient', patient_id, 'patient_id',
				'SB404');
		END IF;
		conditions := conditions || ' AND a.patient_no = $2';
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
			ELSE ' AND a.branch_id = ANY ($7)' END;

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
		appt.count_limit(page, size);
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_appointments(text, text, text, text, date,
	date, integer, integer, text) IS
	'Appointments by doctor, patient, branch, status and branch-local dates '
	'(all optional), in order of start; page from 1, per_page 20, at most 100. '
	'Raises SB001, SB404 (doctor_id, patient_id, branch_id)';

CREATE FUNCTION appt_api.appointment_history(
	appointment_id text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	wanted bigint;
	zone text;
BEGIN
	PERFORM appt.require_client($2);
	SELECT a.appointment_no, b.time_zone INTO wanted, zone
	FROM appt.appointment a
	JOIN appt.branch b ON b.branch_id = a.branch_id
	WHERE a.appointment_id = $1 AND a.status <> 'held'
		AND appt.client_sees($2, a.branch_id);

	IF NOT FOUND THEN
		RAISE EXCEPTION 'appointment "%" does not exist', $1
			USING ERRCODE = 'SB404', COLUMN = 'appointment_id';
	END IF;

	SELECT '[' || string_agg(format(
		'{"event":%s,"event_id":%s,"timestamp":%s,"actor":%s,"reason":%s,'
		'"changes":%s,"appointment":%s}',
		to_json(e.event_type), to_json(e.event_id), to_json(e.stamp),
		to_json(e.actor), coalesce(to_json(e.reason)::text, 'null'),
		e.changes, e.data), ',' ORDER BY e.event_no) || ']'
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
			WHERE x.appointment_no = wanted) v) e;
END
$$;

COMMENT ON FUNCTION appt_api.appointment_history(text, text) IS
	'As appt.history, oldest first: event, timestamp, actor, reason, changes '
	'(from and to by member) and the appointment after it. Raises SB404';
