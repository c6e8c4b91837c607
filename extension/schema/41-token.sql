/* ---------------------------------------------------------------------------
 * What the gateway needs to issue and to check access tokens.
 * ------------------------------------------------------------------------ */

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
	WHERE c.client_id = authenticate.client_id;
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
BEGIN ATOMIC
	SELECT json_build_object(
		'clients', (
			SELECT coalesce(json_agg(json_build_array(
				c.client_id, c.active, c.epoch, c.requests_per_minute)), '[]')
			FROM appt.api_client AS c),
		'revoked', (
			SELECT coalesce(json_agg(r.jti), '[]')
			FROM appt.revoked_token AS r
			WHERE r.expires_at > clock_timestamp()),
		'keys', (
			SELECT coalesce(json_agg(k.kid ORDER BY k.created_at DESC), '[]')
			FROM appt.signing_key AS k),
		'extension', (
			SELECT e.extversion
			FROM pg_extension AS e
			WHERE e.extname = 'bioecko_appt'))::text;
END;

COMMENT ON FUNCTION appt_api.auth_state() IS
	'What the gateway reads every second: {clients: [[id, active, epoch, '
	'requests_per_minute]], revoked: [jti], keys: [kid], extension: version}';

CREATE FUNCTION appt_api.signing_keys(OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(json_agg(json_build_object(
			'kid', k.kid,
			'private_pem', k.private_pem,
			'age_s', extract(
				epoch FROM clock_timestamp() - k.created_at)::bigint)
		ORDER BY k.created_at DESC, k.kid), '[]')::text
	FROM appt.signing_key AS k;
END;

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
	DELETE FROM appt.revoked_token AS r
	WHERE r.expires_at < clock_timestamp() - interval '1 minute';

	INSERT INTO appt.revoked_token (jti, client_id, expires_at)
	VALUES (revoke_token.jti, client, revoke_token.expires_at)
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		INSERT INTO appt.client_audit (client_id, action, actor)
		VALUES (client, 'token_revoked', 'client:' || client);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.revoke_token(text, timestamptz, text) IS
	'Voids the token with that jti until it expires by itself';
