/* ---------------------------------------------------------------------------
 * Webhook endpoints and their secrets: the tables and what a row must fulfil.
 *
 * The secrets are readable by nobody but the owner; the relay gets those of
 * the endpoints that it sends to from appt_relay.claim_deliveries.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.webhook (
	webhook_no integer GENERATED ALWAYS AS IDENTITY,
	webhook_id text NOT NULL,
	url text NOT NULL,
	events text[] NOT NULL,
	description text,
	branch_ids text[],
	status text NOT NULL DEFAULT 'enabled',
	version integer NOT NULL DEFAULT 1,
	created_by text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	failing_since timestamptz,
	failures integer NOT NULL DEFAULT 0,
	alerted_percent smallint NOT NULL DEFAULT 0,
	disabled_at timestamptz,
	disabled_reason text,
	CONSTRAINT webhook_pkey PRIMARY KEY (webhook_no),
	CONSTRAINT webhook_id_key UNIQUE (webhook_id),
	CONSTRAINT webhook_status_known CHECK (status IN ('enabled', 'disabled')),
	CONSTRAINT webhook_description_printable CHECK (
		length(description) <= 500
		AND description !~ '[\u0001-\u0009\u000b-\u001f\u007f]'),
	CONSTRAINT webhook_events_not_empty CHECK (cardinality(events) > 0),
	CONSTRAINT webhook_branch_ids_not_empty
		CHECK (cardinality(branch_ids) > 0),
	CONSTRAINT webhook_disabled_with_reason CHECK (
		(status = 'disabled') = (disabled_at IS NOT NULL)
		AND (status = 'disabled') = (disabled_reason IS NOT NULL)),
	CONSTRAINT webhook_disabled_reason_known CHECK (disabled_reason IN
		('manual', 'gone', 'failing', 'client'))
);

COMMENT ON TABLE appt.webhook IS 'Who is told of which events';
COMMENT ON COLUMN appt.webhook.webhook_id IS 'wh_...: its public name';
COMMENT ON COLUMN appt.webhook.events IS
	'Event types to deliver; * stands for all published ones';
COMMENT ON COLUMN appt.webhook.branch_ids IS
	'Only events of these branches; NULL: of all';
COMMENT ON COLUMN appt.webhook.status IS
	'A disabled endpoint''s deliveries are held, not dropped';
COMMENT ON COLUMN appt.webhook.version IS
	'Rises by one with every change of the configuration; the ETag';
COMMENT ON COLUMN appt.webhook.created_by IS
	'client:<id> for an API client, otherwise role:<name>; of a client that '
	'is gone client:<id> (deleted), which no client can be';
COMMENT ON COLUMN appt.webhook.failing_since IS
	'First failed attempt since the last success; NULL: it works';
COMMENT ON COLUMN appt.webhook.failures IS
	'Failed attempts since the last success';
COMMENT ON COLUMN appt.webhook.alerted_percent IS
	'How far on the way to disabling was last alerted: 0, 50, 70 or 90';
COMMENT ON COLUMN appt.webhook.disabled_reason IS
	'manual, gone (it answered 410), failing (nothing but failures) or client '
	'(the API client that created it may not have its events any more)';

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OF events, branch_ids, status OR DELETE OR TRUNCATE
	ON appt.webhook
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TABLE appt.webhook_secret (
	webhook_no integer NOT NULL,
	secret_no bigint GENERATED ALWAYS AS IDENTITY,
	secret text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	expires_at timestamptz,
	CONSTRAINT webhook_secret_pkey PRIMARY KEY (webhook_no, secret_no),
	CONSTRAINT webhook_secret_webhook_fkey FOREIGN KEY (webhook_no)
		REFERENCES appt.webhook ON DELETE CASCADE
);

CREATE UNIQUE INDEX webhook_secret_current
	ON appt.webhook_secret (webhook_no)
	WHERE expires_at IS NULL;

COMMENT ON TABLE appt.webhook_secret IS
	'Signing secrets: the one without expires_at is current, one that is '
	'being rotated out signs beside it until then. None: nothing is signed';

CREATE FUNCTION appt.webhook_event_types() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY[
		'appointment.booked',
		'appointment.rescheduled',
		'appointment.cancelled',
		'appointment.checked_in',
		'appointment.completed',
		'appointment.no_show',
		'appointment.updated',
		'visit.started',
		'visit.completed',
		'patient.created',
		'patient.updated']
$$;

COMMENT ON FUNCTION appt.webhook_event_types() IS
	'The published event types: what * stands for';

CREATE FUNCTION appt.webhook_alert_types() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY['webhook.failing', 'webhook.disabled']
$$;

COMMENT ON FUNCTION appt.webhook_alert_types() IS
	'Event types about endpoints themselves; * does not stand for them, an '
	'endpoint names them to be told of its neighbours';

CREATE FUNCTION appt_internal.check_webhook_url(url text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text[];
	host text;
	problem text;
BEGIN
	part := regexp_match(url,
		'^([Hh][Tt][Tt][Pp][Ss]?)://'
		'(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)'
		'(?::([0-9]{1,5}))?([/?][!-~]*)?$');
	host := lower(part[2]);
	problem := CASE
		WHEN url IS NULL THEN 'A URL is required.'
		WHEN length(url) > 2048 THEN 'It is longer than 2048 characters.'
		WHEN url !~* '^https?://' THEN 'It must begin with https://.'
		WHEN url ~ '^[A-Za-z]+://[^/?#]*@' THEN
			'User name and password do not belong in it.'
		WHEN strpos(url, '#') > 0 THEN 'A fragment (#...) is never sent.'
		WHEN url ~ '[[:cntrl:][:space:]]' THEN
			'Blanks and control characters are written as %20 and so on.'
		WHEN url ~ '^[A-Za-z]+://[^/?]*[^\x01-\x7f]' THEN
			'A host name is written in ASCII, one with other letters in its '
			'xn-- form, such as xn--bcher-kva.example.'
		WHEN url ~ '[^\x01-\x7f]' THEN
			'Characters other than ASCII are written as %C3%BC and so on.'
		WHEN part IS NULL THEN 'It must have the form https://host/path.'
		WHEN host ~ '\.\.|[^.]{64}' AND host !~ '^\[' OR length(host) > 254 THEN
			'A host name has at most 253 characters, each part of it 1 to 63.'
		WHEN part[3] IS NOT NULL
			AND part[3]::integer NOT BETWEEN 1 AND 65535
			THEN 'The port is not between 1 and 65535.'
		WHEN lower(part[1]) = 'http' AND host !~
			'^(\[.*\]|[0-9.]+|[^.]+|.*\.(internal|local|localhost|lan|test))$'
			THEN 'It must be https; plain http is for private addresses.'
	END;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'URL "%" cannot be a webhook''s',
			coalesce(left(url, 200), '')
			USING ERRCODE = 'SB001', COLUMN = 'url', DETAIL = problem;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_webhook_url(text) IS
	'Refuses what cannot be an endpoint''s URL with SB001. The address behind '
	'the name is checked by the relay, at each connection. Lengths of names: '
	'RFC 1035, 2.3.4';

CREATE FUNCTION appt_internal.check_webhook_events(events text[], owner text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known CONSTANT text[] := appt.webhook_event_types()
		|| appt.webhook_alert_types() || ARRAY['*'];
	unknown text;
BEGIN
	IF coalesce(cardinality(events), 0) = 0 OR array_ndims(events) > 1 THEN
		RAISE EXCEPTION 'a webhook needs at least one event type'
			USING ERRCODE = 'SB001', COLUMN = 'events';
	END IF;
	SELECT coalesce(e.name, 'null') INTO unknown
	FROM unnest(events) e(name)
	WHERE (e.name = ANY (known)) IS NOT TRUE
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'event type "%" is not known', unknown
			USING ERRCODE = 'SB001', COLUMN = 'events',
				DETAIL = format('Event type "%s" is not one of %s.',
					unknown, array_to_string(known, ', '));
	END IF;
	IF events && ARRAY['patient.created', 'patient.updated']
		AND NOT appt_internal.may_hear_of_patients(owner)
	THEN
		RAISE EXCEPTION 'a webhook of patients needs the scope patients:read'
			USING ERRCODE = 'SBF01', COLUMN = 'events';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_webhook_events(text[], text) IS
	'Refuses an empty list and unknown event types with SB001, and with SBF01 '
	'events of patients for a client that may not read them';

CREATE FUNCTION appt_internal.check_webhook_branches(branch_ids text[],
	owner text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	unknown text;
	allowed CONSTANT text[] := appt_internal.owner_branches(owner);
BEGIN
	IF allowed = '{}' THEN
		RAISE EXCEPTION 'API client "%" is not known', substr(owner, 8)
			USING ERRCODE = 'SBU01', COLUMN = 'branch_ids',
				DETAIL = 'The API client that created the webhook is disabled '
					'or deleted.';
	END IF;
	SELECT coalesce(b.id, 'null') INTO unknown
	FROM unnest(branch_ids) b(id)
	WHERE NOT EXISTS (
		SELECT FROM appt.branch k
		WHERE k.branch_id = b.id
			AND (allowed IS NULL OR k.branch_id = ANY (allowed)))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'branch "%" does not exist', unknown
			USING ERRCODE = 'SBU01', COLUMN = 'branch_ids';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_webhook_branches(text[], text) IS
	'Refuses branches that do not exist or that the owner may not see, and '
	'all of them for an API client that is disabled or deleted, with SBU01';

CREATE FUNCTION appt_internal.owner_branches(owner text) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN owner LIKE 'staff:%' THEN (
			SELECT s.branch_ids
			FROM appt.staff s
			WHERE s.staff_id = substr(owner, 7) AND s.active)
		ELSE nullif(
			appt_internal.client_branches(
				substring(owner FROM '^client:(.*)')), '{*}')
		END;
END
$$;

COMMENT ON FUNCTION appt_internal.owner_branches(text) IS
	'The branches that an owner (client:<id>, staff:<staff_id> or '
	'role:<name>) may see; NULL: all; {}: none, as the client is disabled or '
	'deleted';

CREATE FUNCTION appt_internal.check_webhook_secret(secret text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	encoded text := substr(secret, length('whsec_') + 1);
	problem text;
BEGIN
	IF secret !~ '^[!-~]{16,}$' OR length(secret) > 256 THEN
		problem := 'It is 16 to 256 printable ASCII characters, no spaces.';
	ELSIF secret LIKE 'whsec\_%' AND (
		encoded !~ '^[A-Za-z0-9+/]+={0,2}$' OR length(encoded) % 4 <> 0
		OR length(rtrim(encoded, '=')) * 3 / 4 NOT BETWEEN 24 AND 64)
	THEN
		problem := 'After whsec_ stand 24 to 64 bytes in base64.';
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'this cannot be a webhook''s secret'
			USING ERRCODE = 'SB001', COLUMN = 'secret', DETAIL = problem;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_webhook_secret(text) IS
	'Refuses a secret of one''s own that is too short or malformed with '
	'SB001; never shows it';

CREATE FUNCTION appt_internal.new_webhook_secret() RETURNS text
	LANGUAGE sql VOLATILE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* gen_random_uuid is pg_strong_random with six bits fixed: three of
	 * them hashed hold 366 random bits for a key of 256. */
	SELECT 'whsec_' || encode(sha256(
		uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
		|| uuid_send(gen_random_uuid())), 'base64')
$$;

COMMENT ON FUNCTION appt_internal.new_webhook_secret() IS
	'A new secret as Standard Webhooks writes it: whsec_ and 32 random bytes '
	'in base64';

CREATE FUNCTION appt_internal.webhook_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.wake_relay();
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.webhook_changed() IS
	'Wakes the relays, which then give back what they have claimed for an '
	'endpoint and not yet sent';

CREATE TRIGGER webhook_changed
	AFTER UPDATE OF version OR DELETE ON appt.webhook
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.webhook_changed();
