-- Templates of messages: what can be saved, who changes it, and what becomes
-- of one with an appointment.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

ALTER SEQUENCE appt.appointment_no_seq RESTART;
ALTER SEQUENCE appt.notification_template_notification_template_no_seq RESTART;

-- Made, shown, changed.
SELECT id, version, replayed, jsonb_pretty(body::jsonb) AS body
FROM appt_api.create_notification_template('{"event": "booked",
	"channel": "email", "language": "en",
	"subject": "Your appointment on {{slot_date}}",
	"body": "Dear {{patient_name}},\n\n{{slot_date}} at {{slot_time}}.\n"}',
	NULL, NULL, NULL);
SELECT version, body::jsonb->'subject' AS subject
FROM appt_api.update_notification_template('1', '{"subject": "See you"}', 1,
	NULL, NULL, NULL);
SELECT pg_temp.try($$SELECT appt_api.update_notification_template('1',
	'{"subject": "Twice"}', 1, NULL, NULL, NULL)$$);
SELECT version FROM appt_api.update_notification_template('1', '{}', 2, NULL,
	NULL, NULL);
SELECT version, body::jsonb->'active' AS active
FROM appt_api.update_notification_template('1', '{"active": false}', NULL,
	NULL, NULL, NULL);
SELECT version, body::jsonb->'active' AS active
FROM appt_api.update_notification_template('1', '{"active": null}', NULL,
	NULL, NULL, NULL);
SELECT version, body::jsonb->>'event' AS event
FROM appt_api.get_notification_template('1', NULL);
SELECT pg_temp.try($$SELECT appt_api.get_notification_template('2', NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.get_notification_template('x', NULL)$$);

-- Each bad member is named, with a sentence.
CREATE FUNCTION pg_temp.create(members jsonb) RETURNS text
	LANGUAGE sql VOLATILE
RETURN pg_temp.try(format(
	'SELECT version FROM appt_api.create_notification_template(%L, NULL, NULL,'
	' NULL)', '{"event": "cancelled", "channel": "email", "language": "en",
	"subject": "S", "body": "B"}'::jsonb || members));
SELECT members, pg_temp.create(members) AS refused
FROM (VALUES
	(1, '{"event": null}'::jsonb),
	(2, '{"event": "walked_in"}'),
	(3, '{"channel": null}'),
	(4, '{"channel": "fax"}'),
	(5, '{"language": null}'),
	(6, '{"language": "English"}'),
	(7, '{"language": "en_IN"}'),
	(8, '{"language": "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd"}'),
	(9, '{"subject": null}'),
	(10, '{"subject": " "}'),
	(11, '{"subject": "Visit\r\nBcc: x@example.org"}'),
	(12, '{"subject": "Visit\nX: y"}'),
	(13, '{"subject": "Visit\u0085X: y"}'),
	(14, '{"subject": "Visit\u2028X: y"}'),
	(15, '{"channel": "sms"}'),
	(16, '{"channel": "whatsapp"}'),
	(17, '{"body": null}'),
	(18, '{"body": ""}'),
	(19, '{"body": " \n\t "}'),
	(20, '{"body": "a\r\nb"}'),
	(21, '{"body": "a\u0007b"}'),
	(22, '{"active": "perhaps"}'),
	(23, '{"branch_id": "MUM-01"}'),
	(24, '{"version": 2}'),
	(25, '{"event": "booked"}'),
	(26, '{"event": "booked", "language": "en-IN", "colour": "red"}'),
	(27, '{"notification_template_no": 7}'),
	(28, '{"category": "spam"}'),
	(29, '{"provider_template": "a b"}'),
	(30, '{"provider_language": "en-US-1"}'),
	(31, '{"dlt_template_id": "12a"}'),
	(32, '{"variables": {}}'),
	(33, '{"variables": [1]}'),
	(34, '{"variables": [{"name": "a b", "value": "x"}]}'),
	(35, '{"variables": [{"name": "a", "value": 1}]}'),
	(36, '{"variables": [{"name": "a", "value": "x", "max_length": 0}]}'),
	(37, '{"variables": [{"name": "a", "value": "x"},
		{"name": "a", "value": "y"}]}'),
	(38, '{"variables": [{"name": "a", "value": "{{who}}"}]}'),
	(39, '{"dlt_template_id": "1107161234567890123", "variables": [
		{"name": "a", "value": "x", "max_length": 31}]}'),
	(40, '{"dlt_template_id": "1107161234567890123", "variables": [
		{"name": "a", "value": ""}, {"name": "b", "value": ""},
		{"name": "c", "value": ""}, {"name": "d", "value": ""}]}'))
	AS bad (place, members)
