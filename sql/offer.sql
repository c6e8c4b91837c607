-- Offers: a hold with its patient. Who is offered what and until when, what is
-- told, when and why not; what becomes of an offer, whoever ends its hold.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.notification_notification_no_seq RESTART;
UPDATE appt.patient SET phone = '98765 4321' || right(patient_id, 1),
	email = 'p' || right(patient_id, 1) || '@example.org';

-- What is offered now, and what became of it.
CREATE FUNCTION pg_temp.offers() RETURNS TABLE (patient text, slot text, until text,
		status text, ended_by text, visit text)
	LANGUAGE sql
AS $$
	SELECT p.patient_id, to_char(o.slot_start, 'DD HH24:MI'), to_char(o.expires_at, 'DD HH24:MI'),
		appt_internal.offer_status(o), regexp_replace(o.ended_by, '^role:.*', 'role'),
		(SELECT a.appointment_id || ' ' || a.status FROM appt.appointment a
			WHERE a.appointment_no = o.appointment_no)
	FROM appt.waitlist_offer o
	JOIN appt.patient p USING (patient_no)
	ORDER BY o.offer_no
$$;
CREATE FUNCTION pg_temp.told() RETURNS TABLE (no bigint, message text)
	LANGUAGE sql
AS $$
	SELECT n.notification_no, concat_ws(' ', n.event, n.state, n.reason, n.channel, n.address)
	FROM appt.notification n
	ORDER BY n.notification_no
$$;
-- What is sent at that time.
CREATE FUNCTION pg_temp.at(clock timestamptz) RETURNS TABLE (sent text)
	LANGUAGE sql
AS $$
	SELECT set_config('bioecko_appt.clock', clock::text, true);
	UPDATE appt.notification SET due_at = '2000-01-01 00:00+00' WHERE state = 'due';
	SELECT concat_ws(': ', m.subject, regexp_replace(m.body, 'offer_[^.]*\.(.*)\.[^.]{22}',
		'offer_….\1.…'))
	FROM appt_relay.claim_notifications(1, 100) m
	ORDER BY m.notification_no
$$;
CREATE FUNCTION pg_temp.id(patient text) RETURNS text
	LANGUAGE sql
AS $$
	SELECT o.offer_id FROM appt.waitlist_offer o JOIN appt.patient p USING (patient_no)
	WHERE p.patient_id = patient ORDER BY o.offer_no DESC LIMIT 1
$$;

-- Without a channel nobody is told; the place is kept all the same.
SELECT offer_id ~ '^offer_[A-Za-z0-9_-]{22}$' AS id, slot_start, slot_end, offered_at, expires_at
FROM appt.offer('PAT-1', 'DOC-001', '2026-03-16 09:00+05:30');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT appt.explain_slot('DOC-001', '2026-03-16 09:00+05:30');
SELECT pg_temp.try($$SELECT appt.book('PAT-2', 'DOC-001', '2026-03-16 09:00+05:30')$$);
SELECT * FROM pg_temp.offers();
SELECT * FROM pg_temp.told();
SELECT appt.explain_notification(pg_temp.id('PAT-1'));
SELECT what, branch_id, doctor_id, on_date FROM appt_internal.change
WHERE what = 'hold';

-- Whoever could not be booked there is not offered it, for the same reasons.
SELECT pg_temp.try(format($$SELECT appt.offer(%s)$$, a)) FROM unnest(ARRAY[
	$$NULL, 'DOC-001', '2026-03-16 09:15+05:30'$$,
	$$'PAT-X', 'DOC-001', '2026-03-16 09:15+05:30'$$,
	$$'PAT-2', 'DOC-X', '2026-03-16 09:15+05:30'$$,
	$$'PAT-2', 'DOC-001', NULL$$,
	$$'PAT-2', 'DOC-001', '2026-03-16 09:00+05:30'$$,
	$$'PAT-2', 'DOC-001', '2026-03-16 09:05+05:30'$$,
	$$'PAT-2', 'DOC-001', '2026-03-16 10:30+05:30'$$,
	$$'PAT-2', 'DOC-001', '2026-03-14 11:45+05:30'$$,
	$$'PAT-2', 'DOC-001', '2026-12-16 09:15+05:30'$$,
	$$'PAT-2', 'DOC-001', '2026-03-16 09:15+05:30', expires_at => '2026-03-14 12:00+05:30'$$
	]) WITH ORDINALITY AS t (a, place) ORDER BY place;
