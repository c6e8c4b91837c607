-- The reports: what a day's work looks like in each view, by hand.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
SET jit = off;  -- small tables, great estimates
\set ECHO all

-- A second doctor in another time zone; capacity for two, half a day off.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.department (department_id, name)
VALUES ('CARD', 'Heart');
INSERT INTO appt.doctor (doctor_id, name, specialty, department_id)
VALUES ('DOC-002', 'Dr Carter', 'Cardiology', 'CARD');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, slot_min, capacity)
VALUES ('DOC-002', 'LON-01', 1, '09:00', '11:00', 30, 2);
UPDATE appt.patient
SET last_name = 'Rao', date_of_birth = '1990-03-17', gender = 'female',
	phone = '+91 00000 00001', email = 'p1@example.org'
WHERE patient_id = 'PAT-1';

-- Saturday: seven bookings for Monday, one of them in London, and a hold.
CREATE TEMP TABLE visit (name text PRIMARY KEY, id text) ON COMMIT DROP;
CREATE FUNCTION pg_temp.visit(name text, patient text, at timestamptz,
	doctor text DEFAULT 'DOC-001', branch text DEFAULT 'MUM-01') RETURNS void
	LANGUAGE sql
AS $$
	INSERT INTO visit
	SELECT name, b.appointment_id
	FROM appt.book(patient, doctor, at, branch_id => branch) b
$$;
SELECT pg_temp.visit('seen', 'PAT-1', '2026-03-16 09:00'),
	pg_temp.visit('late', 'PAT-2', '2026-03-16 09:15'),
	pg_temp.visit('absent', 'PAT-3', '2026-03-16 09:30'),
	pg_temp.visit('called off', 'PAT-4', '2026-03-16 09:45'),
	pg_temp.visit('to come', 'PAT-5', '2026-03-16 11:00'),
	pg_temp.visit('forgotten', 'PAT-6', '2026-03-16 11:15'),
	pg_temp.visit('london', 'PAT-7', '2026-03-16 09:30+00', 'DOC-002', 'LON-01')
\gset
SELECT status FROM appt.hold('DOC-001', '2026-03-17 09:00',
	branch_id => 'MUM-01');
SELECT status FROM appt.cancel(
	(SELECT id FROM visit WHERE name = 'called off'), 'Has a cold');
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-16 11:30', '2026-03-16 18:00');

-- Monday.
SET LOCAL bioecko_appt.clock = '2026-03-16 08:50+05:30';
SELECT status FROM appt.check_in((SELECT id FROM visit WHERE name = 'seen'));
SET LOCAL bioecko_appt.clock = '2026-03-16 09:05+05:30';
SELECT status FROM appt.start((SELECT id FROM visit WHERE name = 'seen'));
SET LOCAL bioecko_appt.clock = '2026-03-16 09:17+05:30';
SELECT status FROM appt.complete((SELECT id FROM visit WHERE name = 'seen'));
SET LOCAL bioecko_appt.clock = '2026-03-16 09:40+05:30';
SELECT status FROM appt.check_in((SELECT id FROM visit WHERE name = 'late'));
SELECT status FROM appt.no_show((SELECT id FROM visit WHERE name = 'absent'));
INSERT INTO visit
SELECT 'walk-in', appointment_id
FROM appt.walk_in('PAT-8', 'DOC-001', 'MUM-01');
SET LOCAL bioecko_appt.clock = '2026-03-16 09:42+05:30';
SELECT status FROM appt.start((SELECT id FROM visit WHERE name = 'late'));

-- The fact table. No hold; each time on its branch's clock.
SELECT v.name, a.visit_date, a.start_local::time AS starts,
	a.slot_start AT TIME ZONE 'UTC' AS utc, a.length_min AS len, a.doctor_name,
	a.branch_id, a.status, a.token_number AS token, a.is_walk_in AS walk_in
FROM appt_report.appointment a
LEFT JOIN visit v ON v.id = a.appointment_id
ORDER BY a.slot_start, a.token_number;
SELECT v.name, a.visit_month, a.weekday AS day, a.patient_age_years AS age,
	a.booked_local, a.booked_ahead_days AS ahead, a.arrival_min AS arrival,
	a.waiting_min AS waiting, a.start_delay_min AS delay,
	a.consultation_min AS consult, a.cancel_notice_min AS notice
