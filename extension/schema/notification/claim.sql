/* ---------------------------------------------------------------------------
 * What the relay calls to send messages: claim and give back.
 *
 * A claim locks messages with SKIP LOCKED, and then, one by one, the row of
 * each one's appointment, with SKIP LOCKED too: where somebody is about to
 * change it, the message is left for a second.  So nothing here waits for a
 * lock, and what was cancelled before the claim committed is not sent.
 *
 * Messages lie by channel, as deliveries lie by endpoint: a mail server that
 * does not answer holds up no SMS.  Those of channel 0 wait to be given one.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_internal.decision AS (
	verdict appt_internal.verdict,
	route appt_internal.route,
	event text
);

COMMENT ON TYPE appt_internal.decision IS
	'What becomes of a message now; event: as what it is told';

CREATE FUNCTION appt_internal.told_as(n appt.notification) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN n.event <> 'rescheduled' OR n.root_no IS NOT NULL THEN n.event
	WHEN (
		SELECT bool_and(e.state = 'skipped') AND bool_or(e.event = 'booked')
		FROM appt.notification e
		WHERE e.appointment_no = n.appointment_no
			AND e.notification_no < n.notification_no) THEN 'booked'
	ELSE n.event
END;

COMMENT ON FUNCTION appt_internal.told_as IS
	'The event that a message is about: of a visit that was moved before its '
	'patient was told that it was booked, booked';

CREATE FUNCTION appt_internal.decide_notification(n appt.notification)
	RETURNS appt_internal.decision
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.appointment;
	p appt.patient;
	zone text;
	rules appt_internal.notification_rules;
	d appt_internal.decision;
	told appt.notification := n;
	at CONSTANT timestamptz := appt.clock();
BEGIN
	SELECT t.* INTO a
	FROM appt.appointment t
	WHERE t.appointment_no = n.appointment_no
	FOR SHARE SKIP LOCKED;
	IF NOT FOUND THEN
		d.verdict := appt_internal.verdict('busy');
		RETURN d;
	END IF;

	SELECT t.* INTO p
	FROM appt.patient t
	WHERE t.patient_no = a.patient_no;
	SELECT appt_internal.known_zone(b.time_zone) INTO zone
	FROM appt.branch b
	WHERE b.branch_id = a.branch_id;
	rules := appt_internal.notification_rules(a.branch_id, a.doctor_id);
	d.verdict := appt_internal.judge_notification(n, a, p, rules, zone);
	IF (d.verdict).action <> 'send' THEN
		RETURN d;
	END IF;

	d.event := appt_internal.told_as(n);
	told.event := d.event;
	d.route := appt_internal.route_notification(told, p, rules);
	IF (d.route).channel_no IS NULL THEN
		d.verdict := appt_internal.verdict('skip', (d.route).reason);
	ELSIF appt_internal.may_promote_at(at) > at AND EXISTS (
		SELECT
		FROM appt.notification_template t
		WHERE t.notification_template_no = (d.route).notification_template_no
			AND t.category IN ('service_explicit', 'promotional'))
	THEN
		d.verdict := appt_internal.verdict('wait',
			until => appt_internal.may_promote_at(at));
	END IF;
	RETURN d;
END
$$;

COMMENT ON FUNCTION appt_internal.decide_notification IS
	'What becomes of a message that is due, whose row the caller has locked; '
	'locks its appointment (busy: somebody is changing it)';

CREATE FUNCTION appt_internal.put_off_notification(
	n appt.notification,
	d appt_internal.decision)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	CASE (d.verdict).action
	WHEN 'skip' THEN
		UPDATE appt.notification t
		SET state = 'skipped', reason = (d.verdict).reason, finished_at = at
		WHERE t.notification_no = n.notification_no;
	WHEN 'drop' THEN
		DELETE FROM appt.notification t
		WHERE t.notification_no = n.notification_no;
	WHEN 'wait' THEN
		UPDATE appt.notification t
		SET due_at = at + ((d.verdict).until - appt.clock())
		WHERE t.notification_no = n.notification_no;
	WHEN 'busy' THEN
		UPDATE appt.notification t
		SET due_at = at + interval '1 second'
		WHERE t.notification_no = n.notification_no;
	ELSE
		UPDATE appt.notification t
		SET channel_no = (d.route).channel_no
		WHERE t.notification_no = n.notification_no
			AND t.channel_no <> (d.route).channel_no;
	END CASE;
END
$$;

COMMENT ON FUNCTION appt_internal.put_off_notification IS
	'Does to a message what was decided, short of sending it';

/* --- what the relay is given -------------------------------------------- */

