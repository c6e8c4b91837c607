/* ---------------------------------------------------------------------------
 * Whether a message is to be sent now, and by which channel.  Asked when a
 * relay is about to send it, with the appointment's row locked; and asked by
 * appt.planned_notifications and appt.explain_notification, which so say what
 * would happen.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.quiet_period(
	at timestamptz,
	time_zone text,
	quiet_from time,
	quiet_to time,
	OUT starts_at timestamptz,
	OUT ends_at timestamptz)
	RETURNS record
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_quiet_period';

COMMENT ON FUNCTION appt_internal.quiet_period(timestamptz, text, time, time)
	IS
	'The quiet hours that an instant lies in, half-open; NULL: in none';

CREATE FUNCTION appt_internal.reminder_time(
	slot_start timestamptz,
	lead_min integer,
	time_zone text,
	quiet_from time,
	quiet_to time)
	RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_reminder_time';

COMMENT ON FUNCTION appt_internal.reminder_time(timestamptz, integer, text,
	time, time) IS
	'When a reminder is to go out: lead_min before the visit, or, where that '
	'is in quiet hours, at their end, or before they begin where the visit '
	'does not come after them';

/* What follows has no search_path of its own, so that it becomes a part of the
 * statement that calls it: a call for each message took longer than the work.
 */

CREATE FUNCTION appt_internal.visit_set_at(appointment_no bigint)
	RETURNS SETOF timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT pg_catalog.max(e.occurred_at)
	FROM appt.event e
	WHERE e.appointment_no = $1
		AND e.event_type IN ('appointment.booked', 'appointment.rescheduled')
$$;

COMMENT ON FUNCTION appt_internal.visit_set_at(bigint) IS
	'Since when the visit is at its time';

CREATE FUNCTION appt_internal.later_change(
	appointment_no bigint,
	notification_no bigint)
	RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	/* A later change's message tells how the visit is now.  The number is not
	 * to be looked up, as it was by statistics of an empty table. */
	SELECT (pg_catalog.array_agg(l.event ORDER BY l.notification_no DESC))[1]
	FROM appt.notification l
	WHERE l.appointment_no = $1
		AND l.notification_no + 0 > $2
		AND l.event IN ('booked', 'rescheduled', 'cancelled')
		AND l.root_no IS NULL
$$;

COMMENT ON FUNCTION appt_internal.later_change(bigint, bigint) IS
	'The event of the last change after a message''s own; NULL: there is none';

CREATE FUNCTION appt_internal.judge_change(
	n appt.notification,
	a appt.appointment,
	later text,
	at timestamptz)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN (n).root_no IS NULL AND later IS NOT NULL THEN
			CASE later WHEN 'cancelled' THEN 'cancelled' ELSE 'moved' END
		WHEN (n).event <> 'cancelled' AND (a).slot_start <> (n).slot_start
			THEN 'moved'
		WHEN (a).slot_start <= at THEN 'past'
		ELSE 'send'
	END
$$;

COMMENT ON FUNCTION appt_internal.judge_change IS
	'appt_internal.judge_notification of a change: whether it is still true '
	'and still news. later: appt_internal.later_change';

CREATE FUNCTION appt_internal.judge_reminder(
	n appt.notification,
	a appt.appointment,
	rules appt_internal.notification_rules,
	time_zone text,
	quiet_until timestamptz,
	set_at timestamptz,
	at timestamptz)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN (a).slot_start <> (n).slot_start THEN 'moved'
		WHEN (a).slot_start <= at OR (a).status = 'checked_in' THEN 'past'
		WHEN (a).slot_start
			- (n).lead_min * '1 minute'::pg_catalog.interval < set_at
			THEN 'late_booking'
		WHEN (n).root_no IS NULL AND ((n).lead_min <> ALL ((rules).leads)
			OR appt_internal.reminder_time((a).slot_start, (n).lead_min,
				time_zone, (rules).quiet_from, (rules).quiet_to) > at)
			THEN 'drop'
		WHEN quiet_until IS NULL THEN 'send'
		WHEN quiet_until < (a).slot_start THEN 'wait'
		ELSE 'past'
	END
$$;

COMMENT ON FUNCTION appt_internal.judge_reminder IS
	'appt_internal.judge_notification of a reminder, by the settings as they '
	'are now. set_at: appt_internal.visit_set_at';

