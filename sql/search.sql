-- The first free slot among several doctors.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.doctor (doctor_id, name, specialty, active)
VALUES ('DOC-002', 'Dr Khan', 'Cardiology', true),
	('DOC-003', 'Dr Iyer', 'Cardiology', true),
	('DOC-004', 'Dr Gone', 'Cardiology', false);
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, slot_min)
VALUES ('DOC-002', 'MUM-01', 1, '10:00', '11:00', 30),
	('DOC-003', 'LON-01', 1, '04:00', '06:00', 20),
	('DOC-004', 'MUM-01', 1, '08:00', '09:00', 15);

-- Of doctors whom this session has not met yet.
SELECT * FROM appt.first_available(specialty => 'Cardiology');
SELECT * FROM appt.first_available('{DOC-001,DOC-002,DOC-003}');
SELECT * FROM appt.first_available('{DOC-002,DOC-003}');
SELECT * FROM appt.first_available('{DOC-002,DOC-003}', branch_id => 'MUM-01');
SELECT * FROM appt.first_available(specialty => 'Cardiology');
SELECT * FROM appt.first_available(specialty => 'Cardiology',
	duration_min => 45);
SELECT * FROM appt.first_available('{DOC-001}', '2026-03-16 10:00');
SELECT * FROM appt.first_available('{DOC-001}', '2026-03-16 11:46');
SELECT * FROM appt.first_available('{DOC-001}', '2020-01-01');
SELECT * FROM appt.first_available('{DOC-001}', visit_type => 'procedure');

-- What is booked is not free; weeks may lie between; nothing is nothing.
SELECT count(appt.book('PAT-1', 'DOC-002', '2026-03-16 10:00',
	branch_id => 'MUM-01'));
SELECT * FROM appt.first_available('{DOC-002}');
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-002', '2026-03-16 10:30', '2026-05-01');
SELECT * FROM appt.first_available('{DOC-002}');
UPDATE appt.time_off SET ends_at = '2027-01-01';
SELECT * FROM appt.first_available('{DOC-002}');

-- The slot that is found can be booked as it is, and is the first that any of
-- the lists has.
CREATE FUNCTION pg_temp.book_first(patient text) RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
	doctors CONSTANT text[] := '{DOC-001,DOC-002,DOC-003}';
	found record;
	earliest timestamptz;
BEGIN
	SELECT * INTO found FROM appt.first_available(doctors);
	SELECT min(s.start_time) INTO earliest
	FROM unnest(doctors) d, appt.available_slots(d, '2026-03-15', NULL, NULL,
		'2026-04-01') s;
	PERFORM appt.book(patient, found.doctor_id, found.start_time,
		found.end_time, found.branch_id);
	RETURN concat_ws(' ', found.doctor_id,
		to_char(found.start_time, 'DD HH24:MI'),
		CASE WHEN found.start_time <> earliest THEN 'is not the first' END);
END
$$;
SELECT string_agg(pg_temp.book_first('PAT-' || n), ', ' ORDER BY n)
FROM generate_series(1, 9) n;

SELECT pg_temp.try('SELECT doctor_id FROM appt.first_available(' || a || ')')
FROM unnest(ARRAY['''{DOC-999}''', '''{DOC-004}''', '''{}''', '''{NULL}''', '',
	'specialty => ''Dancing''', '''{DOC-001}'', branch_id => ''PAR-01''',
	'''{DOC-001}'', duration_min => 4', '''{DOC-001}'', ''infinity''',
	'''{DOC-001}'', visit_type => ''dance''',
	'''{{DOC-001},{DOC-002}}''']) WITH ORDINALITY v (a, n) ORDER BY n;

-- The JSON form, and a client that is limited to a branch: of a specialty it is
-- shown whom it sees.
DELETE FROM appt.time_off;
SELECT count(*) FROM appt.create_client('London', '{appointments:read}',
	branch_ids => '{LON-01}', id => 'c_london');
SELECT pg_temp.try(format('SELECT appt_api.first_slot(%L, %L, NULL, NULL, NULL,
	NULL, NULL, %L)', doctor, specialty, client))
FROM (VALUES (1, 'DOC-002', NULL, NULL), (2, 'DOC-002,DOC-003', NULL, NULL),
	(3, NULL, 'cardiology', NULL), (4, NULL, 'cardiology', 'c_london'),
	(5, NULL, 'alchemy', NULL), (6, 'DOC-003', NULL, 'c_london'),
	(7, 'DOC-002', NULL, 'c_london'), (8, 'DOC-999', NULL, 'c_london'),
	(9, NULL, NULL, NULL), (10, 'DOC-002,', NULL, NULL))
	v (n, doctor, specialty, client)
ORDER BY n;

ROLLBACK;