CREATE TYPE appt_internal.message AS (
	notification_no bigint,
	fence bigint,
	attempt integer,
	channel_no integer,
	protocol text,
	url text,
	username text,
	secret text,
	method text,
	headers text,
	body text,
	security text,
	sender text,
	sender_name text,
	reply_to text,
	recipient text,
	recipient_name text,
	subject text,
	message_id text,
	language text,
	calendar_method text,
	calendar_uid text,
	calendar_sequence integer,
	calendar_start text,
	calendar_end text,
	calendar_stamp text,
	calendar_summary text,
	calendar_location text
);

COMMENT ON TYPE appt_internal.message IS
	'A message as the relay sends it: by http a request that is ready, by '
	'email its parts, whose framing is the relay''s';

CREATE FUNCTION appt_internal.calendar_time(at timestamptz) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');

COMMENT ON FUNCTION appt_internal.calendar_time(timestamptz) IS
	'As iCalendar writes an instant (RFC 5545, 3.3.5): 20260315T043000Z';

CREATE FUNCTION appt_internal.mail_message(
	m appt_internal.message,
	n appt.notification,
	c appt.notification_channel,
	t appt.notification_template,
	filling jsonb)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	s CONSTANT jsonb := c.settings;
	security CONSTANT text := coalesce(s->>'security', 'starttls');
	host CONSTANT text := split_part(s->>'from', '@', 2);
	a appt.appointment;
BEGIN
	m.protocol := 'email';
	m.url := format('%s://%s:%s',
		CASE security WHEN 'tls' THEN 'smtps' ELSE 'smtp' END,
		CASE WHEN s->>'host' LIKE '%:%' THEN '[' || (s->>'host') || ']'
			ELSE s->>'host' END,
		coalesce(s->>'port',
			CASE security WHEN 'tls' THEN '465' ELSE '587' END));
	m.security := security;
	m.sender := s->>'from';
	m.sender_name := s->>'from_name';
	m.reply_to := s->>'reply_to';
	m.recipient := n.address;
	m.recipient_name := filling->>'patient_name';
	m.subject := appt_internal.header_value(
		appt_internal.fill_template(t.subject, filling));
	m.body := appt_internal.fill_template(t.body, filling);
	m.message_id := format('<ntf-%s.%s@%s>', n.notification_no,
		floor(extract(epoch FROM n.created_at)), host);
	IF n.event = 'reminder' THEN
		RETURN m;
	END IF;

	SELECT b.* INTO a
	FROM appt.appointment b
	WHERE b.appointment_no = n.appointment_no;
	m.calendar_method := CASE n.event WHEN 'cancelled' THEN 'CANCEL'
		ELSE 'REQUEST' END;
	m.calendar_uid := a.appointment_id || '@' || coalesce(s->>'uid_host', host);
	m.calendar_sequence := a.version;
	m.calendar_start := appt_internal.calendar_time(a.slot_start);
	m.calendar_end := appt_internal.calendar_time(a.slot_end);
	m.calendar_stamp := appt_internal.calendar_time(n.created_at);
	m.calendar_summary := concat_ws(', ', filling->>'doctor_name',
		filling->>'branch_name');
	m.calendar_location := concat_ws(', ', filling->>'branch_name',
		filling->>'branch_address');
	RETURN m;
END
$$;

COMMENT ON FUNCTION appt_internal.mail_message IS
	'An e-mail with its invitation to, or cancellation in, a calendar';

