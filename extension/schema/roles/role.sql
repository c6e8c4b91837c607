\echo Use "CREATE EXTENSION bioecko_appt CASCADE" to load this file. \quit

/* To the end of the script: what others have put into schema public, such as
 * an operator, is not looked at. */
SET LOCAL search_path = pg_catalog, pg_temp;

/* ---------------------------------------------------------------------------
 * Names of patients and doctors are of every script, and JSON is UTF-8: no
 * other encoding holds them.  (So this script is ASCII: one that cannot be read
 * in the database's encoding would fail before it says why.)
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	encoding CONSTANT text := pg_catalog.getdatabaseencoding();
BEGIN
	IF encoding <> 'UTF8' THEN
		RAISE EXCEPTION 'database "%" has encoding %, not UTF8',
			pg_catalog.current_database(), encoding
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Make one: CREATE DATABASE clinic ENCODING ''UTF8'' '
					'LOCALE ''C.UTF-8'' TEMPLATE template0.';
	END IF;
	IF pg_catalog.lower(pg_catalog.chr(201)) <> pg_catalog.chr(233) THEN
		RAISE WARNING 'database "%" knows capital letters of ASCII alone',
			pg_catalog.current_database()
			USING DETAIL = 'Its LC_CTYPE is C: a search for a name finds it '
				'only as it is written where it has other letters.',
				HINT = 'Make one with LOCALE ''C.UTF-8'' or a language''s own, '
					'or go on where names are of ASCII.';
	END IF;
END
$$;

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
 * Roles.  Least privilege from the first day: each of those that people and
 * programs log in under owns nothing and is granted just what its work needs
 * (roles/grants.sql).  appt_owner, to whom all of it belongs (roles/owner.sql),
 * is nobody, and reads the server's statistics for appt.health().
 *
 * Roles belong to the cluster, so one that is there already is kept as it is,
 * and who is in it is said; but appt_owner must not be somebody's.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	role_name name;
	members text;
	usable text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['appt_owner', 'appt_admin',
		'appt_gateway', 'appt_relay', 'appt_reporting',
		'appt_reporting_contact']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role_name) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
		END IF;

		SELECT string_agg(m.member::regrole::text, ', '
			ORDER BY m.member::regrole::text) INTO members
		FROM pg_auth_members m
		WHERE m.roleid = role_name::text::regrole;
		IF members IS NOT NULL OR (
			SELECT r.rolcanlogin FROM pg_roles r WHERE r.rolname = role_name)
		THEN
			RAISE WARNING 'role "%" is there already', role_name
				USING DETAIL = concat('In it, for this database too: ',
					coalesce(members, 'itself, as it can log in'), '.'),
					HINT = 'Who may not come here: REVOKE CONNECT ON DATABASE.';
		END IF;
	END LOOP;

	SELECT concat_ws(', ',
		CASE WHEN r.rolcanlogin THEN 'can log in' END,
		CASE WHEN r.rolsuper OR r.rolcreaterole OR r.rolcreatedb
			OR r.rolreplication OR r.rolbypassrls
			THEN 'has attributes such as SUPERUSER or CREATEROLE' END,
		(SELECT 'has members: ' || string_agg(m.member::regrole::text, ', ')
		 FROM pg_auth_members m
		 WHERE m.roleid = r.oid),
		(SELECT 'is in roles: ' || string_agg(m.roleid::regrole::text, ', ')
		 FROM pg_auth_members m
		 WHERE m.member = r.oid
			AND m.roleid <> 'pg_read_all_stats'::regrole))
	INTO usable
	FROM pg_roles r
	WHERE r.rolname = 'appt_owner';
	IF usable <> '' THEN
		RAISE EXCEPTION 'role "appt_owner" is not the extension''s alone'
			USING ERRCODE = 'duplicate_object',
				DETAIL = format('It %s.', usable),
				HINT = 'All data of the clinic is to belong to it. See who '
					'made it; then drop it, or take away what is said here.';
	END IF;
	IF NOT pg_has_role('appt_owner', 'pg_read_all_stats', 'MEMBER') THEN
		GRANT pg_read_all_stats TO appt_owner;
	END IF;
END
$$;
