/* ---------------------------------------------------------------------------
 * What the relay calls to send messages: claim and give back.
 *
 * A claim locks messages with SKIP LOCKED, and then the rows of their
 * appointments, with SKIP LOCKED too: where somebody is about to change one,
 * its message is left for a second.  So nothing here waits for a lock, and what
 * was cancelled before the claim committed is not sent.  The next statement
 * judges them: it sees all that was committed before the locks were there.
 *
 * All of a claim are locked by one statement, their visits by another, and
 * judged, leased and written by a third: one by one, calls and plans took ten
 * times as long as the work.
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

/* These two have no search_path of their own, so that they become a part of
 * the statement that leases. */
CREATE FUNCTION appt_internal.try_way(
	kind text,
	notification_template_no bigint,
	phone text,
	email text,
	patient_id text,
	event text,
	appointment_no bigint,
	root_no bigint,
	notification_no bigint)
	RETURNS TABLE (address text, refusal text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT d.address,
		CASE WHEN $1 IS NULL THEN 'no_channel'
			/* Another try is by a channel that was not tried. */
			WHEN $8 IS NOT NULL AND EXISTS (
				SELECT
				FROM appt_internal.other_tries($7, $8, $9) b
				WHERE b.channel = $1) THEN 'no_channel'
			ELSE appt_internal.way_refusal(d.address, EXISTS (
				SELECT
				FROM appt_internal.opt_outs($5, $1, $6)), $2) END
	FROM (
		SELECT appt_internal.way_address($1, $3, $4) AS address
		OFFSET 0) d
	OFFSET 0
$$;

COMMENT ON FUNCTION appt_internal.try_way IS
	'Where a message goes by a kind of channel, and why it cannot; refusal '
	'NULL: it can';

CREATE FUNCTION appt_internal.decide_notifications(
	messages tid[],
	visits tid[],
	branch_ids text[],
	doctor_nos integer[],
	doctors text[],
	at timestamptz,
	promote_at timestamptz)
	RETURNS TABLE (
		message tid,
		visit tid,
		notification_no bigint,
		appointment_no bigint,
		fence bigint,
		attempts integer,
		created_at timestamptz,
		due_at timestamptz,
		action text,
		reason text,
		until timestamptz,
		event text,
		channel_no integer,
		channel text,
		notification_template_no bigint,
		language text,
		address text,
		filling jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
AS $$
	WITH visited AS MATERIALIZED (
		SELECT u.branch_id, d.doctor_no, d.name AS doctor_name,
			CASE WHEN d.doctor_id = ANY ($5) THEN d.doctor_id
				ELSE '' END AS doctor_id
		FROM (
			SELECT DISTINCT t.branch_id, t.doctor_no
			FROM unnest($3, $4) AS t (branch_id, doctor_no)) u
		JOIN appt.doctor d ON d.doctor_no = u.doctor_no),
	place AS MATERIALIZED (
		SELECT k.branch_id, k.doctor_id, b.name, b.phone, b.address,
			b.time_zone, z.zone, r.*,
			(appt_internal.quiet_period($6, z.zone, r.quiet_from, r.quiet_to))
				.ends_at AS quiet_until
		FROM (
			SELECT DISTINCT v.branch_id, v.doctor_id
			FROM visited v) k
		JOIN appt.branch b ON b.branch_id = k.branch_id
		CROSS JOIN LATERAL (
			SELECT appt_internal.known_zone(b.time_zone) AS zone
			OFFSET 0) z
		CROSS JOIN LATERAL appt_internal.notification_rules(k.branch_id,
			k.doctor_id) r),
	/* What is the same for all visits to a doctor at a branch. */
	practice AS MATERIALIZED (
		SELECT v.doctor_no, v.doctor_name, l.*
		FROM visited v
		JOIN place l ON l.branch_id = v.branch_id
			AND l.doctor_id = v.doctor_id),
	visit_type AS MATERIALIZED (
		SELECT pg_catalog.jsonb_object_agg(t.visit_type, t.name) AS names
		FROM appt.visit_type t),
	/* Of all that is asked of a message each has its own row here: what the
	 * next steps ask is put together once, or not at all. */
	judged AS MATERIALIZED (
		SELECT u.message, $2[u.i] AS visit, n.notification_no,
			n.appointment_no, n.root_no, n.fence, n.attempts, n.created_at,
			n.due_at,
			CASE WHEN n.event = 'rescheduled' THEN appt_internal.told_as(n)
				ELSE n.event END AS event,
			l.quiet_until,
			appt_internal.judge_notification(n, a, p,
				ROW(l.leads, l.channels, l.quiet_from, l.quiet_to, l.settle_s,
					l.fallback_after_min, l.languages, l.follow_up_days)
					::appt_internal.notification_rules,
				l.zone, l.quiet_until, s.set_at, s.later, $6) AS verdict,
			p.patient_id, p.phone_e164, p.email,
			coalesce(f.channels, l.channels) AS channels,
			p.language || l.languages AS languages,
			appt_internal.visit_values(a.appointment_id, a.token_number,
				a.slot_start, l.time_zone, a.reason, l.name, l.phone,
				l.address, l.doctor_name,
				(SELECT t.names FROM visit_type t)->>a.visit_type,
				p.first_name, p.last_name) AS filling
		FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (message, i)
		JOIN appt.notification n ON n.ctid = u.message
		JOIN appt.appointment a ON a.ctid = $2[u.i]
		JOIN appt.patient p ON p.patient_no = a.patient_no
		JOIN practice l ON l.branch_id = $3[u.i] AND l.doctor_no = $4[u.i]
		LEFT JOIN appt.notification_preference f
			ON f.patient_id = p.patient_id
		CROSS JOIN LATERAL (
			SELECT
				CASE n.event WHEN 'reminder' THEN (
					SELECT v
					FROM appt_internal.visit_set_at(n.appointment_no) v)
				END AS set_at,
				CASE WHEN n.event <> 'reminder' THEN (
					SELECT v
					FROM appt_internal.later_change(n.appointment_no,
						n.notification_no) v)
				END AS later
			OFFSET 0) s),
	/* The ways are looked for once for all of whom they are the same. */
	way AS MATERIALIZED (
		SELECT k.event, k.channels, k.languages, w.place, w.kind,
			w.channel_no, w.notification_template_no, w.language, w.category
		FROM (
			SELECT DISTINCT j.event, j.channels, j.languages
			FROM judged j
			WHERE j.verdict = 'send') k
		CROSS JOIN LATERAL appt_internal.message_ways(k.event, k.channels,
			k.languages) w)
	SELECT j.message, j.visit, j.notification_no, j.appointment_no, j.fence,
		j.attempts, j.created_at, j.due_at,
		CASE WHEN j.verdict IN ('wait', 'drop') THEN j.verdict
			WHEN j.verdict <> 'send' OR (o.way).reason IS NOT NULL THEN 'skip'
			WHEN $7 > $6 AND CASE WHEN o.way IS NULL THEN f.category
				ELSE (o.way).category END
				IN ('service_explicit', 'promotional') THEN 'wait'
			ELSE 'send' END,
		CASE WHEN j.verdict <> 'send' THEN j.verdict
			ELSE (o.way).reason END,
		CASE j.verdict WHEN 'wait' THEN j.quiet_until ELSE $7 END,
		j.event, coalesce((o.way).channel_no, f.channel_no),
		coalesce((o.way).channel, f.kind),
		coalesce((o.way).notification_template_no, f.notification_template_no),
		coalesce((o.way).language, f.language),
		coalesce((o.way).address, y.address), j.filling
	FROM judged j
	LEFT JOIN way f ON f.place = 1
		AND j.verdict = 'send'
		AND f.event = j.event
		AND f.languages = j.languages
		AND f.channels = j.channels
	CROSS JOIN LATERAL appt_internal.try_way(f.kind,
		f.notification_template_no, j.phone_e164, j.email, j.patient_id,
		j.event, j.appointment_no, j.root_no, j.notification_no) y
	/* Only where the first way does not go are the others looked at: the next
	 * that does; without one it counts what is said of each. */
	CROSS JOIN LATERAL (
		SELECT CASE WHEN j.verdict = 'send' AND y.refusal IS NOT NULL THEN
			coalesce((
				SELECT ROW(b.channel_no, b.kind, b.notification_template_no,
					b.language, b.address,
					CASE WHEN b.refusal IS NOT NULL
						THEN appt_internal.route_refusal(b.refusals) END,
					b.category)::appt_internal.route
				FROM (
					SELECT w.*, t.address, t.refusal,
						pg_catalog.array_agg(t.refusal) OVER () AS refusals
					FROM way w
					CROSS JOIN LATERAL appt_internal.try_way(w.kind,
						w.notification_template_no, j.phone_e164, j.email,
						j.patient_id, j.event, j.appointment_no, j.root_no,
						j.notification_no) t
					WHERE w.event = j.event
						AND w.languages = j.languages
						AND w.channels = j.channels
					ORDER BY t.refusal IS NOT NULL, w.place
					LIMIT 1) b),
				ROW(NULL, NULL, NULL, NULL, NULL, y.refusal, NULL)
					::appt_internal.route) END AS way
		OFFSET 0) o
$$;

COMMENT ON FUNCTION appt_internal.decide_notifications IS
	'What becomes of messages that are due. messages, visits: where their rows '
	'and those of their appointments are, which the caller has locked; '
	'branch_ids, doctor_nos: where and to whom those are; doctors: who has '
	'settings of his own; at: the clinic''s time; promote_at: '
	'appt_internal.may_promote_at. event: as what it is told; filling: what '
	'placeholders stand for, but links';

CREATE FUNCTION appt_internal.put_off_notifications(
	messages tid[],
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
	USING unnest($1, $2) AS d (message, action)
	WHERE t.ctid = d.message AND d.action = 'drop';
	UPDATE appt.notification t
	SET state = 'skipped', reason = d.reason, finished_at = at
	FROM unnest($1, $2, $3) AS d (message, action, reason)
	WHERE t.ctid = d.message AND d.action = 'skip';
	/* Without room a message waits, and by its channel, which is chosen. */
	UPDATE appt.notification t
	SET queue_no = coalesce(d.channel_no, t.queue_no),
		channel_no = coalesce(d.channel_no, t.channel_no),
		due_at = CASE d.action WHEN 'wait' THEN at + (d.until - appt.clock())
			ELSE t.due_at END
	FROM unnest($1, $2, $4, $5) AS d (message, action, until, channel_no)
	WHERE t.ctid = d.message
		AND (d.action = 'wait'
			OR (d.action = 'send' AND t.queue_no <> d.channel_no));
END
$$;

COMMENT ON FUNCTION appt_internal.put_off_notifications IS
	'Does to messages what was decided, short of sending them. messages: where '
	'their rows are, which the caller has locked';

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

/* What of a row of appt.notification the writers below ask for: a whole row is
 * dear to put together. */
CREATE TYPE appt_internal.letter AS (
	notification_no bigint,
	fence bigint,
	attempts integer,
	channel_no integer,
	appointment_no bigint,
	event text,
	address text,
	created_at timestamptz
);

COMMENT ON TYPE appt_internal.letter IS
	'A message that is leased, as it is written';

CREATE TYPE appt_internal.stationery AS (
	channel_no integer,
	notification_template_no bigint,
	is_mail boolean,
	url text,
	username text,
	password text,
	method text,
	content_type text,
	headers jsonb,
	document jsonb,
	secret text,
	callback_url text,
	security text,
	sender text,
	sender_name text,
	reply_to text,
	domain text,
	uid_host text,
	language text,
	subject text,
	body text,
	variables jsonb,
	variable_length integer,
	dlt_template_id text,
	provider_language text,
	provider_template text
);

COMMENT ON TYPE appt_internal.stationery IS
	'What all messages by a channel in the words of a template have in common';

/* These have no search_path of their own, so that they become a part of the
 * statement that claims. */
CREATE FUNCTION appt_internal.stationery(
	c appt.notification_channel,
	t appt.notification_template)
	RETURNS SETOF appt_internal.stationery
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT (c).channel_no, (t).notification_template_no, s.is_mail,
		CASE WHEN s.is_mail THEN pg_catalog.concat(
				CASE s.security WHEN 'tls' THEN 'smtps://' ELSE 'smtp://' END,
				CASE WHEN s.host LIKE '%:%' THEN '[' || s.host || ']'
					ELSE s.host END,
				':', coalesce(s.settings->>'port',
					CASE s.security WHEN 'tls' THEN '465' ELSE '587' END))
			ELSE s.settings->>'url' END,
		s.settings->>'username',
		CASE WHEN s.settings->>'username' IS NOT NULL THEN (c).secret END,
		coalesce(s.settings->>'method', 'POST'),
		CASE s.settings->>'content_type' WHEN 'form'
			THEN 'application/x-www-form-urlencoded'
			ELSE 'application/json' END,
		s.settings->'headers', s.settings->'body', (c).secret,
		CASE WHEN s.settings ? 'callback'
			THEN appt_internal.callback_url(c) END,
		s.security, s.settings->>'from', s.settings->>'from_name',
		s.settings->>'reply_to', s.domain,
		coalesce(s.settings->>'uid_host', s.domain),
		(t).language, (t).subject, (t).body, (t).variables,
		CASE WHEN (t).dlt_template_id IS NOT NULL THEN 30 ELSE 1000 END,
		(t).dlt_template_id, (t).provider_language, (t).provider_template
	FROM (
		SELECT (c).settings AS settings, (c).kind = 'email' AS is_mail,
			(c).settings->>'host' AS host,
			coalesce((c).settings->>'security', 'starttls') AS security,
			pg_catalog.split_part((c).settings->>'from', '@', 2) AS domain
		OFFSET 0) s
$$;

COMMENT ON FUNCTION appt_internal.stationery IS
	'What messages by the channel in the template''s words have in common';

CREATE FUNCTION appt_internal.mail_message(
	n appt_internal.letter,
	a appt.appointment,
	s appt_internal.stationery,
	filling jsonb)
	RETURNS SETOF appt_internal.message
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT (n).notification_no, (n).fence, (n).attempts + 1, (n).channel_no,
		'email', (s).url, (s).username, (s).password, NULL, NULL,
		appt_internal.fill_lines((s).body, $4), (s).security, (s).sender,
		(s).sender_name, (s).reply_to, (n).address, $4->>'patient_name',
		appt_internal.header_value(
			appt_internal.fill_template((s).subject, $4)),
		pg_catalog.concat('<ntf-', (n).notification_no, '.',
			pg_catalog.floor(EXTRACT(epoch FROM (n).created_at)), '@',
			(s).domain, '>'),
		(s).language, i.method, i.uid, i.sequence, i.starts, i.ends, i.stamp,
		i.summary, i.location,
		CASE WHEN (n).event IN ('reminder', 'follow_up')
			THEN $4->>'unsubscribe_link' END,
		i.description
	FROM (SELECT WHERE (s).is_mail) w
	LEFT JOIN LATERAL (
		SELECT
			CASE (n).event WHEN 'cancelled' THEN 'CANCEL' ELSE 'REQUEST' END
				AS method,
			(a).appointment_id || '@' || (s).uid_host AS uid,
			(a).version AS sequence,
			appt_internal.calendar_time((a).slot_start) AS starts,
			appt_internal.calendar_time((a).slot_end) AS ends,
			appt_internal.calendar_time((n).created_at) AS stamp,
			pg_catalog.concat_ws(', ', $4->>'doctor_name', $4->>'branch_name')
				AS summary,
			pg_catalog.concat_ws(', ', $4->>'branch_name',
				$4->>'branch_address') AS location,
			/* Calendars are shared: who looks into one is not to cancel by
			 * it. */
			appt_internal.fill_lines((s).body, $4
				- '{view_link,confirm_link,cancel_link,move_link,
					unsubscribe_link}'::pg_catalog.text[]) AS description
		WHERE (n).event NOT IN ('reminder', 'follow_up')
			AND (n).appointment_no IS NOT NULL) i ON true
$$;

COMMENT ON FUNCTION appt_internal.mail_message IS
	'An e-mail with its invitation to, or cancellation in, a calendar; no row: '
	'the channel is none of e-mails';

CREATE FUNCTION appt_internal.http_message(
	n appt_internal.letter,
	s appt_internal.stationery,
	filling jsonb)
	RETURNS SETOF appt_internal.message
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT (n).notification_no, (n).fence, (n).attempts + 1, (n).channel_no,
		'http', appt_internal.fill_url((s).url, $3, v.own), (s).username,
		(s).password, (s).method,
		'Content-Type: ' || (s).content_type || coalesce(E'\n' || nullif(
			appt_internal.fill_headers((s).headers, $3, v.own), ''), ''),
		CASE (s).content_type WHEN 'application/json'
			THEN appt_internal.fill_json((s).document, $3, v.own,
				v.variables)::pg_catalog.text
			ELSE appt_internal.form_body(appt_internal.fill_json((s).document,
				$3, v.own, v.variables)) END,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (s).language,
		NULL, NULL, NULL::pg_catalog.int4, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL
	FROM (
		SELECT ARRAY[
			'to', (n).address,
			'body', CASE WHEN (s).dlt_template_id IS NULL
				THEN appt_internal.fill_lines((s).body, $3)
				ELSE appt_internal.fill_short((s).body, $3, 30) END,
			'secret', (s).secret,
			'to_digits', pg_catalog.ltrim((n).address, '+'),
			'message_id', (n).notification_no::pg_catalog.text,
			'callback_url', (s).callback_url,
			'dlt_template_id', (s).dlt_template_id,
			'provider_language', (s).provider_language,
			'provider_template', (s).provider_template] AS own,
			appt_internal.fill_variables((s).variables, $3,
				(s).variable_length) AS variables
		WHERE NOT (s).is_mail
		OFFSET 0) v
$$;

COMMENT ON FUNCTION appt_internal.http_message IS
	'A message with a provider''s request, filled; no row: the channel is one '
	'of e-mails';

CREATE FUNCTION appt_internal.notification_message(
	n appt_internal.letter,
	a appt.appointment,
	s appt_internal.stationery,
	filling jsonb)
	RETURNS SETOF appt_internal.message
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT m.* FROM appt_internal.mail_message(n, a, s, filling) m
	UNION ALL
	SELECT h.* FROM appt_internal.http_message(n, s, filling) h
$$;

COMMENT ON FUNCTION appt_internal.notification_message(appt_internal.letter,
	appt.appointment, appt_internal.stationery, jsonb) IS
	'What the relay needs to send a message that was leased to it';

CREATE FUNCTION appt_internal.notification_message(
	n appt.notification,
	c appt.notification_channel,
	t appt.notification_template,
	filling jsonb)
	RETURNS SETOF appt_internal.message
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT m.*
	FROM appt_internal.stationery(c, t) s
	CROSS JOIN LATERAL appt_internal.notification_message(
		ROW((n).notification_no, (n).fence, (n).attempts, (n).channel_no,
			(n).appointment_no, (n).event, (n).address, (n).created_at)
			::appt_internal.letter,
		NULL::appt.appointment, s, filling) m
$$;

COMMENT ON FUNCTION appt_internal.notification_message(appt.notification,
	appt.notification_channel, appt.notification_template, jsonb) IS
	'The same of a message of no appointment';

/* --- claims ------------------------------------------------------------- */

/* A row of a table is given to what writes a message as ROW(t.*): so only those
 * of its columns that are asked for are, and it is not put together.  What the
 * UPDATE is given has little in it, as PostgreSQL puts each of those rows
 * together once more. */
CREATE FUNCTION appt_internal.lease_notifications(
	rows tid[],
	visits tid[],
	branch_ids text[],
	doctor_nos integer[],
	relay_no bigint,
	lease interval,
	INOUT rooms jsonb,
	OUT messages appt_internal.message[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
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
	others record;
	linked CONSTANT boolean := EXISTS (
		SELECT
		FROM appt.setting s
		WHERE s.name = 'public_url' AND s.value <> 'none');
	with_links CONSTANT bigint[] := ARRAY(
		SELECT k.notification_template_no
		FROM appt.notification_template k
		WHERE linked AND k::text LIKE '%\_link}}%');
BEGIN
	WITH decided AS MATERIALIZED (
		SELECT d.*
		FROM appt_internal.decide_notifications($1, $2, $3, $4,
			doctors, at, promote_at) d),
	wanted AS (
		SELECT d.channel_no, count(*)::integer AS messages,
			coalesce(($7->>d.channel_no::text)::integer, 0) AS room
		FROM decided d
		WHERE d.action = 'send'
		GROUP BY d.channel_no),
	/* Those that find no room. */
	kept AS (
		SELECT o.message
		FROM (
			SELECT d.message, w.room, row_number() OVER (
				PARTITION BY d.channel_no
				ORDER BY d.due_at, d.message) AS place
			FROM wanted w
			JOIN decided d ON d.channel_no = w.channel_no
				AND d.action = 'send'
			WHERE w.messages > w.room) o
		WHERE o.place > o.room),
	leased AS (
		UPDATE appt.notification t
		SET state = 'sending',
			event = d.event,
			channel_no = d.channel_no,
			channel = d.channel,
			language = d.language,
			address = d.address,
			fence = t.fence + 1,
			relay_no = $5,
			lease_until = clock_timestamp() + $6
		FROM (
			SELECT d.message, d.event, d.channel_no, d.channel, d.language,
				d.address
			FROM decided d
			WHERE d.action = 'send'
				AND d.message NOT IN (SELECT k.message FROM kept k)
			OFFSET 0) d
		WHERE t.ctid = d.message
		RETURNING d.message, d.channel_no),
	filled AS (
		SELECT d.*, v.a,
			CASE WHEN v.has_links THEN d.filling
				|| appt_internal.link_values(v.a, d.channel, true)
				ELSE d.filling END AS filled
		FROM decided d
		CROSS JOIN LATERAL (
			SELECT k.has_links, CASE WHEN k.has_links OR d.channel = 'email'
				THEN (
					SELECT a
					FROM appt.appointment a
					WHERE a.ctid = d.visit) END AS a
			FROM (
				SELECT linked AND (d.event IN ('reminder', 'follow_up')
						OR d.notification_template_no = ANY (with_links))
					AS has_links) k
			OFFSET 0) v
		/* IS TRUE: not as a join, of which the planner knows too little. */
		WHERE (d.message IN (SELECT l.message FROM leased l)) IS TRUE
		OFFSET 0),
	papers AS MATERIALIZED (
		SELECT p.*
		FROM (
			SELECT DISTINCT d.channel_no, d.notification_template_no
			FROM decided d
			WHERE d.action = 'send') u
		JOIN appt.notification_channel c ON c.channel_no = u.channel_no
		JOIN appt.notification_template k
			ON k.notification_template_no = u.notification_template_no
		CROSS JOIN LATERAL appt_internal.stationery(
			ROW(c.*)::appt.notification_channel,
			ROW(k.*)::appt.notification_template) p),
	/* They stay in the order in which they were locked, the oldest first. */
	written AS (
		SELECT array_agg(m) AS list
		FROM filled f
		JOIN papers p ON p.channel_no = f.channel_no
			AND p.notification_template_no = f.notification_template_no
		CROSS JOIN LATERAL appt_internal.notification_message(
			ROW(f.notification_no, f.fence + 1, f.attempts, f.channel_no,
				f.appointment_no, f.event, f.address, f.created_at)
				::appt_internal.letter,
			f.a, ROW(p.*)::appt_internal.stationery, f.filled) m),
	room AS (
		SELECT jsonb_object_agg(l.channel_no,
			($7->>l.channel_no::text)::integer - l.leased) AS rooms
		FROM (
			SELECT k.channel_no, count(*) AS leased
			FROM leased k
			GROUP BY k.channel_no) l)
	SELECT (SELECT w.list FROM written w) AS list,
		(SELECT r.rooms FROM room r) AS rooms,
		array_agg(d.message) AS rows,
		array_agg(d.action) AS actions,
		array_agg(d.reason) AS reasons,
		array_agg(d.until) AS untils,
		array_agg(d.channel_no) AS channel_nos
	INTO others
	FROM decided d
	WHERE d.action <> 'send' OR d.message IN (SELECT k.message FROM kept k);
	IF others.rows IS NOT NULL THEN
		PERFORM appt_internal.put_off_notifications(others.rows,
			others.actions, others.reasons, others.untils, others.channel_nos);
	END IF;
	messages := coalesce(others.list, '{}');
	rooms := rooms || coalesce(others.rooms, '{}');
END
$$;

COMMENT ON FUNCTION appt_internal.lease_notifications IS
	'Leases those of the messages that are to be sent now and find room, and '
	'returns what the relay needs to send them; does with the others what was '
	'decided. rows to doctor_nos: as in appt_internal.decide_notifications; '
	'rooms: how many more of each channel there is room for';

CREATE FUNCTION appt_internal.lease_one_by_one(
	rows tid[],
	visits tid[],
	branch_ids text[],
	doctor_nos integer[],
	relay_no bigint,
	lease interval,
	INOUT rooms jsonb,
	OUT messages appt_internal.message[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	one record;
BEGIN
	messages := '{}';
	FOR i IN 1 .. cardinality(rows) LOOP
		BEGIN
			one := appt_internal.lease_notifications(rows[i:i], visits[i:i],
				branch_ids[i:i], doctor_nos[i:i], relay_no, lease, rooms);
			messages := messages || one.messages;
			rooms := one.rooms;
		EXCEPTION WHEN data_exception OR no_data_found
			OR program_limit_exceeded THEN
			UPDATE appt.notification t
			SET state = 'failed',
				reason = SQLERRM,
				finished_at = clock_timestamp()
			WHERE t.ctid = rows[i];
		END;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.lease_one_by_one IS
	'The same where one of them cannot be written, which so keeps no other '
	'waiting: it has failed';

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
	relay_no bigint,
	lease interval,
	INOUT rooms jsonb,
	OUT looked_at integer,
	OUT messages appt_internal.message[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting tid[];
	visit_nos bigint[];
	rows tid[];
	visits tid[];
	branch_ids text[];
	doctor_nos integer[];
	leased record;
BEGIN
	SELECT array_agg(l.ctid), array_agg(l.appointment_no)
	INTO waiting, visit_nos
	FROM (
		SELECT t.ctid, t.appointment_no
		FROM appt.notification t
		WHERE t.queue_no = queue
			AND t.finished_at IS NULL
			AND t.state = 'due'
			AND t.due_at <= clock_timestamp()
			AND t.appointment_no IS NOT NULL
		ORDER BY t.due_at
		LIMIT at_most
		FOR NO KEY UPDATE SKIP LOCKED) l;
	looked_at := coalesce(cardinality(waiting), 0);
	messages := '{}';
	IF looked_at = 0 THEN
		RETURN;
	END IF;
	/* What is locked stays where it is until the end of the transaction. */
	SELECT array_agg(l.message), array_agg(l.ctid), array_agg(l.branch_id),
		array_agg(l.doctor_no)
	INTO rows, visits, branch_ids, doctor_nos
	FROM (
		SELECT w.message, a.ctid, a.branch_id, a.doctor_no
		FROM unnest(waiting, visit_nos) AS w (message, appointment_no)
		JOIN appt.appointment a ON a.appointment_no = w.appointment_no
		FOR SHARE OF a SKIP LOCKED) l;
	IF coalesce(cardinality(rows), 0) < looked_at THEN
		UPDATE appt.notification t
		SET due_at = clock_timestamp() + interval '1 second'
		WHERE t.ctid = ANY (ARRAY(
			SELECT unnest(waiting)
			EXCEPT
			SELECT unnest(rows)));
	END IF;
	IF rows IS NULL THEN
		RETURN;
	END IF;
	BEGIN
		leased := appt_internal.lease_notifications(rows, visits, branch_ids,
			doctor_nos, relay_no, lease, rooms);
	EXCEPTION WHEN data_exception OR no_data_found
		OR program_limit_exceeded THEN
		leased := appt_internal.lease_one_by_one(rows, visits, branch_ids,
			doctor_nos, relay_no, lease, rooms);
	END;
	messages := leased.messages;
	rooms := leased.rooms;
END
$$;

COMMENT ON FUNCTION appt_internal.lease_queue(integer, integer, bigint,
	interval, jsonb) IS
	'Looks at the first messages of a channel (0: of those that wait to be '
	'given one), and leases those that are to be sent and find room; those '
	'whose appointment somebody is changing are looked at again in a second. '
	'rooms: as in appt_internal.lease_notifications';

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

	batch := appt_internal.claim_apart(relay_no, max_messages, lease, rooms);
	RETURN QUERY SELECT * FROM unnest(batch.messages);
	rooms := batch.rooms;
	left_over := left_over - cardinality(batch.messages);
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
			batch := appt_internal.lease_queue(queue, at_most, relay_no,
				lease, rooms);
			RETURN QUERY SELECT * FROM unnest(batch.messages);
			rooms := batch.rooms;
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
