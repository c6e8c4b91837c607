-- appt.check_rows: rows that a restore has lost are missed, and counters that
-- stayed behind are named.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT appointment_id
FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00', branch_id => 'MUM-01');
SELECT appointment_id
FROM appt.book('PAT-2', 'DOC-001', '2026-03-16 09:15', branch_id => 'MUM-01');
SELECT webhook_id IS NOT NULL AS made
FROM appt.create_webhook('https://receiver.example.org/hook');
SELECT * FROM appt.check_rows();
SELECT ok, detail, what_to_do FROM appt.health()
WHERE check_name = 'missing_rows';

-- Each table that something refers to, as if its COPY had failed.
CREATE FUNCTION pg_temp.without(VARIADIC names text[])
	RETURNS SETOF text
	LANGUAGE plpgsql
AS $$
DECLARE
	name text;
	found text;
BEGIN
	SET LOCAL session_replication_role = replica;
	BEGIN
		FOREACH name IN ARRAY names LOOP
			EXECUTE format('DELETE FROM appt.%I', name);
		END LOOP;
		SELECT string_agg(format('%s: %s (%s)', r.table_name, r.problem,
			r.row_count), E'\n') INTO found
		FROM appt.check_rows() r;
		RAISE 'take that back';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
	RETURN NEXT found;
END
$$;
\pset format unaligned
SELECT pg_temp.without('patient');
SELECT pg_temp.without('doctor');
SELECT pg_temp.without('branch');
SELECT pg_temp.without('doctor_day');
SELECT pg_temp.without('appointment');
SELECT pg_temp.without('event');
SELECT pg_temp.without('webhook');
-- What nothing refers to is not missed.
SELECT pg_temp.without('closure', 'time_off', 'working_hours');
\pset format aligned

-- The newest ones only: the first of two appointments is not looked at.
UPDATE appt.appointment SET branch_id = 'GONE'
WHERE appointment_id = 'APT-2026-000001';
SELECT * FROM appt.check_rows();
SELECT * FROM appt.check_rows(1);
UPDATE appt.appointment SET branch_id = 'MUM-01';

-- Counters. (A sequence is not rolled back; the fixture resets this one.)
SET LOCAL session_replication_role = replica;
UPDATE appt.doctor_day SET last_token = 1;
SELECT setval('appt.appointment_no_seq', 1);
SELECT * FROM appt.check_rows();
SELECT ok, detail, what_to_do FROM appt.health()
WHERE check_name = 'missing_rows' \gx
SELECT setval('appt.appointment_no_seq', 2, false);
SELECT problem FROM appt.check_rows();
SELECT setval('appt.appointment_no_seq', 2);
SELECT problem FROM appt.check_rows();

-- Who may ask.
SET ROLE appt_admin;
SELECT count(*) FROM appt.check_rows();
SELECT has_function_privilege(r, 'appt.check_rows(bigint)', 'EXECUTE')
FROM unnest('{appt_gateway,appt_relay,appt_reporting}'::text[]) r;
ROLLBACK;
