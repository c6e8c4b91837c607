/* ---------------------------------------------------------------------------
 * Whose it is.  A function that runs with its owner's rights must not run with
 * a superuser's, so all of this belongs to appt_owner, whom nobody is.
 *
 * The schemas stay with the superuser: who owns the objects in a schema, but
 * may not create in it, cannot put another function in the place of one that
 * somebody else runs.  So does the event trigger, which only a superuser can
 * own, and its function, which every DROP of a superuser runs.  Sequences go
 * with the tables that own them, and so do row types and their arrays, which
 * PostgreSQL 17 counts among an extension's objects.
 *
 * What an upgrade script creates it hands over itself, in the same way.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	member record;
BEGIN
	FOR member IN
		SELECT o.type, o.identity
		FROM pg_extension e
		JOIN pg_depend d ON d.refobjid = e.oid
			AND d.refclassid = 'pg_extension'::regclass
			AND d.deptype = 'e'
		CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
		WHERE e.extname = 'bioecko_appt'
			AND o.type NOT IN ('schema', 'event trigger', 'sequence')
			AND o.identity <> 'appt_internal.drop_guard()'
			AND NOT EXISTS (
				SELECT FROM pg_type t
				LEFT JOIN pg_class c ON c.oid = t.typrelid
				WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid
					AND (c.relkind <> 'c' OR t.typcategory = 'A'))
		ORDER BY o.type, o.identity
	LOOP
		EXECUTE format('ALTER %s %s OWNER TO appt_owner',
			member.type, member.identity);
	END LOOP;
END
$$;
