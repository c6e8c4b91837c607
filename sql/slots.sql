-- Which slots are offered, one rule after another.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Two sessions a day; the break between them offers nothing.
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');

-- A duration changes the length, not the grid; all of it must fit.
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 50);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 60);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 61);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 5);

-- A visit type has a length of its own, and no other.
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', visit => 'procedure');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', visit => 'procedure',
	duration => 30);
SELECT pg_temp.try($$SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16',
	visit => 'procedure', duration => 45)$$);

-- The grid is the session's, else the doctor's, else the branch's.
SAVEPOINT grid;
UPDATE appt.doctor SET slot_min = 20;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
UPDATE appt.working_hours SET slot_min = 25 WHERE start_time = '11:00';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO grid;

-- What is booked, held or moved away; a cancelled slot is offered again.
SELECT pg_temp.book('PAT-1', '2026-03-16 09:15') AS a \gset
SELECT appointment_id AS h FROM appt.hold('DOC-001', '2026-03-16 09:45') \gset
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
SELECT count(*) FROM appt.reschedule(:'a', '2026-03-16 11:30');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT count(*) FROM appt.cancel(:'a', 'Patient asked');
SELECT appt.release(:'h');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');

-- Several patients in a slot, by design.
SAVEPOINT capacity;
UPDATE appt.working_hours SET capacity = 3 WHERE start_time = '09:00';
SELECT count(pg_temp.book('PAT-' || n, '2026-03-16 09:30'))
FROM generate_series(1, 2) n;
SELECT count(pg_temp.book('PAT-' || n, '2026-03-16 09:45'))
FROM generate_series(1, 3) n;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
-- A longer slot has the places that all of it has.
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
-- What was booked counts also after the capacity was lowered.
UPDATE appt.working_hours SET capacity = 2 WHERE start_time = '09:00';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO capacity;

-- Buffers: the doctor's, or the visit type's; between two appointments lies
-- the larger of the one's buffer after and the other's before.
SAVEPOINT buffers;
UPDATE appt.doctor SET buffer_after_min = 20;
SELECT pg_temp.book('PAT-1', '2026-03-16 11:15') AS b \gset
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
UPDATE appt.visit_type SET buffer_before_min = 0, buffer_after_min = 0;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16',
	visit => 'new_consultation');
UPDATE appt.visit_type SET buffer_before_min = 25;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16',
	visit => 'new_consultation', duration => 5);
-- An appointment keeps the buffers that it was booked with.
UPDATE appt.doctor SET buffer_after_min = 0;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO buffers;

-- The past, the lead time and the horizon. Now it is 12:00 on the 14th.
SET LOCAL bioecko_appt.clock = '2026-03-16 09:30+05:30';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SET LOCAL bioecko_appt.clock = '2026-03-16 09:30:00.001+05:30';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SAVEPOINT rules;
INSERT INTO appt.setting (name, value) VALUES ('lead_time_min', '90');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
INSERT INTO appt.setting (name, value) VALUES ('horizon_days', '2');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-15', to_day => '2026-03-31');
ROLLBACK TO rules;
SELECT count(*) AS in_90_days FROM pg_temp.slots('DOC-001', '2026-06-14');
SELECT count(*) AS in_91_days FROM pg_temp.slots('DOC-001', '2026-06-15');
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';

-- The doctor's daily limit: holds count, cancelled ones do not.
SAVEPOINT daily_limit;
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('doctor_daily_limit', 'DOC-001', '2');
SELECT count(pg_temp.book('PAT-1', '2026-03-16 09:00'));
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT count(appt.hold('DOC-001', '2026-03-16 09:15'));
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', to_day => '2026-03-17');
SET LOCAL bioecko_appt.clock = '2026-03-14 12:06+05:30';
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO daily_limit;

-- Hours that begin and end; from Tuesday on the doctor comes later.
SAVEPOINT validity;
UPDATE appt.working_hours SET valid_to = '2026-03-16';
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time,
	end_time, valid_from, valid_to)
SELECT 'DOC-001', 'MUM-01', d, '16:00', '16:30', '2026-03-17', '2026-03-18'
FROM generate_series(1, 7) d;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-14', to_day => '2026-03-31');
ROLLBACK TO validity;

-- An extra session, beside the weekly ones and over one of them: nothing twice.
SAVEPOINT extra;
INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time,
	end_time, slot_min, capacity)
VALUES ('DOC-001', 'MUM-01', '2026-03-16', '14:00', '14:40', 20, 1),
	('DOC-001', 'MUM-01', '2026-03-16', '09:30', '10:30', NULL, 1);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', to_day => '2026-03-17');
-- A slot may lie in either session, and only one of the two is given away.
SELECT count(pg_temp.book('PAT-1', '2026-03-16 09:45'));
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 45);
ROLLBACK TO extra;
-- The more particular decides: within weekly hours an extra session has places
-- and a grid of its own, and what is left of the hours ends at it.
INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time,
	end_time, slot_min, capacity)
VALUES ('DOC-001', 'MUM-01', '2026-03-16', '09:20', '09:40', 10, 2);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 20);
SELECT p, pg_temp.try(format('SELECT status FROM appt.book(%L, %L, %L)',
	'PAT-' || p, 'DOC-001', '2026-03-16 09:30'))
FROM generate_series(1, 3) p;
SELECT t, appt.explain_slot('DOC-001', ('2026-03-16 ' || t)::timestamptz,
	visit_type => v)
