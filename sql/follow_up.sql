-- Follow-ups: who is asked to come again, when, once; what a setting, a wish or
-- a later visit does to one that waits; days whose clock changes.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.notification_notification_no_seq RESTART;
UPDATE appt.patient SET phone = '98765 4321' || right(patient_id, 1);
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('sms', 'sms', '{"url": "https://sms.example/", "body": {"text": "{{body}}"}}');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('follow_up', 'sms', 'en', '{{patient_first_name}}, {{slot_date}}: come again');

-- Goes through a visit, untold, and gives its id.
CREATE FUNCTION pg_temp.visit(patient text, at timestamptz, doctor text DEFAULT 'DOC-001')
	RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	id text;
BEGIN
	PERFORM set_config('bioecko_appt.clock', (at - interval '1 day')::text, true);
	id := (appt.book(patient, doctor, at, notify => false)).appointment_id;
	PERFORM set_config('bioecko_appt.clock', at::text, true);
	PERFORM appt.check_in(id);
	PERFORM appt.complete(id);
	RETURN id;
END
$$;
CREATE FUNCTION pg_temp.told(appointment text) RETURNS TABLE (message text)
	LANGUAGE sql
AS $$
	SELECT concat_ws(' ', n.event, n.state, n.reason, n.channel)
	FROM appt.notification n
	JOIN appt.appointment a USING (appointment_no)
	WHERE a.appointment_id = appointment
	ORDER BY n.notification_no
$$;
CREATE FUNCTION pg_temp.claim() RETURNS TABLE (sent text)
	LANGUAGE sql
AS $$
	UPDATE appt.notification SET due_at = '2000-01-01 00:00+00' WHERE state = 'due';
	SELECT m.body FROM appt_relay.claim_notifications(1, 100) m ORDER BY m.notification_no
$$;
-- What is sent, with how many were written for it, at that time.
CREATE FUNCTION pg_temp.at(clock timestamptz) RETURNS TABLE (sent text)
	LANGUAGE sql
AS $$
	SELECT set_config('bioecko_appt.clock', clock::text, true);
	SELECT appt_relay.tick_follow_ups()::text
	UNION ALL
	SELECT * FROM pg_temp.claim()
$$;

-- Nobody is asked but where it is set.
SELECT pg_temp.visit('PAT-1', '2026-03-16 09:15+05:30') AS id \gset
SELECT * FROM pg_temp.at('2026-04-15 09:15+05:30');
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('follow_up_days', 'MUM-01', '30');

-- On the day, at the visit's time, once; so says the schema, too.
SELECT * FROM appt.explain_notification(:'id');
SELECT * FROM pg_temp.at('2026-04-15 09:14+05:30');
SELECT planned_at, event, appointment_id = :'id' AS this, channel, language, reason
FROM appt.planned_notifications(1);
SELECT * FROM pg_temp.at('2026-04-15 09:15+05:30');
SELECT * FROM pg_temp.at('2026-04-15 09:16+05:30');
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM appt.explain_notification(:'id');
SELECT told_event, lead_min FROM appt_report.notification;
SELECT count(*) FROM appt.planned_notifications(1);
INSERT INTO appt.notification (appointment_no, event, slot_start, lead_min)
SELECT appointment_no, event, slot_start, lead_min FROM appt.notification;
INSERT INTO appt.notification (appointment_no, event, slot_start, lead_min)
SELECT appointment_no, event, slot_start, 5 FROM appt.notification;

-- In quiet hours it waits for their end, of whichever are set when it is sent.
SELECT pg_temp.visit('PAT-2', '2026-03-17 09:15+05:30') AS id \gset
INSERT INTO appt.setting (name, value) VALUES ('quiet_from', '20:00'), ('quiet_to', '09:30');
SELECT * FROM appt.explain_notification(:'id');
SELECT * FROM pg_temp.at('2026-04-16 09:29+05:30');
UPDATE appt.setting SET value = '09:00' WHERE name = 'quiet_to';
SELECT set_config('bioecko_appt.clock', '2026-04-16 09:15+05:30', true);
SELECT appt_relay.tick_follow_ups();
UPDATE appt.setting SET value = '10:00' WHERE name = 'quiet_to';
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM pg_temp.at('2026-04-16 10:00+05:30');
SELECT * FROM pg_temp.told(:'id');
-- One that is late, too, of which the time itself was in none.
SELECT pg_temp.visit('PAT-9', '2026-03-17 09:30+05:30') AS id \gset
UPDATE appt.setting SET value = CASE name WHEN 'quiet_from' THEN '10:00' ELSE '11:00' END
WHERE name LIKE 'quiet%';
SELECT set_config('bioecko_appt.clock', '2026-04-16 09:59+05:30', true);
SELECT appt_relay.tick_follow_ups();
SELECT set_config('bioecko_appt.clock', '2026-04-16 10:30+05:30', true);
SELECT * FROM pg_temp.claim();
SELECT message, n.due_at - clock_timestamp() BETWEEN '29 min' AND '30 min' AS until_the_end
FROM pg_temp.told(:'id'), appt.notification n WHERE n.state = 'due';
SELECT * FROM pg_temp.at('2026-04-16 11:00+05:30');
DELETE FROM appt.setting WHERE name LIKE 'quiet%';

