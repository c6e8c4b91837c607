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
	/* What is of several branches is shown, that one's times in UTC. */
	($$SELECT jsonb_path_query_array(body::jsonb, '$[*].slot_start')
		FROM appt_api.list_appointments(NULL, NULL, NULL, NULL, NULL, NULL, 1,
			20, NULL)$$),
	($$SELECT body::jsonb->>'slot_end'
		FROM appt_api.get_appointment((SELECT appointment_id
			FROM appt.appointment WHERE branch_id = 'MAR-01'), NULL)$$),
	($$SELECT body::jsonb->0->>'slot_start'
		FROM appt_api.queue('DOC-002', '2026-03-16', NULL)$$),
	($$SELECT jsonb_path_query_array(body::jsonb, '$[*].slot_start')
		FROM appt_api.report('appointment', '2026-03-16', '2026-03-16', NULL,
			NULL, NULL, 1, 20, 'json', NULL)$$),
	($$SELECT total FROM appt_api.list_patients(NULL, NULL, NULL, 1, 2, NULL)$$),
	($$SELECT (appt_api.create_patient('{"first_name": "N",
		"branch_id": "MAR-01"}', NULL, NULL, NULL)).id > ''$$),
	($$SELECT (appt_api.create_patient('{"first_name": "N"}', NULL, NULL,
		NULL)).id > ''$$),
	($$SELECT count(*) FROM appt_report.queue_now$$),
	($$SELECT detail FROM appt.health() WHERE check_name = 'time_zones'$$))
	v (s);
ROLLBACK TO known;

-- Sessions of one doctor at branches in two zones: by the clocks of both. 09:00
-- in London and in Mumbai never meet; 13:00 in London is 18:30 in Mumbai, and
-- 17:30 in summer.
CREATE FUNCTION pg_temp.add(branch text, weekday integer, starts time, ends time,
	since date DEFAULT '-infinity', until date DEFAULT 'infinity') RETURNS text
	LANGUAGE sql
AS $$
	SELECT pg_temp.try(format('INSERT INTO appt.working_hours (doctor_id, '
		'branch_id, weekday, start_time, end_time, valid_from, valid_to) '
		'VALUES (%L, %L, %s, %L, %L, %L, %L) RETURNING start_time', 'DOC-004',
		branch, weekday, starts, ends, since, until))
$$;
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-004', 'Dr Iyer');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('AKL-01', 'Auckland', 'Pacific/Auckland'),
	('DEL-01', 'Delhi', 'Asia/Kolkata');
SELECT pg_temp.add('MUM-01', 1, '09:00', '12:00');
SELECT pg_temp.add('MAR-01', 1, '09:00', '12:00');
SELECT pg_temp.add('DEL-01', 1, '11:00', '12:30'),
	pg_temp.add('DEL-01', 1, '12:00', '13:00');
SELECT pg_temp.add('MAR-01', 1, '06:00', '07:00'),
	pg_temp.add('MAR-01', 1, '08:00', '08:30');
-- Only in winter, only in summer.
SELECT pg_temp.add('MUM-01', 2, '18:30', '19:00');
SELECT pg_temp.add('MAR-01', 2, '13:00', '13:30'),
	pg_temp.add('MAR-01', 2, '14:00', '14:30');
SELECT pg_temp.add('MAR-01', 2, '14:00', '14:30', '2026-04-01', '2026-10-20'),
	pg_temp.add('MAR-01', 2, '14:00', '14:30', '2026-11-01', '2027-03-20'),
	pg_temp.add('MAR-01', 2, '13:00', '13:30', '2027-04-01', '2027-10-20');
-- Another weekday, across midnight.
SELECT pg_temp.add('AKL-01', 2, '05:00', '06:00'),
	pg_temp.add('MAR-01', 1, '15:00', '19:00'),
	pg_temp.add('MAR-01', 1, '19:00', '20:00');
-- The same of extra sessions.
SELECT b, d, s, pg_temp.try(format('INSERT INTO appt.extra_session (doctor_id, '
	'branch_id, on_date, start_time, end_time) VALUES (%L, %L, %L, %L, '
	'%L::time + interval %L) RETURNING start_time', 'DOC-004', b, d, s, s,
	'1 hour'))
FROM (VALUES ('MUM-01', '2026-05-05', '02:00'), ('MAR-01', '2026-05-05', '02:00'),
	('MAR-01', '2026-05-04', '21:00'), ('DEL-01', '2026-05-05', '02:30'))
	v (b, d, s);
-- A branch that moves to another zone takes its sessions along.
SELECT pg_temp.try($$UPDATE appt.branch SET time_zone = 'Asia/Dubai'
	WHERE branch_id = 'DEL-01'$$);
SELECT pg_temp.try($$UPDATE appt.branch SET time_zone = 'Asia/Calcutta'
	WHERE branch_id = 'DEL-01' RETURNING time_zone$$);
-- Hours that end before they begin: the rule says how to write them.
SELECT pg_temp.try($$SELECT (appt_api.create_working_hours('DOC-004',
	'{"branch_id": "MUM-01", "weekday": 5, "start_time": "22:00",
		"end_time": "02:00"}', NULL, NULL, NULL)).id$$);
SELECT pg_temp.try($$SELECT (appt_api.create_working_hours('DOC-004',
	'{"branch_id": "MAR-01", "weekday": 1, "start_time": "06:00",
		"end_time": "07:00"}', NULL, NULL, NULL)).id$$);

-- A branch's zone under coming visits: refused with their list, unless asked
-- to move them or to leave them when they are.
SAVEPOINT zone;
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('VAN-01', 'Vancouver', 'America/Vancouver');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-003', 'Dr Singh');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-003', 'VAN-01', d, '09:00', '12:00' FROM generate_series(1, 7) d;
CREATE FUNCTION pg_temp.visits() RETURNS TABLE (patient text, instant text,
	as_booked timestamp, token integer, version integer, reason text)
	LANGUAGE sql
AS $$
	SELECT patient_id, to_char(slot_start AT TIME ZONE 'UTC', 'DD HH24:MI"Z"'),
		wall_start, token_number, version, reason
	FROM appt.appointment WHERE branch_id = 'VAN-01'
	ORDER BY slot_start, patient_id
$$;
SELECT count(appt.book(p, 'DOC-003', t::timestamptz, branch_id => 'VAN-01'))
FROM (VALUES ('PAT-5', '2026-03-16 09:00-07'), ('PAT-6', '2026-03-16 10:00-07'),
	('PAT-7', '2026-03-16 11:00-07')) v (p, t);
SELECT appointment_id AS gone FROM appt.book('PAT-4', 'DOC-003',
	'2026-03-16 09:15-07', branch_id => 'VAN-01') \gset
SELECT count(*) FROM appt.cancel(:'gone', 'Asked');
SELECT * FROM pg_temp.visits();
SAVEPOINT booked;
SELECT pg_temp.try($$UPDATE appt.branch SET time_zone = 'America/Denver'
	WHERE branch_id = 'VAN-01'$$);
SELECT pg_temp.try($$SELECT (appt_api.update_branch('VAN-01',
	'{"time_zone": "America/Denver"}', NULL, NULL, NULL, NULL)).id$$);
SELECT pg_temp.try($$SELECT appt.change_time_zone('VAN-01',
	'America/Denver')$$);
SELECT pg_temp.try($$UPDATE appt.branch SET time_zone = 'Canada/Pacific'
	WHERE branch_id = 'VAN-01' RETURNING time_zone$$);
SELECT v, pg_temp.try(format('SELECT appt.change_time_zone(%L, %L, %L)', b, z,
	v)) FROM (VALUES ('VAN-01', 'America/Denver', 'shift'),
	('VAN-01', 'America/Denver', 'keep_clock'),
	('VAN-02', 'America/Denver', 'keep_instant'),
	('VAN-01', 'Mars/Olympus', 'keep_instant')) x (b, z, v);
SELECT appt.change_time_zone('VAN-01', 'America/Denver', 'keep_clock',
	'Zone was wrong');
SELECT * FROM pg_temp.visits();
ROLLBACK TO booked;
SELECT appt.change_time_zone('VAN-01', 'America/Denver', 'keep_instant');
SELECT * FROM pg_temp.visits();
SELECT count(*) FROM appt.clock_changes();
ROLLBACK TO booked;
-- All or none: one whose time is taken by somebody whom nobody moves.
UPDATE appt.branch SET time_zone = 'Canada/Pacific' WHERE branch_id = 'VAN-01';
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-003', '2026-03-16 08:00-07', '2026-03-16 08:30-07');
SELECT pg_temp.try($$SELECT appt.change_time_zone('VAN-01', 'America/Denver',
	'keep_clock', 'Zone was wrong')$$);

-- The law is changed: what was booked for 10:00 reads 11:00. (The new data of a
-- time zone look like this to a session that began with it.)
SET LOCAL session_replication_role = replica;
UPDATE appt.branch SET time_zone = 'America/Denver' WHERE branch_id = 'VAN-01';
SET LOCAL session_replication_role = origin;
UPDATE appt.doctor SET name = name;
SELECT branch_id, as_booked, reads_now FROM appt.clock_changes();
SELECT ok, detail FROM appt.health() WHERE check_name = 'wall_clocks';
SELECT slot_start, new_slot_start, refusal
FROM appt.restore_clock('The law was changed');
SELECT * FROM pg_temp.visits();
DELETE FROM appt.time_off;
SELECT slot_start, new_slot_start, refusal
FROM appt.restore_clock('The law was changed');
SELECT ok FROM appt.health() WHERE check_name = 'wall_clocks';
SELECT event_type, reason FROM appt.event WHERE branch_id = 'VAN-01'
ORDER BY event_no DESC LIMIT 3;
ROLLBACK TO zone;

ROLLBACK;
