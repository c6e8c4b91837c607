/* ---------------------------------------------------------------------------
 * Who signs in from a device that his account was not used from before is told
 * by e-mail, by the channel that patients are told by.  Which devices are known
 * the gateway says, by a cookie of theirs: an address is shared by a whole
 * clinic, and what a browser says of itself by many.
 *
 * Nothing in here keeps anybody from signing in.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.browser_name(user_agent text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN nullif(concat_ws(', ',
	CASE
		WHEN user_agent ~ '\mEdg\w*/' THEN 'Edge'
		WHEN user_agent ~ '\mOPR/' THEN 'Opera'
		WHEN user_agent ~ '\mSamsungBrowser/' THEN 'Samsung Internet'
		WHEN user_agent ~ '\m(Firefox|FxiOS)/' THEN 'Firefox'
		WHEN user_agent ~ '\m(Chrome|CriOS)/' THEN 'Chrome'
		WHEN user_agent ~ '\mVersion/.*Safari' THEN 'Safari'
	END,
	CASE
		WHEN user_agent ~ 'Android' THEN 'Android'
		WHEN user_agent ~ 'iPhone|iPad' THEN 'iOS'
		WHEN user_agent ~ 'Windows' THEN 'Windows'
		WHEN user_agent ~ 'CrOS' THEN 'ChromeOS'
		WHEN user_agent ~ 'Mac OS' THEN 'macOS'
		WHEN user_agent ~ 'Linux' THEN 'Linux'
	END), '');

COMMENT ON FUNCTION appt_internal.browser_name(text) IS
	'What people call a browser and its system: Firefox, Windows; NULL: not '
	'known. Never what the browser says itself';

CREATE FUNCTION appt_internal.write_sign_in_mail(
	who appt.staff,
	entry bigint)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c appt.notification_channel;
	made bigint;
BEGIN
	SELECT t.* INTO c
	FROM appt.notification_channel t
	WHERE t.kind = 'email' AND t.active;
	IF NOT FOUND OR who.email IS NULL THEN
		RETURN;
	END IF;
	INSERT INTO appt.notification
		(event, queue_no, channel_no, channel, language, address)
	VALUES ('sign_in', c.channel_no, c.channel_no, 'email', who.language,
		who.email)
	RETURNING notification_no INTO made;
	INSERT INTO appt.notification_apart (notification_no, staff_audit_no)
	VALUES (made, entry);
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'could not write the mail of a sign-in'
		USING DETAIL = SQLERRM;
END
$$;

COMMENT ON FUNCTION appt_internal.write_sign_in_mail IS
	'Writes the mail that tells of an entry of the audit trail, if there is an '
	'address and a channel. Raises nothing';

CREATE FUNCTION appt_internal.note_new_device(
	who appt.staff,
	address inet,
	user_agent text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	browser CONSTANT text := appt_internal.browser_name(user_agent);
	told CONSTANT boolean := EXISTS (
		SELECT
		FROM appt.staff_audit a
		WHERE a.account = who.account
			AND a.action = 'new_device'
			AND a.at > clock_timestamp() - interval '1 hour'
			AND a.address IS NOT DISTINCT FROM note_new_device.address
			AND a.detail IS NOT DISTINCT FROM browser);
	entry bigint;
BEGIN
	INSERT INTO appt.staff_audit (account, action, actor, address, detail)
	VALUES (who.account, 'new_device', 'staff:' || who.account,
		note_new_device.address, browser)
	RETURNING staff_audit_no INTO entry;
	IF NOT told THEN
		PERFORM appt_internal.write_sign_in_mail(who, entry);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.note_new_device IS
	'Puts into the audit trail that somebody signed in from a new device, and '
	'tells him; of one that keeps no cookies once an hour';

CREATE FUNCTION appt_internal.sign_in_words(languages text[])
	RETURNS appt.notification_template
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	words CONSTANT jsonb := appt_internal.page_words(languages);
	t appt.notification_template;
BEGIN
	t.language := words->>'language';
	t.subject := words->>'sign_in_subject';
	t.body := format(E'%s\n\n%s\n\n%s: {{time}}\n%s: {{address}}\n'
		'%s: {{browser}}\n\n%s\n\n%s\n',
		words->>'sign_in_hello', words->>'sign_in_what',
		words->>'sign_in_time', words->>'sign_in_address',
		words->>'sign_in_browser', words->>'sign_in_mine',
		words->>'sign_in_not_mine');
	t.variables := to_jsonb(words->>'sign_in_unknown');
	RETURN t;
END
$$;

COMMENT ON FUNCTION appt_internal.sign_in_words(text[]) IS
	'What a mail of a sign-in says, as a template; variables: what stands in '
	'the place of a browser that is not known. There is no link in it: who '
	'gets used to one follows a false one';

CREATE FUNCTION appt_internal.staff_zone(who appt.staff) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce((
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE ($1).branch_ids IS NULL OR b.branch_id = ANY (($1).branch_ids)
		ORDER BY NOT b.active, b.branch_id
		LIMIT 1), 'UTC')
$$;

COMMENT ON FUNCTION appt_internal.staff_zone IS
	'The time zone of a person''s first branch';

CREATE FUNCTION appt_internal.sign_in_message(
	n appt.notification,
	c appt.notification_channel,
	entry bigint)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a appt.staff_audit;
	who appt.staff;
	zone text;
	words CONSTANT appt.notification_template :=
		appt_internal.sign_in_words(ARRAY[n.language]);
BEGIN
	SELECT t.* INTO a
	FROM appt.staff_audit t
	WHERE t.staff_audit_no = entry;
	SELECT t.* INTO who
	FROM appt.staff t
	WHERE t.account = a.account;
	IF who.email IS DISTINCT FROM n.address THEN
		RAISE EXCEPTION 'it is not the address of the account any more'
			USING ERRCODE = 'data_exception';
	END IF;
	zone := appt_internal.staff_zone(who);
	RETURN (
		SELECT m
		FROM appt_internal.notification_message(n, c, words, jsonb_build_object(
			'patient_name', who.name,
			'name', who.name,
			'account', who.account,
			'time', to_char(a.at AT TIME ZONE zone, 'DD/MM/YYYY HH24:MI')
				|| ' (' || zone || ')',
			'address', coalesce(host(a.address), '-'),
			'browser', coalesce(a.detail, words.variables #>> '{}'))) m);
END
$$;

COMMENT ON FUNCTION appt_internal.sign_in_message IS
	'What the relay needs to send a mail of a sign-in, by the entry of the '
	'audit trail that it tells of';
