/* ---------------------------------------------------------------------------
 * API clients: who may call over HTTP, with which scopes, in which branches;
 * the keys that sign access tokens.
 *
 * A secret is 132 random bits; only its SHA-256 is kept.  The gateway hashes
 * what it is given, so that a plain secret never reaches a server log.
 * "epoch" stands in every token: it rises when the client is disabled, loses
 * a scope or gets a new secret, and ends every token from before.  All epochs
 * come from one sequence, so that those of a client that was deleted end, too,
 * when another is made with its id.
 *
 * What is here keeps the real clock, never appt.clock(): tokens must expire
 * on a frozen clinic too.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.all_scopes() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN ARRAY[
	'appointments:read', 'appointments:write', 'appointments:override',
	'patients:read', 'patients:write', 'schedule:read', 'schedule:manage',
	'webhooks:manage', 'notifications:manage', 'clients:manage',
	'staff:manage', 'reports:read'];

COMMENT ON FUNCTION appt_internal.all_scopes() IS
	'Every scope that there is';

CREATE FUNCTION appt_internal.is_scope_list(scopes text[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN scopes OPERATOR(pg_catalog.<@) appt_internal.all_scopes()
	AND pg_catalog.cardinality(scopes) > 0
	AND pg_catalog.array_position(scopes, NULL) IS NULL;

COMMENT ON FUNCTION appt_internal.is_scope_list(text[]) IS
	'Whether it is a list of at least one scope and all of them exist';

CREATE SEQUENCE appt.client_epoch_seq AS integer;

COMMENT ON SEQUENCE appt.client_epoch_seq IS
	'Epochs of API clients: none is ever used twice';

CREATE TABLE appt.api_client (
	client_id text NOT NULL,
	name text NOT NULL,
	description text,
	scopes text[] NOT NULL,
	branch_ids text[],
	active boolean NOT NULL DEFAULT true,
	requests_per_minute integer,
	secret_hash bytea NOT NULL,
	epoch integer NOT NULL
		DEFAULT pg_catalog.nextval('appt.client_epoch_seq'),
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	last_token_at timestamptz,
	CONSTRAINT api_client_pkey PRIMARY KEY (client_id),
	CONSTRAINT api_client_id_format
		CHECK (client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT api_client_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT api_client_name_printable CHECK (length(name) <= 500
		AND name !~ '[\u0001-\u001f\u007f]'),
	CONSTRAINT api_client_description_printable CHECK (
		length(description) <= 500
		AND description !~ '[\u0001-\u0009\u000b-\u001f\u007f]'),
	CONSTRAINT api_client_scopes_known CHECK (
		appt_internal.is_scope_list(scopes)),
	CONSTRAINT api_client_branch_ids_not_empty
		CHECK (cardinality(branch_ids) > 0),
	CONSTRAINT api_client_requests_per_minute_range
		CHECK (requests_per_minute BETWEEN 1 AND 10000000),
	CONSTRAINT api_client_secret_hash_sha256
		CHECK (octet_length(secret_hash) = 32)
);

ALTER SEQUENCE appt.client_epoch_seq OWNED BY appt.api_client.epoch;

COMMENT ON TABLE appt.api_client IS
	'Who may call over HTTP. appt.create_client makes one; scopes, branch_ids, '
	'active, name, description and requests_per_minute are plain columns to '
	'update';
COMMENT ON COLUMN appt.api_client.scopes IS
	'What it may do: appointments:read, appointments:write, '
	'appointments:override, patients:read, patients:write, schedule:read, '
	'schedule:manage, webhooks:manage, notifications:manage, clients:manage, '
	'staff:manage, reports:read';
COMMENT ON COLUMN appt.api_client.branch_ids IS
	'Only these branches exist for it; NULL: all';
COMMENT ON COLUMN appt.api_client.active IS
	'A disabled client gets no token, and those it has end within 5 seconds';
COMMENT ON COLUMN appt.api_client.requests_per_minute IS
	'Its limit of requests a minute; NULL: the gateway''s';
COMMENT ON COLUMN appt.api_client.secret_hash IS
	'SHA-256 of the secret, which is shown once and kept nowhere';
COMMENT ON COLUMN appt.api_client.epoch IS
	'Tokens of an earlier epoch are void';
COMMENT ON COLUMN appt.api_client.version IS
	'Rises by one with every change; the ETag over HTTP';
COMMENT ON COLUMN appt.api_client.last_token_at IS
	'When it last got an access token, to the minute';

CREATE TABLE appt.client_audit (
	client_audit_no bigint GENERATED ALWAYS AS IDENTITY,
	client_id text NOT NULL,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	action text NOT NULL,
	actor text NOT NULL,
	detail text,
	CONSTRAINT client_audit_pkey PRIMARY KEY (client_audit_no),
	CONSTRAINT client_audit_action_known CHECK (action IN
		('created', 'updated', 'secret_rotated', 'deleted', 'token_issued',
		 'token_revoked'))
);

CREATE INDEX client_audit_client ON appt.client_audit (client_id, at);

COMMENT ON TABLE appt.client_audit IS
	'What was done to and with each API client; survives the client. Kept for '
	'bioecko_appt.client_audit_days';
COMMENT ON COLUMN appt.client_audit.actor IS
	'Who: client:<id> over HTTP, otherwise role:<name>, as in appt.history';
COMMENT ON COLUMN appt.client_audit.detail IS
	'The columns that changed';

CREATE TABLE appt.signing_key (
	kid text NOT NULL,
	private_pem text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CONSTRAINT signing_key_pkey PRIMARY KEY (kid)
);

COMMENT ON TABLE appt.signing_key IS
	'RSA keys that sign access tokens; the newest signs, all of them verify. '
	'Not part of a dump: after a restore the gateway makes a new one';
COMMENT ON COLUMN appt.signing_key.kid IS
	'The key''s id in the header of a token and in the JWKS';
COMMENT ON COLUMN appt.signing_key.private_pem IS
	'The private key, PEM (PKCS #8)';

/* --- what changes of a row set off ------------------------------------ */

