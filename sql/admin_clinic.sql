-- Branches, doctors and visit types as JSON: made, shown, changed, deleted.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;

-- A branch: the whole object, id and version for the gateway.
SELECT id, version, replayed, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_branch('{"branch_id": "LON-01", "name": "Marylebone",
	"time_zone": "Europe/London", "slot_min": 20}', NULL, NULL, NULL);

-- Only what is sent changes; null goes back to the default.
SELECT version, body::jsonb - 'created_at' AS body
FROM appt_api.update_branch('LON-01', '{"phone": "+44 20 7946 0001"}', NULL,
	NULL, NULL, NULL);
SELECT version, body::jsonb->'slot_min' AS slot_min
FROM appt_api.update_branch('LON-01', '{"slot_min": null}', 2, NULL, NULL,
	NULL);
SELECT version, body::jsonb->'slot_min' AS slot_min
FROM appt_api.update_branch('LON-01', '{}', 3, NULL, NULL, NULL);
SELECT version, body::jsonb->>'phone' AS phone
FROM appt_api.get_branch('LON-01', NULL);

-- The version rises whoever changes the row, and only if something changes.
UPDATE appt.branch SET phone = phone WHERE branch_id = 'LON-01';
UPDATE appt.branch SET phone = NULL WHERE branch_id = 'LON-01';
SELECT version FROM appt.branch WHERE branch_id = 'LON-01';
SELECT pg_temp.try($$SELECT appt_api.update_branch('LON-01', '{"name": "x"}',
	3, NULL, NULL, NULL)$$);

-- Each bad member is named, with a sentence.
SELECT members, pg_temp.try(format(
	'SELECT appt_api.create_branch(%L, NULL, NULL, NULL)',
	'{"branch_id": "B-1", "name": "B", "time_zone": "UTC"}'::jsonb
	|| members)) AS refused
FROM (VALUES
	(1, '{"branch_id": null}'::jsonb),
	(2, '{"branch_id": "B 1"}'),
	(3, '{"branch_id": "MUM-01"}'),
	(4, '{"name": null}'),
	(5, '{"name": " "}'),
	(6, '{"name": "a\u0007b"}'),
	(7, '{"time_zone": "Asia/Bombey"}'),
	(8, '{"slot_min": 4}'),
	(9, '{"slot_min": "often"}'),
	(10, '{"slot_min": 99999999999}'),
	(11, '{"active": "perhaps"}'),
	(12, '{"version": 7}'),
	(13, '{"colour": "red"}')) AS bad (place, members)
ORDER BY place;
SELECT pg_temp.try(format('SELECT appt_api.create_branch(%L, NULL, NULL, NULL)',
	jsonb_build_object('branch_id', 'B-1', 'time_zone', 'UTC', 'name',
		repeat('x', 501))));
