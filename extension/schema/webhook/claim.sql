/* ---------------------------------------------------------------------------
 * What the relay calls: claim, record, release, tick, stats, retention.
 *
 * Locks are taken in one order: endpoints by webhook_no, then deliveries.
 * A claim locks its endpoints' rows with SKIP LOCKED, so that one relay at a
 * time picks from an endpoint and never waits for another; what else changes
 * a waiting delivery holds the endpoint's row too, or is a moment's work.
 *
 * The clock here is the real one, not appt.clock(): leases and retries are
 * between machines, and a test that freezes the domain's clock must not
 * freeze them.
 *
 * At most times nearly every delivery there is has been delivered, and the
 * statistics say so: the planner takes the queue to be empty and a scan of
 * all of it to be free.  So the statements leave it no other way than the
 * index that is meant, row by row, and are planned once.  The settings for
 * that stand at the functions that the relay calls, and count for those that
 * they call.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.wake_relay() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(current_setting('bioecko_appt.notify', true), 'on') <> 'off'
	THEN
		PERFORM pg_notify('bioecko_appt', '');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.wake_relay() IS
	'Tells the relays at commit that there is something to send; they would '
	'find it within a second anyway';

CREATE FUNCTION appt_internal.emit_webhook_event(
	event_type text,
	data text,
	actor text,
	OUT event_no bigint,
	OUT event_id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	INSERT INTO appt.event AS e
		(event_id, event_type, occurred_at, stamp, actor, data)
	VALUES (appt_internal.new_id('evt'), emit_webhook_event.event_type, at,
		appt_internal.json_time(at, 'UTC'), emit_webhook_event.actor,
		emit_webhook_event.data)
	RETURNING e.event_no, e.event_id
	INTO emit_webhook_event.event_no, emit_webhook_event.event_id;

	INSERT INTO appt.delivery (webhook_no, event_no)
	SELECT w.webhook_no, emit_webhook_event.event_no
	FROM appt.webhook w
	WHERE emit_webhook_event.event_type = ANY (w.events)
		AND w.status = 'enabled'
		AND (w.created_by NOT LIKE 'client:%'
			OR w.created_by = emit_webhook_event.actor);
	PERFORM appt_internal.wake_relay();
END
$$;

COMMENT ON FUNCTION appt_internal.emit_webhook_event(text, text, text) IS
	'Writes an event that is no appointment''s (a ping, an alert) and its '
	'deliveries to the endpoints that name its type: those of the same API '
	'client, and the clinic''s own';

CREATE FUNCTION appt_internal.lease_endpoint(
	webhook_no integer,
	relay_no bigint,
	room integer,
	lease interval)
	RETURNS TABLE (
		delivery_no bigint,
		fence bigint,
		attempt integer,
		event_id text,
		event_type text,
		stamp text,
		members text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	/* Both ends of the queue: what came last goes at once, what waits
	 * longest is not starved. */
	fresh CONSTANT integer := CASE
		WHEN room = 1 THEN (random() < 0.7)::integer
		ELSE (room + 1) / 2
	END;
