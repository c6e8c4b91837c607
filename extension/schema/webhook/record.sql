/* ---------------------------------------------------------------------------
 * What became of the attempts: recording, releasing, the relay's upkeep.
 * Lock order as in webhook/claim.sql: endpoints by webhook_no, then deliveries.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_relay.attempt_result AS (
	delivery_no bigint,
	fence bigint,
	webhook_no integer,
	started_at timestamptz,
	duration_ms integer,
	status integer,
	retry_after_s integer,
	error text,
	answer text,
	inside boolean
);

COMMENT ON TYPE appt_relay.attempt_result IS
	'One attempt as the relay reports it: status NULL where no answer came, '
	'retry_after_s NULL where none was asked for, inside: see '
	'appt.delivery_attempt';

CREATE FUNCTION appt_internal.retry_delay(
	attempts integer,
	retry_after_s integer,
	schedule_s double precision[])
	RETURNS interval
	LANGUAGE sql VOLATILE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT make_interval(secs => greatest(
		schedule_s[attempts + 1] * (0.8 + 0.4 * random()),
		least(coalesce(retry_after_s, 0), 86400)))
$$;

COMMENT ON FUNCTION appt_internal.retry_delay(integer, integer,
	double precision[]) IS
	'How long to wait after so many failed attempts: the schedule with a '
	'jitter of a fifth either way, or what Retry-After asked for if that is '
	'longer, up to 24 hours';

CREATE FUNCTION appt_internal.disable_endpoint(webhook_no integer, reason text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	endpoint appt.webhook;
BEGIN
	UPDATE appt.webhook w
	SET status = 'disabled',
		disabled_at = clock_timestamp(),
		disabled_reason = reason,
		version = w.version + 1
	WHERE w.webhook_no = disable_endpoint.webhook_no
		AND w.status = 'enabled'
	RETURNING w.* INTO endpoint;
	IF FOUND AND reason IN ('gone', 'failing') THEN
		PERFORM appt_internal.emit_webhook_event('webhook.disabled',
			json_build_object(
				'webhook_id', endpoint.webhook_id,
				'reason', reason,
				'failing_since',
					appt_internal.json_time(endpoint.failing_since, 'UTC'),
				'failures', endpoint.failures)::text,
			endpoint.created_by);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.disable_endpoint(integer, text) IS
	'Disables an endpoint for a reason of webhook_disabled_reason_known and '
	'tells those who asked for webhook.disabled';

CREATE FUNCTION appt_internal.alert_endpoint(
	webhook_no integer,
	disable_after interval)
	RETURNS TABLE (webhook_id text, alert text, number bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	endpoint appt.webhook;
	reached integer;
BEGIN
	SELECT * INTO STRICT endpoint
	FROM appt.webhook w
	WHERE w.webhook_no = alert_endpoint.webhook_no;

	reached := least(100, floor(100 *
		extract(epoch FROM at - endpoint.failing_since)
		/ greatest(1e-3, extract(epoch FROM disable_after))));
	IF reached >= 100 AND endpoint.failures >= 10 THEN
		PERFORM appt_internal.disable_endpoint(webhook_no, 'failing');
		RETURN QUERY
			SELECT endpoint.webhook_id, 'webhook.disabled', 100::bigint;
		RETURN;
	END IF;

	reached := CASE WHEN reached >= 90 THEN 90 WHEN reached >= 70 THEN 70
		WHEN reached >= 50 THEN 50 ELSE 0 END;
	IF reached > endpoint.alerted_percent THEN
		UPDATE appt.webhook w
		SET alerted_percent = reached
		WHERE w.webhook_no = alert_endpoint.webhook_no;
		PERFORM appt_internal.emit_webhook_event('webhook.failing',
			json_build_object(
				'webhook_id', endpoint.webhook_id,
				'percent', reached,
				'failing_since',
					appt_internal.json_time(endpoint.failing_since, 'UTC'),
				'disables_at', appt_internal.json_time(
					endpoint.failing_since + disable_after, 'UTC'),
				'failures', endpoint.failures)::text,
			endpoint.created_by);
		RETURN QUERY
		SELECT endpoint.webhook_id, 'webhook.failing', reached::bigint;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.alert_endpoint(integer, interval) IS
	'Disables an endpoint that did nothing but fail for so long (and ten '
	'times at least); alerts at 50, 70 and 90 percent of the way';

CREATE FUNCTION appt_internal.record_health(
	results appt_relay.attempt_result[],
	disable_after interval)
	RETURNS TABLE (webhook_id text, alert text, number bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '1s'
AS $$
#variable_conflict use_column
DECLARE
	endpoint record;
BEGIN
	FOR endpoint IN
		SELECT w.webhook_no, w.webhook_id, w.failing_since, w.status,
			r.succeeded, r.failed, r.gone
		FROM appt.webhook w
		JOIN (
			SELECT k.webhook_no,
				count(*) FILTER (WHERE k.status BETWEEN 200 AND 299)
					AS succeeded,
				count(*) FILTER (
					WHERE (k.status BETWEEN 200 AND 299) IS NOT TRUE)
					AS failed,
				bool_or(k.status = 410) IS TRUE AS gone
			FROM unnest(results) k
			GROUP BY k.webhook_no) r ON r.webhook_no = w.webhook_no
		WHERE r.failed > 0 OR w.failing_since IS NOT NULL
		ORDER BY w.webhook_no
		FOR NO KEY UPDATE OF w
	LOOP
		UPDATE appt.webhook w
		SET failing_since = CASE WHEN endpoint.succeeded = 0
				THEN coalesce(w.failing_since, clock_timestamp()) END,
			failures = CASE WHEN endpoint.succeeded = 0
				THEN w.failures + endpoint.failed ELSE 0 END,
			alerted_percent = CASE WHEN endpoint.succeeded = 0
				THEN w.alerted_percent ELSE 0 END
		WHERE w.webhook_no = endpoint.webhook_no;
		IF endpoint.gone AND endpoint.status = 'enabled' THEN
			PERFORM appt_internal.disable_endpoint(endpoint.webhook_no, 'gone');
			RETURN QUERY
			SELECT endpoint.webhook_id, 'webhook.gone', 100::bigint;
		ELSIF endpoint.succeeded = 0 AND endpoint.status = 'enabled' THEN
			RETURN QUERY
			SELECT * FROM appt_internal.alert_endpoint(
				endpoint.webhook_no, disable_after);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.record_health(appt_relay.attempt_result[],
	interval) IS
	'Counts failures by endpoint; disables on 410 and after nothing but '
	'failure. Waits a second at most for the endpoints'' rows (55P03)';

CREATE FUNCTION appt_internal.record_successes(
	results appt_relay.attempt_result[],
	OUT done bigint[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	/* One time for all: each new one would change the index's summary. */
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	WITH marked AS (
		UPDATE appt.delivery d
		SET state = 'delivered',
			attempts = d.attempts + 1,
			finished_at = at,
			relay_no = NULL,
			lease_until = NULL
		FROM unnest(results) r
		WHERE r.status BETWEEN 200 AND 299
			AND d.delivery_no = r.delivery_no
			AND d.fence = r.fence
			AND d.state IN ('in_flight', 'pending', 'held')
		RETURNING d.delivery_no
	)
	SELECT array_agg(m.delivery_no) INTO done
	FROM marked m;
