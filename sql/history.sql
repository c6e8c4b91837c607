-- The history: who, when, what, from what, why; nobody changes it.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.id(patient text) RETURNS text LANGUAGE sql
RETURN (SELECT appointment_id FROM appt.appointment WHERE patient_id = patient);
SELECT count(pg_temp.book('PAT-1', '2026-03-16 09:00'));
SET LOCAL bioecko_appt.actor = 'Reception, Ms Roy';
SELECT count(appt.reschedule(pg_temp.id('PAT-1'), '2026-03-17 11:00',
	reason => 'Patient asked'));
RESET bioecko_appt.actor;
SELECT appt.create_client('App', id => 'c_app') IS NOT NULL AS made;
SELECT version FROM appt_api.reschedule(pg_temp.id('PAT-1'),
	'2026-03-18 09:00+05:30', '2026-03-18 09:30+05:30', NULL, NULL, NULL, NULL,
	NULL, NULL, 'c_app');
SET LOCAL bioecko_appt.clock = '2026-03-18 08:45+05:30';
SELECT count(appt.check_in(pg_temp.id('PAT-1')));
SELECT count(appt.set_priority(pg_temp.id('PAT-1'), 5));
SELECT count(appt.cancel(pg_temp.id('PAT-1'), 'Felt better'));
SELECT count(appt.cancel(pg_temp.id('PAT-1'), 'Again'));

SELECT to_char(occurred_at, 'DD HH24:MI') AS at, event_type, change, actor,
	reason, version, status, status_before
FROM appt.history(pg_temp.id('PAT-1'));
SELECT version, to_char(slot_start, 'DD HH24:MI') AS slot,
	to_char(slot_start_before, 'DD HH24:MI') AS before, token_number AS token,
	token_number_before AS token_before
FROM appt.history(pg_temp.id('PAT-1'));

-- The JSON form names what changed.
SELECT e->>'event' AS event, e->>'change' AS change, e->>'actor' AS actor, e->>'timestamp' AS stamp,
	e->'changes' AS changes
FROM appt_api.appointment_history(pg_temp.id('PAT-1')),
	json_array_elements(body::json) e;

-- The role is the caller's own and cannot be forged.
CREATE ROLE regress_appt_frontdesk IN ROLE appt_admin;
GRANT EXECUTE ON FUNCTION pg_temp.book(text, timestamptz, text),
	pg_temp.id(text), pg_temp.try(text) TO regress_appt_frontdesk;
SET LOCAL ROLE regress_appt_frontdesk;
SET LOCAL bioecko_appt.actor = 'client:c_app';
SELECT count(pg_temp.book('PAT-2', '2026-03-19 09:00'));
SELECT actor FROM appt.history(pg_temp.id('PAT-2'));

-- Nobody but the extension's owner writes it.
SELECT statement, pg_temp.try(statement)
FROM unnest(ARRAY['UPDATE appt.event SET actor = ''x''',
	'DELETE FROM appt.event', 'TRUNCATE appt.event',
	'INSERT INTO appt.event (event_no) VALUES (1)',
	'UPDATE appt.appointment SET status = ''booked''',
	'DELETE FROM appt.appointment',
	'UPDATE appt.doctor_day SET last_token = 0'])
	statement;
RESET ROLE;

SELECT pg_temp.try($$SELECT count(*) FROM appt.history('APT-2026-999999')$$);
SELECT pg_temp.try($$SELECT count(*) FROM appt.history(NULL)$$);
SELECT pg_temp.try($$SELECT body
	FROM appt_api.appointment_history('APT-2026-999999')$$);

ROLLBACK;
