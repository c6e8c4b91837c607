/* ---------------------------------------------------------------------------
 * Erasing a patient (a request for erasure, the end of a retention time).
 *
 * What names a person goes: the patient's data, the free text of appointments,
 * of their history, of kept answers and of receivers' answers to webhooks.
 * What is counted stays: the appointments under the patient's id, their times
 * and states, and who did what when.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.without_free_text(data text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* Member by member as text: the others stay as they were, byte for
	 * byte. */
	SELECT '{' || string_agg(to_json(m.key)::text || ':' || CASE
		WHEN m.key IN ('notes', 'reason') THEN 'null'
		ELSE m.value::text END, ',' ORDER BY m.n) || '}'
	FROM json_each(data::json) WITH ORDINALITY m (key, value, n)
$$;

COMMENT ON FUNCTION appt_internal.without_free_text(text) IS
	'An appointment object (JSON text) with notes and reason null';

CREATE FUNCTION appt_internal.anonymise_history(
	appointment_nos bigint[],
	person integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	offers bigint[];
	erased bigint;
BEGIN
	/* The endpoints that were ever delivered to, also those deleted since, by
	 * jumps through the index: each delivery is then found by its key. */
	WITH RECURSIVE endpoint (webhook_no) AS (
		SELECT min(d.webhook_no)
		FROM appt.delivery d
		UNION ALL
		SELECT (
			SELECT min(d.webhook_no)
			FROM appt.delivery d
			WHERE d.webhook_no > w.webhook_no)
		FROM endpoint w
		WHERE w.webhook_no IS NOT NULL)
	UPDATE appt.delivery_attempt t
	SET answer = NULL
	FROM appt.event e
	CROSS JOIN endpoint w
	JOIN appt.delivery d ON d.webhook_no = w.webhook_no
		AND d.event_no = e.event_no
	WHERE (e.appointment_no = ANY (appointment_nos)
			OR e.appointment_no IS NULL AND e.patient_no = person)
		AND t.delivery_no = d.delivery_no
		AND t.answer IS NOT NULL;

	offers := ARRAY(
		SELECT m.notification_no
		FROM appt.waitlist_offer o
		JOIN appt.waitlist_offer_message m ON m.offer_no = o.offer_no
		WHERE o.patient_no = person);
	UPDATE appt.notification_attempt t
	SET answer = NULL,
		error = NULL
	FROM appt.notification n
	WHERE (n.appointment_no = ANY (appointment_nos)
			OR n.notification_no = ANY (offers))
		AND t.notification_no = n.notification_no
		AND (t.answer IS NOT NULL OR t.error IS NOT NULL);

	UPDATE appt.notification n
	SET address = NULL,
		reason = CASE WHEN n.state = 'skipped' THEN n.reason END
	WHERE n.appointment_no = ANY (appointment_nos)
		OR n.notification_no = ANY (offers);

	UPDATE appt.event e
	SET reason = NULL,
		data = appt_internal.without_free_text(e.data)
	WHERE e.appointment_no = ANY (appointment_nos);
	GET DIAGNOSTICS erased = ROW_COUNT;

	UPDATE appt.event e
	SET data = json_build_object('patient_id',
		e.data::json->>'patient_id')::text
	WHERE e.appointment_no IS NULL
		AND e.patient_no = person;
	RETURN erased;
END
$$;

COMMENT ON FUNCTION appt_internal.anonymise_history(bigint[], integer) IS
	'Takes notes and reasons out of the history of appointments, all but the '
	'id out of the patient''s own events, what receivers answered to either, '
	'addresses and answers out of what was told; returns how many events of '
	'appointments';

CREATE FUNCTION appt_internal.check_patient_visits(patient_no integer)
	RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_check_patient_visits';

COMMENT ON FUNCTION appt_internal.check_patient_visits(integer) IS
	'For who decides by a patient''s visits, under the lock of the row: raises '
	'40001 above READ COMMITTED where they are not what the transaction sees';

CREATE FUNCTION appt.anonymise_patient(
	patient_id text,
	OUT appointments bigint,
	OUT events bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted CONSTANT text := anonymise_patient.patient_id;
	person integer;
	visits bigint[];
	ids text[];
BEGIN
	SELECT p.patient_no INTO person
	FROM appt.patient p
	WHERE p.patient_id = wanted
	FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'patient "%" does not exist', wanted
			USING ERRCODE = 'SB404', COLUMN = 'patient_id';
	END IF;

	PERFORM appt_internal.check_patient_visits(person);
	PERFORM appt_internal.end_offers(person);
	PERFORM a.appointment_no
	FROM appt.appointment a
	WHERE a.patient_no = person
	ORDER BY a.appointment_no
	FOR UPDATE;
	SELECT array_agg(a.appointment_no), array_agg(a.appointment_id)
	INTO visits, ids
	FROM appt.appointment a
	WHERE a.patient_no = person;
	IF EXISTS (
		SELECT FROM appt.appointment a
		WHERE a.patient_no = person
			AND (a.status IN ('checked_in', 'in_consultation')
				OR a.status = 'booked' AND a.slot_end > appt.clock()))
	THEN
		RAISE EXCEPTION 'patient "%" has appointments to come', wanted
			USING ERRCODE = 'SB961',
				DETAIL = 'Cancel or complete them first.';
	END IF;

	UPDATE appt.appointment a
	SET notes = NULL,
		reason = NULL,
		version = a.version + 1
	WHERE a.patient_no = person;
	GET DIAGNOSTICS appointments = ROW_COUNT;
	events := appt_internal.anonymise_history(visits, person);
	PERFORM appt_internal.erase_patient(person, wanted, ids);
END
$$;

COMMENT ON FUNCTION appt.anonymise_patient(text) IS
	'Erases a patient for good: name, birth date, contact data, health '
	'account, notes and reasons, also in the history and in kept answers. What '
	'is offered to the patient is free again. The '
	'appointments stay under the patient''s id, with times and states, so that '
	'every count stays; the patient is inactive, and so is not booked again. '
	'Leaves an event patient.anonymised. Returns how many appointments and '
	'events it went through. Raises SB404, SB961 (appointments to come), 40001 '
	'(above READ COMMITTED: visits were changed since; begin anew). '
	'Backups and what webhooks have delivered are out of its reach';

CREATE FUNCTION appt_internal.erase_patient(
	patient_no integer,
	patient_id text,
	appointment_ids text[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := appt.clock();
BEGIN
	UPDATE appt.patient p
	SET first_name = 'Anonymised',
		last_name = NULL,
		date_of_birth = NULL,
		date_of_birth_estimated = false,
		phone = NULL,
		email = NULL,
		address_line1 = NULL,
		address_line2 = NULL,
		address_city = NULL,
		address_state = NULL,
		address_pincode = NULL,
		address_country = NULL,
		blood_group = NULL,
		abha_id = NULL,
		aadhaar = NULL,
		insurance_provider = NULL,
		insurance_number = NULL,
		emergency_contact_name = NULL,
		emergency_contact_phone = NULL,
		emergency_contact_relationship = NULL,
		consent = NULL,
		active = false,
		erased_at = at,
		version = p.version + 1
	WHERE p.patient_no = erase_patient.patient_no;

	DELETE FROM appt.idempotency i
	WHERE i.id = ANY (appointment_ids)
		OR i.id = erase_patient.patient_id
		OR strpos(i.body, to_json(erase_patient.patient_id)::text) > 0;

	INSERT INTO appt.event
		(event_id, event_type, occurred_at, stamp, actor, data)
	VALUES (
		appt_internal.new_id('evt'),
		'patient.anonymised',
		at,
		appt_internal.json_time(at, 'UTC'),
		concat_ws('/', 'role:' || session_user,
			nullif(current_setting('bioecko_appt.actor', true), '')),
		json_build_object('patient_id', erase_patient.patient_id)::text);
END
$$;

COMMENT ON FUNCTION appt_internal.erase_patient(integer, text, text[]) IS
	'The part of appt.anonymise_patient about the patient''s own row and the '
	'kept answers that show it; writes the event';
