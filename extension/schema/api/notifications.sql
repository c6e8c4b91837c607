/* ---------------------------------------------------------------------------
 * Messages to patients as JSON: the log, an appointment's messages with what
 * can be said of them, and sending again.
 *
 * A message belongs to its appointment's branch, or its offer's, a test of a
 * channel to the whole clinic.  What a server in the clinic's
 * own network answered to a provider's request is appt_admin's to read: nobody
 * reads that network through a channel.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.final_attempt(n appt.notification)
	RETURNS appt.notification_attempt
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT t
	FROM appt.notification_attempt t
	WHERE t.notification_no = n.notification_no
		AND t.fence = n.fence
		AND n.finished_at IS NOT NULL
$$;

COMMENT ON FUNCTION appt_internal.final_attempt IS
	'The attempt that a message was finished by, with what was reported of it; '
	'NULL: it is not finished, or was skipped';

CREATE FUNCTION appt_internal.notification_json(
	n appt.notification,
	a appt.appointment)
	RETURNS json
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone CONSTANT text := coalesce(
		appt_internal.known_zone(appt_internal.branch_zone(a.branch_id)),
		'UTC');
	attempts json;
	inside boolean;
	sent appt.notification_attempt;
BEGIN
	n := appt_internal.shown_notification(n);
	SELECT coalesce(json_agg(json_build_object(
			'at', appt_internal.json_time(t.started_at, zone),
			'status', t.status,
			'duration_ms', t.duration_ms,
			'error', t.error,
			'answer', CASE WHEN NOT t.inside THEN t.answer END)
			ORDER BY t.fence), '[]'), bool_or(t.inside)
	INTO attempts, inside
	FROM appt.notification_attempt t
	WHERE t.notification_no = n.notification_no;
	sent := appt_internal.final_attempt(n);
	RETURN json_build_object(
		'notification_id', n.notification_no::text,
		'appointment_id', a.appointment_id,
		'offer_id', (
			SELECT o.offer_id
			FROM appt_internal.message_offer(
				CASE n.event WHEN 'waitlist_offer' THEN n.notification_no END)
				o),
		'patient_id', a.patient_id,
		'event', n.event,
		'lead_min', nullif(n.lead_min, 0),
		'status', n.state,
		'reason', n.reason,
		'channel', n.channel,
		'channel_id', (
			SELECT c.channel_id
			FROM appt.notification_channel c
			WHERE c.channel_no = n.channel_no
				AND n.channel IS NOT NULL),
		'language', n.language,
		'to', n.address,
		'provider_id', CASE WHEN NOT inside THEN sent.provider_id END,
		'instead_of', n.root_no::text,
		'created_at', appt_internal.json_time(n.created_at, zone),
		'due_at', CASE n.state WHEN 'due' THEN
			appt_internal.json_time(n.due_at, zone) END,
		'sent_at', appt_internal.json_time(n.sent_at, zone),
		'delivered_at', appt_internal.json_time(sent.delivered_at, zone),
		'read_at', appt_internal.json_time(sent.read_at, zone),
		'finished_at', appt_internal.json_time(n.finished_at, zone),
		'attempts', n.attempts,
		'attempt_log', attempts);
END
$$;

COMMENT ON FUNCTION appt_internal.notification_json IS
	'A message to a patient with its attempts, as it is shown';

CREATE FUNCTION appt_internal.message_visit(n appt.notification)
	RETURNS appt.appointment
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.appointment;
BEGIN
	IF n.event = 'waitlist_offer' THEN
		SELECT v.* INTO a
		FROM appt_internal.message_offer(n.notification_no) o
		CROSS JOIN LATERAL appt_internal.offer_visit(o) v;
	ELSE
		SELECT t.* INTO a
		FROM appt.appointment t
		WHERE t.appointment_no = n.appointment_no;
	END IF;
	RETURN a;
END
$$;

COMMENT ON FUNCTION appt_internal.message_visit IS
	'The visit of a message, or what an offer would be; NULL: of none';

CREATE FUNCTION appt_internal.see_notification(
	notification_id text,
	client text)
	RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	PERFORM appt_internal.require_client(client);
	IF notification_id ~ '^[1-9][0-9]{0,17}$' THEN
		SELECT n.notification_no INTO found
		FROM appt.notification n
		CROSS JOIN LATERAL appt_internal.message_visit(n) a
		WHERE n.notification_no = notification_id::bigint
			AND CASE WHEN a.branch_id IS NULL
				THEN appt_internal.client_sees_all(client)
				ELSE appt_internal.client_sees(client, a.branch_id) END;
	END IF;
	IF found IS NULL THEN
		PERFORM appt_internal.refuse_id('notification', notification_id,
			'notification_id', 'SB404');
	END IF;
	RETURN found;
END
$$;

COMMENT ON FUNCTION appt_internal.see_notification(text, text) IS
	'The number of a message that the client sees. Raises SB404, SBT01';

CREATE FUNCTION appt_internal.notification_body(notification_no bigint)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.notification_json(n,
		appt_internal.message_visit(n))::text
	FROM appt.notification n
	WHERE n.notification_no = $1
$$;

COMMENT ON FUNCTION appt_internal.notification_body(bigint) IS
	'A message to a patient as an answer''s body';

CREATE FUNCTION appt_api.list_notifications(
	appointment_id text,
	patient_id text,
	channel text,
	status text,
	event text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	branches CONSTANT text[]
		:= nullif(appt_internal.client_branches(client), ARRAY['*']);
	size CONSTANT integer := coalesce(per_page, 20);
	visits bigint[];
	offers bigint[];
	conditions text := 'true';
	places text := '';
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.check_dates(date_from, date_to);
	IF appointment_id IS NOT NULL THEN
		SELECT array_agg(a.appointment_no) INTO visits
		FROM appt.appointment a
		WHERE a.appointment_id = appointment_id
			AND a.status <> 'held'
			AND appt_internal.client_sees(client, a.branch_id);
		IF visits IS NULL THEN
			PERFORM appt_internal.refuse_id('appointment', appointment_id,
				'appointment_id', 'SB404');
		END IF;
	END IF;
	IF patient_id IS NOT NULL THEN
		IF NOT EXISTS (
			SELECT
			FROM appt.patient p
			WHERE p.patient_id = patient_id
				AND appt_internal.client_sees_patient(client, p))
		THEN
			PERFORM appt_internal.refuse_id('patient', patient_id,
				'patient_id', 'SB404');
		END IF;
		/* Through the visits, which are few; messages have no patient. */
		SELECT coalesce(array_agg(a.appointment_no), '{}') INTO visits
		FROM appt.appointment a
		JOIN appt.patient p ON p.patient_no = a.patient_no
		WHERE p.patient_id = patient_id
			AND (visits IS NULL OR a.appointment_no = ANY (visits));
	END IF;
	IF visits IS NOT NULL THEN
		SELECT array_agg(m.notification_no) INTO offers
		FROM appt.waitlist_offer o
		JOIN appt.waitlist_offer_message m ON m.offer_no = o.offer_no
		WHERE o.appointment_no = ANY (visits)
			OR appointment_id IS NULL AND o.patient_no = (
				SELECT p.patient_no
				FROM appt.patient p
				WHERE p.patient_id = patient_id);
	END IF;
	conditions := conditions
		|| CASE WHEN visits IS NULL THEN ''
			ELSE ' AND (n.appointment_no = ANY ($1)'
				' OR n.notification_no = ANY ($10))' END
		|| CASE WHEN channel IS NULL THEN '' ELSE ' AND n.channel = $2' END
		|| CASE WHEN status IS NULL THEN ''
			ELSE format(' AND n.state = %L', status) END
		|| CASE WHEN event IS NULL THEN '' ELSE ' AND n.event = $3' END
		/* A day is of the branch, and begins less than a day from UTC's: most
		 * are told apart without looking for a branch. */
		|| CASE WHEN date_from IS NULL THEN ''
			ELSE ' AND s.on_date >= $4 AND n.created_at >='
				' ($4::timestamp - interval ''1 day'') AT TIME ZONE ''UTC''' END
		|| CASE WHEN date_to IS NULL THEN ''
			ELSE ' AND s.on_date <= $5 AND n.created_at <'
				' ($5::timestamp + interval ''2 days'') AT TIME ZONE ''UTC'''
			END
		|| CASE WHEN branches IS NULL THEN ''
			ELSE ' AND b.branch_id = ANY ($6)' END;
	/* Whose branch does not matter need not be looked up. */
	IF num_nonnulls(date_from, date_to, branches) > 0 THEN
		places :=
			' LEFT JOIN appt.appointment a'
			'  ON a.appointment_no = n.appointment_no'
			' LEFT JOIN appt.waitlist_offer_message m'
			'  ON m.notification_no = n.notification_no'
			' LEFT JOIN appt.waitlist_offer f ON f.offer_no = m.offer_no'
			' LEFT JOIN appt.branch b'
			'  ON b.branch_id = coalesce(a.branch_id, f.branch_id)'
			' CROSS JOIN LATERAL (SELECT (n.created_at AT TIME ZONE coalesce('
			'  appt_internal.known_zone(b.time_zone), ''UTC''))::date)'
			'  AS s (on_date)';
	END IF;

	EXECUTE format(
		'SELECT coalesce((SELECT json_agg('
		'   appt_internal.notification_json(o.n,'
		'    appt_internal.message_visit(o.n))'
		'   ORDER BY (o.n).notification_no DESC)'
		'  FROM ('
		'   SELECT n FROM appt.notification n%1$s WHERE %2$s'
		'   ORDER BY n.notification_no DESC OFFSET $7 LIMIT $8) o),'
		'  ''[]'')::text,'
		' (SELECT count(*) FROM ('
		'   SELECT FROM appt.notification n%1$s WHERE %2$s LIMIT $9) c)',
		places, conditions)
		INTO result
		USING visits, channel, event, date_from, date_to, branches,
			(coalesce(page, 1) - 1)::bigint * size, size,
			appt_internal.count_limit(page, per_page), offers;
	PERFORM appt_internal.note_page(result.body, client);
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_notifications IS
	'A page of the messages to patients, newest first, by appointment, '
	'patient, channel (email, sms, whatsapp), status, event and the '
	'branch-local days on which they were made (all optional). Notes which '
	'member of staff looks. Raises SB001, SB404 (appointment_id, patient_id)';

