-- A trigger function is for the tables and events of the extension alone:
-- nobody else may hang one on a table of his own, and whoever may (a superuser)
-- gets an error for each other table, level and event.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE SCHEMA bait;
CREATE VIEW bait.trigger_function AS
SELECT p.oid::regprocedure::text AS call, p.proname, p.prolang, p.prorettype
FROM pg_proc p
WHERE p.pronamespace = 'appt_internal'::regnamespace
	AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype);
SELECT count(*) > 10 AS many FROM bait.trigger_function;

-- Everything that the functions look for.
CREATE TABLE bait.other (doctor_id text, branch_id text,
	starts_at timestamptz, ends_at timestamptz,
	created_at timestamptz DEFAULT 'infinity');
CREATE TABLE bait.time_off (LIKE bait.other INCLUDING ALL);
SELECT pg_temp.book('PAT-1', '2026-03-16 09:00') IS NOT NULL AS booked;

-- What comes of hanging a function on a table and writing to it.
CREATE FUNCTION bait.hang(call text, target text, moment text, level text)
	RETURNS text
	LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER bait %s ON %s FOR EACH %s EXECUTE FUNCTION '
		'%s', moment, target, level, call);
	EXECUTE format('INSERT INTO %s VALUES (''DOC-001'', NULL, '
		'''2026-03-16 00:00'', ''2026-03-17 00:00'')', target);
	EXECUTE format('UPDATE %s SET ends_at = ''2026-03-18 00:00''', target);
	EXECUTE format('DELETE FROM %s', target);
	RAISE EXCEPTION USING ERRCODE = 'P0099';
EXCEPTION
	WHEN insufficient_privilege THEN RETURN 'denied';
	WHEN SQLSTATE '39P01' THEN RETURN 'refused: ' || SQLERRM;
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
GRANT USAGE ON SCHEMA bait TO PUBLIC;
GRANT EXECUTE ON FUNCTION bait.hang(text, text, text, text) TO PUBLIC;

SELECT replace(bait.hang(f.call, t.name, m.moment, l.level), f.proname, '…')
	AS outcome, count(DISTINCT f.proname) >= 3 AS functions,
	count(*) = 8 * count(DISTINCT f.proname) AS every_time
FROM bait.trigger_function f
JOIN pg_language n ON n.oid = f.prolang AND n.lanname = 'c'
CROSS JOIN (VALUES ('bait.other'), ('bait.time_off')) t (name)
CROSS JOIN (VALUES ('BEFORE INSERT OR UPDATE OR DELETE'),
	('AFTER INSERT OR UPDATE OR DELETE')) m (moment)
CROSS JOIN (VALUES ('ROW'), ('STATEMENT')) l (level)
WHERE f.prorettype = 'trigger'::regtype
GROUP BY 1
ORDER BY 1;

-- Nor on the right table for another event.
CREATE TRIGGER bait AFTER DELETE ON appt.time_off
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.absence_check();
DELETE FROM appt.time_off;
DROP TRIGGER bait ON appt.time_off;
CREATE TRIGGER bait BEFORE DELETE ON appt.time_off
	FOR EACH ROW EXECUTE FUNCTION appt_internal.absence_lock();
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-04-16', '2026-04-17');
DELETE FROM appt.time_off;

-- They are no functions to call.
CREATE FUNCTION bait.call(call text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'called';
EXCEPTION
	WHEN insufficient_privilege THEN RETURN 'denied';
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
GRANT EXECUTE ON FUNCTION bait.call(text) TO PUBLIC;
SELECT prorettype::regtype, bait.call(call), count(*) > 0 AS some
FROM bait.trigger_function
GROUP BY 1, 2
ORDER BY 1, 2;

-- And nobody but the owner may execute one.
CREATE ROLE regress_appt_all
	IN ROLE appt_admin, appt_gateway, appt_relay, appt_reporting_contact;
CREATE TABLE bait.own (LIKE bait.other INCLUDING ALL);
GRANT CREATE ON SCHEMA bait TO regress_appt_all;
ALTER TABLE bait.own OWNER TO regress_appt_all;
GRANT SELECT ON bait.trigger_function TO PUBLIC;
SET ROLE regress_appt_all;
SELECT bait.hang(call, 'bait.own', 'BEFORE INSERT', level), count(*) > 0
FROM bait.trigger_function
CROSS JOIN (VALUES ('ROW'), ('STATEMENT')) l (level)
WHERE prorettype = 'trigger'::regtype
GROUP BY 1;
SELECT bait.call(call), count(*) > 0
FROM bait.trigger_function
GROUP BY 1;
ROLLBACK;
