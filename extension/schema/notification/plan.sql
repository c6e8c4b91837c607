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
	leads integer[],
	time_zone text,
	quiet_from time,
	quiet_to time)
	RETURNS integer
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_current_lead';

COMMENT ON FUNCTION appt_internal.current_lead(timestamptz, timestamptz,
	integer[], text, time, time) IS
	'The shortest lead whose time has come; NULL: none has. leads: the longest '
	'first';

CREATE FUNCTION appt_internal.reminder_places(at timestamptz, longest integer)
	RETURNS TABLE (
		branch_id text,
		doctor_id text,
		time_zone text,
		leads integer[],
		quiet_from time,
		quiet_to time)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.branch_id, k.doctor_id, r.time_zone, (r.rules).leads,
		(r.rules).quiet_from, (r.rules).quiet_to
	FROM (
		SELECT b.branch_id, '' AS doctor_id, b.time_zone
		FROM appt.branch b
		UNION ALL
		SELECT b.branch_id, d.doctor_id, b.time_zone
		FROM appt.branch b
		CROSS JOIN (
			SELECT DISTINCT s.doctor_id
			FROM appt.setting s
			WHERE s.doctor_id IS NOT NULL) s
		JOIN appt.doctor d ON d.doctor_id = s.doctor_id
		WHERE EXISTS (
			SELECT
			FROM appt.appointment a
			WHERE a.doctor_no = d.doctor_no
				AND a.branch_id = b.branch_id
				AND a.status = 'booked'
				AND a.slot_start > $1
				AND a.slot_start <= $1 + interval '1 day'
					+ make_interval(mins => $2))) k
	CROSS JOIN LATERAL (
		SELECT appt_internal.known_zone(k.time_zone) AS time_zone,
			appt_internal.notification_rules(k.branch_id, k.doctor_id) AS rules
		OFFSET 0) r
	WHERE (appt_internal.quiet_period($1, r.time_zone, (r.rules).quiet_from,
		(r.rules).quiet_to)).ends_at IS NULL
$$;

