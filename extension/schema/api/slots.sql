/* ---------------------------------------------------------------------------
 * Slots for the gateway.
 * ------------------------------------------------------------------------ */

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
	'JSON array of free slots, as appt.available_slots for one branch; '
	'duration: minutes; a visit_type brings its own length and buffers. Raises '
	'SB404, SB001, SB002';

CREATE FUNCTION appt_api.explain_slot(
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	branch_id text,
	visit_type text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_explain_slot';

COMMENT ON FUNCTION appt_api.explain_slot(text, timestamptz, timestamptz, text,
	text, text) IS
	'As appt.explain_slot: {doctor_id, branch_id, slot_start, slot_end, free, '
	'reason (as beside slot_unavailable), detail (the sentence)}. Raises SB404 '
	'(doctor, branch, visit type), SB001, SB002';

CREATE FUNCTION appt_api.explain_day(
	doctor_id text,
	date date,
	branch_id text,
	date_to date,
	visit_type text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_explain_day';

COMMENT ON FUNCTION appt_api.explain_day(text, date, text, date, text, text) IS
	'JSON array of all points of the grid of a doctor''s sessions from date to '
	'date_to (at most 31 days), free or not: {start_time, end_time, free, '
	'reason (as beside slot_unavailable), detail (the sentence)}. Raises SB404 '
	'(doctor, branch, visit type), SB001, SB002';

CREATE FUNCTION appt_internal.first_slot_json(
	doctor_ids text[],
	from_time timestamptz,
	specialty text,
	branch_id text,
	duration_min integer,
	visit_type text,
	department_id text,
	client text)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_first_slot_json';

COMMENT ON FUNCTION appt_internal.first_slot_json(text[], timestamptz, text,
	text, integer, text, text, text) IS
	'As appt.first_available: a JSON array of one slot or none';

CREATE FUNCTION appt_api.first_slot(
	doctor_id text,
	specialty text,
	"from" timestamptz,
	branch_id text,
	duration integer,
	visit_type text,
	department_id text,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT appt_internal.first_slot_json(string_to_array($1, ','), $3, $2, $4,
		$5, $6, $7, $8);
END;

COMMENT ON FUNCTION appt_api.first_slot(text, text, timestamptz, text, integer,
	text, text, text) IS
	'As appt.first_available: a JSON array of one slot {doctor_id, branch_id, '
	'start_time, end_time}, or of none. doctor_id: one or several, with commas '
	'between; duration: minutes. Raises SB404, SB001';
