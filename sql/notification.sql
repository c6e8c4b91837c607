-- What patients are told and when: what a change writes, what becomes of it at
-- the moment of sending, reminders by the settings as they are, quiet hours on
-- days whose clock changes.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.notification_notification_no_seq RESTART;
UPDATE appt.patient SET phone = '98765 4321' || right(patient_id, 1),
	email = lower(patient_id) || '@example.org';

-- Messages of an appointment, in short.
CREATE FUNCTION pg_temp.told(appointment text) RETURNS TABLE (message text)
	LANGUAGE sql
AS $$
	SELECT concat_ws(' ', n.event, n.lead_min, n.state, n.reason, n.channel,
		n.language)
	FROM appt.notification n
	JOIN appt.appointment a USING (appointment_no)
	WHERE a.appointment_id = appointment
	ORDER BY n.notification_no
$$;
-- What a relay would send now.
CREATE FUNCTION pg_temp.claim() RETURNS TABLE (sent text)
	LANGUAGE sql
AS $$
	UPDATE appt.notification SET due_at = '2000-01-01 00:00+00'
	WHERE state = 'due';
	SELECT concat_ws(' ', m.protocol, m.recipient, m.url, m.body)
	FROM appt_relay.claim_notifications(1, 100) m
	ORDER BY m.notification_no
$$;
-- The same after a look at the clock.
CREATE FUNCTION pg_temp.at(clock timestamptz) RETURNS TABLE (sent text)
	LANGUAGE sql
AS $$
	SELECT set_config('bioecko_appt.clock', clock::text, true);
	SELECT appt_relay.tick_notifications();
	SELECT * FROM pg_temp.claim()
$$;

-- Without a channel nothing is written.
SELECT pg_temp.book('PAT-1', '2026-03-16 09:00+05:30') AS first \gset
SELECT count(*) FROM appt.notification;

-- A channel that no message could be sent by is refused; who says so, why.
CREATE FUNCTION pg_temp.channel(kind text, settings jsonb) RETURNS text
	LANGUAGE sql VOLATILE
RETURN pg_temp.try(format('INSERT INTO appt.notification_channel (channel_id, '
	'kind, settings, active) VALUES (%L, %L, %L, false) RETURNING channel_id',
	'c' || md5(settings::text || kind), kind, settings));
SELECT settings, regexp_replace(pg_temp.channel(kind, settings),
	'the settings of.*wrong / ', '') AS said
FROM (VALUES
	(1, 'email', '{}'::jsonb),
	(2, 'email', '[]'),
	(3, 'email', '{"host": "h", "from": "a@b", "colour": "red"}'),
	(4, 'email', '{"host": "h", "from": "a@b\r\nBcc: c@d"}'),
	(5, 'email', '{"host": "h", "from": "a b@c"}'),
	(6, 'email', '{"host": "h/x", "from": "a@b"}'),
	(7, 'email', '{"host": "h", "from": "a@b", "security": "ssl"}'),
	(8, 'email', '{"host": "h", "from": "a@b", "port": 70000}'),
	(9, 'email', '{"host": "h", "from": "a@b", "from_name": "x\u0007"}'),
	(10, 'email', '{"host": "h", "from": "a@b", "reply_to": "x"}'),
	(11, 'sms', '{"url": "ftp://h/", "body": {}}'),
	(12, 'sms', '{"url": "https://{{to}}/", "body": {}}'),
	(13, 'sms', '{"url": "https://u@h/", "body": {}}'),
	(14, 'sms', '{"url": "https://h/"}'),
	(15, 'sms', '{"url": "https://h/", "body": "x"}'),
	(16, 'sms', '{"url": "https://h/", "body": {"a": "{{who}}"}}'),
	(17, 'sms', '{"url": "https://h/", "body": {"a": "{{to"}}'),
	(18, 'sms', '{"url": "https://h/", "body": [], "content_type": "form"}'),
	(19, 'sms', '{"url": "https://h/", "body": {}, "content_type": "xml"}'),
	(20, 'sms', '{"url": "https://h/", "body": {}, "method": "GET"}'),
	(21, 'sms', '{"url": "https://h/", "body": {}, "headers": {"a b": "c"}}'),
	(22, 'sms', '{"url": "https://h/", "body": {}, "headers": {"Host": "c"}}'),
	(23, 'sms', '{"url": "https://h/", "body": {}, "headers": {"a": "b\nc"}}'),
	(24, 'fax', '{"url": "https://h/", "body": {}}'))
	AS c (place, kind, settings)
