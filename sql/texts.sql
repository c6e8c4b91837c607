-- One rule for all texts: trimmed, in one normal form, absent where empty; and
-- what names, searches, telephone numbers and time zones are compared by.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- White space of all kinds and what nobody sees goes at both ends, not within.
SELECT name, appt_internal.clean_text(text) = 'Asha  Rao' AS clean
FROM (VALUES
	(1, 'blanks', '  Asha  Rao '), (2, 'a tab, a line feed', E'\tAsha  Rao\n'),
	(3, 'no-break', U&'\00A0Asha  Rao\202F'),
	(4, 'ideographic', U&'\3000Asha  Rao\3000'),
	(5, 'directions', U&'\200FAsha  Rao\202C\200E'),
	(6, 'zero width', U&'\FEFFAsha  Rao\200B\200D'),
	(7, 'soft hyphen', U&'\00ADAsha  Rao\00AD')) AS t (place, name, text)
ORDER BY place;
SELECT count(*) FILTER (WHERE appt_internal.clean_text(text) IS NULL) AS absent
FROM unnest(ARRAY['', ' ', E' \t\n', U&'\00A0\3000', U&'\200B\FEFF',
	U&'\200E\200F', U&'\200D']) text;
-- Composed and decomposed are one; Indian letters stay as they are written.
SELECT appt_internal.clean_text(U&'Jose\0301') = 'José' AS composed,
	appt_internal.clean_text('நிகிலா') = 'நிகிலா' AS tamil,
	appt_internal.clean_text(U&'\0BC6\0BBE') = U&'\0BCA' AS tamil_o,
	appt_internal.clean_text('  शर्मा ') = 'शर्मा' AS hindi,
	appt_internal.clean_text(U&'\0D28\0D4D\200D') = U&'\0D28\0D4D\200D'
		AS chillu,
	appt_internal.clean_text(U&'\0915\0947\200D') = U&'\0915\0947' AS joiner;

-- Whoever writes the row: a DBA by INSERT and UPDATE, too.
INSERT INTO appt.patient (patient_id, first_name, last_name, email, language)
VALUES (' PAT-T1 ', U&'\00A0Asha ', '  ', ' a@example.org', ' en ');
SELECT patient_id, first_name, last_name, email, language, version
FROM appt.patient WHERE first_name = 'Asha';
UPDATE appt.patient SET first_name = ' Asha', email = '' WHERE patient_id = 'PAT-T1';
SELECT first_name, email, version FROM appt.patient WHERE patient_id = 'PAT-T1';
SELECT pg_temp.try($$INSERT INTO appt.patient (first_name) VALUES (' ')$$);
INSERT INTO appt.doctor (doctor_id, name, specialty)
VALUES (' DOC-T ', ' Dr Iyer ', '');
SELECT doctor_id, name, specialty FROM appt.doctor WHERE doctor_id = 'DOC-T';
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at, reason)
VALUES ('DOC-T', '2026-04-01', '2026-04-02', U&' \200B ')
RETURNING reason;
SELECT client_id FROM appt.create_client(
	name => '  Desk ', description => ' ') \gset
SELECT name, description FROM appt.api_client WHERE client_id = :'client_id';
-- The tables that people fill have the trigger.
SELECT string_agg(c.relname, ' ' ORDER BY c.relname) AS tables
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgname = 'clean_texts';

-- What functions are given.
SELECT notes FROM appt.book('PAT-1', ' DOC-001 ', '2026-03-16 09:00',
	notes => E' cough \n');
SELECT notes, visit_type FROM appt.book('PAT-2', 'DOC-001', '2026-03-16 09:15',
	notes => ' ', visit_type => '');
SELECT notes FROM appt.walk_in('PAT-3', 'DOC-001', notes => '');
SELECT a.reason FROM appt.appointment b
CROSS JOIN appt.reschedule(b.appointment_id, '2026-03-16 11:00',
	reason => U&'\00A0') a
WHERE b.notes = 'cough';
SELECT a.reason FROM appt.appointment b
CROSS JOIN appt.cancel(b.appointment_id, '  Well again  ') a
WHERE b.notes = 'cough';

-- And JSON: a blank member goes back to its default.
SELECT body::jsonb->'language' AS language, body::jsonb->'last_name' AS last_name
FROM appt_api.create_patient('{"first_name": " Tara ", "last_name": "",
	"language": " ", "gender": "", "phone": ""}', NULL, NULL, NULL);

-- Names: without case, accents, signs and invisible characters.
SELECT name, appt_internal.name_key(name) AS key,
	appt_internal.name_words(name) AS words
FROM (VALUES
	(1, 'José'), (2, U&'JOSE\0301'), (3, 'O''Brien'), (4, 'O’Brien'),
	(5, 'Al‑Rashid'), (6, 'al-rashid'), (7, 'Rao, Asha'), (8, 'Dr. J.R. Rao'),
	(9, 'शर्मा'), (10, 'निकिता'), (11, 'நிகிலா'), (12, 'Ştefan Müller'),
	(13, 'Ѐлена Йорданова')) AS n (place, name)
ORDER BY place;
-- Vowel signs and the virama tell names apart.
SELECT appt_internal.name_key('राम') = appt_internal.name_key('रमा') AS rama,
	appt_internal.name_key('கமல்') = appt_internal.name_key('கமலா') AS kamala;

-- One is warned of, and found by, another spelling.
CREATE FUNCTION pg_temp.warned(members text) RETURNS text
	LANGUAGE sql
