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
				AND e.notification_no + 0 < n.notification_no) THEN 'booked'
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
		channel_no integer,
		channel text,
		notification_template_no bigint,
		language text,
		address text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := appt.clock();
	promote_at CONSTANT timestamptz := appt_internal.may_promote_at(at);
	/* Most clinics set what they set for all: one set of rules then. */
	doctors CONSTANT text[] := ARRAY(
		SELECT DISTINCT s.doctor_id FROM appt.setting s
		WHERE s.doctor_id IS NOT NULL);
BEGIN
	RETURN QUERY
	WITH visit AS MATERIALIZED (
		SELECT DISTINCT f.appointment_no
		FROM unnest(free) AS f (appointment_no)),
	place AS MATERIALIZED (
		SELECT k.branch_id, k.doctor_id, r.zone, r.rules,
			(appt_internal.quiet_period(at, r.zone, (r.rules).quiet_from,
				(r.rules).quiet_to)).ends_at AS quiet_until
		FROM (
			SELECT DISTINCT a.branch_id, CASE WHEN a.doctor_id = ANY (doctors)
				THEN a.doctor_id ELSE '' END AS doctor_id
			FROM visit v
			JOIN appt.appointment a ON a.appointment_no = v.appointment_no) k
		JOIN appt.branch b ON b.branch_id = k.branch_id
		CROSS JOIN LATERAL (
			SELECT appt_internal.known_zone(b.time_zone) AS zone,
				appt_internal.notification_rules(k.branch_id, k.doctor_id)
					AS rules
			OFFSET 0) r),
	/* Of all that is asked of a message each has its own row here: what the
	 * next steps ask is put together once, or not at all. */
	judged AS MATERIALIZED (
		SELECT n.notification_no, n.appointment_no, n.root_no, n.due_at,
			CASE WHEN n.event = 'rescheduled' THEN appt_internal.told_as(n)
				ELSE n.event END AS event,
			v.appointment_no IS NULL AS busy, l.quiet_until,
			appt_internal.judge_notification(n, a, p, l.rules, l.zone,
				l.quiet_until, s.set_at, c.later, at) AS verdict,
			p.patient_id, p.phone_e164, p.email,
			coalesce(f.channels, (l.rules).channels) AS channels,
			p.language || (l.rules).languages AS languages
		FROM unnest(notification_nos) AS u (notification_no)
		JOIN appt.notification n ON n.notification_no = u.notification_no
		JOIN appt.appointment a ON a.appointment_no = n.appointment_no
		JOIN appt.patient p ON p.patient_no = a.patient_no
		LEFT JOIN visit v ON v.appointment_no = n.appointment_no
		LEFT JOIN place l ON l.branch_id = a.branch_id
			AND l.doctor_id = CASE WHEN a.doctor_id = ANY (doctors)
				THEN a.doctor_id ELSE '' END
			AND v.appointment_no IS NOT NULL
		LEFT JOIN appt.notification_preference f
			ON f.patient_id = p.patient_id
		LEFT JOIN LATERAL appt_internal.visit_set_at(CASE n.event
			WHEN 'reminder' THEN n.appointment_no END) AS s (set_at) ON true
		LEFT JOIN LATERAL appt_internal.later_change(CASE n.event
			WHEN 'reminder' THEN NULL ELSE n.appointment_no END,
			n.notification_no) AS c (later) ON true),
	/* The ways are looked for once for all of whom they are the same. */
	way AS MATERIALIZED (
		SELECT k.event, k.channels, k.languages, w.place, w.kind,
			w.channel_no, w.notification_template_no, w.language, t.category
		FROM (
			SELECT DISTINCT j.event, j.channels, j.languages
			FROM judged j
			WHERE j.verdict = 'send') k
		CROSS JOIN LATERAL appt_internal.message_ways(k.event, k.channels,
			k.languages) w
		LEFT JOIN appt.notification_template t
			ON t.notification_template_no = w.notification_template_no),
	routed AS (
		SELECT j.*, w.place, w.kind, w.channel_no, w.category,
			w.notification_template_no, w.language, d.address, y.refusal,
			array_agg(y.refusal) OVER (PARTITION BY j.notification_no)
				AS refusals
		FROM judged j
		LEFT JOIN way w ON w.event = j.event
			AND w.channels = j.channels
			AND w.languages = j.languages
			AND j.verdict = 'send'
		CROSS JOIN LATERAL (
			SELECT appt_internal.way_address(w.kind, j.phone_e164, j.email))
			AS d (address)
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN w.kind IS NULL THEN 'no_channel'
				/* Another try is by a channel that was not tried. */
				WHEN j.root_no IS NOT NULL AND EXISTS (
					SELECT
					FROM appt_internal.other_tries(j.appointment_no,
						j.root_no, j.notification_no) b
					WHERE b.channel = w.kind) THEN 'no_channel'
				ELSE appt_internal.way_refusal(d.address, EXISTS (
						SELECT
						FROM appt_internal.opt_outs(j.patient_id, w.kind,
							j.event)),
					w.notification_template_no)
				END) AS y (refusal))
	SELECT DISTINCT ON (r.notification_no) r.notification_no, r.due_at,
		CASE WHEN r.busy THEN 'busy'
			WHEN r.verdict IN ('wait', 'drop') THEN r.verdict
			WHEN r.refusal IS NOT NULL THEN 'skip'
			WHEN promote_at > at
				AND r.category IN ('service_explicit', 'promotional')
				THEN 'wait'
			ELSE 'send' END,
		CASE WHEN r.verdict <> 'send' THEN r.verdict
			WHEN r.refusal IS NOT NULL
				THEN appt_internal.route_refusal(r.refusals) END,
		CASE r.verdict WHEN 'wait' THEN r.quiet_until ELSE promote_at END,
		r.event, CASE WHEN r.refusal IS NULL THEN r.channel_no END, r.kind,
		r.notification_template_no, r.language, r.address
	FROM routed r
	ORDER BY r.notification_no, r.refusal IS NOT NULL, r.place;
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
	SET queue_no = coalesce(d.channel_no, t.queue_no),
		channel_no = coalesce(d.channel_no, t.channel_no),
		due_at = CASE d.action
			WHEN 'wait' THEN at + (d.until - appt.clock())
			WHEN 'busy' THEN at + interval '1 second'
			ELSE t.due_at END
	FROM unnest($1, $2, $4, $5)
		AS d (notification_no, action, until, channel_no)
	WHERE t.notification_no = d.notification_no
		AND (d.action IN ('wait', 'busy')
			OR (d.action = 'send' AND t.queue_no <> d.channel_no));
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