-- A later visit to that doctor, booked or had, is reason enough not to; one that
-- was cancelled, or to another doctor, is none.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Sen');
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-002', 'MUM-01', d, '09:00', '12:00' FROM generate_series(1, 7) d;
SELECT pg_temp.visit('PAT-3', '2026-03-18 09:00+05:30') AS booked,
	pg_temp.visit('PAT-4', '2026-03-18 09:15+05:30') AS had,
	pg_temp.visit('PAT-5', '2026-03-18 09:30+05:30') AS elsewhere \gset
SELECT pg_temp.visit('PAT-4', '2026-03-19 09:15+05:30') AS again \gset
SET LOCAL bioecko_appt.clock = '2026-04-16 12:00+05:30';
SELECT pg_temp.book('PAT-3', '2026-04-20 09:00+05:30') AS next \gset
SELECT pg_temp.book('PAT-5', '2026-04-20 09:00+05:30', 'DOC-002') AS other \gset
SELECT pg_temp.book('PAT-5', '2026-04-20 09:15+05:30') AS off \gset
SELECT status FROM appt.cancel(:'off', 'ill');
DELETE FROM appt.notification;
SELECT s FROM (VALUES (1, :'booked'), (2, :'had'), (3, :'elsewhere')) v (n, id),
	appt.explain_notification(v.id) s ORDER BY n;
SELECT planned_at, event, patient_id, channel, reason
FROM appt.planned_notifications(24);
SELECT * FROM pg_temp.at('2026-04-17 09:30+05:30');
SELECT t.* FROM (VALUES (1, :'booked'), (2, :'had'), (3, :'elsewhere')) v (n, id),
	pg_temp.told(v.id) t ORDER BY n;
SELECT * FROM appt.explain_notification(:'booked');

-- What is set counts until it is sent; a doctor's setting before the branch's.
SELECT pg_temp.visit('PAT-6', '2026-03-20 09:00+05:30') AS id \gset
SELECT set_config('bioecko_appt.clock', '2026-04-19 09:00+05:30', true);
SELECT appt_relay.tick_follow_ups();
INSERT INTO appt.setting (name, doctor_id, value) VALUES ('follow_up_days', 'DOC-001', 'none');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM pg_temp.at('2026-04-19 09:01+05:30');
UPDATE appt.setting SET value = '31' WHERE doctor_id = 'DOC-001';
SELECT * FROM pg_temp.at('2026-04-20 08:59+05:30');
SELECT * FROM pg_temp.at('2026-04-20 09:00+05:30');
DELETE FROM appt.setting WHERE doctor_id = 'DOC-001';
SELECT value, pg_temp.try(format('INSERT INTO appt.setting (name, value) '
	'VALUES (''follow_up_days'', %L) RETURNING value', value)) AS saved
FROM unnest('{0,-1,1000,30.5,NONE,"30,60",""}'::text[]) value;

-- So do the patient's wishes, an erasure, a template that is not there, and a
-- completion that is taken back: then there is nothing to follow.
CREATE FUNCTION pg_temp.waits(patient text, at timestamptz) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	id CONSTANT text := pg_temp.visit(patient, at);
BEGIN
	PERFORM set_config('bioecko_appt.clock', (at + interval '30 days')::text, true);
	PERFORM appt_relay.tick_follow_ups();
	RETURN id;
END
$$;
SELECT pg_temp.waits('PAT-7', '2026-03-21 09:00+05:30') AS id \gset
INSERT INTO appt.notification_opt_out (patient_id, channel, event, way)
VALUES ('PAT-7', '*', 'follow_up', 'desk');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT pg_temp.waits('PAT-8', '2026-03-22 09:00+05:30') AS id \gset
SELECT 1 FROM appt.anonymise_patient('PAT-8');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT pg_temp.waits('PAT-9', '2026-03-23 09:00+05:30') AS id \gset
UPDATE appt.notification_template SET active = false;
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
UPDATE appt.notification_template SET active = true;
SELECT pg_temp.waits('PAT-0', '2026-03-24 09:00+05:30') AS id \gset
SELECT status FROM appt.correct(:'id', 'booked', 'Mistake', override => true);
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');