ORDER BY place;
SELECT pg_temp.try($$SELECT appt_api.update_notification_template('1',
	'{"notification_template_no": 7}', NULL, NULL, NULL, NULL)$$);

-- By SMS in India: the text that is registered and no other. What some
-- operators do not take is warned of.
SELECT n, pg_temp.create('{"channel": "sms", "subject": null,
	"dlt_template_id": "1107161234567890123"}'::jsonb || m) AS refused
FROM (VALUES
	(1, '{"body": "Dear {{patient_name}}, come at {{slot_time}}.",
		"dlt_text": "Dear {#var#}, come on {#var#}."}'::jsonb),
	(2, '{"body": "Come at {{slot_time}}.", "dlt_text": "Come at 9."}'),
	(3, '{"body": "Come.", "dlt_text": "Come. Thanks"}'),
	(4, '{"body": "Come at 9.", "dlt_text": "Come at {#var#}."}'),
	(5, '{"body": "{{doctor_name}} {{slot_date}} {{slot_time}} {{branch_name}}",
		"dlt_text": "{#var#} {#var#} {#var#} {#var#}"}'),
	(6, '{"dlt_template_id": null, "dlt_text": "Come."}'))
	AS bad (n, m)
ORDER BY n;
SELECT n, pg_temp.create('{"channel": "sms", "subject": null,
	"dlt_template_id": "1107161234567890123"}'::jsonb || m) AS saved
FROM (VALUES
	(1, '{"language": "en", "body": "Dear {{patient_name}}, at {{slot_time}}.",
		"dlt_text": "Dear {#alphanumeric#}, at {#var#}."}'::jsonb),
	(2, '{"language": "hi", "body": "{{doctor_name}} {{slot_date}} {{slot_time}}",
		"dlt_text": "{#var#} {#var#} {#var#}"}'),
	(3, '{"language": "mr", "body": "Come."}'))
	AS good (n, m)
ORDER BY n;

-- The answer says so, too; and what the channel sends that is not set.
CREATE FUNCTION pg_temp.warnings(changes jsonb) RETURNS jsonb
	LANGUAGE sql VOLATILE
AS $$
	SELECT u.body::jsonb->'warnings'
	FROM appt.notification_template t
	CROSS JOIN LATERAL appt_api.update_notification_template(
		t.notification_template_no::text, changes, NULL, NULL, NULL, NULL) u
	WHERE t.channel = 'sms' AND t.language = 'hi'
$$;
SELECT pg_temp.warnings('{}');
SELECT pg_temp.warnings('{"body": "Come.", "dlt_text": null, "variables": [
	{"name": "a", "value": "1"}, {"name": "b", "value": "2"},
	{"name": "c", "value": "3"}]}');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('sms', 'sms', '{"url": "https://sms.example/", "body": {
	"flow": "{{provider_template}}", "dlt": "{{dlt_template_id}}"}}');
SELECT pg_temp.warnings('{"dlt_template_id": null, "dlt_text": null}');
SELECT pg_temp.warnings('{"provider_template": "f1"}');
SELECT l->>'language' AS language, l->'warnings' AS warnings
FROM appt_api.list_notification_templates(NULL, 'sms', NULL, NULL, NULL, NULL, NULL) p
CROSS JOIN jsonb_array_elements(p.body::jsonb) l;
UPDATE appt.notification_channel SET active = false;
SELECT pg_temp.warnings('{}');
DELETE FROM appt.notification_channel;
DELETE FROM appt.notification_template WHERE channel = 'sms';
SELECT appt_internal.fill_short('{{a}}, {{b}}',
	'{"a": "नमस्तेनमस्ते", "b": 12345678}', 5);

-- Placeholders: only those that there are, written just so.
SELECT pg_temp.create(jsonb_build_object('body', template)) AS refused
FROM unnest(ARRAY['{{patient_frist_name}}', 'At {{ slot_time }}',
	'{{Slot_Time}}', '{{slot_time', 'Dear {{', '{{}}', '}}', 'at slot_time}}',
	'{{{slot_time}}}', '{{{{slot_time}}}}', E'{{slot_\ntime}}',
	'{{slot_time}} {{slot_day}} {{slot_week}}',
	'{{' || repeat('x', 100) || '}}']) AS t (template);
