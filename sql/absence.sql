-- Time off and closures over what is booked: refused with the list, or displaced
-- in one transaction, with events.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Steps of the test that do not touch each other: each is taken back.
CREATE FUNCTION pg_temp.day() RETURNS TABLE (patient text, status text,
	slot text, token text, version integer, reason text) LANGUAGE sql
AS $$
	SELECT a.patient_id, a.status, to_char(a.slot_start, 'DD HH24:MI-')
		|| to_char(a.slot_end, 'HH24:MI'), to_char(a.token_date, 'DD #')
		|| a.token_number, a.version, a.reason
	FROM appt.appointment a ORDER BY a.appointment_no
$$;
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-002', 'MUM-01', d, '09:00', '10:00' FROM generate_series(1, 7) d;
SELECT count(pg_temp.book(p, at)) FROM (VALUES ('PAT-1',
	timestamptz '2026-03-16 09:00'), ('PAT-2', '2026-03-16 09:15'),
	('PAT-3', '2026-03-16 11:00'), ('PAT-4', '2026-03-17 09:00')) v (p, at);
SELECT count(pg_temp.book('PAT-5', '2026-03-16 09:00', 'DOC-002'));
SELECT count(appt.hold('DOC-001', '2026-03-16 09:30'));

-- Refused, however it is written, with those affected and when.
CREATE FUNCTION pg_temp.try_list(statement text) RETURNS text LANGUAGE sql
RETURN regexp_replace(pg_temp.try(statement), 'APT-2026-\d+', 'APT-…', 'g');
SELECT pg_temp.try_list(statement) FROM unnest(ARRAY[
	'SELECT displaced FROM appt.add_time_off(''DOC-001'', ''2026-03-16'', '
		'''2026-03-17'')',
	'SELECT displaced FROM appt.add_closure(''MUM-01'', ''2026-03-16'', '
		'''2026-03-17'')',
	'INSERT INTO appt.time_off (doctor_id, starts_at, ends_at) VALUES '
		'(''DOC-001'', ''2026-03-16 09:20'', ''2026-03-16 09:25'')',
	'INSERT INTO appt.closure (branch_id, starts_at, ends_at) VALUES '
		'(''MUM-01'', ''2026-03-16 09:14'', ''2026-03-16 09:15'')']) statement;
SELECT count(*) FROM appt.time_off, appt.closure;
-- What only touches is not affected; what is free can be taken off.
SELECT displaced FROM appt.add_time_off('DOC-001', '2026-03-16 09:30',
	'2026-03-16 11:00');
SELECT displaced FROM appt.add_closure('MUM-01', '2026-03-16 09:30',
	'2026-03-16 11:00');
-- The hold in it has ended.
SELECT count(*) FROM appt.appointment WHERE status = 'held';
-- To make it longer is judged as well.
SELECT pg_temp.try_list($$UPDATE appt.time_off SET ends_at = '2026-03-16 11:01'
	RETURNING 1$$);
SELECT pg_temp.try_list($$UPDATE appt.time_off SET doctor_id = 'DOC-002',
	starts_at = '2026-03-16 09:00' RETURNING 1$$);
UPDATE appt.time_off SET ends_at = '2026-03-16 10:00';
DELETE FROM appt.time_off;
DELETE FROM appt.closure;

-- Cancelled, with a reason and events, whatever the cancellation window says.
SAVEPOINT s;
INSERT INTO appt.setting (name, value)
VALUES ('cancellation_window_min', '100000');
SELECT displaced FROM appt.add_time_off('DOC-001', '2026-03-16 00:00',
	'2026-03-17 00:00', 'Dr Rao is ill', 'cancel');
SELECT * FROM pg_temp.day();
SELECT event_type, reason, count(*) FROM appt.event
WHERE event_type <> 'appointment.booked' GROUP BY 1, 2;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', to_day => '2026-03-17');
ROLLBACK TO s;

-- Moved, each to the doctor's next free slot of its length; the same day keeps
-- the number, another draws one.
INSERT INTO appt.setting (name, value)
VALUES ('reschedule_window_min', '100000');
SELECT displaced FROM appt.add_time_off('DOC-001', '2026-03-16 09:00',
	'2026-03-16 10:00', 'Theatre', 'move');
