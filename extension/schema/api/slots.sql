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
	'JSON array of free slots, as appt.available_slots for one branch; a '
	'visit_type brings its own length and buffers. Raises SB404, SB001, SB002';
