-- Why a slot cannot be booked, in a line to read out.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.why(at text, until text DEFAULT NULL) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format('SELECT appt.explain_slot(%L, %L, %L)',
	'DOC-001', at, until));
SELECT count(pg_temp.book('PAT-1', '2026-03-16 09:00'));
SELECT count(appt.hold('DOC-001', '2026-03-16 09:15'));
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-17 00:00', '2026-03-18 00:00');
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-18 00:00', '2026-03-19 00:00');

SELECT at, until, pg_temp.why(at, until)
FROM (VALUES (1, '2026-03-16 09:30', NULL),
	(2, '2026-03-16 09:30', '2026-03-16 10:00'), (3, '2026-03-16 09:00', NULL),
	(4, '2026-03-16 09:15', NULL), (5, '2026-03-16 10:15', NULL),
	(6, '2026-03-16 09:30', '2026-03-16 10:15'), (7, '2026-03-16 09:35', NULL),
	(8, '2026-03-17 09:00', NULL), (9, '2026-03-18 09:00', NULL),
	(10, '2026-03-14 09:00', NULL), (11, '2026-09-14 09:00', NULL),
	(12, '2026-03-16 09:30', '2026-03-16 09:31'),
	(13, NULL, NULL)) v (n, at, until)
ORDER BY n;
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-001', '2026-03-16 09:45',
	visit_type => 'procedure')$$);
INSERT INTO appt.setting (name, value)
VALUES ('lead_time_min', '4320'), ('doctor_daily_limit', '2');
SELECT pg_temp.why('2026-03-16 11:00');
UPDATE appt.setting SET value = '60' WHERE name = 'lead_time_min';
SELECT pg_temp.why('2026-03-16 11:00');
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-999', '2026-03-16 11:00')$$);
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-001', '2026-03-16 11:00',
	branch_id => 'PAR-01')$$);
SELECT pg_temp.try($$SELECT appt.explain_slot('DOC-001', '2026-03-16 11:00',
	visit_type => 'dance')$$);


-- The JSON form; a client limited to another branch sees nothing there.
DELETE FROM appt.setting;
SELECT body FROM (VALUES (1, '2026-03-16 09:30'), (2, '2026-03-16 09:15'),
	(3, '2026-03-17 09:00'), (4, '2026-03-18 09:00'), (5, '2026-03-16 12:00'))
	v (n, at)
CROSS JOIN LATERAL appt_api.explain_slot('DOC-001', at::timestamptz, NULL,
	NULL, NULL)
ORDER BY n;
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
SELECT client_id FROM appt.create_client('London only', '{appointments:read}',
	branch_ids => '{LON-01}', id => 'c_london');
SELECT pg_temp.try(format('SELECT appt_api.explain_slot(%L, %L, NULL, %L, %L,
	%L)', doctor, '2026-03-16 11:00', 'MUM-01', visit, client))
FROM (VALUES (1, 'DOC-001', NULL, 'c_london'), (2, 'DOC-999', NULL, NULL),
	(3, 'DOC-001', 'dance', NULL), (4, NULL, NULL, NULL))
	v (n, doctor, visit, client)
ORDER BY n;
UPDATE appt.branch SET active = false WHERE branch_id = 'LON-01';

-- It says free of just what is listed, and writes nothing.
SELECT count(*) AS asked,
	count(*) FILTER (WHERE (why = 'free') = listed) AS agree
FROM generate_series(timestamptz '2026-03-16 08:00', '2026-03-19 13:00',
	interval '5 min') at
CROSS JOIN LATERAL (SELECT appt.explain_slot('DOC-001', at, at + interval
	'15 min'), EXISTS (SELECT FROM appt.available_slots('DOC-001',
	'2026-03-16', to_date => '2026-03-19') WHERE start_time = at))
	x (why, listed);

-- Of a day: every point of the grid, its verdict that of explain_slot.
SELECT slot->>'start_time' AS start_time, slot->>'reason' AS reason,
	slot->>'detail' AS detail
FROM appt_api.explain_day('DOC-001', '2026-03-16', NULL, NULL, NULL) AS day,
	jsonb_array_elements(day::jsonb) AS slot
LIMIT 4;
SELECT count(*) AS points,
	count(*) FILTER (WHERE slot = one::jsonb - 'doctor_id' - 'branch_id'
		- 'slot_start' - 'slot_end' || jsonb_build_object(
			'start_time', one::jsonb->'slot_start',
			'end_time', one::jsonb->'slot_end')) AS agree,
	count(DISTINCT slot->>'reason') AS reasons
FROM appt_api.explain_day('DOC-001', '2026-03-14', NULL, '2026-03-19', NULL)
	AS days,
	jsonb_array_elements(days::jsonb) AS slot,
	appt_api.explain_slot('DOC-001', (slot->>'start_time')::timestamptz, NULL,
		NULL, NULL) AS one;
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-IDLE', 'Dr Idle');
SELECT appt_api.explain_day('DOC-IDLE', '2026-03-16', NULL, NULL, NULL);
SELECT pg_temp.try(format('SELECT appt_api.explain_day(%L, %L, %L, %L, %L,
	%L)', doctor, date, branch, date_to, visit, client))
FROM (VALUES (1, 'DOC-001', '2026-03-16', 'MUM-01', NULL, NULL, 'c_london'),
	(2, 'DOC-999', '2026-03-16', NULL, NULL, NULL, NULL),
	(3, 'DOC-001', '2026-03-16', NULL, NULL, 'dance', NULL),
	(4, 'DOC-001', NULL, NULL, NULL, NULL, NULL),
	(5, 'DOC-001', '2026-03-16', NULL, '2026-04-16', NULL, NULL))
	v (n, doctor, date, branch, date_to, visit, client)
ORDER BY n;

SET TRANSACTION READ ONLY;
SELECT pg_temp.why('2026-03-16 09:30');

ROLLBACK;