CREATE FUNCTION appt_internal.api_client_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.version := OLD.version + 1;
	NEW.updated_at := clock_timestamp();
	IF NEW.secret_hash <> OLD.secret_hash
		OR (OLD.active AND NOT NEW.active)
		OR NOT (OLD.scopes <@ NEW.scopes)
	THEN
		NEW.epoch := nextval('appt.client_epoch_seq');
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.api_client_changed() IS
	'Row trigger: counts the version, and ends the tokens of a client that is '
	'disabled, loses a scope or gets a new secret';

CREATE TRIGGER api_client_changed
	BEFORE UPDATE OF name, description, scopes, branch_ids, active,
		requests_per_minute, secret_hash ON appt.api_client
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.api_client_changed();

CREATE FUNCTION appt_internal.client_actor() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN current_setting('bioecko_appt.actor', true) ~ '^(client|staff):'
		AND pg_has_role(session_user, 'appt_gateway', 'MEMBER')
		THEN current_setting('bioecko_appt.actor', true)
	ELSE concat_ws('/', 'role:' || session_user,
		nullif(current_setting('bioecko_appt.actor', true), ''))
END;

COMMENT ON FUNCTION appt_internal.client_actor() IS
	'Who acts, as in appt.history: client:<id> or staff:<account> over HTTP, '
	'otherwise role:<name> with what bioecko_appt.actor adds to it';