ORDER BY place;

INSERT INTO appt.notification_channel (channel_id, kind, settings, secret)
VALUES ('sms', 'sms', '{"url": "https://sms.example/v1/{{to_digits}}",
		"body": {"text": "{{body}}", "key": "{{secret}}"}}', 's3cret'),
	('mail', 'email', '{"host": "h.example", "from": "a@b.example"}', NULL);
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('booked', 'sms', 'en', NULL, 'Booked {{slot_time}}'),
	('rescheduled', 'sms', 'en', NULL, 'Moved to {{slot_time}}'),
	('cancelled', 'sms', 'en', NULL, 'Cancelled {{slot_time}}'),
	('reminder', 'sms', 'en', NULL, 'Come {{slot_date}} {{slot_time}}'),
	('booked', 'sms', 'hi', NULL, 'HI {{slot_time}}'),
	('booked', 'email', 'en', 'S', 'Mail {{slot_time}}');
SELECT pg_temp.try('INSERT INTO appt.notification_channel (channel_id, kind, '
	'settings) VALUES (''b'', ''sms'', ''{"url": "https://h/", "body": {}}'')');

-- A booking is told; the patient's language, order and refusals decide how.
SELECT pg_temp.book('PAT-1', '2026-03-16 09:15+05:30') AS id \gset
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
UPDATE appt.patient SET language = 'hi-IN' WHERE patient_id = 'PAT-2';
INSERT INTO appt.notification_preference VALUES ('PAT-3', '{email,sms}');
INSERT INTO appt.notification_opt_out (patient_id, channel, event, way)
VALUES ('PAT-4', 'sms', 'booked', 'desk'), ('PAT-5', '*', '*', 'desk');
UPDATE appt.patient SET phone = NULL, email = 'näme@example.org'
WHERE patient_id = 'PAT-6';
UPDATE appt.patient SET language = 'ta', phone = '+44 20 7946 0000'
WHERE patient_id = 'PAT-7';
SELECT p, appointment_id AS id
FROM generate_series(2, 7) p,
	LATERAL appt.book('PAT-' || p, 'DOC-001', '2026-03-17 09:00+05:30'::timestamptz
		+ make_interval(mins => 15 * (p - 2) + CASE WHEN p > 5 THEN 60 ELSE 0 END));
SELECT * FROM pg_temp.claim();
SELECT a.patient_id, t.message
FROM appt.appointment a, pg_temp.told(a.appointment_id) t
WHERE a.patient_id BETWEEN 'PAT-2' AND 'PAT-7'
ORDER BY a.patient_id;

-- Where the branch's language has no template, the one that holds in general.
DELETE FROM appt.notification;
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('default_language', 'MUM-01', 'mr');
UPDATE appt.patient SET language = 'ta' WHERE patient_id IN ('PAT-0', 'PAT-8');
SELECT pg_temp.book('PAT-0', '2026-03-19 09:00+05:30') AS id \gset
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT template_language FROM appt.render_message('booked', 'email', :'id');
INSERT INTO appt.setting (name, value) VALUES ('default_language', 'hi');
SELECT pg_temp.book('PAT-8', '2026-03-19 09:15+05:30') AS id \gset
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT appt_internal.page_languages(a) FROM appt.appointment a
WHERE appointment_id = :'id';
DELETE FROM appt.setting;
UPDATE appt.patient SET language = 'en' WHERE patient_id IN ('PAT-0', 'PAT-8');
DELETE FROM appt.notification;

-- Book, move, move: one message, of the booking. Book, cancel: the end of it.
SELECT pg_temp.book('PAT-8', '2026-03-18 09:00+05:30') AS id \gset
SELECT slot_start FROM appt.reschedule(:'id', '2026-03-18 09:15+05:30');
SELECT slot_start FROM appt.reschedule(:'id', '2026-03-18 09:30+05:30');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT slot_start FROM appt.reschedule(:'id', '2026-03-18 09:45+05:30');
SELECT * FROM pg_temp.claim();
SELECT pg_temp.book('PAT-9', '2026-03-18 11:00+05:30') AS id \gset
SELECT status FROM appt.cancel(:'id', 'ill');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');

