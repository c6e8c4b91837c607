-- appt.health: what it looks at, and each check brought to fail.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- The test's clock stands still, and that is said. Nothing else is wrong.
SELECT check_name, ok
FROM appt.health();
SELECT check_name, detail, what_to_do
FROM appt.health()
WHERE NOT ok;
SELECT count(*) AS well_and_nothing_to_do
FROM appt.health()
WHERE ok AND what_to_do IS NULL;
RESET bioecko_appt.clock;
SELECT check_name, detail
FROM appt.health()
WHERE check_name = 'clock';
SET LOCAL bioecko_appt.clock = '2026-03-14 12:00+05:30';

CREATE FUNCTION pg_temp.unwell(VARIADIC checks text[])
	RETURNS TABLE (check_name text, ok boolean, detail text, what_to_do text)
	LANGUAGE sql
AS $$
	SELECT h.check_name, h.ok,
		regexp_replace(h.detail, 'wh_\S+ |\d{4}-\d\d-\d\d \d\d:\d\d',
			'… ', 'g'),
		h.what_to_do
	FROM appt.health() h
	WHERE h.check_name = ANY (checks)
$$;

-- A hold that nobody cleaned up.
SELECT status FROM appt.hold('DOC-001', '2026-03-16 09:00');
SELECT * FROM pg_temp.unwell('expired_holds');
SET LOCAL bioecko_appt.clock = '2026-03-14 12:14+05:30';
SELECT ok, detail FROM pg_temp.unwell('expired_holds');
SET LOCAL bioecko_appt.clock = '2026-03-14 12:16+05:30';
SELECT * FROM pg_temp.unwell('expired_holds');
SELECT holds FROM appt.expire();
SELECT ok, detail FROM pg_temp.unwell('expired_holds');

-- A time zone that an update of the server took away, a setting that came in
-- past its trigger.
ALTER TABLE appt.branch DROP CONSTRAINT branch_time_zone_known;
INSERT INTO appt.branch (branch_id, name, time_zone, active)
VALUES ('OLD-01', 'Old', 'Asia/Atlantis', false);
ALTER TABLE appt.setting DISABLE TRIGGER setting_check;
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('hold_min', NULL, '0'),
	('lead_time_min', NULL, '30'),
	('horizon_days', 'OLD-01', 'ninety'),
	('patient_id_prefix', NULL, 'pat');
SELECT * FROM pg_temp.unwell('time_zones', 'settings');

-- An endpoint without a relay: what it should have been sent is due.
SELECT webhook_id FROM appt.create_webhook('https://receiver.example.org/hook')
\gset
SELECT * FROM pg_temp.unwell('relay', 'outbox_lag');
UPDATE appt.delivery SET due_at = clock_timestamp() - interval '61 seconds';
SELECT check_name, ok, regexp_replace(detail, ': 6\d', ': 6…'), what_to_do
FROM pg_temp.unwell('oldest_due_delivery');
INSERT INTO appt.delivery (webhook_no, event_no)
SELECT webhook_no, -n
FROM appt.webhook
CROSS JOIN generate_series(1, 10000) n;
SELECT * FROM pg_temp.unwell('outbox_lag');

-- It fails, then the relay gives up on it.
UPDATE appt.webhook SET failing_since = clock_timestamp() - interval '59 min';
SELECT ok FROM pg_temp.unwell('webhook_endpoints');
UPDATE appt.webhook SET failing_since = clock_timestamp() - interval '61 min';
SELECT * FROM pg_temp.unwell('webhook_endpoints');
UPDATE appt.delivery
SET state = 'dead', finished_at = clock_timestamp() - n * interval '1 day'
FROM (VALUES (-1, 1), (-2, 6), (-3, 8)) d (event, n)
WHERE event_no = d.event;
UPDATE appt.delivery
SET state = 'delivered', finished_at = clock_timestamp()
WHERE event_no = -4;
SELECT * FROM pg_temp.unwell('dead_deliveries');
UPDATE appt.webhook
SET status = 'disabled', disabled_reason = 'gone',
	disabled_at = clock_timestamp();
SELECT ok, detail FROM pg_temp.unwell('webhook_endpoints');
UPDATE appt.delivery SET state = 'held' WHERE event_no < -9000;

-- The same on the dashboard; of the URL only the host.
SELECT host, status, disabled_reason, pending, due, in_flight, held,
	oldest_due_s BETWEEN 61 AND 90 AS about_a_minute, delivered_24h, dead_24h
FROM appt_report.webhook_health;

UPDATE appt.webhook SET url = 'https://[2001:db8::1]:8443/hook?key=7';
SELECT host FROM appt_report.webhook_health;

-- Triggers that were switched off, and one that a restore has switched on for
-- the ordinary session alone.
ALTER TABLE appt.setting ENABLE TRIGGER setting_check;
ALTER TABLE appt.visit_type DISABLE TRIGGER ALL;
SELECT * FROM pg_temp.unwell('triggers') \gx
ALTER TABLE appt.visit_type ENABLE TRIGGER ALL;
SELECT * FROM pg_temp.unwell('triggers') \gx
ALTER TABLE appt.visit_type ENABLE ALWAYS TRIGGER schedule_changed;
ALTER TABLE appt.visit_type ENABLE REPLICA TRIGGER schedule_replicated;
ALTER TABLE appt.visit_type ENABLE ALWAYS TRIGGER next_version;
SELECT * FROM pg_temp.unwell('triggers');

-- Who may ask.
SET LOCAL ROLE appt_admin;
SELECT count(*) FROM appt.health();
SET LOCAL ROLE appt_reporting;
SELECT count(*) FROM appt_report.health;
SET LOCAL ROLE appt_gateway;
SELECT count(*) FROM appt.health();
RESET ROLE;
ROLLBACK;