CREATE FUNCTION appt_internal.mail_message(
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
	m appt_internal.message;
BEGIN
	m.notification_no := n.notification_no;
	m.fence := n.fence;
	m.attempt := n.attempts + 1;
	m.channel_no := n.channel_no;
	m.protocol := 'email';
	m.username := s->>'username';
	m.secret := CASE WHEN m.username IS NOT NULL THEN c.secret END;
	m.language := t.language;
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
	IF n.event IN ('reminder', 'follow_up') THEN
		m.unsubscribe_url := filling->>'unsubscribe_link';
		RETURN m;
	ELSIF n.appointment_no IS NULL THEN
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

/* Without a search_path of its own, so that it becomes a part of the statement
 * that claims. */
CREATE FUNCTION appt_internal.http_message(
	n appt.notification,
	c appt.notification_channel,
	t appt.notification_template,
	filling jsonb)
	RETURNS SETOF appt_internal.message
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT (n).notification_no, (n).fence, (n).attempts + 1, (n).channel_no,
		'http', appt_internal.fill_url((c).settings->>'url', v.filling),
		(c).settings->>'username',
		CASE WHEN (c).settings->>'username' IS NOT NULL THEN (c).secret END,
		coalesce((c).settings->>'method', 'POST'),
		CASE WHEN d.form
			THEN 'Content-Type: application/x-www-form-urlencoded'
			ELSE 'Content-Type: application/json' END
			|| coalesce(E'\n' || nullif(appt_internal.fill_headers(
				(c).settings->'headers', v.filling), ''), ''),
		CASE WHEN d.form THEN appt_internal.form_body(d.document)
			ELSE d.document::pg_catalog.text END,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (t).language,
		NULL, NULL, NULL::pg_catalog.int4, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL
	FROM (
		SELECT $4 || pg_catalog.jsonb_build_object(
			'to', (n).address,
			'to_digits', pg_catalog.ltrim((n).address, '+'),
			'body', CASE WHEN (t).dlt_template_id IS NULL
				THEN appt_internal.fill_lines((t).body, $4)
				ELSE appt_internal.fill_short((t).body, $4, 30) END,
			'secret', (c).secret,
			'message_id', (n).notification_no::pg_catalog.text,
			'callback_url', CASE WHEN (c).settings ? 'callback'
				THEN appt_internal.callback_url(c) END,
			'provider_template', (t).provider_template,
			'provider_language', (t).provider_language,
			'dlt_template_id', (t).dlt_template_id) AS filling
		WHERE (c).kind <> 'email'
		OFFSET 0) v
	CROSS JOIN LATERAL (
		SELECT (c).settings->>'content_type' IS NOT DISTINCT FROM 'form'
				AS form,
			appt_internal.fill_json((c).settings->'body', v.filling,
				appt_internal.fill_variables((t).variables, $4,
					CASE WHEN (t).dlt_template_id IS NOT NULL THEN 30
						ELSE 1000 END)) AS document
		OFFSET 0) d
$$;

COMMENT ON FUNCTION appt_internal.http_message IS
	'A message with a provider''s request, filled; no row: the channel is one '
	'of e-mails';

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
	IF c.kind = 'email' THEN
		RETURN appt_internal.mail_message(n, a, c, t, filling);
	END IF;
	SELECT h.* INTO STRICT m
	FROM appt_internal.http_message(n, c, t, filling) h;
	RETURN m;
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
	linked CONSTANT boolean := EXISTS (
		SELECT
		FROM appt.setting s
		WHERE s.name = 'public_url' AND s.value <> 'none');
BEGIN
	WITH decided AS MATERIALIZED (
		SELECT d.*, d.action = 'send' AND row_number() OVER (
				PARTITION BY d.action, d.channel_no
				ORDER BY d.due_at, d.notification_no)
			<= (rooms->>d.channel_no::text)::integer AS is_leased
		FROM appt_internal.decide_notifications($1, $2) d),
	leased AS (
		UPDATE appt.notification t
		SET state = 'sending',
			event = d.event,
			channel_no = d.channel_no,
			channel = d.channel,
			language = d.language,
			address = d.address,
			fence = t.fence + 1,
			relay_no = $4,
			lease_until = clock_timestamp() + $5
		FROM decided d
		WHERE t.notification_no = d.notification_no AND d.is_leased
		RETURNING t AS n, d.notification_template_no AS template_no),
	template AS MATERIALIZED (
		SELECT k, k.notification_template_no AS template_no,
			linked AND k::text LIKE '%\_link}}%' AS has_links
		FROM appt.notification_template k),
	filled AS (
		SELECT l.n, a, c, t.k, CASE WHEN t.has_links
				OR (linked AND (l.n).event IN ('reminder', 'follow_up'))
				THEN v || appt_internal.link_values(a, (l.n).channel, true)
				ELSE v END AS filling
		FROM leased l
		JOIN appt.appointment a ON a.appointment_no = (l.n).appointment_no
		CROSS JOIN LATERAL appt_internal.visit_values(a.appointment_no) v
		JOIN appt.notification_channel c ON c.channel_no = (l.n).channel_no
		JOIN template t ON t.template_no = l.template_no
		OFFSET 0),
	written AS (
		SELECT array_agg(CASE (f.c).kind WHEN 'email'
				THEN appt_internal.mail_message(f.n, f.a, f.c, f.k, f.filling)
				ELSE h END
			ORDER BY (f.n).due_at) AS list
		FROM filled f
		LEFT JOIN LATERAL appt_internal.http_message(f.n, f.c, f.k, f.filling)
			AS h ON true)
	SELECT (SELECT w.list FROM written w) AS list,
		array_agg(d.notification_no) AS nos,
		array_agg(d.action) AS actions,
		array_agg(d.reason) AS reasons,
		array_agg(d.until) AS untils,
		array_agg(d.channel_no) AS channel_nos
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

CREATE FUNCTION appt_internal.room_of(rooms jsonb, queue integer)
	RETURNS integer
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT CASE
			/* Without a channel all of them are skipped, and need none. */
			WHEN rooms = '{}' THEN 1000
			ELSE sum(greatest(0, r.value::integer)) END
		FROM jsonb_each(rooms) r
		WHERE queue IN (0, r.key::integer));
