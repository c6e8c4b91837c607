-- What an API client that is limited to a branch sees and changes: its own
-- branch, nothing elsewhere, and nothing that holds for all.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;
ALTER SEQUENCE appt.setting_setting_no_seq RESTART 901;
ALTER SEQUENCE appt.time_off_time_off_no_seq RESTART 701;

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name)
VALUES ('DOC-002', 'Of London'), ('DOC-003', 'Of both'), ('DOC-004', 'Of none');
INSERT INTO appt.working_hours
	(working_hours_no, doctor_id, branch_id, weekday, start_time, end_time)
OVERRIDING SYSTEM VALUE
VALUES (502, 'DOC-002', 'LON-01', 1, '09:00', '10:00'),
	(503, 'DOC-003', 'LON-01', 1, '09:00', '10:00'),
	(504, 'DOC-003', 'MUM-01', 2, '09:00', '10:00');
INSERT INTO appt.patient (patient_id, first_name, last_name, branch_id)
VALUES ('PAT-L', 'Of', 'London', 'LON-01'), ('PAT-M', 'Of', 'Mumbai', 'MUM-01'),
	('PAT-B', 'Of', 'Both', 'MUM-01');
SELECT count(*)
FROM appt.book('PAT-B', 'DOC-002', '2026-03-16 09:00 Europe/London',
	branch_id => 'LON-01');
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('hold_min', 'MUM-01', '7'), ('hold_min', 'LON-01', '8');
SELECT client_id
FROM appt.create_client('London', branch_ids => '{LON-01}', id => 'london');
SELECT client_id FROM appt.create_client('Both',
	branch_ids => '{LON-01,MUM-01}', id => 'both');

-- Lists.
SELECT jsonb_path_query_array(body::jsonb, '$[*].branch_id') AS ids, total
FROM appt_api.list_branches(NULL, 1, 20, 'london');
SELECT jsonb_path_query_array(body::jsonb, '$[*].doctor_id') AS ids,
	jsonb_path_query_array(body::jsonb, '$[*].branch_ids') AS branches
FROM appt_api.list_doctors(NULL, NULL, NULL, NULL, 1, 20, 'london');
SELECT jsonb_path_query_array(body::jsonb, '$[*].working_hours_id') AS ids
FROM appt_api.list_working_hours('DOC-003', NULL, NULL, NULL, 1, 20, 'london');
SELECT jsonb_path_query_array(body::jsonb, '$[*].name') AS names, total
FROM appt_api.list_patients('of', NULL, NULL, 1, 20, 'london');
SELECT jsonb_path_query_array(body::jsonb, '$[*].name') AS names, total
FROM appt_api.list_patients('of', NULL, NULL, 1, 20, 'both');
SELECT pg_temp.try($$SELECT total FROM appt_api.list_branches(NULL, 1, 20,
	'a client that is gone')$$);

