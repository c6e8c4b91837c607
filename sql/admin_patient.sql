-- Patients as JSON: registration with its warning, changes, search.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;
ALTER SEQUENCE appt.patient_id_seq RESTART 501;

SELECT id, version, replayed, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_patient('{"first_name": "Asha", "last_name": "Rao",
	"date_of_birth": "1987-04-12", "gender": "female",
	"phone": "+91 98200 12345", "email": "asha@example.org",
	"address": "12 Example Road\nMumbai", "blood_group": "O+",
	"abha_id": "12-3456-7890-1234", "branch_id": "MUM-01"}', NULL, NULL, NULL);

-- Only what is sent changes.
SELECT version, body::jsonb->'phone' AS phone, body::jsonb->'email' AS email,
	body::jsonb->'language' AS language, body::jsonb->'gender' AS gender
FROM appt_api.update_patient('PAT-2026-00501',
	'{"email": null, "language": "hi-IN"}', 1, NULL, NULL, NULL);
SELECT version, body::jsonb->'language' AS language
FROM appt_api.update_patient('PAT-2026-00501', '{"language": null}', NULL, NULL,
	NULL, NULL);
SELECT pg_temp.try($$SELECT appt_api.update_patient('PAT-2026-00501', '{}', 1,
	NULL, NULL, NULL)$$);
SELECT version, body::jsonb->>'name' AS name
FROM appt_api.get_patient('PAT-2026-00501', NULL);

-- An address member by member, and what else the vendor's patient has.
SELECT id AS k FROM appt_api.create_patient('{"first_name": "Rajesh",
	"last_name": "Kumar", "date_of_birth": "1985-03-15", "gender": "male",
	"phone": "+919876543210", "email": "rajesh@example.com", "address":
		{"line1": "12 Hill Road", "city": "Mumbai", "state": "Maharashtra",
		"pincode": "400001"}, "blood_group": "B+"}', NULL, NULL, NULL) \gset
SELECT version, body::jsonb->'address' AS address
FROM appt_api.update_patient(:'k', '{"address": {"city": "Thane",
	"line2": " ", "country": "India"}}', NULL, NULL, NULL, NULL);
SELECT version, body::jsonb->'address' AS address
FROM appt_api.update_patient(:'k', '{"address": "14 Hill Road"}', NULL, NULL,
	NULL, NULL);
SELECT version, body::jsonb->'address' AS address
FROM appt_api.update_patient(:'k', '{"address": null}', NULL, NULL, NULL, NULL);
SELECT b->'aadhaar' AS aadhaar, b->'abha_id' AS abha_id,
	b->'insurance' AS insurance, b->'emergency_contact' AS emergency_contact
FROM (
	SELECT body::jsonb AS b
	FROM appt_api.update_patient(:'k', '{"aadhaar": "4991 1866 5246",
		"abha_id": "12345678901234",
		"insurance": {"provider": "Star Health", "number": "SH-1"},
		"emergency_contact": {"name": "Sunita", "phone": "098200.12345"}}',
		NULL, NULL, NULL, NULL)) a;
SELECT aadhaar FROM appt.patient WHERE patient_id = :'k';
SELECT b->'consent' AS consent, b->'consent_at' AS consent_at,
	b->'date_of_birth_estimated' AS estimated, b->'gender' AS gender
FROM (
	SELECT body::jsonb AS b
	FROM appt_api.update_patient(:'k', '{"consent": true,
		"date_of_birth_estimated": true, "gender": "undisclosed"}',
		NULL, NULL, NULL, NULL)) a;
SELECT body::jsonb->'consent_at' AS consent_at
FROM appt_api.update_patient(:'k', '{"consent": null}', NULL, NULL, NULL, NULL);
SELECT status FROM appt.book(:'k', 'DOC-001', '2026-03-20 09:00');
SELECT jsonb_pretty(body::jsonb->'visit_history') AS visit_history
FROM appt_api.get_patient(:'k', NULL);

-- Each bad member is named, with a sentence.
SELECT members, pg_temp.try(format(
	'SELECT appt_api.create_patient(%L, NULL, NULL, NULL)',
	'{"first_name": "Zoe"}'::jsonb || members)) AS refused
FROM (VALUES
	(1, '{"first_name": null}'::jsonb),
	(2, '{"first_name": " "}'),
	(3, '{"first_name": "Zoe\nBcc: x"}'),
	(4, '{"date_of_birth": "12/04/1987"}'),
	(5, '{"date_of_birth": "1987-02-29"}'),
	(6, '{"date_of_birth": "2026-03-16"}'),
	(7, '{"gender": "f"}'),
	(8, '{"phone": "12"}'),
	(9, '{"phone": "call me"}'),
	(11, '{"email": "asha"}'),
	(12, '{"blood_group": "C+"}'),
	(13, '{"language": "english, please"}'),
	(14, '{"branch_id": "LON-09"}'),
	(15, '{"patient_id": "PAT-7"}'),
	(16, '{"patient_no": 7}'),
	(17, '{"address": {"city": 7}}'), (18, '{"address": {"town": "x"}}'),
	(19, '{"address": ["x"]}'), (20, '{"address": {"city": "a\nb"}}'),
	(21, '{"insurance": "x"}'), (22, '{"abha_id": "12-3456-7890-123"}'),
	(23, '{"abha_id": "farida@abdm"}'), (24, '{"aadhaar": "499118665247"}'),
	(25, '{"aadhaar": "099118665246"}'),
	(26, '{"emergency_contact": {"phone": "call"}}'),
	(27, '{"consent_at": "2026-03-14T12:00:00Z"}')) AS bad (place, members)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.update_patient('PAT-2026-09999', '{}',
	NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.get_patient('PAT-2026-09999', NULL)$$);