CREATE FUNCTION appt_internal.judge_notification(
	n appt.notification,
	a appt.appointment,
	p appt.patient,
	rules appt_internal.notification_rules,
	time_zone text,
	quiet_until timestamptz,
	set_at timestamptz,
	later text,
	at timestamptz)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN appt_internal.is_erased(p) THEN 'erased'
		WHEN (a).status = 'no_show' THEN 'no_show'
		WHEN (a).status IN ('in_consultation', 'completed') THEN
			CASE (n).event WHEN 'follow_up' THEN
				appt_internal.judge_follow_up((a).appointment_no, (n).root_no,
					rules, time_zone, quiet_until, at)
			ELSE 'completed' END
		WHEN (a).status = 'cancelled' AND (n).event <> 'cancelled'
			THEN 'cancelled'
		WHEN (n).event = 'reminder' THEN
			appt_internal.judge_reminder(n, a, rules, time_zone, quiet_until,
				set_at, at)
		WHEN (n).event = 'follow_up' THEN 'drop'
		ELSE appt_internal.judge_change(n, a, later, at)
	END
$$;

COMMENT ON FUNCTION appt_internal.judge_notification IS
	'Whether a message is to be sent now: state, time and settings as they '
	'are, of an appointment whose row the caller has locked. send; wait, until '
	'quiet_until, the end of the quiet hours that it is in; drop: it is not '
	'to be sent by the settings as they are now, and will be written again if '
	'it is; all else is the reason for which it is skipped';

/* --- by which channel --------------------------------------------------- */

CREATE TYPE appt_internal.route AS (
	channel_no integer,
	channel text,
	notification_template_no bigint,
	language text,
	address text,
	reason text,
	category text
);

COMMENT ON TYPE appt_internal.route IS
	'The channel for a message, where it goes, in which words, of which '
	'category; without a channel the reason why there is none';