-- One by one: what is elsewhere does not exist; what holds for others too
-- cannot be changed.
SELECT call, pg_temp.try('SELECT (appt_api.' || call || ').version') AS answer
FROM (VALUES
	(1, $$get_branch('MUM-01', 'london')$$),
	(2, $$get_branch('LON-01', 'london')$$),
	(3, $$update_branch('MUM-01', '{}', NULL, 'london', NULL, NULL)$$),
	(4, $$update_branch('LON-01', '{"phone": "1"}', NULL, 'london', NULL,
		NULL)$$),
	(5, $$create_branch('{"branch_id": "PAR-01", "name": "Paris",
		"time_zone": "Europe/Paris"}', 'london', NULL, NULL)$$),
	(6, $$get_doctor('DOC-001', 'london')$$),
	(7, $$update_doctor('DOC-001', '{}', NULL, 'london', NULL, NULL)$$),
	(8, $$update_doctor('DOC-002', '{"name": "x"}', NULL, 'london', NULL,
		NULL)$$),
	(9, $$update_doctor('DOC-003', '{"name": "x"}', NULL, 'london', NULL,
		NULL)$$),
	(10, $$update_doctor('DOC-004', '{"name": "x"}', NULL, 'london', NULL,
		NULL)$$),
	(11, $$get_working_hours('DOC-003', '504', 'london')$$),
	(12, $$update_working_hours('DOC-003', '503', '{"branch_id": "MUM-01"}',
		NULL, 'london', NULL, NULL)$$),
	(13, $$create_working_hours('DOC-003', '{"branch_id": "MUM-01",
		"weekday": 3, "start_time": "09:00", "end_time": "10:00"}', 'london',
		NULL, NULL)$$),
	(14, $$create_working_hours('DOC-001', '{"branch_id": "LON-01",
		"weekday": 3, "start_time": "09:00", "end_time": "10:00"}', 'london',
		NULL, NULL)$$),
	(15, $$create_time_off('DOC-002', '{"date_from": "2026-04-01",
		"date_to": "2026-04-01"}', 'london', NULL, NULL)$$),
	(16, $$create_time_off('DOC-003', '{"date_from": "2026-04-01",
		"date_to": "2026-04-01"}', 'london', NULL, NULL)$$),
	(17, $$create_closure('MUM-01', '{"date_from": "2026-04-01",
		"date_to": "2026-04-01"}', 'london', NULL, NULL)$$),
	(18, $$create_closure('LON-01', '{"date_from": "2026-04-01",
		"date_to": "2026-04-01"}', 'london', NULL, NULL)$$),
	(19, $$get_visit_type('procedure', 'london')$$),
	(20, $$update_visit_type('procedure', '{"name": "x"}', NULL, 'london',
		NULL, NULL)$$),
	(21, $$get_setting('hold_min', 'MUM-01', NULL, 'london')$$),
	(22, $$update_setting('hold_min', 'LON-01', NULL, '{"value": 9}', NULL,
		'london', NULL, NULL)$$),
	(23, $$update_setting('hold_min', NULL, NULL, '{"value": 9}', NULL,
		'london', NULL, NULL)$$),
	(24, $$update_setting('hold_min', NULL, 'DOC-003', '{"value": 9}', NULL,
		'london', NULL, NULL)$$),
	(25, $$get_patient('PAT-M', 'london')$$),
	(26, $$get_patient('PAT-B', 'london')$$),
	(27, $$update_patient('PAT-M', '{}', NULL, 'london', NULL, NULL)$$),
	(28, $$update_patient('PAT-L', '{"branch_id": "MUM-01"}', NULL, 'london',
		NULL, NULL)$$),
	(29, $$update_patient('PAT-L', '{"branch_id": null}', NULL, 'both',
		NULL, NULL)$$),
	(30, $$update_patient('PAT-L', '{"branch_id": null}', NULL, 'london',
		NULL, NULL)$$)
) AS asked (place, call)
ORDER BY place;
SELECT call, pg_temp.try('SELECT appt_api.' || call) AS answer
FROM (VALUES
	(1, $$delete_branch('MUM-01', NULL, 'london')$$),
	(2, $$delete_branch('LON-01', NULL, 'london')$$),
	(3, $$delete_doctor('DOC-003', NULL, 'london')$$),
	(4, $$delete_working_hours('DOC-003', '504', NULL, 'london')$$),
	(5, $$delete_visit_type('procedure', NULL, 'london')$$),
	(6, $$delete_setting('hold_min', NULL, NULL, NULL, 'london')$$)
) AS asked (place, call)
ORDER BY place;

-- A refusal tells nothing of appointments elsewhere.
SELECT count(*)
FROM appt.book('PAT-M', 'DOC-003', '2026-03-17 09:00', branch_id => 'MUM-01');
SELECT displace, pg_temp.try(format(
	'SELECT appt_api.create_time_off(''DOC-003'', %L, ''london'', NULL, NULL)',
	jsonb_build_object('date_from', '2026-03-17', 'date_to', '2026-03-17',
		'reason', 'Training', 'displace', displace))) AS answer
FROM unnest('{refuse,cancel,move}'::text[]) AS displace;
SELECT override
FROM appt.book('PAT-M', 'DOC-002', '2026-03-18 09:00', branch_id => 'MUM-01',
	override => true);
SELECT pg_temp.try($$SELECT appt_api.create_time_off('DOC-002', '{"date_from":
	"2026-03-18", "date_to": "2026-03-18"}', 'london', NULL, NULL)$$);
SELECT pg_temp.try($$SELECT (appt_api.update_doctor('DOC-002',
	'{"active": false}', NULL, 'london', NULL, NULL)).version$$);
-- Nor of one that was never ended, of a day that has passed.
SAVEPOINT past;
UPDATE appt.appointment SET slot_start = slot_start - interval '7 days',
	slot_end = slot_end - interval '7 days', token_date = token_date - 7
WHERE doctor_id = 'DOC-002' AND branch_id = 'MUM-01';
SELECT displace, pg_temp.try(format(
	'SELECT appt_api.create_time_off(''DOC-002'', %L, ''london'', NULL, NULL)',
	jsonb_build_object('date_from', '2026-03-11', 'date_to', '2026-03-11',
		'reason', 'Training', 'displace', displace))) AS answer
FROM unnest('{refuse,cancel}'::text[]) AS displace;
ROLLBACK TO past;

-- Who registers at which branch.
SELECT body::jsonb->'branch_id' AS branch_id
FROM appt_api.create_patient('{"first_name": "New"}', 'london', NULL, NULL);
SELECT pg_temp.try(
	$$SELECT appt_api.create_patient('{"first_name": "New"}', 'both', NULL,
	NULL)$$);

-- A warning of a duplicate does not tell of a patient elsewhere.
UPDATE appt.patient SET date_of_birth = '1990-01-01' WHERE patient_id = 'PAT-M';
SELECT client, body::jsonb->'possible_duplicates' AS possible_duplicates
FROM (VALUES ('both', 'MUM-01'), ('london', 'LON-01')) AS c (client, branch)
CROSS JOIN LATERAL appt_api.create_patient(jsonb_build_object('first_name',
	'of', 'last_name', 'mumbai', 'date_of_birth', '1990-01-01', 'branch_id',
	branch), client, NULL, NULL)
ORDER BY client DESC;

ROLLBACK;
