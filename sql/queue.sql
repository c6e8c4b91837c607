-- The queue: who is called next, and about when.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.queue(doctor text DEFAULT 'DOC-001',
	day date DEFAULT NULL)
	RETURNS TABLE (pos integer, token integer, patient text, status text,
		priority integer, slot text, came text, late boolean, skipped boolean,
		ahead integer, about text)
	LANGUAGE sql
AS $$
	SELECT queue_position, token_number, patient_id, status, priority,
		to_char(slot_start, 'HH24:MI'), to_char(checked_in_at, 'HH24:MI'),
		late, skipped, people_ahead, to_char(estimated_start, 'HH24:MI')
	FROM appt.queue(doctor, day)
$$;
CREATE FUNCTION pg_temp.id(patient text) RETURNS text LANGUAGE sql
RETURN (SELECT appointment_id FROM appt.appointment WHERE patient_id = patient
	ORDER BY appointment_no DESC LIMIT 1);

SET LOCAL bioecko_appt.clock = '2026-03-16 08:00+05:30';
SELECT count(pg_temp.book('PAT-' || n, '2026-03-16 09:00'::timestamptz
	+ (4 - n) * interval '15 min')) FROM generate_series(1, 4) n;
SELECT * FROM pg_temp.queue();
SELECT * FROM pg_temp.queue(day => '2026-03-17');

-- Those who came on time by their slot, whatever their numbers.
SET LOCAL bioecko_appt.clock = '2026-03-16 08:50+05:30';
SELECT status FROM appt.check_in(pg_temp.id('PAT-2'));
SELECT status FROM appt.check_in(pg_temp.id('PAT-3'));
SELECT * FROM pg_temp.queue();

-- Ten minutes late is on time, eleven is late: behind, by check-in, beside
-- the walk-ins.
SET LOCAL bioecko_appt.clock = '2026-03-16 09:05+05:30';
SELECT token_number FROM appt.walk_in('PAT-5', 'DOC-001');
SET LOCAL bioecko_appt.clock = '2026-03-16 09:10:01+05:30';
SELECT status FROM appt.check_in(pg_temp.id('PAT-4'));
SET LOCAL bioecko_appt.clock = '2026-03-16 09:12+05:30';
SELECT token_number FROM appt.walk_in('PAT-6', 'DOC-001');
SELECT * FROM pg_temp.queue();

-- Priority comes first; who is skipped goes behind the others.
SELECT priority FROM appt.set_priority(pg_temp.id('PAT-6'), 10);
SELECT status FROM appt.skip(pg_temp.id('PAT-3'));
SELECT * FROM pg_temp.queue();
SELECT patient_id, status FROM appt.call_next('DOC-001');
SELECT patient_id, status FROM appt.call_next('DOC-001');
SELECT * FROM pg_temp.queue();
SELECT patient_id, status FROM appt.call_next('DOC-001');
SELECT patient_id, status FROM appt.call_next('DOC-001');
SELECT patient_id, status FROM appt.call_next('DOC-001');
-- Nobody is there any more; who is only booked is not called.
SELECT appt.call_next('DOC-001') IS NULL AS nobody;
SELECT * FROM pg_temp.queue();
-- Who came, was skipped and left is not skipped the next time.
SELECT status FROM appt.check_in(pg_temp.id('PAT-1'));
SELECT status, skipped_at FROM appt.skip(pg_temp.id('PAT-1'));
SELECT status FROM appt.undo_check_in(pg_temp.id('PAT-1'));
SELECT status, skipped_at FROM appt.check_in(pg_temp.id('PAT-1'));

