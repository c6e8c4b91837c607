-- Sign-ins from new devices: who is told, once, in which words; that nothing of
-- it keeps anybody out; what becomes of the mail where a channel goes or fails.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all
\set SHOW_CONTEXT never

ALTER SEQUENCE appt.notification_notification_no_seq RESTART;
CREATE TABLE pg_temp.person AS
SELECT account, appt.create_staff(account, name, 'reception', '$y$' || account,
	language => language, email => email) AS staff_id
FROM (VALUES ('asha', 'Asha Rao', 'en', 'asha@clinic.example'),
	('bina', 'Bina', 'hi-IN', 'bina@clinic.example'), ('chandra', 'Chandra', 'en', NULL))
	AS v (account, name, language, email);

-- Signs in, by a browser that is known or not; who it then is.
CREATE FUNCTION pg_temp.enter(account text, known boolean, address text DEFAULT '192.0.2.7',
	agent text DEFAULT 'Mozilla/5.0 (Windows NT 10.0; Win64) Gecko/20100101 Firefox/130.0')
	RETURNS text
	LANGUAGE sql VOLATILE
AS $$
	SELECT i.body::json->>'account'
	FROM pg_temp.person p
	CROSS JOIN LATERAL appt_api.sign_in(p.staff_id, '$y$' || p.account, NULL, NULL,
		encode(sha256(uuid_send(gen_random_uuid())), 'hex'), $3, $4, $2) i
	WHERE p.account = $1
$$;
CREATE FUNCTION pg_temp.log() RETURNS TABLE (message text)
	LANGUAGE sql
AS $$
	SELECT concat_ws(' ', n.event, n.state, n.reason, n.channel, n.language, n.address)
	FROM appt.notification n ORDER BY n.notification_no
$$;

-- Without a channel there is the entry in the audit trail; the first sign-in of an
-- account is of no new device.
SELECT pg_temp.enter('asha', false), pg_temp.enter('asha', false);
SELECT action, actor, host(address) AS address, detail
FROM appt.staff_audit WHERE account = 'asha' ORDER BY staff_audit_no;
SELECT * FROM pg_temp.log();

-- Through the channel that patients are told by. A browser that is known is not
-- told of, one that keeps no cookie once an hour, one elsewhere at once.
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "h.example", "from": "a@b.example"}');
UPDATE appt.staff_audit SET at = at - interval '2 hours';
SELECT pg_temp.enter('asha', true);
SELECT * FROM pg_temp.log();
SELECT pg_temp.enter('asha', false), pg_temp.enter('asha', false),
	pg_temp.enter('asha', false, '198.51.100.9'),
	pg_temp.enter('asha', false, agent => 'curl/8.0 <script>'),
	pg_temp.enter('asha', false, agent => NULL);
SELECT pg_temp.enter('bina', true), pg_temp.enter('bina', false, '2001:db8::');
SELECT pg_temp.enter('chandra', true), pg_temp.enter('chandra', false);
SELECT * FROM pg_temp.log();
SELECT account, host(address) AS address, detail
FROM appt.staff_audit WHERE action = 'new_device' ORDER BY staff_audit_no;

