-- The reports' names and types are API: a change here is a change for every
-- dashboard. And who may read what.
SET jit = off;  -- small tables, great estimates

-- Every view with its columns.
SELECT c.relname AS view, a.attname AS column,
	format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'appt_report'::regnamespace
ORDER BY c.relname, a.attnum;

-- No type but the plain ones, and no column with an explanation that means
-- something else elsewhere.
SELECT c.relname, a.attname
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'appt_report'::regnamespace
	AND a.atttypid NOT IN ('text'::regtype, 'integer'::regtype,
		'bigint'::regtype, 'numeric'::regtype, 'boolean'::regtype,
		'date'::regtype, 'time'::regtype, 'timestamp'::regtype,
		'timestamptz'::regtype);
SELECT a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'appt_report'::regnamespace AND a.attnum > 0
GROUP BY a.attname
HAVING count(DISTINCT col_description(c.oid, a.attnum)) > 1
	OR count(DISTINCT a.atttypid) > 1;

-- psql's \d+ explains every column of every table and view of ours.
SELECT c.oid::regclass, a.attname
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	AND NOT a.attisdropped
WHERE c.relnamespace::regnamespace::text ~ '^appt'
	AND c.relkind IN ('r', 'v', 'm')
	AND col_description(c.oid, a.attnum) IS NULL;

-- appt_reporting: the views without contact, and no other relation of any
-- schema of ours, no sequence, no write.
SELECT c.oid::regclass AS readable
FROM pg_class c
WHERE c.relnamespace::regnamespace::text ~ '^appt'
	AND c.relkind IN ('r', 'v', 'm', 'S')
	AND CASE c.relkind
		WHEN 'S' THEN has_sequence_privilege('appt_reporting', c.oid,
			'SELECT, USAGE, UPDATE')
		ELSE has_any_column_privilege('appt_reporting', c.oid, 'SELECT')
	END
ORDER BY c.oid::regclass::text;
SELECT c.oid::regclass AS more_for_contact
FROM pg_class c
WHERE c.relnamespace::regnamespace::text ~ '^appt'
	AND c.relkind IN ('r', 'v', 'm')
	AND has_any_column_privilege('appt_reporting_contact', c.oid, 'SELECT')
	AND NOT has_any_column_privilege('appt_reporting', c.oid, 'SELECT')
ORDER BY c.oid::regclass::text;
SELECT r.role, c.oid::regclass AS writable
FROM pg_class c
CROSS JOIN (VALUES ('appt_reporting'), ('appt_reporting_contact')) r (role)
WHERE c.relnamespace::regnamespace::text ~ '^appt'
	AND c.relkind IN ('r', 'v', 'm')
	AND (has_any_column_privilege(r.role, c.oid, 'INSERT, UPDATE, REFERENCES')
		OR has_table_privilege(r.role, c.oid, 'DELETE, TRUNCATE, TRIGGER'));
SELECT n AS schema, has_schema_privilege('appt_reporting', n, 'USAGE') AS use,
	has_schema_privilege('appt_reporting', n, 'CREATE') AS "create",
	has_schema_privilege('appt_reporting_contact', n, 'USAGE') AS contact_use
FROM unnest(ARRAY['appt', 'appt_api', 'appt_relay', 'appt_report',
	'appt_internal']) n;

-- What a column could tell about a person is in none of the views without
-- contact.
SELECT table_name, column_name
FROM information_schema.columns
WHERE table_schema = 'appt_report'
	AND table_name NOT LIKE '%\_contact'
	AND column_name ~ ('(first|last|patient)_name|birth|phone|email|address|'
		'abha|notes|reason|url|secret')
	AND column_name <> 'disabled_reason';

-- As the roles see it.
BEGIN;
SET LOCAL ROLE appt_reporting;
SELECT count(*) >= 0 AS readable FROM appt_report.appointment;
SELECT count(*) >= 0 AS readable FROM appt_report.utilisation;
SELECT count(*) >= 0 AS readable FROM appt_report.queue_now;
SELECT count(*) > 10 AS checks FROM appt_report.health;
SAVEPOINT s;
SELECT * FROM appt_report.patient_contact;
ROLLBACK TO s;
SELECT * FROM appt.patient;
ROLLBACK TO s;
SELECT * FROM appt.queue('DOC-001');
ROLLBACK TO s;
SET LOCAL ROLE appt_reporting_contact;
SELECT count(*) >= 0 AS readable FROM appt_report.patient_contact;
SELECT count(*) >= 0 AS readable FROM appt_report.appointment_contact;
SELECT count(*) >= 0 AS readable FROM appt_report.queue_now;
SELECT notes FROM appt.appointment;
ROLLBACK;
