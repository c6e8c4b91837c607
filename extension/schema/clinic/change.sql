/* ---------------------------------------------------------------------------
 * What happens whenever a row of the configuration changes, whoever changes it:
 * its version rises, and the sessions drop what they have cached.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.schedule_changed() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_schedule_changed';

COMMENT ON FUNCTION appt_internal.schedule_changed() IS
	'Statement trigger: at commit every backend drops what it cached of the '
	'configuration';

CREATE FUNCTION appt_internal.next_version() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.version := OLD.version + 1;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.next_version() IS
	'Row trigger: the version rises by one with each change';
