/* ---------------------------------------------------------------------------
 * Follow-ups: so many days after a visit its patient is asked to come again,
 * once, unless there is a later visit to that doctor.
 *
 * The days are those of the branch's calendar, the time is the visit's on the
 * wall; in quiet hours it is their end.  As reminders they are written when
 * their time has come, never ahead of it, and judged as they are sent.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.follow_up_time(
	slot_start timestamptz,
	days integer,
	time_zone text,
	quiet_from time,
	quiet_to time)
	RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_follow_up_time';

COMMENT ON FUNCTION appt_internal.follow_up_time(timestamptz, integer, text,
	time, time) IS
	'When a patient is to be asked to come again: so many days of the '
	'branch''s calendar after the visit, at its time on the wall, or, where '
	'that is in quiet hours, at their end';

CREATE FUNCTION appt_internal.came_again(a appt.appointment) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (
		SELECT
		FROM appt.appointment l
		WHERE l.patient_no = a.patient_no
			AND l.slot_start > a.slot_start
			AND l.doctor_no = a.doctor_no
			AND l.status NOT IN ('cancelled', 'no_show'));
END
$$;

COMMENT ON FUNCTION appt_internal.came_again IS
	'Whether the patient has, or had, a later visit to the same doctor';

/* By numbers: with rows for arguments each message that is judged would bring
 * them along. */
CREATE FUNCTION appt_internal.judge_follow_up(
	appointment_no bigint,
	root_no bigint,
	rules appt_internal.notification_rules,
	time_zone text,
	quiet_until timestamptz,
	at timestamptz)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.appointment;
	planned_at timestamptz;
BEGIN
	SELECT t.* INTO a
	FROM appt.appointment t
	WHERE t.appointment_no = $1;
	planned_at := appt_internal.follow_up_time(a.slot_start,
		rules.follow_up_days, time_zone, rules.quiet_from, rules.quiet_to);
	RETURN CASE
		WHEN a.status <> 'completed' THEN 'drop'
		WHEN root_no IS NULL
			AND (planned_at <= at) IS NOT TRUE THEN 'drop'
		WHEN appt_internal.came_again(a) THEN 'has_visit'
		WHEN planned_at < at - interval '7 days' THEN 'past'
		WHEN quiet_until IS NOT NULL THEN 'wait'
		ELSE 'send'
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.judge_follow_up IS
	'appt_internal.judge_notification of a follow-up to a visit that is in '
	'consultation or completed. One that found no way for a week is past';

CREATE FUNCTION appt_internal.write_follow_ups(
	at timestamptz,
	doctor_no integer,
	branch_id text,
	time_zone text,
	rules appt_internal.notification_rules,
	batch bigint)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	days CONSTANT interval := make_interval(days => rules.follow_up_days);
	written bigint;
BEGIN
	INSERT INTO appt.notification
		(appointment_no, event, slot_start, lead_min)
	SELECT a.appointment_no, 'follow_up', a.slot_start, 0
	FROM appt.appointment a
	WHERE a.doctor_no = $2
		AND a.branch_id = $3
		AND a.status = 'completed'
		AND a.slot_start BETWEEN at - days - interval '5 days'
			AND at - days + interval '1 day'
		AND (
			SELECT f.planned_at > at - interval '3 days'
				AND f.planned_at <= at
			FROM appt_internal.follow_up_time(a.slot_start,
				rules.follow_up_days, $4, rules.quiet_from, rules.quiet_to)
				AS f (planned_at))
		/* Not NOT EXISTS, which is planned as a join with all of them. */
		AND (
			SELECT true
			FROM appt.notification n
			WHERE n.appointment_no = a.appointment_no
				AND n.slot_start = a.slot_start
				AND n.lead_min = 0
				AND n.root_no IS NULL
			LIMIT 1) IS NULL
	ORDER BY a.slot_start
	LIMIT batch
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;

COMMENT ON FUNCTION appt_internal.write_follow_ups IS
	'Writes the follow-ups to visits of a doctor at a branch whose time has '
	'come in the last three days, at most batch of them; returns how many';

/* As appt_relay.tick_notifications, less often. */
CREATE FUNCTION appt_relay.tick_follow_ups(batch integer DEFAULT 20000)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
DECLARE
	at CONSTANT timestamptz := appt.clock();
	today CONSTANT date := (at AT TIME ZONE 'UTC')::date;
	place record;
	total bigint := 0;
BEGIN
	IF NOT EXISTS (
		SELECT FROM appt.notification_channel c WHERE c.active)
	THEN
		RETURN 0;
	END IF;
	FOR place IN
		SELECT a.branch_id, a.doctor_no,
			appt_internal.known_zone(b.time_zone) AS time_zone,
			appt_internal.notification_rules(a.branch_id, a.doctor_id) AS rules
		FROM (
			SELECT DISTINCT t.branch_id, t.doctor_id, t.doctor_no
			FROM (
				SELECT DISTINCT s.value::integer
				FROM appt.setting s
				WHERE s.name = 'follow_up_days' AND s.value <> 'none')
				AS d (days)
			JOIN appt.appointment t ON t.token_date
				BETWEEN today - d.days - 5 AND today - d.days + 1
			WHERE t.status = 'completed') a
		JOIN appt.branch b ON b.branch_id = a.branch_id
	LOOP
		CONTINUE WHEN (place.rules).follow_up_days IS NULL
			OR (appt_internal.quiet_period(at, place.time_zone,
				(place.rules).quiet_from, (place.rules).quiet_to)).ends_at
				IS NOT NULL;
		total := total + appt_internal.write_follow_ups(at, place.doctor_no,
			place.branch_id, place.time_zone, place.rules, batch - total);
		EXIT WHEN total >= batch;
	END LOOP;
	RETURN total;
