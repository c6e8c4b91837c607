/* ---------------------------------------------------------------------------
 * The JSON form for the HTTP gateway.  body is the answer, ready to send;
 * version is its ETag.  client is the API client on whose behalf the gateway
 * calls: its branch limits are enforced here.  With an idempotency_key the
 * first answer is kept for 7 days and replayed; request_hash tells whether the
 * request is the same.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_api.answer AS (
	body text,
	version integer,
	id text,
	replayed boolean
);

COMMENT ON TYPE appt_api.answer IS
	'What a call answers: JSON text, version (ETag), id (Location), and '
	'whether it is the kept answer of an earlier request';

/*
 * It sets no search_path: setting and resetting it took an eighth of a list's
 * time.  Most lists need no statement, and before one runs the library sets
 * the path (spi.c).
 */
CREATE FUNCTION appt_api.slots(
	doctor_id text,
	date date,
	branch_id text,
	duration integer,
	date_to date,
	client text DEFAULT NULL,
	visit_type text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER
	AS 'MODULE_PATHNAME', 'appt_api_slots';

COMMENT ON FUNCTION appt_api.slots(text, date, text, integer, date, text,
	text) IS
	'JSON array of free slots, as appt.available_slots for one branch; a '
	'visit_type brings its own length and buffers. Raises SB404, SB001, SB002';

CREATE FUNCTION appt_api.get_appointment(
	appointment_id text,
	client text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_get_appointment';

COMMENT ON FUNCTION appt_api.get_appointment(text, text) IS
	'One appointment. Raises SB404';

CREATE FUNCTION appt_api.book(
	patient_id text,
	doctor_id text,
	branch_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	visit_type text,
	notes text,
	source text,
	hold_id text,
	override boolean,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_book';

COMMENT ON FUNCTION appt_api.book(
	text, text, text, timestamptz, timestamptz, text, text, text, text,
	boolean, text, text, text)
	IS
	'As appt.book';

CREATE FUNCTION appt_api.walk_in(
	patient_id text,
	doctor_id text,
	branch_id text,
	visit_type text,
	notes text,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_walk_in';

COMMENT ON FUNCTION appt_api.walk_in(
	text, text, text, text, text, text, text, text)
	IS
	'As appt.walk_in';

CREATE FUNCTION appt_api.hold(
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	branch_id text,
	visit_type text,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_hold';

COMMENT ON FUNCTION appt_api.hold(
	text, timestamptz, timestamptz, text, text, text, text, text)
	IS
	'As appt.hold; the body is {hold_id, doctor_id, branch_id, '
	'slot_start, slot_end, expires_at}';

CREATE FUNCTION appt_api.release_hold(
	hold_id text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_release_hold';

COMMENT ON FUNCTION appt_api.release_hold(text, text) IS
	'As appt.release; answers NULL';

CREATE FUNCTION appt_api.reschedule(
	appointment_id text,
	new_slot_start timestamptz,
	new_slot_end timestamptz,
	reason text,
	doctor_id text,
	branch_id text,
	expected_version integer,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_reschedule';

COMMENT ON FUNCTION appt_api.reschedule(
	text, timestamptz, timestamptz, text, text, text, integer, text, text,
	text)
	IS
	'As appt.reschedule';

CREATE FUNCTION appt_api.cancel(
	appointment_id text,
	reason text,
	expected_version integer,
	client text DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_cancel';

COMMENT ON FUNCTION appt_api.cancel(text, text, integer, text) IS
	'As appt.cancel';

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

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OF branch_ids, active OR DELETE OR TRUNCATE
	ON appt.api_client
	FOR EACH STATEMENT EXECUTE FUNCTION appt.schedule_changed();
