/* ---------------------------------------------------------------------------
 * The relay's upkeep: leases that ran out, endpoints that were disabled or
 * enabled, what is old, and the numbers for its metrics.
 * Everything goes in batches and skips what somebody else holds.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_relay.tick(
	batch integer DEFAULT 2000,
	OUT expired bigint,
	OUT held bigint,
	OUT drained bigint,
	OUT replayed bigint)
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
	endpoint appt.webhook;
BEGIN
	UPDATE appt.delivery d
	SET state = 'pending', relay_no = NULL, lease_until = NULL
	FROM (
		SELECT l.ctid
		FROM appt.delivery l
		WHERE l.state = 'in_flight' AND l.lease_until < at
		LIMIT batch
		FOR UPDATE SKIP LOCKED) o
	WHERE d.ctid = o.ctid;
	GET DIAGNOSTICS expired = ROW_COUNT;

	UPDATE appt.delivery d
	SET state = 'held'
	FROM (
		SELECT p.ctid
		FROM appt.webhook w
		CROSS JOIN LATERAL (
			SELECT k.ctid
			FROM appt.delivery k
			WHERE k.webhook_no = w.webhook_no AND k.state = 'pending'
			LIMIT batch
			FOR UPDATE SKIP LOCKED) p
		WHERE w.status = 'disabled'
		LIMIT batch) o
	WHERE d.ctid = o.ctid;
	GET DIAGNOSTICS held = ROW_COUNT;

	UPDATE appt.delivery d
	SET state = 'pending', attempts = 0, due_at = least(d.due_at, at)
	FROM (
		SELECT h.ctid
		FROM appt.webhook w
		CROSS JOIN LATERAL (
			SELECT k.ctid
			FROM appt.delivery k
			WHERE k.webhook_no = w.webhook_no AND k.state = 'held'
			ORDER BY k.delivery_no
			LIMIT batch
			FOR UPDATE SKIP LOCKED) h
		WHERE w.status = 'enabled'
		LIMIT batch) o
	WHERE d.ctid = o.ctid;
	GET DIAGNOSTICS drained = ROW_COUNT;

	replayed := 0;
	FOR endpoint IN
		SELECT w.*
		FROM appt.webhook_replay r
		JOIN appt.webhook w ON w.webhook_no = r.webhook_no
		WHERE w.status = 'enabled'
	LOOP
		replayed := replayed + 1;
		PERFORM appt_internal.queue_replay(endpoint, batch);
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_relay.tick(integer) IS
	'Each second by each relay: leases that ran out are due again, deliveries '
	'of disabled endpoints are held, those of enabled ones drain, and replays '
	'go on. At most batch of each';

CREATE FUNCTION appt_relay.retention(
	keep interval DEFAULT '90 days',
	batch integer DEFAULT 5000,
	OUT attempts bigint,
	OUT deliveries bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	before CONSTANT timestamptz := clock_timestamp() - keep;
	swept bigint;
BEGIN
	DELETE FROM appt.delivery_attempt a
	WHERE a.ctid = ANY (ARRAY(
		SELECT o.ctid
		FROM appt.delivery_attempt o
		WHERE o.started_at < before
		LIMIT batch));
	GET DIAGNOSTICS attempts = ROW_COUNT;

	DELETE FROM appt.delivery d
	WHERE d.ctid = ANY (ARRAY(
			SELECT o.ctid
			FROM appt.delivery o
			WHERE o.finished_at < before
			LIMIT batch))
		AND d.finished_at < before;
	GET DIAGNOSTICS deliveries = ROW_COUNT;

	/* What deleted endpoints left behind: which there are is read off the
	 * index, one step a number. */
	WITH RECURSIVE known (webhook_no) AS (
		SELECT min(d.webhook_no)
		FROM appt.delivery d
		UNION ALL
		SELECT (
			SELECT min(d.webhook_no)
			FROM appt.delivery d
			WHERE d.webhook_no > k.webhook_no)
		FROM known k
		WHERE k.webhook_no IS NOT NULL
	)
	DELETE FROM appt.delivery d
	WHERE d.ctid = ANY (ARRAY(
		SELECT o.ctid
		FROM known k
		JOIN appt.delivery o ON o.webhook_no = k.webhook_no
		WHERE o.state IN ('pending', 'held', 'in_flight')
			AND NOT EXISTS (
				SELECT FROM appt.webhook w
				WHERE w.webhook_no = k.webhook_no)
		LIMIT batch));
	GET DIAGNOSTICS swept = ROW_COUNT;
	deliveries := deliveries + swept;
END
$$;

COMMENT ON FUNCTION appt_relay.retention(interval, integer) IS
	'Deletes one batch each of attempts and finished deliveries older than '
	'keep and of what deleted endpoints left; the relay calls it each hour and '
	'repeats it until nothing is left';

CREATE FUNCTION appt_relay.stats(
	OUT pending bigint,
	OUT due bigint,
	OUT in_flight bigint,
	OUT held bigint,
	OUT oldest_due_s double precision,
	OUT endpoints bigint,
	OUT endpoints_disabled bigint,
	OUT endpoints_failing bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	/* What a deleted endpoint left behind waits for nothing but the sweep. */
	SELECT count(*), count(*) FILTER (WHERE d.due_at <= at),
		coalesce(extract(epoch FROM at - min(d.due_at)
			FILTER (WHERE d.due_at <= at)), 0)
	INTO pending, due, oldest_due_s
	FROM appt.delivery d
	WHERE d.state = 'pending'
		AND d.webhook_no IN (SELECT w.webhook_no FROM appt.webhook w);
	SELECT count(*) INTO in_flight
	FROM appt.delivery d
	WHERE d.state = 'in_flight';
	SELECT count(*) INTO held
	FROM appt.delivery d
	WHERE d.state = 'held'
		AND d.webhook_no IN (SELECT w.webhook_no FROM appt.webhook w);
	SELECT count(*), count(*) FILTER (WHERE w.status = 'disabled'),
		count(*) FILTER (WHERE w.failing_since IS NOT NULL)
	INTO endpoints, endpoints_disabled, endpoints_failing
	FROM appt.webhook w;
END
$$;

COMMENT ON FUNCTION appt_relay.stats() IS
	'The numbers of the relay''s metrics: deliveries by state, how many '
	'seconds the oldest due one waits, endpoints by condition';