FROM (VALUES ('09:00', NULL), ('09:15', NULL), ('09:20', 'procedure'),
	('09:20', NULL), ('09:25', NULL), ('09:40', NULL), ('09:45', NULL))
	x (t, v);
-- Fewer places than the hours have, likewise.
UPDATE appt.working_hours SET capacity = 3;
UPDATE appt.extra_session SET capacity = 1;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 20);
ROLLBACK TO extra;

-- Hours that go on at midnight: a slot across it is offered on the day on which
-- it begins, if the next day has as many places.
SAVEPOINT midnight;
UPDATE appt.working_hours SET start_time = '23:00', end_time = '24:00'
WHERE start_time = '11:00';
UPDATE appt.working_hours SET start_time = '00:00', end_time = '00:30'
WHERE start_time = '09:00';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30,
	to_day => '2026-03-17');
SELECT token_date, pg_temp.try(format('SELECT appt.explain_slot(%L, %L, %L)',
	'DOC-001', '2026-03-17 00:00', '2026-03-17 00:30'))
FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 23:45', '2026-03-17 00:15');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30,
	to_day => '2026-03-17');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-17', duration => 60);
SELECT appt.explain_slot('DOC-001', '2026-03-17 23:45', '2026-03-18 00:45');
UPDATE appt.working_hours SET capacity = 2
WHERE start_time = '00:00' AND weekday = 3;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-17', duration => 30);
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-19 00:00', '2026-03-19 00:10');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-18', duration => 30,
	to_day => '2026-03-19');
ROLLBACK TO midnight;

-- Time off: half-open, part of a day, or days.
SAVEPOINT time_off;
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-16 09:10', '2026-03-16 09:30'),
	('DOC-001', '2026-03-17 00:00', '2026-03-19 11:30');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', to_day => '2026-03-20');
ROLLBACK TO time_off;

-- A closure takes the whole branch's day or part of it.
SAVEPOINT closure;
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-16 00:00', '2026-03-17 00:00'),
	('MUM-01', '2026-03-17 09:30', '2026-03-17 11:15');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', to_day => '2026-03-17');
ROLLBACK TO closure;

-- Up to 31 days at once, each day as if it were asked for alone.
SELECT count(*), count(DISTINCT start_time), min(start_time), max(end_time)
FROM appt.available_slots('DOC-001', '2026-03-16', to_date => '2026-04-15');
SELECT count(*) AS differing
FROM (
	(SELECT * FROM appt.available_slots('DOC-001', '2026-03-16',
		to_date => '2026-04-15')
	EXCEPT ALL
	SELECT s.*
	FROM generate_series(date '2026-03-16', '2026-04-15', interval '1 day') d,
		appt.available_slots('DOC-001', d::date) s)
	UNION ALL
	(SELECT s.*
	FROM generate_series(date '2026-03-16', '2026-04-15', interval '1 day') d,
		appt.available_slots('DOC-001', d::date) s
	EXCEPT ALL
	SELECT * FROM appt.available_slots('DOC-001', '2026-03-16',
		to_date => '2026-04-15'))) x;
SELECT pg_temp.try(format('SELECT count(*) FROM appt.available_slots('
	'%L, %L, to_date => %L)', 'DOC-001', '2026-03-16', d))
FROM unnest('{2026-04-16,2026-03-15,infinity}'::text[]) d;
SELECT d, pg_temp.try(format(
	'SELECT count(*) FROM appt.available_slots(%L, %L)', 'DOC-001', d))
FROM unnest('{-infinity,infinity,0001-01-01,9999-12-31,5874897-12-31,
	4713-01-01 BC}'::text[]) d;

-- Two branches: without one named, both; the zone of each is its own.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London'),
	('OLD-01', 'Closed for good', 'Europe/London');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-001', 'LON-01', 1, '13:00', '14:00'),
	('DOC-001', 'OLD-01', 1, '15:00', '16:00');
UPDATE appt.branch SET active = false WHERE branch_id = 'OLD-01';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', 'LON-01');
-- An appointment at one branch takes the doctor from the other.
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'LON-01', '2026-03-16', '05:30', '06:00');
SELECT count(appt.book('PAT-1', 'DOC-001', '2026-03-16 11:15',
	branch_id => 'MUM-01'));
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');

-- The answer does not depend on the session's own time zone.
SET LOCAL timezone = 'Pacific/Auckland';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SET LOCAL timezone = 'Asia/Kolkata';

-- What is not there.
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-999', '2026-03-16')$$);
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-001', '2026-03-16', 'PAR-01')$$);
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-001', '2026-03-16', 'OLD-01')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.available_slots('DOC-001',
	'2026-03-16', visit_type => 'dance')$$);
SELECT duration, pg_temp.try(format('SELECT count(*) FROM appt.available_slots(
	''DOC-001'', ''2026-03-16'', duration_min => %s)', duration)) AS of_slots,
	pg_temp.try(format('SELECT start_time FROM appt.first_available(
		ARRAY[''DOC-001''], duration_min => %s)', duration)) AS first
FROM unnest(ARRAY[-1, 0, 4, 5, 481]) duration;
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots(NULL, '2026-03-16')$$);
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-001', NULL)$$);
UPDATE appt.doctor SET active = false;
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-001', '2026-03-16')$$);

ROLLBACK;
