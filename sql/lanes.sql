-- Places of a slot: the capacity counts patients at one moment, whoever sat
-- where before.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

UPDATE appt.working_hours SET capacity = 2;

-- Who is booked at the 16th, with lanes; and what the history says.
CREATE FUNCTION pg_temp.booked() RETURNS TABLE (patient text, slot text,
	lane smallint, version integer, events bigint)
	LANGUAGE sql
AS $$
	SELECT a.patient_id, to_char(a.slot_start, 'HH24:MI-')
		|| to_char(a.slot_end, 'HH24:MI'), a.lane, a.version,
		(SELECT count(*) FROM appt.event e
		 WHERE e.appointment_no = a.appointment_no)
	FROM appt.appointment a
	WHERE a.status NOT IN ('cancelled', 'no_show')
	ORDER BY a.slot_start, a.lane
$$;

-- A and B at 09:00, A cancelled, C at 09:15 for half an hour: 09:00 to 09:30
-- never has two.
SELECT pg_temp.book('PAT-1', '2026-03-16 09:00') AS a \gset
SELECT pg_temp.book('PAT-2', '2026-03-16 09:00') AS b \gset
SELECT count(*) FROM appt.cancel(:'a', 'Asked');
SELECT count(*) FROM appt.book('PAT-3', 'DOC-001', '2026-03-16 09:15',
	'2026-03-16 09:45');
SAVEPOINT two_lanes;
SELECT * FROM pg_temp.booked();
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
SELECT appt.explain_slot('DOC-001', '2026-03-16 09:00', '2026-03-16 09:30');
SELECT count(*) FROM appt.book('PAT-4', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:30');
SELECT * FROM pg_temp.booked();
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-5', '2026-03-16 09:15')$$);

-- A hold, and a move from elsewhere and from beside, make room as well.
ROLLBACK TO two_lanes;
SELECT lane FROM appt.hold('DOC-001', '2026-03-16 09:00', '2026-03-16 09:30');
SELECT * FROM pg_temp.booked();
ROLLBACK TO two_lanes;
SELECT pg_temp.book('PAT-6', '2026-03-16 11:00') AS m \gset
SELECT lane FROM appt.reschedule(:'m', '2026-03-16 09:00', '2026-03-16 09:30');
SELECT * FROM pg_temp.booked();
ROLLBACK TO two_lanes;
SELECT lane FROM appt.reschedule(:'b', '2026-03-16 09:00', '2026-03-16 09:30');
SELECT * FROM pg_temp.booked();

-- Room that others make only by trading places, each in the other's way.
ROLLBACK TO two_lanes;
DELETE FROM appt.event;
DELETE FROM appt.appointment;
INSERT INTO appt.appointment (appointment_id, patient_id, doctor_id, branch_id,
	slot_start, slot_end, status, token_number, token_date, booked_at,
	doctor_no, patient_no, lane)
SELECT 'APT-' || n, p.patient_id, 'DOC-001', 'MUM-01', start, till, 'booked',
	100 + n, '2026-03-16', appt.clock(), d.doctor_no, p.patient_no, lane
FROM (VALUES (1, timestamptz '2026-03-16 09:00', timestamptz '2026-03-16 09:10', 1),
		(2, '2026-03-16 09:20', '2026-03-16 09:40', 0),
		(3, '2026-03-16 09:30', '2026-03-16 09:50', 1),
		(4, '2026-03-16 09:40', '2026-03-16 10:00', 0))
	v (n, start, till, lane)
JOIN appt.patient p ON p.patient_id = 'PAT-' || n
JOIN appt.doctor d ON d.doctor_id = 'DOC-001';
SAVEPOINT circle;
SELECT * FROM pg_temp.booked();
SELECT lane FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:30');
SELECT * FROM pg_temp.booked();
-- One of them is there already, another's visit is over; an overflow lane and
-- a hold that expired are in nobody's way.
ROLLBACK TO circle;
UPDATE appt.appointment SET status = 'checked_in' WHERE patient_id = 'PAT-2';
UPDATE appt.appointment SET status = 'completed' WHERE patient_id = 'PAT-3';
SELECT lane FROM appt.hold('DOC-001', '2026-03-16 09:15', '2026-03-16 09:20');
SET LOCAL bioecko_appt.clock = '2026-03-14 12:06+05:30';
SELECT lane FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:30');
SELECT * FROM pg_temp.booked();
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';

-- Staff overbooks: a third at a time. It counts while it is there, and at no
-- other moment.
ROLLBACK TO circle;
DELETE FROM appt.appointment;
SELECT count(pg_temp.book('PAT-' || n, '2026-03-16 09:00'))
FROM generate_series(1, 2) n;
SELECT lane FROM appt.book('PAT-3', 'DOC-001', '2026-03-16 09:00',
	override => true);
SELECT lane FROM appt.book('PAT-4', 'DOC-001', '2026-03-16 09:15');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT count(*) FROM appt.appointment a,
	appt.cancel(a.appointment_id, 'Asked') WHERE a.patient_id IN
	('PAT-1', 'PAT-2');
SELECT * FROM pg_temp.booked();
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 30);
SELECT lane FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:30');

-- With a buffer a lane is free again only after it.
ROLLBACK TO circle;
DELETE FROM appt.appointment;
UPDATE appt.doctor SET buffer_after_min = 5;
SELECT count(appt.book(p, 'DOC-001', s::timestamptz, e::timestamptz))
FROM (VALUES ('PAT-1', '2026-03-16 09:00', '2026-03-16 09:10'),
	('PAT-2', '2026-03-16 09:00', '2026-03-16 09:10'),
	('PAT-3', '2026-03-16 09:15', '2026-03-16 09:25'),
	('PAT-4', '2026-03-16 09:30', '2026-03-16 09:40')) v (p, s, e);
SELECT count(*) FROM appt.appointment a,
	appt.cancel(a.appointment_id, 'Asked') WHERE a.patient_id = 'PAT-1';
SELECT * FROM pg_temp.booked();
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 40);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16', duration => 10);
SELECT lane FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 09:00',
	'2026-03-16 09:40');
SELECT * FROM pg_temp.booked();

ROLLBACK;
