/* ---------------------------------------------------------------------------
 * Boards over REST: who makes them, and what one of them shows.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.board_json(board appt.board) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'board_id', (board).board_id,
		'branch_id', (board).branch_id,
		'name', (board).name,
		'created_at', appt_internal.json_time((board).created_at, 'UTC'),
		'created_by', (board).created_by,
		'revoked_at', appt_internal.json_time((board).revoked_at, 'UTC'),
		'last_seen_at', appt_internal.json_time((board).last_seen_at, 'UTC'))
$$;

COMMENT ON FUNCTION appt_internal.board_json(appt.board) IS
	'A board as it is shown, without a trace of its token';

CREATE FUNCTION appt_api.list_boards(
	branch_id text,
	page integer,
	per_page integer,
	client text,
	OUT body text,
	OUT total bigint)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.check_scope(branch_id, NULL, client, 'SB404');
	SELECT count(*) INTO total
	FROM appt.board b
	WHERE appt_internal.client_sees(client, b.branch_id)
		AND (list_boards.branch_id IS NULL
			OR b.branch_id = list_boards.branch_id);

	SELECT coalesce(jsonb_agg(appt_internal.board_json(p)
			ORDER BY p.created_at DESC, p.board_id), '[]')::text INTO body
	FROM (
		SELECT b.*
		FROM appt.board b
		WHERE appt_internal.client_sees(client, b.branch_id)
			AND (list_boards.branch_id IS NULL
				OR b.branch_id = list_boards.branch_id)
		ORDER BY b.created_at DESC, b.board_id
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS p;
END
$$;

COMMENT ON FUNCTION appt_api.list_boards(text, integer, integer, text) IS
	'The boards at branches that the client may see, newest first. Raises '
	'SB404 (branch_id), SB001';

CREATE FUNCTION appt_api.create_board(
	branch_id text,
	name text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT id text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first record;
	made record;
BEGIN
	PERFORM appt_internal.act_for(client);
	SELECT * INTO first
	FROM appt_internal.kept_answer(client, 'POST /boards', idempotency_key,
		request_hash);
	IF first.replayed THEN
		body := first.body;
		id := first.id;
		replayed := true;
		RETURN;
	END IF;

	PERFORM appt_internal.check_scope(branch_id, NULL, client, 'SBU01');
	SELECT * INTO made
	FROM appt.create_board(create_board.branch_id, create_board.name);
	SELECT (appt_internal.board_json(b) || jsonb_build_object(
		'board_token', made.board_token))::text INTO body
	FROM appt.board b
	WHERE b.board_id = made.board_id;
	id := made.board_id;
	replayed := false;
	PERFORM appt_internal.idempotency_finish(client, 'POST /boards',
		idempotency_key, request_hash, id, NULL, body);
END
$$;

COMMENT ON FUNCTION appt_api.create_board(text, text, text, text, text) IS
	'Makes a board; the answer shows board_token this once. Raises SB001 '
	'(name), SBU01 (branch_id), SB950 and SBU02 (the key)';

CREATE FUNCTION appt_api.revoke_board(
	board_id text,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.require_client(client);
	IF NOT EXISTS (
		SELECT
		FROM appt.board b
		WHERE b.board_id = revoke_board.board_id
			AND appt_internal.client_sees(client, b.branch_id))
	THEN
		PERFORM appt_internal.refuse_id('board', board_id, 'board_id',
			'SB404');
	END IF;
	PERFORM appt.revoke_board(board_id);
END
$$;

COMMENT ON FUNCTION appt_api.revoke_board(text, text) IS
	'As appt.revoke_board; a board that is revoked stays so. Raises SB404';

/* --- what a board shows --------------------------------------------------- */

CREATE FUNCTION appt_internal.board_queue(doctor_id text, branch_id text,
	on_date date, zone text)
	RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'doctor_id', d.doctor_id,
		'name', d.name,
		'specialty', d.specialty,
		'in_consultation', coalesce(jsonb_agg(jsonb_build_object(
				'token_number', q.token_number,
				'called_at', appt_internal.json_time(q.started_at, $4))
				ORDER BY q.queue_position)
			FILTER (WHERE q.status = 'in_consultation'), '[]'),
		'next', coalesce(jsonb_agg(jsonb_build_object(
				'token_number', q.token_number,
				'estimated_start',
					appt_internal.json_time(q.estimated_start, $4))
				ORDER BY q.queue_position)
			FILTER (WHERE q.waits <= 3), '[]'),
		'waiting', count(*) FILTER (WHERE q.waits IS NOT NULL))
	FROM appt.doctor d
	LEFT JOIN (
		SELECT q.queue_position, q.token_number, q.status,
			q.estimated_start, a.started_at,
			CASE WHEN q.status = 'checked_in' THEN row_number() OVER (
				PARTITION BY q.status
				ORDER BY q.queue_position) END AS waits
		FROM appt.queue($1, $3) AS q
		JOIN appt.appointment a ON a.appointment_id = q.appointment_id
		WHERE q.branch_id = $2) AS q ON true
	WHERE d.doctor_id = $1
	GROUP BY d.doctor_id
$$;

COMMENT ON FUNCTION appt_internal.board_queue(text, text, date, text) IS
	'A doctor''s queue at a branch as a board shows it: the tokens of who is '
	'called, and of the next three who are there; nobody''s name';

CREATE FUNCTION appt_api.board(token_sha256 text, OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	board appt.board;
	branch appt.branch;
	zone text;
	today date;
BEGIN
	SELECT * INTO board
	FROM appt.board b
	WHERE b.token_hash = decode(token_sha256, 'hex')
		AND b.revoked_at IS NULL;
	IF board.board_id IS NULL THEN
		RETURN;
	END IF;
	UPDATE appt.board b
	SET last_seen_at = clock_timestamp()
	WHERE b.board_id = board.board_id
		AND (b.last_seen_at > clock_timestamp() - interval '1 minute')
			IS NOT TRUE;
	SELECT * INTO branch
	FROM appt.branch b
	WHERE b.branch_id = board.branch_id;
	zone := appt_internal.branch_zone(branch.branch_id);
	today := appt_internal.clinic_today(branch.branch_id);
	body := jsonb_build_object(
		'board_id', board.board_id,
		'branch_id', branch.branch_id,
		'branch_name', branch.name,
		'now', appt_internal.json_time(appt.clock(), zone),
		'time_zone', zone,
		'notice', nullif((appt_internal.effective_setting('board_notice',
			branch.branch_id, NULL)).value, ''),
		'doctors', (
			SELECT coalesce(jsonb_agg(appt_internal.board_queue(d.doctor_id,
				branch.branch_id, today, zone) ORDER BY d.name, d.doctor_id),
				'[]')
			FROM appt.doctor d
			WHERE d.doctor_no IN (
				SELECT a.doctor_no
				FROM appt.appointment a
				WHERE a.token_date = today
					AND a.branch_id = branch.branch_id
					AND a.status NOT IN ('held', 'cancelled'))));
END
$$;

COMMENT ON FUNCTION appt_api.board(text) IS
	'What a board shows whose token has that SHA-256 (hex): the queues of its '
	'branch''s doctors who see patients today, the notice, the time there. '
	'NULL: there is none, or it is revoked';
