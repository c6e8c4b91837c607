-- Booking: the published request, every refusal, override, what is recorded.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- The vendor's request to the letter, as the gateway passes it on.
INSERT INTO appt.patient (patient_id, first_name)
VALUES ('PAT-2026-00123', 'Diya');
SELECT version, replayed, id ~ '^APT-2026-\d{6,}$' AS id_is_in_form,
	jsonb_pretty(body::jsonb - 'appointment_id') AS body
FROM appt_api.book(patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
	branch_id => 'MUM-01', slot_start => '2026-03-15T11:00:00+05:30',
	slot_end => '2026-03-15T11:15:00+05:30', visit_type => 'new_consultation',
	notes => 'Patient reports persistent cough', source => NULL,
	hold_id => NULL, override => NULL);

-- In SQL: three arguments are enough, the rest have defaults.
SELECT to_char(slot_start, 'HH24:MI') AS starts,
	to_char(slot_end, 'HH24:MI') AS ends, branch_id, status, token_number,
	token_date, source, version, booked_at
FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00');
SELECT to_char(slot_end, 'HH24:MI') AS ends, visit_type, source, notes
FROM appt.book('PAT-2', 'DOC-001', '2026-03-16 09:15',
	visit_type => 'procedure', source => 'front_desk', notes => 'Ätsch "…"');

-- Every reason for which a slot is not available.
CREATE FUNCTION pg_temp.refused(at text, until text DEFAULT NULL) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT status FROM appt.book(%L, %L, %L, %L)',
	'PAT-3', 'DOC-001', at, until));
SELECT appointment_id AS h FROM appt.hold('DOC-001', '2026-03-16 11:00') \gset
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-17 09:00', '2026-03-17 10:00');
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-17 09:30', '2026-03-17 11:30');
SELECT pg_temp.refused('2026-03-16 09:00') AS taken;
SELECT pg_temp.refused('2026-03-16 09:30') AS taken_by_the_longer_one;
SELECT pg_temp.refused('2026-03-16 09:45', '2026-03-16 10:00') AS free;
SELECT pg_temp.refused('2026-03-16 11:00') AS held;
SELECT pg_temp.refused('2026-03-16 08:45') AS before_hours;
SELECT pg_temp.refused('2026-03-16 10:00') AS in_the_break;
SELECT pg_temp.refused('2026-03-16 11:45', '2026-03-16 12:05') AS over_the_end;
SELECT pg_temp.refused('2026-03-16 11:20') AS off_grid;
SELECT pg_temp.refused('2026-03-16 11:15:00.5') AS off_grid;
SELECT pg_temp.refused('2026-03-17 09:00') AS on_leave;
SELECT pg_temp.refused('2026-03-17 11:15') AS closed;
SELECT pg_temp.refused('2026-03-17 09:30') AS both;
SELECT pg_temp.refused('2026-03-14 11:45') AS past;
SELECT pg_temp.refused('2026-06-13 09:00') AS beyond_horizon;
SAVEPOINT rules;
INSERT INTO appt.setting (name, value) VALUES ('lead_time_min', '2880');
SELECT pg_temp.refused('2026-03-16 11:45') AS lead_time;
DELETE FROM appt.setting;
INSERT INTO appt.setting (name, value) VALUES ('doctor_daily_limit', '3');
SELECT pg_temp.refused('2026-03-16 11:45') AS daily_limit;
UPDATE appt.setting SET name = 'patient_daily_limit', value = '1';
SELECT pg_temp.refused('2026-03-16 11:45') AS patient_daily_limit;
ROLLBACK TO rules;

-- Nobody is in two places at once, whoever the doctor is.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, slot_min)
VALUES ('DOC-002', 'MUM-01', 1, '09:00', '12:00', 10);
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-1', 'DOC-002', '2026-03-16 09:10')$$);
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-1', 'DOC-002', '2026-03-16 09:20')$$);

-- Bad requests.
SELECT a.doctor, a.patient, a.at, pg_temp.try(format(
	'SELECT status FROM appt.book(%L, %L, %L)', a.patient, a.doctor, a.at))
FROM (VALUES
	('DOC-001', NULL, '2026-03-16 11:45'), (NULL, 'PAT-3', '2026-03-16 11:45'),
	('DOC-001', 'PAT-3', NULL),
	('DOC-999', 'PAT-3', '2026-03-16 11:45'),
	('DOC-001', 'PAT-3', 'infinity'), ('DOC-001', 'PAT-3', '-infinity'),
	('DOC-001', 'PAT-99', '2026-03-16 11:45')) a (doctor, patient, at);
SELECT pg_temp.try(format('SELECT status FROM appt.book(%L, %L, %L)',
	'PAT-3', repeat('x', 65), '2026-03-16 11:45'));
SELECT until, pg_temp.refused('2026-03-16 11:15', until)
FROM unnest('{2026-03-16 11:15,2026-03-16 11:00,2026-03-16 11:19,
	2026-03-16 19:16,2026-03-16 11:30:30,infinity,-infinity}'::text[]) until;
