-- A branch's calendar: of each doctor the slots as explain_day has them and the
-- visits as the list has them; patients' names to who asks for them.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.department (department_id, name) VALUES ('ENT', 'Ear');
INSERT INTO appt.doctor (doctor_id, name, department_id, active)
VALUES ('DOC-000', 'Dr Iyer', 'ENT', true), ('DOC-IDLE', 'Dr Idle', NULL, true),
	('DOC-GONE', 'Dr Gone', NULL, true);
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT v.doctor_id, 'MUM-01', d, '09:00', '10:00'
FROM generate_series(1, 7) d, unnest('{DOC-000,DOC-GONE}'::text[])
	AS v (doctor_id);
SELECT count(pg_temp.book(v.patient, v.at::timestamptz, v.doctor))
FROM (VALUES ('PAT-1', '2026-03-16 09:00', 'DOC-001'),
	('PAT-2', '2026-03-16 09:00', 'DOC-000'),
	('PAT-1', '2026-03-16 11:30', 'DOC-001'),
	('PAT-4', '2026-03-18 09:30', 'DOC-000'),
	('PAT-5', '2026-03-16 09:00', 'DOC-GONE')) v (patient, at, doctor);
SELECT pg_temp.book('PAT-3', '2026-03-16 09:15') AS c \gset
SELECT status FROM appt.cancel(:'c', 'Recovered');
SELECT count(appt.hold('DOC-001', '2026-03-16 09:45'));
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-GONE';

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'London', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-LON', 'Dr Jones');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-LON', 'LON-01', 1, '09:00', '10:00');
INSERT INTO appt.api_client (client_id, name, scopes, branch_ids, secret_hash)
VALUES ('c_london', 'London', appt_internal.all_scopes(), '{LON-01}',
	sha256('london'));
INSERT INTO appt.staff (staff_id, account, name, role, department_ids,
	password_hash)
VALUES ('all', 'all', 'All', 'reception', NULL, '$y$j9T$a$b'),
	('ent', 'ent', 'Ear', 'reception', '{ENT}', '$y$j9T$a$b');

CREATE FUNCTION pg_temp.calendar(date date, date_to date DEFAULT NULL,
	doctor_id text DEFAULT NULL, patients boolean DEFAULT NULL,
	client text DEFAULT NULL, branch_id text DEFAULT 'MUM-01')
	RETURNS jsonb
	LANGUAGE sql VOLATILE
RETURN appt_api.calendar(branch_id, date, date_to, doctor_id, patients,
	client)::jsonb;

-- Slots as explain_day, visits as the list without the cancelled ones.
SELECT d->>'doctor_id' AS doctor_id, jsonb_array_length(d->'slots') AS slots,
	d->'slots' = appt_api.explain_day(d->>'doctor_id', '2026-03-16', 'MUM-01',
		'2026-03-18', NULL)::jsonb AS agree,
	jsonb_array_length(d->'appointments') AS visits,
	d->'appointments' = (
		SELECT coalesce(jsonb_agg(a.one ORDER BY a.n), '[]')
		FROM appt_api.list_appointments(d->>'doctor_id', NULL, 'MUM-01', NULL,
			'2026-03-16', '2026-03-18', 1, 100) AS page,
			jsonb_array_elements(page.body::jsonb) WITH ORDINALITY AS a (one, n)
		WHERE a.one->>'status' <> 'cancelled') AS listed
FROM pg_temp.calendar('2026-03-16', '2026-03-18') AS c,
	jsonb_array_elements(c->'doctors') AS d;
SELECT c ? 'patients' AS patients, jsonb_path_query_array(c,
	'$.doctors[*].appointments[*].patient_id') AS visits
FROM pg_temp.calendar('2026-03-16') AS c;

-- Doctors by name; one who is not at the branch has no line.
SELECT doctor_id, jsonb_path_query_array(
	pg_temp.calendar('2026-03-16', NULL, doctor_id),
	'$.doctors[*].doctor_id') AS found
FROM unnest('{DOC-001,"DOC-000,DOC-001,DOC-000",DOC-IDLE,DOC-GONE,DOC-LON}'
	::text[]) AS doctor_id;

-- Whose visits they are, each once, as in a list; it is noted who of the staff
-- is shown them.
SELECT c->'patients' = (
		SELECT jsonb_agg(p.one ORDER BY substr(p.one->>'id', 5)::integer)
		FROM appt_api.list_patients(NULL, NULL, NULL, 1, 100, NULL) AS page,
			jsonb_array_elements(page.body::jsonb) AS p (one)
		WHERE p.one->>'id' IN ('PAT-1', 'PAT-2')) AS listed,
	jsonb_path_query_array(c, '$.patients[*].patient_id') AS ids
FROM pg_temp.calendar('2026-03-16', patients => true) AS c;
SELECT jsonb_path_query_array(c, '$.doctors[*].doctor_id') AS doctors,
	jsonb_path_query_array(c, '$.patients[*].patient_id') AS ids
FROM pg_temp.calendar('2026-03-16', '2026-03-18', NULL, true, 'staff:ent') AS c;
SELECT count(pg_temp.calendar('2026-03-16', client => 'staff:all'));
SELECT actor, patient_id, call FROM appt.patient_access ORDER BY patient_id;
SELECT pg_temp.calendar('2026-03-16', NULL, 'DOC-LON', true, 'c_london',
	'LON-01')->'patients' AS nobody;
SELECT count(*) FROM appt.patient_access;
SELECT appt_api.calendar('LON-01', '2026-03-16', NULL, 'DOC-IDLE', NULL);

SELECT pg_temp.try(format('SELECT appt_api.calendar(%L, %L, %L, %L, NULL, %L)',
	branch, date, date_to, doctor, client))
FROM (VALUES (1, 'MUM-01', '2026-03-16', NULL, NULL, 'c_london'),
	(2, 'ZZZ-01', '2026-03-16', NULL, NULL, NULL),
	(3, NULL, '2026-03-16', NULL, NULL, NULL),
	(4, 'MUM-01', NULL, NULL, NULL, NULL),
	(5, 'MUM-01', 'infinity', NULL, NULL, NULL),
	(6, 'MUM-01', '2026-03-16', 'infinity', NULL, NULL),
	(7, 'MUM-01', '2026-03-16', '-infinity', NULL, NULL),
	(8, 'MUM-01', '2026-03-16', '2026-03-15', NULL, NULL),
	(9, 'MUM-01', '2026-03-16', '2026-03-23', NULL, NULL),
	(10, 'MUM-01', '2026-03-16', NULL, 'DOC-001,DOC-999', NULL),
	(11, 'MUM-01', '2026-03-16', NULL, 'DOC-001,', NULL),
	(12, 'LON-01', '2026-03-16', NULL, 'DOC-001', 'c_london'),
	(13, 'MUM-01', '2026-03-16', NULL, 'DOC-001', 'staff:ent'),
	(14, 'MUM-01', '2026-03-16', NULL, NULL, 'nobody'))
	v (n, branch, date, date_to, doctor, client)
ORDER BY n;

ROLLBACK;
