-- Departments: whose doctors they are, and how long these see a patient.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT id, version, body FROM appt_api.create_department(
	'{"department_id": "CARD", "name": " Cardiology ", "slot_min": 20}', NULL,
	NULL, NULL);
INSERT INTO appt.department (department_id, name)
VALUES ('GEN', 'General medicine'), ('ENT', 'Ear, nose and throat');
INSERT INTO appt.doctor (doctor_id, name, specialty, department_id)
VALUES ('DOC-002', 'Dr Mehta', 'Cardiology', 'CARD'),
	('DOC-003', 'Dr Shah', 'Cardiac surgery', 'CARD');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', 1, '10:00', '11:00'),
	('DOC-003', 'MUM-01', 1, '09:00', '10:00');

-- The length that is said nearest to the visit counts: the branch's for who has
-- no department, the department's before it, then the doctor's, the session's.
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16');
SELECT version, body::jsonb->'slot_min' AS slot_min
FROM appt_api.update_department('CARD', '{"slot_min": 30}', 1, NULL, NULL,
	NULL);
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16');
UPDATE appt.doctor SET slot_min = 10 WHERE doctor_id = 'DOC-002';
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16');
UPDATE appt.working_hours SET slot_min = 60 WHERE doctor_id = 'DOC-002';
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16', visit => 'procedure');
UPDATE appt.working_hours SET slot_min = NULL;
UPDATE appt.doctor SET slot_min = NULL;
SELECT body::jsonb->'slot_min' AS slot_min
FROM appt_api.update_department('CARD', '{"slot_min": null}', NULL, NULL, NULL,
	NULL);
SELECT * FROM pg_temp.slots('DOC-002', '2026-03-16');

-- Booked without an end, a visit lasts as long as its slot; a long department's
-- is longer than the limit for what is asked.
UPDATE appt.department SET slot_min = 30 WHERE department_id = 'CARD';
INSERT INTO appt.setting (name, value) VALUES ('max_duration_min', '15');
SELECT slot_end - slot_start AS length FROM appt.book('PAT-1', 'DOC-002',
	'2026-03-16 10:00');
SELECT pg_temp.try($$SELECT slot_end - slot_start FROM appt.book('PAT-2',
	'DOC-002', '2026-03-16 10:30', '2026-03-16 11:00')$$);
SELECT pg_temp.try($$SELECT appt.book('PAT-3', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:30')$$);

-- An inactive one keeps its doctors and their slots.
UPDATE appt.department SET active = false WHERE department_id = 'CARD';
SELECT * FROM pg_temp.slots('DOC-003', '2026-03-16');

-- The walk: departments to choose from, a department's doctors, their first slot.
SELECT jsonb_path_query_array(body::jsonb, '$[*].department_id') AS ids, total
FROM appt_api.list_departments(true, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].department_id') AS ids, total
FROM appt_api.list_departments(NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].doctor_id') AS ids, total
FROM appt_api.list_doctors(NULL, NULL, 'CARD', NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].doctor_id') AS ids, total
FROM appt_api.list_doctors('MUM-01', 'Cardiology', 'CARD', true, 1, 20, NULL);
SELECT body, total
FROM appt_api.list_doctors(NULL, NULL, 'ENT', NULL, 1, 20, NULL);
SELECT body::jsonb->'department_id' AS department_id
FROM appt_api.get_doctor('DOC-003', NULL);
SELECT * FROM appt.first_available(department_id => 'CARD');
SELECT * FROM appt.first_available(department_id => 'CARD',
	specialty => 'cardiology');
SELECT * FROM appt.first_available(department_id => 'ENT');
SELECT * FROM appt.first_available('{DOC-001}', department_id => 'CARD');
SELECT appt_api.first_slot(NULL, NULL, NULL, 'MUM-01', NULL, NULL, 'CARD');

-- What is refused.
SELECT place, pg_temp.try(statement)
FROM (VALUES
	(1, $$SELECT appt.first_available(department_id => 'DANCE')$$),
	(2, $$SELECT appt_api.first_slot(NULL, NULL, NULL, NULL, NULL, NULL, NULL)$$),
	(3, $$SELECT appt_api.list_doctors(NULL, NULL, 'DANCE', NULL, 1, 20,
		NULL)$$),
	(4, $$SELECT appt_api.get_department('DANCE', NULL)$$),
	(5, $$SELECT appt_api.create_department('{"department_id": "CARD",
		"name": "Again"}', NULL, NULL, NULL)$$),
	(6, $$SELECT appt_api.create_department('{"department_id": "A B",
		"name": "Blank"}', NULL, NULL, NULL)$$),
	(7, $$SELECT appt_api.create_department('{"department_id": "AB"}', NULL,
		NULL, NULL)$$),
	(8, $$SELECT appt_api.create_department('{"department_id": "AB",
		"name": " "}', NULL, NULL, NULL)$$),
	(9, $$SELECT appt_api.update_department('CARD', '{"slot_min": 4}', NULL,
		NULL, NULL, NULL)$$),
	(10, $$SELECT appt_api.update_department('CARD', '{"department_id": "X"}',
		NULL, NULL, NULL, NULL)$$),
	(11, $$SELECT appt_api.update_department('CARD', '{"name": "Heart"}', 1,
		NULL, NULL, NULL)$$),
	(12, $$SELECT appt_api.delete_department('CARD', NULL, NULL)$$),
	(13, $$SELECT appt_api.update_doctor('DOC-001', '{"department_id":
		"DANCE"}', NULL, NULL, NULL, NULL)$$),
	(14, $$SELECT appt_api.create_doctor('{"doctor_id": "DOC-009", "name": "Dr",
		"department_id": "DANCE"}', NULL, NULL, NULL)$$),
	(15, $$UPDATE appt.department SET department_id = 'HEART'
		WHERE department_id = 'CARD'$$)) s (place, statement)
ORDER BY place;
SELECT body::jsonb->'department_id' AS department_id
FROM appt_api.update_doctor('DOC-003', '{"department_id": "ENT"}', NULL, NULL,
	NULL, NULL);
SELECT body::jsonb->'department_id' AS department_id
FROM appt_api.update_doctor('DOC-003', '{"department_id": null}', NULL, NULL,
	NULL, NULL);
SELECT appt_api.delete_department('ENT', 1, NULL);

-- Departments are the clinic's, not a branch's: a client that is limited to
-- some sees them and changes none.
SELECT count(*) FROM appt.create_client('Mumbai', '{schedule:manage}',
	branch_ids => '{MUM-01}', id => 'c_mumbai');
SELECT total FROM appt_api.list_departments(NULL, 1, 20, 'c_mumbai');
SELECT pg_temp.try($$SELECT appt_api.update_department('GEN',
	'{"name": "Ours"}', NULL, 'c_mumbai', NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.create_department('{"department_id":
	"OURS", "name": "Ours"}', 'c_mumbai', NULL, NULL)$$);

-- The report has them.
SELECT appointment_id, doctor_id, department_id, department_name, length_min
FROM appt_report.appointment
ORDER BY appointment_id;

ROLLBACK;