-- Called without an answer: skipped, behind the others, no consultation began;
-- called again before all who wait. Who was not called cannot be called again.
SET LOCAL bioecko_appt.clock = '2026-03-16 09:20+05:30';
SELECT count(appt.complete(appointment_id)) FROM appt.appointment
WHERE status = 'in_consultation';
SELECT token_number FROM appt.walk_in('PAT-5', 'DOC-001');
SELECT token_number FROM appt.walk_in('PAT-6', 'DOC-001');
SELECT pg_temp.try($$SELECT appt.recall(pg_temp.id('PAT-6'))$$);
SELECT patient_id, status, started_at FROM appt.call_next('DOC-001');
SET LOCAL bioecko_appt.clock = '2026-03-16 09:22+05:30';
SELECT status, started_at, skipped_at FROM appt.skip(pg_temp.id('PAT-1'));
SELECT pos, patient, status, skipped FROM pg_temp.queue();
SET LOCAL bioecko_appt.clock = '2026-03-16 09:23+05:30';
SELECT status, started_at, skipped_at FROM appt.recall(pg_temp.id('PAT-1'));
SET LOCAL bioecko_appt.clock = '2026-03-16 09:24+05:30';
SELECT status, started_at, version FROM appt.recall(pg_temp.id('PAT-1'));
SELECT pos, patient, status, skipped FROM pg_temp.queue();
SELECT event_type, change, to_char(occurred_at, 'HH24:MI') AS at
FROM appt.history(pg_temp.id('PAT-1')) ORDER BY occurred_at DESC LIMIT 4;
-- Another day's queue: nobody waits there, and looking makes no day.
SELECT appt.call_next('DOC-001', day) IS NULL AS nobody
FROM unnest('{2026-03-15,2026-03-17,infinity,-infinity}'::date[]) day;
SELECT count(*) FROM appt.doctor_day WHERE on_date <> '2026-03-16';
SELECT patient_id FROM appt.call_next('DOC-001', '2026-03-16');
SELECT count(appt.complete(appointment_id)) FROM appt.appointment
WHERE status = 'in_consultation';
SELECT status FROM appt.cancel(pg_temp.id('PAT-6'), 'Left');

-- Estimates: the slot's length until five consultations were measured, then
-- their median (here 7 minutes).
INSERT INTO appt.doctor_day (doctor_no, on_date)
SELECT doctor_no, '2026-03-17' FROM appt.doctor WHERE doctor_id = 'DOC-001';
INSERT INTO appt.appointment (appointment_id, patient_id, doctor_id, branch_id,
	slot_start, slot_end, status, token_number, token_date, booked_at,
	checked_in_at, started_at, completed_at, doctor_no, patient_no)
SELECT 'OLD-' || n, 'PAT-0', 'DOC-001', 'MUM-01', at, at + interval '15 min',
	'completed', n, date '2026-03-17', at, at, at,
	at + n * interval '1 min', d.doctor_no, p.patient_no
FROM generate_series(5, 9) n
CROSS JOIN LATERAL (SELECT timestamptz '2026-03-17 09:00'
	+ n * interval '1 hour') t (at)
JOIN appt.doctor d ON d.doctor_id = 'DOC-001'
JOIN appt.patient p ON p.patient_id = 'PAT-0';
DELETE FROM appt.appointment WHERE status = 'completed' AND token_date
	= '2026-03-16';
SET LOCAL bioecko_appt.clock = '2026-03-18 08:00+05:30';
SELECT count(pg_temp.book('PAT-' || n, '2026-03-18 09:00'::timestamptz
	+ (n - 2) * interval '15 min')) FROM generate_series(2, 4) n;
SET LOCAL bioecko_appt.clock = '2026-03-18 09:20+05:30';
SELECT count(appt.check_in(pg_temp.id('PAT-' || n)))
FROM generate_series(2, 3) n;
SELECT pos, patient, status, ahead, about FROM pg_temp.queue();
SELECT patient_id FROM appt.call_next('DOC-001');
SELECT pos, patient, status, ahead, about FROM pg_temp.queue();
SET LOCAL bioecko_appt.clock = '2026-03-18 10:00+05:30';
SELECT pos, patient, status, ahead, about FROM pg_temp.queue();

-- Bad requests.
SELECT pg_temp.try($$SELECT appt.set_priority(pg_temp.id('PAT-4'), 101)$$);
SELECT pg_temp.try($$SELECT appt.set_priority(pg_temp.id('PAT-4'), -1)$$);
SELECT pg_temp.try($$SELECT appt.skip(pg_temp.id('PAT-4'))$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.queue('DOC-999')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.queue(NULL)$$);
SELECT pg_temp.try($$SELECT appt.call_next('DOC-999')$$);
SELECT pg_temp.try(format('SELECT appt_api.call_next(%L, NULL)', doctor))
FROM unnest('{DOC-999,NULL}'::text[]) doctor;
SELECT pg_temp.try($$SELECT appt_api.call_next('DOC-001', '2026-03-20')$$);

-- The JSON form, and a client that is limited to another branch.
SELECT jsonb_pretty((body::jsonb->0) - 'appointment_id') AS first
FROM appt_api.queue('DOC-001', '2026-03-18');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London');
SELECT client_id FROM appt.create_client('London only', '{appointments:read}',
	branch_ids => '{LON-01}', id => 'c_london');
SELECT body FROM appt_api.queue('DOC-001', '2026-03-18', 'c_london');

ROLLBACK;