FROM appt_report.appointment a
JOIN visit v ON v.id = a.appointment_id
WHERE v.name IN ('seen', 'late', 'called off', 'london', 'walk-in')
ORDER BY v.name;

-- The day on paper: nothing cancelled, nothing held.
SELECT branch_name, doctor_name, start_time, end_time, token_number, patient_id,
	status, checked_in_time
FROM appt_report.daily_schedule
WHERE visit_date = '2026-03-16'
ORDER BY doctor_name, start_time, token_number;

-- Offered: two hours less the half hour off; in London two hours for two.
-- Booked: cancelled visits and no-shows do not count, the walk-in does.
SELECT visit_date, doctor_id, branch_id, offered_min AS offered,
	booked_min AS booked, no_show_min AS lost, free_min AS free,
	utilisation_percent AS percent, appointments AS n, completed AS done,
	no_shows, cancelled, walk_ins
FROM appt_report.utilisation
WHERE visit_date BETWEEN '2026-03-15' AND '2026-03-17'
ORDER BY doctor_id, visit_date;

-- Sessions less absences, as a filter on the day sees them; a closure takes
-- the branch's whole day, an extra session adds one.
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-18 00:00', '2026-03-19 00:00');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'MUM-01', '2026-03-17', '20:00', '24:00');
SELECT visit_date, doctor_id, sum(offered_min) AS offered
FROM appt_report.offered_time
WHERE visit_date BETWEEN '2026-03-16' AND '2026-03-18'
GROUP BY visit_date, doctor_id
ORDER BY visit_date, doctor_id;
-- A clock change inside a session: 01:00 to 03:00 has one hour and no more.
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-002', 'LON-01', '2026-03-29', '00:30', '03:00');
SELECT offered_min
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-002' AND visit_date = '2026-03-29';
-- A session that begins in the hour that is skipped, and one within it; the
-- other way round, a time that comes twice is meant the first time.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-003', 'Dr Night');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-003', 'LON-01', '2026-03-29', '01:15', '01:45'),
	('DOC-003', 'LON-01', '2026-03-29', '01:45', '02:30'),
	('DOC-003', 'LON-01', '2026-10-25', '00:30', '01:30');
SET LOCAL bioecko_appt.clock = '2026-03-28 12:00+00';
SELECT offered_min
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-003' AND visit_date = '2026-03-29'
ORDER BY offered_min;
SELECT sum(end_time - start_time)
FROM appt.available_slots('DOC-003', '2026-03-29', 'LON-01');
SET LOCAL bioecko_appt.clock = '2026-10-24 12:00+00';
SELECT offered_min
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-003' AND visit_date = '2026-10-25';
SELECT sum(end_time - start_time)
FROM appt.available_slots('DOC-003', '2026-10-25', 'LON-01');
-- An extra session over a weekly one offers what that does not: the same
-- minutes are not counted twice.
SET LOCAL bioecko_appt.clock = '2026-03-16 12:00+05:30';
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time, slot_min, capacity)
VALUES ('DOC-002', 'LON-01', '2026-03-30', '08:30', '09:30', 30, 3),
	('DOC-002', 'LON-01', '2026-03-30', '10:00', '11:30', 30, 1);
SELECT sum(offered_min) AS offered, (
	SELECT sum(extract(epoch FROM end_time - start_time) * remaining)::integer
		/ 60
	FROM appt.available_slots('DOC-002', '2026-03-30', 'LON-01')) AS in_slots
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-002' AND visit_date = '2026-03-30';
-- To the horizon of the doctor, else of the branch, else of the clinic.
SAVEPOINT horizon;
INSERT INTO appt.setting (name, doctor_id, branch_id, value)
VALUES ('horizon_days', 'DOC-001', NULL, '100'),
	('horizon_days', NULL, 'LON-01', '20');
SELECT doctor_id, max(visit_date) AS last_day, (
	SELECT max(start_time AT TIME ZONE 'UTC')::date
	FROM generate_series(0, 4) AS n
	CROSS JOIN appt.available_slots(o.doctor_id, date '2026-03-17' + n * 25,
		to_date => date '2026-03-16' + (n + 1) * 25)) AS last_slot
FROM appt_report.offered_time o
WHERE doctor_id < 'DOC-003'
GROUP BY doctor_id
ORDER BY doctor_id;
ROLLBACK TO SAVEPOINT horizon;
-- Who has left offers nothing any more, but did until now.
SET LOCAL bioecko_appt.clock = '2026-03-25 12:00+05:30';
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-002';
SELECT min(visit_date), max(visit_date)
FROM appt_report.offered_time
WHERE doctor_id = 'DOC-002';
UPDATE appt.doctor SET active = true WHERE doctor_id = 'DOC-002';