SELECT pg_temp.try($$SELECT appt_api.update_branch('LON-01',
	'{"branch_id": "LON-02"}', NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_branch('LON-09', '{}', NULL, NULL,
	NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.get_branch('LON-09', NULL)$$);

-- A list: a page, how many there are in all, and a filter.
SELECT appt_api.create_branch('{"branch_id": "B-1", "name": "B",
	"time_zone": "UTC", "active": false}', NULL, NULL, NULL) IS NOT NULL AS made;
SELECT jsonb_path_query_array(body::jsonb, '$[*].branch_id') AS ids, total
FROM appt_api.list_branches(NULL, 1, 2, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].branch_id') AS ids, total
FROM appt_api.list_branches(NULL, 2, 2, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].branch_id') AS ids, total
FROM appt_api.list_branches(true, 1, 20, NULL);
SELECT body, total FROM appt_api.list_branches(true, 9, 20, NULL);
SELECT pg_temp.try('SELECT appt_api.list_branches(NULL, 0, 20, NULL)');
SELECT pg_temp.try('SELECT appt_api.list_branches(NULL, 1, 101, NULL)');

-- A doctor is listed by where the sessions are.
SELECT id, version, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_doctor('{"doctor_id": "DOC-002", "name": "Dr Mehta",
	"specialty": "Cardiology", "slot_min": 30, "buffer_after_min": 5}', NULL,
	NULL, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].doctor_id') AS ids, total
FROM appt_api.list_doctors('MUM-01', NULL, NULL, NULL, 1, 20, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].doctor_id') AS ids, total
FROM appt_api.list_doctors(NULL, 'Cardiology', NULL, true, 1, 20, NULL);
SELECT body::jsonb->'branch_ids' AS branch_ids
FROM appt_api.get_doctor('DOC-001', NULL);
SELECT pg_temp.try($$SELECT appt_api.list_doctors('LON-09', NULL, NULL, NULL, 1,
	20, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_doctor('DOC-002',
	'{"buffer_before_min": 241}', NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_doctor('DOC-002',
	'{"buffer_after_min": -1}', NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.create_doctor('{"doctor_id": "DOC-002",
	"name": "Dr Twice"}', NULL, NULL, NULL)$$);

-- What is changed counts in the next list of slots.
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-15');
SELECT body::jsonb->'slot_min' AS slot_min
FROM appt_api.update_doctor('DOC-001', '{"slot_min": 30}', NULL, NULL, NULL,
	NULL);
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-15');
SELECT body::jsonb->'active' AS active
FROM appt_api.update_doctor('DOC-001', '{"active": false}', NULL, NULL, NULL,
	NULL);
SELECT pg_temp.try(
	$$SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-15')$$);
SELECT body::jsonb->'active' AS active
FROM appt_api.update_doctor('DOC-001', '{"active": null, "slot_min": null}',
	NULL, NULL, NULL, NULL);

-- A visit type.
SELECT id, version, body FROM appt_api.create_visit_type(
	'{"visit_type": "x_ray", "name": "X-ray", "duration_min": 45}', NULL, NULL,
	NULL);
SELECT pg_temp.try($$SELECT appt_api.create_visit_type(
	'{"visit_type": "x ray", "name": "X-ray"}', NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.create_visit_type(
	'{"visit_type": "x_ray", "name": "X-ray"}', NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.update_visit_type('x_ray',
	'{"duration_min": 481}', NULL, NULL, NULL, NULL)$$);

-- What appointments refer to stays; the rest goes, with what belongs to it.
SELECT status FROM appt.book('PAT-1', 'DOC-001', '2026-03-15 09:00',
	branch_id => 'MUM-01', visit_type => 'procedure');
SELECT pg_temp.try($$SELECT appt_api.delete_doctor('DOC-001', NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.delete_branch('MUM-01', NULL, NULL)$$);
SELECT pg_temp.try(
	$$SELECT appt_api.delete_visit_type('procedure', NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.delete_visit_type('x_ray', 2, NULL)$$);
SELECT appt_api.delete_visit_type('x_ray', 1, NULL);
SELECT pg_temp.try($$SELECT appt_api.delete_visit_type('x_ray', 1, NULL)$$);
SELECT appt_api.delete_doctor('DOC-002', NULL, NULL);
SELECT appt_api.delete_branch('B-1', NULL, NULL);

-- An answer is kept for its key, and replayed to the byte.
SELECT client_id FROM appt.create_client('Admin', id => 'admin');
SELECT id, version, replayed FROM appt_api.create_doctor(
	'{"doctor_id": "DOC-003", "name": "Dr Khan"}', 'admin', 'key-1', 'h1');
SELECT id, version, replayed FROM appt_api.create_doctor(
	'{"doctor_id": "DOC-003", "name": "Dr Khan"}', 'admin', 'key-1', 'h1');
SELECT pg_temp.try($$SELECT appt_api.create_doctor(
	'{"doctor_id": "DOC-004", "name": "Dr No"}', 'admin', 'key-1', 'h2')$$);
SELECT version, replayed FROM appt_api.update_doctor('DOC-003',
	'{"specialty": "Paediatrics"}', 1, 'admin', 'key-1', 'h3');
SELECT version, replayed FROM appt_api.update_doctor('DOC-003',
	'{"specialty": "Paediatrics"}', 1, 'admin', 'key-1', 'h3');

ROLLBACK;