AS $$
	SELECT coalesce(string_agg(d->>'name' || ' ' || (d->>'same'), '; '), '-')
	FROM appt_api.create_patient(members::jsonb, NULL, NULL, NULL)
	CROSS JOIN LATERAL jsonb_array_elements(
		body::jsonb->'possible_duplicates') d
$$;
INSERT INTO appt.patient (patient_id, first_name, last_name, date_of_birth, phone)
VALUES ('T-1', 'José', 'O''Brien', '1990-01-01', '020.7946.0001'),
	('T-2', 'शर्मा', 'निकिता', '1990-01-02', '(+91) 98200 12345'),
	('T-3', 'நிகிலா', NULL, '1990-01-03', U&'\202A+91\00A098200\00A012346\202C'),
	('T-4', 'Yusuf', 'Al‑Rashid', '1990-01-04', '०९८२०० १२३४७'),
	('T-5', 'Asha', 'Rao', '1990-01-05', NULL);
SELECT patient_id, phone, phone_e164 FROM appt.patient
WHERE patient_id LIKE 'T-_' ORDER BY patient_id;
SELECT pg_temp.warned(format('{"first_name": "%s", "last_name": "%s",
	"date_of_birth": "%s"}', first, last, born))
FROM (VALUES
	(1, ' jose ', 'O’BRIEN', '1990-01-01'),
	(2, U&'Jose\0301', 'Obrien', '1990-01-01'),
	(3, 'शर्मा', 'निकिता ', '1990-01-02'), (4, 'शरमा', 'निकिता', '1990-01-02'),
	(5, 'yusuf', 'al rashid', '1990-01-04'),
	(6, 'yusuf', 'al-rashid', '1990-01-04'),
	(7, 'Asha ', ' Rao', '1990-01-05')) n (place, first, last, born)
ORDER BY place;
CREATE FUNCTION pg_temp.found(search text) RETURNS text
	LANGUAGE sql
AS $$
	SELECT coalesce(string_agg(DISTINCT p->>'patient_id', ' '), '-')
	FROM appt_api.list_patients(search, NULL, NULL, 1, 100, NULL)
	CROSS JOIN LATERAL jsonb_array_elements(body::jsonb) p
	WHERE p->>'patient_id' LIKE 'T-_'
$$;
SELECT search, pg_temp.found(search)
FROM (VALUES
	(1, 'O''Brien, José'), (2, 'O’Brien'), (3, 'obrien jose'), (4, 'Jose'),
	(5, 'शर्मा'), (6, 'शर'), (7, 'निकिता, शर्मा'), (8, 'நிகி'), (9, 'நிகா'),
	(10, 'Al‑Rashid'), (11, 'rashid al'), (12, 'alrash'),
	(13, '+44 (0)20 7946 0001'), (14, '020 7946 0001'), (15, '0044 20 79460001'),
	(16, '+91 98200 12345'), (17, '098200-12345'), (18, '9820012346'),
	(19, '+919820012347'), (20, 't-4'), (21, 'T‑4'), (22, 'T–4'),
	(23, 'al-rashid'), (24, 'Rao, Asha')) AS s (place, search)
ORDER BY place;
-- Letters that are typed without their strokes, and in capitals.
SELECT name, appt_internal.name_key(name), appt_internal.name_words(name)
FROM unnest('{Łukasz Groß,LUKASZ GROSS,Sørensen-Æsir,Đorđe,Þóra,Ğıdık}'::text[])
	WITH ORDINALITY AS n (name, place)
ORDER BY place;

-- Telephone numbers: the country is written, or the branch's.
SELECT phone, code, appt_internal.phone_number(phone, code) AS number
FROM (VALUES
	(1, '+44 (0)20 7946 0001', '91'), (2, '020 7946 0001', '44'),
	(3, '020 7946 0001', NULL), (4, '00442079460001', '91'),
	(5, '+44 020 7946 0001', '44'), (6, '98200 12345', '91'),
	(7, '098200 12345', '91'), (8, '919820012345', '91'),
	(9, '9123456789', '91'), (10, '06 1234 5678', '39'),
	(11, '202-555-0123', '1'), (12, '1 202 555 0123', '1'), (13, '112', '91'),
	(14, '98200 12345', '0')) AS p (place, phone, code)
ORDER BY place;
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'London', 'Europe/London');
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('calling_code', 'LON-01', '44');
UPDATE appt.patient SET branch_id = 'LON-01' WHERE patient_id = 'T-1';
SELECT phone, phone_e164 FROM appt.patient WHERE patient_id = 'T-1';

-- Time zones by their canonical name, whoever writes them; sessions that begin
-- at a whole minute.
UPDATE appt.branch SET time_zone = ' asia/calcutta' WHERE branch_id = 'MUM-01';
SELECT time_zone, version FROM appt.branch WHERE branch_id = 'MUM-01';
SELECT name, appt_internal.zone_name(name) AS zone
FROM unnest('{asia/kolkata,ASIA/CALCUTTA,gb,US/Pacific,Europe/Amsterdam,
	utc,Etc/GMT+5,Asia/Nowhere}'::text[]) name;
SELECT pg_temp.try($$INSERT INTO appt.working_hours (doctor_id, branch_id,
	weekday, start_time, end_time)
	VALUES ('DOC-T', 'MUM-01', 1, '09:00:30', '10:00')$$) AS weekly,
	pg_temp.try($$INSERT INTO appt.extra_session (doctor_id, branch_id, on_date,
	start_time, end_time)
	VALUES ('DOC-T', 'MUM-01', '2026-04-20', '09:00', '10:00:00.5')$$) AS extra;

ROLLBACK;
