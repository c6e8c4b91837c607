-- Settings: scopes, bounds, and that they count at once.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT name, kind, default_value, min_value, max_value
FROM appt.setting_definition
WHERE name ~ '(_daily_limit|_id_prefix|_window_min)$'
	OR name IN ('hold_min', 'horizon_days', 'late_after_min', 'lead_time_min')
ORDER BY name;

-- The doctor's value before the branch's before the global one.
CREATE FUNCTION pg_temp.hold_min() RETURNS interval LANGUAGE sql
RETURN (SELECT h.hold_expires_at - appt.clock() FROM appt.hold('DOC-001',
	(SELECT min(start_time) FROM appt.available_slots('DOC-001',
	'2026-03-16'))) h);
SELECT pg_temp.hold_min();
INSERT INTO appt.setting (name, value) VALUES ('hold_min', '6');
SELECT pg_temp.hold_min();
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('hold_min', 'MUM-01', '7');
SELECT pg_temp.hold_min();
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('hold_min', 'DOC-001', '8');
SELECT pg_temp.hold_min();
DELETE FROM appt.setting WHERE branch_id IS NOT NULL;
SELECT pg_temp.hold_min();
DELETE FROM appt.setting WHERE doctor_id IS NOT NULL;
SELECT pg_temp.hold_min();
-- Another doctor's and another branch's do not count.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.branch (branch_id, name, time_zone, active)
VALUES ('LON-01', 'Marylebone', 'Europe/London', false);
INSERT INTO appt.setting (name, doctor_id, branch_id, value)
VALUES ('hold_min', 'DOC-002', NULL, '20'), ('hold_min', NULL, 'LON-01', '21');
SELECT pg_temp.hold_min();
TRUNCATE appt.setting;
SELECT pg_temp.hold_min();

-- The prefix of the ids.
INSERT INTO appt.setting (name, value)
VALUES ('appointment_id_prefix', 'VISIT'), ('patient_id_prefix', 'P');
SELECT pg_temp.book('PAT-1', '2026-03-17 09:00') ~ '^VISIT-2026-\d{6,}$';
INSERT INTO appt.patient (first_name) VALUES ('New')
RETURNING patient_id ~ '^P-2026-\d{5}$';

-- What does not fit is refused.
SELECT name, value, pg_temp.try(format(
	'INSERT INTO appt.setting (name, value) VALUES (%L, %L) RETURNING value',
	name, value))
FROM (VALUES (1, 'lead_time_min', '-1'), (2, 'lead_time_min', '525601'),
	(3, 'lead_time_min', 'soon'), (4, 'lead_time_min', ''),
	(5, 'lead_time_min', '1.5'), (6, 'lead_time_min', '1 1'),
	(7, 'lead_time_min', '99999999999'), (8, 'hold_min', '0'),
	(9, 'hold_min', '121'), (10, 'horizon_days', '0'),
	(11, 'horizon_days', '3651'), (12, 'no_such_setting', '1'),
	(13, 'lead_time_min', '525600'), (14, 'lead_time_min', '1'),
	(15, 'hold_min', NULL)) v (n, name, value)
ORDER BY n;
SELECT pg_temp.try($$UPDATE appt.setting SET value = 'apt'
	WHERE name = 'appointment_id_prefix'$$);
SELECT pg_temp.try($$INSERT INTO appt.setting
	(name, doctor_id, branch_id, value) VALUES ('hold_min', 'DOC-001', 'MUM-01', '5')$$);
SELECT pg_temp.try($$INSERT INTO appt.setting (name, doctor_id, value)
	VALUES ('hold_min', 'DOC-999', '5')$$);

-- The clock is for superusers alone.
CREATE ROLE regress_appt_admin IN ROLE appt_admin;
SET LOCAL ROLE regress_appt_admin;
SET LOCAL bioecko_appt.clock = '2026-03-20 12:00Z';
SET LOCAL bioecko_appt.allow_drop = on;
SET LOCAL bioecko_appt.nothing = on;
SELECT appt.clock();
RESET ROLE;

-- The clock is one instant for all of a statement, frozen or not.
SET LOCAL bioecko_appt.clock = '';
SELECT count(DISTINCT appt.clock()), bool_and(appt.clock() = statement_timestamp())
FROM generate_series(1, 10000);

ROLLBACK;
