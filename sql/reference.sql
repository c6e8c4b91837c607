-- History that is loaded past the engine names doctors and branches that exist.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('PUN-01', 'Pune', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Iyer');

-- A completed visit of 2024 with those codes; its doctor's number from that of
-- another, if one is named.
CREATE FUNCTION pg_temp.load(doctor text, branch text, number_of text DEFAULT NULL)
	RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'INSERT INTO appt.appointment (appointment_id, patient_id, doctor_id, branch_id,
		slot_start, slot_end, status, token_number, token_date, booked_at,
		doctor_no, patient_no)
	SELECT %L, ''PAT-1'', %L, %L, ''2024-05-06 09:00'', ''2024-05-06 09:15'',
		''completed'', 1, ''2024-05-06'', ''2024-05-01'',
		coalesce((SELECT doctor_no FROM appt.doctor WHERE doctor_id = %L), 4711),
		(SELECT patient_no FROM appt.patient WHERE patient_id = ''PAT-1'')
	RETURNING appointment_id', 'OLD-' || doctor, doctor, branch,
	coalesce(number_of, doctor)));

SELECT pg_temp.load('DOC-GONE', 'MUM-01') AS no_doctor,
	pg_temp.load('DOC-001', 'GONE') AS no_branch,
	pg_temp.load('DOC-001', 'MUM-01', 'DOC-002')
		~ '^23503 doctor_no \d+ of appointment "OLD-DOC-001" is not that of doctor "DOC-001"'
		AS another_number,
	pg_temp.load(repeat('x', 1024), 'MUM-01') ~ '^23503 doctor "x+" of' AS long,
	pg_temp.load('DOC-001', 'MUM-01') AS right;

-- A doctor who was entered just before, in the same transaction.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-003', 'Dr Shah');
SELECT pg_temp.load('DOC-003', 'PUN-01') AS right_too;

-- Nor is a row changed to them.
SELECT pg_temp.try('UPDATE appt.appointment SET doctor_id = ''DOC-GONE''
	WHERE appointment_id = ''OLD-DOC-001''
	RETURNING appointment_id') AS doctor_changed;
SELECT pg_temp.try('UPDATE appt.appointment SET branch_id = ''GONE''
	WHERE appointment_id = ''OLD-DOC-001''
	RETURNING appointment_id') AS branch_changed;

-- By COPY, as history comes.
SELECT doctor_no AS rao FROM appt.doctor WHERE doctor_id = 'DOC-001' \gset
SELECT patient_no AS first FROM appt.patient WHERE patient_id = 'PAT-1' \gset
SELECT 'COPY appt.appointment (appointment_id, patient_id, doctor_id, branch_id,
	slot_start, slot_end, status, token_number, token_date, booked_at,
	doctor_no, patient_no) FROM PROGRAM $$printf "'
	|| string_agg(format('COPIED-%1$s\tPAT-1\t%2$s\tMUM-01\t2024-05-07 0%1$s:00\t'
		'2024-05-07 0%1$s:15\tcompleted\t%1$s\t2024-05-07\t2024-05-01\t%3$s\t%4$s\n',
		n, doctor_id, :rao, :first), '') || '"$$' AS copy
FROM (VALUES (1, 'DOC-001'), (2, 'DOC-O01')) v (n, doctor_id)
\gset
SELECT pg_temp.try(:'copy') AS copied;
SELECT count(*) FROM appt.appointment WHERE appointment_id LIKE 'COPIED%';

-- A restore brings the doctors after the appointments.
SET LOCAL check_function_bodies = off;
SELECT pg_temp.load('DOC-LATER', 'MUM-01') AS restored;
ROLLBACK;