SELECT argument, pg_temp.try(
	'SELECT status FROM appt.book(''PAT-3'', ''DOC-001'', ''2026-03-16 11:45'','
	|| argument || ')')
FROM unnest(ARRAY['branch_id => ''PAR-01''', 'visit_type => ''dance''',
	'source => ''fax''', 'source => ''walk_in''',
	'notes => repeat(''x'', 4001)', 'hold_id => ''hold_none''']) argument;
UPDATE appt.patient SET active = false WHERE patient_id = 'PAT-4';
UPDATE appt.visit_type SET active = false WHERE visit_type = 'procedure';
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-4', 'DOC-001', '2026-03-16 11:45')$$);
SELECT pg_temp.try($$SELECT status FROM appt.book('PAT-3', 'DOC-001',
	'2026-03-16 11:30', visit_type => 'procedure')$$);
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-002';
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-3', 'DOC-002', '2026-03-16 11:30')$$);

-- Override: against the rules, on purpose, and recorded with who and what.
SELECT override, to_char(slot_start, 'HH24:MI'), to_char(slot_end, 'HH24:MI')
FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 20:07', override => true);
SELECT override
FROM appt.book('PAT-6', 'DOC-001', '2026-03-16 11:30', override => true);
-- A place more in a slot that is full: overbooked by staff, not by accident.
SELECT override, lane
FROM appt.book('PAT-6', 'DOC-001', '2026-03-16 09:00', override => true);
SELECT a.patient_id, a.override, e.reason
FROM appt.appointment a
JOIN appt.event e USING (appointment_no)
WHERE a.patient_id IN ('PAT-5', 'PAT-6')
ORDER BY e.event_no;
-- It does not put a patient in two places, nor invent ids.
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-6', 'DOC-001', '2026-03-16 11:35', override => true)$$);
SELECT pg_temp.try($$SELECT status
	FROM appt.book('PAT-99', 'DOC-001', '2026-03-16 11:35',
	override => true)$$);

-- No value stands for one that is not given: 2000-01-01 00:00Z is a time, and no
-- version is 0.
SELECT pg_temp.refused('2026-03-16 11:45', '2000-01-01 00:00Z') AS ends_before_it_starts;
SELECT pg_temp.refused('2000-01-01 00:00Z') AS past;
SAVEPOINT overridden;
SELECT at, pg_temp.try(format('SELECT to_char(slot_start, ''HH24:MI'')
	FROM appt.book(''PAT-3'', ''DOC-001'', %L, override => true)', at)) AS overridden
FROM unnest('{2000-01-01T05:30+05:30,2000-01-01T05:45+05:30}'::text[]) at;
ROLLBACK TO overridden;
SELECT pg_temp.try('SELECT appt.explain_slot(''DOC-001'', ''2000-01-01 00:00Z'')') AS past;
SELECT pg_temp.try(format('SELECT status FROM appt.reschedule(%L, ''2000-01-01 00:00Z'')',
		appointment_id)) AS moved_to_the_past,
	pg_temp.try(format('SELECT status FROM appt.reschedule(%L, ''2026-03-16 11:45'',
		''2000-01-01 00:00Z'')', appointment_id)) AS moved_backwards,
	pg_temp.try(format('SELECT status FROM appt.cancel(%L, ''Asked'', 0)', appointment_id))
		AS version_0
FROM appt.appointment WHERE patient_id = 'PAT-5';
SAVEPOINT turn_of_the_year;
SET LOCAL bioecko_appt.clock = '2000-01-01 00:00Z';
SELECT checked_in_at, appt.appointment_json(w)::json ->> 'checked_in_at' AS in_json
FROM appt.walk_in('PAT-9', 'DOC-001') AS w;
SELECT name, checked_in_at FROM (
	SELECT patient_id AS name, checked_in_at FROM appt.queue('DOC-001')) q;
ROLLBACK TO turn_of_the_year;

-- More than one active branch: it must be named.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
SELECT pg_temp.refused('2026-03-16 11:45');
SELECT pg_temp.try($$SELECT branch_id FROM appt.book('PAT-3', 'DOC-001',
	'2026-03-16 11:45', branch_id => 'MUM-01')$$);
SELECT pg_temp.try($$SELECT branch_id FROM appt.book('PAT-3', 'DOC-001',
	'2026-03-18 11:45', branch_id => 'LON-01')$$);

-- An API client that is limited to some branches.
SELECT client_id FROM appt.create_client('London only', '{appointments:write}',
	branch_ids => '{LON-01}', id => 'c_london');
SELECT pg_temp.try($$SELECT id FROM appt_api.book('PAT-3', 'DOC-001', 'MUM-01',
	'2026-03-18 11:45', NULL, NULL, NULL, NULL, NULL, false, 'c_london')$$);
SELECT pg_temp.try($$SELECT id FROM appt_api.book('PAT-3', 'DOC-001', 'MUM-01',
	'2026-03-18 11:45', NULL, NULL, NULL, NULL, NULL, false, 'c_nobody')$$);

ROLLBACK;
