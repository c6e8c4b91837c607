-- Daylight saving: a gap day offers fewer slots, a day with a repeated hour
-- more, never a phantom (a time outside the hours) and never a duplicate.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- All of the day and, as an early bird, an hour and a half around the change.
CREATE FUNCTION pg_temp.day(zone text, day date, start_time time,
	end_time time, slot_min integer DEFAULT 30)
	RETURNS TABLE (slots bigint, starts text)
	LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM appt.working_hours;
	UPDATE appt.branch SET time_zone = zone;
	PERFORM set_config('bioecko_appt.clock',
		(day - 1 + time '00:00')::text || 'Z', true);
	INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time,
		end_time, slot_min)
	SELECT 'DOC-001', 'MUM-01', day, $3, $4, $5;
	RETURN QUERY
	SELECT count(*), string_agg(to_char(s.start_time AT TIME ZONE zone,
		'HH24:MI'), ' ' ORDER BY s.start_time)
	FROM appt.available_slots('DOC-001', day) s;
	-- Equal lengths, one after another, none twice, all of that day.
	IF EXISTS (
		SELECT FROM (
			SELECT s.*, lead(s.start_time) OVER (ORDER BY s.start_time) AS next
			FROM appt.available_slots('DOC-001', day) s) s
		WHERE s.end_time <> s.start_time + make_interval(mins => $5)
			OR s.next <> s.end_time
			OR (s.start_time AT TIME ZONE zone)::date <> day)
	THEN
		RAISE EXCEPTION 'slots of % in % do not follow each other', day, zone;
	END IF;
	DELETE FROM appt.extra_session;
END
$$;

-- The whole day: 48 half hours, but for the change.
SELECT zone, day, slots
FROM (VALUES
	('Europe/London', date '2026-03-28'),
	('Europe/London', '2026-03-29'),
	('Europe/London', '2026-10-25'),
	('America/New_York', '2026-03-08'),
	('America/New_York', '2026-11-01'),
	('Australia/Lord_Howe', '2026-10-04'),
	('Australia/Lord_Howe', '2026-04-05'),
	('America/Sao_Paulo', '2018-11-04'),
	('America/Sao_Paulo', '2018-02-17'),
	('Asia/Kolkata', '2026-03-29')) AS v (zone, day)
CROSS JOIN LATERAL pg_temp.day(zone, day, '00:00', '24:00');

-- London, 01:00 to 02:00 is skipped: hours within are gone, hours around are
-- shorter.
SELECT * FROM pg_temp.day('Europe/London', '2026-03-29', '00:00', '04:00');
SELECT * FROM pg_temp.day('Europe/London', '2026-03-29', '00:30', '01:30');
SELECT * FROM pg_temp.day('Europe/London', '2026-03-29', '01:00', '02:00');
SELECT * FROM pg_temp.day('Europe/London', '2026-03-29', '01:15', '01:45', 15);
SELECT * FROM pg_temp.day('Europe/London', '2026-03-29', '01:30', '03:00');
-- And repeated in autumn.
SELECT * FROM pg_temp.day('Europe/London', '2026-10-25', '00:00', '03:00');
SELECT * FROM pg_temp.day('Europe/London', '2026-10-25', '00:30', '01:00');
SELECT * FROM pg_temp.day('Europe/London', '2026-10-25', '02:00', '03:00');

-- New York, 02:00.
SELECT * FROM pg_temp.day('America/New_York', '2026-03-08', '01:00', '04:00');
SELECT * FROM pg_temp.day('America/New_York', '2026-03-08', '02:00', '03:00');
SELECT * FROM pg_temp.day('America/New_York', '2026-11-01', '00:00', '03:00');

-- Lord Howe, half an hour: 02:00 to 02:30 is skipped, 01:30 to 02:00 repeated.
SELECT * FROM pg_temp.day('Australia/Lord_Howe', '2026-10-04', '01:00',
	'04:00');
SELECT * FROM pg_temp.day('Australia/Lord_Howe', '2026-10-04', '01:50', '02:40',
	10);
SELECT * FROM pg_temp.day('Australia/Lord_Howe', '2026-04-05', '01:00',
	'03:00');

-- Sao Paulo, midnight to 01:00 is skipped; the day begins at 01:00, and the
-- evening before ends at what would be midnight.
SELECT * FROM pg_temp.day('America/Sao_Paulo', '2018-11-04', '00:00', '03:00');
SELECT * FROM pg_temp.day('America/Sao_Paulo', '2018-11-04', '00:00', '01:00');
SELECT * FROM pg_temp.day('America/Sao_Paulo', '2018-11-03', '22:00', '24:00');
-- In February 23:00 comes twice, on the day before.
SELECT * FROM pg_temp.day('America/Sao_Paulo', '2018-02-17', '22:00', '24:00');
SELECT * FROM pg_temp.day('America/Sao_Paulo', '2018-02-18', '00:00', '01:00');

-- No change in Kolkata; half past is its offset.
SELECT * FROM pg_temp.day('Asia/Kolkata', '2026-03-29', '00:30', '02:30');

-- Apia had no 30 December 2011 at all.
SELECT * FROM pg_temp.day('Pacific/Apia', '2011-12-29', '22:00', '24:00');
SELECT * FROM pg_temp.day('Pacific/Apia', '2011-12-30', '09:00', '17:00');
SELECT * FROM pg_temp.day('Pacific/Apia', '2011-12-31', '00:00', '02:00');

-- Both of the two 01:30s in London can be booked, each once, and each answer
-- carries the offset that it had.
UPDATE appt.branch SET time_zone = 'Europe/London';
SET LOCAL bioecko_appt.clock = '2026-10-20 12:00Z';
INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time,
	end_time, slot_min)
VALUES ('DOC-001', 'MUM-01', '2026-10-25', '00:00', '03:00', 30);
SELECT a.token_number, a.token_date,
	j->>'slot_start' AS slot_start, j->>'slot_end' AS slot_end
FROM (VALUES ('PAT-1', timestamptz '2026-10-25 01:30+01'),
	('PAT-2', '2026-10-25 01:30+00')) v (patient, at)
CROSS JOIN LATERAL appt.book(patient, 'DOC-001', at) a
CROSS JOIN LATERAL (SELECT appt.appointment_json(a)::json) x (j)
ORDER BY 1;
SELECT string_agg(to_char(start_time AT TIME ZONE 'Europe/London', 'HH24:MI'),
	' ' ORDER BY start_time)
FROM appt.available_slots('DOC-001', '2026-10-25');

-- Time off and closures are instants: an hour of them is an hour.
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-10-25 00:00+00', '2026-10-25 01:00+00');
SELECT string_agg(to_char(start_time AT TIME ZONE 'Europe/London', 'HH24:MI'),
	' ' ORDER BY start_time)
FROM appt.available_slots('DOC-001', '2026-10-25');

ROLLBACK;
