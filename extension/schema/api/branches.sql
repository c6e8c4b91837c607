/* ---------------------------------------------------------------------------
 * Branches as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.branch_json(t appt.branch, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'branch_id', t.branch_id,
		'name', t.name,
		'type', t.type,
		'time_zone', t.time_zone,
		'address', t.address,
		'phone', t.phone,
		'logo_url', t.logo_url,
		'slot_min', t.slot_min,
		'active', t.active,
		'version', t.version,
		'created_at', appt_internal.json_time(t.created_at,
			appt_internal.known_zone(t.time_zone)))::text
$$;

COMMENT ON FUNCTION appt_internal.branch_json IS 'A branch as it is shown';

CREATE FUNCTION appt_api.list_branches(
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
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
RETURN appt_internal.get_row('branch', NULL, branch_id, client);

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
RETURN appt_internal.create_row(
	'branch', NULL, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_branch IS
	'Makes a branch: branch_id, name, type, time_zone, address, phone, '
	'logo_url, slot_min, active. Raises SB001, SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_branch(
	branch_id text,
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
	visits CONSTANT text := coalesce(changes->>'visits', 'refuse');
	reason CONSTANT text := appt_internal.clean_text(changes->>'reason');
	answer appt_api.answer;
BEGIN
	PERFORM appt_internal.defer_clocks(visits, reason);
	answer := appt_internal.change_row(
		'branch', NULL, branch_id, changes - 'visits' - 'reason',
		expected_version, client, idempotency_key, request_hash);
	IF NOT answer.replayed THEN
		PERFORM appt_internal.settle_clocks(branch_id, visits, reason, client);
	END IF;
	RETURN answer;
EXCEPTION WHEN exclusion_violation THEN
	PERFORM appt_internal.refuse_member('time_zone',
		'A doctor''s sessions at another branch would meet those at this one.');
END
$$;

COMMENT ON FUNCTION appt_api.update_branch IS
	'Changes a branch; visits and reason say what becomes of coming visits at '
	'which the clock of a new time_zone shows another time, as in '
	'appt.change_time_zone. Raises SB404, SB001, SBP01, SB961, SB962, SB950, '
	'SBU02';

CREATE FUNCTION appt_api.delete_branch(
	branch_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row('branch', NULL, branch_id, expected_version,
	client);

COMMENT ON FUNCTION appt_api.delete_branch IS
	'Deletes a branch, its hours, closures and settings. Raises SB404, SBP01, '
	'SB961 where appointments, patients, API clients or webhooks refer to it';
