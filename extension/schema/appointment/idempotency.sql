/* ---------------------------------------------------------------------------
 * Idempotency keys: the first answer, kept in the transaction of its effect.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.idempotency (
	client text NOT NULL,
	route text NOT NULL,
	key text NOT NULL,
	request_hash text NOT NULL,
	created_at timestamptz NOT NULL,
	id text,
	version integer,
	body text NOT NULL,
	CONSTRAINT idempotency_pkey PRIMARY KEY (client, route, key)
);

CREATE INDEX idempotency_created ON appt.idempotency (created_at);

COMMENT ON TABLE appt.idempotency IS
	'First answers by Idempotency-Key, kept for 7 days; written in the '
	'transaction of the effect that they answer';

CREATE FUNCTION appt_internal.idempotency_begin(
	client text,
	route text,
	idempotency_key text,
	request_hash text,
	OUT replayed boolean,
	OUT id text,
	OUT version integer,
	OUT body text)
	RETURNS record
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_idempotency_begin';

COMMENT ON FUNCTION appt_internal.idempotency_begin(text, text, text, text) IS
	'Whether the client''s request with this key was answered before, and '
	'that answer; else the key is this transaction''s. A NULL key does '
	'nothing. Raises SB003 (bad key), SB950 (still running), SBU02 (used '
	'for another request)';

CREATE FUNCTION appt_internal.idempotency_finish(
	client text,
	route text,
	idempotency_key text,
	request_hash text,
	id text,
	version integer,
	body text)
	RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_idempotency_finish';

COMMENT ON FUNCTION appt_internal.idempotency_finish(text, text, text, text,
	text, integer, text) IS
	'Keeps the answer to a request with a key, in the transaction of its '
	'effect; without a key does nothing';
