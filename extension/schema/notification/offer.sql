/* ---------------------------------------------------------------------------
 * The messages of offers (appointment/offer.sql).  They are of no appointment,
 * which there is when the offer has been accepted, and are claimed with the
 * others of none (apart.sql); but judged as those of visits are, with the
 * hold's row locked: who has answered already, or for whom the place is not
 * kept any more, is not told of it.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.waitlist_offer_message (
	notification_no bigint NOT NULL,
	offer_no bigint NOT NULL,
	CONSTRAINT waitlist_offer_message_pkey PRIMARY KEY (notification_no),
	CONSTRAINT waitlist_offer_message_offer_fkey FOREIGN KEY (offer_no)
		REFERENCES appt.waitlist_offer ON DELETE CASCADE
);

CREATE INDEX waitlist_offer_message_offer ON appt.waitlist_offer_message
	(offer_no);

COMMENT ON TABLE appt.waitlist_offer_message IS
	'Which messages are of which offer; kept as long as the offer is';
COMMENT ON COLUMN appt.waitlist_offer_message.notification_no IS 'The message';
COMMENT ON COLUMN appt.waitlist_offer_message.offer_no IS 'The offer';

CREATE FUNCTION appt_internal.write_offer_message(
	offer_no bigint,
	root_no bigint)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO appt.notification AS n (event, root_no)
	VALUES ('waitlist_offer', write_offer_message.root_no)
	RETURNING n.notification_no INTO made;
	INSERT INTO appt.waitlist_offer_message (notification_no, offer_no)
	VALUES (made, write_offer_message.offer_no);
	INSERT INTO appt.notification_apart (notification_no)
	VALUES (made);
END
$$;

COMMENT ON FUNCTION appt_internal.write_offer_message(bigint, bigint) IS
	'Writes a message of an offer; root_no: of which it is another try';

CREATE FUNCTION appt_internal.message_offer(notification_no bigint)
	RETURNS SETOF appt.waitlist_offer
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.*
	FROM appt.waitlist_offer_message m
	JOIN appt.waitlist_offer o ON o.offer_no = m.offer_no
	WHERE m.notification_no = $1
$$;

COMMENT ON FUNCTION appt_internal.message_offer(bigint) IS
	'The offer that a message is of; no row: of none';

CREATE FUNCTION appt_internal.offer_messages(offer_no bigint)
	RETURNS SETOF appt.notification
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT n.*
	FROM appt.waitlist_offer_message m
	JOIN appt.notification n ON n.notification_no = m.notification_no
	WHERE m.offer_no = $1
$$;

COMMENT ON FUNCTION appt_internal.offer_messages(bigint) IS
	'The messages of an offer: one, and its other tries';

CREATE FUNCTION appt_internal.visit_messages(appointment_no bigint)
	RETURNS SETOF appt.notification
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT n.*
	FROM appt.notification n
	WHERE n.appointment_no = $1
	UNION ALL
	SELECT n.*
	FROM appt.waitlist_offer o
	CROSS JOIN LATERAL appt_internal.offer_messages(o.offer_no) n
	WHERE o.appointment_no = $1
$$;

COMMENT ON FUNCTION appt_internal.visit_messages(bigint) IS
	'The messages of a visit, and of the offer that became it';

CREATE FUNCTION appt_internal.offer_visit(o appt.waitlist_offer)
	RETURNS appt.appointment
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.appointment;
BEGIN
	SELECT t.* INTO a
	FROM appt.appointment t
	WHERE t.appointment_no = o.appointment_no;
	IF NOT FOUND THEN
		SELECT p.patient_no, p.patient_id INTO a.patient_no, a.patient_id
		FROM appt.patient p
		WHERE p.patient_no = o.patient_no;
		SELECT d.doctor_no INTO a.doctor_no
		FROM appt.doctor d
		WHERE d.doctor_id = o.doctor_id;
		a.doctor_id := o.doctor_id;
		a.branch_id := o.branch_id;
		a.slot_start := o.slot_start;
		a.slot_end := o.slot_end;
		a.visit_type := o.visit_type;
	END IF;
	RETURN a;
END
$$;

COMMENT ON FUNCTION appt_internal.offer_visit IS
	'The visit that an offer became, or, without id, token and status, the one '
	'that it would be';

/* --- whether, by which way, in which words -------------------------------- */

CREATE FUNCTION appt_internal.judge_offer(
	o appt.waitlist_offer,
	p appt.patient,
	quiet_until timestamptz)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	status CONSTANT text := appt_internal.offer_status(o);