UPDATE appt.patient SET active = false WHERE patient_id = 'PAT-9';
SELECT pg_temp.try($$SELECT appt.offer('PAT-9', 'DOC-001', '2026-03-16 09:15+05:30')$$);
SELECT (appt.book('PAT-8', 'DOC-001', '2026-03-16 11:45+05:30')).token_number;
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Sen');
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-002', 'MUM-01', d, '09:00', '12:00' FROM generate_series(1, 7) d;
SELECT pg_temp.try($$SELECT appt.offer('PAT-8', 'DOC-002', '2026-03-16 11:45+05:30')$$);
INSERT INTO appt.setting (name, value) VALUES ('patient_daily_limit', '1');
SELECT pg_temp.try($$SELECT appt.offer('PAT-8', 'DOC-002', '2026-03-16 09:00+05:30')$$);
DELETE FROM appt.setting WHERE name = 'patient_daily_limit';
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-002';
SELECT pg_temp.try($$SELECT appt.offer('PAT-2', 'DOC-002', '2026-03-16 09:00+05:30')$$);
SELECT count(*) FROM appt.waitlist_offer;

-- Until when: by the setting of doctor, branch or all, sooner if asked for, and
-- never beyond the beginning.
INSERT INTO appt.setting (name, branch_id, value) VALUES ('offer_min', 'MUM-01', '300');
SELECT (appt.offer('PAT-2', 'DOC-001', '2026-03-16 09:15+05:30')).expires_at;
INSERT INTO appt.setting (name, doctor_id, value) VALUES ('offer_min', 'DOC-001', '10080');
SELECT (appt.offer('PAT-3', 'DOC-001', '2026-03-16 09:30+05:30')).expires_at;
SELECT (appt.offer('PAT-4', 'DOC-001', '2026-03-16 09:45+05:30',
	expires_at => '2026-03-14 12:30+05:30')).expires_at;
SELECT pg_temp.try($$INSERT INTO appt.setting (name, value) VALUES ('offer_min', '0')$$);
DELETE FROM appt.setting WHERE name = 'offer_min';

-- Only its patient is booked from it; that ends it. So does a move of his.
SELECT pg_temp.try(format($$SELECT appt.book('PAT-5', 'DOC-001', '2026-03-16 09:15+05:30',
	hold_id => %L)$$, pg_temp.id('PAT-2'))) ~ 'is kept for another patient' AS refused;
SELECT appointment_id, token_number FROM appt.book('PAT-2', 'DOC-001',
	'2026-03-16 09:15+05:30', hold_id => pg_temp.id('PAT-2'));
SELECT appointment_id AS visit FROM appt.book('PAT-3', 'DOC-001',
	'2026-03-17 09:15+05:30') \gset
SELECT slot_start FROM appt.reschedule(:'visit', '2026-03-16 09:30+05:30',
	hold_id => pg_temp.id('PAT-3'));
SELECT appt.release(pg_temp.id('PAT-1'));
SET LOCAL bioecko_appt.clock = '2026-03-14 12:30+05:30';
SELECT * FROM pg_temp.offers();
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT pg_temp.try(format($$SELECT appt.book('PAT-4', 'DOC-001', '2026-03-16 09:45+05:30',
	hold_id => %L)$$, pg_temp.id('PAT-4'))) ~ '^SB940' AS expired;
SELECT holds FROM appt.expire();
SELECT * FROM pg_temp.offers() WHERE patient = 'PAT-4';
SELECT pg_temp.try(format($$SELECT appt.release(%L)$$, pg_temp.id('PAT-4'))) ~ '^SB404' AS gone;
-- An absence takes a place that is kept away, without a word, as of any hold.
SELECT (appt.offer('PAT-6', 'DOC-001', '2026-03-18 09:00+05:30')).expires_at;
INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
VALUES ('DOC-001', '2026-03-18 00:00+05:30', '2026-03-19 00:00+05:30');
SELECT * FROM pg_temp.offers() WHERE patient = 'PAT-6';

