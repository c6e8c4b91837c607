-- Time zones that the server does not know, or knows other rules of than when
-- a visit was booked.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- One branch's zone is not known any more: that branch is refused, all others
-- work, also for a doctor who serves both.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('MAR-01', 'Mars', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Marsh');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-001', 'MAR-01', 1, '15:00', '15:30'),
	('DOC-002', 'MAR-01', 1, '15:00', '15:30');
SELECT appointment_id AS a
FROM appt.book('PAT-1', 'DOC-002', '2026-03-16 15:00+00',
	branch_id => 'MAR-01') \gset
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-16');
SAVEPOINT known;
ALTER TABLE appt.branch DROP CONSTRAINT branch_time_zone_known;
SET LOCAL session_replication_role = replica;
UPDATE appt.branch SET time_zone = 'Mars/Olympus' WHERE branch_id = 'MAR-01';
SET LOCAL session_replication_role = origin;
UPDATE appt.doctor SET name = name;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', 'MUM-01');
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-16');
SELECT pg_temp.try(s) FROM (VALUES
	($$SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-16',
		'MAR-01')$$),
	($$SELECT appt.book('PAT-2', 'DOC-002', '2026-03-16 15:15+00',
		branch_id => 'MAR-01')$$),
	($$SELECT appt.explain_slot('DOC-002', '2026-03-16 15:15+00',
		branch_id => 'MAR-01')$$),
	(format($$SELECT appt.cancel(%L, 'Asked')$$, :'a')),
	($$SELECT count(*) FROM appt.queue('DOC-002', '2026-03-16')$$),
	($$SELECT count(*) FROM appt.queue('DOC-001')$$),
	($$SELECT appt.explain_slot('DOC-001', '2026-03-16 09:00',
		branch_id => 'MUM-01')$$),
	($$SELECT status FROM appt.book('PAT-3', 'DOC-001', '2026-03-16 09:00',
		branch_id => 'MUM-01')$$),
	($$SELECT doctor_id FROM appt.first_available(ARRAY['DOC-001'])$$),
	($$SELECT count(*) FROM appt.reschedule_day('DOC-001', '2026-03-16',
		'2026-03-17')$$),
	($$SELECT time_off_no IS NOT NULL FROM appt.add_time_off('DOC-001',
		'2026-03-18 09:00', '2026-03-18 10:00', 'Away', 'move')$$),
	($$SELECT (body::jsonb->1->>$a$branch_id$a$) FROM appt_api.list_branches(NULL, 1, 20, NULL)$$),
	($$SELECT body::jsonb->>'created_at' FROM appt_api.get_branch('MAR-01', NULL)$$),
	($$SELECT body::jsonb->>'doctor_id' FROM appt_api.get_doctor('DOC-001', NULL)$$),
	($$SELECT body::jsonb->>'doctor_id' FROM appt_api.get_doctor('DOC-002', NULL)$$),
	($$SELECT count(*) FROM appt_report.appointment$$),
	($$SELECT count(*) FROM appt_report.utilisation WHERE doctor_id = 'DOC-001'
		AND visit_date BETWEEN '2026-03-16' AND '2026-03-17'$$),
	($$SELECT count(*) FROM appt_report.utilisation
		WHERE visit_date BETWEEN '2026-03-16' AND '2026-03-17'$$),
	($$SELECT count(*) FROM appt_report.daily_schedule$$),
	($$SELECT count(*) FROM appt_report.queue_now$$),
	($$SELECT detail FROM appt.health() WHERE check_name = 'time_zones'$$))
	v (s);
ROLLBACK TO known;

ROLLBACK;
