-- Weekly and extra sessions as JSON: wall-clock times of the branch.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Mehta');
ALTER SEQUENCE appt.working_hours_working_hours_no_seq RESTART 501;
ALTER SEQUENCE appt.extra_session_extra_session_no_seq RESTART 601;

SELECT id, version, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_working_hours('DOC-002', '{"branch_id": "MUM-01",
	"weekday": 1, "start_time": "10:00", "end_time": "11:00",
	"slot_min": 30, "valid_from": "2026-03-01"}', NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-16', 'MUM-01');

-- Changed: a slot more, then two patients a slot, then until 20 March only.
SELECT version, body::jsonb->>'end_time' AS end_time
FROM appt_api.update_working_hours('DOC-002', '501', '{"end_time": "11:30"}',
	1, NULL, NULL, NULL);
SELECT version FROM appt_api.update_working_hours('DOC-002', '501',
	'{"capacity": 2, "valid_from": null}', 2, NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-16', 'MUM-01');
SELECT body::jsonb->'valid_from' AS valid_from, body::jsonb->'valid_to'
	AS valid_to
FROM appt_api.update_working_hours('DOC-002', '501',
	'{"valid_to": "2026-03-20"}', NULL, NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-23', 'MUM-01');

-- Until midnight.
SELECT body::jsonb->>'end_time' AS end_time
FROM appt_api.create_working_hours('DOC-002', '{"branch_id": "LON-01",
	"weekday": 2, "start_time": "23:30", "end_time": "24:00"}', NULL, NULL,
	NULL);

-- Each bad member is named, with a sentence.
SELECT members, pg_temp.try(format(
	'SELECT appt_api.create_working_hours(''DOC-002'', %L, NULL, NULL, NULL)',
	'{"branch_id": "MUM-01", "weekday": 3, "start_time": "10:00",
	"end_time": "12:00"}'::jsonb || members)) AS refused
FROM (VALUES
	(1, '{"branch_id": null}'::jsonb),
	(2, '{"branch_id": "LON-09"}'),
	(3, '{"weekday": null}'),
	(4, '{"weekday": 0}'),
	(5, '{"weekday": 1.5}'),
	(6, '{"weekday": 70000}'),
	(7, '{"start_time": "9:00"}'),
	(8, '{"start_time": "now"}'),
	(9, '{"start_time": "09:00:30"}'),
	(10, '{"end_time": "25:00"}'),
	(11, '{"end_time": "10:00"}'),
	(12, '{"slot_min": 481}'),
	(13, '{"capacity": 0}'),
	(14, '{"capacity": 33}'),
	(15, '{"valid_from": "01/03/2026"}'),
	(16, '{"valid_from": "2026-02-30"}'),
	(17, '{"valid_from": "infinity"}'),
	(18, '{"valid_from": "2026-03-02", "valid_to": "2026-03-01"}'),
	(19, '{"weekday": 1}'),
	(20, '{"working_hours_no": 7}')) AS bad (place, members)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.create_working_hours('DOC-009', '{}', NULL,
	NULL, NULL)$$);

-- A row of another doctor is none of this one's.
SELECT pg_temp.try(
	$$SELECT appt_api.get_working_hours('DOC-001', '501', NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_working_hours('DOC-001', '501',
	'{}', NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.try(
	$$SELECT appt_api.delete_working_hours('DOC-001', '501', NULL, NULL)$$);
SELECT pg_temp.try(
	$$SELECT appt_api.get_working_hours('DOC-002', 'x', NULL)$$);

-- Lists: by branch, and what is valid on some days.
SELECT jsonb_path_query_array(body::jsonb, '$[*].working_hours_id') AS ids,
	total
FROM appt_api.list_working_hours('DOC-002', NULL, NULL, NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].working_hours_id') AS ids,
	total
FROM appt_api.list_working_hours('DOC-002', 'LON-01', NULL, NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].working_hours_id') AS ids,
	total
FROM appt_api.list_working_hours('DOC-002', NULL, '2026-03-21', NULL, 1, 20,
	NULL);

-- Extra sessions.
SELECT id, version, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_extra_session('DOC-002', '{"branch_id": "MUM-01",
	"on_date": "2026-03-18", "start_time": "10:00", "end_time": "10:30"}',
	NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-18', 'MUM-01');
SELECT pg_temp.try($$SELECT appt_api.create_extra_session('DOC-002',
	'{"branch_id": "LON-01", "on_date": "2026-03-18", "start_time": "04:45",
	"end_time": "05:15"}', NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_extra_session('DOC-002', '601',
	'{"on_date": null}', NULL, NULL, NULL, NULL)$$);
SELECT version FROM appt_api.update_extra_session('DOC-002', '601',
	'{"on_date": "2026-03-19"}', 1, NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-18', 'MUM-01');
SELECT jsonb_path_query_array(body::jsonb, '$[*].on_date') AS dates, total
FROM appt_api.list_extra_sessions('DOC-002', NULL, '2026-03-19', '2026-03-19',
	1, 20, NULL);
SELECT appt_api.delete_extra_session('DOC-002', '601', 2, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-19', 'MUM-01');

-- Ended: no slot more; what is booked stays booked.
SELECT status FROM appt.book('PAT-1', 'DOC-002', '2026-03-16 10:00',
	branch_id => 'MUM-01');
SELECT appt_api.delete_working_hours('DOC-002', '501', NULL, NULL);
SELECT pg_temp.slots('DOC-002', '2026-03-16', 'MUM-01');
SELECT status FROM appt.appointment WHERE doctor_id = 'DOC-002';

ROLLBACK;
