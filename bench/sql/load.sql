-- A clinic of :doctors doctors with about :rows appointments, 30 of the 48
-- slots of each day taken, up to :future days ahead and as far back as it
-- takes. The same numbers give the same data, but for the date.
--
--   psql -v doctors=200 -v rows=1400000 -v future=60 -f load.sql
--
-- Constraints and indexes are made after the rows: the same ones, sooner.
-- :overlap = 0 leaves the two overlap constraints out (what only reads slots
-- reads neither).

\set ON_ERROR_STOP on
\if :{?overlap} \else \set overlap 1 \endif

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL session_replication_role = replica;
SET LOCAL synchronous_commit = off;

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES
	('MUM-01', 'Mumbai', 'Asia/Kolkata'),
	('DEL-01', 'Delhi', 'Asia/Kolkata');

INSERT INTO appt.setting (name, value)
VALUES ('horizon_days', '3650');

INSERT INTO appt.visit_type (visit_type, name)
VALUES
	('new_consultation', 'New consultation'),
	('follow_up', 'Follow-up');

INSERT INTO appt.doctor (doctor_id, name, specialty, slot_min)
SELECT 'DOC-' || pg_catalog.lpad(n::text, 4, '0'), 'Dr ' || n, 'medicine', 10
FROM pg_catalog.generate_series(1, :doctors) AS n;

INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT d.doctor_id,
	CASE WHEN d.doctor_no % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END,
	w, s.start_time, s.end_time
FROM appt.doctor AS d,
	pg_catalog.generate_series(1, 7) AS w,
	(VALUES (time '09:00', time '13:00'), (time '14:00', time '18:00'))
		AS s (start_time, end_time);

INSERT INTO appt.patient
	(patient_id, first_name, last_name, phone, registered_at)
SELECT 'PAT-2026-' || pg_catalog.lpad(n::text, 5, '0'), 'Patient', n::text,
	'+91 00000 ' || pg_catalog.lpad(n::text, 5, '0'), now()
FROM pg_catalog.generate_series(1, 50000) AS n;

CREATE TEMPORARY TABLE remade AS
SELECT 0 AS step, c.conname AS name,
	pg_catalog.format('ALTER TABLE appt.appointment DROP CONSTRAINT %I',
		c.conname) AS take_away,
	pg_catalog.format('ALTER TABLE appt.appointment ADD CONSTRAINT %I %s',
		c.conname, pg_catalog.pg_get_constraintdef(c.oid)) AS make
FROM pg_catalog.pg_constraint AS c
WHERE c.conrelid = 'appt.appointment'::regclass AND c.contype IN ('x', 'u')
UNION ALL
SELECT 1, i.indexrelid::regclass::text,
	pg_catalog.format('DROP INDEX %s', i.indexrelid::regclass),
	pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index AS i
WHERE i.indrelid = 'appt.appointment'::regclass
	AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_constraint AS c
		WHERE c.conindid = i.indexrelid);

SELECT take_away FROM remade ORDER BY step DESC
\gexec

INSERT INTO appt.doctor_day (doctor_no, on_date, last_token)
SELECT d.doctor_no, CURRENT_DATE + :future - n, 48
FROM appt.doctor AS d,
	pg_catalog.generate_series(0, :rows / (:doctors * 30)) AS n;

-- A day is 48 slots of ten minutes from 09:00, an hour's break after the 24th.
INSERT INTO appt.appointment (appointment_id, appointment_no, patient_id,
	doctor_id, branch_id, slot_start, slot_end, visit_type, status,
	token_number, token_date, source, booked_at, checked_in_at,
	completed_at, cancelled_at, doctor_no, patient_no)
SELECT pg_catalog.format('APT-%s-%s',
		pg_catalog.date_part('year', a.booked_at),
		pg_catalog.lpad(a.no::text,
			GREATEST(6, pg_catalog.length(a.no::text)), '0')),
	a.no, 'PAT-2026-' || pg_catalog.lpad(a.patient_no::text, 5, '0'),
	a.doctor_id, a.branch_id, a.slot_start,
	a.slot_start + interval '10 minutes', 'follow_up', a.status,
	a.slot + 1, a.day, 'web', a.booked_at,
	CASE WHEN a.status = 'completed' THEN a.slot_start END,
	CASE WHEN a.status = 'completed'
		THEN a.slot_start + interval '10 minutes' END,
	CASE WHEN a.status = 'cancelled'
		THEN a.booked_at END,
	a.doctor_no, a.patient_no
FROM (
	SELECT d.doctor_id, d.doctor_no, t.day, s.slot,
		CASE WHEN d.doctor_no % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END
			AS branch_id,
		pg_catalog.row_number() OVER () AS no,
		(t.day + CASE WHEN s.slot < 24 THEN time '09:00' ELSE time '10:00' END
			+ s.slot * interval '10 minutes') AT TIME ZONE 'Asia/Kolkata'
			AS slot_start,
		LEAST(t.day - interval '3 days', pg_catalog.now()) AS booked_at,
		1 + (d.doctor_no + s.slot * 401 + t.n * 8161) % 50000 AS patient_no,
		CASE
			WHEN h.dice % 20 = 0 THEN 'cancelled'
			WHEN t.day >= CURRENT_DATE THEN 'booked'
			WHEN h.dice % 20 = 1 THEN 'no_show'
			ELSE 'completed'
		END AS status
	FROM (
			SELECT n, CURRENT_DATE + :future - n AS day
			FROM pg_catalog.generate_series(0,
				:rows / (:doctors * 30)) AS n) AS t,
		appt.doctor AS d,
		pg_catalog.generate_series(0, 47) AS s (slot),
		LATERAL (SELECT pg_catalog.abs(pg_catalog.hashint4(
			t.n * 1000003 + d.doctor_no * 101 + s.slot)::bigint)) AS h (dice)
	WHERE h.dice % 48 < 30
	ORDER BY t.n DESC, s.slot, d.doctor_no
	LIMIT :rows) AS a;

SELECT pg_catalog.setval('appt.appointment_no_seq',
	pg_catalog.max(appointment_no))
FROM appt.appointment \g /dev/null

SELECT make FROM remade
WHERE :overlap = 1 OR make NOT LIKE '%EXCLUDE%'
ORDER BY step, name
\gexec

COMMIT;

VACUUM (ANALYZE) appt.appointment;
VACUUM (ANALYZE) appt.doctor_day;
ANALYZE;
CHECKPOINT;