SELECT * FROM pg_temp.day();
ROLLBACK TO s;
SELECT displaced FROM appt.add_time_off('DOC-001', '2026-03-16 00:00',
	'2026-03-17 09:15', 'Theatre', 'move');
SELECT * FROM pg_temp.day();
SELECT reason, count(*) FROM appt.event
WHERE event_type = 'appointment.rescheduled' GROUP BY 1;
ROLLBACK TO s;

-- A closure takes all doctors of the branch, and of that branch alone.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-002', 'LON-01', '2026-03-16', '09:00', '10:00');
SELECT count(appt.book('PAT-6', 'DOC-002', '2026-03-16 09:00+00',
	branch_id => 'LON-01'));
SELECT displaced FROM appt.add_closure('MUM-01', '2026-03-16 00:00',
	'2026-03-17 00:00', 'Holi', 'move');
SELECT * FROM pg_temp.day();
ROLLBACK TO s;

-- All or none: where one has no place to go, nothing happens.
UPDATE appt.working_hours SET valid_to = '2026-03-16';
SELECT pg_temp.try_list($$SELECT displaced FROM appt.add_time_off('DOC-001',
	'2026-03-16 00:00', '2026-03-17 00:00', 'Ill', 'move')$$);
SELECT count(*) FROM appt.time_off;
ROLLBACK TO s;

-- Who is there already is not moved, but can be sent home; walk-ins and what
-- was booked on purpose are no exception.
SET LOCAL bioecko_appt.clock = '2026-03-16 08:50+05:30';
SELECT count(appt.check_in(appointment_id)) FROM appt.appointment
WHERE patient_id = 'PAT-1';
SELECT count(appt.walk_in('PAT-7', 'DOC-001'));
SELECT count(appt.book('PAT-8', 'DOC-001', '2026-03-16 09:40',
	override => true));
SELECT pg_temp.try_list($$SELECT displaced FROM appt.add_time_off('DOC-001',
	'2026-03-16 08:55', '2026-03-16 10:00', 'Called away', 'move')$$);
SELECT displaced FROM appt.add_time_off('DOC-001',
	'2026-03-16 08:55', '2026-03-16 10:00', 'Called away', 'cancel');
SELECT * FROM pg_temp.day();
ROLLBACK TO s;

-- What comes into time off later, on purpose, may stay when its row changes.
SELECT displaced FROM appt.add_time_off('DOC-002', '2026-03-16 09:30',
	'2026-03-16 10:00');
SELECT count(appt.book('PAT-8', 'DOC-002', '2026-03-16 09:40',
	override => true));
UPDATE appt.time_off SET reason = 'Theatre' RETURNING reason;
SELECT pg_temp.try_list($$SELECT displaced FROM appt.add_closure('MUM-01',
	'2026-03-16 09:35', '2026-03-16 10:00')$$);
ROLLBACK TO s;

-- Bad requests.
SELECT pg_temp.try_list(format('SELECT displaced FROM appt.add_time_off(%L, '
	'%L, %L, %L, %L)', doctor, from_time, to_time, reason, displace))
FROM (VALUES
	(1, 'DOC-001', '2026-03-17', '2026-03-16', 'x', 'refuse'),
	(2, 'DOC-001', '2026-03-16', '2026-03-16', 'x', 'cancel'),
	(3, 'DOC-001', '2026-03-16', '2026-03-17', 'x', 'maybe'),
	(4, 'DOC-001', '2026-03-16', '2026-03-17', NULL, 'cancel'),
	(5, 'DOC-001', '2026-03-16', '2026-03-17', ' ', 'move'),
	(6, 'DOC-999', '2026-03-16', '2026-03-17', 'x', 'refuse'),
	(7, NULL, '2026-03-16', '2026-03-17', 'x', 'refuse'),
	(8, 'DOC-001', NULL, '2026-03-17', 'x', 'refuse'),
	(9, 'DOC-001', '2026-03-16', NULL, 'x', 'cancel'),
	(10, 'DOC-001', '-infinity', 'infinity', 'x', 'refuse')) v
	(n, doctor, from_time, to_time, reason, displace)
ORDER BY n;

-- A doctor's whole day: to another day, to another doctor, or not at all.
SELECT patient_id, to_char(slot_start, 'DD HH24:MI') AS slot, token_number
FROM appt.reschedule_day('DOC-001', '2026-03-16', '2026-03-18',
	reason => 'Conference') ORDER BY 2;
