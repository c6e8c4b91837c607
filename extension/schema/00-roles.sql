\echo Use "CREATE EXTENSION bioecko_appt CASCADE" to load this file. \quit

/* ---------------------------------------------------------------------------
 * A schema appt that an ordinary user made before would stay theirs, and with
 * it a place for functions that ours could take for their own.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	schema_owner name;
BEGIN
	SELECT r.rolname INTO schema_owner
	FROM pg_catalog.pg_namespace n
	JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
	WHERE n.nspname = 'appt'
		AND NOT r.rolsuper
		AND r.rolname <> current_user;

	IF FOUND THEN
		RAISE EXCEPTION 'schema "appt" belongs to role "%"', schema_owner
			USING ERRCODE = 'duplicate_schema',
				HINT = 'Look at what is in it, and drop or rename it.';
	END IF;
END
$$;

/* ---------------------------------------------------------------------------
 * Roles.  Least privilege from the first day: each owns nothing and is granted
 * just what its work needs (97-grants.sql).  Roles belong to the cluster, so
 * one that is there already is kept as it is.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	role_name name;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['appt_admin', 'appt_gateway',
		'appt_relay', 'appt_reporting', 'appt_reporting_contact']
	LOOP
		IF NOT EXISTS (
			SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name)
		THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
		END IF;
	END LOOP;
END
$$;

CREATE SCHEMA appt_api;

COMMENT ON SCHEMA appt_api IS
	'The JSON form of schema appt, for the HTTP gateway alone';
