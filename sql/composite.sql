-- A row that somebody made up obeys no constraint of its table: functions that
-- take a row refuse what the table would, and the server lives on.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT token_number FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00');

-- The appointment with one member changed, as JSON.
CREATE FUNCTION pg_temp.shown(change jsonb) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT appt.appointment_json(jsonb_populate_record(a, %L))
	FROM appt.appointment a', change));

SELECT pg_temp.try('SELECT appt.appointment_json(NULL)') AS no_row;
SELECT pg_temp.try('SELECT appt.appointment_json(
	jsonb_populate_record(NULL::appt.appointment, ''{}''))') AS empty_row;

-- Each column NULL: refused where the table has NOT NULL, else shown.
SELECT c.attname, left(pg_temp.shown(jsonb_build_object(c.attname, NULL)), 80)
FROM pg_attribute c
WHERE c.attrelid = 'appt.appointment'::regclass AND c.attnum > 0
ORDER BY c.attnum;

-- What is in no table.
SELECT change, pg_temp.shown(change)
FROM (VALUES (jsonb '{"branch_id": "nope"}'),
	('{"doctor_id": "nope", "patient_id": "nope", "visit_type": "nope"}'),
	('{"slot_start": "infinity"}'),
	('{"slot_end": "-infinity"}'),
	('{"token_date": "infinity"}'),
	('{"token_date": "-infinity"}'),
	('{"booked_at": "infinity"}')) v (change);

-- Rows that came past the engine and its triggers, of a doctor or a branch that
-- nobody knows: every call says so.
SET LOCAL session_replication_role = replica;
INSERT INTO appt.appointment (appointment_id, patient_id, doctor_id, branch_id,
	slot_start, slot_end, status, token_number, token_date, booked_at,
	checked_in_at, doctor_no, patient_no)
SELECT v.id, 'PAT-2', v.doctor_id, v.branch_id, v.at, v.at + interval '15 min',
	v.status, v.token_number, v.at::date, appt.clock(),
	CASE v.status WHEN 'checked_in' THEN appt.clock() END, d.doctor_no,
	p.patient_no
FROM appt.doctor d, appt.patient p, (VALUES
	('APT-D', 'DOC-GONE', 'MUM-01', timestamptz '2026-03-16 11:00', 'booked', 7),
	('APT-B', 'DOC-001', 'GONE', timestamptz '2026-03-16 11:15', 'booked', 8),
	('APT-N', 'DOC-GONE', 'MUM-01', timestamptz '2026-03-14 11:15', 'no_show', 8),
	('APT-Q', 'DOC-001', 'GONE', timestamptz '2026-03-14 11:30', 'checked_in', 9))
	v (id, doctor_id, branch_id, at, status, token_number)
WHERE p.patient_id = 'PAT-2';
RESET session_replication_role;
SELECT call, pg_temp.try(call)
FROM unnest(ARRAY[
	'SELECT appt.cancel(''APT-D'', ''Gone'')',
	'SELECT appt.cancel(''APT-B'', ''Gone'')',
	'SELECT appt.reschedule(''APT-D'', ''2026-03-16 09:30'')',
	'SELECT appt.reschedule(''APT-D'', ''2026-03-16 09:30'', doctor_id => ''DOC-001'')',
	'SELECT appt.reschedule(''APT-B'', ''2026-03-16 09:30'', branch_id => ''MUM-01'')',
	'SELECT appt.check_in(''APT-N'')',
	'SELECT appt.start(''APT-Q'')',
	'SELECT count(*) FROM appt.queue(''DOC-001'')',
	'SELECT appt.call_next(''DOC-001'')',
	'SELECT body FROM appt_api.queue(''DOC-001'', NULL)',
	'SELECT body FROM appt_api.get_appointment(''APT-B'', NULL)',
	'SELECT appt.add_closure(''GONE'', ''2026-03-14'', ''2026-03-18'', ''x'', ''cancel'')',
	'SELECT appt.add_time_off(''DOC-001'', ''2026-03-14'', ''2026-03-18'', ''x'', ''move'')',
	'SELECT appt.reschedule_day(''DOC-001'', ''2026-03-16'', ''2026-03-17'')'])
	WITH ORDINALITY calls (call, no)
ORDER BY no;

ROLLBACK;