ROLLBACK TO s;
SELECT pg_temp.try($$SELECT count(*) FROM appt.reschedule_day('DOC-001',
	'2026-03-16', '2026-03-17')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.reschedule_day('DOC-001',
	'2026-03-16', to_doctor_id => 'DOC-002')$$);
UPDATE appt.working_hours SET end_time = '12:00', capacity = 2
WHERE doctor_id = 'DOC-002';
SELECT patient_id, doctor_id, to_char(slot_start, 'DD HH24:MI') AS slot,
	token_number
FROM appt.reschedule_day('DOC-001', '2026-03-16', to_doctor_id => 'DOC-002')
ORDER BY 3;
SELECT pg_temp.try($$SELECT count(*) FROM appt.reschedule_day('DOC-999',
	'2026-03-16', '2026-03-17')$$);
-- To another doctor at the same instants, in an hour that comes twice too.
SET LOCAL bioecko_appt.clock = '2026-10-24 12:00+00';
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('NIGHT', 'Night', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('N-1', 'N 1'), ('N-2', 'N 2');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
SELECT d, 'NIGHT', '2026-10-25', '00:00', '03:00'
FROM unnest('{N-1,N-2}'::text[]) AS d;
SELECT count(appt.book('PAT-' || n, 'N-1',
	timestamptz '2026-10-24 23:30+00' + n * interval '1 hour',
	branch_id => 'NIGHT'))
FROM generate_series(1, 2) AS n;
SELECT patient_id, slot_start AT TIME ZONE 'UTC' AS utc
FROM appt.reschedule_day('N-1', '2026-10-25', to_doctor_id => 'N-2')
ORDER BY 2;

-- On behalf of a client of one branch: what is another's stays, and is not
-- told of; who works nowhere at the branch is not there.
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time,
	end_time)
SELECT 'N-1', b, 1, s::time, s::time + interval '1 hour'
FROM (VALUES ('NIGHT', '09:00'), ('MUM-01', '11:00')) v (b, s);
SELECT count(appt.book('PAT-' || n, 'N-1', at, branch_id => b))
FROM (VALUES (3, 'NIGHT', '2026-11-02 09:00+00'::timestamptz),
	(4, 'MUM-01', '2026-11-02 11:00+05:30')) v (n, b, at);
SELECT count(*) FROM appt.create_client('Night', '{appointments:write}',
	branch_ids => '{NIGHT}', id => 'c_night');
SELECT x->>'patient_id' AS patient, x->>'slot_start' AS slot,
	x->>'reason' AS reason
FROM appt_api.reschedule_day('N-1', '2026-11-02', '2026-11-09', NULL, NULL,
	'Conference', 'c_night', 'key', 'hash'), json_array_elements(body::json) x;
SELECT replayed, json_array_length(body::json) AS moved
FROM appt_api.reschedule_day('N-1', '2026-11-02', '2026-11-09', NULL, NULL,
	'Conference', 'c_night', 'key', 'hash');
SELECT patient_id, slot_start, status FROM appt.appointment
WHERE doctor_id = 'N-1' AND status = 'booked' ORDER BY 1;
SELECT pg_temp.try(format('SELECT appt_api.reschedule_day(%L, %L, NULL, %L, %L,
	NULL, %L)', doctor, '2026-11-09'::date, to_doctor, branch, 'c_night'))
FROM (VALUES (1, 'DOC-001', NULL, NULL), (2, 'N-1', 'DOC-001', NULL),
	(3, 'N-1', NULL, 'MUM-01'), (4, NULL, NULL, NULL))
	v (n, doctor, to_doctor, branch)
ORDER BY n;

-- Called by itself, what is left out is named, too.
SELECT statement, pg_temp.try(statement)
FROM unnest(ARRAY[
	$$SELECT appt_internal.displace(false, NULL, now(), now(), false, 'x', NULL)$$,
	$$SELECT appt_internal.displace(false, 'DOC-001', NULL, now(), false, 'x', NULL)$$,
	$$SELECT appt_internal.displace(true, 'MUM-01', now(), NULL, true, 'x', NULL)$$])
	WITH ORDINALITY s (statement, no)
ORDER BY no;

ROLLBACK;