CREATE FUNCTION appt_internal.actor_of(client text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	account text;
BEGIN
	IF $1 LIKE 'staff:%' THEN
		SELECT s.account INTO account
		FROM appt.staff s
		WHERE s.staff_id = substr($1, 7);
	END IF;
	RETURN coalesce('staff:' || account, 'client:' || $1, '');
END
$$;

COMMENT ON FUNCTION appt_internal.actor_of(text) IS
	'An API client or a member of staff as the history names it; empty for '
	'NULL';

CREATE FUNCTION appt_internal.act_for(client text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM set_config('bioecko_appt.actor', appt_internal.actor_of(client),
		true)
	WHERE client IS NOT NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.act_for(text) IS
	'Has the rest of the transaction done by an API client or a member of '
	'staff, as appt_internal.client_actor() says it';

CREATE FUNCTION appt_internal.api_client_audit() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	what text := 'updated';
	changed text;
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO appt.client_audit (client_id, action, actor)
		VALUES (OLD.client_id, 'deleted', appt_internal.client_actor());
		RETURN NULL;
	END IF;
	IF NEW.version = OLD.version THEN
		RETURN NULL;			/* nothing has changed */
	END IF;
	IF NEW.secret_hash <> OLD.secret_hash THEN
		what := 'secret_rotated';
	END IF;
	SELECT string_agg(n.key, ', ' ORDER BY n.key) INTO changed
	FROM jsonb_each(to_jsonb(NEW)) AS n
	JOIN jsonb_each(to_jsonb(OLD)) AS o ON o.key = n.key
	WHERE n.value <> o.value
		AND n.key IN ('name', 'description', 'scopes', 'branch_ids', 'active',
			'requests_per_minute');
	INSERT INTO appt.client_audit (client_id, action, actor, detail)
	VALUES (NEW.client_id, what, appt_internal.client_actor(), changed);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.api_client_audit() IS
	'Row trigger: writes the client''s audit trail (not for INSERT, which a '
	'restore repeats)';

CREATE TRIGGER api_client_audit
	AFTER UPDATE OF name, description, scopes, branch_ids, active,
		requests_per_minute, secret_hash OR DELETE ON appt.api_client
	FOR EACH ROW EXECUTE FUNCTION appt_internal.api_client_audit();

CREATE FUNCTION appt_internal.forget_client_answers() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM appt.idempotency i
	WHERE i.client IN (OLD.client_id, 'client:' || OLD.client_id);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.forget_client_answers() IS
	'Row trigger: the answers that were kept for an API client are not another '
	'client''s who is given its id';

CREATE TRIGGER forget_client_answers
	AFTER DELETE ON appt.api_client
	FOR EACH ROW EXECUTE FUNCTION appt_internal.forget_client_answers();

/* --- who asks ---------------------------------------------------------- */

/*
 * What reads a table is PL/pgSQL, which plans it once a session; what only
 * compares is SQL without a search_path of its own and becomes a part of the
 * statement.  A list asks for the caller's branches and doctors once, in a
 * sub-select, and not for each row.
 */
CREATE FUNCTION appt_internal.client_branches(client text) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	branch_ids text[];
BEGIN
	IF $1 IS NULL THEN
		RETURN NULL;
	ELSIF $1 LIKE 'staff:%' THEN
		SELECT coalesce(s.branch_ids, ARRAY['*']) INTO branch_ids
		FROM appt.staff s
		WHERE s.staff_id = substr($1, 7) AND s.active;
	ELSE
		SELECT coalesce(c.branch_ids, ARRAY['*']) INTO branch_ids
		FROM appt.api_client c
		WHERE c.client_id = $1 AND c.active;
	END IF;
	RETURN coalesce(branch_ids, ARRAY[]::text[]);
END
$$;

COMMENT ON FUNCTION appt_internal.client_branches(text) IS
	'The branches that an API client or a member of staff (staff:<staff_id>) '
	'may see; NULL or {*} for all, {} for one that does not exist or is '
	'disabled';

CREATE FUNCTION appt_internal.client_scopes(client text) RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $1 IS NULL THEN appt_internal.all_scopes()
		WHEN $1 LIKE 'staff:%' THEN (
			SELECT appt_internal.role_scopes(s.role)
			FROM appt.staff s
			WHERE s.staff_id = substr($1, 7) AND s.active)
		ELSE (
			SELECT c.scopes
			FROM appt.api_client c
			WHERE c.client_id = $1 AND c.active)
	END
$$;

COMMENT ON FUNCTION appt_internal.client_scopes(text) IS
	'What an API client or a member of staff may do; NULL for one that does '
	'not exist or is disabled';

CREATE FUNCTION appt_internal.is_among(branches text[], branch_id text)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(branches OPERATOR(pg_catalog.&&) ARRAY['*', branch_id], true);

COMMENT ON FUNCTION appt_internal.is_among(text[], text) IS
	'Whether a branch is among those of appt_internal.client_branches';

CREATE FUNCTION appt_internal.client_sees(client text, branch_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN appt_internal.is_among(appt_internal.client_branches(client), branch_id);

COMMENT ON FUNCTION appt_internal.client_sees(text, text) IS
	'Whether an API client may see what belongs to a branch';

CREATE FUNCTION appt_internal.require_client(client text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF client LIKE 'staff:%' AND EXISTS (
		SELECT
		FROM appt.staff s
		WHERE s.staff_id = substr(client, 7) AND s.active)
	THEN
		RETURN;
	ELSIF client LIKE 'staff:%' THEN
		RAISE EXCEPTION 'the account of staff is not known'
			USING ERRCODE = 'SBT01',
				DETAIL = 'The account is disabled or deleted.';
	ELSIF client IS NOT NULL AND NOT EXISTS (
		SELECT
		FROM appt.api_client c
		WHERE c.client_id = client AND c.active)
	THEN
		RAISE EXCEPTION 'API client "%" is not known', client
			USING ERRCODE = 'SBT01',
				DETAIL = 'The API client is disabled or deleted.';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_client(text) IS
	'Raises SBT01 unless the API client or the member of staff exists and is '
	'active; NULL is no client but the session''s role';

/* --- for the DBA ------------------------------------------------------- */

CREATE FUNCTION appt_internal.check_branch_ids(branch_ids text[]) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	unknown text;
BEGIN
	SELECT coalesce(b.id, 'null') INTO unknown
	FROM unnest(branch_ids) AS b (id)
	WHERE NOT EXISTS (
		SELECT FROM appt.branch WHERE branch.branch_id = b.id)
	LIMIT 1;

	IF FOUND THEN
		RAISE EXCEPTION 'branch "%" does not exist', unknown
			USING ERRCODE = 'SBU01', COLUMN = 'branch_ids',
				DETAIL = format('Branch "%s" does not exist.', unknown);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_branch_ids(text[]) IS
	'Raises SBU01 when one of the branches does not exist; NULL is all';

CREATE FUNCTION appt_internal.check_scopes(scopes text[]) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF appt_internal.is_scope_list(scopes) IS NOT TRUE THEN
		RAISE EXCEPTION 'scopes are not a list of known scopes'
			USING ERRCODE = 'SB001', COLUMN = 'scopes',
				DETAIL = format('A client has at least one scope of %s.',
					array_to_string(appt_internal.all_scopes(), ', '));
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_scopes(text[]) IS
	'Raises SB001 when it is not a list of at least one known scope';

CREATE FUNCTION appt.create_client(
	name text,
	scopes text[] DEFAULT ARRAY['appointments:read', 'appointments:write'],
	branch_ids text[] DEFAULT NULL,
	description text DEFAULT NULL,
	requests_per_minute integer DEFAULT NULL,
	id text DEFAULT NULL,
	OUT client_id text,
	OUT client_secret text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF appt_internal.clean_text(create_client.name) IS NULL THEN
		RAISE EXCEPTION 'an API client needs a name'
			USING ERRCODE = 'SB001', COLUMN = 'name',
				DETAIL = 'The name must not be blank.';
	END IF;
	PERFORM appt_internal.check_scopes(create_client.scopes);
	PERFORM appt_internal.check_branch_ids(create_client.branch_ids);

	client_id := coalesce(create_client.id, appt_internal.new_id('cl'));
	client_secret := appt_internal.new_id('cs');
	INSERT INTO appt.api_client
		(client_id, name, description, scopes, branch_ids,
		 requests_per_minute, secret_hash)
	VALUES
		(create_client.client_id, create_client.name, create_client.description,
		 create_client.scopes, create_client.branch_ids,
		 create_client.requests_per_minute,
		 sha256(convert_to(client_secret, 'UTF8')));
	INSERT INTO appt.client_audit (client_id, action, actor)
	VALUES (create_client.client_id, 'created', appt_internal.client_actor());
END
$$;

COMMENT ON FUNCTION appt.create_client(text, text[], text[], text, integer,
	text) IS
	'Makes an API client and returns its id and its secret, which is shown '
	'this once. scopes: what it may do; branch_ids: NULL for all; '
	'requests_per_minute: 1 to 10,000,000, NULL for the gateway''s limit; id: '
	'NULL for a random one. Raises SB001 (name, scopes), SBU01 (branch_ids), '
	'23505 (id), 23514 (requests_per_minute)';

CREATE FUNCTION appt.rotate_client_secret(client_id text) RETURNS text
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	secret text := appt_internal.new_id('cs');
BEGIN
	UPDATE appt.api_client AS c
	SET secret_hash = sha256(convert_to(secret, 'UTF8'))
	WHERE c.client_id = rotate_client_secret.client_id;

	IF NOT FOUND THEN
		RAISE EXCEPTION 'API client "%" does not exist', client_id
			USING ERRCODE = 'SB404', COLUMN = 'client_id',
				DETAIL = format('API client "%s" does not exist.', client_id);
	END IF;
	RETURN secret;
END
$$;

COMMENT ON FUNCTION appt.rotate_client_secret(text) IS
	'Gives an API client a new secret, returns it this once, and ends the '
	'tokens that it has within 5 seconds. Raises SB404';

CREATE FUNCTION appt.retire_signing_key(kid text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM appt.signing_key AS k WHERE k.kid = retire_signing_key.kid;
	RETURN FOUND;
END
$$;

COMMENT ON FUNCTION appt.retire_signing_key(text) IS
	'Forgets a signing key: every token that it signed is void within 5 '
	'seconds. The gateway makes a new key when none is left. False: no such '
	'key';

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OF branch_ids, active OR DELETE OR TRUNCATE
	ON appt.api_client
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();
