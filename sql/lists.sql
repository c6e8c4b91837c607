-- What a list asks of the caller and of what is around its rows it asks once,
-- not for each row: with thirty more rows it calls no more functions in SQL or
-- PL/pgSQL.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SET LOCAL track_functions = 'all';
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('DEL-01', 'Delhi', 'Asia/Kolkata');
INSERT INTO appt.department (department_id, name)
VALUES ('GEN', 'General medicine');
UPDATE appt.doctor SET department_id = 'GEN';
INSERT INTO appt.api_client (client_id, name, scopes, branch_ids, secret_hash)
VALUES ('all', 'All', appt_internal.all_scopes(), NULL, sha256('all')),
	('mumbai', 'Mumbai', appt_internal.all_scopes(), '{MUM-01}',
		sha256('mumbai'));
INSERT INTO appt.staff (staff_id, account, name, role, branch_ids,
	department_ids, password_hash)
VALUES ('desk', 'desk', 'Desk', 'reception', '{MUM-01,DEL-01}', '{GEN}',
	'$y$j9T$a$b');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'MUM-01', '2026-03-14', '20:00', '21:00');
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-15 22:00', '2026-03-15 23:00');
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-15 22:00', '2026-03-15 23:00');

SELECT status FROM appt.book('PAT-0', 'DOC-001', '2026-03-15 09:00',
	branch_id => 'MUM-01');

CREATE FUNCTION pg_temp.called() RETURNS bigint
	LANGUAGE sql
RETURN (SELECT sum(pg_stat_get_xact_function_calls(p.oid))
	FROM pg_proc p
	JOIN pg_language l ON l.oid = p.prolang
	WHERE l.lanname IN ('sql', 'plpgsql')
		AND p.pronamespace::regnamespace::text IN ('appt', 'appt_internal'));

CREATE TABLE pg_temp.list (name text, call text);
INSERT INTO pg_temp.list
VALUES ('doctors', 'doctors(NULL, NULL, NULL, NULL, 1, 100, $1)'),
	('doctors of a branch',
		'doctors(''MUM-01'', NULL, NULL, true, 1, 100, $1)'),
	('branches', 'branches(NULL, 1, 100, $1)'),
	('departments', 'departments(NULL, 1, 100, $1)'),
	('visit types', 'visit_types(NULL, 1, 100, $1)'),
	('weekly sessions', 'working_hours(''DOC-001'', NULL, ''2026-03-14'', '
		'NULL, 1, 100, $1)'),
	('extra sessions', 'extra_sessions(''DOC-001'', ''MUM-01'', NULL, NULL, '
		'1, 100, $1)'),
	('time off', 'time_off(''DOC-001'', ''2026-03-14'', NULL, 1, 100, $1)'),
	('closures', 'closures(''MUM-01'', ''2026-03-14'', NULL, 1, 100, $1)'),
	('patients', 'patients(NULL, NULL, NULL, 1, 100, $1)'),
	('patients by id', 'patients(NULL, NULL, NULL, 1, 100, $1,'
		' (SELECT string_agg(patient_id, '','') FROM appt.patient))'),
	('appointments', 'appointments(NULL, NULL, NULL, NULL, NULL, NULL, 1, 100,'
		' $1)'),
	('settings', 'settings(''MUM-01'', NULL, 1, 100, $1)');

CREATE FUNCTION pg_temp.asked(
	call text,
	client text,
	OUT rows bigint,
	OUT calls bigint)
	LANGUAGE plpgsql
AS $$
DECLARE
	before bigint := pg_temp.called();
BEGIN
	EXECUTE 'SELECT total FROM appt_api.list_' || call INTO rows USING client;
	calls := pg_temp.called() - before;
END
$$;

CREATE TABLE pg_temp.few AS
SELECT l.*, c.client, a.*
FROM pg_temp.list l, unnest('{all,mumbai,staff:desk}'::text[]) c (client),
	pg_temp.asked(l.call, c.client) a;

INSERT INTO appt.doctor (doctor_id, name, department_id)
SELECT 'DOC-' || n, 'Dr ' || n, 'GEN' FROM generate_series(101, 130) n;
INSERT INTO appt.branch (branch_id, name, time_zone)
SELECT 'B-' || n, 'Branch ' || n, 'Asia/Kolkata' FROM generate_series(1, 30) n;
INSERT INTO appt.department (department_id, name)
SELECT 'D-' || n, 'Department ' || n FROM generate_series(1, 30) n;
INSERT INTO appt.visit_type (visit_type, name)
SELECT 'v' || n, 'Visit ' || n FROM generate_series(1, 30) n;
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-' || n, CASE WHEN n % 3 = 0 THEN 'DEL-01' ELSE 'MUM-01' END, 1,
	'09:00', '10:00'
FROM generate_series(101, 130) n;
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time,
	end_time, valid_from, valid_to)
SELECT 'DOC-001', 'MUM-01', 1, '13:00', '14:00', date '2026-03-14' + n,
	date '2026-03-14' + n
FROM generate_series(1, 30) n;
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
SELECT 'DOC-001', 'MUM-01', date '2026-03-14' + n, '20:00', '21:00'
FROM generate_series(1, 30) n;
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
SELECT 'DOC-001', d, d + interval '1 hour'
FROM generate_series(timestamptz '2026-03-15', '2026-04-13', '1 day') d;
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
SELECT 'MUM-01', d, d + interval '1 hour'
FROM generate_series(timestamptz '2026-03-15', '2026-04-13', '1 day') d;

INSERT INTO appt.patient (patient_id, first_name, branch_id)
SELECT 'PAT-' || n, 'Patient ' || n, 'MUM-01' FROM generate_series(11, 40) n;
SELECT count(appt.book('PAT-' || 10 + n, 'DOC-001',
	timestamptz '2026-03-15 09:00' + n * interval '1 day',
	branch_id => 'MUM-01'))
FROM generate_series(1, 30) n;

SELECT f.name, f.client, f.rows AS few, m.rows AS many,
	m.calls - f.calls AS more_calls
FROM pg_temp.few f, pg_temp.asked(f.call, f.client) m
ORDER BY f.name, f.client;

ROLLBACK;
