-- Walk-ins: checked in at once, beside the bookable slots.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SET LOCAL bioecko_appt.clock = '2026-03-16 09:20:40+05:30';
SELECT count(pg_temp.book('PAT-' || n, at))
FROM unnest('{2026-03-16 09:30,2026-03-16 09:45}'::timestamptz[])
	WITH ORDINALITY v (at, n);
-- The next number of the day; no bookable slot is lost.
SELECT status, source, token_number, token_date, checked_in_at, version,
	to_char(slot_start, 'HH24:MI:SS') AS slot_start,
	to_char(slot_end, 'HH24:MI:SS') AS slot_end, notes, visit_type
FROM appt.walk_in('PAT-3', 'DOC-001', visit_type => 'procedure',
	notes => 'Fever');
SELECT appointment_id AS w FROM appt.walk_in('PAT-4', 'DOC-001') \gset
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
-- Two events, as for somebody who booked and came.
SELECT e.event_type, e.reason FROM appt.event e
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'w' ORDER BY e.event_no;

-- Also outside the hours, on any day and beyond the daily limit; not while the
-- doctor is away or the branch closed.
INSERT INTO appt.setting (name, value) VALUES ('doctor_daily_limit', '1');
SET LOCAL bioecko_appt.clock = '2026-03-16 20:00+05:30';
SELECT status, token_number FROM appt.walk_in('PAT-5', 'DOC-001');
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-16 20:30', '2026-03-16 20:45');
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('MUM-01', '2026-03-16 20:45', '2026-03-16 20:50');
SET LOCAL bioecko_appt.clock = '2026-03-16 20:44:59+05:30';
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-6', 'DOC-001')$$);
SET LOCAL bioecko_appt.clock = '2026-03-16 20:49:59+05:30';
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-6', 'DOC-001')$$);
SET LOCAL bioecko_appt.clock = '2026-03-16 20:50+05:30';
SELECT status, token_number FROM appt.walk_in('PAT-6', 'DOC-001');

-- What else is refused.
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-6', 'DOC-001')$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-99', 'DOC-001')$$);
SELECT pg_temp.try($$SELECT appt.walk_in(NULL, 'DOC-001')$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-7', 'DOC-999')$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-7', NULL)$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-7', 'DOC-001', 'PAR-01')$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-7', 'DOC-001',
	visit_type => 'dance')$$);
SELECT pg_temp.try($$SELECT appt.walk_in('PAT-7', 'DOC-001',
	notes => repeat('x', 4001))$$);

-- Many at once all find a place: up to 32 at a time.
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'W-' || n, 'Walk-in' FROM generate_series(1, 33) n;
SET LOCAL bioecko_appt.clock = '2026-03-17 10:15+05:30';
SELECT count(appt.walk_in('W-' || n, 'DOC-001')) FROM generate_series(1, 32) n;
SELECT count(DISTINCT lane), min(token_number), max(token_number)
FROM appt.appointment WHERE patient_id LIKE 'W-%';
SELECT pg_temp.try($$SELECT appt.walk_in('W-33', 'DOC-001')$$);
-- Whose visit is completed has left his place; another takes it, one only.
SELECT (appt.complete(appointment_id)).status
FROM appt.appointment WHERE patient_id = 'W-7' \gset done_
SELECT lane = (SELECT lane FROM appt.appointment WHERE patient_id = 'W-7') AS in_its_place
FROM appt.walk_in('W-33', 'DOC-001');
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'X-' || n, 'Walk-in' FROM generate_series(0, 40) n;
SELECT pg_temp.try($$SELECT appt.walk_in('X-0', 'DOC-001')$$);
SELECT count(appt.complete(appointment_id))
FROM appt.appointment WHERE patient_id LIKE 'W-%' AND status = 'checked_in';
SELECT count(appt.walk_in('X-' || n, 'DOC-001')) FROM generate_series(1, 32) n;
SELECT pg_temp.try($$SELECT appt.walk_in('X-33', 'DOC-001')$$);
-- The constraint says the same, whoever writes.
SELECT pg_temp.try($$UPDATE appt.appointment SET status = 'checked_in', completed_at = NULL
	WHERE patient_id = 'W-7'$$);

-- The JSON form.
SET LOCAL bioecko_appt.clock = '2026-03-18 10:15+05:30';
SELECT version, body::json->>'status' AS status,
	body::json->>'source' AS source,
	body::json->>'checked_in_at' AS checked_in_at
FROM appt_api.walk_in('PAT-1', 'DOC-001', 'MUM-01', NULL, NULL);

ROLLBACK;
