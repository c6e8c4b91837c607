-- A clinic of any size, past the engine: N appointments of M doctors by plain
-- INSERTs that every constraint checks.  In an empty database with the
-- extension, as its owner:
--
--   psql -v ON_ERROR_STOP=1 -v doctors=200 -v appointments=1000000 \
--       -f bench/generate.sql
--
-- doctors       how many (200)
-- appointments  how many rows of appt.appointment (1000000)
-- start         first day (default: so that three quarters are past)
-- fill          percent of the slots that are taken (75): the rest is free
--
-- Doctor D-0001 works at branch B-001 with 24 others, every day from 08:00 to
-- 20:00 in slots of 15 minutes (48 a day); each fourth branch is in London,
-- the rest in India.  Of the past, 8 in 100 are cancelled, 6 no-shows, the
-- others completed with measured times; of the days to come, 8 in 100 are
-- cancelled and the others booked.  The same variables on the same day make
-- the same rows.  No events are written.

\set QUIET on
\if :{?doctors}
\else
	\set doctors 200
\endif
\if :{?appointments}
\else
	\set appointments 1000000
\endif
\if :{?fill}
\else
	\set fill 75
\endif

-- Days that are needed, and a few: the last ones stay less full.
SELECT (ceil(:appointments / (:doctors * 48 * :fill / 100.0)) * 1.02 + 2)::integer
	AS days
\gset
\if :{?start}
\else
	SELECT (appt.clock() AT TIME ZONE 'UTC')::date - :days * 3 / 4 AS start
	\gset
\endif

BEGIN;

-- A number from 0 to 99 that looks random and is always the same.
CREATE FUNCTION pg_temp.percent(seed bigint, salt bigint) RETURNS integer
	LANGUAGE sql IMMUTABLE
RETURN (hashint8extended(seed, salt) & 2147483647) % 100;

INSERT INTO appt.branch (branch_id, name, time_zone)
SELECT
	format('B-%s', lpad(b::text, 3, '0')),
	format('Branch %s', b),
	CASE WHEN b % 4 = 0 THEN 'Europe/London' ELSE 'Asia/Kolkata' END
FROM generate_series(1, (:doctors + 24) / 25) AS b;

INSERT INTO appt.visit_type (visit_type, name)
VALUES ('new_consultation', 'New consultation'), ('follow_up', 'Follow-up');

INSERT INTO appt.doctor (doctor_id, name, specialty)
SELECT
	format('D-%s', lpad(d::text, 4, '0')),
	format('Dr %s', d),
	(ARRAY['General medicine', 'Cardiology', 'Paediatrics', 'Dermatology'])
		[1 + d % 4]
FROM generate_series(1, :doctors) AS d
ORDER BY d;

INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT
	format('D-%s', lpad(d::text, 4, '0')),
	format('B-%s', lpad(((d + 24) / 25)::text, 3, '0')),
	weekday,
	'08:00',
	'20:00'
FROM generate_series(1, :doctors) AS d
CROSS JOIN generate_series(1, 7) AS weekday;

-- As many patients as make ten visits each, and more than doctors, so that
-- nobody has two visits at a time.
INSERT INTO appt.patient
	(patient_id, first_name, last_name, date_of_birth, gender, phone, email,
	branch_id)
SELECT
	format('P-%s', lpad(p::text, 7, '0')),
	format('First%s', p),
	format('Last%s', p % 1000),
	date '1940-01-01' + (p * 7919 % 30000)::integer,
	(ARRAY['female', 'male', 'other'])[1 + (p % 100) / 49],
	format('+91 %s', lpad(p::text, 10, '0')),
	format('p%s@example.org', p),
	'B-001'
FROM generate_series(1, greatest(:appointments / 10, 2 * :doctors)) AS p
ORDER BY p;

CREATE TEMP TABLE made AS
SELECT
	row_number() OVER (ORDER BY s.slot_start, s.doctor_no) AS n,
	s.*
