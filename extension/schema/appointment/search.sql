/* ---------------------------------------------------------------------------
 * The first free slot among several doctors.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.first_available(
	doctor_ids text[] DEFAULT NULL,
	from_time timestamptz DEFAULT NULL,
	specialty text DEFAULT NULL,
	branch_id text DEFAULT NULL,
	duration_min integer DEFAULT NULL,
	visit_type text DEFAULT NULL,
	department_id text DEFAULT NULL,
	OUT doctor_id text,
	OUT branch_id text,
	OUT start_time timestamptz,
	OUT end_time timestamptz)
	RETURNS record
	LANGUAGE c STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_first_available';

COMMENT ON FUNCTION appt.first_available(text[], timestamptz, text, text,
	integer, text, text) IS
	'The earliest free slot from from_time (default: now) on, among the '
	'doctors named or, without names, those of a specialty, of a department or '
	'of both; all NULL if there is none within the booking horizon. '
	'duration_min: minutes, as in appt.available_slots. Raises SB404, SB001';