-- Whoever was away for three days does not come with all of it; what found no
-- way for a week is past.
SELECT pg_temp.visit('PAT-1', '2026-04-01 09:00+05:30') AS late,
	pg_temp.visit('PAT-2', '2026-04-02 09:00+05:30') AS soon \gset
SELECT * FROM pg_temp.at('2026-05-04 09:00+05:30');
SELECT * FROM appt.explain_notification(:'late');
SELECT count(appt.resend_notification(notification_no))
FROM appt.notification n JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'soon';
SELECT state, appt_relay.release_lost_notifications(1, '{}')
FROM appt.notification n JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'soon';
SELECT * FROM pg_temp.at('2026-05-09 09:01+05:30');
SELECT * FROM pg_temp.told(:'soon');

-- A mail of it can be unsubscribed from, has no invitation, and its link is good
-- after the visit.
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('follow_up', 'email', 'en', 'Come again', E'Come.\n\n{{unsubscribe_link}}');
INSERT INTO appt.setting (name, value) VALUES ('public_url', 'https://v.example'),
	('notification_order', 'email');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "h.example", "from": "a@b.example"}');
UPDATE appt.patient SET email = 'p@example.org' WHERE patient_id = 'PAT-3';
SELECT appt.rotate_link_key() > 0 AS made;
SELECT pg_temp.waits('PAT-3', '2026-04-21 09:00+05:30') AS id \gset
UPDATE appt.notification SET due_at = '2000-01-01 00:00+00' WHERE state = 'due';
SELECT m.subject, m.calendar_method IS NULL AS no_calendar, m.unsubscribe_url AS url,
	m.body LIKE '%' || m.unsubscribe_url AS in_body
FROM appt_relay.claim_notifications(1, 100) m \gset
SELECT :'subject' AS subject, :'no_calendar' AS no_calendar, :'in_body' AS in_body,
	regexp_replace(:'url', '[0-9]{10}\.email\..*', '…') AS url;
SELECT state, purpose, detail, to_timestamp(split_part(:'url', '.', 5)::bigint) AS until
FROM appt_internal.read_link(split_part(:'url', '/v/', 2));
SELECT appt_internal.act_by_link(l, '{}')
FROM appt_internal.read_link(split_part(:'url', '/v/', 2)) l;
SELECT channel, event, way FROM appt.notification_opt_out
WHERE patient_id = 'PAT-3' ORDER BY event;

-- Days of the calendar, where the clock changes between the visit and then, or
-- on that day; and at the edges of quiet hours.
SELECT v.zone, v.days, v.wall, f.at AT TIME ZONE v.zone AS local, f.at - v.visit AS after
FROM (
	SELECT zone, wall, days, wall AT TIME ZONE zone AS visit
	FROM (VALUES
		('Asia/Kolkata', timestamp '2026-03-16 09:15', 30),
		('Europe/London', '2026-03-28 10:00', 1), ('Europe/London', '2026-10-24 10:00', 1),
		('America/New_York', '2026-03-01 12:30', 7), ('America/New_York', '2026-10-25 12:30', 7),
		('America/New_York', '2026-03-07 02:30', 1), ('America/New_York', '2026-10-31 01:30', 1),
		('America/Santiago', '2026-09-05 00:30', 1), ('Australia/Lord_Howe', '2026-10-03 02:15', 1),
		('Australia/Lord_Howe', '2026-04-04 11:00', 1), ('Pacific/Apia', '2011-12-29 10:00', 1),
		('Europe/London', '2028-02-28 10:00', 1), ('Europe/London', '2026-12-31 23:45', 365))
		AS z (zone, wall, days)) v
CROSS JOIN LATERAL appt_internal.follow_up_time(v.visit, v.days, v.zone, '00:00', '00:00') f (at)
ORDER BY v.visit, v.zone;
SELECT v.zone, v.wall, f.at AT TIME ZONE v.zone AS local
FROM (VALUES ('Europe/London', timestamp '2026-03-28 20:59'), ('Europe/London', '2026-03-28 21:00'),
	('Europe/London', '2026-10-24 07:59'), ('Europe/London', '2026-10-24 08:00')) v (zone, wall)
CROSS JOIN LATERAL appt_internal.follow_up_time(v.wall AT TIME ZONE v.zone, 1, v.zone, '21:00',
	'08:00') f (at);

ROLLBACK;
