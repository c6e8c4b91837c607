-- When a branch is open: no session lies outside, and nothing is offered there.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Mehta');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'LON-01', 1, '08:00', '20:00');

-- A branch without operating hours is open whenever sessions say so.
SELECT body, version FROM appt_api.get_operating_hours('MUM-01', NULL);

-- Hours that sessions would lie outside of: refused, with their list.
SELECT pg_temp.try($$INSERT INTO appt.operating_hours
	(branch_id, weekday, opens, closes) VALUES ('MUM-01', 1, '09:00', '12:00')$$);
SELECT pg_temp.try($$SELECT appt_api.put_operating_hours('MUM-01',
	'{"operating_hours": [{"weekday": 1, "opens": "09:00", "closes": "11:30"},
	{"weekday": 2, "opens": "09:30", "closes": "12:00"}]}', NULL, NULL)$$);

-- Six days with a lunch break, a half-day on Sunday; the week in one call.
CREATE FUNCTION pg_temp.week(closes time) RETURNS jsonb
	LANGUAGE sql
RETURN jsonb_build_object('operating_hours', (
	SELECT jsonb_agg(h ORDER BY d, h->>'opens')
	FROM generate_series(1, 7) d
	CROSS JOIN LATERAL (VALUES
		(jsonb_build_object('weekday', d, 'opens', '09:00', 'closes', '13:00')),
		(jsonb_build_object('weekday', d, 'opens', '14:00', 'closes',
			left(closes::text, 5)))) v (h)
	WHERE d < 7 OR h->>'opens' = '09:00'));
SELECT version, jsonb_array_length(body::jsonb->'operating_hours') AS rows,
	body::jsonb->'operating_hours'->0 AS first
FROM appt_api.put_operating_hours('MUM-01', pg_temp.week('18:00'), 1, NULL);

-- The same once more changes nothing; a version that is none any more is told.
SELECT version
FROM appt_api.put_operating_hours('MUM-01', pg_temp.week('18:00'), NULL, NULL);
SELECT pg_temp.try($$SELECT appt_api.put_operating_hours('MUM-01',
	'{"operating_hours": []}', 1, NULL)$$);