CREATE FUNCTION appt_internal.http_message(
	m appt_internal.message,
	n appt.notification,
	c appt.notification_channel,
	t appt.notification_template,
	filling jsonb)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	s CONSTANT jsonb := c.settings;
	form CONSTANT boolean := s->>'content_type' IS NOT DISTINCT FROM 'form';
	variables CONSTANT jsonb :=
		appt_internal.template_variables(t, filling);
	values CONSTANT jsonb := filling || jsonb_build_object(
		'to', n.address,
		'to_digits', ltrim(n.address, '+'),
		'body', appt_internal.fill_template(t.body, filling),
		'secret', c.secret,
		'message_id', n.notification_no::text,
		'provider_template', t.provider_template,
		'provider_language', t.provider_language,
		'dlt_template_id', t.dlt_template_id);
	document jsonb;
BEGIN
	document := appt_internal.fill_json(s->'body', values, variables);
	m.protocol := 'http';
	/* In the address a value is one segment, or one value of the query. */
	m.url := appt_internal.fill_template(s->>'url', (
		SELECT jsonb_object_agg(v.key, appt_internal.url_encode(v.value))
		FROM jsonb_each_text(values) v));
	m.method := coalesce(s->>'method', 'POST');
	m.headers := concat_ws(E'\n',
		CASE WHEN form THEN 'Content-Type: application/x-www-form-urlencoded'
			ELSE 'Content-Type: application/json' END, (
		SELECT string_agg(h.key || ': ' || appt_internal.header_value(
			appt_internal.fill_template(h.value, values)), E'\n'
			ORDER BY h.key)
		FROM jsonb_each_text(s->'headers') h));
	m.body := CASE WHEN form THEN appt_internal.form_body(document)
		ELSE document::text END;
	RETURN m;
END
$$;

COMMENT ON FUNCTION appt_internal.http_message IS
	'A provider''s request, filled';

CREATE FUNCTION appt_internal.notification_message(
	n appt.notification,
	template_no bigint)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m appt_internal.message;
	c appt.notification_channel;
	t appt.notification_template;
	filling jsonb;
BEGIN
	SELECT k.* INTO STRICT c
	FROM appt.notification_channel k
	WHERE k.channel_no = n.channel_no;
	SELECT k.* INTO STRICT t
	FROM appt.notification_template k
	WHERE k.notification_template_no = template_no;
	SELECT appt_internal.template_values(a.appointment_id) INTO filling
	FROM appt.appointment a
	WHERE a.appointment_no = n.appointment_no;

	m.notification_no := n.notification_no;
	m.fence := n.fence;
	m.attempt := n.attempts + 1;
	m.channel_no := n.channel_no;
	m.language := t.language;
	m.username := c.settings->>'username';
	m.secret := CASE WHEN m.username IS NOT NULL THEN c.secret END;
	RETURN CASE appt_internal.channel_protocol(c.kind)
		WHEN 'email' THEN appt_internal.mail_message(m, n, c, t, filling)
		ELSE appt_internal.http_message(m, n, c, t, filling)
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_message IS
	'What the relay needs to send a message that was leased to it';

/* --- claims ------------------------------------------------------------- */

CREATE FUNCTION appt_internal.lease_notification(
	n appt.notification,
	d appt_internal.decision,
	relay_no bigint,
	lease interval)
	RETURNS appt.notification
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE appt.notification t
	SET state = 'sending',
		event = $2.event,
		channel_no = ($2.route).channel_no,
		channel = ($2.route).channel,
		language = ($2.route).language,
		address = ($2.route).address,
		fence = t.fence + 1,
		relay_no = $3,
		lease_until = clock_timestamp() + $4
	WHERE t.notification_no = $1.notification_no
	RETURNING t
$$;

COMMENT ON FUNCTION appt_internal.lease_notification IS
	'Gives a message to a relay, for so long';