SELECT pg_temp.create('{"subject": "{{slotdate}}", "body": "{{slotdate}}"}');
SELECT pg_temp.try($$SELECT appt_api.update_notification_template('1',
	'{"body": "{{doctor}}"}', NULL, NULL, NULL, NULL)$$);
SELECT name, meaning FROM appt.notification_placeholder ORDER BY name;

-- Braces that are none, all placeholders at once, and the lengths.
CREATE FUNCTION pg_temp.accepts(members jsonb) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	answer text := pg_temp.create(members);
BEGIN
	DELETE FROM appt.notification_template WHERE event = 'cancelled';
	RETURN answer;
END
$$;
SELECT pg_temp.accepts('{"body": "{a} } { {slot_time} {{slot_time}}} \t"}');
SELECT pg_temp.accepts(jsonb_build_object('body',
	string_agg('{{' || name || '}}', '')))
FROM appt.notification_placeholder;
SELECT channel, size, pg_temp.accepts(jsonb_build_object('channel', channel,
	'subject', CASE channel WHEN 'email' THEN 'S' END, 'body',
	repeat('अ', size)))
FROM (VALUES ('email', 10000), ('email', 10001), ('sms', 1000), ('sms', 1001),
	('whatsapp', 1000), ('whatsapp', 1001)) AS v (channel, size);
SELECT size, pg_temp.accepts(jsonb_build_object('subject',
	repeat('अ', size)))
FROM (VALUES (200), (201), (501)) AS v (size);
SELECT language, pg_temp.accepts(jsonb_build_object('language', language))
FROM unnest('{hi,en-IN,sr-Latn-RS,es-419,ca-valencia,mai}'::text[]) language;

-- One template for each event, channel and language, however it is written.
SELECT pg_temp.create('{"language": "pt-BR"}');
SELECT pg_temp.create('{"language": "pt-br"}');
SELECT pg_temp.create('{"language": "pt"}');
SELECT pg_temp.create('{"language": "pt-BR", "channel": "sms",
	"subject": null}');
SELECT pg_temp.try(format($$SELECT appt_api.update_notification_template(%L,
	'{"language": "pt-BR"}', NULL, NULL, NULL, NULL)$$,
	notification_template_no))
FROM appt.notification_template WHERE language = 'pt';
SELECT pg_temp.try(format($$SELECT appt_api.update_notification_template(%L,
	'{"channel": "email"}', NULL, NULL, NULL, NULL)$$,
	notification_template_no))
FROM appt.notification_template WHERE channel = 'sms';

-- Lists, by each filter.
SELECT filter, jsonb_path_query_array(p.body::jsonb, '$[*].language') AS found,
	p.total
FROM (VALUES
	(1, '{}'::jsonb),
	(2, '{"event": "cancelled"}'),
	(3, '{"channel": "sms"}'),
	(4, '{"language": "pt-BR"}'),
	(5, '{"language": "pt-BR", "channel": "email"}'),
	(6, '{"active": false}')) AS f (place, filter)
CROSS JOIN LATERAL appt_api.list_notification_templates(filter->>'event',
	filter->>'channel', filter->>'language', (filter->>'active')::boolean, 1,
	20, NULL) AS p
ORDER BY place;
SELECT jsonb_path_query_array(body::jsonb, '$[*].language') AS found, total
FROM appt_api.list_notification_templates(NULL, NULL, NULL, NULL, 2, 3, NULL);
SELECT pg_temp.try($$SELECT appt_api.list_notification_templates('walked_in',
	NULL, NULL, NULL, 1, 20, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.list_notification_templates(NULL, 'fax',
	NULL, NULL, 1, 20, NULL)$$);
SELECT pg_temp.try($$SELECT appt_api.list_notification_templates(NULL, NULL,
	NULL, NULL, 0, 20, NULL)$$);

-- A client limited to a branch reads them and changes none.
SELECT client_id
FROM appt.create_client('Mumbai', branch_ids => '{MUM-01}', id => 'mumbai');
SELECT total FROM appt_api.list_notification_templates(NULL, NULL, NULL, NULL,
	1, 20, 'mumbai');
SELECT call, pg_temp.try('SELECT appt_api.' || call) AS answer
FROM (VALUES
	(1, $$create_notification_template('{"event": "booked",
		"channel": "sms", "language": "en", "body": "B"}', 'mumbai', NULL,
		NULL)$$),
	(2, $$update_notification_template('1', '{}', NULL, 'mumbai', NULL,
		NULL)$$),
	(3, $$delete_notification_template('1', NULL, 'mumbai')$$)
) AS asked (place, call)
ORDER BY place;