COMMENT ON FUNCTION appt_internal.reminder_places(timestamptz, integer) IS
	'By branch what its reminders go by, and by doctor ('''': by all others) '
	'where he has settings of his own and visits within the longest lead; none '
	'that has quiet hours now';

/* Which visits have their reminder is looked up row by row: reminders that
 * this very call writes are in no statistics. */
CREATE FUNCTION appt_internal.write_reminders(
	at timestamptz,
	batch integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET enable_hashjoin = on
AS $$
DECLARE
	doctors CONSTANT text[] := ARRAY(
		SELECT DISTINCT s.doctor_id
		FROM appt.setting s
		WHERE s.doctor_id IS NOT NULL);
	longest integer;
	written bigint;
BEGIN
	/* One relay at a time; what it writes is seen when the lock is had. */
	IF NOT pg_try_advisory_xact_lock(hashtextextended('appt.reminders', 0)) THEN
		RETURN 0;
	END IF;
	SELECT max(l.lead_min) INTO longest
	FROM appt.setting_definition d
	LEFT JOIN appt.setting s ON s.name = d.name
	CROSS JOIN LATERAL unnest(nullif(ARRAY[d.default_value, s.value], '{}'))
		AS v (value)
	CROSS JOIN LATERAL unnest(string_to_array(nullif(v.value, 'none'), ',')
		::integer[]) AS l (lead_min)
	WHERE d.name = 'reminder_lead_min';

	INSERT INTO appt.notification (appointment_no, event, slot_start, lead_min)
	SELECT f.appointment_no, 'reminder', f.slot_start, f.lead_min
	FROM (
		SELECT a.appointment_no, a.slot_start, appt_internal.current_lead(
			a.slot_start, at, p.leads, p.time_zone, p.quiet_from, p.quiet_to)
			AS lead_min
		FROM appt.doctor d
		JOIN appt.appointment a ON a.doctor_no = d.doctor_no
			AND a.status = 'booked'
			AND a.slot_start > at
			/* Quiet hours move a reminder forward by a day at most. */
			AND a.slot_start <= at + interval '1 day'
				+ make_interval(mins => longest)
		JOIN appt_internal.reminder_places(at, longest) p
			ON p.branch_id = a.branch_id
			AND p.doctor_id = CASE WHEN a.doctor_id = ANY (doctors)
				THEN a.doctor_id ELSE '' END
		OFFSET 0) f
	WHERE f.lead_min IS NOT NULL
		/* Not NOT EXISTS, which is planned as a join with all reminders. */
		AND (
			SELECT true
			FROM appt.notification n
			WHERE n.appointment_no = f.appointment_no
				AND n.slot_start = f.slot_start
				AND n.lead_min <= f.lead_min
				AND n.root_no IS NULL
			LIMIT 1) IS NULL
	LIMIT batch;
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
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
	WITH RECURSIVE used (queue_no) AS (
		SELECT min(n.queue_no)
		FROM appt.notification n
		WHERE n.finished_at IS NULL AND n.queue_no > 0
		UNION ALL
		SELECT (
			SELECT min(n.queue_no)
			FROM appt.notification n
			WHERE n.finished_at IS NULL AND n.queue_no > u.queue_no)
		FROM used u
		WHERE u.queue_no IS NOT NULL)
	UPDATE appt.notification t
	SET queue_no = 0, channel_no = 0
	FROM (
		SELECT n.notification_no
		FROM used u
		JOIN appt.notification n ON n.queue_no = u.queue_no
			AND n.finished_at IS NULL
			AND n.state = 'due'
			AND n.event <> 'test'
		WHERE NOT EXISTS (
			SELECT
			FROM appt.notification_channel c
			WHERE c.channel_no = u.queue_no AND c.active)
		FOR NO KEY UPDATE OF n SKIP LOCKED) o
	WHERE t.notification_no = o.notification_no
$$;

COMMENT ON FUNCTION appt_internal.leave_channels() IS
	'What waits for a channel that was switched off or deleted is given '
	'another one, as if it had not been given one yet';

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
	late record;
BEGIN
	UPDATE appt.notification t
	SET state = 'due',
		queue_no = t.channel_no,
		relay_no = NULL,
		lease_until = NULL
	FROM (
		SELECT l.ctid
		FROM appt.notification l
		WHERE l.finished_at IS NULL
			AND l.state = 'sending'
			AND l.lease_until < at
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
	FOR late IN
		SELECT t AS n, c.channel_no IS NOT NULL AS is_told
		FROM appt.notification_attempt l
		JOIN appt.notification t ON t.notification_no = l.notification_no
			AND t.fence = l.fence
			AND t.state = 'sent'
		CROSS JOIN LATERAL (
			SELECT v.branch_id, v.doctor_id
			FROM appt.appointment v
			WHERE v.appointment_no = t.appointment_no
			UNION ALL
			SELECT o.branch_id, o.doctor_id
			FROM appt_internal.message_offer(t.notification_no) o
			WHERE t.appointment_no IS NULL) a
		CROSS JOIN LATERAL appt_internal.notification_rules(a.branch_id,
			a.doctor_id) AS r
		LEFT JOIN appt.notification_channel c ON c.channel_no = t.channel_no
			AND c.settings->'reports' = 'true'
			AND t.sent_at > at - interval '1 day'
		WHERE l.awaited
			AND t.sent_at < at - make_interval(mins => r.fallback_after_min)
		LIMIT batch
		FOR NO KEY UPDATE OF l, t SKIP LOCKED
	LOOP
		IF late.is_told THEN
			unreported := unreported
				+ appt_internal.try_next_channel(late.n)::integer;
		END IF;
		UPDATE appt.notification_attempt l
		SET awaited = false
		WHERE l.notification_no = (late.n).notification_no
			AND l.fence = (late.n).fence;
		UPDATE appt.notification t
		SET reason = CASE WHEN late.is_told
			THEN 'not reported as delivered' END
		WHERE t.notification_no = (late.n).notification_no;
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
