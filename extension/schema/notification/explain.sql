/* ---------------------------------------------------------------------------
 * What was told, what will be, and why something was not.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.reason_sentence(reason text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE reason
	WHEN 'cancelled' THEN 'the visit was cancelled'
	WHEN 'moved' THEN 'the visit was moved, of which there is a later message'
	WHEN 'completed' THEN 'the patient has been seen'
	WHEN 'no_show' THEN 'the patient did not come'
	WHEN 'late_booking' THEN
		'the visit was booked or moved after the reminder''s time'
	WHEN 'opted_out' THEN 'the patient does not want it'
	WHEN 'no_address' THEN
		'the patient has no address for any channel that there is'
	WHEN 'no_channel' THEN
		'no channel is active that has not been tried'
	WHEN 'no_template' THEN 'there is no active template for it'
	WHEN 'past' THEN 'its time was over'
	WHEN 'has_visit' THEN
		'the patient has a later visit to the doctor'
	WHEN 'erased' THEN 'the patient was erased'
	WHEN 'accepted' THEN 'the patient has the place already'
	WHEN 'declined' THEN 'the patient had declined it'
	WHEN 'withdrawn' THEN 'the place was not kept for the patient any more'
	WHEN 'expired' THEN
		'the place would not have been kept any more when it could be sent'
	ELSE reason
END;

COMMENT ON FUNCTION appt_internal.reason_sentence(text) IS
	'Why a message was skipped, in words';

CREATE FUNCTION appt_internal.notification_sentence(
	n appt.notification,
	time_zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT initcap(left(n.event, 1)) || replace(substr(n.event, 2), '_', '-')
		|| CASE WHEN n.lead_min > 0 THEN
			format(' (%s minutes before)', n.lead_min) ELSE '' END
		|| CASE WHEN n.root_no IS NULL THEN '' ELSE ', another channel' END
		|| CASE n.state
			WHEN 'due' THEN format(' waits to be sent%s.',
				CASE WHEN n.attempts > 0
					THEN format(' again after %s attempts (%s)', n.attempts,
						n.reason)
					ELSE '' END)
			WHEN 'sending' THEN ' is being sent.'
			WHEN 'skipped' THEN format(' was not sent: %s.',
				appt_internal.reason_sentence(n.reason))
			WHEN 'failed' THEN format(' by %s was refused: %s.',
				coalesce(n.channel, 'no channel'), n.reason)
			WHEN 'dead' THEN format(
				' by %s was given up after %s attempts: %s.',
				n.channel, n.attempts, n.reason)
			ELSE format(' was sent by %s on %s%s.', n.channel,
				appt_internal.spoken_time(n.sent_at, time_zone),
				CASE n.state WHEN 'delivered' THEN ', and was delivered'
					WHEN 'read' THEN ', and was read' ELSE '' END)
		END
$$;

COMMENT ON FUNCTION appt_internal.notification_sentence IS
	'What became of a message, in a sentence';

CREATE FUNCTION appt_internal.shown_notification(n appt.notification)
	RETURNS appt.notification
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t appt.notification_attempt;
BEGIN
	SELECT l.* INTO t
	FROM appt.notification_attempt l
	WHERE l.notification_no = n.notification_no AND l.inside
	ORDER BY l.fence DESC
	LIMIT 1;
	IF FOUND AND n.reason IS NOT NULL AND n.state <> 'skipped' THEN
		n.reason := coalesce(t.error, 'answered ' || t.status);
	END IF;
	RETURN n;
END
$$;

COMMENT ON FUNCTION appt_internal.shown_notification IS
	'A message as API clients see it: without the words of a provider''s '
	'server in the clinic''s own network, which nobody reads through a channel';

CREATE FUNCTION appt_internal.explain_notification(
	appointment_id text,
	client text)
	RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 5
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	a appt.appointment;
	p appt.patient;
	zone text;
	rules appt_internal.notification_rules;
	next appt.notification;
	route appt_internal.route;
	lead integer;
BEGIN
	SELECT t.* INTO a
	FROM appt.appointment t
	WHERE t.appointment_id = $1 AND t.status <> 'held';
	IF NOT FOUND THEN
		RETURN QUERY
		SELECT e.sentence
		FROM appt.waitlist_offer o
		CROSS JOIN LATERAL appt_internal.explain_offer(o, client)
			AS e (sentence)
		WHERE o.offer_id = $1;
		IF FOUND THEN
			RETURN;
		END IF;
		PERFORM appt_internal.refuse_id('appointment', $1, 'appointment_id',
			'SB404');
	END IF;
	SELECT appt_internal.known_zone(b.time_zone) INTO zone
	FROM appt.branch b
	WHERE b.branch_id = a.branch_id;
	IF NOT EXISTS (SELECT FROM appt.notification_channel c WHERE c.active) THEN
		RETURN NEXT 'No channel is configured: nobody is told of anything.';
	END IF;
	RETURN QUERY
	SELECT appt_internal.notification_sentence(CASE WHEN client IS NULL
		THEN n ELSE appt_internal.shown_notification(n) END, zone)
	FROM appt_internal.visit_messages(a.appointment_no) n
	ORDER BY n.notification_no;
	RETURN QUERY
	SELECT format('Nobody was told that it was %s: %s asked for that.',
		split_part(e.event_type, '.', 2), e.actor)
	FROM appt.event e
	WHERE e.appointment_no = a.appointment_no
		AND NOT e.notify
	ORDER BY e.event_no;

	SELECT t.* INTO p
	FROM appt.patient t
	WHERE t.patient_no = a.patient_no;
	rules := appt_internal.notification_rules(a.branch_id, a.doctor_id);
	FOREACH lead IN ARRAY CASE WHEN a.status = 'booked'
		AND a.slot_start > appt.clock() THEN rules.leads
		ELSE '{}'::integer[] END
	LOOP
		CONTINUE WHEN EXISTS (
			SELECT
			FROM appt.notification n
			WHERE n.appointment_no = a.appointment_no
				AND n.slot_start = a.slot_start
				AND n.lead_min <= lead);
		next := NULL;
		next.appointment_no := a.appointment_no;
		next.event := 'reminder';
		next.lead_min := lead;
		next.slot_start := a.slot_start;
		route := appt_internal.route_notification(next, next.event, p, rules);
		RETURN NEXT format('A reminder (%s minutes before) %s.', lead, CASE
			WHEN a.slot_start - make_interval(mins => lead)
				< (SELECT * FROM appt_internal.visit_set_at(a.appointment_no))
			THEN 'will not be sent: '
				|| appt_internal.reason_sentence('late_booking')
			WHEN route.channel_no IS NULL THEN 'will not be sent: '
				|| appt_internal.reason_sentence(route.reason)
			ELSE format('is planned by %s for %s', route.channel,
				appt_internal.spoken_time(
					appt_internal.reminder_time(a.slot_start, lead, zone,
						rules.quiet_from, rules.quiet_to), zone))
		END);
	END LOOP;
	RETURN QUERY
	SELECT * FROM appt_internal.explain_follow_up(a, p, rules, zone);
END
$$;

COMMENT ON FUNCTION appt_internal.explain_notification(text, text) IS
	'appt.explain_notification for an API client; NULL: for a DBA';

CREATE FUNCTION appt.explain_notification(appointment_id text)
	RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 5
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT e.sentence
	FROM appt_internal.explain_notification($1, NULL) AS e (sentence);
END;

COMMENT ON FUNCTION appt.explain_notification(text) IS
	'In sentences: what was sent of an appointment, what is planned by the '
	'settings as they are, and why something was not. By the id of an offer '
	'what was sent of that, and what became of it. Raises SB404';

CREATE FUNCTION appt.planned_notifications(hours integer DEFAULT 24)
	RETURNS TABLE (
		planned_at timestamptz,
		event text,
		appointment_id text,
		patient_id text,
		channel text,
		language text,
		reason text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF hours IS NULL OR hours NOT BETWEEN 1 AND 720 THEN
		RAISE EXCEPTION 'hours must be from 1 to 720'
			USING ERRCODE = 'SB001', COLUMN = 'hours';
	END IF;
	RETURN QUERY
	WITH rules AS MATERIALIZED (
		SELECT d.branch_id, d.doctor_id,
			appt_internal.known_zone(b.time_zone) AS time_zone,
			appt_internal.notification_rules(d.branch_id, d.doctor_id) AS rules
		FROM (
			SELECT DISTINCT a.branch_id, a.doctor_id
			FROM appt.appointment a
			WHERE a.status = 'booked'
				AND a.slot_start > appt.clock()) d
		JOIN appt.branch b ON b.branch_id = d.branch_id),
	reminder AS (
		SELECT a.appointment_no, a.slot_start, l.lead_min, r.rules,
			t.planned_at
		FROM rules r
		JOIN appt.appointment a ON a.branch_id = r.branch_id
			AND a.doctor_id = r.doctor_id
			AND a.status = 'booked'
			AND a.slot_start > appt.clock()
		CROSS JOIN LATERAL unnest((r.rules).leads) AS l (lead_min)
		CROSS JOIN LATERAL (
			SELECT appt_internal.reminder_time(a.slot_start, l.lead_min,
				r.time_zone, (r.rules).quiet_from, (r.rules).quiet_to))
			AS t (planned_at)
		WHERE t.planned_at BETWEEN appt.clock()
				AND appt.clock() + make_interval(hours => $1)
			AND NOT EXISTS (
				SELECT
				FROM appt.notification n
				WHERE n.appointment_no = a.appointment_no
					AND n.slot_start = a.slot_start
					AND n.lead_min <= l.lead_min)),
	planned AS (
		SELECT n AS message, appt_internal.notification_rules(a.branch_id,
			a.doctor_id) AS rules,
			appt.clock() + greatest(n.due_at - clock_timestamp(), '0')
				AS planned_at
		FROM appt.notification n
		JOIN appt.appointment a ON a.appointment_no = n.appointment_no
		WHERE n.finished_at IS NULL AND n.state = 'due'
		UNION ALL
		SELECT jsonb_populate_record(NULL::appt.notification,
			jsonb_build_object('appointment_no', r.appointment_no, 'event',
				'reminder', 'lead_min', r.lead_min, 'slot_start',
				r.slot_start)), r.rules, r.planned_at
		FROM reminder r
		UNION ALL
		SELECT f.message, f.rules, f.planned_at
		FROM appt_internal.planned_follow_ups(appt.clock()
			+ make_interval(hours => $1)) f)
	SELECT r.planned_at, r.event, r.appointment_id, r.patient_id, r.channel,
		r.language, r.reason
	FROM (
	SELECT d.planned_at, (d.message).event, a.appointment_id, a.patient_id,
		w.channel, w.language, CASE
			WHEN (d.message).event = 'reminder' AND a.slot_start
				- make_interval(mins => (d.message).lead_min)
				< (SELECT * FROM appt_internal.visit_set_at(a.appointment_no))
			THEN 'late_booking'
			WHEN (d.message).event = 'follow_up'
				AND appt_internal.came_again(a) THEN 'has_visit'
			ELSE w.reason END AS reason, (d.message).lead_min
	FROM planned d
	JOIN appt.appointment a
		ON a.appointment_no = (d.message).appointment_no
	JOIN appt.patient p ON p.patient_no = a.patient_no
	CROSS JOIN LATERAL appt_internal.route_notification(d.message,
		(d.message).event, p, d.rules)
		AS w
	WHERE d.planned_at <= appt.clock() + make_interval(hours => $1)
	UNION ALL
	SELECT o.planned_at, 'waitlist_offer', NULL, o.patient_id, o.channel,
		o.language, o.reason, NULL
	FROM appt_internal.planned_offers(appt.clock()
		+ make_interval(hours => $1)) o
	ORDER BY 1, 3, 2, 8 DESC) r;
END
$$;

COMMENT ON FUNCTION appt.planned_notifications(integer) IS
	'The dry run: what would be told within so many hours (1 to 720) by the '
	'settings, templates and patients'' wishes as they are now, by which '
	'channel, or the reason why not. Writes nothing. Raises SB001 (hours)';
