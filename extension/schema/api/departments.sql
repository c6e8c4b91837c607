/* ---------------------------------------------------------------------------
 * Departments as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.department_json(t appt.department, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'department_id', t.department_id,
		'name', t.name,
		'slot_min', t.slot_min,
		'active', t.active,
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.department_json IS 'A department as it is '
	'shown';

CREATE FUNCTION appt_api.list_departments(
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
	'department', NULL, jsonb_build_object('active', active), NULL, NULL,
	page, per_page, client);

COMMENT ON FUNCTION appt_api.list_departments IS
	'A page of the departments, by active. Raises SB001';

CREATE FUNCTION appt_api.get_department(
	department_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('department', NULL, department_id, client);

COMMENT ON FUNCTION appt_api.get_department IS
	'One department. Raises SB404';

CREATE FUNCTION appt_api.create_department(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'department', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_department IS
	'Makes a department: department_id, name, slot_min, active. Raises SB001, '
	'SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_department(
	department_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'department', NULL, department_id, changes, expected_version, client,
	idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_department IS
	'Changes a department. Raises SB404, SB001, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_department(
	department_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'department', NULL, department_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_department IS
	'Deletes a department. Raises SB404, SBF01, SBP01, SB961 where a doctor is '
	'of it';
