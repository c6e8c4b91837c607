/* ---------------------------------------------------------------------------
 * Doctors as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.doctor_json(
	t appt.doctor,
	branch_ids text[],
	time_zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'doctor_id', t.doctor_id,
		'name', t.name,
		'specialty', t.specialty,
		'department_id', t.department_id,
		'slot_min', t.slot_min,
		'buffer_before_min', t.buffer_before_min,
		'buffer_after_min', t.buffer_after_min,
		'active', t.active,
		'branch_ids', branch_ids,
		'version', t.version,
		'created_at', appt_internal.json_time(t.created_at, time_zone))::text
$$;

COMMENT ON FUNCTION appt_internal.doctor_json(appt.doctor, text[], text) IS
	'A doctor as it is shown, with the branches and in the time zone given';

CREATE FUNCTION appt_internal.doctor_json(t appt.doctor, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.doctor_json(t,
		ARRAY(
			SELECT b.id
			FROM unnest(appt_internal.doctor_branches(t.doctor_id)) AS b (id)
			WHERE appt_internal.client_sees(client, b.id)),
		appt_internal.doctor_zone(t.doctor_id))
$$;

COMMENT ON FUNCTION appt_internal.doctor_json(appt.doctor, text) IS
	'A doctor as it is shown to a client';

CREATE FUNCTION appt_api.list_doctors(
	branch_id text,
	specialty text,
	department_id text,
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.check_scope(branch_id, NULL, client, 'SB404');
	PERFORM appt_internal.check_department(department_id, 'SB404');
	RETURN appt_internal.list_rows('doctor', NULL,
		jsonb_build_object('specialty', specialty, 'active', active,
			'department_id', department_id,
			'branch_ids', nullif(ARRAY[branch_id], ARRAY[NULL])),
		NULL, NULL, page, per_page, client);
END
$$;

COMMENT ON FUNCTION appt_api.list_doctors IS
	'A page of the doctors, by branch_id (where they have sessions), '
	'specialty, department_id and active. Raises SB001, SB404 (the branch, the '
	'department)';

CREATE FUNCTION appt_api.get_doctor(
	doctor_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('doctor', NULL, doctor_id, client);

COMMENT ON FUNCTION appt_api.get_doctor IS
	'One doctor. Raises SB404';

CREATE FUNCTION appt_api.create_doctor(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'doctor', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_doctor IS
	'Makes a doctor: doctor_id, name, specialty, department_id, slot_min, '
	'buffer_before_min, buffer_after_min, active. Raises SB001, SBU01 '
	'(department_id), SB960, SB950, SBU02';

CREATE FUNCTION appt_api.update_doctor(
	doctor_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'doctor', NULL, doctor_id, changes, expected_version, client,
	idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_doctor IS
	'Changes a doctor. Raises SB404, SB001, SBU01, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_doctor(
	doctor_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row('doctor', NULL, doctor_id, expected_version,
	client);

COMMENT ON FUNCTION appt_api.delete_doctor IS
	'Deletes a doctor with hours, extra sessions, time off and settings. '
	'Raises SB404, SBF01, SBP01, SB961 where there are appointments';
