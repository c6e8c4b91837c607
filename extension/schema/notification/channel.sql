/* ---------------------------------------------------------------------------
 * By which ways patients are told: e-mail by SMTP, SMS and WhatsApp by a
 * provider's HTTP request.  Nothing is told until there is one; an event is
 * not even looked at then.
 *
 * A channel's secret is written and never read but by the relay, which gets
 * it with a message that it is about to send.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.notification_channel (
	channel_no integer GENERATED ALWAYS AS IDENTITY,
	channel_id text NOT NULL,
	kind appt.message_channel NOT NULL,
	settings jsonb NOT NULL,
	secret text,
	callback_secret text,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT notification_channel_pkey PRIMARY KEY (channel_no),
	CONSTRAINT notification_channel_id_key UNIQUE (channel_id),
	CONSTRAINT notification_channel_id_format
		CHECK (channel_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT notification_channel_settings_object
		CHECK (jsonb_typeof(settings) = 'object'),
	CONSTRAINT notification_channel_settings_length
		CHECK (length(settings::text) <= 20000),
	CONSTRAINT notification_channel_secret_printable
		CHECK (secret ~ '^[\u0021-\u007e]+$' AND length(secret) <= 1000),
	CONSTRAINT notification_channel_callback_secret_printable
		CHECK (callback_secret ~ '^[\u0021-\u007e]+$'
			AND length(callback_secret) BETWEEN 16 AND 1000)
);

/* A patient is told by one e-mail, not by one of each server. */
CREATE UNIQUE INDEX notification_channel_one_active
	ON appt.notification_channel (kind) WHERE active;

COMMENT ON TABLE appt.notification_channel IS
	'How patients are told: one active row a kind. No row: nobody is told of '
	'anything';
COMMENT ON COLUMN appt.notification_channel.channel_no IS
	'Number of the channel';
COMMENT ON COLUMN appt.notification_channel.channel_id IS
	'The clinic''s own name of it: mail, sms-msg91';
COMMENT ON COLUMN appt.notification_channel.kind IS 'email, sms or whatsapp';
COMMENT ON COLUMN appt.notification_channel.settings IS
	'email: host, port, security (starttls, tls, none), username, from, '
	'from_name, reply_to, uid_host. sms, whatsapp: url, method, headers, '
	'content_type (json, form), body, username, and how to read the answer: '
	'ok, id, error, final. appt.notification_setting lists them';
COMMENT ON COLUMN appt.notification_channel.secret IS
	'Password or key: {{secret}} in headers and body, and the password that '
	'goes with username. Only the relay gets it';
COMMENT ON COLUMN appt.notification_channel.callback_secret IS
	'By which reports of the provider are known, 16 characters at least: '
	'Meta''s app secret, Twilio''s auth token (NULL: secret), or what stands '
	'in the address. Never shown';
COMMENT ON COLUMN appt.notification_channel.active IS
	'false: passed over, as if it were not there';
COMMENT ON COLUMN appt.notification_channel.version IS
	'Rises by one with every change; the ETag over HTTP';
COMMENT ON INDEX appt.notification_channel_one_active IS
	'One active channel a kind';

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.notification_channel
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();

/* Sessions remember whether there is one. */
CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.notification_channel
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

/* --- what can be set ---------------------------------------------------- */

CREATE VIEW appt.notification_setting AS
SELECT *
FROM (VALUES
	('email', 'host', 'string', true, 'Name of the mail server'),
	('email', 'port', 'number', false, 'Its port; 587, or 465 with tls'),
	('email', 'security', 'string', false,
		'starttls (the default), tls, or none, which only servers have that '
		'the relay is allowed by address'),
	('email', 'username', 'string', false,
		'To sign in with, with the secret; none: no authentication'),
	('email', 'from', 'string', true, 'Address of the sender'),
	('email', 'from_name', 'string', false, 'Name of the sender'),
	('email', 'reply_to', 'string', false, 'Where answers go'),
	('email', 'uid_host', 'string', false,
		'What stands behind the @ in the ids of calendar entries, for ever; '
		'the sender''s host'),
	('http', 'url', 'string', true, 'Where the request goes; placeholders'),
	('http', 'method', 'string', false, 'POST (the default) or PUT'),
	('http', 'headers', 'object', false,
		'Names with their values; placeholders'),
	('http', 'content_type', 'string', false, 'json (the default) or form'),
	('http', 'body', 'object', true,
		'What is sent: a JSON document, or names with values of a form; '
		'placeholders in any string'),
	('http', 'username', 'string', false,
		'For HTTP Basic authentication, with the secret'),
	('http', 'ok', 'object', false,
		'statuses: those of success (200 to 299); path and values: where the '
		'answer says so, and how'),
	('http', 'id', 'array', false,
		'Where the answer has the message''s id, a path'),
	('http', 'error', 'array', false,
		'Where the answer says what went wrong, a path'),
	('http', 'final', 'object', false,
		'statuses: those after which no retry helps (400 to 499 but 401, 402, '
		'403, 407, 408, 425, 429); path and values: which errors are such'),
	('http', 'reports', 'boolean', false,
		'true: the provider reports deliveries, and where it reports none in '
		'time the next channel is tried'),
	('http', 'callback', 'object', false,
		'How reports of deliveries are read. signature: twilio, meta, or token '
		'(the secret is in the address); url: the address for them, whole; '
		'verify_token: what Meta asks with; field: the one of a form that has '
		'the reports as JSON; each: a JSON path to the reports; id, status, '
		'error: a path in a report, or several of which the first with '
		'something there counts; delivered, read, failed: which statuses mean '
		'that')
) AS s (protocol, name, kind, required, meaning);