CREATE FUNCTION appt_relay.claim_notifications(
	relay_no bigint,
	max_messages integer,
	lease interval DEFAULT '60 s',
	per_channel integer DEFAULT 50,
	channel_nos integer[] DEFAULT '{}',
	leased integer[] DEFAULT '{}')
	RETURNS SETOF appt_internal.message
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	rooms jsonb;
	left_over integer := max_messages;
	queue integer;
	n appt.notification;
	d appt_internal.decision;
	no text;
BEGIN
	SELECT coalesce(jsonb_object_agg(c.channel_no,
		per_channel - coalesce(k.leased, 0)), '{}')
	INTO rooms
	FROM appt.notification_channel c
	LEFT JOIN unnest(channel_nos, claim_notifications.leased)
		AS k (channel_no, leased) ON k.channel_no = c.channel_no
	WHERE c.active;

	FOR queue IN
		SELECT 0
		UNION ALL
		SELECT r.key::integer
		FROM jsonb_each(rooms) r
		WHERE r.value::integer > 0
	LOOP
		FOR n IN
			SELECT t.*
			FROM appt.notification t
			WHERE t.channel_no = queue
				AND t.state = 'due'
				AND t.due_at <= clock_timestamp()
			ORDER BY t.due_at
			LIMIT CASE queue WHEN 0 THEN left_over
				ELSE least(left_over, (rooms->>queue::text)::integer) END
			FOR NO KEY UPDATE SKIP LOCKED
		LOOP
			d := appt_internal.decide_notification(n);
			no := (d.route).channel_no::text;
			IF (d.verdict).action = 'send' AND (rooms->>no)::integer > 0 THEN
				n := appt_internal.lease_notification(n, d, relay_no, lease);
				BEGIN
					RETURN NEXT appt_internal.notification_message(n,
						(d.route).notification_template_no);
				EXCEPTION WHEN data_exception OR no_data_found
					OR program_limit_exceeded THEN
					/* One that cannot be written keeps no other waiting. */
					UPDATE appt.notification t
					SET state = 'failed',
						reason = SQLERRM,
						relay_no = NULL,
						lease_until = NULL,
						finished_at = clock_timestamp()
					WHERE t.notification_no = n.notification_no;
				END;
				rooms := jsonb_set(rooms, ARRAY[no],
					to_jsonb((rooms->>no)::integer - 1));
				left_over := left_over - 1;
			ELSE
				PERFORM appt_internal.put_off_notification(n, d);
			END IF;
		END LOOP;
		EXIT WHEN left_over <= 0;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_relay.claim_notifications(bigint, integer,
	interval, integer, integer[], integer[]) IS
	'Leases messages that are due to a relay, each judged as it is leased, and '
	'returns what it needs to send them. per_channel: how many of a channel it '
	'may have; channel_nos, leased: where it has some already, and how many. '
	'Each claim raises the fence';

CREATE FUNCTION appt_relay.release_notifications(
	notification_nos bigint[],
	fences bigint[])
	RETURNS bigint
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH released AS (
		UPDATE appt.notification t
		SET state = 'due', relay_no = NULL, lease_until = NULL
		FROM unnest($1, $2) r (notification_no, fence)
		WHERE t.notification_no = r.notification_no
			AND t.fence = r.fence
			AND t.state = 'sending'
		RETURNING 1)
	SELECT count(*) FROM released
$$;

COMMENT ON FUNCTION appt_relay.release_notifications(bigint[], bigint[]) IS
	'Gives back what was claimed and not sent: due again at once';

CREATE FUNCTION appt_relay.release_lost_notifications(
	relay_no bigint,
	kept bigint[])
	RETURNS bigint
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH released AS (
		UPDATE appt.notification t
		SET state = 'due', relay_no = NULL, lease_until = NULL
		WHERE t.state = 'sending'
			AND t.relay_no = $1
			AND t.notification_no <> ALL ($2)
		RETURNING 1)
	SELECT count(*) FROM released
$$;

COMMENT ON FUNCTION appt_relay.release_lost_notifications(bigint, bigint[])
	IS
	'Gives back what was claimed for a relay that never got the answer: all '
	'that is leased to it but the messages that it knows of';
