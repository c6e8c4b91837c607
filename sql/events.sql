-- Whom an event is told to, and its body: each change that the appointment
-- object shows, moves between branches, patients.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('LON-01', 'Marylebone', 'Europe/London'),
	('PUN-01', 'Pune', 'Asia/Kolkata');
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-001', 'LON-01', '2026-03-19', '20:00', '21:00');
CREATE TEMP TABLE hook ON COMMIT DROP AS
SELECT name, (appt.create_webhook('https://receiver.example/' || name,
	branch_ids => branches)).webhook_id
FROM (VALUES ('all', NULL), ('mumbai', '{MUM-01}'::text[]),
	('london', '{LON-01}'), ('pune', '{PUN-01}')) v (name, branches);

-- Which endpoints were told of what has happened since the last time.
CREATE TEMP TABLE seen ON COMMIT DROP AS SELECT max(event_no) AS no
FROM appt.event;
CREATE FUNCTION pg_temp.told()
	RETURNS TABLE (event text, change text, told text)
	LANGUAGE sql
AS $$
	WITH n AS (SELECT no FROM seen), s AS (
		UPDATE seen SET no = (SELECT max(event_no) FROM appt.event))
	SELECT e.event_type, e.change, (
		SELECT string_agg(h.name, ' ' ORDER BY h.name)
		FROM appt.delivery d
		JOIN appt.webhook w USING (webhook_no)
		JOIN hook h USING (webhook_id)
		WHERE d.event_no = e.event_no)
	FROM appt.event e, n
	WHERE e.event_no > n.no
	ORDER BY e.event_no
$$;

-- Whatever the object shows has an event.
SELECT appointment_id AS a FROM appt.book('PAT-1', 'DOC-001',
	'2026-03-16 09:00', branch_id => 'MUM-01') \gset
SET LOCAL bioecko_appt.clock = '2026-03-16 08:55+05:30';
SELECT version FROM appt.set_priority(:'a', 5);
SELECT version FROM appt.edit(:'a', notes => 'Fasting');
SELECT version FROM appt.check_in(:'a');
SELECT version FROM appt.undo_check_in(:'a');
SELECT version FROM appt.check_in(:'a');
SELECT version FROM appt.skip(:'a');
SELECT version FROM appt.recall(:'a');
SELECT version FROM appt.recall(:'a');
SELECT version FROM appt.complete(:'a');
SELECT version FROM appt.correct(:'a', 'checked_in', 'Wrong row',
	override => true);
SELECT version FROM appt.edit(:'a', patient_id => 'PAT-2',
	reason => 'Namesake', override => true);
SELECT * FROM pg_temp.told();
-- As many versions as events: none was silent, and none told twice.
SELECT count(*) FILTER (WHERE event_type <> 'visit.completed') AS events,
	max((data::jsonb->>'version')::integer) AS version
FROM appt.event e JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'a';
-- The history leaves the twin of appointment.completed out.
SELECT event_type, change, status FROM appt.history(:'a');

-- A visit that moves from one branch to another: both hear of it, with where
-- it was; a third does not.
SET LOCAL bioecko_appt.clock = '2026-03-18 12:00+05:30';
SELECT appointment_id AS b FROM appt.book('PAT-3', 'DOC-001',
	'2026-03-19 09:00', branch_id => 'MUM-01') \gset
SELECT token_number FROM appt.reschedule(:'b', '2026-03-19 09:15');
SELECT token_number, slot_start FROM appt.reschedule(:'b',
	'2026-03-19 20:00+00', branch_id => 'LON-01', reason => 'Flew home');
SELECT status FROM appt.cancel(:'b', 'No time');
SELECT * FROM pg_temp.told();
-- What an endpoint gets, in the order in which it gets it.
CREATE FUNCTION pg_temp.receive(hook text) RETURNS SETOF text LANGUAGE plpgsql
AS $$
DECLARE
	line record;
	more boolean := true;
BEGIN
	WHILE more LOOP
		more := false;
		UPDATE appt.delivery SET due_at = now() WHERE state = 'pending';
		FOR line IN
			SELECT c.*, h.name
			FROM appt_relay.claim_deliveries(1, 100, per_endpoint => 100) c
			JOIN hook h USING (webhook_id)
			WHERE c.delivery_no IS NOT NULL
		LOOP
			more := true;
			UPDATE appt.delivery SET state = 'delivered', finished_at = now()
			WHERE delivery_no = line.delivery_no;
			IF line.name = hook AND line.body !~ '"webhook.ping"' THEN
				RETURN NEXT line.body;
			END IF;
		END LOOP;
	END LOOP;
END
$$;
SELECT regexp_replace(regexp_replace(b, '"data":{[^}]*}', '"data":{}'),
	'"wh_[^"]*"', '"wh_…"') AS body
FROM pg_temp.receive('london') b;
-- Again, whole, for what had not begun yet.
SELECT appt.replay((SELECT webhook_id FROM hook WHERE name = 'mumbai'),
	'2026-03-18 12:00+05:30');