-- notify: false tells nobody, and the history says so; over REST, too.
DELETE FROM appt.notification;
SELECT appointment_id AS id FROM appt.book('PAT-9', 'DOC-001',
	'2026-03-18 11:15+05:30', notify => false) \gset
SELECT slot_start FROM appt.reschedule(:'id', '2026-03-18 11:30+05:30',
	notify => false);
SELECT version FROM appt_api.reschedule(:'id', '2026-03-18 11:45+05:30', NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, notify => true);
SELECT version FROM appt_api.cancel(:'id', 'ill', NULL, NULL, notify => false);
SELECT * FROM pg_temp.told(:'id');
SELECT event_type, notify FROM appt.history(:'id');
SELECT e->>'event' AS event, e->'notify' AS notify
FROM appt_api.appointment_history(:'id') h, json_array_elements(h::json) e;
SELECT * FROM pg_temp.claim();
SELECT * FROM appt.explain_notification(:'id');

-- A cancellation nearer than 12 hours goes at once, others wait for settle_s.
DELETE FROM appt.notification;
SELECT pg_temp.book('PAT-8', '2026-03-15 11:00+05:30') AS far \gset
SELECT pg_temp.book('PAT-9', '2026-03-15 09:00+05:30') AS near \gset
SET LOCAL bioecko_appt.clock = '2026-03-14 22:00+05:30';
SELECT status FROM appt.cancel(:'far', 'ill');
SELECT status FROM appt.cancel(:'near', 'ill');
SELECT n.event, n.slot_start,
	n.due_at > n.created_at + interval '30 s' AS waits
FROM appt.notification n
ORDER BY n.notification_no;
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';

-- Reminders: two, each once; none for what was booked after its time.
DELETE FROM appt.notification;
SELECT pg_temp.book('PAT-1', '2026-03-20 11:00+05:30') AS id \gset
DELETE FROM appt.notification;
SELECT * FROM pg_temp.at('2026-03-19 10:59+05:30');
SELECT * FROM pg_temp.at('2026-03-19 11:00+05:30');
SELECT * FROM pg_temp.at('2026-03-19 12:00+05:30');
SELECT * FROM pg_temp.at('2026-03-20 08:59+05:30');
SELECT * FROM pg_temp.at('2026-03-20 09:00+05:30');
SELECT * FROM pg_temp.told(:'id');
SET LOCAL bioecko_appt.clock = '2026-03-20 09:30+05:30';
SELECT pg_temp.book('PAT-2', '2026-03-20 11:15+05:30') AS late \gset
SELECT * FROM pg_temp.at('2026-03-20 09:31+05:30');
SELECT * FROM pg_temp.told(:'late');

-- Moved after the first reminder: again, for the new time.
SELECT slot_start FROM appt.reschedule(:'id', '2026-03-22 09:00+05:30');
DELETE FROM appt.notification WHERE event = 'rescheduled';
SELECT * FROM pg_temp.at('2026-03-21 09:00+05:30');
-- Moved while a reminder waits: it is not sent, and the other time has its own.
SAVEPOINT moved;
SELECT pg_temp.book('PAT-2', '2026-03-23 11:00+05:30') AS waits \gset
DELETE FROM appt.notification;
SELECT set_config('bioecko_appt.clock', '2026-03-22 11:00+05:30', true);
SELECT appt_relay.tick_notifications();
SELECT slot_start FROM appt.reschedule(:'waits', '2026-03-24 11:00+05:30');
DELETE FROM appt.notification WHERE event = 'rescheduled';
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'waits');
SELECT * FROM pg_temp.at('2026-03-23 11:00+05:30');
SELECT * FROM pg_temp.told(:'waits');
ROLLBACK TO moved;
-- A relay that was away sends the one that is due now.
SELECT pg_temp.book('PAT-3', '2026-03-25 11:00+05:30') AS away \gset
DELETE FROM appt.notification;
SELECT * FROM pg_temp.at('2026-03-25 09:30+05:30');
SELECT * FROM pg_temp.told(:'away');

