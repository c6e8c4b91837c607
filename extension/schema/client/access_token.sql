/* ---------------------------------------------------------------------------
 * What the gateway needs to issue and to check access tokens.
 *
 * Each loop of each gateway asks appt_api.auth_state every second.  The answer
 * is small whatever there is: what it tells to be new is read in pages, of
 * clients by appt_api.auth_clients, of revoked tokens by
 * appt_api.auth_revoked, which go on behind what the gateway has.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.revoked_token (
	jti text NOT NULL,
	client_id text NOT NULL,
	expires_at timestamptz NOT NULL,
	revocation_no bigint NOT NULL,
	CONSTRAINT revoked_token_pkey PRIMARY KEY (jti),
	CONSTRAINT revoked_token_revocation_no_key UNIQUE (revocation_no)
);

CREATE INDEX revoked_token_expires ON appt.revoked_token (expires_at);

COMMENT ON TABLE appt.revoked_token IS
	'Access tokens revoked before they expire (RFC 7009). Not part of a dump';
COMMENT ON COLUMN appt.revoked_token.revocation_no IS
	'Rises in the order of the commits: who has read up to a number reads on '
	'behind it and misses nothing';

/*
 * The lock is held until the commit, so that no number becomes visible behind
 * a higher one.  It is drawn from the time and not from a sequence: after a
 * failover that lost the last commits a sequence would give out numbers that
 * gateways have read past.
 */
CREATE FUNCTION appt_internal.revoked_token_number() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
		hashtextextended('appt.revoked_token', 0));
	NEW.revocation_no := greatest(
		(SELECT max(r.revocation_no) FROM appt.revoked_token AS r) + 1,
		(extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.revoked_token_number() IS
	'Row trigger: numbers revocations in the order of their commits, one '
	'transaction after the other';

CREATE TRIGGER revoked_token_number
	BEFORE INSERT ON appt.revoked_token
	FOR EACH ROW EXECUTE FUNCTION appt_internal.revoked_token_number();

CREATE FUNCTION appt_api.authenticate(
	client_id text,
	secret_sha256 text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.api_client;
	salt bytea := uuid_send(gen_random_uuid());
BEGIN
	SELECT * INTO found
	FROM appt.api_client AS c
	WHERE c.client_id = authenticate.client_id;

	/* Hashed again with a salt: the comparison's time tells nothing. */
	IF sha256(salt || coalesce(found.secret_hash, salt)) IS DISTINCT FROM
		sha256(salt || decode(secret_sha256, 'hex'))
		OR found.active IS NOT TRUE
	THEN
		RETURN;
	END IF;

	UPDATE appt.api_client AS c
	SET last_token_at = clock_timestamp()
	WHERE c.client_id = authenticate.client_id
		AND (c.last_token_at > clock_timestamp() - interval '1 minute')
			IS NOT TRUE;
	INSERT INTO appt.client_audit (client_id, action, actor)
	VALUES (found.client_id, 'token_issued', 'client:' || found.client_id);
	body := json_build_object(
		'client_id', found.client_id,
		'scopes', found.scopes,
		'epoch', found.epoch);
END
$$;

COMMENT ON FUNCTION appt_api.authenticate(text, text) IS
	'{client_id, scopes, epoch} of an active client whose secret has that '
	'SHA-256 (hex), otherwise NULL';

CREATE FUNCTION appt_api.auth_state(OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'clients', (
			SELECT concat(count(*), '/', sum(hash_record_extended(ROW(
				c.client_id, c.active, c.epoch, c.requests_per_minute,
				c.secret_hash), 0)))
			FROM appt.api_client AS c),
		'revoked', (
			SELECT coalesce(max(r.revocation_no), 0)
			FROM appt.revoked_token AS r),
		'keys', (
			SELECT coalesce(json_agg(k.kid ORDER BY k.created_at DESC), '[]')
			FROM appt.signing_key AS k),
		'extension', (
			SELECT e.extversion
			FROM pg_extension AS e
			WHERE e.extname = 'bioecko_appt'),
		'standby', pg_is_in_recovery())::text
$$;

COMMENT ON FUNCTION appt_api.auth_state() IS
	'What the gateway asks every second: {clients: another text after each '
	'change of one, revoked: the last revocation_no, keys: [kid], extension: '
	'version, standby: whether the server only follows another}';

CREATE FUNCTION appt_api.auth_clients(after text, OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_array(p.client_id, p.active, p.epoch,
			p.requests_per_minute, encode(sha256(p.secret_hash), 'hex'))
		ORDER BY p.client_id), '[]')::text
	FROM (
		SELECT c.*
		FROM appt.api_client AS c
		WHERE c.client_id > after
		ORDER BY c.client_id
		LIMIT 500) AS p
$$;

COMMENT ON FUNCTION appt_api.auth_clients(text) IS
	'[[client_id, active, epoch, requests_per_minute, proof]]: the next 500 '
	'clients behind that id. The proof is the SHA-256 of the SHA-256 of the '
	'secret: enough to tell a wrong one, not to ask for a token with';

CREATE FUNCTION appt_api.auth_revoked(after bigint, OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_array(p.revocation_no, p.jti,
			extract(epoch FROM p.expires_at)::bigint)
		ORDER BY p.revocation_no), '[]')::text
	FROM (
		SELECT r.*
		FROM appt.revoked_token AS r
		WHERE r.revocation_no > after
		ORDER BY r.revocation_no
		LIMIT 1000) AS p
$$;

COMMENT ON FUNCTION appt_api.auth_revoked(bigint) IS
	'[[revocation_no, jti, expires_at]]: the next 1,000 revoked tokens behind '
	'that number';

CREATE FUNCTION appt_api.signing_keys(OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object(
			'kid', k.kid,
			'private_pem', k.private_pem,
			'age_s', extract(
				epoch FROM clock_timestamp() - k.created_at)::bigint)
		ORDER BY k.created_at DESC, k.kid), '[]')::text
	FROM appt.signing_key AS k