-- The message: in the patient's language, by the patient's channel.
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('sms', 'sms', '{"url": "https://sms.example/", "body": {"text": "{{body}}"},
		"reports": true}'),
	('mail', 'email', '{"host": "mail.example", "from": "visits@clinic.example"}');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('waitlist_offer', 'sms', 'en', '{{patient_first_name}}: {{slot_date}} {{slot_time}}
{{doctor_name}}, {{token_number}}{{reason}}{{appointment_id}}until {{offer_until}}
{{offer_link}}
{{view_link}}'),
	('waitlist_offer', 'sms', 'hi', 'नमस्ते {{patient_first_name}}, {{offer_until}}');
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('waitlist_offer', 'email', 'en', 'Free: {{slot_date}}', 'until {{offer_until}}');
SELECT pg_temp.try($$INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('waitlist_offer', 'sms', 'fr', '{{offer_end}}')$$);
UPDATE appt.patient SET language = 'hi' WHERE patient_id = 'PAT-6';
SELECT (appt.offer('PAT-5', 'DOC-001', '2026-03-19 09:00+05:30')).expires_at;
SELECT (appt.offer('PAT-6', 'DOC-001', '2026-03-19 09:15+05:30')).expires_at;
SELECT (appt.offer('PAT-7', 'DOC-001', '2026-03-19 09:30+05:30', notify => false)).expires_at;
SELECT planned_at, event, appointment_id, patient_id, channel, language, reason
FROM appt.planned_notifications(1);
SELECT * FROM pg_temp.told();
SELECT * FROM pg_temp.at('2026-03-14 12:30+05:30');
SELECT * FROM appt.explain_notification(pg_temp.id('PAT-5'));
SELECT * FROM appt.explain_notification(pg_temp.id('PAT-7'));
-- With links there is the offer's, and none of a visit that is not yet.
INSERT INTO appt.setting (name, value) VALUES ('public_url', 'https://v.example');
SELECT n.n, appt_internal.offer_status(o) FROM appt.waitlist_offer o
CROSS JOIN LATERAL (SELECT regexp_replace(appt_internal.offer_link_value(o)->>'offer_link',
	'offer_[^.]{22}|[^.]{22}$', '…', 'g')) AS n (n)
WHERE o.offer_id = pg_temp.id('PAT-5');

-- What failed is told by the next channel, once; so is what was not reported.
SELECT state, channel FROM appt_relay.record_notifications('{1}', '{1}', '{0}', '{1}', '{400}',
	'{no}', '{}');
SELECT * FROM pg_temp.at('2026-03-14 12:31+05:30');
SELECT count(*) FROM appt_relay.record_notifications('{2,3}', '{1,1}', '{0,0}', '{1,1}',
	'{200,250}', '{NULL,NULL}', '{}');
UPDATE appt.notification SET sent_at = sent_at - interval '11 minutes' WHERE notification_no = 2;
SELECT unreported FROM appt_relay.tick_notifications();
SELECT unreported FROM appt_relay.tick_notifications();
-- It comes too late where the patient has answered meanwhile.
SELECT token_number FROM appt.book('PAT-6', 'DOC-001', '2026-03-19 09:15+05:30',
	hold_id => pg_temp.id('PAT-6'), notify => false);
SELECT * FROM pg_temp.at('2026-03-14 12:32+05:30');
SELECT * FROM pg_temp.told();
SELECT regexp_replace(e, ' on \d.*:\d\d', ' on …') AS explained
FROM appt.appointment a
CROSS JOIN LATERAL appt.explain_notification(a.appointment_id) e
WHERE a.patient_id = 'PAT-6' AND a.status = 'booked';
SELECT appointment_id IS NOT NULL AS visit, branch_id, doctor_id, slot_start, told_event, channel,
	state, skipped_because
FROM appt_report.notification ORDER BY notification_no;

-- Whose offer was withdrawn, has expired, who was erased or does not want any
-- is told of none.
SELECT (appt.offer('PAT-1', 'DOC-001', '2026-03-20 09:00+05:30')).expires_at;
SELECT appt.release(pg_temp.id('PAT-1'));
SELECT (appt.offer('PAT-2', 'DOC-001', '2026-03-20 09:15+05:30',
	expires_at => '2026-03-14 13:00+05:30')).expires_at;
INSERT INTO appt.notification_opt_out (patient_id, channel, event, way)
VALUES ('PAT-3', '*', 'waitlist_offer', 'desk');
SELECT (appt.offer('PAT-3', 'DOC-001', '2026-03-20 09:30+05:30')).expires_at;
SELECT (appt.offer('PAT-4', 'DOC-001', '2026-03-20 09:45+05:30')).expires_at;
SELECT * FROM appt.anonymise_patient('PAT-4');
SELECT reason FROM appt.planned_notifications(1) WHERE patient_id = 'PAT-3';
SELECT * FROM pg_temp.at('2026-03-14 13:00+05:30');
SELECT * FROM pg_temp.told() WHERE no > 4;
SELECT * FROM pg_temp.offers() OFFSET 8;
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-20');
SELECT appt.explain_notification(pg_temp.id('PAT-2'));
-- What was sent keeps no address of who is erased.
SELECT appt.release(pg_temp.id('PAT-5'));
SELECT * FROM appt.anonymise_patient('PAT-5');
SELECT * FROM pg_temp.told() WHERE no IN (1, 3);

-- In quiet hours it waits for their end, and the minutes count from there; what
-- would come when the place is not kept any more is not sent.
SET LOCAL bioecko_appt.clock = '2026-03-14 22:00+05:30';
SELECT (appt.offer('PAT-1', 'DOC-001', '2026-03-21 09:00+05:30')).expires_at;
SELECT (appt.offer('PAT-2', 'DOC-001', '2026-03-21 09:15+05:30', notify => false)).expires_at;
SELECT (appt.offer('PAT-7', 'DOC-001', '2026-03-21 09:30+05:30',
	expires_at => '2026-03-15 08:00+05:30')).expires_at;
INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'MUM-01', '2026-03-15', '07:00', '08:00');
SELECT (appt.offer('PAT-0', 'DOC-001', '2026-03-15 07:00+05:30')).expires_at;
SELECT planned_at, patient_id, channel, reason FROM appt.planned_notifications(12)
WHERE event = 'waitlist_offer';
SELECT * FROM pg_temp.at('2026-03-14 22:00+05:30');
SELECT * FROM pg_temp.told() WHERE no > 8;
SELECT * FROM pg_temp.at('2026-03-15 08:00+05:30');
-- What may be told at some hours alone waits for them, or is not told.
UPDATE appt.notification_template SET category = 'promotional'
WHERE event = 'waitlist_offer';
INSERT INTO appt.setting (name, value) VALUES ('offer_min', '180');
SELECT (appt.offer('PAT-2', 'DOC-001', '2026-03-21 09:45+05:30')).expires_at;
SELECT (appt.offer('PAT-3', 'DOC-001', '2026-03-21 11:00+05:30',
	expires_at => '2026-03-15 09:59+05:30')).expires_at;
