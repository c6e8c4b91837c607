-- Moving what lies in an absence: each visit to a time at which its patient can
-- come, too, whatever else has changed since it was booked.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-002', 'MUM-01', d, '09:00', '10:00' FROM generate_series(1, 7) d;
CREATE FUNCTION pg_temp.day() RETURNS TABLE (patient text, doctor text,
	slot text, length integer, version integer) LANGUAGE sql
AS $$
	SELECT a.patient_id, a.doctor_id, to_char(a.slot_start, 'DD HH24:MI'),
		(extract(epoch FROM a.slot_end - a.slot_start) / 60)::integer, a.version
	FROM appt.appointment a
	ORDER BY a.slot_start, a.doctor_id
$$;
CREATE FUNCTION pg_temp.close(day date) RETURNS text LANGUAGE sql
RETURN pg_temp.try(format('SELECT displaced FROM appt.add_closure(''MUM-01'',
	%L, %L, ''Flood'', ''move'')', day, day + 1));

-- PAT-1 sees both doctors, one after the other; the same first slot of the next
-- day would be free at both.
SELECT count(pg_temp.book(p, at, d)) FROM (VALUES
	('PAT-1', timestamptz '2026-03-16 09:00', 'DOC-001'),
	('PAT-2', '2026-03-16 09:15', 'DOC-001'),
	('PAT-1', '2026-03-16 09:15', 'DOC-002'),
	('PAT-3', '2026-03-16 09:30', 'DOC-002')) v (p, at, d);
SELECT pg_temp.close('2026-03-16') AS displaced;
SELECT * FROM pg_temp.day();

-- Where the patient has enough visits that day, the next day.
INSERT INTO appt.setting (name, value) VALUES ('patient_daily_limit', '1');
SELECT pg_temp.close('2026-03-17') AS displaced;
SELECT * FROM pg_temp.day();
DELETE FROM appt.setting;

-- A visit keeps its length and its type, even one that was retired since.
SELECT count(appt.book('PAT-4', 'DOC-001', '2026-03-20 09:00',
	visit_type => 'procedure'));
UPDATE appt.visit_type SET active = false WHERE visit_type = 'procedure';
SELECT pg_temp.close('2026-03-20') AS displaced;
SELECT * FROM pg_temp.day() WHERE patient = 'PAT-4';

-- A doctor who no longer works there has no place to move to.
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-002';
SELECT regexp_replace(pg_temp.close('2026-03-18'), 'APT-2026-\d+', 'APT-…')
	AS inactive;

-- A day's move, by arguments that make no day.
SELECT arguments, pg_temp.try(format(
	'SELECT count(*) FROM appt.reschedule_day(%s)', arguments))
FROM unnest(ARRAY['NULL, NULL', '''DOC-001'', NULL',
	'''DOC-001'', ''infinity''', '''DOC-001'', ''2026-03-18'', ''-infinity''',
	'''DOC-001'', ''2026-03-18'', ''5874897-12-31''',
	'''DOC-001'', ''4713-01-01 BC'', ''5874897-12-31''',
	'''DOC-001'', ''2026-03-18'', to_doctor_id => ''DOC-999''',
	'''DOC-001'', ''2026-03-18'', branch_id => repeat(''x'', 1024)'])
	WITH ORDINALITY a (arguments, no)
ORDER BY no;
ROLLBACK;