END
$$;

COMMENT ON FUNCTION appt_internal.record_successes(appt_relay.attempt_result[])
	IS
	'Marks what was delivered, where the fence still matches: a late answer '
	'counts as long as nobody has claimed since';

CREATE FUNCTION appt_internal.lock_deliveries(delivery_nos bigint[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	/* By its key: while there are few deliveries, all of them may seem to be
	 * read as fast, and the plan is kept when there are many. */
	PERFORM
	FROM (
		SELECT u.delivery_no
		FROM unnest(delivery_nos) u (delivery_no)
		ORDER BY u.delivery_no) r
	CROSS JOIN LATERAL (
		SELECT
		FROM appt.delivery k
		WHERE k.delivery_no = r.delivery_no
		OFFSET 0
		FOR NO KEY UPDATE) d;
END
$$;

COMMENT ON FUNCTION appt_internal.lock_deliveries(bigint[]) IS
	'Locks these deliveries, so that the next statement may change them by '
	'their ctid: a row that somebody is changing would have another by then';

CREATE FUNCTION appt_internal.record_failures(
	results appt_relay.attempt_result[],
	schedule_s double precision[],
	OUT dead bigint[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.lock_deliveries(ARRAY(
		SELECT r.delivery_no
		FROM unnest(results) r
		WHERE (r.status BETWEEN 200 AND 299) IS NOT TRUE));
	/* By its key, as there. */
	WITH failed AS MATERIALIZED (
		SELECT d.ctid,
			CASE WHEN r.status = 410 THEN 'held'
				WHEN d.attempts + 1 >= cardinality(schedule_s) THEN 'dead'
				ELSE 'pending'
			END AS state,
			appt_internal.retry_delay(d.attempts + 1, r.retry_after_s,
				schedule_s)
				AS delay
		FROM unnest(results) r
		CROSS JOIN LATERAL (
			SELECT k.ctid, k.fence, k.state, k.attempts
			FROM appt.delivery k
			WHERE k.delivery_no = r.delivery_no
			OFFSET 0) d
		WHERE (r.status BETWEEN 200 AND 299) IS NOT TRUE
			AND d.fence = r.fence
			AND d.state IN ('in_flight', 'pending', 'held')
	),
	marked AS (
		UPDATE appt.delivery d
		SET state = f.state,
			attempts = d.attempts + 1,
			due_at = CASE WHEN f.state = 'pending'
				THEN clock_timestamp() + f.delay ELSE d.due_at END,
			finished_at = CASE WHEN f.state = 'dead'
				THEN clock_timestamp() END,
			relay_no = NULL,
			lease_until = NULL
		FROM failed f
		WHERE d.ctid = f.ctid
		RETURNING d.delivery_no, d.state
	)
	SELECT array_agg(m.delivery_no) FILTER (WHERE m.state = 'dead') INTO dead
	FROM marked m;
END
$$;

COMMENT ON FUNCTION
	appt_internal.record_failures(appt_relay.attempt_result[],
		double precision[]) IS
	'Schedules the next attempt, or gives up after the last (dead); 410 '
	'holds the delivery';

CREATE FUNCTION appt_internal.wake_followers(done bigint[]) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	/*
	 * As in appt_internal.lease_endpoint the endpoint's number is hidden.
	 * pending or held, not pending alone: that would be said of the whole
	 * queue's index, too.
	 */
	UPDATE appt.delivery n
	SET due_at = at
	FROM appt.delivery d
	CROSS JOIN LATERAL (
		SELECT f.ctid
		FROM appt.delivery f
		WHERE f.appointment_no = d.appointment_no
			AND f.event_no > d.event_no
			AND f.webhook_no + 0 = d.webhook_no
			AND f.state IN ('pending', 'held')
			AND f.attempts = 0
			AND f.due_at > at
		FOR UPDATE SKIP LOCKED) follower
	WHERE d.delivery_no = ANY (done)
		AND n.ctid = follower.ctid;
END
$$;

COMMENT ON FUNCTION appt_internal.wake_followers(bigint[]) IS
	'What waited for these deliveries of its appointment is due now, not at '
	'its next look; one that a claim looks at this moment is left to it';

CREATE FUNCTION appt_relay.record_attempts(
	delivery_nos bigint[],
	fences bigint[],
	webhook_nos integer[],
	started_us bigint[],
	durations_ms integer[],
	statuses integer[],
	retries_after_s integer[],
	errors text[],
	answers text[],
	insides boolean[],
	schedule_s double precision[]
		DEFAULT '{0,5,300,1800,7200,18000,36000,50400,72000,86400}',
	disable_after interval DEFAULT '5 days')
	RETURNS TABLE (webhook_id text, alert text, number bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	/* Those that are not recorded yet.  Not ON CONFLICT, which costs as much
	 * again, nor NOT EXISTS, for which the planner may read all attempts there
	 * are. */
	list CONSTANT appt_relay.attempt_result[] := ARRAY(
		SELECT ROW(r.delivery_no, r.fence, r.webhook_no,
			to_timestamp(r.started_us / 1e6::double precision), r.duration_ms,
			r.status, r.retry_after_s, r.error, r.answer,
			r.inside)::appt_relay.attempt_result
		FROM unnest(delivery_nos, fences, webhook_nos, started_us,
			durations_ms, statuses, retries_after_s, errors, answers, insides)
			AS r(delivery_no, fence, webhook_no, started_us, duration_ms,
				status, retry_after_s, error, answer, inside)
		WHERE (
			SELECT a.fence
			FROM appt.delivery_attempt a
			WHERE a.delivery_no = r.delivery_no
				AND a.fence = r.fence) IS NULL);
	dead bigint[];
BEGIN
	BEGIN
		RETURN QUERY SELECT *
			FROM appt_internal.record_health(list, disable_after);
	EXCEPTION WHEN lock_not_available THEN
		/* Some transaction holds an endpoint's row: the results, and those of
		 * all other endpoints, do not wait for its end. */
		NULL;
	END;

	/* The last comes first: the index's summary of the times then changes
	 * once, not with each row. */
	INSERT INTO appt.delivery_attempt
		(delivery_no, fence, started_at, duration_ms, status, error, answer,
		inside)
	SELECT r.delivery_no, r.fence, r.started_at, r.duration_ms, r.status,
		r.error, r.answer, coalesce(r.inside, true)
	FROM unnest(list) r
	ORDER BY r.started_at DESC;

	PERFORM appt_internal.wake_followers(appt_internal.record_successes(list));
	IF EXISTS (
		SELECT FROM unnest(list) r
		WHERE (r.status BETWEEN 200 AND 299) IS NOT TRUE)
	THEN
		dead := appt_internal.record_failures(list, schedule_s);
		PERFORM appt_internal.wake_followers(dead);
		RETURN QUERY
		SELECT w.webhook_id, 'delivery.dead', d.delivery_no
		FROM unnest(dead) n (delivery_no)
		CROSS JOIN LATERAL (
			SELECT k.delivery_no, k.webhook_no
			FROM appt.delivery k
			WHERE k.delivery_no = n.delivery_no
			OFFSET 0) d
		JOIN appt.webhook w ON w.webhook_no = d.webhook_no;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_relay.record_attempts(bigint[], bigint[], integer[],
	bigint[], integer[], integer[], integer[], text[], text[], boolean[],
	double precision[], interval) IS
	'Records a batch of attempts (the columns of appt_relay.attempt_result, an '
	'array each; started_us: microseconds since 1970) in one transaction; may '
	'be repeated. schedule_s: seconds before each attempt; its length is how '
	'many there are. Returns what the relay should log: webhook.failing with '
	'percent, webhook.disabled, webhook.gone, delivery.dead with the '
	'delivery''s number';

CREATE FUNCTION appt_relay.release_deliveries(
	delivery_nos bigint[],
	fences bigint[])
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
DECLARE
	released bigint;
BEGIN
	PERFORM appt_internal.lock_deliveries(delivery_nos);
	UPDATE appt.delivery d
	SET state = 'pending',
		relay_no = NULL,
		lease_until = NULL
	FROM unnest(delivery_nos, fences) r(delivery_no, fence)
	/* By its key, as there. */
	CROSS JOIN LATERAL (
		SELECT k.ctid
		FROM appt.delivery k
		WHERE k.delivery_no = r.delivery_no
		OFFSET 0) o
	/* Which is in flight; its state would be said of all that are. */
	WHERE d.ctid = o.ctid
		AND d.fence = r.fence
		AND d.lease_until IS NOT NULL;
	GET DIAGNOSTICS released = ROW_COUNT;
	PERFORM appt_internal.wake_relay();
	RETURN released;
END
$$;

COMMENT ON FUNCTION appt_relay.release_deliveries(bigint[], bigint[]) IS
	'Gives back what was claimed and not sent: due again at once';

CREATE FUNCTION appt_relay.release_lost(relay_no bigint, kept bigint[])
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET enable_bitmapscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
DECLARE
	released bigint;
BEGIN
	UPDATE appt.delivery d
	SET state = 'pending',
		relay_no = NULL,
		lease_until = NULL
	WHERE d.state = 'in_flight'
		AND d.relay_no = release_lost.relay_no
		AND d.delivery_no <> ALL (kept);
	GET DIAGNOSTICS released = ROW_COUNT;
	RETURN released;
END
$$;

COMMENT ON FUNCTION appt_relay.release_lost(bigint, bigint[]) IS
	'Gives back what was claimed for a relay that never got the answer: all '
	'that is leased to it but the deliveries that it knows of';