CREATE FUNCTION appt_api.get_notification(
	notification_id text,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	body := appt_internal.notification_body(
		appt_internal.see_notification(notification_id, client));
	PERFORM appt_internal.note_access(ARRAY[body::json ->> 'patient_id'],
		client, 'visit');
END
$$;

COMMENT ON FUNCTION appt_api.get_notification IS
	'One message to a patient. Notes which member of staff looks. Raises SB404';

CREATE FUNCTION appt_api.appointment_notifications(
	appointment_id text,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.appointment;
BEGIN
	PERFORM appt_internal.require_client(client);
	SELECT t.* INTO a
	FROM appt.appointment t
	WHERE t.appointment_id = $1
		AND t.status <> 'held'
		AND appt_internal.client_sees(client, t.branch_id);
	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('appointment', $1, 'appointment_id',
			'SB404');
	END IF;
	PERFORM appt_internal.note_access(ARRAY[a.patient_id], client, 'visit');
	body := json_build_object(
		'explanation', (
			SELECT coalesce(json_agg(e.sentence ORDER BY e.place), '[]')
			FROM appt_internal.explain_notification($1, client)
				WITH ORDINALITY AS e (sentence, place)),
		'notifications', (
			SELECT coalesce(json_agg(appt_internal.notification_json(n, a)
				ORDER BY n.notification_no), '[]')
			FROM appt_internal.visit_messages(a.appointment_no) n));
END
$$;

COMMENT ON FUNCTION appt_api.appointment_notifications IS
	'What was sent of an appointment, what is planned and why something was '
	'not, in sentences; and its messages, oldest first. Notes which member of '
	'staff looks. Raises SB404';

CREATE FUNCTION appt_api.resend_notification(
	notification_id text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
	wanted bigint;
BEGIN
	prior := appt_internal.kept_answer(client, 'POST /notifications/resend',
		idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		wanted := appt_internal.see_notification(notification_id, client);
		PERFORM appt.resend_notification(wanted);
		body := appt_internal.notification_body(wanted);
		PERFORM appt_internal.idempotency_finish(client,
			'POST /notifications/resend', idempotency_key, request_hash, NULL,
			NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.resend_notification IS
	'Has a message sent again, as appt.resend_notification, and answers it. '
	'Raises SB404, SB950, SBU02';

CREATE FUNCTION appt_api.resend_failed_notifications(
	since timestamptz,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
BEGIN
	prior := appt_internal.kept_answer(client,
		'POST /notifications/resend-failed', idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		body := json_build_object('queued',
			appt_internal.resend_failed(since, client));
		PERFORM appt_internal.idempotency_finish(client,
			'POST /notifications/resend-failed', idempotency_key,
			request_hash, NULL, NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.resend_failed_notifications IS
	'Has all messages sent again that failed or were given up since then, of '
	'the branches that the client sees; answers {"queued": n}. Raises SB950, '
	'SBU02';
