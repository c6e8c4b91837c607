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
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	local CONSTANT timestamp := at AT TIME ZONE time_zone;
	/* The evening that it began on, if it goes over midnight. */
	first_day CONSTANT date := CASE
		WHEN quiet_from > quiet_to AND local::time < quiet_to
			THEN local::date - 1
		ELSE local::date
	END;
	last_day CONSTANT date := first_day + (quiet_from > quiet_to)::integer;
BEGIN
	IF quiet_from = quiet_to THEN
		RETURN;
	END IF;
	/* As of a session's ends: on a day whose clock is changed the hours are as
	 * long as the clock on the wall says. */
	starts_at := appt_internal.instant(first_day, quiet_from, time_zone);
	ends_at := appt_internal.instant(last_day, quiet_to, time_zone);
	IF at < starts_at OR at >= ends_at THEN
		starts_at := NULL;
		ends_at := NULL;
	END IF;
END
$$;

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
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := slot_start - make_interval(mins => lead_min);
	quiet record;
BEGIN
	quiet := appt_internal.quiet_period(at, time_zone, quiet_from, quiet_to);
	RETURN CASE
		WHEN quiet.ends_at IS NULL THEN at
		WHEN quiet.ends_at < slot_start THEN quiet.ends_at
		ELSE quiet.starts_at - interval '15 minutes'
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.reminder_time(timestamptz, integer, text,
	time, time) IS
	'When a reminder is to go out: lead_min before the visit, or, where that '
	'is in quiet hours, at their end, or before they begin where the visit '
	'does not come after them';

CREATE FUNCTION appt_internal.visit_set_at(appointment_no bigint)
	RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT max(e.occurred_at)
	FROM appt.event e
	WHERE e.appointment_no = $1
		AND e.event_type IN ('appointment.booked', 'appointment.rescheduled')
$$;

COMMENT ON FUNCTION appt_internal.visit_set_at(bigint) IS
	'Since when the visit is at its time';

CREATE TYPE appt_internal.verdict AS (
	action text,
	reason text,
	until timestamptz
);

COMMENT ON TYPE appt_internal.verdict IS
	'action: send; skip, for a reason; wait, until then; drop: it is not to be '
	'sent by the settings as they are now, and will be written again if it is';

CREATE FUNCTION appt_internal.verdict(
	action text,
	reason text DEFAULT NULL,
	until timestamptz DEFAULT NULL)
	RETURNS appt_internal.verdict
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN ROW(action, reason, until)::appt_internal.verdict;

COMMENT ON FUNCTION appt_internal.verdict(text, text, timestamptz) IS
	'A verdict of these parts';

CREATE FUNCTION appt_internal.judge_change(
	n appt.notification,
	a appt.appointment)
	RETURNS appt_internal.verdict
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	later text;
BEGIN
	/* A later change's message tells how the visit is now. */
	SELECT l.event INTO later
	FROM appt.notification l
	WHERE l.appointment_no = n.appointment_no
		AND l.notification_no > n.notification_no
		AND l.event IN ('booked', 'rescheduled', 'cancelled')
		AND l.root_no IS NULL
	ORDER BY l.notification_no DESC
	LIMIT 1;
	RETURN CASE
		WHEN n.event <> 'cancelled' AND a.status = 'cancelled'
			THEN appt_internal.verdict('skip', 'cancelled')
		WHEN n.root_no IS NULL AND later IS NOT NULL THEN
			appt_internal.verdict('skip',
				CASE later WHEN 'cancelled' THEN 'cancelled' ELSE 'moved' END)
		WHEN n.event <> 'cancelled' AND a.slot_start <> n.slot_start
			THEN appt_internal.verdict('skip', 'moved')
		WHEN a.slot_start <= appt.clock()
			THEN appt_internal.verdict('skip', 'past')
		ELSE appt_internal.verdict('send')
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.judge_change IS
	'Whether a message of a change is still true and still news';

CREATE FUNCTION appt_internal.judge_reminder(
	n appt.notification,
	a appt.appointment,
	rules appt_internal.notification_rules,
	time_zone text)
	RETURNS appt_internal.verdict
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := appt.clock();
	quiet record;