-- Two of name, birth date and number in common: a warning, not a refusal.
CREATE FUNCTION pg_temp.duplicates(members text) RETURNS text
	LANGUAGE sql
AS $$
	SELECT id || ' ' || coalesce(string_agg(d->>'patient_id' || ' '
		|| (d->>'same'), '; '), '-')
	FROM appt_api.create_patient(members::jsonb, NULL, NULL, NULL)
	LEFT JOIN LATERAL jsonb_array_elements(body::jsonb->'possible_duplicates') d
		ON true
	GROUP BY id
$$;
SELECT pg_temp.duplicates('{"first_name": "asha", "last_name": "RAO",
	"date_of_birth": "1987-04-12"}');
SELECT pg_temp.duplicates('{"first_name": "Asha", "last_name": "Rao"}');
SELECT pg_temp.duplicates('{"first_name": "Asha", "last_name": "Rao",
	"phone": "098200-12345"}');
SELECT pg_temp.duplicates('{"first_name": "Usha", "last_name": "Rao",
	"phone": "+91 98200 12345", "date_of_birth": "1987-04-12"}');
SELECT pg_temp.duplicates('{"first_name": "Usha", "last_name": "Rao",
	"phone": "+91 98200 12345", "date_of_birth": "1960-01-01"}');
SELECT pg_temp.duplicates('{"first_name": "Patient 7",
	"date_of_birth": "1990-01-01"}');
-- A date of birth does not depend on how the session writes dates.
SET LOCAL datestyle = 'German';
SET LOCAL bioecko_appt.clock = '2026-03-05 12:00+05:30';
SELECT pg_temp.duplicates('{"first_name": "Omar",
	"date_of_birth": "1990-01-01"}');
SET LOCAL datestyle = 'ISO';
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';

-- What is found by what is typed.
INSERT INTO appt.patient (patient_id, first_name, last_name, phone, abha_id,
	date_of_birth)
VALUES ('PAT-2026-00701', 'Farida', 'Khan', '+44 20 7946 0001', NULL, NULL),
	('PAT-2026-00702', 'Anne-Marie', 'O''Neill', '+91 22 5555 0002',
		'11223344556677', '2000-02-29'),
	('PAT-2026-00703', 'José', 'da Silva', NULL, '98-7654-3210-9876', NULL);
CREATE FUNCTION pg_temp.found(search text) RETURNS text
	LANGUAGE sql
AS $$
	SELECT total || ' ' || (
		SELECT coalesce(string_agg(p->>'name', ', ' ORDER BY place), '')
		FROM jsonb_array_elements(body::jsonb) WITH ORDINALITY AS e (p, place))
	FROM appt_api.list_patients(search, NULL, NULL, 1, 20, NULL)
$$;
SELECT search, pg_temp.found(search)
FROM (VALUES
	(1, 'Kha'), (2, 'kHAN f'), (3, 'ari'), (4, 'neill'), (5, 'O''Ne'),
	(6, 'marie'), (7, 'JOSÉ'), (8, 'silva da'), (9, 'khan rao'),
	(10, '020 7946 0001'), (11, '+44 20 7946'), (12, '2079460001'),
	(13, '0002'), (14, '98-7654'), (15, '9876'), (16, '11-2233'),
	(17, 'pat-2026-00703'), (18, '00703'), (19, 'PAT-2026-007'),
	(21, '& | ! : '' \ *'), (22, 'nobody'), (23, '000000000'),
	(24, '-')) AS s (place, search)
ORDER BY place;
SELECT total FROM appt_api.list_patients('  ', NULL, NULL, 1, 5, NULL);

-- A summary; the last visit is one that took place.
SELECT status FROM appt.book('PAT-2026-00702', 'DOC-001', '2026-03-15 09:00');
SELECT body FROM appt_api.list_patients('neill', NULL, NULL, 1, 20, NULL);
SET LOCAL bioecko_appt.clock = '2026-03-15 08:55+05:30';
SELECT status FROM appt.check_in((SELECT appointment_id FROM appt.appointment
	WHERE patient_id = 'PAT-2026-00702'));
SELECT body::jsonb->0->'last_visit_date' AS last_visit_date
FROM appt_api.list_patients('neill', NULL, NULL, 1, 20, NULL);

-- Pages by name, and the filters.
SELECT jsonb_path_query_array(body::jsonb, '$[*].name') AS names, total
FROM appt_api.list_patients(NULL, NULL, NULL, 1, 3, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].name') AS names, total
FROM appt_api.list_patients(NULL, 'MUM-01', NULL, 1, 20, NULL);
SELECT total
FROM appt_api.list_patients(NULL, NULL, '2026-03-14', 1, 1, NULL);
SELECT total
FROM appt_api.list_patients(NULL, NULL, '2026-03-15', 1, 1, NULL);
SELECT jsonb_path_query_array(body::jsonb, '$[*].patient_id') AS ids, total
FROM appt_api.list_patients(NULL, NULL, NULL, 1, 20, NULL,
	'PAT-2026-00702,PAT-2026-00701');
SELECT pg_temp.try($$SELECT appt_api.list_patients(NULL, NULL, NULL, 1, 20,
	NULL, 'PAT-2026-00702,PAT-X')$$);
SELECT pg_temp.try($$SELECT appt_api.list_patients(NULL, 'LON-09', NULL, 1, 20,
	NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.list_patients(NULL, NULL, NULL, 1, 101,
	NULL)$$);

-- The search goes by its index.
SET LOCAL enable_seqscan = off;
EXPLAIN (COSTS OFF)
SELECT patient_no
FROM appt.patient p
WHERE appt_internal.patient_terms(p.patient_id, p.first_name, p.last_name, p.phone,
	p.phone_e164, p.abha_id) @@ appt_internal.search_query('kha');

ROLLBACK;
