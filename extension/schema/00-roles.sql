\echo Use "CREATE EXTENSION bioecko_appt CASCADE" to load this file. \quit

/* ---------------------------------------------------------------------------
 * Roles.  Least privilege from the first day: each of the four owns nothing
 * and is granted, file by file, just what its work needs.  Roles belong to
 * the cluster, so one that is there already is kept as it is.
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

REVOKE ALL ON SCHEMA appt FROM PUBLIC;
REVOKE ALL ON SCHEMA appt_api FROM PUBLIC;
GRANT USAGE ON SCHEMA appt TO appt_admin, appt_gateway, appt_relay;
GRANT USAGE ON SCHEMA appt_api TO appt_gateway;
