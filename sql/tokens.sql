-- Tokens: 1, 2, 3, … per doctor and branch-local day, none lost, none twice.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.tokens(doctor text DEFAULT 'DOC-001')
	RETURNS TABLE (token_date date, tokens text, last_token integer)
	LANGUAGE sql
AS $$
	SELECT a.token_date,
		string_agg(a.token_number || ' ' || a.status, ', '
			ORDER BY a.token_number),
		max(d.last_token)
	FROM appt.appointment a
	JOIN appt.doctor_day d ON (d.doctor_no, d.on_date)
		= (a.doctor_no, a.token_date)
	WHERE a.doctor_id = doctor AND a.status <> 'held'
	GROUP BY 1 ORDER BY 1
$$;

-- By the order of booking, not of the slots.
SELECT pg_temp.book('PAT-1', '2026-03-16 11:45') AS a \gset
SELECT pg_temp.book('PAT-2', '2026-03-16 09:00') AS b \gset
SELECT * FROM pg_temp.tokens();

-- What is refused or rolled back draws none; nor does a hold.
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-3', '2026-03-16 09:00')$$);
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-1', '2026-03-16 11:45')$$);
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-99', '2026-03-16 09:15')$$);
SAVEPOINT s;
SELECT count(pg_temp.book('PAT-3', '2026-03-16 09:15'));
ROLLBACK TO s;
SELECT status, token_number FROM appt.hold('DOC-001', '2026-03-16 09:15');
SELECT pg_temp.book('PAT-3', '2026-03-16 09:30') AS c \gset
SELECT * FROM pg_temp.tokens();

-- Cancelling retires the number; it is given to nobody else.
SELECT status, token_number FROM appt.cancel(:'b', 'Patient asked');
SELECT pg_temp.book('PAT-4', '2026-03-16 09:00') AS d \gset
SELECT * FROM pg_temp.tokens();

-- On the same day it stays; on another, or with another doctor, a new one.
SELECT token_number, token_date FROM appt.reschedule(:'c', '2026-03-16 11:00');
SELECT token_number, token_date FROM appt.reschedule(:'c', '2026-03-17 11:00');
SELECT token_number, token_date FROM appt.reschedule(:'a', '2026-03-17 09:00');
SELECT token_number, token_date FROM appt.reschedule(:'c', '2026-03-16 11:15');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('DOC-002', 'MUM-01', 1, '09:00', '12:00');
SELECT token_number, token_date
FROM appt.reschedule(:'c', '2026-03-16 11:15', doctor_id => 'DOC-002');
SELECT * FROM pg_temp.tokens();
SELECT * FROM pg_temp.tokens('DOC-002');
-- A refused move draws none either.
SELECT pg_temp.try(format($$SELECT token_number
	FROM appt.reschedule(%L, '2026-03-17 09:00', doctor_id => 'DOC-001')$$,
	:'c'));
SELECT pg_temp.book('PAT-5', '2026-03-17 09:30') IS NOT NULL AS booked;
SELECT * FROM pg_temp.tokens();

-- A walk-in draws from the same counter.
SET LOCAL bioecko_appt.clock = '2026-03-17 10:10+05:30';
SELECT token_number, token_date, status FROM appt.walk_in('PAT-6', 'DOC-001');
SELECT * FROM pg_temp.tokens();

-- The day is the branch's own: 23:30 in Mumbai is 18:00 in London, and half
-- past midnight there is still the day before in UTC.
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time,
	end_time)
VALUES ('DOC-001', 'MUM-01', '2026-03-20', '00:00', '01:00'),
	('DOC-001', 'LON-01', '2026-03-19', '20:00', '21:00');
SELECT a.branch_id, a.slot_start AT TIME ZONE 'UTC' AS utc, a.token_date,
	a.token_number
FROM (VALUES ('PAT-1', timestamptz '2026-03-20 00:30', 'MUM-01'),
	('PAT-2', '2026-03-20 02:00', 'LON-01')) v (patient, at, branch)
CROSS JOIN LATERAL appt.book(patient, 'DOC-001', at, branch_id => branch) a;

ROLLBACK;