-- Leads, templates and quiet hours count at once for all that is not sent.
SET LOCAL bioecko_appt.clock = '2026-03-25 12:00+05:30';
SELECT pg_temp.book('PAT-4', '2026-03-28 09:00+05:30') AS id \gset
DELETE FROM appt.notification;
SELECT planned_at, event, channel, language, reason
FROM appt.planned_notifications(72) WHERE appointment_id = :'id';
INSERT INTO appt.setting (name, value) VALUES ('reminder_lead_min', '2880,60');
SELECT planned_at, event, channel, language, reason
FROM appt.planned_notifications(72) WHERE appointment_id = :'id';
SELECT * FROM appt.explain_notification(:'id');
SELECT appt_relay.tick_notifications();
SELECT set_config('bioecko_appt.clock', '2026-03-26 09:00+05:30', true);
SELECT appt_relay.tick_notifications();
SELECT * FROM pg_temp.told(:'id');
UPDATE appt.setting SET value = 'none' WHERE name = 'reminder_lead_min';
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
UPDATE appt.setting SET value = '2880,60' WHERE name = 'reminder_lead_min';
UPDATE appt.notification_template SET body = 'New words' WHERE event = 'reminder';
SELECT * FROM pg_temp.at('2026-03-26 09:01+05:30');
-- A longer lead than one that was sent already sends nothing more.
UPDATE appt.setting SET value = '4000,60' WHERE name = 'reminder_lead_min';
SELECT * FROM pg_temp.at('2026-03-26 09:02+05:30');
DELETE FROM appt.setting;

-- What a setting cannot be.
SELECT name, value, pg_temp.try(format(
	'INSERT INTO appt.setting (name, value) VALUES (%L, %L)', name, value))
FROM (VALUES (1, 'reminder_lead_min', '0'), (2, 'reminder_lead_min', '10,'),
	(3, 'reminder_lead_min', '50000'), (4, 'notification_order', 'fax'),
	(5, 'quiet_from', '25:00'), (6, 'quiet_to', '9:00'),
	(8, 'settle_s', '-1'))
	AS s (place, name, value)
ORDER BY place;

-- In quiet hours a reminder waits for their end, or goes before they begin
-- where the visit does not come after them.
SELECT v.visit, v.lead, appt_internal.reminder_time(v.visit, v.lead,
	'Asia/Kolkata', '21:00', '08:00') AS at
FROM (VALUES ('2026-03-20 09:00+05:30'::timestamptz, 120),
	('2026-03-20 08:00+05:30', 120), ('2026-03-20 07:00+05:30', 120),
	('2026-03-20 22:00+05:30', 60), ('2026-03-20 21:00+05:30', 1440),
	('2026-03-20 11:00+05:30', 120)) AS v (visit, lead);
-- Days whose clock changes, in four zones: put forward, put back.
SELECT z.zone, z.at AT TIME ZONE z.zone AS wall,
	(appt_internal.quiet_period(z.at, z.zone, '01:30', '03:30')).*
FROM (VALUES
	('Europe/London', '2026-03-29 00:45+00'::timestamptz),
	('Europe/London', '2026-03-29 01:15+00'),
	('Europe/London', '2026-03-29 02:45+00'),
	('Europe/London', '2026-10-25 00:15+00'),
	('Europe/London', '2026-10-25 01:45+00'),
	('America/New_York', '2026-03-08 06:45+00'),
	('America/New_York', '2026-03-08 07:45+00'),
	('America/New_York', '2026-11-01 05:45+00'),
	('America/New_York', '2026-11-01 06:45+00'),
	('Australia/Lord_Howe', '2026-10-03 15:25+00'),
	('Australia/Lord_Howe', '2026-10-03 16:45+00'),
	('Asia/Kolkata', '2026-03-29 20:00+00')) AS z (zone, at);
-- A lead is elapsed time: 24 hours before 12:00 of the day that is 23 long.
SELECT appt_internal.reminder_time('2026-03-29 12:00+01', 1440,
	'Europe/London', '21:00', '08:00') AT TIME ZONE 'Europe/London' AS london,
	appt_internal.reminder_time('2026-11-01 12:00-05', 1440,
	'America/New_York', '21:00', '08:00') AT TIME ZONE 'America/New_York'
	AS new_york,
	appt_internal.reminder_time('2026-03-08 02:30-05', 600,
	'America/New_York', '21:00', '08:00') AT TIME ZONE 'America/New_York'
	AS at_night;