END
$$;

COMMENT ON FUNCTION appt_relay.tick_follow_ups(integer) IS
	'Again and again by each relay: writes the follow-ups whose time has come, '
	'at most batch of them; returns how many. In quiet hours none of that '
	'branch';

/* --- what will be -------------------------------------------------------- */

CREATE FUNCTION appt_internal.new_follow_up(a appt.appointment)
	RETURNS appt.notification
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_populate_record(NULL::appt.notification,
		jsonb_build_object('appointment_no', ($1).appointment_no, 'event',
			'follow_up', 'lead_min', 0, 'slot_start', ($1).slot_start))
$$;

COMMENT ON FUNCTION appt_internal.new_follow_up IS
	'The follow-up to a visit as it would be written';

CREATE FUNCTION appt_internal.has_follow_up(a appt.appointment) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM appt.notification n
		WHERE n.appointment_no = ($1).appointment_no
			AND n.slot_start = ($1).slot_start
			AND n.lead_min = 0)
$$;

COMMENT ON FUNCTION appt_internal.has_follow_up IS
	'Whether the follow-up to a visit is written';

CREATE FUNCTION appt_internal.planned_follow_ups(until timestamptz)
	RETURNS TABLE (
		message appt.notification,
		rules appt_internal.notification_rules,
		planned_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := appt.clock();
	first_day CONSTANT date := (at AT TIME ZONE 'UTC')::date - 5;
	last_day CONSTANT date := (until AT TIME ZONE 'UTC')::date + 1;
BEGIN
	RETURN QUERY
	WITH place AS MATERIALIZED (
		SELECT v.branch_id, v.doctor_no,
			appt_internal.known_zone(b.time_zone) AS time_zone,
			appt_internal.notification_rules(v.branch_id, v.doctor_id) AS rules
		FROM (
			SELECT DISTINCT t.branch_id, t.doctor_id, t.doctor_no
			FROM appt.setting s
			JOIN appt.appointment t ON t.token_date
				BETWEEN first_day - s.value::integer
					AND last_day - s.value::integer
			WHERE s.name = 'follow_up_days' AND s.value <> 'none'
				AND t.status = 'completed') v
		JOIN appt.branch b ON b.branch_id = v.branch_id)
	SELECT appt_internal.new_follow_up(a), p.rules, greatest(f.planned_at, at)
	FROM place p
	JOIN appt.appointment a ON a.doctor_no = p.doctor_no
		AND a.branch_id = p.branch_id
		AND a.status = 'completed'
		AND a.token_date BETWEEN first_day - (p.rules).follow_up_days
			AND last_day - (p.rules).follow_up_days
	CROSS JOIN LATERAL appt_internal.follow_up_time(a.slot_start,
		(p.rules).follow_up_days, p.time_zone, (p.rules).quiet_from,
		(p.rules).quiet_to) AS f (planned_at)
	WHERE f.planned_at > at - interval '3 days'
		AND f.planned_at <= until
		AND NOT appt_internal.has_follow_up(a);
END
$$;

COMMENT ON FUNCTION appt_internal.planned_follow_ups(timestamptz) IS
	'The follow-ups that are to be written until then, by the settings as they '
	'are now';

CREATE FUNCTION appt_internal.explain_follow_up(
	a appt.appointment,
	p appt.patient,
	rules appt_internal.notification_rules,
	time_zone text)
	RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	planned_at CONSTANT timestamptz := appt_internal.follow_up_time(
		a.slot_start, rules.follow_up_days, time_zone, rules.quiet_from,
		rules.quiet_to);
	route appt_internal.route;
	reason text;
BEGIN
	IF a.status <> 'completed' OR planned_at IS NULL
		OR appt_internal.has_follow_up(a)
	THEN
		RETURN;
	END IF;
	route := appt_internal.route_notification(
		appt_internal.new_follow_up(a), 'follow_up', p, rules);
	reason := CASE
		WHEN planned_at <= appt.clock() - interval '3 days' THEN 'past'
		WHEN appt_internal.came_again(a) THEN 'has_visit'
		ELSE route.reason END;
	RETURN NEXT format('A follow-up (%s days after) %s.', rules.follow_up_days,
		CASE WHEN reason IS NOT NULL THEN 'will not be sent: '
			|| appt_internal.reason_sentence(reason)
		ELSE format('is planned by %s for %s', route.channel,
			appt_internal.spoken_time(planned_at, time_zone)) END);
END
$$;

COMMENT ON FUNCTION appt_internal.explain_follow_up IS
	'What is planned of the follow-up to a visit, in a sentence; no row: it is '
	'written, or there is none to be';
