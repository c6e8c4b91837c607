/* ---------------------------------------------------------------------------
 * Reminders whose time has come, leases that ran out, messages of which no
 * report came.  The relay calls this again and again.
 *
 * At any moment one lead of a visit is the current one, the shortest whose
 * time has come.  So a relay that was away for hours sends one reminder to
 * each patient, not all that it missed; and a lead that is set longer than one
 * that was sent already sends none.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.current_lead(
	slot_start timestamptz,
	at timestamptz,
	rules appt_internal.notification_rules,
	time_zone text)
	RETURNS integer
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	lead integer;
	current integer;
BEGIN
	FOREACH lead IN ARRAY rules.leads
	LOOP
		/* Quiet hours move it forward by a day at most. */
		EXIT WHEN slot_start - make_interval(mins => lead)
			> at + interval '1 day';
		IF appt_internal.reminder_time(slot_start, lead, time_zone,
			rules.quiet_from, rules.quiet_to) <= at
		THEN
			current := lead;
		END IF;
	END LOOP;
	RETURN current;
END
$$;

COMMENT ON FUNCTION appt_internal.current_lead IS
	'The shortest lead whose time has come; NULL: none has';

/* Without a search_path of its own, so that it becomes a part of the statement
 * that calls it for each doctor: it was planned as often, each few seconds. */
CREATE FUNCTION appt_internal.reminders_of_place(
	at timestamptz,
	doctor_no integer,
	branch_id text,
	time_zone text,
	rules appt_internal.notification_rules)
	RETURNS TABLE (
		appointment_no bigint,
		slot_start timestamptz,
		lead_min integer)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT f.appointment_no, f.slot_start, f.lead_min
	FROM (
		SELECT a.appointment_no, a.slot_start, appt_internal.current_lead(
			a.slot_start, $1, $5, $4) AS lead_min
		FROM appt.appointment a
		/* Outside of quiet hours the shortest lead that has come is the
		 * current one, but for visits in them or just after. */
		CROSS JOIN LATERAL (
			SELECT pg_catalog.min(l.lead_min)
			FROM pg_catalog.unnest(($5).leads) AS l (lead_min)
			WHERE a.slot_start
				<= $1 + pg_catalog.make_interval(mins => l.lead_min))
			AS r (lead_min)
		CROSS JOIN LATERAL (
			SELECT appt_internal.local_time(a.slot_start, $4)
				::pg_catalog.time) AS s (wall)
		WHERE a.doctor_no = $2
			AND a.branch_id = $3
			AND a.status = 'booked'
			AND a.slot_start > $1
			AND a.slot_start <= $1 + interval '1 day'
				+ pg_catalog.make_interval(mins => ($5).leads[1])
			AND (CASE
				WHEN ($5).quiet_from > ($5).quiet_to THEN
					s.wall > ($5).quiet_from OR s.wall <= ($5).quiet_to
				ELSE s.wall > ($5).quiet_from AND s.wall <= ($5).quiet_to
				END
				OR (r.lead_min IS NOT NULL AND NOT EXISTS (
					SELECT
					FROM appt.notification n
					WHERE n.appointment_no = a.appointment_no
						AND n.slot_start = a.slot_start
						AND n.lead_min <= r.lead_min
						AND n.root_no IS NULL)))
		OFFSET 0) f
	WHERE f.lead_min IS NOT NULL
$$;

COMMENT ON FUNCTION appt_internal.reminders_of_place IS
	'The visits of a doctor at a branch whose patients may have to be reminded '
	'now, with the lead that is the current one';