BEGIN
	/* Rows are changed by their ctid, and the endpoint's number is hidden in
	 * an expression where an appointment's deliveries are looked up: so there
	 * is one way to each row that the planner can take.  A row that somebody
	 * else changes meanwhile is left alone.
	 *
	 * The events are read by the same statement.  One of its own would have
	 * another snapshot, and miss those committed in between. */
	RETURN QUERY
	WITH candidate AS MATERIALIZED (
		(SELECT d.ctid, d.appointment_no, d.due_at
		FROM appt.delivery d
		WHERE d.webhook_no = lease_endpoint.webhook_no
			AND d.state = 'pending'
			AND d.due_at <= at
		ORDER BY d.due_at DESC
		LIMIT fresh)
		UNION ALL
		(SELECT d.ctid, d.appointment_no, d.due_at
		FROM appt.delivery d
		WHERE d.webhook_no = lease_endpoint.webhook_no
			AND d.state = 'pending'
			AND d.due_at <= at
		ORDER BY d.due_at
		LIMIT room - fresh)
	),
	/* The first of each candidate's appointment goes before it. */
	head AS MATERIALIZED (
		SELECT c.ctid AS candidate, c.ctid AS first, 'pending' AS state,
			c.due_at
		FROM candidate c
		WHERE c.appointment_no IS NULL
		UNION ALL
		SELECT c.ctid, h.ctid, h.state, h.due_at
		FROM candidate c
		CROSS JOIN LATERAL (
			SELECT d.ctid, d.state, d.due_at
			FROM appt.delivery d
			WHERE d.appointment_no = c.appointment_no
				AND d.webhook_no + 0 = lease_endpoint.webhook_no
				AND d.state IN ('pending', 'in_flight', 'held')
			ORDER BY d.event_no
			LIMIT 1) h
		WHERE c.appointment_no IS NOT NULL
	),
	/* One whose first cannot go yet is looked at again later, so that the
	 * next claim does not wade through it. */
	parked AS (
		UPDATE appt.delivery d
		SET due_at = greatest(at + interval '1 second',
			CASE WHEN h.state = 'pending' THEN h.due_at END)
		FROM head h
		WHERE d.ctid = h.candidate
			AND (h.state = 'in_flight'
				OR (h.state = 'pending' AND h.due_at > at))
	),
	leased AS (
		UPDATE appt.delivery d
		SET state = 'in_flight',
			fence = d.fence + 1,
			relay_no = lease_endpoint.relay_no,
			lease_until = at + lease
		FROM (
			SELECT DISTINCT h.first
			FROM head h
			WHERE h.state = 'held'
				OR (h.state = 'pending' AND h.due_at <= at)) c
		WHERE d.ctid = c.first
		RETURNING d.delivery_no, d.fence, d.attempts + 1 AS attempt,
			d.event_no
	)
	SELECT l.delivery_no, l.fence, l.attempt, e.event_id, e.event_type,
		e.stamp, '"data":' || e.data
			|| coalesce(',"change":' || to_json(e.change), '')
			|| coalesce(',"previous":' || e.previous, '')
	FROM (
		SELECT k.*
		FROM leased k
		ORDER BY k.event_no
		OFFSET 0) l
	JOIN appt.event e ON e.event_no = l.event_no
	ORDER BY l.event_no;
END
$$;

COMMENT ON FUNCTION appt_internal.lease_endpoint(integer, bigint, integer,
	interval) IS
	'Leases at most room deliveries of an endpoint whose row the caller has '
	'locked, keeping the order within an appointment; returns them with their '
	'events, in the order of these';

CREATE FUNCTION appt_internal.foreign_leases(
	webhook_no integer,
	relay_no bigint,
	at_most integer)
	RETURNS bigint
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT count(*)
		FROM (
			(SELECT
			FROM appt.delivery d
			WHERE d.webhook_no = foreign_leases.webhook_no
				AND d.state = 'in_flight'
				AND d.relay_no < foreign_leases.relay_no
			ORDER BY d.relay_no
			LIMIT at_most)
			UNION ALL
			(SELECT
			FROM appt.delivery d
			WHERE d.webhook_no = foreign_leases.webhook_no
				AND d.state = 'in_flight'
				AND d.relay_no > foreign_leases.relay_no
			ORDER BY d.relay_no
			LIMIT at_most)
			LIMIT at_most) others);
END
$$;

COMMENT ON FUNCTION appt_internal.foreign_leases(integer, bigint, integer) IS
	'How many deliveries of an endpoint other relays have, counted up to '
	'at_most';

CREATE FUNCTION appt_relay.claim_deliveries(
	relay_no bigint,
	max_deliveries integer,
	lease interval DEFAULT '60 s',
	per_endpoint integer DEFAULT 10,
	webhook_nos integer[] DEFAULT '{}',
	leased integer[] DEFAULT '{}',
	quotas integer[] DEFAULT '{}',
	versions integer[] DEFAULT '{}',
	bad boolean[] DEFAULT '{}',
	spare integer DEFAULT NULL)
	RETURNS TABLE (
		delivery_no bigint,
		fence bigint,
		attempt integer,
		webhook_no integer,
		webhook_id text,
		url text,
		secrets text,
		event_id text,
		body text,
		version integer,
		failing boolean)
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
	at CONSTANT timestamptz := clock_timestamp();
	left_over integer := max_deliveries;
	spare_left integer := coalesce(spare, max_deliveries);
	endpoint record;
	others bigint;
	room integer;
	secrets_now text;
	taken integer;
