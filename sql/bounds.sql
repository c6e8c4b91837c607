-- Nothing is stored that a dump, a time zone, RFC 3339 or a report cannot take
-- back, with override neither.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Slots are in the years 1970 to 2199, and at most 3650 days ahead.
SELECT slot, pg_temp.try(format('SELECT slot_start AT TIME ZONE ''UTC''
	FROM appt.book(''PAT-%s'', ''DOC-001'', %L, override => true)', no % 10, slot))
FROM unnest(ARRAY['4714-11-24 00:00+00 BC', '0044-03-15 09:00+00 BC',
	'0206-12-01 09:00+05:30', '1969-12-31 23:59+00', '1970-01-01 00:00+00',
	'2006-12-01 09:00+05:30', '2036-03-11 09:00+05:30', '2036-03-12 09:00+05:30',
	'2199-12-31 23:59+00', '9999-12-31 23:45+00', '294276-12-31 23:59+00'])
	WITH ORDINALITY s (slot, no)
ORDER BY no;
SELECT pg_temp.try('SELECT appt.book(''PAT-1'', ''DOC-001'', ''2026-03-16 09:00'',
	''294276-12-31 23:59+00'', override => true)') AS slot_end,
	pg_temp.try('SELECT appt.hold(''DOC-001'', ''9999-12-31 23:45+00'')') AS hold,
	pg_temp.try('SELECT appt.explain_slot(''DOC-001'', ''0206-12-01 09:00'')')
		AS explained;
SELECT count(pg_temp.book('PAT-5', '2026-03-16 09:00'));
SELECT pg_temp.try(format('SELECT appt.reschedule(appointment_id, %L)
	FROM appt.appointment WHERE patient_id = ''PAT-5'' AND NOT override', slot)) AS moved
FROM unnest(ARRAY['0206-12-01 09:00+05:30', '9999-12-31 23:45+00',
	'2036-03-12 09:00+05:30']) slot;

-- Whoever writes: the row of that visit with one member changed.
SELECT change, pg_temp.try(format('INSERT INTO appt.appointment
	SELECT (jsonb_populate_record(a, %L::jsonb || ''{"appointment_id": "X",
		"appointment_no": 4711, "token_number": 99, "status": "completed", "lane": 50}'')).*
	FROM appt.appointment a WHERE a.patient_id = ''PAT-5'' AND NOT a.override
	RETURNING 1', change))
FROM (VALUES (jsonb '{"slot_start": "1969-12-31 23:59+00"}'),
	('{"slot_end": "2200-01-01 00:01+00"}'), ('{"token_date": "5874897-12-31"}'),
	('{"token_date": "infinity"}'), ('{"token_date": null}'),
	('{"booked_at": "-infinity"}'), ('{"booked_at": "0206-01-01"}'),
	('{"checked_in_at": "294276-12-31"}'), ('{"skipped_at": "infinity"}'),
	('{"started_at": "infinity"}'), ('{"completed_at": "4714-11-24 00:00+00 BC"}'),
	('{"cancelled_at": "infinity"}'), ('{"confirmed_at": "infinity"}'),
	('{"notes": "all right"}')) v (change);

DELETE FROM appt.appointment WHERE appointment_no = 4711;

-- Hours, absences and who has them.
SELECT statement, pg_temp.try(statement || ' RETURNING 1')
FROM unnest(ARRAY[
	'UPDATE appt.working_hours SET valid_from = ''4713-01-01 BC''',
	'UPDATE appt.working_hours SET valid_to = ''5874897-12-31''',
	'INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time, end_time)
	VALUES (''DOC-001'', ''MUM-01'', ''0206-03-16'', ''13:00'', ''14:00'')',
	'INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time, end_time)
	VALUES (''DOC-001'', ''MUM-01'', ''5874897-12-31'', ''13:00'', ''14:00'')',
	'INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
	VALUES (''DOC-001'', ''4714-11-24 00:00+00 BC'', ''4713-01-01 BC'')',
	'INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
	VALUES (''DOC-001'', ''2040-01-01'', ''294276-12-31'')',
	'INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
	VALUES (''DOC-001'', ''2040-01-01'', ''infinity'')',
	'INSERT INTO appt.closure (branch_id, starts_at, ends_at)
	VALUES (''MUM-01'', ''-infinity'', ''1990-01-01'')',
	'INSERT INTO appt.closure (branch_id, starts_at, ends_at)
	VALUES (''MUM-01'', ''2040-01-01'', ''12000-12-31'')',
	'UPDATE appt.doctor SET created_at = ''-infinity''',
	'UPDATE appt.branch SET created_at = ''infinity'''])
	WITH ORDINALITY s (statement, no)
ORDER BY no;

-- JSON: the years of RFC 3339, and the same instant also where the local offset
-- had seconds.
SELECT instant, zone, json, json::timestamptz = instant::timestamptz AS same
FROM (VALUES ('0001-01-01 00:00+00', 'UTC'), ('9999-12-31 23:59:59.999+00', 'UTC'),
	('1206-12-01 09:00+00', 'Asia/Kolkata'), ('1800-01-01 00:00+00', 'America/New_York'),
	('1971-06-01 12:00:30+00', 'Africa/Monrovia')) v (instant, zone)
CROSS JOIN LATERAL appt_internal.json_time(instant::timestamptz, zone) json;
SELECT instant, pg_temp.try(format('SELECT appt_internal.json_time(%L, %L)', instant, zone))
FROM (VALUES ('0044-03-15 12:00+00 BC', 'UTC'), ('0001-01-01 00:00+00', 'America/New_York'),
	('9999-12-31 23:00+00', 'Asia/Kolkata'), ('10000-01-01 00:00+00', 'UTC'),
	('294276-12-31 23:59+00', 'UTC'), ('4714-11-24 00:00+00 BC', 'UTC'),
	('infinity', 'UTC')) v (instant, zone);
SELECT appt_internal.json_time('2026-03-16 09:00+00', 'UTC') AS as_ever;

-- Rows from before these bounds: reports read them. Compiling their queries takes
-- a hundred times as long as they do.
SET LOCAL jit = off;
DELETE FROM appt.appointment WHERE override;
UPDATE appt.working_hours SET valid_from = '2026-01-01';
ALTER TABLE appt.appointment DROP CONSTRAINT appointment_invariants;
ALTER TABLE appt.doctor DROP CONSTRAINT doctor_created_at_in_range;
CREATE FUNCTION pg_temp.extreme(changes jsonb) RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
	v record;
	answers text;
	answer text;
BEGIN
	INSERT INTO appt.appointment
	SELECT (jsonb_populate_record(a, changes || '{"appointment_id": "X",
		"appointment_no": 4711, "token_number": 99, "status": "completed", "lane": 50}')).*
	FROM appt.appointment a WHERE a.patient_id = 'PAT-5' AND NOT a.override;
	FOR v IN
		SELECT c.oid::regclass AS name
		FROM pg_class c
		WHERE c.relnamespace = 'appt_report'::regnamespace AND c.relkind = 'v'
		ORDER BY 1
	LOOP
		answer := pg_temp.try(format('SELECT count(t::text) FROM %s t', v.name));
		IF answer !~ '^\d+$' THEN
			answers := concat_ws('; ', answers, v.name || ': ' || answer);
		END IF;
	END LOOP;
	DELETE FROM appt.appointment WHERE appointment_no = 4711;
	RETURN coalesce(answers, 'all read');
END
$$;
SELECT change, pg_temp.extreme(change)
FROM (VALUES (jsonb '{"slot_start": "0206-03-16 09:00+00", "token_date": "0206-03-16"}'),
	('{"slot_start": "9999-12-31 23:00+00", "slot_end": "9999-12-31 23:15+00",
		"token_date": "9999-12-31"}'),
	('{"slot_start": "4714-11-24 12:00+00 BC", "token_date": "4714-11-24 BC"}'),
	('{"token_date": "5874897-12-31"}'), ('{"token_date": "infinity"}'),
	('{"token_date": "-infinity", "booked_at": "-infinity"}'),
	('{"started_at": "9999-12-31", "checked_in_at": "0206-03-16"}'),
	('{"started_at": "infinity", "checked_in_at": "-infinity", "status": "cancelled",
		"cancelled_at": "infinity"}')) v (change);
UPDATE appt.doctor SET created_at = '-infinity';
SELECT pg_temp.extreme('{}');
ROLLBACK;