FROM (
	SELECT
		d.doctor_id,
		d.doctor_no,
		w.branch_id,
		day::date AS on_date,
		(day::date + time '08:00' + slot * interval '15 minutes')
			AT TIME ZONE b.time_zone AS slot_start,
		pg_temp.percent(d.doctor_no, day::date - date '2000-01-01'
			+ slot::bigint * 100000) AS dice
	FROM appt.doctor AS d
	JOIN appt.working_hours AS w
		ON w.doctor_id = d.doctor_id AND w.weekday = 1
	JOIN appt.branch AS b ON b.branch_id = w.branch_id
	CROSS JOIN generate_series(
		timestamp :'start', timestamp :'start' + :days * interval '1 day',
		interval '1 day') AS day
	CROSS JOIN generate_series(0, 47) AS slot) AS s
WHERE s.dice < :fill
ORDER BY s.slot_start, s.doctor_no
LIMIT :appointments;

SELECT count(*) AS patients, min(patient_no) AS first_patient
FROM appt.patient
\gset

INSERT INTO appt.doctor_day (doctor_no, on_date, last_token)
SELECT m.doctor_no, m.on_date, count(*)
FROM made AS m
GROUP BY m.doctor_no, m.on_date;

INSERT INTO appt.appointment
	(appointment_id, appointment_no, patient_id, patient_no, doctor_id,
	doctor_no, branch_id, slot_start, slot_end, visit_type, status,
	token_number, token_date, source, booked_at, checked_in_at, started_at,
	completed_at, cancelled_at, reason)
SELECT
	format('APT-%s-%s', extract(year FROM t.on_date),
		lpad(m.n::text, greatest(6, length(m.n::text)), '0')),
	m.n,
	p.patient_id,
	p.patient_no,
	m.doctor_id,
	m.doctor_no,
	m.branch_id,
	m.slot_start,
	m.slot_start + interval '15 minutes',
	CASE WHEN m.dice % 3 = 0 THEN 'new_consultation' ELSE 'follow_up' END,
	t.status,
	row_number() OVER (PARTITION BY m.doctor_no, m.on_date ORDER BY m.n),
	m.on_date,
	(ARRAY['web', 'mobile', 'front_desk', 'api'])[1 + m.n % 4],
	t.booked_at,
	CASE t.status WHEN 'completed' THEN t.checked_in_at END,
	CASE t.status WHEN 'completed' THEN t.started_at END,
	CASE t.status WHEN 'completed'
		THEN t.started_at + (5 + m.n % 11) * interval '1 minute' END,
	CASE t.status WHEN 'cancelled' THEN least(
		t.booked_at + (m.n % 200) * interval '1 hour',
		m.slot_start - interval '2 hours', appt.clock()) END,
	CASE t.status WHEN 'cancelled' THEN 'Patient cannot come' END
FROM made AS m
CROSS JOIN LATERAL (
	SELECT
		m.on_date,
		pg_temp.percent(m.n, 1) AS fate,
		least(m.slot_start, appt.clock()) - interval '3 hours'
			- (m.n % 400) * interval '1 hour' AS booked_at,
		m.slot_start - (m.n % 25) * interval '1 minute' AS checked_in_at,
		m.slot_start + (m.n % 17) * interval '1 minute' AS started_at
	OFFSET 0) AS f
CROSS JOIN LATERAL (
	SELECT
		f.*,
		CASE
			WHEN f.fate < 8 THEN 'cancelled'
			WHEN m.slot_start > appt.clock() - interval '1 hour' THEN 'booked'
			WHEN f.fate < 14 THEN 'no_show'
			ELSE 'completed'
		END AS status) AS t
JOIN appt.patient AS p
	ON p.patient_no = :first_patient + (
		extract(epoch FROM m.slot_start)::bigint / 900 * :doctors
		+ m.doctor_no) % :patients
ORDER BY m.n;

SELECT setval('appt.appointment_no_seq', max(n)) AS last_no FROM made
\gset
DROP TABLE made;
COMMIT;

VACUUM (ANALYZE) appt.appointment, appt.patient, appt.doctor, appt.doctor_day;

SELECT
	count(*) AS appointments,
	min(token_date) AS first_day,
	max(token_date) AS last_day,
	count(*) FILTER (WHERE status = 'booked') AS booked
FROM appt.appointment;