-- A reminder that was due, in quiet hours that were moved since, waits.
SET LOCAL bioecko_appt.clock = '2026-03-30 12:00+05:30';
SELECT pg_temp.book('PAT-1', '2026-04-02 11:00+05:30') AS id \gset
DELETE FROM appt.notification;
SELECT set_config('bioecko_appt.clock', '2026-04-01 11:00+05:30', true);
SELECT appt_relay.tick_notifications();
INSERT INTO appt.setting (name, value) VALUES ('quiet_from', '10:00'),
	('quiet_to', '12:00');
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM pg_temp.at('2026-04-01 11:59+05:30');
SELECT * FROM pg_temp.at('2026-04-01 12:00+05:30');
DELETE FROM appt.setting;

-- Promotional ones go out from 10:00 to 21:00 Indian time.
SELECT t.at, appt_internal.may_promote_at(t.at) AS from_then
FROM unnest('{2026-03-20 09:59+05:30,2026-03-20 10:00+05:30,
	2026-03-20 20:59+05:30,2026-03-20 21:00+05:30}'::timestamptz[]) AS t (at);
UPDATE appt.notification_template SET category = 'promotional'
WHERE event = 'booked';
SET LOCAL bioecko_appt.clock = '2026-04-01 21:30+05:30';
SELECT pg_temp.book('PAT-9', '2026-04-05 11:00+05:30') AS id \gset
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM pg_temp.at('2026-04-02 10:00+05:30');

-- What became of the visit meanwhile is the reason why nothing is sent.
UPDATE appt.notification_template SET category = 'transactional';
SET LOCAL bioecko_appt.clock = '2026-04-06 12:00+05:30';
DELETE FROM appt.notification;
SELECT pg_temp.book('PAT-1', '2026-04-08 09:00+05:30') AS a \gset
SELECT pg_temp.book('PAT-2', '2026-04-08 09:15+05:30') AS b \gset
SELECT pg_temp.book('PAT-3', '2026-04-08 09:30+05:30') AS c \gset
SELECT set_config('bioecko_appt.clock', '2026-04-08 09:20+05:30', true);
SELECT status FROM appt.no_show(:'a');
SELECT status FROM appt.check_in(:'b');
SELECT status FROM appt.complete(:'b');
SELECT set_config('bioecko_appt.clock', '2026-04-08 09:40+05:30', true);
SELECT * FROM pg_temp.claim();
SELECT message FROM (VALUES (:'a'), (:'b'), (:'c')) AS v (id),
	pg_temp.told(v.id);

-- An answer means what the channel's rules say.
SELECT o.status, o.answer, h.*
FROM (VALUES
	(1, '{}'::jsonb, 202, ''),
	(2, '{}', 400, ''), (3, '{}', 429, ''), (4, '{}', 500, ''),
	(5, '{}', NULL, NULL), (6, '{}', 302, ''),
	(7, '{"ok": {"path": ["status"], "values": ["submitted"]},
		"id": ["messageId"], "error": ["message"]}', 200,
		'{"status": "submitted", "messageId": "m1"}'),
	(8, '{"ok": {"path": ["status"], "values": ["submitted"]},
		"error": ["message"]}', 200,
		'{"status": "error", "message": "Insufficient balance"}'),
	(9, '{"ok": {"path": ["status"], "values": ["submitted"]},
		"final": {"path": ["code"], "values": ["1001"]}}', 200,
		'{"status": "error", "code": 1001}'),
	(10, '{"ok": {"path": ["status"], "values": ["submitted"]}}', 200,
		'not JSON'),
	(11, '{"id": ["messages", 0, "id"]}', 200,
		'{"messages": [{"id": "wamid.1"}]}'),
	(12, '{"ok": {"statuses": [301]}}', 301, ''),
	(13, '{"id": ["id"]}', 200, '{"id": "\u0000"}'),
	(14, '{"id": ["id"]}', 200, '{"id": 1e200000}'),
	(15, '{"id": ["id"]}', 200, '{"id": 1e-3, "x": [1, '),
	(16, '{"id": ["id"]}', 200, '{"id": 12.50e1}'))
	AS o (place, settings, status, answer)
CROSS JOIN LATERAL appt_internal.http_outcome(o.settings, o.status, NULL,
	o.answer) h
