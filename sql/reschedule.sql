-- Rescheduling: what stays, what changes, what is refused.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.show(a appt.appointment)
	RETURNS TABLE (slot text, doctor_id text, branch_id text, token integer,
		version integer, moves integer, reason text)
	LANGUAGE sql
AS $$
	SELECT to_char(a.slot_start, 'DD HH24:MI-')
		|| to_char(a.slot_end, 'HH24:MI'),
		a.doctor_id, a.branch_id, a.token_number, a.version,
		a.reschedule_count, a.reason
$$;
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', 1, '09:00', '12:00');

SELECT appointment_id AS a FROM appt.book('PAT-1', 'DOC-001',
	'2026-03-16 09:00', '2026-03-16 09:30') \gset
-- The length, the doctor and the branch stay unless they are given.
SELECT s.* FROM appt.reschedule(:'a', '2026-03-16 11:00') m, pg_temp.show(m) s;
SELECT s.* FROM appt.reschedule(:'a', '2026-03-16 11:15', '2026-03-16 11:30',
	reason => 'Patient asked') m, pg_temp.show(m) s;
SELECT s.* FROM appt.reschedule(:'a', '2026-03-16 11:15',
	doctor_id => 'DOC-002') m, pg_temp.show(m) s;
-- Over its own place: it is not in its own way.
SELECT s.* FROM appt.reschedule(:'a', '2026-03-16 11:15', '2026-03-16 11:45')
	m, pg_temp.show(m) s;
-- To where it is already: unchanged, no event.
SELECT s.* FROM appt.reschedule(:'a', '2026-03-16 11:15', '2026-03-16 11:45',
	reason => 'Again') m, pg_temp.show(m) s;
SELECT count(*) FROM appt.event;

-- What is refused leaves everything as it was.
SELECT pg_temp.book('PAT-2', '2026-03-16 09:30') AS b \gset
SELECT pg_temp.book('PAT-1', '2026-03-16 11:00') AS c \gset
SELECT count(appt.hold('DOC-001', '2026-03-16 09:45'));
CREATE FUNCTION pg_temp.refused(id text, at text, more text DEFAULT '')
	RETURNS text LANGUAGE sql
RETURN pg_temp.try(format('SELECT status FROM appt.reschedule(%L, %L%s)',
	id, at, more));
SELECT pg_temp.refused(:'b', '2026-03-16 11:00') AS taken;
SELECT pg_temp.refused(:'b', '2026-03-16 09:45') AS held;
SELECT pg_temp.refused(:'b', '2026-03-16 11:05') AS off_grid;
SELECT pg_temp.refused(:'b', '2026-03-16 12:00') AS outside_hours;
SELECT pg_temp.refused(:'b', '2026-03-13 11:00') AS past;
SELECT pg_temp.refused(:'b', '2027-03-16 11:00') AS beyond_horizon;
SELECT pg_temp.refused(:'c', '2026-03-16 11:15') AS patient_is_with_dr_khan;
SELECT pg_temp.refused(:'b', '2026-03-16 09:15', ', doctor_id => ''DOC-999''');
SELECT pg_temp.refused(:'b', '2026-03-16 09:15', ', branch_id => ''PAR-01''');
SELECT pg_temp.refused(:'b', '2026-03-16 09:15', ', expected_version => 7');
SELECT pg_temp.refused(:'b', '2026-03-16 09:15',
	', new_slot_end => ''2026-03-16 09:15''');
SELECT pg_temp.refused(:'b', NULL);
SELECT pg_temp.refused(NULL, '2026-03-16 09:15');
SELECT pg_temp.refused('APT-2026-999999', '2026-03-16 09:15');
SELECT s.* FROM appt.appointment a, pg_temp.show(a) s
WHERE appointment_id = :'b';
SELECT count(*) FROM appt.event;

-- The right version, and the slot that it left is free again.
SELECT s.* FROM appt.reschedule(:'b', '2026-03-16 09:15',
	expected_version => 1) m, pg_temp.show(m) s;
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');

-- Only what is booked.
SET LOCAL bioecko_appt.clock = '2026-03-16 08:50+05:30';
SELECT status FROM appt.check_in(:'b');
SELECT pg_temp.refused(:'b', '2026-03-16 09:30');
SELECT status FROM appt.cancel(:'b', 'Went home');
SELECT pg_temp.refused(:'b', '2026-03-16 09:30');
SET LOCAL bioecko_appt.clock = '2026-03-16 11:00+05:30';
SELECT status FROM appt.no_show(:'c');
SELECT pg_temp.refused(:'c', '2026-03-16 09:30');

-- The window: while now <= slot_start - window; of the slot that it leaves.
SET LOCAL bioecko_appt.clock = '2026-03-16 08:50+05:30';
SELECT pg_temp.book('PAT-3', '2026-03-16 11:30') AS d \gset
INSERT INTO appt.setting (name, value) VALUES ('reschedule_window_min', '60');
SET LOCAL bioecko_appt.clock = '2026-03-16 10:30:00.001+05:30';
SELECT pg_temp.refused(:'d', '2026-03-17 09:00');
SET LOCAL bioecko_appt.clock = '2026-03-16 10:30+05:30';
SELECT s.* FROM appt.reschedule(:'d', '2026-03-17 09:00') m, pg_temp.show(m) s;
-- The new doctor's window is not asked, nor is an old appointment's.
SELECT pg_temp.book('PAT-4', '2026-03-16 11:45') AS e \gset
UPDATE appt.setting SET value = '0';
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('reschedule_window_min', 'DOC-002', '600');
SELECT s.* FROM appt.reschedule(:'e', '2026-03-23 11:45',
	doctor_id => 'DOC-002') m, pg_temp.show(m) s;
DELETE FROM appt.setting;
SET LOCAL bioecko_appt.clock = '2026-03-23 11:45:01+05:30';
SELECT pg_temp.refused(:'e', '2026-03-30 11:45');

-- Its visit type and buffers go with it, also one that was retired since.
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';
UPDATE appt.visit_type SET buffer_after_min = 30
WHERE visit_type = 'new_consultation';
SELECT appointment_id AS f FROM appt.book('PAT-5', 'DOC-001',
	'2026-03-18 09:00', visit_type => 'new_consultation') \gset
UPDATE appt.visit_type SET active = false;
SELECT visit_type, buffer_after_min
FROM appt.reschedule(:'f', '2026-03-19 09:00');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-19');

-- Onto a day on which the patient has enough.
SELECT pg_temp.book('PAT-5', '2026-03-25 09:00') AS g \gset
INSERT INTO appt.setting (name, value) VALUES ('patient_daily_limit', '1');
SELECT pg_temp.refused(:'g', '2026-03-19 11:00');
SELECT status FROM appt.reschedule(:'g', '2026-03-25 09:15');
DELETE FROM appt.setting;

-- To another branch, in another time zone.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'LON-01', '2026-03-19', '20:00', '21:00');
SELECT slot_start, branch_id, token_number, token_date
FROM appt.reschedule(:'f', '2026-03-19 20:00+00', branch_id => 'LON-01');

ROLLBACK;
