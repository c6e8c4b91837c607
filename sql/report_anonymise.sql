-- Erasing a patient: what names somebody goes, what is counted stays.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

UPDATE appt.patient
SET first_name = 'Zenobia', last_name = 'Quill', date_of_birth = '1980-02-03',
	gender = 'female', phone = '+91 00000 31337', email = 'zq@example.org',
	address_line1 = '1 Quill Road', address_city = 'Quilltown',
	blood_group = 'O-', abha_id = '31-3371-0000-0001', aadhaar = '499118665246',
	insurance_provider = 'Quill', insurance_number = 'Q-1',
	emergency_contact_name = 'Quill Senior',
	emergency_contact_phone = '+91 00000 31338',
	emergency_contact_relationship = 'Quill', consent = true,
	branch_id = 'MUM-01'
WHERE patient_id = 'PAT-1';
SELECT webhook_id FROM appt.create_webhook('https://receiver.example.org/hook')
\gset

-- Three visits: one over HTTP with an idempotency key, one moved with a
-- reason, one cancelled with another. And one of somebody else.
SELECT id AS a FROM appt_api.book('PAT-1', 'DOC-001', 'MUM-01',
	'2026-03-15 09:00', '2026-03-15 09:15', NULL, 'Zenobia coughs: "loudly"',
	NULL, NULL, NULL, NULL, 'key-1', repeat('0', 64)) \gset
SELECT appointment_id AS b FROM appt.book('PAT-1', 'DOC-001',
	'2026-03-15 09:15', notes => 'Zenobia again') \gset
SELECT status FROM appt.reschedule(:'b', '2026-03-15 09:30',
	reason => 'Zenobia overslept');
SELECT appointment_id AS c FROM appt.book('PAT-1', 'DOC-001',
	'2026-03-15 11:00') \gset
SELECT status FROM appt.cancel(:'c', 'Zenobia is well');
SELECT appointment_id AS d FROM appt.book('PAT-2', 'DOC-001',
	'2026-03-15 11:00', notes => 'Somebody else''s') \gset
INSERT INTO appt.delivery_attempt
	(delivery_no, fence, started_at, duration_ms, status, answer)
SELECT d.delivery_no, 1, now(), 1, 200, e.data
FROM appt.delivery d
JOIN appt.event e USING (event_no);

-- Not while there is something to come.
SELECT pg_temp.try($$SELECT appt.anonymise_patient('PAT-1')$$);
SET LOCAL bioecko_appt.clock = '2026-03-15 08:58+05:30';
SELECT status FROM appt.check_in(:'a');
SET LOCAL bioecko_appt.clock = '2026-03-15 10:00+05:30';
SELECT pg_temp.try($$SELECT appt.anonymise_patient('PAT-1')$$);
SELECT status FROM appt.complete(:'a');
SELECT status FROM appt.no_show(:'b');
SELECT pg_temp.try($$SELECT appt.anonymise_patient('PAT-0815')$$);
SELECT pg_temp.try($$SELECT appt.anonymise_patient(NULL)$$);

CREATE TEMP TABLE before ON COMMIT DROP AS
SELECT to_jsonb(r) AS report,
	(SELECT jsonb_agg(to_jsonb(h) - 'reason')
	FROM appt.history(r.appointment_id) h) AS history
FROM appt_report.appointment r;

SET LOCAL bioecko_appt.actor = 'dpo';
SELECT * FROM appt.anonymise_patient('PAT-1');
RESET bioecko_appt.actor;

-- The person is gone from every table of the extension.
SELECT first_name, last_name, date_of_birth, gender, phone, phone_e164, email,
	address_line1, address_line2, address_city, address_state, address_pincode,
	address_country, blood_group, abha_id, aadhaar, insurance_provider,
	insurance_number, emergency_contact_name, emergency_contact_phone,
	emergency_contact_relationship, consent, consent_at, branch_id, active
FROM appt.patient
WHERE patient_id = 'PAT-1';
DO $$
DECLARE
	place regclass;
	found bigint;
BEGIN
	FOR place IN
		SELECT c.oid
		FROM pg_class c
		WHERE c.relnamespace = 'appt'::regnamespace AND c.relkind = 'r'
	LOOP
		EXECUTE format($q$SELECT count(*) FROM %s t WHERE t::text ~*
			'zenobia|quill|31337|zq@|31-3371|1980-02-03|O-$'$q$, place)
			INTO found;
		IF found > 0 THEN
			RAISE WARNING '% still has it in % rows', place, found;
		END IF;
	END LOOP;
END
$$;

-- The counts, times and history are what they were; but for the age and the
-- free text.
SELECT count(*) AS changed
FROM before b
LEFT JOIN appt_report.appointment r
	ON to_jsonb(r) - 'patient_age_years' = b.report - 'patient_age_years'
WHERE r.appointment_id IS NULL;
SELECT count(*) AS history_changed
FROM before b
WHERE b.history IS DISTINCT FROM (
	SELECT jsonb_agg(to_jsonb(h) - 'reason')
	FROM appt.history(b.report->>'appointment_id') h);
SELECT e.event_type, e.reason, e.data::json->>'reason' AS data_reason,
	e.data::json->>'notes' AS notes
FROM appt.event e
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id IN (:'b', :'d')
ORDER BY e.event_no;
SELECT notes FROM appt.appointment WHERE appointment_id = :'d';
SELECT count(*) FILTER (WHERE answer IS NULL) AS erased,
	count(answer) AS others
FROM appt.delivery_attempt;
-- The other members are the same text, in the same order.
SELECT appt_internal.without_free_text('{"a":"x","notes":"n","b": [1, {"notes":2}],'
	'"reason":null,"c":"\"q\u00e4\""}');

-- It is recorded, once, with who did it.
SELECT event_type, actor, data, appointment_no
FROM appt.event
WHERE event_type = 'patient.anonymised';

-- Nobody is booked under that id again, and once more does no harm.
SELECT pg_temp.try($$SELECT appt.book('PAT-1', 'DOC-001', '2026-03-16 09:00')$$);
SELECT * FROM appt.anonymise_patient('PAT-1');

-- appt_admin may, the others may not.
SELECT r AS role, has_function_privilege(r, 'appt.anonymise_patient(text)',
	'EXECUTE') AS may
FROM unnest(ARRAY['appt_admin', 'appt_gateway', 'appt_relay', 'appt_reporting',
	'appt_reporting_contact']) r;

ROLLBACK;
