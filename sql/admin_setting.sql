-- Settings as JSON: for a doctor, for a branch, for all, and the default.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.setting_setting_no_seq RESTART 901;

SELECT jsonb_pretty(body::jsonb) AS body, version
FROM appt_api.get_setting('horizon_days', NULL, NULL, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].name') AS names,
	total >= 10 AS all_of_them
FROM appt_api.list_settings(NULL, NULL, 1, 3, NULL);

-- Set, changed, and counting in the next list of slots.
SELECT body::jsonb->'value' AS value, body::jsonb->'source' AS source, version
FROM appt_api.update_setting('horizon_days', NULL, NULL, '{"value": 10}', NULL,
	NULL, NULL, NULL);
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-30');
SELECT body::jsonb->'value' AS value, body::jsonb->'source' AS source, version
FROM appt_api.update_setting('horizon_days', 'MUM-01', NULL, '{"value": "20"}',
	NULL, NULL, NULL, NULL);
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-30');
SELECT id, body::jsonb->'value' AS value, body::jsonb->'source' AS source
FROM appt_api.create_setting(
	'{"name": "horizon_days", "doctor_id": "DOC-001", "value": 5}', NULL, NULL,
	NULL);
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-30');

-- As it counts where one asks; the version is that of the row just there.
SELECT branch_id, doctor_id, body::jsonb->'value' AS value,
	body::jsonb->'source' AS source, version
FROM (VALUES (NULL, NULL), ('MUM-01', NULL), (NULL, 'DOC-001'),
	('MUM-01', 'DOC-001')) AS asked (branch_id, doctor_id)
CROSS JOIN LATERAL appt_api.get_setting('horizon_days', branch_id, doctor_id,
	NULL)
ORDER BY 1 NULLS FIRST, 2 NULLS FIRST;

-- Unset again: what stands above it counts.
SELECT appt_api.delete_setting('horizon_days', NULL, 'DOC-001', 1, NULL);
SELECT body::jsonb->'source' AS source
FROM appt_api.get_setting('horizon_days', 'MUM-01', 'DOC-001', NULL);

-- A text one.
SELECT body FROM appt_api.update_setting('patient_id_prefix', NULL, NULL,
	'{"value": "P"}', NULL, NULL, NULL, NULL);

-- A number with zeros before it is that number, and spoils no list.
SELECT body::jsonb->'value' AS value
FROM appt_api.update_setting('late_after_min', NULL, NULL,
	'{"value": "007"}', NULL, NULL, NULL, NULL);
SELECT jsonb_path_query(body::jsonb, '$[*] ? (@.name == "late_after_min").value')
	AS value
FROM appt_api.list_settings(NULL, NULL, 1, 20, NULL);

-- What is refused.
SELECT call, pg_temp.try('SELECT appt_api.' || call) AS refused
FROM (VALUES
	(1, $$get_setting('hold_max', NULL, NULL, NULL)$$),
	(2, $$get_setting('hold_min', 'LON-09', NULL, NULL)$$),
	(3, $$get_setting('hold_min', NULL, 'DOC-009', NULL)$$),
	(4, $$update_setting('hold_max', NULL, NULL, '{"value": 1}', NULL, NULL,
		NULL, NULL)$$),
	(5, $$update_setting('hold_min', NULL, NULL, '{"value": 0}', NULL, NULL,
		NULL, NULL)$$),
	(6, $$update_setting('hold_min', NULL, NULL, '{"value": 1.5}', NULL, NULL,
		NULL, NULL)$$),
	(7, $$update_setting('hold_min', NULL, NULL, '{"value": null}', NULL, NULL,
		NULL, NULL)$$),
	(8, $$update_setting('hold_min', 'MUM-01', 'DOC-001', '{"value": 1}', NULL,
		NULL, NULL, NULL)$$),
	(9, $$update_setting('hold_min', NULL, NULL, '{"value": 1}', 1, NULL, NULL,
		NULL)$$),
	(10, $$update_setting('horizon_days', NULL, NULL, '{"value": 1}', 7, NULL,
		NULL, NULL)$$),
	(11, $$update_setting('patient_id_prefix', NULL, NULL, '{"value": "p-"}',
		NULL, NULL, NULL, NULL)$$),
	(12, $$create_setting('{"name": "hold_max", "value": 1}', NULL, NULL,
		NULL)$$),
	(13, $$create_setting('{"name": "hold_min", "value": 1,
		"branch_id": "LON-09"}', NULL, NULL, NULL)$$),
	(14, $$create_setting('{"name": "hold_min", "value": 1,
		"doctor_id": "DOC-009"}', NULL, NULL, NULL)$$),
	(15, $$create_setting('{"name": "horizon_days", "value": 1}', NULL, NULL,
		NULL)$$),
	(16, $$create_setting('{"value": 1}', NULL, NULL, NULL)$$),
	(17, $$delete_setting('hold_min', NULL, NULL, NULL, NULL)$$),
	(18, $$delete_setting('horizon_days', NULL, NULL, 7, NULL)$$)
) AS bad (place, call)
ORDER BY place;

ROLLBACK;
