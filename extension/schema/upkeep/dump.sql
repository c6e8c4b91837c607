/* ---------------------------------------------------------------------------
 * Dump and restore: every row and every counter of the extension is the
 * clinic's.  Left out are the definitions of settings, which this script
 * writes, and what belongs to the running gateways: their signing keys, which
 * a dump must not carry away, with them the tokens revoked, and who is signed
 * in.
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
				('setting_definition', 'signing_key', 'revoked_token',
				 'staff_sign_in')
		ORDER BY c.relname
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation, '');
	END LOOP;
END
$$;

/* --- pg_restore --jobs, which loads them in any order -------------------- */

CREATE FUNCTION appt_internal.refers_to_empty(relation oid) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	referred regclass;
	is_empty boolean;
BEGIN
	FOR referred IN
		SELECT DISTINCT k.confrelid
		FROM pg_constraint k
		WHERE k.conrelid = relation
			AND k.contype = 'f'
			AND k.confrelid <> relation
	LOOP
		EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', referred)
			INTO is_empty;
		IF is_empty THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;

COMMENT ON FUNCTION appt_internal.refers_to_empty(oid) IS
	'Whether a table that a foreign key of this one refers to has no row';

CREATE FUNCTION appt_internal.restore_unordered() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_restore_unordered';

COMMENT ON FUNCTION appt_internal.restore_unordered() IS
	'Statement trigger: while a table that this one refers to is empty, what '
	'a restore loads is taken without triggers and foreign keys, because '
	'several jobs load tables in any order';

DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT DISTINCT k.conrelid
		FROM pg_catalog.pg_constraint k
		WHERE k.connamespace = 'appt'::pg_catalog.regnamespace
			AND k.contype = 'f'
		ORDER BY k.conrelid
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER restore_unordered BEFORE INSERT ON %s '
			'FOR EACH STATEMENT EXECUTE FUNCTION '
			'appt_internal.restore_unordered()', relation);
	END LOOP;
END
$$;

/* --- a subscriber, whose sessions keep the schedule cached, too ----------- */

CREATE FUNCTION appt_internal.schedule_replicated() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_schedule_replicated';

COMMENT ON FUNCTION appt_internal.schedule_replicated() IS
	'Row trigger of a subscriber: as appt_internal.schedule_changed, for what '
	'logical replication writes, which fires no statement trigger';

DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOR relation IN
		SELECT t.tgrelid
		FROM pg_catalog.pg_trigger t
		JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
		WHERE t.tgname = 'schedule_changed'
			AND c.relnamespace = 'appt'::pg_catalog.regnamespace
		ORDER BY t.tgrelid
	LOOP
		EXECUTE pg_catalog.format(
			'ALTER TABLE %s ENABLE ALWAYS TRIGGER schedule_changed', relation);
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER schedule_replicated '
			'AFTER INSERT OR UPDATE OR DELETE ON %s '
			'FOR EACH ROW EXECUTE FUNCTION appt_internal.schedule_replicated()',
			relation);
		EXECUTE pg_catalog.format(
			'ALTER TABLE %s ENABLE REPLICA TRIGGER schedule_replicated',
			relation);
	END LOOP;
END
$$;
