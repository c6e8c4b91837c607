/* ---------------------------------------------------------------------------
 * What a provider reports of a message later: that it was delivered, read, or
 * not to be delivered.
 *
 * Reports come in any order and more than once.  A state only goes on: sent,
 * delivered, read; failed comes after sent alone.  One may come before the
 * relay has recorded what the provider called the message: it is kept for two
 * minutes and tried again by tick_notifications.
 *
 * Nothing of a report is believed before it is known who sent it.  The secret
 * for that stays in here: what came is judged by take_delivery_reports.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.notification_report (
	report_no bigint GENERATED ALWAYS AS IDENTITY,
	channel_no integer NOT NULL,
	provider_id text NOT NULL,
	state text NOT NULL,
	error text,
	received_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CONSTRAINT notification_report_pkey PRIMARY KEY (report_no),
	CONSTRAINT notification_report_state_known
		CHECK (state IN ('delivered', 'read', 'failed')),
	CONSTRAINT notification_report_provider_id_length
		CHECK (length(provider_id) <= 500)
);

COMMENT ON TABLE appt.notification_report IS
	'Reports of providers on messages that are not known by their id yet; '
	'tried again for two minutes. Written by functions only';
COMMENT ON COLUMN appt.notification_report.report_no IS
	'Number of the report';
COMMENT ON COLUMN appt.notification_report.channel_no IS
	'The channel that it came for';
COMMENT ON COLUMN appt.notification_report.provider_id IS
	'The provider''s id of the message';
COMMENT ON COLUMN appt.notification_report.state IS
	'delivered, read or failed';
COMMENT ON COLUMN appt.notification_report.error IS
	'Why it failed, in the provider''s words';
COMMENT ON COLUMN appt.notification_report.received_at IS 'When it came';

/* --- who sent it -------------------------------------------------------- */

