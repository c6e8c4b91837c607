/* ---------------------------------------------------------------------------
 * Administering webhooks in SQL: for appt_admin, and beneath the JSON forms
 * of api/webhooks.sql and api/webhook_deliveries.sql.
 *
 * An owner is client:<id> for an API client, staff:<staff_id> for a person who
 * is signed in, else role:<name>.  A client or a person that is limited to
 * branches sees the webhooks that it created and no others; everybody else, and
 * appt_admin, sees all.  What a person makes is the clinic's, and stays when
 * the person goes.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.see_webhook(webhook_id text, owner text)
	RETURNS appt.webhook
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one appt.webhook;
BEGIN
	SELECT w.* INTO found_one
	FROM appt.webhook w
	WHERE w.webhook_id = see_webhook.webhook_id
		AND appt_internal.webhook_visible(w.created_by, owner);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'webhook "%" does not exist', webhook_id
			USING ERRCODE = 'SB404', COLUMN = 'webhook_id';
	END IF;
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION appt_internal.see_webhook(text, text) IS
	'The webhook; SB404 if it does not exist or the owner may not see it';

CREATE FUNCTION appt_internal.find_webhook(webhook_id text, owner text)
	RETURNS appt.webhook
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM
	FROM appt.webhook w
	WHERE w.webhook_id = find_webhook.webhook_id
	FOR NO KEY UPDATE;
	RETURN appt_internal.see_webhook(webhook_id, owner);
END
$$;

COMMENT ON FUNCTION appt_internal.find_webhook(text, text) IS
	'The webhook, its row locked; SB404 if it does not exist or the owner may '
	'not see it';

CREATE FUNCTION appt_internal.webhook_visible(created_by text, owner text)
	RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN created_by = owner
		OR appt_internal.owner_branches(owner) IS NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_visible(text, text) IS
	'Whether owner may see and change a webhook that created_by created';

CREATE FUNCTION appt_internal.webhook_owner(client text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.require_client(client);
	IF client LIKE 'staff:%' THEN
		RETURN client;
	END IF;
	RETURN coalesce('client:' || client, 'role:' || session_user);
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_owner(text) IS
	'How an API client, a member of staff, or else the session''s role, is '
	'named as an owner. Raises SBT01';

CREATE FUNCTION appt_internal.check_webhook_count(owner text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most CONSTANT integer := coalesce(
		(appt_internal.effective_setting('webhooks_per_client', NULL,
			NULL)).value,
		(SELECT d.default_value
		FROM appt.setting_definition d
		WHERE d.name = 'webhooks_per_client'))::integer;
	has bigint;
BEGIN
	/* One at a time of a client; a statement more, as the count is of now. */
	PERFORM
	FROM appt.api_client c
	WHERE 'client:' || c.client_id = owner
	FOR NO KEY UPDATE;
	SELECT count(*) INTO has
	FROM appt.webhook w
	WHERE w.created_by = owner
		AND owner LIKE 'client:%';
	IF has >= most THEN
		RAISE EXCEPTION '% has as many webhooks as it may have', owner
			USING ERRCODE = 'SB963', DETAIL = format(
				'The client has %s webhooks; it may have %s. Delete one '
				'first.', has, most);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_webhook_count(text) IS
	'Raises SB963 where an API client already has webhooks_per_client '
	'(a setting) of them; roles may have any number';

CREATE FUNCTION appt_internal.insert_webhook(
	url text,
	events text[],
	description text,
	branch_ids text[],
	secret text,
	owner text)
	RETURNS appt.webhook
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	created appt.webhook;
	branches CONSTANT text[] := coalesce(
		nullif(branch_ids, '{}'), appt_internal.owner_branches(owner));
BEGIN
	PERFORM appt_internal.check_webhook_url(url);
	PERFORM appt_internal.check_webhook_events(events, owner);
	PERFORM appt_internal.check_webhook_branches(branches, owner);
	PERFORM appt_internal.check_webhook_count(owner);
	IF secret IS NOT NULL THEN
		PERFORM appt_internal.check_webhook_secret(secret);
	END IF;

	INSERT INTO appt.webhook AS w
		(webhook_id, url, events, description, branch_ids, created_by)
	VALUES (appt_internal.new_id('wh'), url, events, nullif(description, ''),
		branches, owner)
	RETURNING w.* INTO created;
	IF secret IS NOT NULL THEN
		INSERT INTO appt.webhook_secret (webhook_no, secret)
		VALUES (created.webhook_no, secret);
	END IF;
	PERFORM appt_internal.send_ping(created, owner);
	RETURN created;
