-- Time off and closures as JSON: by instants or whole days, refused over
-- bookings unless asked to displace them.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;
ALTER SEQUENCE appt.time_off_time_off_no_seq RESTART 701;
ALTER SEQUENCE appt.closure_closure_no_seq RESTART 801;

SELECT id, version, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_time_off('DOC-001', '{"reason": "Training",
	"starts_at": "2026-03-16T09:00:00+05:30",
	"ends_at": "2026-03-16T06:00:00Z"}', NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-001', '2026-03-16');

-- Whole days are days of the branch: both ends count.
SELECT id, body::jsonb->>'starts_at' AS starts_at,
	body::jsonb->>'ends_at' AS ends_at
FROM appt_api.create_time_off('DOC-001', '{"date_from": "2026-03-17",
	"date_to": "2026-03-18"}', NULL, NULL, NULL);
SELECT pg_temp.slots('DOC-001', '2026-03-17', to_day => '2026-03-19');

-- Changed and taken back.
SELECT version, body::jsonb->>'reason' AS reason,
	body::jsonb->>'ends_at' AS ends_at
FROM appt_api.update_time_off('DOC-001', '702', '{"date_from": "2026-03-17",
	"date_to": "2026-03-17", "reason": "Wedding"}', 1, NULL, NULL, NULL);
SELECT version, body::jsonb->'reason' AS reason
FROM appt_api.update_time_off('DOC-001', '702', '{"reason": null}', 2, NULL,
	NULL, NULL);
SELECT pg_temp.slots('DOC-001', '2026-03-18');
SELECT appt_api.delete_time_off('DOC-001', '702', 3, NULL);
SELECT pg_temp.slots('DOC-001', '2026-03-17');

-- Each bad member is named, with a sentence.
SELECT members, pg_temp.try(format(
	'SELECT appt_api.create_time_off(''DOC-001'', %L, NULL, NULL, NULL)',
	members)) AS refused
FROM (VALUES
	(1, '{}'::jsonb),
	(2, '{"starts_at": "2026-03-20T09:00:00+05:30"}'),
	(3, '{"starts_at": "2026-03-20T09:00:00",
		"ends_at": "2026-03-20T10:00:00+05:30"}'),
	(4, '{"starts_at": "2026-02-30T09:00:00Z",
		"ends_at": "2026-03-20T10:00:00Z"}'),
	(5, '{"starts_at": "2026-03-20T09:00:00+05:30",
		"ends_at": "2026-03-20T09:00:00+05:30"}'),
	(6, '{"date_from": "2026-03-20"}'),
	(7, '{"date_from": "2026-03-20", "date_to": "2026-03-19"}'),
	(8, '{"date_from": "2026-02-29", "date_to": "2026-03-19"}'),
	(9, '{"date_from": "2026-02-28", "date_to": "2026-02-29"}'),
	(10, '{"date_from": "2026-03-20", "ends_at": "2026-03-20T09:00:00Z"}'),
	(11, '{"date_from": "2026-03-20", "date_to": "2026-03-20",
		"displace": "ask"}'),
	(12, '{"date_from": "2026-03-20", "date_to": "2026-03-20",
		"displace": "move"}'),
	(13, '{"date_from": "2026-03-20", "date_to": "2026-03-20",
		"colour": "red"}')) AS bad (place, members)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.create_time_off('DOC-009', '{}', NULL, NULL,
	NULL)$$);

-- Over bookings: refused with their list, by POST and by PATCH; moved and
-- cancelled when asked to, with an event each.
SELECT status FROM appt.book('PAT-1', 'DOC-001', '2026-03-20 09:00');
SELECT status FROM appt.book('PAT-2', 'DOC-001', '2026-03-20 11:45');
SELECT pg_temp.try($$SELECT appt_api.create_time_off('DOC-001',
	'{"date_from": "2026-03-20", "date_to": "2026-03-20"}', NULL, NULL, NULL)$$)
	~ '^SB962 .* affects 2 appointments / These lie in it: APT-.*, APT-'
	AS refused;
SELECT pg_temp.try($$SELECT appt_api.update_time_off('DOC-001', '701',
	'{"ends_at": "2026-03-20T09:15:00+05:30"}', NULL, NULL, NULL, NULL)$$)
	~ '^SB962 .* affects 1 appointment' AS refused;
SELECT body::jsonb->'displaced' AS displaced
FROM appt_api.create_time_off('DOC-001', '{"displace": "move",
	"reason": "Ill", "starts_at": "2026-03-20T09:00:00+05:30",
	"ends_at": "2026-03-20T10:00:00+05:30"}', NULL, NULL, NULL);
SELECT body::jsonb->'displaced' AS displaced, body::jsonb->'starts_at'
	AS starts_at
FROM appt_api.create_closure('MUM-01', '{"displace": "cancel",
	"reason": "Flood", "date_from": "2026-03-20", "date_to": "2026-03-20"}',
	NULL, NULL, NULL);
SELECT patient_id, status, to_char(slot_start, 'DD Mon HH24:MI') AS slot, reason
FROM appt.appointment ORDER BY patient_id;
SELECT event_type, reason FROM appt.event ORDER BY event_no;

-- Lists by the local dates that are touched.
SELECT jsonb_path_query_array(body::jsonb, '$[*].time_off_id') AS ids, total
FROM appt_api.list_time_off('DOC-001', NULL, NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].time_off_id') AS ids, total
FROM appt_api.list_time_off('DOC-001', '2026-03-20', NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].closure_id') AS ids, total
FROM appt_api.list_closures('MUM-01', '2026-03-21', NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].closure_id') AS ids, total
FROM appt_api.list_closures('MUM-01', NULL, '2026-03-20', 1, 20, NULL);
SELECT pg_temp.try($$SELECT appt_api.list_closures('MUM-01', '2026-03-21',
	'2026-03-20', 1, 20, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.list_closures('X-1', NULL, NULL, 1, 20,
	NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.get_closure('MUM-01', '799', NULL)$$);
SELECT appt_api.delete_closure('MUM-01', '801', NULL, NULL);

-- For good.
SELECT body::jsonb->>'ends_at' AS ends_at
FROM appt_api.create_time_off('DOC-001', '{"date_from": "2030-01-01",
	"date_to": "9999-12-31"}', NULL, NULL, NULL);

INSERT INTO appt.time_off (doctor_id, starts_at, ends_at, reason)
VALUES ('DOC-001', '2040-01-01 00:00+05:30', 'infinity', 'Gone');
SELECT body::jsonb->-1->>'ends_at' AS ends_at
FROM appt_api.list_time_off('DOC-001', '2050-01-01', NULL, 1, 20, NULL);

-- Whole days of a doctor in two time zones cover the day in both.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'LON-01', '2026-03-25', '20:00', '21:00');
SELECT body::jsonb->>'starts_at' AS starts_at, body::jsonb->>'ends_at' AS ends_at
FROM appt_api.create_time_off('DOC-001', '{"date_from": "2026-03-25",
	"date_to": "2026-03-25"}', NULL, NULL, NULL);

-- A day whose first hour comes twice begins with the first of them; the day
-- before ends there.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('PDL-01', 'Ponta Delgada', 'Atlantic/Azores');
SELECT body::jsonb->>'starts_at' AS starts_at, body::jsonb->>'ends_at' AS ends_at
FROM unnest('{2026-10-24,2026-10-25}'::text[]) AS day
CROSS JOIN LATERAL appt_api.create_closure('PDL-01',
	jsonb_build_object('date_from', day, 'date_to', day), NULL, NULL, NULL);

ROLLBACK;
