/* ---------------------------------------------------------------------------
 * Boards: the televisions of waiting rooms.  Each has a token of its own, of
 * which only the SHA-256 is kept, and shows one branch's queues, no names.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.board (
	board_id text NOT NULL,
	branch_id text NOT NULL,
	name text NOT NULL,
	token_hash bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL,
	revoked_at timestamptz,
	last_seen_at timestamptz,
	CONSTRAINT board_pkey PRIMARY KEY (board_id),
	CONSTRAINT board_token_hash_key UNIQUE (token_hash),
	CONSTRAINT board_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT board_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT board_name_printable CHECK (length(name) <= 100
		AND name !~ '[\u0001-\u001f\u007f]'),
	CONSTRAINT board_token_hash_sha256 CHECK (octet_length(token_hash) = 32)
);

CREATE INDEX board_branch ON appt.board (branch_id);

COMMENT ON TABLE appt.board IS
	'The televisions of waiting rooms, which show a branch''s queues. '
	'appt.create_board makes one';
COMMENT ON COLUMN appt.board.board_id IS 'brd_...';
COMMENT ON COLUMN appt.board.name IS 'Where it hangs';
COMMENT ON COLUMN appt.board.token_hash IS
	'SHA-256 of the token, which is shown once and kept nowhere';
COMMENT ON COLUMN appt.board.created_by IS
	'Who made it, as in appt.history';
COMMENT ON COLUMN appt.board.revoked_at IS
	'From when on it shows nothing any more';
COMMENT ON COLUMN appt.board.last_seen_at IS
	'When it last asked, to the minute';

CREATE FUNCTION appt.create_board(
	branch_id text,
	name text,
	OUT board_id text,
	OUT board_token text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF create_board.name ~ '\S' IS NOT TRUE
		OR length(create_board.name) > 100
		OR create_board.name ~ '[\u0001-\u001f\u007f]'
	THEN
		RAISE EXCEPTION 'a board needs a name'
			USING ERRCODE = 'SB001', COLUMN = 'name',
				DETAIL = 'It is one line of at most 100 characters.';
	END IF;
	IF NOT EXISTS (
		SELECT FROM appt.branch b WHERE b.branch_id = create_board.branch_id)
	THEN
		RAISE EXCEPTION 'branch "%" does not exist', branch_id
			USING ERRCODE = 'SBU01', COLUMN = 'branch_id',
				DETAIL = format('Branch "%s" does not exist.', branch_id);
	END IF;
	board_id := appt_internal.new_id('brd');
	board_token := appt_internal.new_id('board');
	INSERT INTO appt.board (board_id, branch_id, name, token_hash, created_by)
	VALUES (create_board.board_id, create_board.branch_id, btrim(name),
		sha256(convert_to(board_token, 'UTF8')), appt_internal.client_actor());
END
$$;

COMMENT ON FUNCTION appt.create_board(text, text) IS
	'Makes a board of a branch and returns its token this once: the page is '
	'/board/<branch_id>#<token>. Raises SB001 (name), SBU01 (branch_id)';

CREATE FUNCTION appt.revoke_board(board_id text) RETURNS boolean
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH revoked AS (
		UPDATE appt.board b
		SET revoked_at = clock_timestamp()
		WHERE b.board_id = $1 AND b.revoked_at IS NULL
		RETURNING b.board_id)
	SELECT EXISTS (SELECT FROM revoked)
$$;

COMMENT ON FUNCTION appt.revoke_board(text) IS
	'Ends a board: from the next time that it asks it shows nothing. False: '
	'there is none of that id, or it is revoked already';