CREATE FUNCTION appt_internal.form_text(encoded text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_form_text';

COMMENT ON FUNCTION appt_internal.form_text(text) IS
	'A name or value of a form (application/x-www-form-urlencoded), decoded. '
	'Raises 22021';

CREATE FUNCTION appt_internal.form_fields(body text)
	RETURNS TABLE (name text, value text)
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.form_text(split_part(f.field, '=', 1)),
		appt_internal.form_text(substr(f.field,
			coalesce(nullif(strpos(f.field, '='), 0), length(f.field)) + 1))
	FROM string_to_table(body, '&') AS f (field)
	WHERE f.field <> ''
$$;

COMMENT ON FUNCTION appt_internal.form_fields(text) IS
	'The fields of a form in their order. Raises 22021';

CREATE FUNCTION appt_internal.report_is_signed(
	c appt.notification_channel,
	payload bytea,
	signature text,
	token text)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rule CONSTANT jsonb := c.settings->'callback';
	signed text;
BEGIN
	CASE rule->>'signature'
	WHEN 'twilio' THEN
		SELECT rule->>'url' || coalesce(string_agg(f.name || f.value, ''
			ORDER BY f.name COLLATE "C", f.value COLLATE "C"), '')
		INTO signed
		FROM (
			/* Twilio signs a field's equal values once. */
			SELECT DISTINCT t.name, t.value
			FROM appt_internal.form_fields(convert_from(payload, 'UTF8')) t)
			f;
		RETURN appt_internal.same_secret(signature, encode(
			appt_internal.hmac('sha1', convert_to(
				coalesce(c.callback_secret, c.secret), 'UTF8'),
				convert_to(signed, 'UTF8')), 'base64'));
	WHEN 'meta' THEN
		RETURN appt_internal.same_secret(signature, 'sha256=' || encode(
			appt_internal.hmac('sha256',
				convert_to(c.callback_secret, 'UTF8'), payload), 'hex'));
	ELSE
		RETURN appt_internal.same_secret(token, c.callback_secret);
	END CASE;
END
$$;

COMMENT ON FUNCTION appt_internal.report_is_signed IS
	'Whether a report is from the channel''s provider: by X-Twilio-Signature '
	'(HMAC-SHA1 of the address and the sorted fields), by X-Hub-Signature-256 '
	'(HMAC-SHA256 of the body), or by a secret in the address. Raises 22021';

/* --- what it says ------------------------------------------------------- */

CREATE TYPE appt_internal.delivery_report AS (
	provider_id text,
	state text,
	error text
);

COMMENT ON TYPE appt_internal.delivery_report IS
	'What became of a message; state NULL: nothing that counts here';

CREATE FUNCTION appt_internal.first_of(item jsonb, paths jsonb) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.answer_path(item, p.path)
	FROM jsonb_array_elements(CASE jsonb_typeof(paths->0)
		WHEN 'array' THEN paths
		ELSE jsonb_build_array(paths) END) WITH ORDINALITY AS p (path, place)
	WHERE appt_internal.answer_path(item, p.path) <> ''
	ORDER BY p.place
	LIMIT 1
$$;

COMMENT ON FUNCTION appt_internal.first_of(jsonb, jsonb) IS
	'What stands at a path, or at the first of several where there is '
	'something';

CREATE FUNCTION appt_internal.read_reports(rule jsonb, document jsonb)
	RETURNS SETOF appt_internal.delivery_report
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(appt_internal.first_of(i.item, rule->'id'), 500),
		CASE
			WHEN rule->'read' @> s.status THEN 'read'
			WHEN rule->'delivered' @> s.status THEN 'delivered'
			WHEN rule->'failed' @> s.status THEN 'failed'
		END,
		left(coalesce(appt_internal.first_of(i.item, rule->'error'),
			'reported as ' || (s.status #>> '{}')), 500)
	FROM jsonb_path_query(document, coalesce(rule->>'each', '$')::jsonpath,
		'{}', true) AS i (item)
	CROSS JOIN LATERAL (
		SELECT to_jsonb(appt_internal.first_of(i.item, rule->'status')))
		AS s (status)
	LIMIT 1000
$$;

COMMENT ON FUNCTION appt_internal.read_reports(jsonb, jsonb) IS
	'The reports in what a provider sent, by the channel''s rule: where each '
	'is, its id and its status, and which statuses mean what';

CREATE FUNCTION appt_internal.apply_report(
	channel_no integer,
	report appt_internal.delivery_report)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	n appt.notification;
	known boolean := false;
BEGIN
	FOR n IN
		SELECT t.*
		FROM appt.notification_attempt l
		JOIN appt.notification t ON t.notification_no = l.notification_no
			AND t.fence = l.fence
			AND t.finished_at IS NOT NULL
			AND t.channel_no = apply_report.channel_no
		WHERE l.provider_id = report.provider_id
		ORDER BY t.notification_no
		FOR NO KEY UPDATE OF t
	LOOP
		known := true;
		IF (report.state = 'read' AND n.state IN ('sent', 'delivered'))
			OR (report.state IN ('delivered', 'failed') AND n.state = 'sent')
		THEN
			UPDATE appt.notification t
			SET state = report.state,
				reason = CASE report.state WHEN 'failed' THEN report.error END
			WHERE t.notification_no = n.notification_no;
			UPDATE appt.notification_attempt t
			SET awaited = false,
				delivered_at = CASE WHEN report.state <> 'failed'
					THEN coalesce(t.delivered_at, at) END,
				read_at = CASE report.state WHEN 'read' THEN at END
			WHERE t.notification_no = n.notification_no
				AND t.fence = n.fence;
			IF report.state = 'failed' THEN
				PERFORM appt_internal.try_next_channel(n);
			ELSE
				/* Another try that waits is not needed any more. */
				DELETE FROM appt.notification t
				USING appt_internal.all_tries(n) l
				WHERE t.notification_no = l.notification_no
					AND t.notification_no > n.notification_no
					AND t.state = 'due'
					AND t.attempts = 0;
			END IF;
		END IF;
	END LOOP;
	RETURN known;
END
$$;

COMMENT ON FUNCTION appt_internal.apply_report IS
	'Takes a report into account, if that is news; what failed is told by the '
	'next channel, what arrived is told by no other. Returns whether the '
	'message is known';

CREATE FUNCTION appt_internal.take_reports(
	c appt.notification_channel,
	document jsonb)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	report appt_internal.delivery_report;
	counted integer := 0;
BEGIN
	/* In one order, so that two batches do not wait for each other. */
	FOR report IN
		SELECT r.*
		FROM appt_internal.read_reports(c.settings->'callback', document) r
		WHERE r.provider_id IS NOT NULL AND r.state IS NOT NULL
		ORDER BY r.provider_id
	LOOP
		counted := counted + 1;
		IF NOT appt_internal.apply_report(c.channel_no, report) THEN
			INSERT INTO appt.notification_report
				(channel_no, provider_id, state, error)
			VALUES (c.channel_no, report.provider_id, report.state,
				CASE report.state WHEN 'failed' THEN report.error END);
		END IF;
	END LOOP;
	RETURN counted;
END
$$;

COMMENT ON FUNCTION appt_internal.take_reports IS
	'Takes the reports into account that a provider sent; keeps those on '
	'messages that are not known yet. Returns how many there were';

CREATE FUNCTION appt_internal.retry_reports(batch integer) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r appt.notification_report;
BEGIN
	FOR r IN
		SELECT t.*
		FROM appt.notification_report t
		ORDER BY t.report_no
		LIMIT batch
		FOR UPDATE SKIP LOCKED
	LOOP
		IF appt_internal.apply_report(r.channel_no, ROW(r.provider_id, r.state,
				r.error)::appt_internal.delivery_report)
			OR r.received_at < clock_timestamp() - interval '2 minutes'
		THEN
			DELETE FROM appt.notification_report t
			WHERE t.report_no = r.report_no;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.retry_reports(integer) IS
	'Tries again what was reported of messages that were not known then, and '
	'forgets what is two minutes old';

/* --- as it comes -------------------------------------------------------- */

CREATE FUNCTION appt_internal.report_document(
	rule jsonb,
	is_form boolean,
	payload bytea)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	body CONSTANT text := convert_from(payload, 'UTF8');
	fields jsonb;
BEGIN
	IF NOT is_form THEN
		RETURN body::jsonb;
	END IF;
	SELECT coalesce(jsonb_object_agg(f.name, f.value), '{}') INTO fields
	FROM appt_internal.form_fields(body) f;
	RETURN CASE WHEN rule->'field' IS NULL THEN fields
		ELSE coalesce(fields->>(rule->>'field'), '')::jsonb END;
END
$$;

COMMENT ON FUNCTION appt_internal.report_document IS
	'What a provider sent as JSON: a form as an object of its fields, or the '
	'JSON in the one that the rule names. Raises 22P02 and others of class 22 '
	'for what is none';

CREATE FUNCTION appt_api.take_delivery_reports(
	channel_id text,
	is_form boolean,
	payload bytea,
	signature text,
	token text,
	OUT verdict text,
	OUT reports integer)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	c appt.notification_channel;
	document jsonb;
BEGIN
	verdict := 'unknown';
	SELECT t.* INTO c
	FROM appt.notification_channel t
	WHERE t.channel_id = channel_id
		AND jsonb_typeof(t.settings->'callback') = 'object';
	IF NOT FOUND THEN
		RETURN;
	END IF;
	BEGIN
		verdict := 'refused';
		IF NOT appt_internal.report_is_signed(c, payload, signature, token) THEN
			RETURN;
		END IF;
		verdict := 'malformed';
		document := appt_internal.report_document(c.settings->'callback',
			is_form, payload);
	EXCEPTION WHEN data_exception OR program_limit_exceeded
		OR statement_too_complex THEN
		RETURN;
	END;
	reports := appt_internal.take_reports(c, document);
	verdict := 'taken';
END
$$;

COMMENT ON FUNCTION appt_api.take_delivery_reports IS
	'What came to the address of a channel for reports: verdict unknown (there '
	'is no such channel, or none whose provider reports), refused (it is not '
	'from the provider), malformed, or taken, with how many reports there '
	'were. Whoever calls it may be anybody: it says nothing else';

CREATE FUNCTION appt_api.confirm_callback(
	channel_id text,
	token text,
	OUT verdict text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	expected text;
BEGIN
	SELECT t.settings->'callback'->>'verify_token' INTO expected
	FROM appt.notification_channel t
	WHERE t.channel_id = $1;
	verdict := CASE
		WHEN expected IS NULL THEN 'unknown'
		WHEN appt_internal.same_secret(token, expected) THEN 'taken'
		ELSE 'refused'
	END;
END
$$;

COMMENT ON FUNCTION appt_api.confirm_callback IS
	'Whether who asks for a channel''s address for reports has its '
	'verify_token, as Meta asks before it sends any: unknown, refused or taken';