CREATE FUNCTION appt_internal.write_reminders(
	at timestamptz,
	batch integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place record;
	longest integer;
	total bigint := 0;
	written bigint;
BEGIN
	SELECT max(l.lead_min) INTO longest
	FROM appt.setting_definition d
	LEFT JOIN appt.setting s ON s.name = d.name
	CROSS JOIN LATERAL unnest(nullif(ARRAY[d.default_value, s.value], '{}'))
		AS v (value)
	CROSS JOIN LATERAL unnest(string_to_array(nullif(v.value, 'none'), ',')
		::integer[]) AS l (lead_min)
	WHERE d.name = 'reminder_lead_min';

	FOR place IN
		SELECT a.branch_id, a.doctor_id, a.doctor_no,
			appt_internal.known_zone(b.time_zone) AS time_zone,
			appt_internal.notification_rules(a.branch_id, a.doctor_id) AS rules
		FROM (
			SELECT DISTINCT t.branch_id, t.doctor_id, t.doctor_no
			FROM appt.appointment t
			WHERE t.status = 'booked'
				AND t.token_date BETWEEN (at AT TIME ZONE 'UTC')::date - 1
					AND (at AT TIME ZONE 'UTC')::date + 3 + longest / 1440) a
		JOIN appt.branch b ON b.branch_id = a.branch_id
	LOOP
		CONTINUE WHEN place.rules IS NULL
			OR cardinality((place.rules).leads) = 0
			OR (appt_internal.quiet_period(at, place.time_zone,
				(place.rules).quiet_from, (place.rules).quiet_to)).ends_at
				IS NOT NULL;
		INSERT INTO appt.notification
			(appointment_no, event, slot_start, lead_min)
		SELECT w.appointment_no, 'reminder', w.slot_start, w.lead_min
		FROM appt_internal.reminders_of_place(at, place.doctor_no,
			place.branch_id, place.time_zone, place.rules) w
		/* Not NOT EXISTS, which is planned as a join with all reminders. */
		WHERE (
			SELECT true
			FROM appt.notification n
			WHERE n.appointment_no = w.appointment_no
				AND n.slot_start = w.slot_start
				AND n.lead_min <= w.lead_min
				AND n.root_no IS NULL
			LIMIT 1) IS NULL
		LIMIT batch - total
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS written = ROW_COUNT;
		total := total + written;
		EXIT WHEN total >= batch;
	END LOOP;
	RETURN total;
END
$$;

COMMENT ON FUNCTION appt_internal.write_reminders(timestamptz, integer) IS
	'Writes the reminders whose time has come, at most batch of them; returns '
	'how many. In quiet hours none of that branch';

CREATE FUNCTION appt_internal.leave_channels() RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* The channels that something waits for, by jumps through the index. */
	WITH RECURSIVE used (channel_no) AS (
		SELECT min(n.channel_no)
		FROM appt.notification n
		WHERE n.state = 'due' AND n.channel_no > 0
		UNION ALL
		SELECT (
			SELECT min(n.channel_no)
			FROM appt.notification n
			WHERE n.state = 'due' AND n.channel_no > u.channel_no)
		FROM used u
		WHERE u.channel_no IS NOT NULL)
	UPDATE appt.notification t
	SET channel_no = 0
	FROM (
		SELECT n.notification_no
		FROM used u
		JOIN appt.notification n ON n.channel_no = u.channel_no
			AND n.state = 'due'
			AND n.event <> 'test'
		WHERE NOT EXISTS (
			SELECT
			FROM appt.notification_channel c
			WHERE c.channel_no = u.channel_no AND c.active)
		FOR NO KEY UPDATE OF n SKIP LOCKED) o
	WHERE t.notification_no = o.notification_no
$$;

COMMENT ON FUNCTION appt_internal.leave_channels() IS
	'What waits for a channel that was switched off or deleted is given '
	'another one, as if it had not been given one yet';

/* The planner does not know how many reminders this very call writes: they are
 * looked up row by row, by their index. */
CREATE FUNCTION appt_relay.tick_notifications(
	batch integer DEFAULT 20000,
	OUT expired bigint,
	OUT reminders bigint,
	OUT unreported bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	n appt.notification;
BEGIN
	UPDATE appt.notification t
	SET state = 'due', relay_no = NULL, lease_until = NULL
	FROM (
		SELECT l.ctid
		FROM appt.notification l
		WHERE l.state = 'sending' AND l.lease_until < at
		LIMIT batch
		FOR UPDATE SKIP LOCKED) o
	WHERE t.ctid = o.ctid;
	GET DIAGNOSTICS expired = ROW_COUNT;

	PERFORM appt_internal.retry_reports(batch);
	PERFORM appt_internal.leave_channels();
	reminders := 0;
	unreported := 0;
	IF NOT EXISTS (
		SELECT FROM appt.notification_channel c WHERE c.active)
	THEN
		RETURN;
	END IF;
	reminders := appt_internal.write_reminders(appt.clock(), batch);
	FOR n IN
		SELECT t.*
		FROM appt.notification t
		JOIN appt.notification_channel c ON c.channel_no = t.channel_no
			AND c.settings->'reports' = 'true'
		JOIN appt.appointment a ON a.appointment_no = t.appointment_no
		CROSS JOIN LATERAL appt_internal.notification_rules(a.branch_id,
			a.doctor_id) AS r
		WHERE t.state = 'sent'
			AND t.reason IS NULL
			AND t.sent_at < at - make_interval(mins => r.fallback_after_min)
			AND t.sent_at > at - interval '1 day'
		LIMIT batch
		FOR NO KEY UPDATE OF t SKIP LOCKED
	LOOP
		unreported := unreported
			+ appt_internal.try_next_channel(n)::integer;
		UPDATE appt.notification t
		SET reason = 'not reported as delivered'
		WHERE t.notification_no = n.notification_no;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_relay.tick_notifications(integer) IS
	'Again and again by each relay: leases that ran out are due again, reports '
	'that came too early are tried again, what waits for a channel that is '
	'not there any more is given another, reminders '
	'whose time has come are written, and what was not reported delivered in '
	'time is told by the next channel. At most batch of each';

CREATE FUNCTION appt_relay.notification_retention(
	keep interval DEFAULT '90 days',
	batch integer DEFAULT 5000)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	WITH old AS (
		SELECT n.notification_no
		FROM appt.notification n
		WHERE n.finished_at < clock_timestamp() - keep
		LIMIT batch
		FOR UPDATE SKIP LOCKED),
	attempts AS (
		DELETE FROM appt.notification_attempt a
		USING old
		WHERE a.notification_no = old.notification_no)
	DELETE FROM appt.notification n
	USING old
	WHERE n.notification_no = old.notification_no;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_relay.notification_retention(interval, integer) IS
	'Deletes a batch of messages older than keep with their attempts; returns '
	'how many';
