/* ---------------------------------------------------------------------------
 * Settings as JSON.  A setting is known by its name and by where it holds: for
 * a doctor, for a branch, or for all.  What is shown is the row that counts
 * there; without one it is the built-in default and has no version.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.setting_json(t appt.setting, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'name', d.name,
		'value', CASE d.kind WHEN 'text' THEN to_json(v.value)
			WHEN 'integer' THEN to_json(v.value::integer)
			ELSE v.value::json END,
		'source', CASE
			WHEN ($1).setting_no IS NULL THEN 'default'
			WHEN ($1).doctor_id IS NOT NULL THEN 'doctor'
			WHEN ($1).branch_id IS NOT NULL THEN 'branch'
			ELSE 'global' END,
		'branch_id', ($1).branch_id,
		'doctor_id', ($1).doctor_id,
		'kind', d.kind,
		'default', CASE WHEN d.kind = 'text' THEN to_json(d.default_value)
			ELSE d.default_value::json END,
		'min', d.min_value,
		'max', d.max_value,
		'description', d.description,
		'version', ($1).version)::text
	FROM appt.setting_definition d
	CROSS JOIN LATERAL (
		SELECT coalesce(($1).value, d.default_value)) AS v (value)
	WHERE d.name = ($1).name
$$;

COMMENT ON FUNCTION appt_internal.setting_json IS
	'A setting as it is shown: value, where it comes from, its definition';

CREATE FUNCTION appt_internal.effective_setting(
	name text,
	branch_id text,
	doctor_id text)
	RETURNS appt.setting
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	effective appt.setting;
BEGIN
	SELECT * INTO effective
	FROM appt.setting s
	WHERE s.name = name
		AND (s.branch_id IS NULL OR s.branch_id = branch_id)
		AND (s.doctor_id IS NULL OR s.doctor_id = doctor_id)
	ORDER BY s.doctor_id IS NULL, s.branch_id IS NULL
	LIMIT 1;
	effective.name := name;
	RETURN effective;
END
$$;

COMMENT ON FUNCTION appt_internal.effective_setting(text, text, text) IS
	'The row that counts for a doctor at a branch (each NULL: any); only the '
	'name where it is the built-in default';

CREATE FUNCTION appt_internal.require_setting(name text, state text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
	IF NOT EXISTS (
		SELECT FROM appt.setting_definition d WHERE d.name = name)
	THEN
		PERFORM appt_internal.refuse_id('setting', name, 'name', state);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_setting(text, text) IS
	'Raises state unless there is a setting of that name';

CREATE FUNCTION appt_internal.setting_at(name text, branch_id text,
	doctor_id text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.setting_no::text
	FROM appt.setting s
	WHERE s.name = $1
		AND s.branch_id IS NOT DISTINCT FROM $2
		AND s.doctor_id IS NOT DISTINCT FROM $3
$$;

COMMENT ON FUNCTION appt_internal.setting_at(text, text, text) IS
	'The key of the row of exactly this scope; NULL: it is not set there';

CREATE FUNCTION appt_internal.lock_setting(name text) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
	FROM appt.setting_definition d
	WHERE d.name = $1
	FOR NO KEY UPDATE
$$;

COMMENT ON FUNCTION appt_internal.lock_setting(text) IS
	'Lets changes to a setting be made one after the other: there may be no '
	'row yet that could be locked';

CREATE FUNCTION appt_api.list_settings(
	branch_id text,
	doctor_id text,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	size integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	SELECT '[' || coalesce(string_agg(appt_internal.setting_json(
		appt_internal.effective_setting(d.name, branch_id, doctor_id), client),
			','
		ORDER BY d.name), '') || ']'
	INTO result.body
	FROM (
		SELECT f.name
		FROM appt.setting_definition f
		ORDER BY f.name
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) d;
	SELECT count(*) INTO result.total
	FROM appt.setting_definition f;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_settings IS
	'A page of all settings as they count for a branch, a doctor, or (both '
	'NULL) in general. Raises SB001, SB404';

CREATE FUNCTION appt_api.get_setting(
	name text,
	branch_id text,
	doctor_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	effective appt.setting;
	answer appt_api.answer;
BEGIN
	PERFORM appt_internal.require_setting(name, 'SB404');
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	effective := appt_internal.effective_setting(name, branch_id, doctor_id);
	answer.body := appt_internal.setting_json(effective, client);
	IF appt_internal.setting_at(name, branch_id, doctor_id) IS NOT NULL THEN
		answer.version := effective.version;
	END IF;
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_api.get_setting IS
	'One setting as it counts for a branch, a doctor, or in general; it has a '
	'version where it is set just there. Raises SB404';

CREATE FUNCTION appt_api.create_setting(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	route CONSTANT text := 'POST setting';
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	IF fields->>'name' IS NOT NULL THEN
		PERFORM appt_internal.require_setting(fields->>'name', 'SBU01');
	END IF;
	PERFORM appt_internal.check_scope(NULL, fields->>'doctor_id', client,
		'SBU01');
	PERFORM appt_internal.lock_setting(fields->>'name');
	answer := appt_internal.insert_row(appt_internal.resource_of('setting'),
		fields, client);
	answer.id := fields->>'name';
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.create_setting IS
	'Sets a setting where it is not set yet: name, value, and branch_id or '
	'doctor_id or neither. Raises SB001, SBU01, SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_setting(
	name text,
	branch_id text,
	doctor_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of('setting');
	route CONSTANT text := 'PATCH setting';
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
	row_key text;
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.require_setting(name, 'SB404');
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');

	PERFORM appt_internal.lock_setting(name);
	row_key := appt_internal.setting_at(name, branch_id, doctor_id);
	IF row_key IS NOT NULL THEN
		PERFORM appt_internal.lock_row(kind, NULL, row_key, expected_version,
			client);
		answer := appt_internal.update_row(kind, row_key, changes, client);
	ELSIF expected_version IS NOT NULL THEN
		RAISE EXCEPTION 'setting "%" is not set there', name
			USING ERRCODE = 'SBP01', DETAIL = 'It is not set there now.';
	ELSE
		answer := appt_internal.insert_row(kind, changes || jsonb_build_object(
			'name', name, 'branch_id', branch_id, 'doctor_id', doctor_id),
			client);
		answer.id := NULL;
	END IF;
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.update_setting IS
	'Sets a setting for a branch, a doctor, or (both NULL) in general, whether '
	'it was set there or not. Raises SB404, SB001, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_setting(
	name text,
	branch_id text,
	doctor_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	row_key text;
BEGIN
	PERFORM appt_internal.require_setting(name, 'SB404');
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	PERFORM appt_internal.lock_setting(name);
	row_key := appt_internal.setting_at(name, branch_id, doctor_id);
	IF row_key IS NULL THEN
		PERFORM appt_internal.refuse_id('setting', name, 'name', 'SB404');
	END IF;
	PERFORM appt_internal.delete_row('setting', NULL, row_key, expected_version,
		client);
END
$$;

COMMENT ON FUNCTION appt_api.delete_setting IS
	'Unsets a setting for a branch, a doctor, or in general: what stands above '
	'it counts again. Raises SB404 (also where it is not set), SBF01, SBP01';
