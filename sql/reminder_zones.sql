-- Reminders and quiet hours over the days whose clock changes, in four zones:
-- one at midnight, one by half an hour.  The clock goes on by quarters of an
-- hour, and what a relay would be given at each is what is seen.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('sms', 'sms', '{"url": "https://sms.example/", "body": {"to": "{{to}}"}}');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('reminder', 'sms', 'en', '{{slot_date}} {{slot_time}}');
UPDATE appt.patient SET phone = '98765 4321' || right(patient_id, 1);
CREATE TABLE pg_temp.sent (day date, zone text, visit timestamptz, lead_min integer,
	at timestamptz);

-- Books at four times of the day's wall clock and lets two days go by.
CREATE FUNCTION pg_temp.go_by(zone text, day date) RETURNS void
	LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
	place CONSTANT text := replace(zone, '/', '-') || '-' || day;
	today CONSTANT timestamptz := (day - 1)::timestamp AT TIME ZONE zone;
	nos bigint[];
BEGIN
	PERFORM set_config('bioecko_appt.clock', (today - interval '3 days')::text, true);
	INSERT INTO appt.branch (branch_id, name, time_zone, slot_min)
	VALUES (place, place, zone, 30);
	INSERT INTO appt.doctor (doctor_id, name) VALUES (place, place);
	INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
	SELECT place, place, d, '00:00', '24:00' FROM generate_series(1, 7) d;
	PERFORM appt.book('PAT-' || i, place, (day + wall) AT TIME ZONE zone,
		branch_id => place, notify => false)
	FROM unnest('{03:30,09:00,12:00,23:30}'::time[]) WITH ORDINALITY AS w (wall, i);
	FOR quarter IN 0 .. 196 LOOP
		PERFORM set_config('bioecko_appt.clock',
			(today + quarter * interval '15 minutes')::text, true);
		PERFORM appt_relay.tick_notifications();
		UPDATE appt.notification SET due_at = '2000-01-01 00:00+00' WHERE state = 'due';
		nos := ARRAY(SELECT m.notification_no FROM appt_relay.claim_notifications(1, 100) m);
		PERFORM appt_relay.record_notifications(nos, array_fill(1, ARRAY[cardinality(nos)]),
			array_fill(0, ARRAY[cardinality(nos)]), array_fill(1, ARRAY[cardinality(nos)]),
			array_fill(200, ARRAY[cardinality(nos)]), '{}', '{}');
		INSERT INTO pg_temp.sent
		SELECT day, zone, n.slot_start, n.lead_min, appt.clock()
		FROM appt.notification n WHERE n.notification_no = ANY (nos);
	END LOOP;
END
$$;
SELECT pg_temp.go_by(zone, day)
FROM (VALUES ('America/New_York', '2026-03-08'::date), ('Europe/London', '2026-03-29'),
	('America/Santiago', '2026-04-05'), ('Australia/Lord_Howe', '2026-04-05'),
	('America/Santiago', '2026-09-06'), ('Australia/Lord_Howe', '2026-10-04'),
	('Europe/London', '2026-10-25'), ('America/New_York', '2026-11-01')) v (zone, day);

-- As clocks on the wall show it: the clock that changed, the visit, when it was
-- reminded of a day and two hours before.
SELECT s.day, s.zone, to_char(s.visit AT TIME ZONE s.zone, 'HH24:MI') AS visit,
	string_agg(to_char(s.at AT TIME ZONE s.zone, 'DD HH24:MI'), ', ' ORDER BY s.at)
		AS reminded,
	string_agg((s.visit - s.at)::text, ', ' ORDER BY s.at) AS before
FROM pg_temp.sent s
GROUP BY s.day, s.zone, s.visit
ORDER BY s.day, s.zone, s.visit;

-- None in quiet hours, none after its visit, none twice; what was not put off
-- came just so much before, in elapsed time.
SELECT count(*) AS sent,
	count(*) FILTER (WHERE w.wall >= '21:00' OR w.wall < '08:00') AS quiet,
	count(*) FILTER (WHERE s.at >= s.visit) AS late,
	count(*) - count(DISTINCT (s.zone, s.visit, s.lead_min)) AS twice,
	count(*) FILTER (WHERE s.at <> s.visit - make_interval(mins => s.lead_min)
		AND w.wall NOT IN ('08:00', '20:45')) AS astray
FROM pg_temp.sent s
CROSS JOIN LATERAL (SELECT (s.at AT TIME ZONE s.zone)::time) w (wall);
SELECT count(*) AS visits, count(*) FILTER (WHERE NOT EXISTS (
	SELECT FROM pg_temp.sent s WHERE s.visit = a.slot_start AND s.zone = b.time_zone))
	AS not_reminded
FROM appt.appointment a JOIN appt.branch b USING (branch_id);