-- An answer is kept for its key.
SELECT client_id FROM appt.create_client('Admin', id => 'admin');
SELECT version, replayed FROM appt_api.create_notification_template(
	'{"event": "booked", "channel": "sms", "language": "en", "body": "B"}',
	'admin', 'key-1', 'h1');
SELECT version, replayed FROM appt_api.create_notification_template(
	'{"event": "booked", "channel": "sms", "language": "en", "body": "B"}',
	'admin', 'key-1', 'h1');
SELECT pg_temp.try($$SELECT appt_api.create_notification_template(
	'{"event": "booked", "channel": "sms", "language": "hi", "body": "B"}',
	'admin', 'key-1', 'h2')$$);

-- Deleted, if the version is that one.
SELECT pg_temp.try(
	$$SELECT appt_api.delete_notification_template('1', 1, NULL)$$);
SELECT appt_api.delete_notification_template('1', 4, NULL);
SELECT pg_temp.try(
	$$SELECT appt_api.delete_notification_template('1', NULL, NULL)$$);

-- In SQL the same rules hold; appt_admin writes the table.
\set SHOW_CONTEXT never
DELETE FROM appt.notification_template;
SET LOCAL ROLE appt_admin;
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'sms', 'en', 'See {{doctor}}');
\set VERBOSITY terse
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'email', 'en', 'No subject');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('boked', 'sms', 'en', 'B');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'sms', 'english', 'B');
RESET ROLE;
ALTER SEQUENCE appt.notification_template_notification_template_no_seq RESTART;
SET LOCAL ROLE appt_admin;
INSERT INTO appt.notification_template
	(event, channel, language, subject, body)
VALUES
	('booked', 'sms', 'en', NULL, 'en {{slot_date}} {{slot_time}}'),
	('booked', 'sms', 'en-GB', NULL, 'en-GB'),
	('booked', 'sms', 'hi', NULL, 'hi: {{patient_first_name}}'),
	('booked', 'sms', 'mr', NULL, 'mr'),
	('rescheduled', 'email', 'en', '{{branch_name}} {{branch_address}}',
		'{{reason}}|{{patient_last_name}}|{{token_number}}|{{doctor_name}}');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'sms', 'EN', 'B');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'sms', 'en-gb', 'B');
UPDATE appt.notification_template SET active = false WHERE language = 'mr';
UPDATE appt.notification_template SET active = false WHERE language = 'mr';
SELECT notification_template_no AS no, event, channel, language, active, version
FROM appt.notification_template ORDER BY no;

-- What becomes of one: the branch's date and time; a value stands there as it
-- is, and is no placeholder itself.
SELECT appointment_id AS a
FROM appt.book('PAT-1', 'DOC-001', '2026-03-16 09:15 Asia/Kolkata',
	visit_type => 'procedure') \gset
SET LOCAL timezone = 'America/New_York';
SELECT * FROM appt.render_template(1, :'a');
UPDATE appt.patient SET first_name = '{{slot_time}} $1 \1 }}{{'
WHERE patient_id = 'PAT-1';
UPDATE appt.branch SET address = E'{{reason}}\r\nBcc: x@example.org\u2028y'
WHERE branch_id = 'MUM-01';
SELECT * FROM appt.render_template(3, :'a');
SELECT to_json(r) FROM appt.render_template(5, :'a') r;
SELECT appointment_id FROM appt.reschedule(:'a',
	'2026-03-16 11:00 Asia/Kolkata', reason => E'First line\nsecond {{line}}');
SELECT to_json(r) FROM appt.render_template(5, :'a') r;
SELECT pg_temp.try($$SELECT appt.render_template(9, 'APT-2026-000001')$$);
SELECT pg_temp.try($$SELECT appt.render_template(1, 'APT-2026-000099')$$);
SELECT pg_temp.try(format('SELECT appt.render_template(1, %L)',
	appointment_id) ) ~ '^SB404' AS hold_refused
FROM appt.hold('DOC-001', '2026-03-16 09:00 Asia/Kolkata');