COMMENT ON VIEW appt.notification_setting IS
	'What appt.notification_channel.settings can have: protocol email for '
	'e-mail, http for the others';
COMMENT ON COLUMN appt.notification_setting.protocol IS
	'email, or http for sms and whatsapp';
COMMENT ON COLUMN appt.notification_setting.name IS 'The member''s name';
COMMENT ON COLUMN appt.notification_setting.kind IS 'Its JSON type';
COMMENT ON COLUMN appt.notification_setting.required IS
	'Whether there is no channel without it';
COMMENT ON COLUMN appt.notification_setting.meaning IS 'What it is for';

CREATE FUNCTION appt_internal.channel_protocol(kind text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE kind WHEN 'email' THEN 'email' ELSE 'http' END;

COMMENT ON FUNCTION appt_internal.channel_protocol(text) IS
	'How a kind of channel is reached: email (SMTP) or http';

CREATE FUNCTION appt_internal.is_path(path jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN jsonb_typeof(path) = 'array'
	AND NOT jsonb_path_exists(path,
		'strict $[*] ? (@.type() != "string" && @.type() != "number")');

COMMENT ON FUNCTION appt_internal.is_path(jsonb) IS
	'Whether it is a path such as ["messages", 0, "id"]';

CREATE FUNCTION appt_internal.callback_problem(rule jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong text;
BEGIN
	SELECT m.key INTO wrong
	FROM jsonb_each(rule) m
	WHERE CASE
		WHEN m.key IN ('signature', 'url', 'verify_token', 'field', 'each')
			THEN
			jsonb_typeof(m.value) <> 'string'
		WHEN m.key IN ('id', 'status', 'error') THEN
			NOT coalesce(appt_internal.is_path(m.value)
				OR (jsonb_typeof(m.value) = 'array' AND NOT EXISTS (
					SELECT
					FROM jsonb_array_elements(m.value) p (path)
					WHERE NOT appt_internal.is_path(p.path))), false)
		WHEN m.key IN ('delivered', 'read', 'failed') THEN
			jsonb_typeof(m.value) <> 'array' OR jsonb_path_exists(m.value,
				'strict $[*] ? (@.type() != "string")')
		ELSE true
		END
	LIMIT 1;
	IF wrong IS NOT NULL THEN
		RETURN format('"callback" cannot have such a "%s".', wrong);
	END IF;
	PERFORM (rule->>'each')::jsonpath;
	RETURN CASE
		WHEN NOT coalesce(rule->>'signature' IN ('twilio', 'meta', 'token'),
			false) THEN
			'"signature" of "callback" is twilio, meta or token.'
		WHEN rule->>'url' !~ ('^https?://[^/?#@{}[:space:]]+'
			'(/[^?#{}[:space:]]*)?$') THEN
			'"url" of "callback" is https:// with a host and a path.'
		WHEN rule->>'signature' = 'twilio' AND rule->'url' IS NULL THEN
			'"callback" of Twilio needs "url", which its signature covers.'
		WHEN rule->'id' IS NULL OR rule->'status' IS NULL THEN
			'"callback" needs "id" and "status".'
		END;
EXCEPTION WHEN syntax_error OR data_exception THEN
	RETURN '"each" of "callback" is a JSON path such as $.reports[*].';
END
$$;

COMMENT ON FUNCTION appt_internal.callback_problem(jsonb) IS
	'What is wrong with the rule by which reports are read, in a sentence; '
	'NULL: nothing';

CREATE FUNCTION appt_internal.channel_problem(kind text, settings jsonb)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	problem text;
BEGIN
	SELECT CASE
		WHEN d.name IS NULL THEN format('There is no setting "%s".', m.key)
		WHEN m.key IS NULL THEN format('It needs "%s".', d.name)
		WHEN jsonb_typeof(m.value) <> d.kind AND NOT (d.name = 'body'
			AND jsonb_typeof(m.value) = 'array') THEN
			format('"%s" is of type %s, not %s.', m.key, d.kind,
				jsonb_typeof(m.value))
		/* A control character in an address or a header is another header. */
		ELSE format('"%s" has a control character.', m.key)
		END
	INTO problem
	FROM (
		SELECT s.*
		FROM appt.notification_setting s
		WHERE s.protocol = appt_internal.channel_protocol($1)) d
	FULL JOIN jsonb_each(jsonb_strip_nulls($2)) m ON m.key = d.name
	WHERE d.name IS NULL
		OR (m.key IS NULL AND d.required)
		OR (jsonb_typeof(m.value) <> d.kind AND NOT (d.name = 'body'
			AND jsonb_typeof(m.value) = 'array'))
		OR (m.key <> 'body' AND m.value::text ~
			'\\u00[01]|\\u007f|\\[bfnrt]|[\u007f-\u009f\u2028\u2029]')
	ORDER BY d.name IS NOT NULL, m.key IS NOT NULL, coalesce(m.key, d.name)
	LIMIT 1;
	IF problem IS NOT NULL THEN
		RETURN problem;
	ELSIF kind = 'email' THEN
		RETURN CASE
			WHEN NOT settings->>'host' ~ '^[A-Za-z0-9.:_-]{1,253}$' THEN
				'"host" is no name of a host.'
			WHEN settings->>'security' NOT IN ('starttls', 'tls', 'none') THEN
				'"security" is starttls, tls or none.'
			WHEN NOT (settings->>'port')::numeric BETWEEN 1 AND 65535
				OR (settings->>'port')::numeric % 1 <> 0 THEN
				'"port" is 1 to 65535.'
			WHEN NOT appt_internal.is_address(settings->>'from') THEN
				'"from" is no address such as visits@clinic.example.'
			WHEN NOT appt_internal.is_address(settings->>'reply_to') THEN
				'"reply_to" is no address such as desk@clinic.example.'
			WHEN NOT settings->>'uid_host' ~ '^[A-Za-z0-9.-]{1,253}$' THEN
				'"uid_host" is no name of a host.'
			END;
	END IF;
	RETURN CASE
		WHEN NOT settings->>'url' ~ '^https?://[^/?#@{}]+([/?][^#]*)?$' THEN
			'"url" is https:// with a host that is no placeholder.'
		WHEN settings->>'method' NOT IN ('POST', 'PUT') THEN
			'"method" is POST or PUT.'
		WHEN settings->>'content_type' NOT IN ('json', 'form') THEN
			'"content_type" is json or form.'
		WHEN settings->>'content_type' = 'form'
			AND jsonb_typeof(settings->'body') <> 'object' THEN
			'"body" of a form is an object of names and values.'
		WHEN EXISTS (
			SELECT
			FROM jsonb_each(settings->'headers') h
			WHERE h.key !~ '^[A-Za-z0-9!#$%&''*+.^_`|~-]+$'
				OR jsonb_typeof(h.value) <> 'string'
				OR lower(h.key) IN ('content-type', 'content-length', 'host',
					'transfer-encoding', 'connection')) THEN
			'"headers" has what is no header, or one that is not yours.'
		ELSE appt_internal.callback_problem(settings->'callback')
		END;
END
$$;

COMMENT ON FUNCTION appt_internal.channel_problem(text, jsonb) IS
	'What is wrong with the settings of such a channel, in a sentence; NULL: '
	'nothing';

CREATE FUNCTION appt_internal.notification_channel_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	problem text;
	token text;
BEGIN
	/* Of a null, or no object, the column's own CHECK speaks. */
	IF jsonb_typeof(NEW.settings) IS DISTINCT FROM 'object' THEN
		RETURN NEW;
	END IF;
	problem := appt_internal.channel_problem(NEW.kind, NEW.settings);
	SELECT t.match[1] INTO token
	FROM regexp_matches(NEW.settings::text,
		'\{\{([^{}\n]{0,40})(?:\}\})?', 'g') AS t (match)
	WHERE NEW.kind = 'email' OR NOT EXISTS (
		SELECT
		FROM appt.notification_placeholder p
		WHERE t.match[1] = p.name
			OR t.match[1] IN ('to', 'to_digits', 'subject', 'body', 'secret',
				'provider_template', 'provider_language', 'dlt_template_id',
				'message_id', 'callback_url', 'name', 'value', 'variables',
				'each variable'))
	LIMIT 1;
	IF token IS NOT NULL THEN
		problem := coalesce(problem, format('"{{%s}}" is no placeholder.',
			token));
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'the settings of channel "%" are wrong', NEW.channel_id
			USING ERRCODE = 'SB001', COLUMN = 'settings', DETAIL = problem;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_channel_check() IS
	'Row trigger: refuses settings that no message could be sent with; raises '
	'SB001, which says what is wrong';

CREATE TRIGGER notification_channel_check
	BEFORE INSERT OR UPDATE ON appt.notification_channel
	FOR EACH ROW EXECUTE FUNCTION appt_internal.notification_channel_check();
