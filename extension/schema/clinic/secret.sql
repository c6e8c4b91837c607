/* ---------------------------------------------------------------------------
 * Keyed digests: the proof that a sender knows a secret.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.hmac(hash text, key bytea, message bytea)
	RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_hmac_sql';

COMMENT ON FUNCTION appt_internal.hmac(text, bytea, bytea) IS
	'HMAC (RFC 2104) by sha1 or sha256';

CREATE FUNCTION appt_internal.same_secret(a text, b text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	/* Digests by a key that nobody knows: how long two take to compare
	 * tells nothing of what they are of. */
	key CONSTANT bytea := uuid_send(gen_random_uuid());
BEGIN
	RETURN coalesce(appt_internal.hmac('sha256', key, convert_to(a, 'UTF8'))
		= appt_internal.hmac('sha256', key, convert_to(b, 'UTF8')), false);
END
$$;

COMMENT ON FUNCTION appt_internal.same_secret(text, text) IS
	'Whether both are there and the same, in a time that does not tell where '
	'they differ';