-- Sessions: within, over the break, on a half-day's afternoon, at its ends.
SELECT place, weekday, start_time, end_time, pg_temp.try(format(
	'INSERT INTO appt.working_hours (doctor_id, branch_id, weekday,
	start_time, end_time)
	VALUES (''DOC-002'', ''MUM-01'', %s, %L, %L) RETURNING ''taken''',
	weekday, start_time, end_time)) AS outcome
FROM (VALUES
	(1, 3, '14:00', '18:00'),
	(2, 4, '12:30', '14:30'),
	(3, 4, '08:55', '09:30'),
	(4, 4, '17:00', '18:05'),
	(5, 7, '14:00', '15:00'),
	(6, 4, '13:00', '14:00'),
	(7, 7, '09:00', '13:00')) s (place, weekday, start_time, end_time)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.update_working_hours('DOC-001',
	working_hours_no::text, '{"end_time": "13:30"}', NULL, NULL, NULL, NULL)
	FROM appt.working_hours WHERE weekday = 1 AND start_time = '11:00'$$);
SELECT pg_temp.try($$SELECT appt_api.create_extra_session('DOC-002',
	'{"branch_id": "MUM-01", "on_date": "2026-03-15", "start_time": "15:00",
	"end_time": "16:00"}', NULL, NULL, NULL)$$);
SELECT body::jsonb->>'on_date' AS on_date FROM appt_api.create_extra_session(
	'DOC-002', '{"branch_id": "MUM-01", "on_date": "2026-03-16",
	"start_time": "15:00", "end_time": "18:00"}', NULL, NULL, NULL);

-- Yesterday does not matter any more.
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', '2026-03-13', '20:00', '21:00');

-- They shrink under sessions: an hour in the evening, a whole day, a row.
SELECT pg_temp.try($$SELECT appt_api.put_operating_hours('MUM-01',
	pg_temp.week('17:00'), NULL, NULL)$$);
SELECT pg_temp.try($$DELETE FROM appt.operating_hours WHERE weekday = 7$$);
SELECT pg_temp.try($$UPDATE appt.operating_hours SET opens = '09:05'
	WHERE weekday = 2 AND opens = '09:00'$$);
SELECT version, jsonb_array_length(body::jsonb->'operating_hours') AS rows
FROM appt_api.get_operating_hours('MUM-01', NULL);

-- Those of another branch do not.
INSERT INTO appt.operating_hours (branch_id, weekday, opens, closes)
VALUES ('LON-01', 1, '08:00', '20:00');

-- Two rows that meet are one stretch, and 24:00 is the day's end.
UPDATE appt.operating_hours
SET closes = '14:00'
WHERE branch_id = 'MUM-01' AND weekday = 5 AND opens = '09:00';
UPDATE appt.operating_hours
SET closes = '24:00'
WHERE branch_id = 'MUM-01' AND weekday = 5 AND opens = '14:00';
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', 5, '12:00', '24:00');

-- Other hours from a day on: the old ones until then count until then.
UPDATE appt.operating_hours
SET valid_to = '2026-06-30'
WHERE branch_id = 'LON-01';
SELECT pg_temp.try($$INSERT INTO appt.operating_hours
	(branch_id, weekday, opens, closes, valid_from)
	VALUES ('LON-01', 1, '10:00', '18:00', '2026-07-01')
	RETURNING 'taken'$$);
UPDATE appt.working_hours
SET valid_to = '2026-06-29'
WHERE branch_id = 'LON-01';
INSERT INTO appt.operating_hours (branch_id, weekday, opens, closes, valid_from)
VALUES ('LON-01', 1, '10:00', '18:00', '2026-07-01');
SELECT pg_temp.try($$INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, valid_from)
	VALUES ('DOC-002', 'LON-01', 1, '08:00', '20:00', '2026-07-01')
	RETURNING 'taken'$$);
SELECT pg_temp.try($$INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, valid_from)
	VALUES ('DOC-002', 'LON-01', 1, '10:00', '18:00', '2026-07-01')
	RETURNING 'taken'$$);
SELECT pg_temp.try($$INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, valid_from)
	VALUES ('DOC-002', 'LON-01', 2, '10:00', '18:00', '2026-07-01')
	RETURNING 'taken'$$);

-- Dates on which no row is valid are as if there were none.
DELETE FROM appt.operating_hours WHERE branch_id = 'LON-01';
INSERT INTO appt.operating_hours
	(branch_id, weekday, opens, closes, valid_from, valid_to)
VALUES ('LON-01', 1, '10:00', '18:00', '2027-01-04', '2027-01-10');
SELECT pg_temp.try(format('INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
	VALUES (''DOC-002'', ''LON-01'', %L, ''09:00'', ''10:00'')
	RETURNING ''taken''', day))
FROM (VALUES ('2027-01-03'), ('2027-01-04'), ('2027-01-05'), ('2027-01-11'))
	d (day);

-- Each bad item is named, with a sentence.
SELECT place, pg_temp.try(format('SELECT appt_api.put_operating_hours(
	''MUM-01'', %L, NULL, NULL)', jsonb_build_object('operating_hours',
	CASE WHEN jsonb_typeof(item) <> 'object' THEN item ELSE jsonb_build_array(
		'{"weekday": 1, "opens": "10:00", "closes": "11:00"}'::jsonb,
		'{"weekday": 2, "opens": "10:00", "closes": "11:00"}' || item) END)))
	AS refused
FROM (VALUES
	(1, '{"weekday": 0}'::jsonb),
	(2, '{"weekday": "x"}'),
	(3, '{"weekday": null}'),
	(4, '{"opens": "9:00"}'),
	(5, '{"closes": "25:00"}'),
	(6, '{"closes": "10:00"}'),
	(7, '{"closes": null}'),
	(8, '{"colour": "red"}'),
	(9, '{"valid_from": "01/03/2026"}'),
	(10, '{"valid_from": "2026-02-30"}'),
	(11, '{"valid_from": "2026-03-02", "valid_to": "2026-03-01"}'),
	(12, '{"weekday": 1}'),
	(13, '{"branch_id": "LON-01"}'),
	(14, '[1]'),
	(15, '"open"'),
	(16, 'null'),
	(17, to_jsonb(array_fill(1, '{201}')))) bad (place, item)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.put_operating_hours('MUM-09',
	'{"operating_hours": []}', NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.get_operating_hours('MUM-09', NULL)$$);
