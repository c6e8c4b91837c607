/* ---------------------------------------------------------------------------
 * The visit itself as JSON: confirmation, check-in, start, completion, no-show.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_api.confirm(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_confirm';

COMMENT ON FUNCTION appt_api.confirm(text, integer, text, text, text) IS
	'As appt.confirm';

CREATE FUNCTION appt_api.check_in(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_check_in';

COMMENT ON FUNCTION appt_api.check_in(text, integer, text, text, text) IS
	'As appt.check_in';

CREATE FUNCTION appt_api.undo_check_in(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_undo_check_in';

COMMENT ON FUNCTION appt_api.undo_check_in(text, integer, text, text, text) IS
	'As appt.undo_check_in';

CREATE FUNCTION appt_api.start(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_start';

COMMENT ON FUNCTION appt_api.start(text, integer, text, text, text) IS
	'As appt.start';

CREATE FUNCTION appt_api.complete(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_complete';

COMMENT ON FUNCTION appt_api.complete(text, integer, text, text, text) IS
	'As appt.complete';

CREATE FUNCTION appt_api.no_show(
	appointment_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_no_show';

COMMENT ON FUNCTION appt_api.no_show(text, integer, text, text, text) IS
	'As appt.no_show';

CREATE FUNCTION appt_api.correct(
	appointment_id text,
	status text,
	reason text,
	override boolean,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_correct';

COMMENT ON FUNCTION appt_api.correct(text, text, text, boolean, integer, text,
	text, text) IS
	'As appt.correct';