-- Who came, who did not, who is still booked an hour after the end.
SET LOCAL bioecko_appt.clock = '2026-03-16 12:30+05:30';
SELECT visit_month AS month, doctor_name, branch_name, visits_due AS due, kept, no_shows,
	no_show_percent AS percent, unresolved, cancelled
FROM appt_report.no_show_rate
ORDER BY doctor_name;

-- Notice: cancelled at noon on Saturday for 09:45 on Monday.
SELECT visit_month AS month, doctor_name, notice_no AS no, notice, cancelled,
	average_notice_min AS average
FROM appt_report.cancellation;
-- The ends of each class.
CREATE FUNCTION pg_temp.noticed(notice interval) RETURNS text
	LANGUAGE sql
AS $$
	UPDATE appt.appointment
	SET cancelled_at = slot_start - $1
	WHERE status = 'cancelled';
	SELECT notice FROM appt_report.cancellation
$$;
SELECT n AS before, pg_temp.noticed(n::interval) AS notice
FROM unnest(ARRAY['-1 second', '0', '2 hours -1 second', '2 hours', '1 day',
	'3 days -1 second', '3 days', '7 days -1 second', '7 days']) n;

SELECT visit_date, doctor_name, visits_measured AS n,
	average_waiting_min AS wait, median_waiting_min AS median,
	p90_waiting_min AS p90, longest_waiting_min AS max,
	average_start_delay_min AS delay, average_consultation_min AS consult
FROM appt_report.waiting_time;

-- When patients come, by the branch's clock; one who called off does not.
SELECT visit_date, doctor_name, branch_id, hour, appointments AS n, completed,
	no_shows, cancelled, walk_ins
FROM appt_report.bookings_by_hour ORDER BY visit_date, doctor_name, hour;
-- The same as the gateway reads it.
SELECT r.*
FROM (VALUES (1, 'csv'), (2, 'json')) f (n, form)
CROSS JOIN LATERAL appt_api.report('bookings_by_hour', '2026-03-16',
	'2026-03-16', 'MUM-01', NULL, NULL, 1, 1, form) r
ORDER BY n;

-- Every view with a doctor's name has the department.
SELECT 'utilisation' AS view, department_name, booked_min AS n
FROM appt_report.utilisation
WHERE department_id = 'CARD' AND visit_date = '2026-03-16'
UNION ALL
SELECT 'no_show_rate', department_name, visits_due + unresolved
FROM appt_report.no_show_rate WHERE department_id = 'CARD'
UNION ALL
SELECT 'daily_schedule', department_name, token_number
FROM appt_report.daily_schedule WHERE department_id = 'CARD'
UNION ALL
SELECT 'bookings_by_hour', department_name, hour
FROM appt_report.bookings_by_hour WHERE department_id = 'CARD'
ORDER BY 1;
SELECT c.table_name
FROM information_schema.columns c
WHERE c.table_schema = 'appt_report' AND c.column_name = 'doctor_name'
EXCEPT
SELECT c.table_name
FROM information_schema.columns c
WHERE c.table_schema = 'appt_report'
	AND c.column_name IN ('department_id', 'department_name')
GROUP BY c.table_name HAVING count(*) = 2;

-- The queue as it is called, with times that a human reads.
SET LOCAL bioecko_appt.clock = '2026-03-16 09:43+05:30';
SELECT doctor_name, queue_position AS pos, token_number AS token, status,
	start_local, checked_in_local, is_late, waiting_min,
	estimated_start_local AS estimate
FROM appt_report.queue_now
ORDER BY doctor_name, queue_position;

-- With names, for those who may.
SELECT start_time, patient_name, phone, status
FROM appt_report.daily_schedule_contact
WHERE visit_date = '2026-03-16' AND token_number = 1 AND branch_id = 'MUM-01';
SELECT patient_id, patient_name, date_of_birth, patient_gender, email
FROM appt_report.patient_contact
WHERE patient_id IN ('PAT-1', 'PAT-2')
ORDER BY 1;
SELECT patient_name, email, reason
FROM appt_report.appointment_contact
WHERE status = 'cancelled' OR token_number = 1
ORDER BY slot_start;

ROLLBACK;