BEGIN
	RETURN QUERY
	SELECT NULL::bigint, NULL::bigint, NULL::integer, k.webhook_no,
		NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
		coalesce(w.version, 0), NULL::boolean
	FROM unnest(webhook_nos, versions) AS k(webhook_no, version)
	LEFT JOIN appt.webhook w ON w.webhook_no = k.webhook_no
	WHERE coalesce(w.version, 0) <> k.version;

	FOR endpoint IN
		SELECT w.webhook_no, w.webhook_id, w.url, w.version,
			',"webhook_id":' || to_json(w.webhook_id) || '}' AS body_end,
			e.failing, e.bad, e.leased, e.quota
		FROM appt.webhook w
		LEFT JOIN unnest(webhook_nos, claim_deliveries.leased, quotas, bad)
			AS k(webhook_no, leased, quota, bad)
			ON k.webhook_no = w.webhook_no
		CROSS JOIN LATERAL (
			SELECT w.failing_since IS NOT NULL AS failing,
				coalesce(k.bad, w.failing_since IS NOT NULL) AS bad,
				coalesce(k.leased, 0) AS leased,
				coalesce(k.quota, CASE WHEN w.failing_since IS NULL
					THEN per_endpoint ELSE 1 END) AS quota) e
		/* One look into each endpoint's queue. */
		CROSS JOIN LATERAL (
			SELECT
			FROM appt.delivery d
			WHERE d.webhook_no = w.webhook_no
				AND d.state = 'pending'
				AND d.due_at <= at
			ORDER BY d.due_at
			LIMIT 1) due
		WHERE w.status = 'enabled'
			AND e.leased < e.quota
			AND (spare_left > 0 OR NOT e.bad)
		ORDER BY random()
		FOR NO KEY UPDATE OF w SKIP LOCKED
	LOOP
		others := appt_internal.foreign_leases(
			endpoint.webhook_no, relay_no, per_endpoint);
		room := least(left_over, endpoint.quota - endpoint.leased,
			CASE WHEN endpoint.bad THEN spare_left END,
			CASE WHEN others > 0
				THEN per_endpoint - others - endpoint.leased END);
		CONTINUE WHEN room <= 0;
		/* A statement of its own, which sees what was there when the row was
		 * locked: the secrets are those of endpoint.version. */
		secrets_now := appt_internal.webhook_secrets(endpoint.webhook_no);
		RETURN QUERY
		SELECT l.delivery_no, l.fence, l.attempt,
			endpoint.webhook_no, endpoint.webhook_id, endpoint.url,
			secrets_now, l.event_id,
			'{"event":' || to_json(l.event_type)
				|| ',"timestamp":' || to_json(l.stamp)
				|| ',' || l.members
				|| endpoint.body_end,
			endpoint.version, endpoint.failing
		FROM appt_internal.lease_endpoint(
			endpoint.webhook_no, relay_no, room, lease) l;
		GET DIAGNOSTICS taken = ROW_COUNT;
		left_over := left_over - taken;
		IF endpoint.bad THEN
			spare_left := spare_left - taken;
		END IF;
		EXIT WHEN left_over <= 0;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_relay.claim_deliveries(bigint, integer, interval,
	integer, integer[], integer[], integer[], integer[], boolean[], integer) IS
	'Leases due deliveries to a relay and returns what it needs to send them. '
	'per_endpoint: how many of an endpoint may be leased by all relays '
	'together; webhook_nos, leased, quotas: where this relay has some '
	'already, how many, and how many it may have there while no other relay '
	'has any (an endpoint that is not among these: per_endpoint, or one if its '
	'last attempt failed); bad: whether the relay finds it failing or slow; '
	'spare: how many of such, and of those that failed last and are not among '
	'these, may be leased in all (NULL: any number). Each claim raises the '
	'fence. The body is the same bytes every time. An endpoint''s come '
	'together, in the order of their events. Before them stands a row without '
	'a delivery for each endpoint whose version is not, or no more, that of '
	'versions: what waits at the relay is not to be sent as it is';

CREATE FUNCTION appt_internal.webhook_secrets(webhook_no integer) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN (
		SELECT string_agg(s.secret, ' ' ORDER BY s.secret_no DESC)
		FROM appt.webhook_secret s
		WHERE s.webhook_no = webhook_secrets.webhook_no
			AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp()));
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_secrets(integer) IS
	'The secrets that sign for an endpoint now, the current one first, with '
	'spaces between (a secret has none); NULL: there is none';