BEGIN
	IF a.slot_start <> n.slot_start THEN
		RETURN appt_internal.verdict('skip', 'moved');
	ELSIF a.slot_start <= at OR a.status = 'checked_in' THEN
		RETURN appt_internal.verdict('skip', 'past');
	ELSIF a.slot_start - make_interval(mins => n.lead_min)
		< appt_internal.visit_set_at(a.appointment_no)
	THEN
		RETURN appt_internal.verdict('skip', 'late_booking');
	ELSIF n.root_no IS NULL AND (n.lead_min <> ALL (rules.leads)
		OR appt_internal.reminder_time(a.slot_start, n.lead_min, time_zone,
			rules.quiet_from, rules.quiet_to) > at)
	THEN
		RETURN appt_internal.verdict('drop');
	END IF;
	quiet := appt_internal.quiet_period(at, time_zone, rules.quiet_from,
		rules.quiet_to);
	RETURN CASE
		WHEN quiet.ends_at IS NULL THEN appt_internal.verdict('send')
		WHEN quiet.ends_at < a.slot_start
			THEN appt_internal.verdict('wait', NULL, quiet.ends_at)
		ELSE appt_internal.verdict('skip', 'past')
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.judge_reminder IS
	'Whether a reminder is to go out now, by the settings as they are now';

CREATE FUNCTION appt_internal.judge_notification(
	n appt.notification,
	a appt.appointment,
	p appt.patient,
	rules appt_internal.notification_rules,
	time_zone text)
	RETURNS appt_internal.verdict
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE
		WHEN appt_internal.is_erased(p)
			THEN appt_internal.verdict('skip', 'erased')
		WHEN a.status = 'no_show'
			THEN appt_internal.verdict('skip', 'no_show')
		WHEN a.status IN ('in_consultation', 'completed')
			THEN appt_internal.verdict('skip', 'completed')
		WHEN a.status = 'cancelled' AND n.event <> 'cancelled'
			THEN appt_internal.verdict('skip', 'cancelled')
		WHEN n.event = 'reminder'
			THEN appt_internal.judge_reminder(n, a, rules, time_zone)
		ELSE appt_internal.judge_change(n, a)
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.judge_notification IS
	'Whether a message is to be sent now: state, time and settings as they '
	'are, of an appointment whose row the caller has locked';

/* --- by which channel --------------------------------------------------- */

CREATE TYPE appt_internal.route AS (
	channel_no integer,
	channel text,
	notification_template_no bigint,
	language text,
	address text,
	reason text
);

COMMENT ON TYPE appt_internal.route IS
	'The channel for a message, where it goes, in which words; without a '
	'channel the reason why there is none';

/* Without a search_path of its own, so that it becomes a part of the statement
 * that calls it: a call for each message took longer than the work. */
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
		CASE
			WHEN (w.best).channel_no IS NOT NULL THEN NULL
			/* What the patient said weighs most. */
			WHEN 'opted_out' = ANY (w.reasons) THEN 'opted_out'
			WHEN 'no_template' = ANY (w.reasons) THEN 'no_template'
			WHEN 'no_address' = ANY (w.reasons) THEN 'no_address'
			ELSE 'no_channel'
		END
	FROM (
		SELECT
			(pg_catalog.array_agg(ROW(c.channel_no, c.kind,
				t.notification_template_no, t.language, d.address, NULL)
				::appt_internal.route ORDER BY o.place)
				FILTER (WHERE y.reason IS NULL))[1] AS best,
			pg_catalog.array_agg(y.reason) AS reasons
		FROM pg_catalog.unnest(coalesce((
				SELECT f.channels
				FROM appt.notification_preference f
				WHERE f.patient_id = (p).patient_id),
			(rules).channels)) WITH ORDINALITY AS o (kind, place)
		JOIN appt.notification_channel c ON c.kind = o.kind AND c.active
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN o.kind <> 'email' THEN (p).phone_e164
				WHEN appt_internal.is_address((p).email) THEN (p).email
				END) AS d (address)
		LEFT JOIN LATERAL appt_internal.choose_template(told_event, o.kind,
			ARRAY[(p).language, (rules).language]) AS t ON true
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN d.address IS NULL THEN 'no_address'
				WHEN EXISTS (
					SELECT
					FROM appt.notification_opt_out u
					WHERE u.patient_id = (p).patient_id
						AND u.channel IN (o.kind, '*')
						AND u.event IN (told_event, '*')) THEN 'opted_out'
				WHEN t.notification_template_no IS NULL THEN 'no_template'
				END) AS y (reason)
		/* Another try is by a channel that was not tried. */
		WHERE (n).root_no IS NULL OR NOT EXISTS (
			SELECT
			FROM appt.notification b
			WHERE b.appointment_no = (n).appointment_no
				AND (n).root_no IN (b.notification_no, b.root_no)
				AND b.notification_no <> (n).notification_no
				AND b.channel = o.kind)) w
$$;

COMMENT ON FUNCTION appt_internal.route_notification IS
	'The first channel of the patient''s order that is active, has an address '
	'(the e-mail address, or the telephone number as +919876543210) and a '
	'template in a language of the patient''s, and was not refused; without '
	'one the reason. told_event: as what it is told';

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