SELECT pg_temp.try($$UPDATE appt.operating_hours SET branch_id = 'LON-01'
	WHERE branch_id = 'MUM-01' AND weekday = 2$$);

-- What came past the triggers is not offered, and appt.health() tells of it.
SELECT pg_temp.slots('DOC-001', '2026-03-16');
SET LOCAL session_replication_role = replica;
UPDATE appt.working_hours
SET end_time = '13:30'
WHERE doctor_id = 'DOC-001' AND weekday = 1 AND start_time = '11:00';
SET LOCAL session_replication_role = origin;
SELECT pg_temp.slots('DOC-001', '2026-03-16');
SELECT appt.explain_slot('DOC-001', '2026-03-16 12:45', NULL, 'MUM-01');
SELECT appt.explain_slot('DOC-001', '2026-03-16 13:00', NULL, 'MUM-01');
SELECT pg_temp.try($$SELECT appt.book('PAT-1', 'DOC-001', '2026-03-16 13:00',
	branch_id => 'MUM-01')$$);
SELECT ok, detail, what_to_do
FROM appt.health()
WHERE check_name = 'operating_hours';

-- Nor does a report count it as offered: to the lunch break of 13:00 two hours,
-- after it nothing; on days without operating hours all of it.
SELECT visit_date, offered_min
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-001' AND branch_id = 'MUM-01'
	AND visit_date = '2026-03-16'
ORDER BY offered_min;
SELECT sum(o.offered_min) AS offered_min, (
	SELECT sum(extract(epoch FROM s.end_time - s.start_time) / 60)::integer
	FROM appt.available_slots('DOC-001', '2026-03-16', 'MUM-01') s) AS free_min
FROM appt_report.offered_time o
WHERE o.doctor_id = 'DOC-001' AND o.branch_id = 'MUM-01'
	AND o.visit_date = '2026-03-16';
UPDATE appt.working_hours
SET end_time = '13:00'
WHERE doctor_id = 'DOC-001' AND weekday = 1 AND start_time = '11:00';
SELECT ok, detail
FROM appt.health()
WHERE check_name = 'operating_hours';

-- An empty list opens the branch again; a branch takes its hours with it.
SELECT body::jsonb->'operating_hours' AS hours
FROM appt_api.put_operating_hours('MUM-01', '{"operating_hours": []}', NULL,
	NULL);
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', 6, '06:00', '23:00');
DELETE FROM appt.branch WHERE branch_id = 'LON-01';
SELECT count(*) FROM appt.operating_hours;

-- A branch's type and logo.
SELECT body::jsonb->>'type' AS type, body::jsonb->>'logo_url' AS logo_url
FROM appt_api.update_branch('MUM-01', '{"type": " Clinic ",
	"logo_url": "https://clinic.example:8443/a/logo.png?v=2"}', NULL, NULL,
	NULL, NULL);
SELECT url, pg_temp.try(format('SELECT appt_api.update_branch(''MUM-01'', %L,
	NULL, NULL, NULL, NULL)', jsonb_build_object('logo_url', url))) AS refused
FROM (VALUES
	(0, 'HTTPS://clinic.example/logo.png'),
	(1, 'http://clinic.example/logo.png'),
	(2, 'https://'),
	(3, 'https://user:secret@clinic.example/'),
	(4, 'https://clinic.example/"onload='),
	(5, 'javascript:alert(1)'),
	(6, 'https://clinic.example/a b'),
	(7, 'data:image/png;base64,AAAA')) u (place, url)
ORDER BY place;
SELECT pg_temp.try(format('UPDATE appt.branch SET logo_url = %L',
	'https://clinic.example/' || repeat('a', 500)));
SELECT pg_temp.try(format('SELECT appt_api.update_branch(''MUM-01'', %L, NULL,
	NULL, NULL, NULL)', jsonb_build_object('type', repeat('a', 101))));
SELECT body::jsonb->'type' AS type, body::jsonb->'logo_url' AS logo_url
FROM appt_api.update_branch('MUM-01', '{"type": "", "logo_url": null}', NULL,
	NULL, NULL, NULL);

ROLLBACK;
