/* ---------------------------------------------------------------------------
 * Channels to patients as JSON.  They are the whole clinic's: a client limited
 * to some branches reads them and changes none.
 *
 * A secret goes in and never comes out: whoever asks is told whether there is
 * one.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.notification_channel_json(
	c appt.notification_channel,
	client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'channel_id', c.channel_id,
		'kind', c.kind,
		'settings', c.settings,
		'has_secret', c.secret IS NOT NULL,
		'has_callback_secret', c.callback_secret IS NOT NULL,
		'active', c.active,
		'version', c.version)::text
$$;

COMMENT ON FUNCTION appt_internal.notification_channel_json IS
	'A channel to patients as it is shown: without its secrets';

CREATE FUNCTION appt_api.list_notification_channels(
	kind text,
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows('notification_channel', NULL,
	jsonb_build_object('kind', kind, 'active', active), NULL, NULL, page,
	per_page, client);

COMMENT ON FUNCTION appt_api.list_notification_channels IS
	'A page of the channels by which patients are told, by kind and active. '
	'Raises SB001';

CREATE FUNCTION appt_api.get_notification_channel(
	channel_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row(
	'notification_channel', NULL, channel_id, client);

COMMENT ON FUNCTION appt_api.get_notification_channel IS
	'One channel by which patients are told. Raises SB404';

CREATE FUNCTION appt_api.create_notification_channel(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'notification_channel', NULL, fields, client, idempotency_key,
	request_hash);

COMMENT ON FUNCTION appt_api.create_notification_channel IS
	'Makes a channel to patients: channel_id, kind, settings, secret, '
	'callback_secret, active. '
	'Raises SB001 (also for settings that no message could be sent with), '
	'SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_notification_channel(
	channel_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'notification_channel', NULL, channel_id, changes, expected_version,
	client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_notification_channel IS
	'Changes what is given of a channel to patients; settings as a whole. '
	'Raises SB404, SB001, SB960, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_notification_channel(
	channel_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'notification_channel', NULL, channel_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_notification_channel IS
	'Deletes a channel to patients with its secret; what was sent by it stays '
	'in the log. Raises SB404, SBF01, SBP01';

CREATE FUNCTION appt_api.test_notification_channel(
	channel_id text,
	"to" text,
	notification_template_id text,
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
	n appt.notification;
BEGIN
	prior := appt_internal.kept_answer(client,
		'POST /notification-channels/test', idempotency_key, request_hash);
	body := prior.body;
	replayed := prior.replayed;
	IF NOT replayed THEN
		IF NOT appt_internal.client_sees_all(client) THEN
			PERFORM appt_internal.refuse_elsewhere('notification_channel',
				channel_id);
		ELSIF notification_template_id !~ '^[1-9][0-9]{0,17}$' THEN
			PERFORM appt_internal.refuse_id('notification template',
				notification_template_id, 'notification_template_id', 'SBU01');
		END IF;
		n := appt_internal.write_test(channel_id, $2,
			notification_template_id::bigint);
		body := appt_internal.notification_body(n.notification_no);
		PERFORM appt_internal.idempotency_finish(client,
			'POST /notification-channels/test', idempotency_key, request_hash,
			NULL, NULL, body);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.test_notification_channel IS
	'As appt.test_channel: answers the message, which the relay is to send; '
	'what became of it is asked by its id. Raises SB001, SB404, SBF01, SBU01, '
	'SB950, SBU02';