BEGIN
	RETURN CASE
		WHEN appt_internal.is_erased(p) THEN 'erased'
		WHEN status <> 'open' THEN status
		WHEN quiet_until >= o.expires_at THEN 'expired'
		WHEN quiet_until IS NOT NULL THEN 'wait'
		ELSE 'send'
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.judge_offer IS
	'appt_internal.judge_notification of an offer, whose hold''s row the '
	'caller has locked: send; wait, until quiet_until; all else is the reason '
	'for which it is skipped';

CREATE FUNCTION appt_internal.decide_offer(
	n appt.notification,
	o appt.waitlist_offer,
	OUT action text,
	OUT reason text,
	OUT until timestamptz,
	OUT route appt_internal.route)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := appt.clock();
	promote_at CONSTANT timestamptz := appt_internal.may_promote_at(at);
	rules CONSTANT appt_internal.notification_rules :=
		appt_internal.notification_rules(o.branch_id, o.doctor_id);
	p appt.patient;
BEGIN
	SELECT t.* INTO p
	FROM appt.patient t
	WHERE t.patient_no = o.patient_no;
	until := (
		SELECT (appt_internal.quiet_period(at,
			appt_internal.known_zone(b.time_zone), rules.quiet_from,
			rules.quiet_to)).ends_at
		FROM appt.branch b
		WHERE b.branch_id = o.branch_id);
	action := appt_internal.judge_offer(o, p, until);
	IF action NOT IN ('send', 'wait') THEN
		reason := action;
		action := 'skip';
		RETURN;
	END IF;
	SELECT r.* INTO route
	FROM appt_internal.route_notification(n, n.event, p, rules) r;
	IF route.channel_no IS NULL THEN
		reason := route.reason;
		action := 'skip';
	ELSIF action = 'send' AND promote_at > at AND EXISTS (
		SELECT
		FROM appt.notification_template t
		WHERE t.notification_template_no = route.notification_template_no
			AND t.category IN ('service_explicit', 'promotional'))
	THEN
		until := promote_at;
		action := CASE WHEN until < o.expires_at THEN 'wait' ELSE 'skip' END;
		reason := CASE action WHEN 'skip' THEN 'expired' END;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.decide_offer IS
	'What becomes of a message of an offer: send by the route; wait until '
	'then; skip for the reason';

CREATE FUNCTION appt_internal.offer_values(o appt.waitlist_offer)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object(
			'appointment_id', NULL,
			'branch_address', b.address,
			'branch_name', b.name,
			'branch_phone', b.phone,
			'doctor_name', d.name,
			'offer_until', appt_internal.spoken_time(o.expires_at,
				b.time_zone),
			'patient_first_name', p.first_name,
			'patient_last_name', p.last_name,
			'patient_name', concat_ws(' ', p.first_name, p.last_name),
			'reason', NULL,
			'slot_date', to_char(s.local_start, 'DD/MM/YYYY'),
			'slot_time', to_char(s.local_start, 'HH24:MI'),
			'token_number', NULL,
			'visit_type_name', v.name)
		FROM appt.branch b
		JOIN appt.doctor d ON d.doctor_id = o.doctor_id
		JOIN appt.patient p ON p.patient_no = o.patient_no
		LEFT JOIN appt.visit_type v ON v.visit_type = o.visit_type
		CROSS JOIN LATERAL (
			SELECT appt_internal.local_time(o.slot_start, b.time_zone))
			AS s (local_start)
		WHERE b.branch_id = o.branch_id)
		|| appt_internal.offer_link_value(o);
END
$$;

COMMENT ON FUNCTION appt_internal.offer_values IS
	'What the placeholders stand for in a message of an offer; there is no '
	'visit yet, nor a token';

CREATE FUNCTION appt_internal.prepare_offer(n appt.notification)
	RETURNS appt.notification
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o appt.waitlist_offer;
	free boolean;
	decided record;
