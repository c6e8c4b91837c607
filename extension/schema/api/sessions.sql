/* ---------------------------------------------------------------------------
 * A doctor's weekly sessions and extra ones as JSON: wall-clock times as HH:MM
 * of the branch. Appointments that are already there stay as they are.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.working_hours_json(t appt.working_hours,
	client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'working_hours_id', t.working_hours_no::text,
		'doctor_id', t.doctor_id,
		'branch_id', t.branch_id,
		'weekday', t.weekday,
		'start_time', pg_catalog.left(t.start_time::text, 5),
		'end_time', pg_catalog.left(t.end_time::text, 5),
		'slot_min', t.slot_min,
		'capacity', t.capacity,
		'valid_from', nullif(t.valid_from, '-infinity'),
		'valid_to', nullif(t.valid_to, 'infinity'),
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.working_hours_json IS
	'A weekly session as it is shown';

CREATE FUNCTION appt_api.list_working_hours(
	doctor_id text,
	branch_id text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
	'working_hours', doctor_id, jsonb_build_object('branch_id', branch_id),
	date_from, date_to, page, per_page, client);

COMMENT ON FUNCTION appt_api.list_working_hours IS
	'A page of a doctor''s weekly sessions, by branch_id; of those that are '
	'valid on a day from date_from to date_to. Raises SB001, SB404 (the '
	'doctor)';

CREATE FUNCTION appt_api.get_working_hours(
	doctor_id text,
	working_hours_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('working_hours', doctor_id, working_hours_id,
	client);

COMMENT ON FUNCTION appt_api.get_working_hours IS
	'One weekly session of a doctor. Raises SB404';

CREATE FUNCTION appt_api.create_working_hours(
	doctor_id text,
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'working_hours', doctor_id, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_working_hours IS
	'Gives a doctor a weekly session: branch_id, weekday (1 = Monday), '
	'start_time, end_time, slot_min, capacity, valid_from, valid_to '
	'(inclusive). Raises SB404 (the doctor), SB001, SBU01 (branch_id), SB950, '
	'SBU02';

CREATE FUNCTION appt_api.update_working_hours(
	doctor_id text,
	working_hours_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'working_hours', doctor_id, working_hours_id, changes, expected_version,
	client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_working_hours IS
	'Changes a weekly session. Raises SB404, SB001, SBU01, SBP01, SB950, '
	'SBU02';

CREATE FUNCTION appt_api.delete_working_hours(
	doctor_id text,
	working_hours_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'working_hours', doctor_id, working_hours_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_working_hours IS
	'Ends a weekly session. Raises SB404, SBP01';

CREATE FUNCTION appt_internal.extra_session_json(t appt.extra_session,
	client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'extra_session_id', t.extra_session_no::text,
		'doctor_id', t.doctor_id,
		'branch_id', t.branch_id,
		'on_date', t.on_date,
		'start_time', pg_catalog.left(t.start_time::text, 5),
		'end_time', pg_catalog.left(t.end_time::text, 5),
		'slot_min', t.slot_min,
		'capacity', t.capacity,
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.extra_session_json IS
	'An extra session as it is shown';

CREATE FUNCTION appt_api.list_extra_sessions(
	doctor_id text,
	branch_id text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
	'extra_session', doctor_id, jsonb_build_object('branch_id', branch_id),
	date_from, date_to, page, per_page, client);

COMMENT ON FUNCTION appt_api.list_extra_sessions IS
	'A page of the extra sessions of a doctor, by branch_id, of those that '
	'touch date_from to date_to. Raises SB001, SB404 (the doctor)';

CREATE FUNCTION appt_api.get_extra_session(
	doctor_id text,
	extra_session_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('extra_session', doctor_id, extra_session_id,
	client);

COMMENT ON FUNCTION appt_api.get_extra_session IS
	'One extra session of a doctor. Raises SB404';

CREATE FUNCTION appt_api.create_extra_session(
	doctor_id text,
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'extra_session', doctor_id, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_extra_session IS
	'Gives a doctor a session on one day: branch_id, on_date, start_time, '
	'end_time, slot_min, capacity. Raises SB404 (the doctor), SB001, SBU01 '
	'(branch_id), SB950, SBU02';

CREATE FUNCTION appt_api.update_extra_session(
	doctor_id text,
	extra_session_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'extra_session', doctor_id, extra_session_id, changes, expected_version,
	client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_extra_session IS
	'Changes an extra session. Raises SB404, SB001, SBU01, SBP01, SB950, '
	'SBU02';

CREATE FUNCTION appt_api.delete_extra_session(
	doctor_id text,
	extra_session_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'extra_session', doctor_id, extra_session_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_extra_session IS
	'Takes an extra session back. Raises SB404, SBP01';
