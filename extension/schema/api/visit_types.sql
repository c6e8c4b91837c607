/* ---------------------------------------------------------------------------
 * Visit types as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.visit_type_json(t appt.visit_type, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'visit_type', t.visit_type,
		'name', t.name,
		'duration_min', t.duration_min,
		'buffer_before_min', t.buffer_before_min,
		'buffer_after_min', t.buffer_after_min,
		'active', t.active,
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.visit_type_json IS 'A visit type as it is '
	'shown';

CREATE FUNCTION appt_api.list_visit_types(
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
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
RETURN appt_internal.get_row('visit_type', NULL, visit_type, client);

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
RETURN appt_internal.create_row(
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
RETURN appt_internal.change_row(
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
RETURN appt_internal.delete_row(
	'visit_type', NULL, visit_type, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_visit_type IS
	'Deletes a visit type. Raises SB404, SBF01, SBP01, SB961 where an '
	'appointment is of it';
