-- Holds: a slot kept for some minutes under the same rules as a booking.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT appointment_id AS h, status, hold_expires_at, patient_id, token_number,
	appointment_id ~ '^hold_[A-Za-z0-9_-]{22}$' AS id_is_in_form
FROM appt.hold('DOC-001', '2026-03-16 09:00') \gset
\echo :status :hold_expires_at :id_is_in_form
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-1', '2026-03-16 09:00')$$);
SELECT pg_temp.try($$SELECT status
	FROM appt.hold('DOC-001', '2026-03-16 09:00')$$);
SELECT pg_temp.try($$SELECT status
	FROM appt.hold('DOC-001', '2026-03-16 10:00')$$);

-- A hold is no appointment: nothing else finds it.
SELECT verb, pg_temp.try(format('SELECT appt.%s', format(call, :'h')))
FROM (VALUES ('cancel', 'cancel(%L, ''Asked'')'),
	('check_in', 'check_in(%L)'), ('no_show', 'no_show(%L)'),
	('reschedule', 'reschedule(%L, ''2026-03-16 09:15'')'),
	('history', 'history(%L)')) v (verb, call);
SELECT count(*) FROM appt.queue('DOC-001', '2026-03-16');
SELECT total FROM appt_api.list_appointments(NULL, NULL, NULL, NULL, NULL, NULL,
	NULL, NULL);

-- Booked from the hold: it must be for that very slot.
SELECT at, until, pg_temp.try(format('SELECT status FROM appt.book(%L, %L, '
	'%L, %L, hold_id => %L)', 'PAT-1', 'DOC-001', at, until, :'h'))
FROM (VALUES ('2026-03-16 09:15', NULL),
	('2026-03-16 09:00', '2026-03-16 09:30')) v (at, until);
SELECT status, token_number, to_char(slot_end, 'HH24:MI'), hold_expires_at
FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00', hold_id => :'h');
-- Once.
SELECT pg_temp.try(format('SELECT status FROM appt.book(%L, %L, %L, '
	'hold_id => %L)', 'PAT-2', 'DOC-001', '2026-03-16 09:00', :'h'))
	~ '^SB940 hold "hold_.*" has expired' AS refused;

-- Released.
SELECT appointment_id AS h FROM appt.hold('DOC-001', '2026-03-16 09:15') \gset
SELECT appt.release(:'h');
SELECT pg_temp.try(format('SELECT appt.release(%L)', :'h'))
	~ '^SB404 \[hold_id\] hold "hold_.*" does not exist' AS refused;
SELECT pg_temp.book('PAT-2', '2026-03-16 09:15') AS a \gset
SELECT pg_temp.try(format('SELECT appt.release(%L)', :'a'));

-- Expired, to the second: five minutes, a setting.
SELECT appointment_id AS h FROM appt.hold('DOC-001', '2026-03-16 09:30') \gset
SET LOCAL bioecko_appt.clock = '2026-03-14 12:04:59.999+05:30';
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-3', '2026-03-16 09:30')$$);
SET LOCAL bioecko_appt.clock = '2026-03-14 12:05+05:30';
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT pg_temp.try(format('SELECT status FROM appt.book(%L, %L, %L, '
	'hold_id => %L)', 'PAT-3', 'DOC-001', '2026-03-16 09:30', :'h'))
	~ '^SB940' AS refused;
-- Its place is taken although nobody cleaned up.
SELECT status FROM appt.book('PAT-3', 'DOC-001', '2026-03-16 09:30');
SELECT count(*) FROM appt.appointment WHERE status = 'held';
-- Also by a longer one, a move, a hold.
SELECT count(appt.hold('DOC-001', at))
FROM unnest('{2026-03-16 11:00,2026-03-16 11:15,2026-03-16 11:30,
	2026-03-16 11:45}'::timestamptz[]) at;
SET LOCAL bioecko_appt.clock = '2026-03-14 12:20+05:30';
SELECT status FROM appt.book('PAT-4', 'DOC-001', '2026-03-16 11:00',
	'2026-03-16 11:30');
SELECT status FROM appt.reschedule(:'a', '2026-03-16 11:30');
SELECT status, hold_expires_at FROM appt.hold('DOC-001', '2026-03-16 11:45');
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('hold_min', 'DOC-001', '30');
SELECT hold_expires_at FROM appt.hold('DOC-001', '2026-03-17 11:45');

-- What is left over is swept up.
SELECT count(appt.hold('DOC-001', '2026-03-18 09:00'));
SELECT holds FROM appt.expire();
SET LOCAL bioecko_appt.clock = '2026-03-14 13:20+05:30';
SELECT holds FROM appt.expire();
SELECT count(*) FROM appt.appointment WHERE status = 'held';

-- A hold counts for capacity like a patient.
UPDATE appt.working_hours SET capacity = 2;
SELECT count(appt.hold('DOC-001', '2026-03-19 09:00'));
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-19');
SELECT lane FROM appt.book('PAT-5', 'DOC-001', '2026-03-19 09:00');
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-6', '2026-03-19 09:00')$$);

-- The JSON form.
SELECT jsonb_pretty(body::jsonb - 'hold_id') AS body, version, replayed,
	body::jsonb->>'hold_id' = id AS same_id, id AS h
FROM appt_api.hold('DOC-001', '2026-03-20 09:00', NULL, 'MUM-01', NULL) \gset
\echo :body
SELECT body IS NULL AS no_body FROM appt_api.release_hold(:'h');

-- A doctor is deleted with what only expired holds have left, not with a hold
-- that counts, nor with a day that gave a number.
INSERT INTO appt.doctor (doctor_id, name)
VALUES ('DOC-008', 'Dr Hold'), ('DOC-009', 'Dr Number');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT doctor_id, 'MUM-01', d, '09:00', '10:00'
FROM generate_series(1, 7) d, unnest('{DOC-008,DOC-009}'::text[]) doctor_id;
SELECT count(appt.hold('DOC-008', '2026-03-19 09:00')),
	count(appt.book('PAT-7', 'DOC-009', '2026-03-19 09:00'));
DELETE FROM appt.working_hours WHERE doctor_id IN ('DOC-008', 'DOC-009');
SELECT pg_temp.try($$DELETE FROM appt.doctor WHERE doctor_id = 'DOC-008'$$) AS held;
SET LOCAL bioecko_appt.clock = '2026-03-14 13:40+05:30';
DELETE FROM appt.doctor WHERE doctor_id = 'DOC-008' RETURNING doctor_id;
SELECT count(*) FROM appt.appointment WHERE doctor_id = 'DOC-008';
SELECT pg_temp.try($$DELETE FROM appt.doctor WHERE doctor_id = 'DOC-009'$$) AS gave;

ROLLBACK;