SELECT body::json->>'event' AS event, body::json->'previous' AS previous,
	body::json->'data'->>'branch_id' AS branch
FROM pg_temp.receive('mumbai') body;
-- A client that loses its branch is not told any more of what left it.
SELECT appt.create_client('Mirror', id => 'c_mirror',
	scopes => '{webhooks:manage}', branch_ids => '{MUM-01,PUN-01}')
	IS NOT NULL AS made;
INSERT INTO hook SELECT 'client', id FROM appt_api.create_webhook(
	'https://receiver.example/client', NULL, NULL, NULL, NULL, true, 'c_mirror',
	NULL, NULL);
SELECT appointment_id AS c FROM appt.book('PAT-4', 'DOC-001',
	'2026-03-19 09:00', branch_id => 'MUM-01') \gset
SELECT count(appt.reschedule(:'c', '2026-03-19 20:00+00',
	branch_id => 'LON-01'));
SELECT * FROM pg_temp.told();
UPDATE appt.api_client SET branch_ids = '{PUN-01}' WHERE client_id = 'c_mirror';
SELECT e.event_type, e.branch_id, d.state
FROM appt.delivery d JOIN appt.event e USING (event_no)
JOIN appt.webhook w USING (webhook_no) JOIN hook h USING (webhook_id)
WHERE h.name = 'client' AND e.event_type LIKE 'appointment.%';

-- Patients: whoever writes them, to the branches that see them.  A client
-- needs patients:read, whatever it subscribes to.
INSERT INTO appt.patient (patient_id, first_name, branch_id)
VALUES ('PAT-M', 'Meera', 'MUM-01'), ('PAT-N', 'Nobody''s', NULL);
UPDATE appt.patient SET phone = '+91 00000 00001' WHERE patient_id = 'PAT-M';
UPDATE appt.patient SET phone = phone WHERE patient_id = 'PAT-M';
-- One who has been there, too; and one who leaves.
SELECT status FROM appt.book('PAT-M', 'DOC-001', '2026-03-19 20:15+00',
	branch_id => 'LON-01');
UPDATE appt.patient SET last_name = 'Iyer' WHERE patient_id = 'PAT-M';
UPDATE appt.patient SET branch_id = 'PUN-01' WHERE patient_id = 'PAT-M';
SELECT * FROM pg_temp.told();
UPDATE appt.api_client SET scopes = scopes || '{patients:read}'::text[]
WHERE client_id = 'c_mirror';
UPDATE appt.patient SET language = 'mr' WHERE patient_id = 'PAT-M';
SELECT * FROM pg_temp.told();
-- The body is the patient as GET answers it, but for the visits; in order.
SELECT b::json->>'event' AS event, b::json->'data'->>'version' AS version,
	b::json->'data'->>'language' AS language, b::jsonb->'data'
		= (SELECT body::jsonb - 'visit_history'
			FROM appt_api.get_patient('PAT-M', NULL)) AS same
FROM pg_temp.receive('pune') b
WHERE b::json->'data'->>'patient_id' = 'PAT-M';
-- What waited is not sent once the client may not read patients.
UPDATE appt.patient SET language = 'hi' WHERE patient_id = 'PAT-M';
UPDATE appt.api_client SET scopes = '{webhooks:manage}'
WHERE client_id = 'c_mirror';
SELECT count(*) FROM appt.delivery d JOIN appt.event e USING (event_no)
JOIN appt.webhook w USING (webhook_no) JOIN hook h USING (webhook_id)
WHERE h.name = 'client' AND e.patient_no IS NOT NULL AND d.state = 'pending';
SELECT pg_temp.try($$SELECT body FROM appt_api.create_webhook(
	'https://receiver.example/p', '{patient.created}', NULL, NULL, NULL, true,
	'c_mirror', NULL, NULL)$$);
SELECT appt.replay(webhook_id, '2026-03-18 12:00+05:30') AS mirror
FROM hook WHERE name = 'client';
-- Erased: the events are emptied, and the last tells it.
UPDATE appt.appointment SET status = 'cancelled' WHERE patient_id = 'PAT-M';
SELECT events FROM appt.anonymise_patient('PAT-M');
SELECT e.event_type, e.data::jsonb->>'first_name' AS first_name,
	e.data::jsonb->>'phone' AS phone, e.data::jsonb->>'patient_id' AS id
FROM appt.event e JOIN appt.patient p USING (patient_no)
WHERE p.patient_id = 'PAT-M' ORDER BY e.event_no;

-- With nobody to tell, personal data is not copied.
DELETE FROM appt.webhook;
INSERT INTO appt.patient (patient_id, first_name) VALUES ('PAT-S', 'Silent');
SELECT count(*) FROM appt.event e JOIN appt.patient p USING (patient_no)
WHERE p.patient_id = 'PAT-S';

ROLLBACK;
