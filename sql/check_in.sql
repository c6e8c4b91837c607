-- When a patient may check in: round midnight, and as the settings say.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Dr Night works to midnight and on from there.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-N', 'Dr Night');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-N', 'MUM-01', d, s, e
FROM generate_series(1, 7) d,
	(VALUES (time '20:00', time '24:00'), ('00:00', '04:00')) v (s, e);
CREATE FUNCTION pg_temp.night(patient text, at timestamptz) RETURNS text
	LANGUAGE sql
RETURN (SELECT appointment_id FROM appt.book(patient, 'DOC-N', at));
CREATE FUNCTION pg_temp.can(call text, id text) RETURNS text LANGUAGE sql
RETURN pg_temp.try(format('SELECT (appt.%I(%L)).status', call, id));

SELECT pg_temp.night('PAT-1', '2026-03-17 00:15') AS early \gset
SELECT pg_temp.night('PAT-2', '2026-03-16 23:45') AS late \gset
SELECT pg_temp.night('PAT-3', '2026-03-16 23:30') AS missed \gset
SELECT pg_temp.night('PAT-4', '2026-03-16 20:00') AS evening \gset

-- For 00:15 from two hours before on, though that is the day before.
SET LOCAL bioecko_appt.clock = '2026-03-16 22:14:59+05:30';
SELECT pg_temp.can('check_in', :'early');
SET LOCAL bioecko_appt.clock = '2026-03-16 23:50+05:30';
SELECT pg_temp.can('check_in', :'early');
SELECT pg_temp.can('undo_check_in', :'early');
SELECT pg_temp.can('check_in', :'early');

-- For 23:45 at five past twelve; then all else of the visit.
SET LOCAL bioecko_appt.clock = '2026-03-17 00:05+05:30';
SELECT pg_temp.can('check_in', :'late');
SELECT pg_temp.can('undo_check_in', :'late');
SELECT pg_temp.can('check_in', :'late');
SELECT pg_temp.can('no_show', :'missed');
SELECT pg_temp.can('check_in', :'missed');
-- Who is still there from the evening is called before those of the night.
SELECT appointment_id = :'late' AS late, status FROM appt.call_next('DOC-N');
SELECT pg_temp.can('complete', :'late');
SELECT appointment_id = :'missed' AS missed FROM appt.call_next('DOC-N');
SELECT pg_temp.can('complete', :'missed');
SELECT appointment_id = :'early' AS early, token_date
FROM appt.call_next('DOC-N');
SELECT appt.call_next('DOC-N') IS NULL AS nobody;

-- After that only while others of the evening are still there.
SET LOCAL bioecko_appt.clock = '2026-03-16 23:58+05:30';
SELECT pg_temp.night('PAT-5', '2026-03-17 20:00') AS first \gset
SELECT pg_temp.night('PAT-6', '2026-03-17 23:45') AS last \gset
SET LOCAL bioecko_appt.clock = '2026-03-18 00:30+05:30';
SELECT pg_temp.can('check_in', :'first');
SELECT pg_temp.can('check_in', :'last');
SELECT pg_temp.can('check_in', :'first');
SELECT pg_temp.can('complete', :'last');
SELECT pg_temp.can('undo_check_in', :'first');
-- Who was forgotten keeps no day open for ever, and is not called.
SELECT pg_temp.night('PAT-7', '2026-03-18 20:00') AS forgotten \gset
SELECT pg_temp.night('PAT-8', '2026-03-18 20:15') AS absent \gset
SET LOCAL bioecko_appt.clock = '2026-03-18 20:00+05:30';
SELECT pg_temp.can('check_in', :'forgotten');
SET LOCAL bioecko_appt.clock = '2026-03-19 12:00+05:30';
SELECT pg_temp.can('check_in', :'absent');
SELECT pg_temp.can('no_show', :'absent');
SET LOCAL bioecko_appt.clock = '2026-03-20 00:01+05:30';
SELECT pg_temp.can('check_in', :'absent');
SELECT appt.call_next('DOC-N') IS NULL AS nobody;

-- A setting: for all, a branch, a doctor.
SELECT pg_temp.night('PAT-1', '2026-03-21 00:15') AS wide \gset
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('check_in_before_min', 'MUM-01', '15');
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('check_in_before_min', 'DOC-N', '30');
SET LOCAL bioecko_appt.clock = '2026-03-20 23:44:59+05:30';
SELECT pg_temp.can('check_in', :'wide');
SET LOCAL bioecko_appt.clock = '2026-03-20 23:45+05:30';
SELECT pg_temp.can('check_in', :'wide');
INSERT INTO appt.setting (name, value) VALUES ('check_in_before_min', '0');
SELECT pg_temp.try($$INSERT INTO appt.setting (name, doctor_id, value)
	VALUES ('check_in_before_min', 'DOC-001', '1441')$$);

-- The day is the branch's, also where it has 23 hours.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'LON-01', '2026-03-29', '09:00', '10:00');
SELECT appointment_id AS london FROM appt.book('PAT-2', 'DOC-001',
	'2026-03-29 09:00+01', branch_id => 'LON-01') \gset
SET LOCAL bioecko_appt.clock = '2026-03-28 23:59:59+00';
SELECT pg_temp.can('check_in', :'london');
SET LOCAL bioecko_appt.clock = '2026-03-29 23:59:59+01';
SELECT pg_temp.can('check_in', :'london');
SET LOCAL bioecko_appt.clock = '2026-03-30 00:00+01';
SELECT pg_temp.can('undo_check_in', :'london');

ROLLBACK;
