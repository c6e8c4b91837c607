-- What does not exist leaves nothing in the memory of a session's cached
-- configuration, however long its id is and however often it is asked for.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- A call with an id of its own, of that many bytes; how it was refused.
CREATE FUNCTION pg_temp.ask(call text, length integer, no integer) RETURNS text
	LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE format(call, rpad('NO-' || no, length, 'x'));
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.used() RETURNS bigint
	LANGUAGE sql
RETURN (SELECT sum(used_bytes)
	FROM pg_backend_memory_contexts
	WHERE name = 'bioecko_appt schedule');

CREATE TEMP TABLE call AS
SELECT row_number() OVER () AS no, text
FROM unnest(ARRAY[
	'SELECT FROM appt.available_slots(%L, ''2026-03-16'')',
	'SELECT FROM appt.available_slots(''DOC-001'', ''2026-03-16'', %L)',
	'SELECT FROM appt.available_slots(''DOC-001'', ''2026-03-16'', visit_type => %L)',
	'SELECT appt.book(''PAT-1'', %L, ''2026-03-16 09:00'')',
	'SELECT FROM appt.first_available(ARRAY[%L])',
	'SELECT FROM appt.queue(%L)',
	'SELECT appt.explain_slot(%L, ''2026-03-16 09:00'')',
	'SELECT FROM appt_api.slots(''DOC-001'', ''2026-03-16'', NULL, NULL, NULL, %L)',
	'SELECT appt_api.book(''PAT-1'', ''DOC-001'', NULL, ''2026-03-16 09:00'',
		NULL, NULL, NULL, NULL, NULL, NULL, %L)']) text;
CREATE FUNCTION pg_temp.ask_all(length integer, times integer)
	RETURNS TABLE (call text, answers text)
	LANGUAGE sql
AS $$
	SELECT c.text, string_agg(DISTINCT pg_temp.ask(c.text, length, n), ',')
	FROM call c, generate_series(1, times) n
	GROUP BY c.no, c.text
	ORDER BY c.no
$$;

SELECT * FROM pg_temp.ask_all(64, 3);
SELECT pg_temp.used() AS before
\gset
SELECT count(*) FROM pg_temp.ask_all(64, 200);
SELECT count(*) FROM pg_temp.ask_all(1024, 200);
SELECT pg_temp.used() - :before < 65536 AS is_bounded;
ROLLBACK;
