/* ---------------------------------------------------------------------------
 * The queue for the gateway.
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