$$;

COMMENT ON FUNCTION appt_api.signing_keys() IS
	'[{kid, private_pem, age_s}], the newest first';

CREATE FUNCTION appt_api.add_signing_key(
	kid text,
	private_pem text,
	only_first boolean,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('appt.signing_key', 0));
	IF only_first AND EXISTS (SELECT FROM appt.signing_key) THEN
		RETURN;
	END IF;
	INSERT INTO appt.signing_key (kid, private_pem)
	VALUES (add_signing_key.kid, add_signing_key.private_pem);
	body := to_json(add_signing_key.kid);
END
$$;

COMMENT ON FUNCTION appt_api.add_signing_key(text, text, boolean) IS
	'Adds a signing key and returns its id; NULL where only_first is true and '
	'there was one already (several gateways start at once)';

CREATE FUNCTION appt_api.revoke_token(
	jti text,
	expires_at timestamptz,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO appt.revoked_token (jti, client_id, expires_at)
	SELECT revoke_token.jti, c.client_id, revoke_token.expires_at
	FROM appt.api_client AS c
	WHERE c.client_id = client
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		INSERT INTO appt.client_audit (client_id, action, actor)
		VALUES (client, 'token_revoked', 'client:' || client);
		PERFORM appt_internal.sweep_revoked_tokens(100);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.revoke_token(text, timestamptz, text) IS
	'Voids the token of that client with that jti until it expires by itself';

/* --- what has served its time ------------------------------------------ */

CREATE FUNCTION appt_internal.sweep_revoked_tokens(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	DELETE FROM appt.revoked_token AS r
	WHERE r.jti = ANY (ARRAY(
		SELECT o.jti
		FROM appt.revoked_token AS o
		WHERE o.expires_at < clock_timestamp() - interval '1 minute'
		ORDER BY o.expires_at
		LIMIT batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_revoked_tokens(integer) IS
	'Deletes revoked tokens that have expired, at most batch of them (NULL: '
	'all), but for those that somebody is at; returns how many';

CREATE FUNCTION appt_internal.sweep_client_audit(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept CONSTANT interval := make_interval(days => coalesce(
		nullif(current_setting('bioecko_appt.client_audit_days', true), ''),
		'365')::integer);
	swept bigint;
BEGIN
	DELETE FROM appt.client_audit AS a
	WHERE a.client_audit_no = ANY (ARRAY(
			SELECT o.client_audit_no
			FROM appt.client_audit AS o
			ORDER BY o.client_audit_no
			LIMIT batch))
		AND a.at < clock_timestamp() - kept;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_client_audit(integer) IS
	'Deletes entries of the audit trail of API clients that are older than '
	'bioecko_appt.client_audit_days, among the first batch of them (NULL: '
	'all); returns how many';