-- Every placeholder has a value, and nothing else has: those of links once
-- there is an address for them.
RESET ROLE;
SELECT appt_internal.link_values(a, 'email', true) AS no_links
FROM appt.appointment a WHERE a.appointment_id = :'a';
INSERT INTO appt.setting (name, value)
VALUES ('public_url', 'https://visits.clinic.example');
SELECT array_agg(p.name ORDER BY p.name) = ARRAY(
	SELECT jsonb_object_keys(appt_internal.template_values(:'a')
		|| appt_internal.link_values(a, 'email', true)
		|| appt_internal.sample_offer(a)) ORDER BY 1) AS same
FROM appt.notification_placeholder p
CROSS JOIN appt.appointment a
WHERE a.appointment_id = :'a'
GROUP BY a;
UPDATE appt.patient SET first_name = 'Patient', last_name = 'One'
WHERE patient_id = 'PAT-1';
UPDATE appt.branch SET address = 'Road', phone = '+91' WHERE true;
SELECT key, value FROM jsonb_each(appt_internal.template_values(:'a')) ORDER BY key;
SET LOCAL ROLE appt_admin;

-- Where there is no address, lines with a link are left out, and no others; a
-- preview's links open nothing. A link does not fit into a short variable.
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('follow_up', 'sms', 'en', E'{{view_link}}\n{{confirm_link}}\nFirst\n\n'
	'{{move_link}} or {{cancel_link}}\n\nLast {{reason}}\nSee {{confirm_link}}');
SELECT to_json(r.body) AS with_links
FROM appt.render_message('follow_up', 'sms', :'a') r;
DELETE FROM appt.setting WHERE name = 'public_url';
SELECT to_json(r.body) AS without
FROM appt.render_message('follow_up', 'sms', :'a') r;
SELECT length_of, pg_temp.try(format('UPDATE appt.notification_template '
	'SET variables = %L, dlt_template_id = %L WHERE event = ''follow_up'' '
	'RETURNING 1', jsonb_build_array(jsonb_build_object('name', 'V', 'value',
		'{{view_link}}') || length_of), dlt))
FROM (VALUES (jsonb '{}', NULL), ('{"max_length": 320}', NULL),
	('{"max_length": 319}', NULL), ('{}', '12345')) v (length_of, dlt);
DELETE FROM appt.notification_template WHERE event = 'follow_up';

-- By language: just that tag, the tag without its last parts, the default one.
SELECT language, template_language, body
FROM unnest('{en-GB,EN-gb,en-IN,en,hi-Latn-IN,hi,mr,fr,x}'::text[])
	WITH ORDINALITY AS l (language, place)
LEFT JOIN LATERAL appt.render_message('booked', 'sms', :'a', language) m ON true
ORDER BY place;
UPDATE appt.patient SET language = 'hi-IN' WHERE patient_id = 'PAT-1';
SELECT template_language FROM appt.render_message('booked', 'sms', :'a');
UPDATE appt.patient SET language = 'fr' WHERE patient_id = 'PAT-1';
INSERT INTO appt.setting (name, value) VALUES ('default_language', 'hi-IN');
SELECT template_language FROM appt.render_message('booked', 'sms', :'a');
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('default_language', 'MUM-01', 'en-GB');
SELECT template_language FROM appt.render_message('booked', 'sms', :'a');
UPDATE appt.setting SET value = 'mr' WHERE branch_id = 'MUM-01';
SELECT template_language FROM appt.render_message('booked', 'sms', :'a');
SELECT template_language FROM appt.render_message('cancelled', 'sms', :'a');
SELECT pg_temp.try(
	$$SELECT appt.render_message('boked', 'sms', 'APT-2026-000001')$$);
SELECT pg_temp.try(
	$$SELECT appt.render_message('booked', 'fax', 'APT-2026-000001')$$);
SELECT pg_temp.try(
	$$SELECT appt.render_message('booked', 'sms', 'APT-2026-000099')$$);
UPDATE appt.setting SET value = 'English' WHERE branch_id = 'MUM-01';
RESET ROLE;
SELECT pg_temp.try($$SELECT appt_api.update_setting('default_language', NULL,
	NULL, '{"value": "hindi"}', NULL, NULL, NULL, NULL)$$);
SELECT ok FROM appt.health() WHERE check_name = 'settings';

-- The other roles have no business with the table.
SELECT role, privilege, has_table_privilege(role,
	'appt.notification_template', privilege) AS may
FROM unnest('{appt_gateway,appt_relay,appt_reporting}'::text[]) role
CROSS JOIN unnest('{SELECT,INSERT}'::text[]) privilege
ORDER BY role, privilege;

ROLLBACK;
