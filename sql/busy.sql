-- What is taken is read from an index without a query; where that index or the
-- table is not as the extension made it, a query finds the same.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Booked, cancelled, held, and a hold that has run out.
-- The first keeps a quarter of an hour free after it.
UPDATE appt.doctor SET buffer_after_min = 15;
SELECT count(pg_temp.book('PAT-1', '2026-03-16 09:00'));
UPDATE appt.doctor SET buffer_after_min = 0;
SELECT pg_temp.book('PAT-2', '2026-03-16 09:30') AS b \gset
SELECT count(appt.cancel(:'b', 'Asked'));
SELECT count(appt.hold('DOC-001', '2026-03-16 11:00'));
SELECT count(appt.hold('DOC-001', '2026-03-16 11:30'));
UPDATE appt.appointment SET hold_expires_at = '2026-03-14 11:00+05:30'
WHERE slot_start = '2026-03-16 11:30';
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');

-- The index is away, has other columns, leaves less out, is not valid.
SAVEPOINT made;
DROP INDEX appt.appointment_slot;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
SAVEPOINT away;
CREATE INDEX appointment_slot ON appt.appointment (doctor_no, slot_start)
	INCLUDE (slot_end, lane, buffer_after_min, buffer_before_min, patient_no)
	WHERE status NOT IN ('cancelled', 'no_show');
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO away;
CREATE INDEX appointment_slot ON appt.appointment (doctor_no, slot_start)
	INCLUDE (slot_end, lane, buffer_before_min, buffer_after_min, patient_no);
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO made;
UPDATE pg_index SET indisvalid = false
WHERE indexrelid = 'appt.appointment_slot'::regclass;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO made;

-- Row security does not concern the owner, unless it is forced on him.
ALTER TABLE appt.appointment ENABLE ROW LEVEL SECURITY;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ROLLBACK TO made;

-- The function's owner must be allowed to read: all of it, or its columns.
CREATE ROLE regress_appt_reader;
GRANT USAGE ON SCHEMA appt TO regress_appt_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA appt TO regress_appt_reader;
REVOKE SELECT ON appt.appointment FROM regress_appt_reader;
ALTER FUNCTION appt.available_slots OWNER TO regress_appt_reader;
SELECT pg_temp.try($$SELECT count(*)
	FROM appt.available_slots('DOC-001', '2026-03-16')$$);
GRANT SELECT (doctor_no, slot_start, slot_end, lane, buffer_before_min,
	buffer_after_min, hold_expires_at, status)
	ON appt.appointment TO regress_appt_reader;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
GRANT SELECT ON appt.appointment TO regress_appt_reader;
SELECT * FROM pg_temp.slots('DOC-001', '2026-03-16');
ALTER TABLE appt.appointment ENABLE ROW LEVEL SECURITY;
SELECT count(*) FROM appt.available_slots('DOC-001', '2026-03-16');

ROLLBACK;