ORDER BY place;

-- A late result, of a claim that somebody has made again since, does nothing.
DELETE FROM appt.notification;
SELECT pg_temp.book('PAT-1', '2026-04-10 09:00+05:30') AS id \gset
SELECT count(*) FROM pg_temp.claim();
UPDATE appt.notification SET lease_until = '2000-01-01 00:00+00';
SELECT expired FROM appt_relay.tick_notifications();
SELECT count(*) FROM pg_temp.claim();
SELECT * FROM appt_relay.record_notifications(ARRAY(
	SELECT notification_no FROM appt.notification), '{1}', '{0}', '{1}',
	'{400}', '{NULL}', '{NULL}');
SELECT * FROM pg_temp.told(:'id');
SELECT * FROM appt_relay.record_notifications(ARRAY(
	SELECT notification_no FROM appt.notification), '{2}', '{0}', '{1}',
	'{200}', '{NULL}', '{NULL}');
SELECT * FROM pg_temp.told(:'id');
-- Where one fails for good, the next channel has it; where it is too long on
-- its way, it is dead.
SELECT pg_temp.book('PAT-2', '2026-04-10 09:15+05:30') AS id \gset
UPDATE appt.patient SET language = 'en' WHERE patient_id = 'PAT-2';
SELECT count(*) FROM pg_temp.claim();
SELECT state, channel, reason FROM appt_relay.record_notifications(ARRAY(
	SELECT notification_no FROM appt.notification WHERE state = 'sending'),
	'{1}', '{0}', '{1}', '{404}', '{NULL}', '{NULL}');
SELECT protocol, recipient FROM appt_relay.claim_notifications(1, 10);
SELECT state, channel, reason FROM appt_relay.record_notifications(ARRAY(
	SELECT notification_no FROM appt.notification WHERE state = 'sending'),
	'{1}', '{0}', '{1}', '{451}', '{x}', '{451 later}', '{0}');
SELECT * FROM pg_temp.told(:'id');

-- Sent again by hand, it is judged anew; what fails is to be seen.
SELECT told_event, channel, message_language, state, skipped_because, attempts
FROM appt_report.notification WHERE appointment_id = :'id'
ORDER BY notification_no;
SELECT channel_id, channel, active, messages_due, sent_24h, failed_24h
FROM appt_report.notification_health ORDER BY channel_id;
SELECT check_name, ok, detail FROM appt.health()
WHERE check_name = 'failed_messages';
SELECT appt.resend_failed_notifications('2000-01-01 00:00+00');
SELECT * FROM pg_temp.told(:'id');
SELECT protocol FROM appt_relay.claim_notifications(1, 10) ORDER BY 1;
SELECT pg_temp.try('SELECT appt.resend_notification(0)');

-- Where the last channel was switched off meanwhile, that is the reason.
SAVEPOINT off;
SELECT set_config('bioecko_appt.clock', '2026-03-14 12:00+05:30', true);
SELECT pg_temp.book('PAT-4', '2026-03-18 11:15+05:30') AS last \gset
UPDATE appt.notification_channel SET active = false;
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'last');
SELECT * FROM appt.explain_notification(:'last');
ROLLBACK TO off;

-- One that cannot be written, as its channel came in past the trigger, has
-- failed and keeps no other waiting.
SELECT set_config('bioecko_appt.clock', '2026-03-14 12:00+05:30', true);
DELETE FROM appt.notification;
SELECT pg_temp.book('PAT-1', '2026-03-18 11:15+05:30') AS bad \gset
SELECT pg_temp.book('PAT-3', '2026-03-18 11:30+05:30') AS good \gset
ALTER TABLE appt.notification_channel DISABLE TRIGGER USER;
UPDATE appt.notification_channel SET settings = settings || '{"body": 3}'
WHERE channel_id = 'sms';
SELECT * FROM pg_temp.claim();
SELECT * FROM pg_temp.told(:'bad');
SELECT * FROM pg_temp.told(:'good');
ROLLBACK TO off;

-- The secret is written by appt_admin and not read.
SET LOCAL ROLE appt_admin;
UPDATE appt.notification_channel SET secret = 'other' WHERE channel_id = 'sms';
SELECT pg_temp.try('SELECT secret FROM appt.notification_channel');
SELECT pg_temp.try('SELECT appt_relay.claim_notifications(1, 10)');
RESET ROLE;

