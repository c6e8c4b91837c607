/* ---------------------------------------------------------------------------
 * A test of a channel: one message to an address that is given, about no
 * visit, by a channel that may be switched off.  It is a message like others,
 * so that what is seen is what the relay does: its attempt has what the other
 * side answered.  It is tried once and told by no other channel.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.test_address(kind text, recipient text)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	address text;
BEGIN
	address := CASE
		WHEN recipient ~ '[\u0001-\u001f\u007f]' THEN NULL
		WHEN kind <> 'email' THEN appt_internal.phone_number(
			appt_internal.clean_phone(recipient), (
			SELECT coalesce(
				(appt_internal.effective_setting('calling_code', NULL, NULL))
					.value, d.default_value)
			FROM appt.setting_definition d
			WHERE d.name = 'calling_code'))
		WHEN appt_internal.is_address(btrim(recipient)) THEN btrim(recipient)
	END;
	IF address IS NULL THEN
		PERFORM appt_internal.refuse_member('to', CASE kind
			WHEN 'email' THEN 'It is an address such as desk@clinic.example.'
			ELSE 'It is a telephone number such as +919876543210.' END);
	END IF;
	RETURN address;
END
$$;

COMMENT ON FUNCTION appt_internal.test_address(text, text) IS
	'Where a test goes, as messages write it. Raises SB001';

CREATE FUNCTION appt_internal.write_test(
	channel_id text,
	recipient text,
	template_no bigint)
	RETURNS appt.notification
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	c appt.notification_channel;
	n appt.notification;
	words text;
BEGIN
	SELECT t.* INTO c
	FROM appt.notification_channel t
	WHERE t.channel_id = channel_id;
	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('notification channel', channel_id,
			'channel_id', 'SB404');
	END IF;
	SELECT t.language INTO words
	FROM appt.notification_template t
	WHERE t.notification_template_no = template_no
		AND t.channel = c.kind;
	IF template_no IS NOT NULL AND NOT FOUND THEN
		PERFORM appt_internal.refuse_id(c.kind || ' template',
			template_no::text, 'notification_template_id', 'SBU01');
	END IF;
	INSERT INTO appt.notification AS t
		(event, queue_no, channel_no, channel, language, address, template_no)
	VALUES ('test', c.channel_no, c.channel_no, c.kind, coalesce(words, 'en'),
		appt_internal.test_address(c.kind, recipient), template_no)
	RETURNING t.* INTO n;
	INSERT INTO appt.notification_apart (notification_no)
	VALUES (n.notification_no);
	RETURN n;
END
$$;

COMMENT ON FUNCTION appt_internal.write_test(text, text, bigint) IS
	'Writes the message of a test. Raises SB001, SB404, SBU01';

CREATE FUNCTION appt.test_channel(
	channel_id text,
	recipient text,
	notification_template_no bigint DEFAULT NULL)
	RETURNS appt.notification
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.write_test($1, $2, $3)
$$;

COMMENT ON FUNCTION appt.test_channel(text, text, bigint) IS
	'Has the relay send one message by a channel, active or not, to an e-mail '
	'address or telephone number: plain words, or those of a template of the '
	'channel''s kind with samples in them, for providers that take registered '
	'texts alone. Answers the message: what the other side said is then in '
	'appt.notification and appt.notification_attempt. Raises SB001, SB404, '
	'SBU01';

CREATE FUNCTION appt_internal.test_values() RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_object_agg(p.name, coalesce(s.sample, l.sample, ''))
		FILTER (WHERE p.name !~ '_link$' OR l.sample IS NOT NULL)
	FROM appt.notification_placeholder p
	LEFT JOIN (
		SELECT t.value || '/v/sample' AS sample
		FROM appt.setting t
		WHERE t.name = 'public_url' AND t.value <> 'none') l
		ON p.name ~ '_link$'
	LEFT JOIN (VALUES
		('appointment_id', 'APT-2026-000123'),
		('branch_address', '12 Main Road'),
		('branch_name', 'Main branch'),
		('branch_phone', '+91 22 1234 5678'),
		('doctor_name', 'Dr Test'),
		('offer_until', '15/03/2026 09:00'),
		('patient_first_name', 'Test'),
		('patient_last_name', 'Patient'),
		('patient_name', 'Test Patient'),
		('reason', 'a test'),
		('slot_date', '15/03/2026'),
		('slot_time', '09:30'),
		('token_number', '7'),
		('visit_type_name', 'Consultation')) AS s (name, sample)
		ON s.name = p.name
$$;

COMMENT ON FUNCTION appt_internal.test_values() IS
	'What stands in the place of placeholders in a test; no links where there '
	'are none in messages';

CREATE FUNCTION appt_internal.test_message(
	n appt.notification,
	c appt.notification_channel)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t appt.notification_template;
BEGIN
	SELECT k.* INTO t
	FROM appt.notification_template k
	WHERE k.notification_template_no = n.template_no;
	IF NOT FOUND THEN
		t.language := 'en';
		t.subject := 'Test of a channel to patients';
		t.body := format('This is a test of the channel %s.', c.channel_id);
		t.variables := '[]';
	END IF;
	RETURN (
		SELECT m
		FROM appt_internal.notification_message(n, c, t,
			appt_internal.test_values()) m);
END
$$;

COMMENT ON FUNCTION appt_internal.test_message IS
	'What the relay needs to send a test';