BEGIN
	SELECT t.* INTO o
	FROM appt_internal.message_offer(n.notification_no) t;
	PERFORM
	FROM appt.appointment a
	WHERE a.appointment_id = o.offer_id
	FOR SHARE SKIP LOCKED;
	free := FOUND OR NOT EXISTS (
		SELECT
		FROM appt.appointment a
		WHERE a.appointment_id = o.offer_id);
	/* What has become of it is seen when the lock is had. */
	SELECT t.* INTO o
	FROM appt_internal.message_offer(n.notification_no) t;
	decided := appt_internal.decide_offer(n, o);
	IF free AND decided.action = 'send' THEN
		n.channel_no := (decided.route).channel_no;
		n.channel := (decided.route).channel;
		n.language := (decided.route).language;
		n.address := (decided.route).address;
		n.template_no := (decided.route).notification_template_no;
		RETURN n;
	END IF;
	IF free AND decided.action = 'skip' THEN
		UPDATE appt.notification t
		SET state = 'skipped',
			reason = decided.reason,
			finished_at = clock_timestamp()
		WHERE t.notification_no = n.notification_no;
	ELSE
		UPDATE appt.notification t
		SET due_at = clock_timestamp() + CASE WHEN free
			THEN decided.until - appt.clock() ELSE interval '1 second' END
		WHERE t.notification_no = n.notification_no;
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.prepare_offer IS
	'Judges a message of an offer that a relay is about to send: with channel, '
	'language, address and template, or NULL: it is skipped, or waits for the '
	'end of quiet hours, or for a second where somebody is at its hold';

CREATE FUNCTION appt_internal.offer_message(
	n appt.notification,
	c appt.notification_channel)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t appt.notification_template;
	m appt_internal.message;
BEGIN
	SELECT k.* INTO t
	FROM appt.notification_template k
	WHERE k.notification_template_no = n.template_no;
	SELECT w.* INTO STRICT m
	FROM appt_internal.message_offer(n.notification_no) o
	CROSS JOIN LATERAL appt_internal.notification_message(n, c, t,
		appt_internal.offer_values(o)) w;
	RETURN m;
END
$$;

COMMENT ON FUNCTION appt_internal.offer_message IS
	'What the relay needs to send a message of an offer';

/* --- in sentences --------------------------------------------------------- */

CREATE FUNCTION appt_internal.explain_offer(o appt.waitlist_offer, client text)
	RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 3
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone CONSTANT text := (
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE b.branch_id = o.branch_id);
	told boolean;
BEGIN
	IF NOT EXISTS (SELECT FROM appt.notification_channel c WHERE c.active) THEN
		RETURN NEXT 'No channel is configured: nobody is told of anything.';
	END IF;
	RETURN QUERY
	SELECT appt_internal.notification_sentence(CASE WHEN client IS NULL THEN n
		ELSE appt_internal.shown_notification(n) END, zone)
	FROM appt_internal.offer_messages(o.offer_no) n
	ORDER BY n.notification_no;
	IF NOT FOUND THEN
		RETURN NEXT 'Nobody was told of the offer.';
	END IF;
	RETURN NEXT CASE appt_internal.offer_status(o)
		WHEN 'open' THEN 'The place is kept for the patient until '
			|| appt_internal.spoken_time(o.expires_at, zone) || '.'
		WHEN 'accepted' THEN 'The offer was accepted by ' || o.ended_by || '.'
		WHEN 'declined' THEN 'The patient declined the offer.'
		WHEN 'expired' THEN 'The offer expired on '
			|| appt_internal.spoken_time(o.expires_at, zone) || '.'
		ELSE 'The offer was withdrawn.' END;
END
$$;

COMMENT ON FUNCTION appt_internal.explain_offer IS
	'appt_internal.explain_notification of an offer: what was sent of it, and '
	'what became of it';

CREATE FUNCTION appt_internal.planned_offers(until timestamptz)
	RETURNS TABLE (
		planned_at timestamptz,
		patient_id text,
		channel text,
		language text,
		reason text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT w.planned_at, p.patient_id, (d.route).channel, (d.route).language,
		d.reason
	FROM appt.notification_apart q
	JOIN appt.notification n ON n.notification_no = q.notification_no
		AND n.event = 'waitlist_offer'
		AND n.state = 'due'
	CROSS JOIN LATERAL appt_internal.message_offer(n.notification_no) o
	JOIN appt.patient p ON p.patient_no = o.patient_no
	CROSS JOIN LATERAL appt_internal.decide_offer(n, o) d
	CROSS JOIN LATERAL (
		SELECT greatest(appt.clock()
			+ greatest(n.due_at - clock_timestamp(), '0'),
			CASE d.action WHEN 'wait' THEN d.until END)) AS w (planned_at)
	WHERE w.planned_at <= planned_offers.until;
END
$$;

COMMENT ON FUNCTION appt_internal.planned_offers(timestamptz) IS
	'The messages of offers that go out until then, or the reason why one will '
	'not';