-- What a row must be, of each event and in each state.
CREATE FUNCTION pg_temp.fits(change jsonb) RETURNS boolean
	LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO appt.notification
		(appointment_no, event, slot_start, lead_min, template_no, state,
			relay_no, lease_until, finished_at)
	SELECT n.appointment_no, n.event, n.slot_start, n.lead_min, n.template_no,
		n.state, n.relay_no, n.lease_until, n.finished_at
	FROM jsonb_populate_record(NULL::appt.notification, '{"event": "booked",
		"state": "due", "appointment_no": 1, "slot_start": "2026-03-16"}'
		|| change) n;
	RAISE SQLSTATE '40000';
EXCEPTION
	WHEN check_violation THEN
		RETURN false;
	WHEN transaction_rollback THEN
		RETURN true;
END
$$;
SELECT event, lead, visit, template, pg_temp.fits(jsonb_build_object(
	'event', event, 'lead_min', lead, 'appointment_no', visit, 'slot_start',
	CASE WHEN visit IS NOT NULL THEN now() END, 'template_no', template)) AS fits
FROM unnest('{booked,reminder,test}'::text[]) AS e (event),
	(VALUES (NULL), (60)) AS l (lead), (VALUES (NULL), (1)) AS v (visit),
	(VALUES (NULL), (1)) AS t (template)
ORDER BY 1, 2, 3, 4;
SELECT state, leased, finished, pg_temp.fits(jsonb_build_object('state', state,
	'relay_no', CASE WHEN leased THEN 1 END,
	'lease_until', CASE WHEN leased THEN now() END,
	'finished_at', CASE WHEN finished THEN now() END)) AS fits
FROM unnest('{due,sending,sent,delivered,read,failed,skipped,dead,lost,""}'
		::text[]) AS s (state),
	(VALUES (false), (true)) AS l (leased), (VALUES (false), (true)) AS f (finished)
ORDER BY 1, 2, 3;
SELECT pg_temp.try($$UPDATE appt.notification SET state = 'lost'$$),
	pg_temp.try($$UPDATE appt.notification SET event = 'test'$$);
SET LOCAL session_replication_role = replica;
SELECT pg_temp.try($$UPDATE appt.notification SET state = 'lost'$$);
RESET session_replication_role;

-- The schema says so itself.
SELECT pg_temp.try('SELECT * FROM appt.planned_notifications(0)');
SELECT pg_temp.try('SELECT * FROM appt.explain_notification(''APT-0'')');
SELECT pg_temp.try($$SELECT appt_internal.current_lead(now(), now(),
	'{60,NULL}', 'UTC', '21:00', '08:00')$$);

-- Of a patient who was erased nobody is told; of one who is called as the erased
-- are, and was set inactive, he is.
DELETE FROM appt.notification;
UPDATE appt.patient SET first_name = 'Anonymised' WHERE patient_id = 'PAT-1';
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('cancelled', 'email', 'en', 'S', 'Mail of the end')
ON CONFLICT DO NOTHING;
SELECT a.status
FROM appt.appointment v, appt.cancel(v.appointment_id, 'x', override => true) a
WHERE v.patient_id IN ('PAT-1', 'PAT-2') AND v.status = 'booked'
ORDER BY a.slot_start;
UPDATE appt.patient SET active = false WHERE patient_id = 'PAT-1';
DELETE FROM appt.notification n
WHERE n.notification_no NOT IN (
	SELECT DISTINCT ON (a.patient_id) l.notification_no
	FROM appt.notification l
	JOIN appt.appointment a USING (appointment_no)
	ORDER BY a.patient_id, a.slot_start DESC, l.notification_no DESC);
SELECT appt.anonymise_patient('PAT-2');
SELECT count(*) FROM pg_temp.claim();
SELECT a.patient_id, n.event, n.state, n.reason, n.address IS NULL AS no_address
FROM appt.notification n
JOIN appt.appointment a USING (appointment_no)
ORDER BY a.patient_id;
SELECT patient_id, erased_at FROM appt.patient
WHERE patient_id IN ('PAT-1', 'PAT-2') ORDER BY 1;
ROLLBACK;
