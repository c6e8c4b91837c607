-- What providers report of messages: who sent it, what it says, states that
-- only go on, reports that come too early.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- RFC 2202 and RFC 4231, test case 2; a form's text.
SELECT encode(appt_internal.hmac(h, 'Jefe', 'what do ya want for nothing?'),
	'hex')
FROM unnest('{sha1,sha256}'::text[]) h;
SELECT * FROM appt_internal.form_fields('a=b+c%2B%e0%a4%95&d&=e&&f=g=h&a=%zz%2');
SELECT pg_temp.try('SELECT appt_internal.form_text(''a%ff'')');
SELECT pg_temp.try('SELECT appt_internal.form_text(''a%00b'')');

-- The example in Twilio's documentation of its signature.
SELECT s, appt_internal.report_is_signed(jsonb_populate_record(
	NULL::appt.notification_channel, '{"secret": "12345", "settings": {
	"callback": {"signature": "twilio",
		"url": "https://mycompany.com/myapp.php?foo=1&bar=2"}}}'), convert_to(
	'To=%2B18005551212&CallSid=CA1234567890ABCDE&Caller=%2B14158675309&'
	'Digits=1234&From=%2B14158675309', 'UTF8'), s, NULL)
FROM unnest('{RSOYDt4T1cUTdK1PDd93/VVr8B8=,RSOYDt4T1cUTdK1PDd93/VVr8B8,NULL}'
	::text[]) s;

-- A rule that cannot be is refused.
CREATE FUNCTION pg_temp.rule(callback jsonb) RETURNS text
	LANGUAGE sql
RETURN regexp_replace(pg_temp.try(format('INSERT INTO '
	'appt.notification_channel (channel_id, kind, settings, active) '
	'VALUES (''x'', ''sms'', %L, false) RETURNING ''taken''',
	jsonb_build_object('url', 'https://h/', 'body', '{}'::jsonb, 'callback',
		callback))), 'the settings of.*wrong / ', '');
SELECT rule, pg_temp.rule('{"signature": "token", "id": ["i"],
	"status": ["s"]}'::jsonb || rule) AS said
FROM (VALUES
	(1, '{"signature": "basic"}'::jsonb),
	(2, '{"signature": null}'),
	(3, '{"signature": "twilio"}'),
	(4, '{"id": "i"}'),
	(5, '{"id": [["i"], "j"]}'),
	(6, '{"status": [{}]}'),
	(7, '{"delivered": [1]}'),
	(8, '{"delivered": "x"}'),
	(9, '{"each": "$.["}'),
	(10, '{"url": "ftp://h/"}'),
	(11, '{"url": "https://h/?a=b"}'),
	(12, '{"url": "https://h/{{to}}"}'),
	(13, '{"colour": "red"}'),
	(14, '{"field": ["data"]}'),
	(15, '{"error": ["a", ["b"]]}')) AS r (place, rule)
