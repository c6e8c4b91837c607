/* ---------------------------------------------------------------------------
 * What the relay calls to send messages: claim and give back.
 *
 * A claim locks messages with SKIP LOCKED, and then the rows of their
 * appointments, with SKIP LOCKED too: where somebody is about to change one,
 * its message is left for a second.  So nothing here waits for a lock, and what
 * was cancelled before the claim committed is not sent.  The next statement
 * judges them: it sees all that was committed before the locks were there.
 *
 * All of a claim are locked, judged, leased and written by a statement each:
 * one by one, calls and plans took ten times as long as the work.
 *
 * Messages lie by channel, as deliveries lie by endpoint: a mail server that
 * does not answer holds up no SMS.  Those of channel 0 wait to be given one.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.told_as(n appt.notification) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN n.event <> 'rescheduled' OR n.root_no IS NOT NULL THEN n.event
		/* If the patient was told nothing so far, it is a booking to him. */
		WHEN (
			SELECT bool_and(e.state = 'skipped'
					OR (e.state = 'due' AND e.attempts = 0))
				AND bool_or(e.event = 'booked')
			FROM appt.notification e
			WHERE e.appointment_no = n.appointment_no
				AND e.notification_no < n.notification_no) THEN 'booked'
		ELSE n.event
	END
$$;

COMMENT ON FUNCTION appt_internal.told_as IS
	'The event that a message is about: of a visit that was moved before its '
	'patient was told that it was booked, booked';

CREATE FUNCTION appt_internal.decide_notifications(
	notification_nos bigint[],
	free bigint[])
	RETURNS TABLE (
		notification_no bigint,
		due_at timestamptz,
		action text,
		reason text,
		until timestamptz,
		event text,
		route appt_internal.route)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := appt.clock();
	promote_at CONSTANT timestamptz := appt_internal.may_promote_at(at);
	/* Most clinics set what they set for all: one set of rules then. */
	branches CONSTANT text[] := ARRAY(
		SELECT DISTINCT s.branch_id FROM appt.setting s
		WHERE s.branch_id IS NOT NULL);
	doctors CONSTANT text[] := ARRAY(
		SELECT DISTINCT s.doctor_id FROM appt.setting s
		WHERE s.doctor_id IS NOT NULL);
BEGIN
	RETURN QUERY
	WITH message AS MATERIALIZED (
		SELECT n, a, p, f.appointment_no IS NOT NULL AS is_free,
			appt_internal.known_zone(b.time_zone) AS zone,
			CASE WHEN b.branch_id = ANY (branches) THEN b.branch_id END
				AS branch_key,
			CASE WHEN a.doctor_id = ANY (doctors) THEN a.doctor_id END
				AS doctor_key
		FROM unnest(notification_nos) AS u (notification_no)
		JOIN appt.notification n ON n.notification_no = u.notification_no
		JOIN appt.appointment a ON a.appointment_no = n.appointment_no
		JOIN appt.patient p ON p.patient_no = a.patient_no
		JOIN appt.branch b ON b.branch_id = a.branch_id
		LEFT JOIN unnest(free) AS f (appointment_no)
			ON f.appointment_no = a.appointment_no),
	rule AS MATERIALIZED (
		SELECT k.*, appt_internal.notification_rules(k.branch_key,
			k.doctor_key) AS rules
		FROM (SELECT DISTINCT m.branch_key, m.doctor_key FROM message m) k),
	judged AS MATERIALIZED (
		SELECT m.n, m.p, r.rules,
			CASE WHEN m.is_free THEN appt_internal.judge_notification(m.n, m.a,
				m.p, r.rules, m.zone)
				ELSE appt_internal.verdict('busy') END AS verdict,
			CASE WHEN (m.n).event = 'rescheduled'
				THEN appt_internal.told_as(m.n)
				ELSE (m.n).event END AS event
		FROM message m
		JOIN rule r ON coalesce(r.branch_key, '') = coalesce(m.branch_key, '')
			AND coalesce(r.doctor_key, '') = coalesce(m.doctor_key, ''))
	SELECT (j.n).notification_no, (j.n).due_at,
		CASE WHEN (j.verdict).action <> 'send' THEN (j.verdict).action
			WHEN (w.route).channel_no IS NULL THEN 'skip'
			WHEN promote_at > at
				AND t.category IN ('service_explicit', 'promotional')
				THEN 'wait'
			ELSE 'send' END,
		coalesce((j.verdict).reason, (w.route).reason),
		coalesce((j.verdict).until, promote_at), j.event, w.route
	FROM judged j
	LEFT JOIN LATERAL (
		SELECT r::appt_internal.route AS route
		FROM appt_internal.route_notification(j.n, j.event, j.p, j.rules) r)
		AS w ON (j.verdict).action = 'send'
	LEFT JOIN appt.notification_template t
		ON t.notification_template_no = (w.route).notification_template_no;
