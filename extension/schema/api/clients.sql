/* ---------------------------------------------------------------------------
 * The JSON form of API clients: what stands behind /clients.  A client that
 * manages others never gives what it does not have itself, and one that is
 * limited to branches sees only clients within them.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.client_json(client appt.api_client) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'client_id', (client).client_id,
		'name', (client).name,
		'description', (client).description,
		'scopes', to_jsonb((client).scopes),
		'branch_ids', to_jsonb((client).branch_ids),
		'active', (client).active,
		'requests_per_minute', (client).requests_per_minute,
		'version', (client).version,
		'created_at', to_char((client).created_at AT TIME ZONE 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'updated_at', to_char((client).updated_at AT TIME ZONE 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'last_token_at', to_char((client).last_token_at AT TIME ZONE 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
$$;

COMMENT ON FUNCTION appt_internal.client_json(appt.api_client) IS
	'An API client as it is shown, without a trace of its secret';

CREATE FUNCTION appt_internal.may_manage_client(
	manager text,
	scopes text[],
	branch_ids text[]) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(manager IS NOT NULL
		AND coalesce(may_manage_client.scopes, '{}')
			<@ appt_internal.client_scopes(manager)
		AND (appt_internal.client_sees_all(manager)
			OR may_manage_client.branch_ids
				<@ appt_internal.client_branches(manager)), false);
END;

COMMENT ON FUNCTION appt_internal.may_manage_client(text, text[], text[]) IS
	'Whether the client "manager" may hand out these scopes and branches: '
	'nobody gives what he does not have. scopes NULL: asks for branches only';

CREATE FUNCTION appt_internal.require_grantable(
	manager text,
	scopes text[],
	branch_ids text[]) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.check_scopes(scopes);
	IF NOT appt_internal.may_manage_client(manager, NULL, branch_ids) THEN
		RAISE EXCEPTION 'client "%" cannot give branches beyond its own',
			manager
			USING ERRCODE = 'SBU01', COLUMN = 'branch_ids',
				DETAIL = 'A client limited to branches makes clients within '
					'these branches only.';
	ELSIF NOT appt_internal.may_manage_client(manager, scopes, branch_ids) THEN
		RAISE EXCEPTION 'client "%" cannot give scopes beyond its own',
			manager
			USING ERRCODE = 'SB001', COLUMN = 'scopes',
				DETAIL = 'A client cannot give a scope that it does not have.';
	END IF;
	PERFORM appt_internal.check_branch_ids(branch_ids);
END
$$;

COMMENT ON FUNCTION appt_internal.require_grantable(text, text[], text[]) IS
	'Raises SB001 (scopes) or SBU01 (branch_ids) where "manager" may not hand '
	'these out';

CREATE FUNCTION appt_internal.require_manageable(
	manager text,
	client appt.api_client) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT appt_internal.may_manage_client(manager, client.scopes,
		client.branch_ids)
	THEN
		RAISE EXCEPTION 'client "%" may not change client "%"', manager,
			client.client_id
			USING ERRCODE = 'SBF01',
				DETAIL = 'That client has scopes which the caller does not '
					'have.';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_manageable(text, appt.api_client) IS
	'Raises SBF01 where "manager" has less than the client: it could take its '
	'place, or be in its way';

CREATE FUNCTION appt_internal.grantable_rate(
	manager text,
	client appt.api_client,
	requests_per_minute integer) RETURNS integer
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	own CONSTANT integer := (
		SELECT m.requests_per_minute
		FROM appt.api_client AS m
		WHERE m.client_id = manager);
	wanted CONSTANT integer := CASE WHEN client.client_id IS NULL
		THEN coalesce(requests_per_minute, own)
		ELSE requests_per_minute END;
	is_less CONSTANT boolean := coalesce(wanted <= own, false);
BEGIN
	IF client.client_id IS NOT NULL
		AND wanted IS NOT DISTINCT FROM client.requests_per_minute
		OR is_less
		OR own IS NULL AND client.client_id IS DISTINCT FROM manager
	THEN
		RETURN wanted;
	END IF;
	RAISE EXCEPTION 'client "%" cannot give a limit of requests beyond its own',
		manager
		USING ERRCODE = 'SB001', COLUMN = 'requests_per_minute',
			DETAIL = CASE WHEN client.client_id = manager
				THEN 'A client cannot raise its own limit.'
				ELSE 'A client with a limit cannot give a higher one, or none.'
			END;
END
$$;

COMMENT ON FUNCTION appt_internal.grantable_rate(text, appt.api_client, integer)
	IS
	'The limit that "manager" may give a client: a new one (its client_id is '
	'NULL) has the manager''s own where none is given; nobody gives more than '
	'he has, and nobody raises his own. Raises SB001';

CREATE FUNCTION appt_internal.visible_client(manager text, client_id text)
	RETURNS appt.api_client
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.api_client;
BEGIN
	PERFORM appt_internal.require_client(manager);
	SELECT * INTO found
	FROM appt.api_client AS c
	WHERE c.client_id = visible_client.client_id
		AND appt_internal.may_manage_client(manager, NULL, c.branch_ids);

	IF found.client_id IS NULL THEN
		RAISE EXCEPTION 'API client "%" does not exist', client_id
			USING ERRCODE = 'SB404',
				DETAIL = format('API client "%s" does not exist.', client_id);
	END IF;
	RETURN found;
END
$$;

COMMENT ON FUNCTION appt_internal.visible_client(text, text) IS
	'The client, where "manager" may see it. Raises SBT01, SB404';

CREATE FUNCTION appt_api.list_clients(
	page integer,
	per_page integer,
	client text,
	OUT body text,
	OUT total bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	SELECT count(*) INTO total
	FROM appt.api_client AS c
	WHERE appt_internal.may_manage_client(client, NULL, c.branch_ids);

	SELECT coalesce(jsonb_agg(appt_internal.client_json(c)
			ORDER BY c.created_at, c.client_id), '[]')::text INTO body
	FROM (
		SELECT *
		FROM appt.api_client AS a
		WHERE appt_internal.may_manage_client(client, NULL, a.branch_ids)
		ORDER BY a.created_at, a.client_id
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS c;
END
$$;

COMMENT ON FUNCTION appt_api.list_clients(integer, integer, text) IS
	'The API clients that "client" may see, oldest first, a page of them. '
	'Raises SB001';

CREATE FUNCTION appt_api.get_client(
	client_id text,
	client text,
	OUT body text,
	OUT version integer)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.api_client := appt_internal.visible_client(client, client_id);
BEGIN
	body := appt_internal.client_json(found)::text;
	version := found.version;
END
$$;

COMMENT ON FUNCTION appt_api.get_client(text, text) IS
	'One API client. Raises SB404';

CREATE FUNCTION appt_api.list_client_audit(
	client_id text,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found CONSTANT appt.api_client :=
		appt_internal.visible_client(client, client_id);
	size CONSTANT integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	/* The trail of an earlier client of this id is not this one's. */
	SELECT count(*) INTO result.total
	FROM (
		SELECT
		FROM appt.client_audit AS a
		WHERE a.client_id = found.client_id AND a.at >= found.created_at
		LIMIT appt_internal.count_limit(page, size)) AS n;
	SELECT coalesce(json_agg(json_build_object(
			'at', appt_internal.json_time(l.at, 'UTC'),
			'action', l.action,
			'actor', l.actor,
			'detail', l.detail)
		ORDER BY l.at DESC, l.client_audit_no DESC), '[]')::text
	INTO result.body
	FROM (
		SELECT *
		FROM appt.client_audit AS a
		WHERE a.client_id = found.client_id AND a.at >= found.created_at
		ORDER BY a.at DESC, a.client_audit_no DESC
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS l;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_client_audit(text, integer, integer, text) IS
	'What was done to and with an API client since it was made, newest first, '
	'a page of it. Raises SBT01, SB404, SB001';

CREATE FUNCTION appt_api.create_client(
	name text,
	description text,
	scopes text[],
	branch_ids text[],
	requests_per_minute integer,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT id text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first record;
	made record;
	found appt.api_client;
BEGIN
	PERFORM appt_internal.act_for(client);
	SELECT * INTO first
	FROM appt_internal.kept_answer(client, 'POST /clients', idempotency_key,
		request_hash);
	IF first.replayed THEN
		body := first.body;
		version := first.version;
		id := first.id;
		replayed := true;
		RETURN;
	END IF;

	PERFORM appt_internal.require_grantable(client, create_client.scopes,
		create_client.branch_ids);
	SELECT * INTO made
	FROM appt.create_client(create_client.name, create_client.scopes,
		create_client.branch_ids, create_client.description,
		appt_internal.grantable_rate(client, NULL,
			create_client.requests_per_minute));
	SELECT * INTO found
	FROM appt.api_client AS c
	WHERE c.client_id = made.client_id;

	body := (appt_internal.client_json(found)
		|| jsonb_build_object('client_secret', made.client_secret))::text;
	version := found.version;
	id := found.client_id;
	replayed := false;
	PERFORM appt_internal.idempotency_finish(client, 'POST /clients',
		idempotency_key, request_hash, id, version, body);
END
$$;

COMMENT ON FUNCTION appt_api.create_client(text, text, text[], text[],
	integer, text, text, text) IS
	'Makes an API client; the answer shows client_secret this once. Raises '
	'SB001 (name, scopes, requests_per_minute), SBU01 (branch_ids), SB950 and '
	'SBU02 (the key)';

CREATE FUNCTION appt_api.update_client(
	client_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first record;
	found appt.api_client;
	wanted appt.api_client;
BEGIN
	PERFORM appt_internal.act_for(client);
	SELECT * INTO first
	FROM appt_internal.kept_answer(client, 'PATCH /clients/{client_id}',
		idempotency_key, request_hash);
	IF first.replayed THEN
		body := first.body;
		version := first.version;
		replayed := true;
		RETURN;
	END IF;

	PERFORM FROM appt.api_client AS c
	WHERE c.client_id = update_client.client_id
	FOR UPDATE;
	found := appt_internal.visible_client(client, update_client.client_id);
	PERFORM appt_internal.require_manageable(client, found);
	PERFORM appt_internal.check_version('API client', found.client_id,
		found.version, expected_version);

	wanted := jsonb_populate_record(found, changes);
	IF appt_internal.clean_text(wanted.name) IS NULL
		OR wanted.active IS NULL
	THEN
		RAISE EXCEPTION 'an API client needs a name and a state'
			USING ERRCODE = 'SB001',
				COLUMN = CASE WHEN wanted.active IS NULL
					THEN 'active' ELSE 'name' END,
				DETAIL = 'The name must not be blank and active is true or '
					'false.';
	END IF;
	PERFORM appt_internal.require_grantable(client, wanted.scopes,
		wanted.branch_ids);
	wanted.requests_per_minute := appt_internal.grantable_rate(client, found,
		wanted.requests_per_minute);

	UPDATE appt.api_client AS c
	SET name = wanted.name,
		description = wanted.description,
		scopes = wanted.scopes,
		branch_ids = wanted.branch_ids,
		active = wanted.active,
		requests_per_minute = wanted.requests_per_minute
	WHERE c.client_id = found.client_id
	RETURNING c.* INTO wanted;

	body := appt_internal.client_json(wanted)::text;
	version := wanted.version;
	replayed := false;
	PERFORM appt_internal.idempotency_finish(client,
		'PATCH /clients/{client_id}',
		idempotency_key, request_hash, NULL, version, body);
END
$$;

COMMENT ON FUNCTION appt_api.update_client(text, jsonb, integer, text, text,
	text) IS
	'Changes the members that are in "changes": name, description, scopes, '
	'branch_ids, active, requests_per_minute. Raises SB404, SBF01, SBP01, '
	'SB001, SBU01, SB950, SBU02';

CREATE FUNCTION appt_api.rotate_client_secret(
	client_id text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first record;
	found appt.api_client;
	secret text;
	route CONSTANT text := 'POST /clients/{client_id}/rotate-secret';
BEGIN
	PERFORM appt_internal.act_for(client);
	SELECT * INTO first
	FROM appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
	IF first.replayed THEN
		body := first.body;
		version := first.version;
		replayed := true;
		RETURN;
	END IF;

	found := appt_internal.visible_client(client,
		rotate_client_secret.client_id);
	PERFORM appt_internal.require_manageable(client, found);
	secret := appt.rotate_client_secret(found.client_id);
	found := appt_internal.visible_client(client, found.client_id);
	body := (appt_internal.client_json(found)
		|| jsonb_build_object('client_secret', secret))::text;
	version := found.version;
	replayed := false;
	PERFORM appt_internal.idempotency_finish(client, route, idempotency_key,
		request_hash, NULL, version, body);
END
$$;

COMMENT ON FUNCTION appt_api.rotate_client_secret(text, text, text, text) IS
	'Gives an API client a new secret; the answer shows client_secret this '
	'once. Raises SB404, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_client(
	client_id text,
	expected_version integer,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.api_client;
BEGIN
	PERFORM appt_internal.act_for(client);
	PERFORM FROM appt.api_client AS c
	WHERE c.client_id = delete_client.client_id
	FOR UPDATE;
	found := appt_internal.visible_client(client, delete_client.client_id);
	PERFORM appt_internal.require_manageable(client, found);
	PERFORM appt_internal.check_version('API client', found.client_id,
		found.version, expected_version);
	DELETE FROM appt.api_client AS c WHERE c.client_id = found.client_id;
END
$$;

COMMENT ON FUNCTION appt_api.delete_client(text, integer, text) IS
	'Deletes an API client; its tokens end within 5 seconds, its audit trail '
	'stays. Raises SB404, SBF01, SBP01';