END
$$;

COMMENT ON FUNCTION appt_internal.room_of(jsonb, integer) IS
	'For how many messages of a queue there can be room: those of channel 0 '
	'may be given any';

CREATE FUNCTION appt_internal.lease_queue(
	queue integer,
	at_most integer,
	rooms jsonb,
	relay_no bigint,
	lease interval,
	OUT looked_at integer,
	OUT messages appt_internal.message[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nos bigint[];
	visits bigint[];
BEGIN
	SELECT coalesce(array_agg(l.notification_no), '{}'),
		array_agg(l.appointment_no)
	INTO nos, visits
	FROM (
		SELECT t.notification_no, t.appointment_no
		FROM appt.notification t
		WHERE t.queue_no = queue
			AND t.finished_at IS NULL
			AND t.state = 'due'
			AND t.due_at <= clock_timestamp()
			AND t.appointment_no IS NOT NULL
		ORDER BY t.due_at
		LIMIT at_most
		FOR NO KEY UPDATE SKIP LOCKED) l;
	looked_at := cardinality(nos);
	messages := '{}';
	IF looked_at = 0 THEN
		RETURN;
	END IF;
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
END
$$;

COMMENT ON FUNCTION appt_internal.lease_queue(integer, integer, jsonb, bigint,
	interval) IS
	'Looks at the first messages of a channel (0: of those that wait to be '
	'given one), and leases those that are to be sent and find room';

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
	room integer;
	left_over integer := max_messages;
	queue integer;
	looked_at integer;
	at_most integer;
	batch record;
BEGIN
	SELECT coalesce(jsonb_object_agg(c.channel_no,
		per_channel - coalesce(k.leased, 0)), '{}')
	INTO rooms
	FROM appt.notification_channel c
	LEFT JOIN unnest(channel_nos, claim_notifications.leased)
		AS k (channel_no, leased) ON k.channel_no = c.channel_no
	WHERE c.active;

	RETURN QUERY SELECT * FROM appt_internal.claim_apart(relay_no,
		max_messages, lease);
	FOR queue IN
		SELECT q.queue
		FROM (
			SELECT 0 AS queue
			UNION ALL
			SELECT r.key::integer
			FROM jsonb_each(rooms) r) q
		ORDER BY random()
	LOOP
		/* No more are judged than find room, as what does not is judged again;
		 * ever more where others are in front of those.  Where there is none
		 * some are given the channel that they wait for, to be seen there. */
		looked_at := 0;
		LOOP
			room := appt_internal.room_of(rooms, queue);
			EXIT WHEN room = 0 AND (queue <> 0 OR looked_at > 0);
			at_most := least(max_messages - looked_at, left_over,
				greatest(room, looked_at, CASE room WHEN 0 THEN 100 END));
			EXIT WHEN at_most <= 0;
			batch := appt_internal.lease_queue(queue, at_most, rooms,
				relay_no, lease);
			RETURN QUERY SELECT * FROM unnest(batch.messages);
			rooms := appt_internal.rooms_left(rooms, batch.messages);
			left_over := left_over - cardinality(batch.messages);
			looked_at := looked_at + batch.looked_at;
			EXIT WHEN batch.looked_at < at_most;
		END LOOP;
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
		SET state = 'due',
			queue_no = t.channel_no,
			relay_no = NULL,
			lease_until = NULL
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
		SET state = 'due',
			queue_no = t.channel_no,
			relay_no = NULL,
			lease_until = NULL
		WHERE t.finished_at IS NULL
			AND t.state = 'sending'
			AND t.relay_no = $1
			AND t.notification_no <> ALL ($2)
		RETURNING 1)
	SELECT count(*) FROM released
$$;

COMMENT ON FUNCTION appt_relay.release_lost_notifications(bigint, bigint[])
	IS
	'Gives back what was claimed for a relay that never got the answer: all '
	'that is leased to it but the messages that it knows of';
