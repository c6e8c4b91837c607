/* ---------------------------------------------------------------------------
 * The queue for the gateway: who is called, skipped, called again.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_api.queue(
	doctor_id text,
	date date,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_queue';

COMMENT ON FUNCTION appt_api.queue(text, date, text) IS
	'As appt.queue; a JSON array';

CREATE FUNCTION appt_api.call_next(
	doctor_id text,
	date date,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_call_next';

COMMENT ON FUNCTION appt_api.call_next(text, date, text, text, text) IS
	'As appt.call_next; raises SB933 if nobody waits, SBU01 (doctor_id)';

CREATE FUNCTION appt_api.skip(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_skip';

COMMENT ON FUNCTION appt_api.skip(text, integer, text, text, text) IS
	'As appt.skip';

CREATE FUNCTION appt_api.recall(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_recall';

COMMENT ON FUNCTION appt_api.recall(text, integer, text, text, text) IS
	'As appt.recall';

CREATE FUNCTION appt_api.set_priority(
	appointment_id text,
	priority integer,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_set_priority';

COMMENT ON FUNCTION appt_api.set_priority(text, integer, integer, text, text,
	text) IS
	'As appt.set_priority';