CREATE FUNCTION appt_internal.message_ways(
	told_event text,
	channels text[],
	languages text[])
	RETURNS TABLE (
		place bigint,
		kind text,
		channel_no integer,
		notification_template_no bigint,
		language text,
		category text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
AS $$
	SELECT pg_catalog.row_number() OVER (ORDER BY o.place, c.channel_no),
		c.kind, c.channel_no, t.notification_template_no, t.language,
		t.category
	FROM pg_catalog.unnest(channels) WITH ORDINALITY AS o (kind, place)
	JOIN appt.notification_channel c ON c.kind = o.kind AND c.active
	LEFT JOIN LATERAL appt_internal.choose_template(told_event, o.kind,
		languages) AS t ON true
$$;

COMMENT ON FUNCTION appt_internal.message_ways(text, text[], text[]) IS
	'The active channels in an order of kinds, each with the template in the '
	'first of the languages that there is one of';

CREATE FUNCTION appt_internal.way_address(
	kind text,
	phone text,
	email text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN kind <> 'email' THEN phone
		WHEN appt_internal.is_address(email) THEN email
	END
$$;

COMMENT ON FUNCTION appt_internal.way_address(text, text, text) IS
	'Where a patient is reached by a kind of channel: the telephone number as '
	'+919876543210, or the e-mail address; NULL: not at all';

CREATE FUNCTION appt_internal.opt_outs(
	patient_id text,
	channel text,
	event text)
	RETURNS SETOF appt.notification_opt_out
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT u.*
	FROM appt.notification_opt_out u
	WHERE u.patient_id = $1
		AND u.channel IN ($2, '*')
		AND u.event IN ($3, '*')
$$;

COMMENT ON FUNCTION appt_internal.opt_outs(text, text, text) IS
	'By which of a patient''s wishes an event is not to be told by a channel';

CREATE FUNCTION appt_internal.other_tries(
	appointment_no bigint,
	root_no bigint,
	notification_no bigint)
	RETURNS SETOF appt.notification
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT b.*
	FROM appt.notification b
	WHERE b.appointment_no = $1
		AND $2 IN (b.notification_no, b.root_no)
		AND b.notification_no <> $3
$$;

COMMENT ON FUNCTION appt_internal.other_tries(bigint, bigint, bigint) IS
	'The messages of which this is another try, by another channel';

CREATE FUNCTION appt_internal.all_tries(n appt.notification)
	RETURNS SETOF appt.notification
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first_no CONSTANT bigint := coalesce(n.root_no, n.notification_no);
BEGIN
	RETURN QUERY
	SELECT b.*
	FROM appt.notification b
	WHERE b.appointment_no = n.appointment_no
		AND first_no IN (b.notification_no, b.root_no)
	UNION ALL
	SELECT t.*
	FROM appt_internal.message_offer(first_no) o
	CROSS JOIN LATERAL appt_internal.offer_messages(o.offer_no) t
	WHERE n.event = 'waitlist_offer';
END
$$;

COMMENT ON FUNCTION appt_internal.all_tries IS
	'A message and its other tries, by other channels, of a visit or an offer';

CREATE FUNCTION appt_internal.way_refusal(
	address text,
	opted_out boolean,
	template_no bigint)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN address IS NULL THEN 'no_address'
		WHEN opted_out THEN 'opted_out'
		WHEN template_no IS NULL THEN 'no_template'
	END
$$;

COMMENT ON FUNCTION appt_internal.way_refusal(text, boolean, bigint) IS
	'Why a message cannot go this way; NULL: it can';

CREATE FUNCTION appt_internal.route_refusal(refusals text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		/* What the patient said weighs most. */
		WHEN 'opted_out' = ANY (refusals) THEN 'opted_out'
		WHEN 'no_template' = ANY (refusals) THEN 'no_template'
		WHEN 'no_address' = ANY (refusals) THEN 'no_address'
		ELSE 'no_channel'
	END
$$;

COMMENT ON FUNCTION appt_internal.route_refusal(text[]) IS
	'Why a message is not sent, of which that is said of each way';

CREATE FUNCTION appt_internal.route_notification(
	n appt.notification,
	told_event text,
	p appt.patient,
	rules appt_internal.notification_rules)
	RETURNS SETOF appt_internal.route
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT (w.best).channel_no, (w.best).channel,
		(w.best).notification_template_no, (w.best).language, (w.best).address,
		CASE WHEN (w.best).channel_no IS NULL
			THEN appt_internal.route_refusal(w.refusals) END,
		(w.best).category
	FROM (
		SELECT
			(pg_catalog.array_agg(ROW(o.channel_no, o.kind,
				o.notification_template_no, o.language, d.address, NULL,
				o.category)
				::appt_internal.route ORDER BY o.place)
				FILTER (WHERE y.refusal IS NULL))[1] AS best,
			pg_catalog.array_agg(y.refusal) AS refusals
		FROM appt_internal.message_ways(told_event, coalesce((
				SELECT f.channels
				FROM appt.notification_preference f
				WHERE f.patient_id = (p).patient_id), (rules).channels),
			(p).language || (rules).languages) AS o
		CROSS JOIN LATERAL (
			SELECT appt_internal.way_address(o.kind, (p).phone_e164,
				(p).email)) AS d (address)
		CROSS JOIN LATERAL (
			SELECT appt_internal.way_refusal(d.address,
				EXISTS (
					SELECT
					FROM appt_internal.opt_outs((p).patient_id, o.kind,
						told_event)),
				o.notification_template_no)) AS y (refusal)
		/* Another try is by a channel that was not tried. */
		WHERE (n).root_no IS NULL OR NOT EXISTS (
			SELECT
			FROM appt_internal.all_tries(n) b
			WHERE b.notification_no <> (n).notification_no
				AND b.channel = o.kind)) w
$$;

COMMENT ON FUNCTION appt_internal.route_notification IS
	'The first channel of the patient''s order that is active, has an address '
	'and a template in the patient''s language or in a default one, and was '
	'not refused; without one the reason. told_event: as what it is told';

CREATE FUNCTION appt_internal.may_promote_at(at timestamptz)
	RETURNS timestamptz
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	local CONSTANT timestamp := at AT TIME ZONE 'Asia/Kolkata';
BEGIN
	RETURN CASE
		WHEN local::time < '10:00' THEN local::date + time '10:00'
		WHEN local::time >= '21:00' THEN local::date + 1 + time '10:00'
		ELSE local
	END AT TIME ZONE 'Asia/Kolkata';
END
$$;

COMMENT ON FUNCTION appt_internal.may_promote_at(timestamptz) IS
	'When a promotional message, or one that is explicitly agreed to, may go '
	'out from then on: from 10:00 to 21:00 Indian time (TRAI, TCCCPR)';