ORDER BY place;
SELECT pg_temp.try('INSERT INTO appt.notification_channel (channel_id, kind, '
	'settings, callback_secret, active) VALUES (''x'', ''sms'', '
	'''{"url": "https://h/", "body": {}}'', ''short'', false)');

INSERT INTO appt.notification_channel (channel_id, kind, settings, secret,
	callback_secret)
VALUES ('sms', 'sms', '{"url": "https://h/", "body": {}, "reports": true,
		"callback": {"signature": "token", "id": [["gs"], ["id"]],
			"status": ["status"], "error": ["why"], "each": "$.list[*]",
			"url": "https://c.example/r",
			"delivered": ["ok"], "read": ["seen"], "failed": ["no", "2"]}}',
		'k', 'a-long-secret+of&ours'),
	('mail', 'email', '{"host": "h.example", "from": "a@b.example"}', NULL,
		NULL);
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('booked', 'sms', 'en', NULL, 'B'), ('booked', 'email', 'en', 'S', 'B');
UPDATE appt.patient SET phone = '98765 4321' || right(patient_id, 1),
	email = lower(patient_id) || '@example.org';
SELECT appt_internal.callback_url(c) FROM appt.notification_channel c
WHERE channel_id = 'sms';

-- Messages that were sent as m0, m1, ...
CREATE FUNCTION pg_temp.sent(n integer) RETURNS void
	LANGUAGE sql
AS $$
	INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
		('notification_order', 'sms,email') ON CONFLICT DO NOTHING;
	SELECT appt.book('PAT-' || i, 'DOC-001', '2026-03-16 09:00+05:30'
		::timestamptz + make_interval(mins => 15 * i
			+ CASE WHEN i > 3 THEN 60 ELSE 0 END))
	FROM generate_series(0, n - 1) i;
	SELECT appt_relay.claim_notifications(1, 100);
	SELECT appt_relay.record_notifications(ARRAY[t.notification_no],
		ARRAY[t.fence], '{0}', '{1}', '{200}', '{NULL}', '{NULL}')
	FROM appt.notification t
	WHERE t.state = 'sending';
	UPDATE appt.notification_attempt t
	SET provider_id = 'm' || o.n
	FROM (SELECT notification_no, row_number() OVER (
			ORDER BY notification_no) - 1 AS n
		FROM appt.notification) o
	WHERE o.notification_no = t.notification_no;
$$;
CREATE FUNCTION pg_temp.report(body text, token text DEFAULT
	'a-long-secret+of&ours') RETURNS text
	LANGUAGE sql
AS $$
	SELECT concat_ws(' ', r.verdict, r.reports)
	FROM appt_api.take_delivery_reports('sms', false,
		convert_to(body, 'UTF8'), NULL, token) r
$$;
CREATE VIEW pg_temp.message AS
SELECT regexp_replace(l.provider_id, '^ntf.*', 'ntf') AS provider_id,
	t.event, t.channel, t.state, t.reason,
	l.delivered_at IS NOT NULL AS delivered, l.read_at IS NOT NULL AS read,
	t.root_no IS NOT NULL AS again
FROM appt.notification t
LEFT JOIN appt.notification_attempt l ON l.notification_no = t.notification_no
	AND l.fence = t.fence
	AND t.finished_at IS NOT NULL
ORDER BY t.notification_no;
SELECT pg_temp.sent(6);
SELECT * FROM pg_temp.message;

-- Who is not the provider is told nothing.
SELECT pg_temp.report('{"list": [{"id": "m0", "status": "ok"}]}', t)
FROM unnest('{x,"",NULL,a-long-secret+of&our}'::text[]) t;
SELECT verdict FROM appt_api.take_delivery_reports('none', false, '{}', NULL,
	'a-long-secret+of&ours');
SELECT verdict FROM appt_api.take_delivery_reports('mail', false, '{}', NULL,
	NULL);
UPDATE appt.notification_channel SET callback_secret = NULL
WHERE channel_id = 'sms';
SELECT pg_temp.report('{}', NULL), pg_temp.report('{}', '');
UPDATE appt.notification_channel SET callback_secret = 'a-long-secret+of&ours'
WHERE channel_id = 'sms';
SELECT * FROM pg_temp.message WHERE state <> 'sent';

-- What is no report, and what says nothing that counts.
SELECT b, pg_temp.report(b)
FROM unnest(ARRAY['', 'x', '{', '"\u0000"', '[]', '{}', 'null',
	'{"list": {"id": "m0", "status": "queued"}}',
	'{"list": [{"id": "", "status": "ok"}, {"status": "ok"}, 7, null]}',
	'{"list": [{"id": {"a": 1}, "status": {"b": 2}}]}']) b;
SELECT verdict FROM appt_api.take_delivery_reports('sms', false, '\xff', NULL,
	'a-long-secret+of&ours');
SELECT verdict FROM appt_api.take_delivery_reports('sms', false,
	convert_to(repeat('[', 60000), 'UTF8'), NULL, 'a-long-secret+of&ours');
SELECT verdict FROM appt_api.take_delivery_reports('sms', true, 'a=%ff', NULL,
	'a-long-secret+of&ours');
SELECT * FROM pg_temp.message WHERE state <> 'sent';

-- A form may have the reports as JSON in one of its fields; a report may have
-- what it says in one of several places.
SELECT b, pg_temp.try(format('SELECT appt_internal.report_document(%L, %L, %L)',
	'{"field": "data"}', f, convert_to(b, 'UTF8'))) AS document
FROM (VALUES ('data=%5B%7B%22a%22%3A+1%7D%5D&b=c', true), ('[{"a": 1}]', false),
	('b=c', true), ('', true), ('data=', true), ('data=%5B', true),
	('data=%22%5Cu0000%22', true)) v (b, f);
SELECT * FROM appt_internal.read_reports('{"each": "$[*]", "id": ["i"],
	"status": [["r", 0, "s"], ["s"]], "error": [["r", 0, "e"], ["e"]],
	"delivered": ["1"], "failed": ["2"]}', '[{"i": "a", "r": [{"s": "2",
	"e": "off"}], "s": "1"}, {"i": "b", "r": [{"s": "2", "e": ""}], "e": "out"},
	{"i": "c", "r": [], "s": 1}, {"i": "d", "r": [{}]}]');

-- States go on and never back; the first id that is there counts.
SELECT pg_temp.report('{"list": [{"gs": "m0", "id": "m5", "status": "ok"},
	{"id": "m1", "status": "seen"}, {"id": "m2", "status": "no",
	"why": "handset off"}, {"id": "m3", "status": 2}]}');
SELECT * FROM pg_temp.message;
SELECT pg_temp.report('{"list": [{"id": "m0", "status": "seen"},
	{"id": "m1", "status": "ok"}, {"id": "m1", "status": "no"},
	{"id": "m2", "status": "ok"}, {"id": "m3", "status": "no"}]}');
SELECT pg_temp.report('{"list": [{"id": "m0", "status": "no"},
	{"id": "m0", "status": "ok"}]}');
SELECT * FROM pg_temp.message;

-- What failed is told by the next channel, once.
SELECT protocol, recipient FROM appt_relay.claim_notifications(1, 10)
ORDER BY 2;
SELECT pg_temp.report('{"list": [{"id": "m2", "status": "no"}]}');
SELECT count(*) FROM appt.notification WHERE root_no IS NOT NULL;
SELECT * FROM appt.explain_notification((SELECT appointment_id
	FROM appt.appointment a JOIN appt.notification n USING (appointment_no)
	JOIN appt.notification_attempt USING (notification_no)
	WHERE provider_id = 'm2')) s
WHERE s !~ 'reminder';

-- One that comes before the relay has recorded the id is not lost; one on a
-- message that is none of ours is forgotten.
SELECT pg_temp.report('{"list": [{"id": "early", "status": "seen"},
	{"id": "other", "status": "no", "why": "x"}]}');
SELECT provider_id, state, error FROM appt.notification_report ORDER BY 1;
SELECT expired FROM appt_relay.tick_notifications();
SELECT count(*) FROM appt.notification_report;
UPDATE appt.notification_attempt SET provider_id = 'early'
WHERE provider_id = 'm4';
SELECT expired FROM appt_relay.tick_notifications();
SELECT provider_id FROM appt.notification_report;
SELECT * FROM pg_temp.message WHERE provider_id = 'early';
UPDATE appt.notification_report
SET received_at = received_at - interval '3 minutes';
SELECT expired FROM appt_relay.tick_notifications();
SELECT count(*) FROM appt.notification_report;

-- What another channel's provider says is of its messages alone.
INSERT INTO appt.notification_channel (channel_id, kind, settings,
	callback_secret)
SELECT 'wa', 'whatsapp', settings, 'another-long-secret'
FROM appt.notification_channel WHERE channel_id = 'sms';
SELECT verdict FROM appt_api.take_delivery_reports('wa', false, convert_to(
	'{"list": [{"id": "m5", "status": "no"}]}', 'UTF8'), NULL,
	'another-long-secret');
SELECT * FROM pg_temp.message WHERE provider_id = 'm5';

-- Sent again, a message is known by its new id alone.
SELECT state FROM appt.resend_notification((SELECT notification_no
	FROM appt.notification_attempt WHERE provider_id = 'm0'));
SELECT pg_temp.report('{"list": [{"id": "m0", "status": "no"}]}');
SELECT * FROM pg_temp.message WHERE NOT again AND state = 'due';
SELECT pg_temp.sent(0);
UPDATE appt.notification_attempt SET provider_id = 'anew'
WHERE provider_id = 'm0' AND fence > 1;
SELECT pg_temp.report('{"list": [{"id": "m0", "status": "no"}]}');
SELECT * FROM pg_temp.message WHERE provider_id = 'anew';
SELECT pg_temp.report('{"list": [{"id": "anew", "status": "ok"}]}');
SELECT * FROM pg_temp.message WHERE provider_id = 'anew';

-- Where no report comes within fallback_after_min, the next channel has it:
-- once, and only where the channel's provider reports.
DELETE FROM appt.notification;
SELECT appointment_id AS id FROM appt.book('PAT-7', 'DOC-001',
	'2026-03-17 09:00+05:30') \gset
CREATE FUNCTION pg_temp.hand_over() RETURNS void
	LANGUAGE sql
AS $$
	SELECT appt_relay.claim_notifications(1, 100);
	SELECT appt_relay.record_notifications(ARRAY[t.notification_no],
		ARRAY[t.fence], '{0}', '{1}', '{200}', '{NULL}', '{NULL}')
	FROM appt.notification t
	WHERE t.state = 'sending';
$$;
CREATE FUNCTION pg_temp.after(minutes integer) RETURNS TABLE (unreported bigint)
	LANGUAGE sql
AS $$
	UPDATE appt.notification
	SET sent_at = clock_timestamp() - make_interval(mins => minutes)
	WHERE state = 'sent';
	SELECT t.unreported FROM appt_relay.tick_notifications() t;
$$;
SELECT pg_temp.hand_over();
SELECT * FROM pg_temp.after(9);
SELECT * FROM pg_temp.after(11);
SELECT * FROM pg_temp.after(12);
SELECT * FROM pg_temp.message;
SELECT pg_temp.hand_over();
-- E-mail reports nothing: that is the end of it.
SELECT * FROM pg_temp.after(20);
SELECT * FROM pg_temp.message;
SELECT regexp_replace(s, ' on \S+ \S+\.', ' on ….') AS said
FROM appt.explain_notification(:'id') s WHERE s !~ 'reminder';
-- The setting counts at once, and for the branch alone; one that was delivered
-- is told by no other channel, not even by one that waits.
DELETE FROM appt.notification;
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('fallback_after_min', 'MUM-01', '30');
SELECT appointment_id AS id FROM appt.book('PAT-8', 'DOC-001',
	'2026-03-17 09:15+05:30') \gset
SELECT pg_temp.hand_over();
UPDATE appt.notification_attempt l SET provider_id = 'f1'
FROM appt.notification n WHERE n.notification_no = l.notification_no;
SELECT * FROM pg_temp.after(29);
UPDATE appt.setting SET value = '5' WHERE name = 'fallback_after_min';
SELECT * FROM pg_temp.after(6);
SELECT * FROM pg_temp.message;
SELECT pg_temp.report('{"list": [{"id": "f1", "status": "ok"}]}');
SELECT * FROM pg_temp.message;
SELECT * FROM pg_temp.after(60);
-- A channel whose provider does not report is believed.
UPDATE appt.notification_channel SET settings = settings - 'reports'
WHERE channel_id = 'sms';
DELETE FROM appt.notification;
SELECT appointment_id AS id FROM appt.book('PAT-9', 'DOC-001',
	'2026-03-17 09:30+05:30') \gset
SELECT pg_temp.hand_over();
SELECT * FROM pg_temp.after(60);

-- What waits for a channel that is switched off, or deleted, has another.
UPDATE appt.notification SET state = 'due', finished_at = NULL, sent_at = NULL,
	attempts = 1, due_at = '2000-01-01 00:00+00';
SELECT state, channel_no > 0 AS by_sms FROM appt.notification;
UPDATE appt.notification_channel SET active = false WHERE channel_id = 'sms';
SELECT expired FROM appt_relay.tick_notifications();
SELECT protocol FROM appt_relay.claim_notifications(1, 10);
UPDATE appt.notification SET state = 'due', channel_no = 99;
SELECT expired FROM appt_relay.tick_notifications();
SELECT protocol FROM appt_relay.claim_notifications(1, 10);

-- Meta asks first whether the address is ours.
UPDATE appt.notification_channel
SET settings = jsonb_set(settings, '{callback,verify_token}', '"v-token"')
WHERE channel_id = 'wa';
SELECT c, t, appt_api.confirm_callback(c, t)
FROM (VALUES ('wa', 'v-token'), ('wa', 'x'), ('wa', NULL), ('sms', 'v-token'),
	('none', NULL)) v (c, t);
ROLLBACK;