END
$$;

COMMENT ON FUNCTION appt_internal.decide_notifications(bigint[], bigint[]) IS
	'What becomes of messages that are due, whose rows the caller has locked. '
	'free: the appointments that are locked too; a message of another is busy, '
	'as somebody is changing it. event: as what it is told';

CREATE FUNCTION appt_internal.put_off_notifications(
	notification_nos bigint[],
	actions text[],
	reasons text[],
	untils timestamptz[],
	channel_nos integer[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	DELETE FROM appt.notification t
	USING unnest($1, $2) AS d (notification_no, action)
	WHERE t.notification_no = d.notification_no AND d.action = 'drop';
	UPDATE appt.notification t
	SET state = 'skipped', reason = d.reason, finished_at = at
	FROM unnest($1, $2, $3) AS d (notification_no, action, reason)
	WHERE t.notification_no = d.notification_no AND d.action = 'skip';
	/* Without room a message waits, and by its channel, which is chosen. */
	UPDATE appt.notification t
	SET channel_no = coalesce(d.channel_no, t.channel_no),
		due_at = CASE d.action
			WHEN 'wait' THEN at + (d.until - appt.clock())
			WHEN 'busy' THEN at + interval '1 second'
			ELSE t.due_at END
	FROM unnest($1, $2, $4, $5)
		AS d (notification_no, action, until, channel_no)
	WHERE t.notification_no = d.notification_no
		AND (d.action IN ('wait', 'busy')
			OR (d.action = 'send' AND t.channel_no <> d.channel_no));
END
$$;

COMMENT ON FUNCTION appt_internal.put_off_notifications IS
	'Does to messages what was decided, short of sending them';

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
	calendar_location text,
	unsubscribe_url text,
	calendar_description text
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

CREATE FUNCTION appt_internal.message_values(
	n appt.notification,
	a appt.appointment,
	t appt.notification_template)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN appt_internal.template_values(a.appointment_id)
		|| CASE WHEN n.event = 'reminder' OR t::text LIKE '%\_link}}%'
			THEN appt_internal.link_values(a, n.channel, true) ELSE '{}' END;
END
$$;

COMMENT ON FUNCTION appt_internal.message_values IS
	'What the placeholders of a message stand for; links are signed for those '
	'that have one';

CREATE FUNCTION appt_internal.mail_message(
	m appt_internal.message,
	n appt.notification,
	a appt.appointment,
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
	m.body := appt_internal.fill_lines(t.body, filling);
	m.message_id := format('<ntf-%s.%s@%s>', n.notification_no,
		floor(extract(epoch FROM n.created_at)), host);
	IF n.event = 'reminder' THEN
		m.unsubscribe_url := filling->>'unsubscribe_link';
		RETURN m;
	ELSIF n.event = 'test' THEN
		RETURN m;
	END IF;

	m.calendar_method := CASE n.event WHEN 'cancelled' THEN 'CANCEL'
		ELSE 'REQUEST' END;
	m.calendar_uid := a.appointment_id || '@' || coalesce(s->>'uid_host', host);
	m.calendar_sequence := a.version;
	m.calendar_start := appt_internal.calendar_time(a.slot_start);
	m.calendar_end := appt_internal.calendar_time(a.slot_end);
	m.calendar_stamp := appt_internal.calendar_time(n.created_at);
	/* Calendars are shared: who looks into one is not to cancel by it. */
	m.calendar_description := appt_internal.fill_lines(t.body,
		filling - '{view_link,confirm_link,cancel_link,move_link,
			unsubscribe_link}'::text[]);
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
	values CONSTANT jsonb := filling || jsonb_build_object(
		'to', n.address,
		'to_digits', ltrim(n.address, '+'),
		'body', CASE WHEN t.dlt_template_id IS NULL
			THEN appt_internal.fill_lines(t.body, filling)
			ELSE appt_internal.fill_short(t.body, filling, 30) END,
		'secret', c.secret,
		'message_id', n.notification_no::text,
		'callback_url', CASE WHEN s ? 'callback'
			THEN appt_internal.callback_url(c) END,
		'provider_template', t.provider_template,
		'provider_language', t.provider_language,
		'dlt_template_id', t.dlt_template_id);
	document CONSTANT jsonb := appt_internal.fill_json(s->'body', values,
		appt_internal.fill_variables(t.variables, filling,
			CASE WHEN t.dlt_template_id IS NOT NULL THEN 30 ELSE 1000 END));
BEGIN
	m.protocol := 'http';
	m.url := appt_internal.fill_url(s->>'url', values);
	m.method := coalesce(s->>'method', 'POST');
	m.headers := concat_ws(E'\n',
		CASE WHEN form THEN 'Content-Type: application/x-www-form-urlencoded'
			ELSE 'Content-Type: application/json' END,
		nullif(appt_internal.fill_headers(s->'headers', values), ''));
	m.body := CASE WHEN form THEN appt_internal.form_body(document)
		ELSE document::text END;
	RETURN m;
END
$$;

COMMENT ON FUNCTION appt_internal.http_message IS
	'A provider''s request, filled';

CREATE FUNCTION appt_internal.notification_message(
	n appt.notification,
	a appt.appointment,
	c appt.notification_channel,
	t appt.notification_template,
	filling jsonb)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m appt_internal.message;
BEGIN
	m.notification_no := n.notification_no;
	m.fence := n.fence;
	m.attempt := n.attempts + 1;
	m.channel_no := n.channel_no;
	m.language := t.language;
	m.username := c.settings->>'username';
	m.secret := CASE WHEN m.username IS NOT NULL THEN c.secret END;
	RETURN CASE c.kind
		WHEN 'email' THEN appt_internal.mail_message(m, n, a, c, t, filling)
		ELSE appt_internal.http_message(m, n, c, t, filling)
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_message IS
	'What the relay needs to send a message that was leased to it';

/* --- claims ------------------------------------------------------------- */

CREATE FUNCTION appt_internal.lease_notifications(
	notification_nos bigint[],
	free bigint[],
	rooms jsonb,
	relay_no bigint,
	lease interval)
	RETURNS appt_internal.message[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	others record;
	messages appt_internal.message[];
BEGIN
	WITH decided AS MATERIALIZED (
		SELECT d.*, d.action = 'send' AND row_number() OVER (
				PARTITION BY d.action, (d.route).channel_no
				ORDER BY d.due_at, d.notification_no)
			<= (rooms->>(d.route).channel_no::text)::integer AS is_leased
		FROM appt_internal.decide_notifications($1, $2) d),
	leased AS (
		UPDATE appt.notification t
		SET state = 'sending',
			event = d.event,
			channel_no = (d.route).channel_no,
			channel = (d.route).channel,
			language = (d.route).language,
			address = (d.route).address,
			fence = t.fence + 1,
			relay_no = $4,
			lease_until = clock_timestamp() + $5
		FROM decided d
		WHERE t.notification_no = d.notification_no AND d.is_leased
		RETURNING t AS n, (d.route).notification_template_no AS template_no),
	written AS (
		SELECT array_agg(appt_internal.notification_message(l.n, a, c, k,
			appt_internal.message_values(l.n, a, k))
			ORDER BY (l.n).due_at) AS list
		FROM leased l
		JOIN appt.appointment a ON a.appointment_no = (l.n).appointment_no
		JOIN appt.notification_channel c ON c.channel_no = (l.n).channel_no
		JOIN appt.notification_template k
			ON k.notification_template_no = l.template_no)
	SELECT (SELECT w.list FROM written w) AS list,
		array_agg(d.notification_no) AS nos,
		array_agg(d.action) AS actions,
		array_agg(d.reason) AS reasons,
		array_agg(d.until) AS untils,
		array_agg((d.route).channel_no) AS channel_nos
	INTO others
	FROM decided d
	WHERE d.is_leased IS NOT TRUE;
	messages := others.list;
	IF others.nos IS NOT NULL THEN
		PERFORM appt_internal.put_off_notifications(others.nos,
			others.actions, others.reasons, others.untils, others.channel_nos);
	END IF;
	RETURN coalesce(messages, '{}');
END
$$;

COMMENT ON FUNCTION appt_internal.lease_notifications IS
	'Leases those of the messages that are to be sent now and find room, and '
	'returns what the relay needs to send them; does with the others what was '
	'decided';

CREATE FUNCTION appt_internal.lease_one_by_one(
	notification_nos bigint[],
	free bigint[],
	rooms jsonb,
	relay_no bigint,
	lease interval)
	RETURNS appt_internal.message[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	no bigint;
	one appt_internal.message[];
	messages appt_internal.message[] := '{}';
BEGIN
	FOREACH no IN ARRAY notification_nos
	LOOP
		BEGIN
			one := appt_internal.lease_notifications(ARRAY[no], free, rooms,
				relay_no, lease);
			messages := messages || one;
			rooms := appt_internal.rooms_left(rooms, one);
		EXCEPTION WHEN data_exception OR no_data_found
			OR program_limit_exceeded THEN
			UPDATE appt.notification t
			SET state = 'failed',
				reason = SQLERRM,
				finished_at = clock_timestamp()
			WHERE t.notification_no = no;
		END;
	END LOOP;
	RETURN messages;
END
$$;

COMMENT ON FUNCTION appt_internal.lease_one_by_one IS
	'The same where one of them cannot be written, which so keeps no other '
	'waiting: it has failed';

CREATE FUNCTION appt_internal.rooms_left(
	rooms jsonb,
	messages appt_internal.message[])
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN rooms || coalesce((
		SELECT jsonb_object_agg(m.channel_no,
			(rooms->>m.channel_no::text)::integer - m.leased)
		FROM (
			SELECT u.channel_no, count(*) AS leased
			FROM unnest(messages) u
			GROUP BY u.channel_no) m), '{}');
END
$$;

COMMENT ON FUNCTION appt_internal.rooms_left IS
	'How many more messages of each channel there is room for';

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
	SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	rooms jsonb;
	left_over integer := max_messages;
	queue integer;
	nos bigint[];
	visits bigint[];
	messages appt_internal.message[];
BEGIN
	SELECT coalesce(jsonb_object_agg(c.channel_no,
		per_channel - coalesce(k.leased, 0)), '{}')
	INTO rooms
	FROM appt.notification_channel c
	LEFT JOIN unnest(channel_nos, claim_notifications.leased)
		AS k (channel_no, leased) ON k.channel_no = c.channel_no
	WHERE c.active;

	RETURN QUERY SELECT * FROM appt_internal.claim_tests(relay_no,
		max_messages, lease);
	FOR queue IN
		SELECT 0
		UNION ALL
		SELECT r.key::integer
		FROM jsonb_each(rooms) r
		WHERE r.value::integer > 0
	LOOP
		SELECT array_agg(l.notification_no), array_agg(l.appointment_no)
		INTO nos, visits
		FROM (
			SELECT t.notification_no, t.appointment_no
			FROM appt.notification t
			WHERE t.channel_no = queue
				AND t.state = 'due'
				AND t.due_at <= clock_timestamp()
				AND t.appointment_no IS NOT NULL
			ORDER BY t.due_at
			LIMIT CASE queue WHEN 0 THEN left_over
				ELSE least(left_over, (rooms->>queue::text)::integer) END
			FOR NO KEY UPDATE SKIP LOCKED) l;
		CONTINUE WHEN nos IS NULL;
		visits := ARRAY(
			SELECT a.appointment_no
			FROM appt.appointment a
			JOIN unnest(visits) AS v (appointment_no)
				ON v.appointment_no = a.appointment_no
			FOR SHARE OF a SKIP LOCKED);
		BEGIN
			messages := appt_internal.lease_notifications(nos, visits, rooms,
				relay_no, lease);
		EXCEPTION WHEN data_exception OR no_data_found
			OR program_limit_exceeded THEN
			messages := appt_internal.lease_one_by_one(nos, visits, rooms,
				relay_no, lease);
		END;
		RETURN QUERY SELECT * FROM unnest(messages);
		rooms := appt_internal.rooms_left(rooms, messages);
		left_over := left_over - cardinality(messages);
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
