/* ---------------------------------------------------------------------------
 * Dump and restore: every row and every counter of the extension is the
 * clinic's.  Left out are the definitions of settings, which this script
 * writes, and what belongs to the running gateways: their signing keys, which
 * a dump must not carry away, and with them the tokens revoked.
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
			AND c.relname NOT IN
				('setting_definition', 'signing_key', 'revoked_token')
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation, '');
	END LOOP;
END
$$;