END
$$;

COMMENT ON FUNCTION
	appt_internal.insert_webhook(text, text[], text, text[], text, text) IS
	'Checks and writes an endpoint and its secret (NULL: unsigned) and sends '
	'a ping; raises SB001, SBU01 and SB963';

CREATE FUNCTION appt_internal.send_ping(
	webhook appt.webhook,
	actor text,
	OUT delivery_no bigint,
	OUT event_id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	event record;
BEGIN
	event := appt_internal.emit_webhook_event('webhook.ping',
		json_build_object('webhook_id', webhook.webhook_id,
			'events', webhook.events)::text, actor);
	INSERT INTO appt.delivery AS d (webhook_no, event_no)
	VALUES (webhook.webhook_no, event.event_no)
	RETURNING d.delivery_no INTO delivery_no;
	event_id := event.event_id;
END
$$;

COMMENT ON FUNCTION appt_internal.send_ping(appt.webhook, text) IS
	'A webhook.ping for one endpoint, whatever it subscribes to';

CREATE FUNCTION appt.create_webhook(
	url text,
	events text[] DEFAULT '{*}',
	description text DEFAULT NULL,
	branch_ids text[] DEFAULT NULL,
	INOUT secret text DEFAULT NULL,
	signed boolean DEFAULT true,
	OUT webhook_id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	created appt.webhook;
BEGIN
	secret := CASE WHEN signed
		THEN coalesce(nullif(secret, ''),
			appt_internal.new_webhook_secret()) END;
	created := appt_internal.insert_webhook(url, events, description,
		branch_ids, secret, appt_internal.webhook_owner(NULL));
	webhook_id := created.webhook_id;
END
$$;

COMMENT ON FUNCTION
	appt.create_webhook(text, text[], text, text[], text, boolean) IS
	'Creates an endpoint and returns its id and its secret, which is shown '
	'here alone. secret: one of your own (whsec_ and base64, or any 16 to 256 '
	'printable characters); signed => false: no secret, no signature. '
	'branch_ids NULL: all. A ping is sent at once. Raises SB001, SBU01';

CREATE FUNCTION appt_internal.set_secret(
	webhook_no integer,
	secret text,
	overlap interval)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	until CONSTANT timestamptz := clock_timestamp() + overlap;
BEGIN
	PERFORM appt_internal.check_webhook_secret(secret);
	DELETE FROM appt.webhook_secret s
	WHERE s.webhook_no = set_secret.webhook_no
		AND (s.expires_at <= clock_timestamp()
			OR s.secret_no NOT IN (
				SELECT k.secret_no
				FROM appt.webhook_secret k
				WHERE k.webhook_no = set_secret.webhook_no
				ORDER BY k.secret_no DESC
				LIMIT 2));
	UPDATE appt.webhook_secret s
	SET expires_at = until
	WHERE s.webhook_no = set_secret.webhook_no
		AND coalesce(s.expires_at > until, true);
	INSERT INTO appt.webhook_secret (webhook_no, secret)
	VALUES (set_secret.webhook_no, set_secret.secret);
	UPDATE appt.webhook w
	SET version = w.version + 1
	WHERE w.webhook_no = set_secret.webhook_no;
END
$$;

COMMENT ON FUNCTION appt_internal.set_secret(integer, text, interval) IS
	'Makes a secret the current one; those before it, two at most, sign '
	'beside it for the overlap';

CREATE FUNCTION appt_internal.next_webhook_secret(webhook appt.webhook,
	secret text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF nullif(secret, '') IS NULL AND NOT EXISTS (
		SELECT FROM appt.webhook_secret s
		WHERE s.webhook_no = webhook.webhook_no)
	THEN
		RAISE EXCEPTION 'webhook "%" is not signed', webhook.webhook_id
			USING ERRCODE = 'SB930', DETAIL =
				'The webhook is not signed, so there is no secret to rotate. '
				'Give a secret to have it signed from now on.';
	END IF;
	RETURN coalesce(nullif(secret, ''), appt_internal.new_webhook_secret());
END
$$;

COMMENT ON FUNCTION appt_internal.next_webhook_secret(appt.webhook, text) IS
	'The secret that is to sign next: the one given, or a new one; SB930 where '
	'none is given and the webhook is unsigned on purpose';

CREATE FUNCTION appt.rotate_webhook_secret(
	webhook_id text,
	INOUT secret text DEFAULT NULL,
	overlap interval DEFAULT '24 hours')
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	endpoint appt.webhook;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(NULL));
	secret := appt_internal.next_webhook_secret(endpoint, secret);
	PERFORM appt_internal.set_secret(endpoint.webhook_no, secret, overlap);
END
$$;

COMMENT ON FUNCTION appt.rotate_webhook_secret(text, text, interval) IS
	'A new secret (returned here alone), or one of your own; the old one signs '
	'beside it for the overlap (default 24 hours; 0 withdraws it at once). '
	'Raises SB001, SB404, and SB930 where it is unsigned and none is given';

CREATE FUNCTION appt_internal.switch_webhook(webhook_no integer,
	enabled boolean)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	endpoint appt.webhook;
BEGIN
	IF NOT enabled THEN
		PERFORM appt_internal.disable_endpoint(webhook_no, 'manual');
		RETURN;
	END IF;
	SELECT w.* INTO endpoint
	FROM appt.webhook w
	WHERE w.webhook_no = switch_webhook.webhook_no;
	PERFORM appt_internal.check_webhook_branches(
		endpoint.branch_ids, endpoint.created_by);
	UPDATE appt.webhook w
	SET status = 'enabled',
		disabled_at = NULL,
		disabled_reason = NULL,
		failing_since = NULL,
		failures = 0,
		alerted_percent = 0,
		version = w.version + 1
	WHERE w.webhook_no = switch_webhook.webhook_no
		AND w.status = 'disabled';
END
$$;

COMMENT ON FUNCTION appt_internal.switch_webhook(integer, boolean) IS
	'Enables or disables an endpoint; the relay''s next tick drains or holds '
	'its deliveries. SBU01 while its client may not see its branches';

CREATE FUNCTION appt.enable_webhook(webhook_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.switch_webhook(
		(appt_internal.find_webhook(webhook_id,
			appt_internal.webhook_owner(NULL))).webhook_no,
		true);
END
$$;

COMMENT ON FUNCTION appt.enable_webhook(text) IS
	'Enables an endpoint: what was held for it is sent. Raises SB404, and '
	'SBU01 while the client that made it may not see its branches';

CREATE FUNCTION appt.disable_webhook(webhook_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.switch_webhook(
		(appt_internal.find_webhook(webhook_id,
			appt_internal.webhook_owner(NULL))).webhook_no,
		false);
END
$$;

COMMENT ON FUNCTION appt.disable_webhook(text) IS
	'Disables an endpoint: its deliveries are held until it is enabled. '
	'Raises SB404';

CREATE FUNCTION appt.delete_webhook(webhook_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(NULL));
	DELETE FROM appt.webhook w
	WHERE w.webhook_no = endpoint.webhook_no;
END
$$;

COMMENT ON FUNCTION appt.delete_webhook(text) IS
	'Deletes an endpoint and its secrets. Nothing more is sent to it; its log '
	'stays for the retention time. Raises SB404';

CREATE FUNCTION appt.ping_webhook(
	webhook_id text,
	OUT delivery_id text,
	OUT event_id text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
	ping record;
BEGIN
	endpoint := appt_internal.find_webhook(webhook_id,
		appt_internal.webhook_owner(NULL));
	PERFORM appt_internal.require_enabled(endpoint);
	ping := appt_internal.send_ping(endpoint,
		appt_internal.webhook_owner(NULL));
	delivery_id := 'dlv_' || ping.delivery_no;
	event_id := ping.event_id;
END
$$;

COMMENT ON FUNCTION appt.ping_webhook(text) IS
	'Sends a webhook.ping. Raises SB404, and SB930 while it is disabled';

CREATE FUNCTION appt_internal.require_enabled(webhook appt.webhook) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF webhook.status <> 'enabled' THEN
		RAISE EXCEPTION 'webhook "%" is disabled', webhook.webhook_id
			USING ERRCODE = 'SB930',
				DETAIL = 'The webhook is disabled: enable it first.';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_enabled(appt.webhook) IS
	'Raises SB930 unless the endpoint is enabled';
