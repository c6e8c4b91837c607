-- Idempotency keys: the first answer, kept in the transaction of its effect.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.book(client text, at text, key text, hash text)
	RETURNS appt_api.answer LANGUAGE sql
RETURN appt_api.book('PAT-1', 'DOC-001', 'MUM-01', at::timestamptz, NULL, NULL,
	NULL, NULL, NULL, false, client, key, hash);
SELECT count(appt.create_client(n, id => n)) FROM unnest('{c_a,c_b}'::text[]) n;

-- The same answer, byte for byte, and one appointment.
SELECT body AS first, id, version, replayed
FROM pg_temp.book('c_a', '2026-03-16 09:00', 'key-1', 'hash-1') \gset
\echo :version :replayed
SET LOCAL bioecko_appt.clock = '2026-03-14 12:10+05:30';
SELECT count(*) FROM appt.cancel(:'id', 'Changed meanwhile');
SELECT body = :'first' AS same_body, id = :'id' AS same_id, version, replayed
FROM pg_temp.book('c_a', '2026-03-16 09:00', 'key-1', 'hash-1');
SELECT count(*) FROM appt.appointment;

-- Another request under that key is refused; another client, and another
-- route, has keys of its own.
SELECT pg_temp.try($$SELECT version
	FROM pg_temp.book('c_a', '2026-03-16 09:15', 'key-1', 'hash-2')$$);
SELECT version, replayed
FROM pg_temp.book('c_b', '2026-03-16 09:15', 'key-1', 'hash-2');
SELECT version, replayed FROM appt_api.hold('DOC-001', '2026-03-16 11:00',
	NULL, 'MUM-01', NULL, 'c_a', 'key-1', 'hash-3');

-- What was refused is not kept: the retry is judged anew.
SELECT pg_temp.try($$SELECT version
	FROM pg_temp.book('c_b', '2026-03-16 09:15', 'key-2', 'hash-4')$$);
SELECT count(appt.cancel(appointment_id, 'Makes room'))
FROM appt.appointment WHERE status = 'booked';
SELECT version, replayed
FROM pg_temp.book('c_b', '2026-03-16 09:15', 'key-2', 'hash-4');
-- Nor what was rolled back.
SAVEPOINT s;
SELECT replayed FROM pg_temp.book('c_b', '2026-03-16 11:15', 'key-3', 'h');
ROLLBACK TO s;
SELECT replayed FROM pg_temp.book('c_b', '2026-03-16 11:15', 'key-3', 'h');

-- Every write of the JSON form.
SET LOCAL bioecko_appt.clock = '2026-03-16 11:00+05:30';
SELECT id AS a FROM appt_api.walk_in('PAT-2', 'DOC-001', 'MUM-01', NULL, NULL,
	'c_a', 'key-4', 'h') \gset
SELECT id = :'a' AS same, replayed FROM appt_api.walk_in('PAT-2', 'DOC-001',
	'MUM-01', NULL, NULL, 'c_a', 'key-4', 'h');
SELECT version, replayed
FROM appt_api.undo_check_in(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed
FROM appt_api.undo_check_in(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.check_in(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.check_in(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.start(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.start(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.complete(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.complete(:'a', NULL, 'c_a', 'k', 'h');
SELECT version, id AS b FROM appt_api.book('PAT-3', 'DOC-001', 'MUM-01',
	'2026-03-16 11:30', NULL, NULL, NULL, NULL, NULL, false) \gset
SELECT version, replayed FROM appt_api.reschedule(:'b', '2026-03-16 11:45',
	NULL, NULL, NULL, NULL, NULL, NULL, 1, 'c_a', 'k', 'h');
-- The stale version does not matter: this is the first request's answer.
SELECT version, replayed FROM appt_api.reschedule(:'b', '2026-03-16 11:45',
	NULL, NULL, NULL, NULL, NULL, NULL, 1, 'c_a', 'k', 'h');
SET LOCAL bioecko_appt.clock = '2026-03-16 11:45+05:30';
SELECT version, replayed FROM appt_api.no_show(:'b', NULL, 'c_a', 'k', 'h');
SELECT version, replayed FROM appt_api.no_show(:'b', NULL, 'c_a', 'k', 'h');

-- In plain SQL a role has keys as well, the arguments are the request.
SELECT appointment_id AS c, version FROM appt.book('PAT-4', 'DOC-001',
	'2026-03-17 09:00', idempotency_key => 'sql-1') \gset
SELECT appointment_id = :'c' AS same FROM appt.book('PAT-4', 'DOC-001',
	'2026-03-17 09:00', idempotency_key => 'sql-1');
SELECT pg_temp.try($$SELECT version FROM appt.book('PAT-4', 'DOC-001',
	'2026-03-17 09:15', idempotency_key => 'sql-1')$$);

-- What a key is.
SELECT length(key), pg_temp.try(format('SELECT replayed '
	'FROM pg_temp.book(%L, %L, %L, %L)', 'c_a', '2026-03-17 11:00', key, 'h'))
FROM unnest(ARRAY['', ' ', 'with blank', E'line\nend', 'Umläut',
	repeat('k', 255), repeat('k', 256)]) WITH ORDINALITY k (key, n)
ORDER BY n;
SELECT pg_temp.try($$SELECT replayed
	FROM pg_temp.book('c_a', '2026-03-17 11:15', 'key', NULL)$$);

-- Seven days, then it is a new request.
SET LOCAL bioecko_appt.clock = '2026-03-21 11:59:59+05:30';
SELECT replayed FROM pg_temp.book('c_a', '2026-03-16 09:00', 'key-1', 'hash-1');
SELECT idempotency_keys FROM appt.expire();
SET LOCAL bioecko_appt.clock = '2026-03-21 12:00+05:30';
SELECT pg_temp.try($$SELECT replayed
	FROM pg_temp.book('c_a', '2026-03-16 09:00', 'key-1', 'hash-1')$$);
SELECT idempotency_keys FROM appt.expire();

-- For other functions of this extension.
SELECT * FROM appt_internal.idempotency_begin('client:c_a', 'x', 'key', 'h');
SELECT appt_internal.idempotency_finish('client:c_a', 'x', 'key', 'h', 'wh_1', 3, '{}');
SELECT * FROM appt_internal.idempotency_begin('client:c_a', 'x', 'key', 'h');
SELECT * FROM appt_internal.idempotency_begin('client:c_a', 'x', NULL, NULL);
SELECT pg_temp.try($$SELECT appt_internal.idempotency_begin('c', 'x', 'key', NULL)$$);
SELECT pg_temp.try($$SELECT appt_internal.idempotency_begin(NULL, 'x', 'key', 'h')$$);
SELECT pg_temp.try($$SELECT appt_internal.idempotency_begin('client:c_a', 'x', 'key',
	NULL)$$);

ROLLBACK;