INSERT INTO appt.page_text (language, name, text)
VALUES ('hi', 'sign_in_hello', 'Namaste {{name}},'), ('hi', 'sign_in_time', 'Samay');
SELECT pg_temp.try('INSERT INTO appt.page_text VALUES (''hi'', ''sign_in_mine'', '
	'''{{doctor_name}}'') RETURNING 1');
-- As the relay is given them: no invitation, no link, nothing of the browser's
-- own words.
CREATE FUNCTION pg_temp.mails() RETURNS TABLE (mail text)
	LANGUAGE sql
AS $$
	SELECT concat_ws(E'\n', m.protocol, m.recipient, m.recipient_name, m.subject,
		regexp_replace(m.body, '\d\d/\d\d/\d{4} \d\d:\d\d', 'now'),
		m.calendar_method, m.unsubscribe_url, 'attempt ' || m.attempt)
	FROM appt_relay.claim_notifications(1, 100) m ORDER BY m.notification_no
$$;
\pset format unaligned
SELECT * FROM pg_temp.mails();
SELECT m.body FROM unnest((appt_internal.claim_apart(1, 10, '60 s', '{}')).messages) m;
\pset format aligned
SELECT * FROM pg_temp.log();

-- Retried as others are, and forgotten when it is done.
CREATE FUNCTION pg_temp.answer(status integer) RETURNS void
	LANGUAGE sql
AS $$
	SELECT appt_relay.record_notifications(array_agg(n.notification_no),
		array_agg(n.fence), array_agg(0::bigint), array_agg(1), array_agg($1),
		array_agg('x'::text), array_agg('said'::text), '{0,0,0}')
	FROM appt.notification n WHERE n.state = 'sending'
$$;
SELECT pg_temp.answer(451);
SELECT * FROM pg_temp.log();
SELECT count(*) FROM pg_temp.mails();
SELECT pg_temp.answer(250);
SELECT count(*) FROM pg_temp.mails();
SELECT state, attempts, count(*) FROM appt.notification GROUP BY state, attempts;
SELECT count(*) FROM appt.notification_apart;
SELECT state FROM appt.resend_notification((SELECT max(notification_no) FROM appt.notification));
SELECT count(*) FROM pg_temp.mails();
-- Given up after its last attempt, it has no other channel; the health of what
-- patients are told is another matter.
SELECT pg_temp.enter('asha', false, '198.51.100.10');
SELECT count(*) FROM pg_temp.mails();
SELECT pg_temp.answer(550);
SELECT message FROM pg_temp.log() WHERE message LIKE '% failed %';
SELECT ok FROM appt.health() WHERE check_name = 'failed_messages';
SELECT appt.resend_failed_notifications('2000-01-01 00:00+00');

-- A lease that ran out, a test in between, another channel meanwhile, another
-- address, none.
SELECT pg_temp.enter('asha', false, '198.51.100.11');
SELECT state FROM appt.test_channel('mail', 'desk@clinic.example');
SELECT count(*) FROM pg_temp.mails();
UPDATE appt.notification SET lease_until = '2000-01-01 00:00+00' WHERE state = 'sending';
SELECT expired FROM appt_relay.tick_notifications();
UPDATE appt.notification_channel SET active = false;
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('other', 'email', '{"host": "other.example", "from": "a@b.example"}');
SELECT expired FROM appt_relay.tick_notifications();
SELECT m.url, m.recipient FROM appt_relay.claim_notifications(1, 10) m ORDER BY m.recipient;
SELECT pg_temp.answer(250);
SELECT pg_temp.enter('asha', false, '198.51.100.12');
UPDATE appt.staff SET email = 'elsewhere@clinic.example' WHERE account = 'asha';
SELECT count(*) FROM pg_temp.mails();
SELECT pg_temp.enter('asha', false, '198.51.100.13');
UPDATE appt.notification_channel SET active = false;
SELECT count(*) FROM pg_temp.mails();
SELECT message FROM pg_temp.log() OFFSET 7;
SELECT detail FROM appt.staff_audit WHERE action = 'updated';

-- What goes wrong with it keeps nobody out.
UPDATE appt.notification_channel SET active = true WHERE channel_id = 'mail';
ALTER TABLE appt.notification ADD CONSTRAINT full_up CHECK (event <> 'sign_in') NOT VALID;
SELECT pg_temp.enter('asha', false, '198.51.100.14');
SELECT host(address) AS address FROM appt.staff_audit WHERE action = 'new_device'
ORDER BY staff_audit_no DESC LIMIT 1;
ALTER TABLE appt.notification DROP CONSTRAINT full_up;

-- One's own address, with the password that counts; what is no address.
SELECT appt_api.set_own_email(encode(token_hash, 'hex'), '$y$' || p.account, v.email)::json
	->>'email' AS email
FROM (VALUES (1, 'b@clinic.example'), (2, NULL)) AS v (n, email)
CROSS JOIN pg_temp.person p JOIN appt.staff_sign_in i USING (staff_id)
WHERE p.account = 'chandra' AND i.created_at = (
	SELECT max(created_at) FROM appt.staff_sign_in WHERE staff_id = p.staff_id)
ORDER BY n;
SELECT appt_api.set_own_email(encode(token_hash, 'hex'), '$y$other', 'x@clinic.example') IS NULL
	AS refused
FROM appt.staff_sign_in LIMIT 1;
SELECT address, pg_temp.try(format('SELECT appt.create_staff(''d'', ''D'', ''admin'', ''$y$d'', '
	'email => %L)', address)) AS said
FROM unnest(ARRAY['x', 'a b@c', E'a@b\r\nBcc: c@d', '"a"@b', 'é@b']) address;
SELECT pg_temp.try('UPDATE appt.staff SET email = ''x'' RETURNING 1');

-- An account that is deleted has none.
SELECT appt_api.delete_staff(staff_id, NULL, NULL) IS NULL AS deleted
FROM pg_temp.person WHERE account = 'bina';
SELECT account, email FROM appt.staff WHERE account = 'bina';

-- What people call browsers.
SELECT appt_internal.browser_name('Mozilla/5.0 (' || system || ') ' || rest) AS browser,
	system, rest
FROM (VALUES
	('Windows NT 10.0; Win64; x64', 'AppleWebKit/537.36 Chrome/126.0 Safari/537.36'),
	('Windows NT 10.0; Win64; x64', 'AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0'),
	('Macintosh; Intel Mac OS X 14_5', 'AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15'),
	('iPhone; CPU iPhone OS 17_5 like Mac OS X', 'CriOS/126.0 Mobile/15E148 Safari/604.1'),
	('Linux; Android 14; SM-S911B', 'SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36'),
	('X11; CrOS x86_64 14541.0.0', 'Chrome/126.0.0.0 Safari/537.36 OPR/110.0'),
	('X11; Ubuntu; Linux x86_64; rv:127.0', 'Gecko/20100101 Firefox/127.0'),
	('compatible', 'Opera-less <b>Firefox</b>'))
	AS v (system, rest);
SELECT appt_internal.browser_name('curl/8.5.0'), appt_internal.browser_name(NULL);

ROLLBACK;
