-- How long a visit may be: its type's length, the slot's, or what is asked for
-- up to a limit; another by override alone.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

DELETE FROM appt.working_hours WHERE start_time = '11:00';
UPDATE appt.working_hours SET end_time = '17:00';

CREATE FUNCTION pg_temp.book_long(patient text, till text,
	visit text DEFAULT NULL, override boolean DEFAULT false) RETURNS text
	LANGUAGE sql
AS $$
	SELECT pg_temp.try(format('SELECT slot_end - slot_start FROM appt.book('
		'%L, %L, %L, %L, visit_type => %L, override => %L)', patient,
		'DOC-001', '2026-03-16 09:00', '2026-03-16 ' || till, visit, override))
$$;

-- The whole day is no visit, neither booked nor held nor listed.
SELECT pg_temp.book_long('PAT-1', '17:00');
SELECT pg_temp.try($$SELECT appt.hold('DOC-001', '2026-03-16 09:00',
	'2026-03-16 17:00')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.available_slots('DOC-001',
	'2026-03-16', duration_min => 480)$$);
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-001', '2026-03-16 09:00',
	'2026-03-16 17:00')$$);
SELECT pg_temp.try($$SELECT appt_api.slots('DOC-001', '2026-03-16', NULL,
	121, NULL, NULL, NULL)$$);
SELECT pg_temp.book_long('PAT-1', '11:01');
SAVEPOINT short;
SELECT pg_temp.book_long('PAT-1', '11:00');
SELECT pg_temp.book_long('PAT-2', '09:20');
ROLLBACK TO short;

-- The limit is a setting: the doctor's before the branch's before the global.
INSERT INTO appt.setting (name, value) VALUES ('max_duration_min', '60');
SELECT pg_temp.book_long('PAT-1', '10:01');
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('max_duration_min', 'MUM-01', '45');
SELECT pg_temp.book_long('PAT-1', '09:46');
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('max_duration_min', 'DOC-001', '30');
SELECT pg_temp.book_long('PAT-1', '09:31');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
-- The slot's own length and a visit type's may be longer.
UPDATE appt.doctor SET slot_min = 60;
UPDATE appt.visit_type SET duration_min = 90 WHERE visit_type = 'procedure';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 60);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', visit => 'procedure');
SELECT pg_temp.book_long('PAT-1', '10:00');
ROLLBACK TO short;

-- A visit type's length, and no other: of half an hour no quarter is booked.
SELECT pg_temp.book_long('PAT-1', '09:15', 'procedure');
SELECT pg_temp.book_long('PAT-1', '09:45', 'procedure');
SELECT pg_temp.try($$SELECT appt.hold('DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:15', visit_type => 'procedure')$$);
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:15', visit_type => 'procedure')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.first_available(
	ARRAY['DOC-001'], duration_min => 15, visit_type => 'procedure')
	WHERE start_time IS NOT NULL$$);
SELECT pg_temp.book_long('PAT-1', '09:30', 'procedure');
ROLLBACK TO short;
-- Nor from a hold that did not say what it is for.
SELECT appointment_id AS h FROM appt.hold('DOC-001', '2026-03-16 09:00') \gset
SELECT pg_temp.try(format('SELECT appt.book(%L, %L, %L, hold_id => %L, '
	'visit_type => %L)', 'PAT-1', 'DOC-001', '2026-03-16 09:00', :'h',
	'procedure'));
SELECT pg_temp.try(format('SELECT status FROM appt.book(%L, %L, %L, '
	'hold_id => %L, visit_type => %L)', 'PAT-1', 'DOC-001', '2026-03-16 09:00',
	:'h', 'new_consultation'));
ROLLBACK TO short;

-- Staff may, and it is recorded.
SELECT pg_temp.book_long('PAT-1', '17:00', NULL, true);
SELECT pg_temp.book_long('PAT-2', '17:01', NULL, true);
SELECT a.override, e.reason FROM appt.appointment a
JOIN appt.event e USING (appointment_no);
-- A visit that moves keeps its length; asked for another it is judged.
SELECT appointment_id AS a FROM appt.appointment \gset
SELECT slot_end - slot_start AS length
FROM appt.reschedule(:'a', '2026-03-17 09:00');
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, %L, %L)', :'a',
	'2026-03-18 09:00', '2026-03-18 16:45'));
SELECT slot_end - slot_start AS length
FROM appt.reschedule(:'a', '2026-03-18 09:00', '2026-03-18 09:30');
-- Also where its type's length is another by now, and by time off.
SELECT pg_temp.book_long('PAT-2', '09:30', 'procedure');
UPDATE appt.visit_type SET duration_min = 45 WHERE visit_type = 'procedure';
SELECT displaced FROM appt.add_time_off('DOC-001', '2026-03-16 09:00',
	'2026-03-16 12:00', 'Away', 'move');
SELECT patient_id, slot_start, slot_end - slot_start AS length
FROM appt.appointment ORDER BY patient_id;

ROLLBACK;
