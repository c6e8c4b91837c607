/* ---------------------------------------------------------------------------
 * Branches, doctors and visit types as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.branch_json(t appt.branch, client text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN json_build_object(
	'branch_id', t.branch_id,
	'name', t.name,
	'time_zone', t.time_zone,
	'address', t.address,
	'phone', t.phone,
	'slot_min', t.slot_min,
	'active', t.active,
	'version', t.version,
	'created_at', appt.json_time(t.created_at, t.time_zone))::text;

COMMENT ON FUNCTION appt.branch_json IS 'A branch as it is shown';

CREATE FUNCTION appt_api.list_branches(
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.list_rows(
	'branch', NULL, jsonb_build_object('active', active), NULL, NULL, page,
	per_page, client);

COMMENT ON FUNCTION appt_api.list_branches IS
	'A page of the branches, by active. Raises SB001';

CREATE FUNCTION appt_api.get_branch(
	branch_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.get_row('branch', NULL, branch_id, client);

COMMENT ON FUNCTION appt_api.get_branch IS
	'One branch. Raises SB404';

CREATE FUNCTION appt_api.create_branch(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.create_row(
	'branch', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_branch IS
	'Makes a branch: branch_id, name, time_zone, address, phone, slot_min, '
	'active. Raises SB001, SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_branch(
	branch_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.change_row(
	'branch', NULL, branch_id, changes, expected_version, client,
	idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_branch IS
	'Changes a branch. Raises SB404, SB001, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_branch(
	branch_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.delete_row('branch', NULL, branch_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_branch IS
	'Deletes a branch, its hours, closures and settings. Raises SB404, SBP01, '
	'SB961 where appointments, patients, API clients or webhooks refer to it';

CREATE FUNCTION appt.doctor_json(t appt.doctor, client text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN json_build_object(
	'doctor_id', t.doctor_id,
	'name', t.name,
	'specialty', t.specialty,
	'slot_min', t.slot_min,
	'buffer_before_min', t.buffer_before_min,
	'buffer_after_min', t.buffer_after_min,
	'active', t.active,
	'branch_ids', ARRAY(
		SELECT b.id
		FROM unnest(appt.doctor_branches(t.doctor_id)) AS b (id)
		WHERE appt.client_sees(client, b.id)),
	'version', t.version,
	'created_at', appt.json_time(t.created_at,
		appt.doctor_zone(t.doctor_id)))::text;

COMMENT ON FUNCTION appt.doctor_json IS 'A doctor as it is shown';

CREATE FUNCTION appt_api.list_doctors(
	branch_id text,
	specialty text,
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt.check_scope(branch_id, NULL, client, 'SB404');
	RETURN appt.list_rows('doctor', NULL,
		jsonb_build_object('specialty', specialty, 'active', active,
			'branch_ids', nullif(ARRAY[branch_id], ARRAY[NULL])),
		NULL, NULL, page, per_page, client);
END
$$;

COMMENT ON FUNCTION appt_api.list_doctors IS
	'A page of the doctors, by branch_id (where they have sessions), specialty '
	'and active. Raises SB001, SB404 (the branch)';

CREATE FUNCTION appt_api.get_doctor(
	doctor_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.get_row('doctor', NULL, doctor_id, client);

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
RETURN appt.create_row(
	'doctor', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_doctor IS
	'Makes a doctor: doctor_id, name, specialty, slot_min, buffer_before_min, '
	'buffer_after_min, active. Raises SB001, SB960, SB950, SBU02';

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
RETURN appt.change_row(
	'doctor', NULL, doctor_id, changes, expected_version, client,
	idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_doctor IS
	'Changes a doctor. Raises SB404, SB001, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_doctor(
	doctor_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.delete_row('doctor', NULL, doctor_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_doctor IS
	'Deletes a doctor with hours, extra sessions, time off and settings. '
	'Raises SB404, SBF01, SBP01, SB961 where there are appointments';

CREATE FUNCTION appt.visit_type_json(t appt.visit_type, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN json_build_object(
	'visit_type', t.visit_type,
	'name', t.name,
	'duration_min', t.duration_min,
	'buffer_before_min', t.buffer_before_min,
	'buffer_after_min', t.buffer_after_min,
	'active', t.active,
	'version', t.version)::text;

COMMENT ON FUNCTION appt.visit_type_json IS 'A visit type as it is shown';

CREATE FUNCTION appt_api.list_visit_types(
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.list_rows(
	'visit_type', NULL, jsonb_build_object('active', active), NULL, NULL,
	page, per_page, client);

COMMENT ON FUNCTION appt_api.list_visit_types IS
	'A page of the visit types, by active. Raises SB001';

CREATE FUNCTION appt_api.get_visit_type(
	visit_type text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.get_row('visit_type', NULL, visit_type, client);

COMMENT ON FUNCTION appt_api.get_visit_type IS
	'One visit type. Raises SB404';

CREATE FUNCTION appt_api.create_visit_type(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.create_row(
	'visit_type', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_visit_type IS
	'Makes a visit type: visit_type, name, duration_min, buffer_before_min, '
	'buffer_after_min, active. Raises SB001, SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_visit_type(
	visit_type text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.change_row(
	'visit_type', NULL, visit_type, changes, expected_version, client,
	idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_visit_type IS
	'Changes a visit type. Raises SB404, SB001, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_visit_type(
	visit_type text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt.delete_row(
	'visit_type', NULL, visit_type, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_visit_type IS
	'Deletes a visit type. Raises SB404, SBF01, SBP01, SB961 where an '
	'appointment is of it';
