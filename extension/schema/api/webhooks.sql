/* ---------------------------------------------------------------------------
 * Webhooks as JSON, for the gateway alone.  Every function answers one row
 * whose column body is the JSON text; client is the API client that asks.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.webhook_json(webhook appt.webhook) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'webhook_id', webhook.webhook_id,
		'url', webhook.url,
		'events', webhook.events,
		'description', webhook.description,
		'branch_ids', webhook.branch_ids,
		'status', webhook.status,
		'signed', EXISTS (
			SELECT FROM appt.webhook_secret s
			WHERE s.webhook_no = webhook.webhook_no),
		'version', webhook.version,
		'created_at', appt_internal.json_time(webhook.created_at, 'UTC'),
		'failing_since', appt_internal.json_time(webhook.failing_since, 'UTC'),
		'failures', webhook.failures,
		'disabled_at', appt_internal.json_time(webhook.disabled_at, 'UTC'),
		'disabled_reason', webhook.disabled_reason)
$$;

COMMENT ON FUNCTION appt_internal.webhook_json(appt.webhook) IS
	'A webhook as it is shown; never its secret';

CREATE FUNCTION appt_internal.webhook_answer(
	webhook appt.webhook,
	OUT body text,
	OUT version integer,
	OUT id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	body := appt_internal.webhook_json(webhook)::text;
	version := webhook.version;
	id := webhook.webhook_id;
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_answer(appt.webhook) IS
	'The answer that shows a webhook, without its secret';

CREATE FUNCTION appt_internal.webhook_secret_answer(
	webhook appt.webhook,
	secret text,
	OUT body text,
	OUT version integer,
	OUT id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	body := rtrim(appt_internal.webhook_json(webhook)::text, '}')
		|| ', "secret" : '
		|| coalesce(to_json(secret)::text, 'null') || '}';
	version := webhook.version;
	id := webhook.webhook_id;
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_secret_answer(appt.webhook, text) IS
	'The one answer that shows a webhook''s new secret; null: it is not signed';

CREATE FUNCTION appt_api.list_webhooks(client text, OUT body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner CONSTANT text := appt_internal.webhook_owner(client);
BEGIN
	SELECT coalesce(
		json_agg(appt_internal.webhook_json(w) ORDER BY w.webhook_no), '[]')
	INTO body
	FROM appt.webhook w
	WHERE appt_internal.webhook_visible(w.created_by, owner);
END
$$;

COMMENT ON FUNCTION appt_api.list_webhooks(text) IS
	'The webhooks that the client may see, in the order of their creation';

CREATE FUNCTION appt_api.get_webhook(
	webhook_id text,
	client text,
	OUT body text,
	OUT version integer)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	webhook CONSTANT appt.webhook :=
		appt_internal.see_webhook(webhook_id,
			appt_internal.webhook_owner(client));
BEGIN
	body := appt_internal.webhook_json(webhook)::text;
	version := webhook.version;
END
$$;

COMMENT ON FUNCTION appt_api.get_webhook(text, text) IS
	'One webhook. Raises SB404';

CREATE FUNCTION appt_api.create_webhook(
	url text,
	events text[],
	description text,
	branch_ids text[],
	secret text,
	signed boolean,
	client text,
	idempotency_key text,
	request_hash text,
	OUT body text,
	OUT version integer,
	OUT id text,
	OUT replayed boolean)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	prior record;
	own text;
	answer record;
BEGIN
	prior := appt_internal.kept_answer(
		client, 'POST /webhooks', idempotency_key, request_hash);
	replayed := prior.replayed;
	IF replayed THEN
		body := prior.body;
		version := prior.version;
		id := prior.id;
		RETURN;
	END IF;
	own := CASE WHEN coalesce(signed, true)
		THEN coalesce(nullif(secret, ''),
			appt_internal.new_webhook_secret()) END;
	answer := appt_internal.webhook_secret_answer(
		appt_internal.insert_webhook(url, coalesce(events, '{*}'), description,
			branch_ids, own, appt_internal.webhook_owner(client)), own);
	body := answer.body;
	version := answer.version;
	id := answer.id;
	PERFORM appt_internal.idempotency_finish(client, 'POST /webhooks',
		idempotency_key, request_hash, id, version, body);
END
$$;

COMMENT ON FUNCTION appt_api.create_webhook(text, text[], text, text[], text,
	boolean, text, text, text) IS
	'Creates a webhook; its secret is in this answer and in no other. events '
	'NULL: all published; branch_ids NULL: all that the client may see; '
	'secret NULL: a new one, unless signed is false. Raises SB001, SBU01, '
	'SBF01 (events of patients, without the scope to read them), SB963 (as '
	'many as the client may have: webhooks_per_client, a setting)';

CREATE FUNCTION appt_api.update_webhook(
	webhook_id text,
	url text,
	events text[],
	description text,
	branch_ids text[],
	status text,
	expected_version integer,
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
	changed appt.webhook;
	answer record;
BEGIN
	prior := appt_internal.kept_answer(
		client, 'PATCH /webhooks', idempotency_key, request_hash);
	replayed := prior.replayed;
	IF replayed THEN
		body := prior.body;
		version := prior.version;
		RETURN;
	END IF;
	changed := appt_internal.change_webhook(webhook_id, url, events,
		description,
		branch_ids, status, expected_version,
			appt_internal.webhook_owner(client));
	answer := appt_internal.webhook_answer(changed);
	body := answer.body;
	version := answer.version;
	PERFORM appt_internal.idempotency_finish(client, 'PATCH /webhooks',
		idempotency_key, request_hash, webhook_id, version, body);
END
$$;

COMMENT ON FUNCTION appt_api.update_webhook(text, text, text[], text, text[],
	text, integer, text, text, text) IS
	'Changes what is not NULL; an empty description or an empty list of '
	'branches removes it. status: enabled or disabled. A new URL is pinged. '
	'Raises SB001, SB404, SBP01, SBU01, SBF01 (events of patients)';

CREATE FUNCTION appt_internal.change_webhook(
	webhook_id text,
	url text,
	events text[],
	description text,
	branch_ids text[],
	status text,
	expected_version integer,
	owner text)
	RETURNS appt.webhook
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	was appt.webhook;
	became appt.webhook;
	branches text[] := branch_ids;
BEGIN
	was := appt_internal.find_webhook(webhook_id, owner);
	PERFORM appt_internal.check_version('webhook', webhook_id, was.version,
		expected_version);
	IF change_webhook.status NOT IN ('enabled', 'disabled') THEN
		RAISE EXCEPTION 'status "%" is neither enabled nor disabled',
			change_webhook.status
			USING ERRCODE = 'SB001', COLUMN = 'status';
	END IF;
	IF change_webhook.url IS NOT NULL THEN
		PERFORM appt_internal.check_webhook_url(change_webhook.url);
	END IF;
	IF change_webhook.events IS NOT NULL THEN
		PERFORM appt_internal.check_webhook_events(change_webhook.events,
			was.created_by);
	END IF;
	IF branches = '{}' THEN
		branches := appt_internal.owner_branches(was.created_by);
	END IF;
	IF branch_ids IS NOT NULL THEN
		PERFORM appt_internal.check_webhook_branches(branches, was.created_by);
	END IF;

	UPDATE appt.webhook w
	SET url = coalesce(change_webhook.url, w.url),
		events = coalesce(change_webhook.events, w.events),
		description = nullif(
			coalesce(change_webhook.description, w.description), ''),
		branch_ids = CASE WHEN change_webhook.branch_ids IS NULL
			THEN w.branch_ids ELSE branches END,
		version = w.version + 1
	WHERE w.webhook_no = was.webhook_no
		AND num_nonnulls(change_webhook.url, change_webhook.events,
			change_webhook.description, change_webhook.branch_ids,
			change_webhook.status) > 0;
	IF change_webhook.status <> was.status THEN
		PERFORM appt_internal.switch_webhook(
			was.webhook_no, change_webhook.status = 'enabled');
	END IF;
	SELECT w.* INTO became
	FROM appt.webhook w
	WHERE w.webhook_no = was.webhook_no;
	IF became.url <> was.url AND became.status = 'enabled' THEN
		PERFORM appt_internal.send_ping(became, owner);
	END IF;
	RETURN became;
END
$$;

COMMENT ON FUNCTION appt_internal.change_webhook(text, text, text[], text,
	text[], text, integer, text) IS
	'What appt_api.update_webhook does, for an owner; the branches are those '
	'that its creator may see, whoever changes it';

CREATE FUNCTION appt_api.delete_webhook(
	webhook_id text,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(client));
	DELETE FROM appt.webhook w
	WHERE w.webhook_no = endpoint.webhook_no;
END
$$;

COMMENT ON FUNCTION appt_api.delete_webhook(text, text) IS
	'Deletes a webhook; nothing more is sent to it. Raises SB404';
