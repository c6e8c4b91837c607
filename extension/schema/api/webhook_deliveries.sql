/* ---------------------------------------------------------------------------
 * What can be done with a webhook over HTTP beside changing it: ping, rotate,
 * enable, the delivery log, redeliver, replay.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.delivery_json(
	delivery appt.delivery,
	webhook appt.webhook)
	RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'delivery_id', 'dlv_' || delivery.delivery_no,
		'webhook_id', webhook.webhook_id,
		'event_id', e.event_id,
		'event', e.event_type,
		'state', delivery.state,
		'attempts', delivery.attempts,
		'created_at', appt_internal.json_time(delivery.created_at, 'UTC'),
		'next_attempt_at', CASE WHEN delivery.state = 'pending'
			THEN appt_internal.json_time(delivery.due_at, 'UTC') END,
		'finished_at', appt_internal.json_time(delivery.finished_at, 'UTC'),
		'attempt_log', coalesce((
			SELECT json_agg(json_build_object(
				'at', appt_internal.json_time(a.started_at, 'UTC'),
				'status', a.status,
				'duration_ms', a.duration_ms,
				'error', a.error,
				'answer', CASE WHEN NOT a.inside THEN a.answer END)
				ORDER BY a.fence)
			FROM appt.delivery_attempt a
			WHERE a.delivery_no = delivery.delivery_no), '[]'))
	FROM appt.event e
	WHERE e.event_no = delivery.event_no
$$;

COMMENT ON FUNCTION appt_internal.delivery_json(appt.delivery, appt.webhook) IS
	'A delivery with its log, as it is shown: without the answers that came '
	'from the clinic''s own network, which are for appt_admin to read';

CREATE FUNCTION appt_api.list_deliveries(
	webhook_id text,
	state text,
	page integer,
	per_page integer,
	client text,
	OUT body text,
	OUT total bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	endpoint CONSTANT appt.webhook :=
		appt_internal.see_webhook(webhook_id,
			appt_internal.webhook_owner(client));
	size CONSTANT integer := least(greatest(coalesce(per_page, 20), 1), 100);
	skip CONSTANT bigint :=
		(greatest(coalesce(page, 1), 1)::bigint - 1) * size;
BEGIN
	IF list_deliveries.state NOT IN
		('pending', 'in_flight', 'delivered', 'dead', 'held')
	THEN
		RAISE EXCEPTION 'state "%" is not known', list_deliveries.state
			USING ERRCODE = 'SB001', COLUMN = 'state', DETAIL =
				'It is one of pending, in_flight, delivered, dead, held.';
	END IF;
	SELECT count(*) INTO total
	FROM (
		SELECT
		FROM appt.delivery d
		WHERE d.webhook_no = endpoint.webhook_no
			AND (list_deliveries.state IS NULL
				OR d.state = list_deliveries.state)
		LIMIT appt_internal.count_limit(page, size)) n;
	SELECT coalesce(json_agg(appt_internal.delivery_json(o.d, endpoint)
		ORDER BY (o.d).event_no DESC), '[]')
	INTO body
	FROM (
		SELECT d
		FROM appt.delivery d
		WHERE d.webhook_no = endpoint.webhook_no
			AND (list_deliveries.state IS NULL
				OR d.state = list_deliveries.state)
		ORDER BY d.event_no DESC
		OFFSET skip LIMIT size) o;
END
$$;

COMMENT ON FUNCTION
	appt_api.list_deliveries(text, text, integer, integer, text) IS
	'A webhook''s deliveries, newest event first, each with its attempts; '
	'state NULL: all. Raises SB001, SB404';

CREATE FUNCTION appt_api.ping_webhook(
	webhook_id text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
	endpoint appt.webhook;
	ping record;
BEGIN
	prior := appt_internal.kept_answer(
		client, 'POST /webhooks/ping', idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		PERFORM appt_internal.require_enabled(endpoint);
		ping := appt_internal.send_ping(endpoint,
			appt_internal.webhook_owner(client));
		body := json_build_object(
			'delivery_id', 'dlv_' || ping.delivery_no,
			'event_id', ping.event_id);
		PERFORM appt_internal.idempotency_finish(client, 'POST /webhooks/ping',
			idempotency_key, request_hash, NULL, NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.ping_webhook(text, text, text, text) IS
	'Sends a webhook.ping; the answer names the delivery to look at. Raises '
	'SB404, SB930';

CREATE FUNCTION appt_api.rotate_webhook_secret(
	webhook_id text,
	secret text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	prior record;
	endpoint appt.webhook;
	own text;
	answer record;
BEGIN
	prior := appt_internal.kept_answer(client,
		'POST /webhooks/rotate-secret', idempotency_key, request_hash);
	body := prior.body;
	version := prior.version;
	replayed := prior.replayed;
	IF NOT replayed THEN
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		own := appt_internal.next_webhook_secret(endpoint, secret);
		PERFORM appt_internal.set_secret(endpoint.webhook_no, own, '24 hours');
		answer := appt_internal.webhook_secret_answer(
			appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client)), own);
		body := answer.body;
		version := answer.version;
		PERFORM appt_internal.idempotency_finish(client,
			'POST /webhooks/rotate-secret', idempotency_key, request_hash,
			NULL, version, body);
	END IF;
END
$$;

COMMENT ON FUNCTION
	appt_api.rotate_webhook_secret(text, text, text, text, text) IS
	'A new secret, in this answer and in no other; the old one signs beside '
	'it for 24 hours. Raises SB001, SB404, and SB930 where it is unsigned and '
	'no secret is given';

CREATE FUNCTION appt_api.enable_webhook(
	webhook_id text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
	endpoint appt.webhook;
BEGIN
	prior := appt_internal.kept_answer(
		client, 'POST /webhooks/enable', idempotency_key, request_hash);
	body := prior.body;
	version := prior.version;
	replayed := prior.replayed;
	IF NOT replayed THEN
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		PERFORM appt_internal.switch_webhook(endpoint.webhook_no, true);
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		body := appt_internal.webhook_json(endpoint);
		version := endpoint.version;
		PERFORM appt_internal.idempotency_finish(client,
			'POST /webhooks/enable',
			idempotency_key, request_hash, NULL, version, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.enable_webhook(text, text, text, text) IS
	'Enables a webhook, what was held for it is sent; one that is enabled '
	'stays as it is. Raises SB404, and SBU01 while the client that made it may '
	'not see its branches';

CREATE FUNCTION appt_api.redeliver(
	webhook_id text,
	delivery_id text,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
	endpoint appt.webhook;
BEGIN
	prior := appt_internal.kept_answer(client, 'POST /webhooks/redeliver',
		idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		body := appt_internal.delivery_json(
			appt_internal.reopen_delivery(endpoint, delivery_id), endpoint);
		PERFORM appt_internal.idempotency_finish(client,
			'POST /webhooks/redeliver',
			idempotency_key, request_hash, NULL, NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.redeliver(text, text, text, text, text) IS
	'Sends a delivery again and answers it. Raises SB404, SB930';

CREATE FUNCTION appt_api.replay(
	webhook_id text,
	since timestamptz,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prior record;
	endpoint appt.webhook;
BEGIN
	prior := appt_internal.kept_answer(
		client, 'POST /webhooks/replay', idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		endpoint := appt_internal.find_webhook(
			webhook_id, appt_internal.webhook_owner(client));
		body := json_build_object(
			'queued', appt_internal.replay_events(endpoint, since));
		PERFORM appt_internal.idempotency_finish(client,
			'POST /webhooks/replay',
			idempotency_key, request_hash, NULL, NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.replay(text, timestamptz, text, text, text) IS
	'Sends every event since a time again; answers {"queued": n}. Raises '
	'SB001, SB404, SB930';
