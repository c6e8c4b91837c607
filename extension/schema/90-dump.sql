/* ---------------------------------------------------------------------------
 * Dump and restore: every row and every counter of the extension is the
 * clinic's, except the definitions of settings, which this script writes.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'appt'::pg_catalog.regnamespace
			AND c.relkind IN ('r', 'S')
			AND c.relname <> 'setting_definition'
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation, '');
	END LOOP;
END
$$;
