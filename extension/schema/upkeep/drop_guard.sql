/* ---------------------------------------------------------------------------
 * DROP EXTENSION does not take the clinic's data along without being asked.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.drop_guard() RETURNS event_trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_drop_guard';

COMMENT ON FUNCTION appt_internal.drop_guard() IS
	'Event trigger: refuses to drop this extension while it holds patients or '
	'appointments, unless bioecko_appt.allow_drop is on; raises 2BP01';

CREATE EVENT TRIGGER appt_drop_guard ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED')
	EXECUTE FUNCTION appt_internal.drop_guard();

COMMENT ON EVENT TRIGGER appt_drop_guard IS
	'Keeps DROP from taking the clinic''s data along';
