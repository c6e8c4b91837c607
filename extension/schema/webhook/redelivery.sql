/* ---------------------------------------------------------------------------
 * Sending again: one delivery, or everything since a time.
 * The event keeps its id, so a receiver can tell a copy from a new event.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.delivery_number(delivery_id text) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN delivery_id ~ '^dlv_[0-9]{1,18}$'
		THEN substr(delivery_id, 5)::bigint END
$$;

COMMENT ON FUNCTION appt_internal.delivery_number(text) IS
	'The number in dlv_<number>; NULL if it is none';

CREATE FUNCTION appt_internal.reopen_delivery(
	webhook appt.webhook,
	delivery_id text)
	RETURNS appt.delivery
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reopened appt.delivery;
	allowed CONSTANT text[] :=
		appt_internal.owner_branches(webhook.created_by);
BEGIN
	PERFORM appt_internal.require_enabled(webhook);
	SELECT d.* INTO reopened
	FROM appt.delivery d
	JOIN appt.event e ON e.event_no = d.event_no
	WHERE d.delivery_no = appt_internal.delivery_number(delivery_id)
		AND d.webhook_no = webhook.webhook_no
		AND appt_internal.concerns_branches(e.branch_id, e.from_branch_id,
			e.patient_no, allowed)
		AND (e.patient_no IS NULL
			OR appt_internal.may_hear_of_patients(webhook.created_by))
	FOR UPDATE OF d;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'delivery "%" does not exist', delivery_id
			USING ERRCODE = 'SB404', COLUMN = 'delivery_id';
	ELSIF reopened.state = 'in_flight' THEN
		RAISE EXCEPTION 'delivery "%" is being sent', delivery_id
			USING ERRCODE = 'SB930',
				DETAIL = 'An attempt is under way: wait for its result.';
	END IF;

	UPDATE appt.delivery d
	SET state = 'pending',
		due_at = clock_timestamp(),
		attempts = 0,
		fence = d.fence + 1,
		finished_at = NULL
	WHERE d.delivery_no = reopened.delivery_no
	RETURNING d.* INTO reopened;
	PERFORM appt_internal.wake_relay();
	RETURN reopened;
END
$$;

COMMENT ON FUNCTION appt_internal.reopen_delivery(appt.webhook, text) IS
	'Makes a delivery due at once with a whole new schedule; SB404 if the '
	'endpoint has none of that name, or its client may not see the branch, '
	'SB930 while it is being sent or the endpoint is disabled';

CREATE FUNCTION appt.redeliver(webhook_id text, delivery_id text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(NULL));
	PERFORM appt_internal.reopen_delivery(endpoint, delivery_id);
END
$$;

COMMENT ON FUNCTION appt.redeliver(text, text) IS
	'Sends a delivery again, delivered or dead, with the same webhook-id and '
	'the same bytes. Raises SB404, SB930';

CREATE TABLE appt.webhook_replay (
	webhook_no integer NOT NULL,
	since timestamptz NOT NULL,
	next_event_no bigint NOT NULL,
	last_event_no bigint NOT NULL,
	requested_at timestamptz NOT NULL,
	CONSTRAINT webhook_replay_pkey PRIMARY KEY (webhook_no),
	CONSTRAINT webhook_replay_webhook_fkey FOREIGN KEY (webhook_no)
		REFERENCES appt.webhook ON DELETE CASCADE
);

COMMENT ON TABLE appt.webhook_replay IS
	'Replays that are not queued to their end yet: the relay''s tick goes on '
	'with them, a batch at a time';
COMMENT ON COLUMN appt.webhook_replay.since IS
	'Events from then on are sent again';
COMMENT ON COLUMN appt.webhook_replay.next_event_no IS
	'The first event that is not queued yet';
COMMENT ON COLUMN appt.webhook_replay.last_event_no IS
	'The last event that there was when the replay was asked for';
COMMENT ON COLUMN appt.webhook_replay.requested_at IS
	'When it was asked for';

CREATE FUNCTION appt_internal.wanted_events(webhook appt.webhook) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(t.name)
	FROM unnest(CASE WHEN '*' = ANY (webhook.events)
		THEN webhook.events || appt.webhook_event_types()
		ELSE webhook.events END) t(name)
	WHERE t.name NOT LIKE 'patient.%'
		OR appt_internal.may_hear_of_patients(webhook.created_by)
$$;

COMMENT ON FUNCTION appt_internal.wanted_events(appt.webhook) IS
	'The event types that an endpoint subscribes to and may have, * spelled '
	'out';

CREATE FUNCTION appt_internal.queue_replay(webhook appt.webhook, batch integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	wanted CONSTANT text[] := appt_internal.wanted_events(webhook);
	replay appt.webhook_replay;
	until bigint;
	queued bigint;
BEGIN
	SELECT r.* INTO replay
	FROM appt.webhook_replay r
	WHERE r.webhook_no = webhook.webhook_no
	FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	SELECT max(e.event_no) INTO until
	FROM (
		SELECT k.event_no
		FROM appt.event k
		WHERE k.event_no BETWEEN replay.next_event_no
			AND replay.last_event_no
		ORDER BY k.event_no
		LIMIT batch) e;

	INSERT INTO appt.delivery AS d
		(webhook_no, event_no, appointment_no, due_at)
	SELECT webhook.webhook_no, e.event_no,
		coalesce(e.appointment_no, -e.patient_no), replay.requested_at
	FROM appt.event e
	WHERE e.event_no BETWEEN replay.next_event_no AND until
		AND e.occurred_at >= replay.since
		AND coalesce(e.appointment_no, e.patient_no) IS NOT NULL
		AND e.event_type = ANY (wanted)
		AND appt_internal.concerns_branches(e.branch_id, e.from_branch_id,
			e.patient_no, webhook.branch_ids)
	ORDER BY e.event_no
	ON CONFLICT (webhook_no, event_no) DO UPDATE
	SET state = 'pending',
		due_at = replay.requested_at,
		attempts = 0,
		fence = d.fence + 1,
		finished_at = NULL
	WHERE d.state IN ('delivered', 'dead');
	GET DIAGNOSTICS queued = ROW_COUNT;

	IF until IS NULL OR until >= replay.last_event_no THEN
		DELETE FROM appt.webhook_replay r
		WHERE r.webhook_no = webhook.webhook_no;
	ELSE
		UPDATE appt.webhook_replay r
		SET next_event_no = until + 1
		WHERE r.webhook_no = webhook.webhook_no;
	END IF;
	RETURN queued;
END
$$;

COMMENT ON FUNCTION appt_internal.queue_replay(appt.webhook, integer) IS
	'Queues the next batch of events of an endpoint''s replay; what is still '
	'under way is left alone';

CREATE FUNCTION appt_internal.replay_events(
	webhook appt.webhook,
	since timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	wanted CONSTANT text[] := appt_internal.wanted_events(webhook);
	events record;
BEGIN
	PERFORM appt_internal.require_enabled(webhook);
	IF since IS NULL OR NOT isfinite(since) OR since > at THEN
		RAISE EXCEPTION 'a replay needs a time that is past'
			USING ERRCODE = 'SB001', COLUMN = 'since';
	END IF;
	SELECT count(*) AS count, min(e.event_no) AS first,
		max(e.event_no) AS last
	INTO events
	FROM appt.event e
	WHERE e.occurred_at >= since
		AND coalesce(e.appointment_no, e.patient_no) IS NOT NULL
		AND e.event_type = ANY (wanted)
		AND appt_internal.concerns_branches(e.branch_id, e.from_branch_id,
			e.patient_no, webhook.branch_ids);
	IF events.count > 0 THEN
		INSERT INTO appt.webhook_replay AS r
			(webhook_no, since, next_event_no, last_event_no, requested_at)
		VALUES (webhook.webhook_no, since, events.first, events.last, at)
		ON CONFLICT (webhook_no) DO UPDATE
		SET since = least(r.since, excluded.since),
			next_event_no = least(r.next_event_no, excluded.next_event_no),
			last_event_no = greatest(
				r.last_event_no, excluded.last_event_no);
		PERFORM appt_internal.queue_replay(webhook, 1000);
		PERFORM appt_internal.wake_relay();
	END IF;
	RETURN events.count;
END
$$;

COMMENT ON FUNCTION appt_internal.replay_events(appt.webhook, timestamptz) IS
	'Queues every appointment event since a time that the endpoint '
	'subscribes to, also those from before it existed: a thousand at once, '
	'the rest by the relay. Returns how many; raises SB001, SB930';

CREATE FUNCTION appt.replay(webhook_id text, since timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(NULL));
	RETURN appt_internal.replay_events(endpoint, since);
END
$$;

COMMENT ON FUNCTION appt.replay(text, timestamptz) IS
	'Sends an endpoint every event since a time again, oldest first within '
	'each appointment, with the same webhook-ids. Returns how many. Raises '
	'SB001, SB404, SB930';
