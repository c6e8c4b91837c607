/* ---------------------------------------------------------------------------
 * Templates of messages as JSON.  They hold for the whole clinic: a client
 * limited to some branches reads them and changes none.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.notification_template_json(
	t appt.notification_template,
	client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'notification_template_id', t.notification_template_no::text,
		'event', t.event,
		'channel', t.channel,
		'language', t.language,
		'subject', t.subject,
		'body', t.body,
		'category', t.category,
		'provider_template', t.provider_template,
		'provider_language', t.provider_language,
		'variables', t.variables,
		'dlt_template_id', t.dlt_template_id,
		'dlt_text', t.dlt_text,
		'active', t.active,
		'warnings', appt_internal.template_warnings(t),
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.notification_template_json IS
	'A template of messages as it is shown';

CREATE FUNCTION appt_api.list_notification_templates(
	event text,
	channel text,
	language text,
	active boolean,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	filter jsonb := jsonb_build_object('event', event, 'channel', channel,
		'language', language, 'active', active);
	constraint_name text;
BEGIN
	PERFORM jsonb_populate_record(NULL::appt.notification_template, filter);
	RETURN appt_internal.list_rows('notification_template', NULL, filter, NULL,
		NULL, page, per_page, client);
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS constraint_name := CONSTRAINT_NAME;
	PERFORM appt_internal.refuse_constraint(SQLSTATE, constraint_name,
		jsonb_strip_nulls(filter));
	RAISE;
END
$$;

COMMENT ON FUNCTION appt_api.list_notification_templates IS
	'A page of the templates of messages, by event, channel, language (as it '
	'is written in the template) and active. Raises SB001';

CREATE FUNCTION appt_api.get_notification_template(
	notification_template_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row(
	'notification_template', NULL, notification_template_id, client);

COMMENT ON FUNCTION appt_api.get_notification_template IS
	'One template of messages. Raises SB404';

CREATE FUNCTION appt_api.create_notification_template(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_row(
	'notification_template', NULL, fields, client, idempotency_key,
	request_hash);

COMMENT ON FUNCTION appt_api.create_notification_template IS
	'Makes a template of messages: event, channel, language, subject (of an '
	'e-mail), body, active. warnings: what may not be passed on of it. Raises '
	'SB001 (also for a placeholder that is none), SB960, SBF01, SB950, SBU02';

CREATE FUNCTION appt_api.update_notification_template(
	notification_template_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'notification_template', NULL, notification_template_id, changes,
	expected_version, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_notification_template IS
	'Changes what is given of a template of messages. Raises SB404, SB001, '
	'SB960, SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_notification_template(
	notification_template_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'notification_template', NULL, notification_template_id, expected_version,
	client);

COMMENT ON FUNCTION appt_api.delete_notification_template IS
	'Deletes a template of messages. Raises SB404, SBF01, SBP01';
