/* ---------------------------------------------------------------------------
 * The rule for texts (clinic/text.sql) holds in each table that a person fills:
 * those that appt_admin writes, and what the functions for API clients and
 * webhooks write.  Left out is what programs write, whose texts are clean.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT c.oid
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'appt'::pg_catalog.regnamespace
			AND c.relkind = 'r'
			AND (pg_catalog.has_any_column_privilege('appt_admin', c.oid,
					'INSERT, UPDATE')
				OR c.relname IN ('board', 'webhook'))
			AND EXISTS (
				SELECT
				FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = c.oid
					AND a.atttypid = 'text'::pg_catalog.regtype)
		ORDER BY c.relname
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER clean_texts BEFORE INSERT OR UPDATE ON %s '
			'FOR EACH ROW EXECUTE FUNCTION appt_internal.clean_texts()',
			relation);
	END LOOP;
END
$$;