DELETE FROM appt.notification_opt_out;
SELECT * FROM pg_temp.at('2026-03-15 08:00+05:30');
SELECT * FROM pg_temp.told() WHERE no > 11;
SELECT * FROM pg_temp.at('2026-03-15 10:00+05:30');

-- A channel is given no more of them than it has room for; a test needs none.
SELECT (appt.offer(p, 'DOC-001', t)).expires_at FROM (VALUES
	('PAT-6', '2026-03-22 09:00+05:30'::timestamptz),
	('PAT-8', '2026-03-22 09:15+05:30'), ('PAT-0', '2026-03-22 09:30+05:30')) o (p, t);
CREATE FUNCTION pg_temp.claim(room integer, has integer) RETURNS TABLE (no bigint, protocol text)
	LANGUAGE sql
AS $$
	UPDATE appt.notification SET due_at = '2000-01-01 00:00+00' WHERE state = 'due';
	SELECT m.notification_no, m.protocol
	FROM appt_relay.claim_notifications(1, 100, per_channel => room,
		channel_nos => ARRAY(SELECT channel_no FROM appt.notification_channel),
		leased => ARRAY(SELECT has FROM appt.notification_channel)) m
	ORDER BY m.notification_no
$$;
SELECT * FROM pg_temp.claim(2, 0);
SELECT * FROM pg_temp.claim(2, 2);
SELECT (appt.test_channel(channel_id, 'desk@example.org')).state
FROM appt.notification_channel WHERE kind = 'email';
SELECT * FROM pg_temp.claim(2, 2);
SELECT * FROM pg_temp.claim(2, 1);

-- By hand it is sent again, judged anew.
SELECT count(*) FROM appt_relay.record_notifications('{9}', '{1}', '{0}', '{1}', '{200}',
	'{NULL}', '{}');
SELECT state FROM appt.resend_notification(9);
SELECT * FROM pg_temp.at('2026-03-15 11:00+05:30');
SELECT * FROM pg_temp.told() WHERE no = 9;

-- They are kept for 90 days.
SET LOCAL bioecko_appt.clock = '2026-07-15 11:00+05:30';
SELECT deleted > 0 AS swept FROM appt.upkeep() WHERE what = 'offers';
SELECT count(*) FROM appt.waitlist_offer;
SELECT count(*) FROM appt.waitlist_offer_message;
SELECT * FROM appt.check_rows();
ROLLBACK;
