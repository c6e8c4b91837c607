/* ---------------------------------------------------------------------------
 * What has changed, for the gateway: for one caller who asks, and for all who
 * listen to a loop of it.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_api.changes(
	since text,
	client text,
	OUT body text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	seen CONSTANT pg_snapshot := appt_internal.change_snapshot(since);
	count CONSTANT bigint := appt_internal.count_changes(seen);
	lost CONSTANT boolean := seen IS NULL OR count > 5000;
	changes json := '[]';
	branches CONSTANT text[] := appt_internal.client_branches(client);
	doctors CONSTANT text[] := appt_internal.client_doctors(client);
BEGIN
	PERFORM appt_internal.require_client(client);
	IF count > 0 AND NOT lost THEN
		SELECT coalesce(json_agg(json_build_object(
			'event', c.event, 'data', c.data)), '[]')
		INTO changes
		FROM appt_internal.changes_since(seen) AS c
		WHERE (branches IS NULL
				OR c.branch_ids IS NULL
				OR branches && (ARRAY['*'] || c.branch_ids))
			AND coalesce(c.data ->> 'doctor_id' = ANY (doctors), true);
	END IF;
	body := json_build_object(
		'position', appt_internal.change_position(),
		'reset', lost,
		'changes', changes);
END
$$;

COMMENT ON FUNCTION appt_api.changes(text, text) IS
	'{position, reset, changes: [{event, data}]}: what has changed behind a '
	'position, of the branches and doctors that the client may see. reset: '
	'what has is not told, as there is no position, none of this server, or '
	'too much behind it';

CREATE FUNCTION appt_internal.listener_branches(client text) RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $1 LIKE 'board:%' THEN ARRAY(
			SELECT b.branch_id
			FROM appt.board AS b
			WHERE b.board_id = substr($1, 7)
				AND b.revoked_at IS NULL)
		ELSE appt_internal.client_branches($1)
	END
$$;

COMMENT ON FUNCTION appt_internal.listener_branches(text) IS
	'The branches of who listens: as appt_internal.client_branches, of a board '
	'(board:<board_id>) its own, {} if it is revoked';

CREATE FUNCTION appt_api.all_changes(
	since text,
	clients text[],
	OUT body text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	seen CONSTANT pg_snapshot := appt_internal.change_snapshot(since);
	count CONSTANT bigint := appt_internal.count_changes(seen);
	lost CONSTANT boolean := seen IS NULL OR count > 5000;
	changes json := '[]';
BEGIN
	IF count > 0 AND NOT lost THEN
		SELECT coalesce(json_agg(json_build_object(
			'event', c.event, 'data', c.data, 'branch_ids', c.branch_ids)),
			'[]')
		INTO changes
		FROM appt_internal.changes_since(seen) AS c;
	END IF;
	body := json_build_object(
		'position', appt_internal.change_position(),
		'reset', lost,
		'changes', changes,
		'clients', (
			SELECT coalesce(json_object_agg(k.client, json_build_object(
				'branch_ids', appt_internal.listener_branches(k.client),
				'doctor_ids', appt_internal.client_doctors(k.client))), '{}')
			FROM (SELECT DISTINCT unnest(clients)) AS k (client)));
END
$$;

COMMENT ON FUNCTION appt_api.all_changes(text, text[]) IS
	'What a loop of the gateway asks while somebody listens: as '
	'appt_api.changes, of all branches, each change with those that it '
	'concerns; and clients, {client: {branch_ids, doctor_ids}}: what those '
	'who listen see, doctor_ids of no other doctors';
