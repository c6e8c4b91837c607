/* ---------------------------------------------------------------------------
 * Templates of messages to patients: what is to be said, by event, channel and
 * language, with placeholders {{name}} for what an appointment brings.
 *
 * A text is looked at when it is saved, so that a message cannot go wrong on
 * its way.
 * ------------------------------------------------------------------------ */

CREATE DOMAIN appt.message_event AS text
	CONSTRAINT message_event_known CHECK (VALUE IN ('booked', 'rescheduled',
		'cancelled', 'reminder', 'waitlist_offer', 'follow_up'));

COMMENT ON DOMAIN appt.message_event IS
	'What a patient is told of: booked, rescheduled, cancelled, a reminder of '
	'the visit; a place that became free (waitlist_offer), that it is time to '
	'come again (follow_up)';

CREATE DOMAIN appt.message_channel AS text
	CONSTRAINT message_channel_known CHECK (VALUE IN ('email', 'sms',
		'whatsapp'));

COMMENT ON DOMAIN appt.message_channel IS
	'How a patient is told: email, sms or whatsapp';

CREATE DOMAIN appt.message_text AS text
	CONSTRAINT message_text_printable
		CHECK (VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f]');

COMMENT ON DOMAIN appt.message_text IS
	'Plain text of one or more lines, each ended by a line feed; tabs are its '
	'only other control characters';

CREATE FUNCTION appt_internal.is_language_tag(tag text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN tag ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' AND length(tag) <= 35;

COMMENT ON FUNCTION appt_internal.is_language_tag(text) IS
	'Whether it has the form of a language tag (BCP 47): en, hi, en-IN';

CREATE TABLE appt.notification_template (
	notification_template_no bigint GENERATED ALWAYS AS IDENTITY,
	event appt.message_event NOT NULL,
	channel appt.message_channel NOT NULL,
	language text NOT NULL,
	subject text,
	body appt.message_text NOT NULL,
	category text NOT NULL DEFAULT 'transactional',
	provider_template text,
	provider_language text,
	variables jsonb NOT NULL DEFAULT '[]',
	dlt_template_id text,
	dlt_text appt.message_text,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT notification_template_pkey
		PRIMARY KEY (notification_template_no),
	CONSTRAINT notification_template_language_format
		CHECK (appt_internal.is_language_tag(language)),
	CONSTRAINT notification_template_subject_of_email
		CHECK ((channel = 'email') = (subject IS NOT NULL)),
	CONSTRAINT notification_template_subject_format
		CHECK (subject ~ '\S' AND length(subject) <= 200
			AND subject !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]'),
	CONSTRAINT notification_template_body_not_blank CHECK (body ~ '\S'),
	CONSTRAINT notification_template_body_length CHECK (length(body) <=
		CASE WHEN channel = 'email' THEN 10000 ELSE 1000 END),
	CONSTRAINT notification_template_category_known
		CHECK (category IN ('transactional', 'service_implicit',
			'service_explicit', 'promotional')),
	CONSTRAINT notification_template_provider_printable
		CHECK (provider_template ~ '^[\u0021-\u007e]{1,255}$'
			AND provider_language ~ '^[A-Za-z_-]{2,35}$'),
	CONSTRAINT notification_template_variables_list
		CHECK (jsonb_typeof(variables) = 'array'),
	CONSTRAINT notification_template_dlt_format
		CHECK (dlt_template_id ~ '^[0-9]{5,30}$'),
	CONSTRAINT notification_template_dlt_text_length
		CHECK (length(dlt_text) <= 1000)
);

/* Tags do not differ by case: en-in is en-IN. */
CREATE UNIQUE INDEX notification_template_key ON appt.notification_template
	(event, channel, pg_catalog.lower(language));

COMMENT ON TABLE appt.notification_template IS
	'What patients are told: one text for each event, channel and language. '
	'appt.notification_placeholder lists what can stand in it';
COMMENT ON COLUMN appt.notification_template.notification_template_no IS
	'Number of the template';
COMMENT ON COLUMN appt.notification_template.event IS
	'booked, rescheduled, cancelled, reminder, waitlist_offer, follow_up';
COMMENT ON COLUMN appt.notification_template.channel IS
	'email, sms, whatsapp';
COMMENT ON COLUMN appt.notification_template.language IS
	'Language tag (BCP 47): en, hi, en-IN. One of en is for patients of en-IN '
	'too, unless there is one of en-IN';
COMMENT ON COLUMN appt.notification_template.subject IS
	'Subject of an e-mail, one line of at most 200 characters; NULL for the '
	'other channels';
COMMENT ON COLUMN appt.notification_template.body IS
	'The text, plain: at most 10000 characters by e-mail, 1000 otherwise, '
	'before placeholders are filled in';
COMMENT ON COLUMN appt.notification_template.category IS
	'transactional, service_implicit, service_explicit or promotional (TRAI): '
	'the last two go out from 10:00 to 21:00 Indian time alone';
COMMENT ON COLUMN appt.notification_template.provider_template IS
	'Id or name of the text where the provider keeps it: ContentSid, name of '
	'the WhatsApp template, MSG91 flow';
COMMENT ON COLUMN appt.notification_template.provider_language IS
	'Its language as the provider writes it: en_US';
COMMENT ON COLUMN appt.notification_template.variables IS
	'What the provider fills in, in its order: '
	'[{"name": "VAR1", "value": "{{slot_date}}", "max_length": 30}]';
COMMENT ON COLUMN appt.notification_template.dlt_template_id IS
	'Id of the text as it is registered for SMS in India (DLT)';
COMMENT ON COLUMN appt.notification_template.dlt_text IS
	'The text as it is registered, {#var#} for each placeholder: operators '
	'refuse any other, so body is compared with it';
COMMENT ON COLUMN appt.notification_template.active IS
	'false: passed over, as if it were not there';
COMMENT ON COLUMN appt.notification_template.version IS
	'Rises by one with every change; the ETag over HTTP';
COMMENT ON CONSTRAINT notification_template_subject_format
	ON appt.notification_template IS
	'A line end in a subject would begin another header of the mail';
COMMENT ON INDEX appt.notification_template_key IS
	'One template for each event, channel and language';

/* --- placeholders ------------------------------------------------------- */

CREATE VIEW appt.notification_placeholder AS
SELECT *
FROM (VALUES
	('appointment_id', 'Id of the appointment: APT-2026-000123'),
	('branch_address', 'Postal address of the branch'),
	('branch_name', 'Name of the branch'),
	('branch_phone', 'Telephone number of the branch'),
	('cancel_link', 'Where the patient can cancel the visit'),
	('confirm_link', 'Where the patient can say that he will come'),
	('doctor_name', 'Name of the doctor'),
	('move_link', 'Where the patient can choose another time'),
	('offer_link', 'Of waitlist_offer: where the patient takes or declines the '
		'place'),
	('offer_until', 'Of waitlist_offer: until when the place is kept: '
		'15/03/2026 09:30'),
	('patient_first_name', 'First name of the patient'),
	('patient_last_name', 'Last name of the patient'),
	('patient_name', 'First and last name of the patient'),
	('reason', 'Why it was last rescheduled or cancelled'),
	('slot_date', 'Day of the visit at the branch: 15/03/2026'),
	('slot_time', 'Time of the visit at the branch, of 24 hours: 09:30'),
	('token_number', 'Number in the queue of the day'),
	('unsubscribe_link', 'Where the patient can stop reminders by the channel'),
	('view_link', 'Where the visit is shown as it is'),
	('visit_type_name', 'Name of the visit type')
) AS p (name, meaning);

COMMENT ON VIEW appt.notification_placeholder IS
	'What can stand between {{ and }} in a template; what an appointment has '
	'not, such as a reason, is left empty. Without the setting public_url '
	'there are no links, and lines that have one are left out';
COMMENT ON COLUMN appt.notification_placeholder.name IS
	'What is written between {{ and }}';
COMMENT ON COLUMN appt.notification_placeholder.meaning IS
	'What stands there in a message';

CREATE FUNCTION appt_internal.check_variables(
	template appt.notification_template)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	problem text;
BEGIN
	/* Of what is no list the column's own CHECK speaks. */
	IF jsonb_typeof(template.variables) IS DISTINCT FROM 'array' THEN
		RETURN;
	END IF;
	SELECT CASE
		WHEN jsonb_typeof(v.variable) <> 'object'
			OR (v.variable->>'name') !~ '^[A-Za-z0-9_]{1,64}$'
			OR v.variable->>'name' IS NULL
			OR jsonb_typeof(v.variable->'value') IS DISTINCT FROM 'string'
			OR v.variable - '{name,value,max_length}'::text[] <> '{}'
			OR coalesce(v.variable->>'max_length', '30')
				!~ '^[1-9][0-9]{0,3}$' THEN
			'A variable is {"name": "VAR1", "value": "{{slot_date}}", '
				'"max_length": 30}.'
		WHEN count(*) OVER (PARTITION BY v.variable->>'name') > 1 THEN
			format('There are two variables "%s".', v.variable->>'name')
		WHEN template.dlt_template_id IS NOT NULL
			AND jsonb_array_length(template.variables) > 3 THEN
			'DLT allows three variables at most.'
		WHEN template.dlt_template_id IS NOT NULL
			AND coalesce((v.variable->>'max_length')::integer, 30) > 30 THEN
			'DLT allows 30 characters in a variable.'
		WHEN v.variable->>'value' ~ '\{\{[a-z]+_link\}\}'
			AND coalesce((v.variable->>'max_length')::integer,
				CASE WHEN template.dlt_template_id IS NOT NULL THEN 30
					ELSE 1000 END) < 320 THEN
			'A link needs a variable of 320 characters.'
		END
	INTO problem
	FROM jsonb_array_elements(template.variables) v (variable)
	ORDER BY 1
	LIMIT 1;

	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'the variables of the template are wrong'
			USING ERRCODE = 'SB001', COLUMN = 'variables', DETAIL = problem;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_variables IS
	'Refuses variables that a provider or DLT would refuse; raises SB001';

CREATE FUNCTION appt_internal.check_registered_text(
	template appt.notification_template)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ours CONSTANT text :=
		regexp_replace(template.body, '\{\{[^{}]*\}\}', '{#var#}', 'g');
	/* Since 2025 some registered variables have a type: {#url#}. */
	registered CONSTANT text :=
		regexp_replace(template.dlt_text, '\{#[a-z]+#\}', '{#var#}', 'g');
	count CONSTANT integer :=
		(length(ours) - length(replace(ours, '{#var#}', ''))) / 7;
	same integer := 0;
	problem text;
BEGIN
	IF template.dlt_template_id IS NULL THEN
		problem := CASE WHEN template.dlt_text IS NOT NULL THEN
			'It is the text of a dlt_template_id, which is not given.' END;
	ELSIF count > 3 THEN
		problem := 'DLT allows three variables at most.';
	ELSIF template.body ~ '\{\{[a-z]+_link\}\}' THEN
		problem := 'DLT allows 30 characters in a variable, which hold no '
			'link.';
	ELSIF ours <> registered THEN
		WHILE left(ours, same + 1) = left(registered, same + 1) LOOP
			same := same + 1;
		END LOOP;
		problem := format('It differs from the registered text from "%s" on, '
			'where that has "%s".', substr(ours, same + 1, 20),
			substr(registered, same + 1, 20));
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'the text is not one that operators would pass on'
			USING ERRCODE = 'SB001', DETAIL = problem,
				COLUMN = CASE WHEN template.dlt_template_id IS NULL
					THEN 'dlt_text' ELSE 'body' END;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_registered_text IS
	'Refuses a text that is not the one registered for SMS in India, or has '
	'more variables than DLT allows; raises SB001';

CREATE FUNCTION appt_internal.template_warnings(t appt.notification_template)
	RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
		SELECT w.sentence
		FROM (VALUES
			(1, t.dlt_text IS NULL, 'The text is not compared with the '
				'registered one: set dlt_text to what is registered.'),
			(2, greatest((
					SELECT count(*)
					FROM regexp_matches(t.body, '\{\{[^{}]*\}\}', 'g')),
				CASE jsonb_typeof(t.variables) WHEN 'array'
					THEN jsonb_array_length(t.variables) END) = 3,
				'The text has three variables; some operators pass on two at '
				'most.')) AS w (place, applies, sentence)
		WHERE t.dlt_template_id IS NOT NULL AND w.applies
		ORDER BY w.place)
	|| ARRAY(
		SELECT format('The channel "%s" sends %s, which is not set.',
			c.channel_id, f.name)
		FROM appt.notification_channel c
		CROSS JOIN (VALUES ('provider_template', t.provider_template),
			('provider_language', t.provider_language),
			('dlt_template_id', t.dlt_template_id)) AS f (name, value)
		WHERE c.kind = t.channel
			AND c.active
			AND f.value IS NULL
			AND strpos(c.settings::text, '{{' || f.name || '}}') > 0
		ORDER BY c.channel_id, f.name);
END
$$;

COMMENT ON FUNCTION appt_internal.template_warnings IS
	'What operators or the provider may not pass on of a template, though it '
	'can be saved: sentences';

CREATE FUNCTION appt_internal.notification_template_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong record;
	warning text;
BEGIN
	PERFORM appt_internal.check_variables(NEW);
	SELECT f.name AS field, t.match[1] AS token INTO wrong
	FROM (
		VALUES (1, 'subject', NEW.subject), (2, 'body', NEW.body)
		UNION ALL
		SELECT 2 + v.place, 'variables', v.variable->>'value'
		FROM jsonb_array_elements(CASE jsonb_typeof(NEW.variables)
			WHEN 'array' THEN NEW.variables END) WITH ORDINALITY
			AS v (variable, place)) AS f (place, name, template)
	CROSS JOIN LATERAL regexp_matches(f.template,
		'\{\{[^{}\n]{0,24}(?:\}\})?|\}\}', 'g') WITH ORDINALITY
		AS t (match, place)
	WHERE NOT EXISTS (
		SELECT
		FROM appt.notification_placeholder p
		WHERE t.match[1] = '{{' || p.name || '}}')
	ORDER BY f.place, t.place
	LIMIT 1;

	IF FOUND THEN
		RAISE EXCEPTION '"%" in the % is not a placeholder', wrong.token,
			wrong.field
			USING ERRCODE = 'SB001', COLUMN = wrong.field,
				DETAIL = format('"%s" is not a placeholder; {{slot_date}} is '
					'one.', wrong.token),
				HINT = format('There are %s.', (
					SELECT string_agg('{{' || p.name || '}}', ', '
						ORDER BY p.name)
					FROM appt.notification_placeholder p));
	END IF;
	PERFORM appt_internal.check_registered_text(NEW);
	FOREACH warning IN ARRAY appt_internal.template_warnings(NEW) LOOP
		RAISE WARNING 'the text may not be passed on'
			USING DETAIL = warning;
	END LOOP;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_template_check() IS
	'Row trigger: refuses {{ and }} around anything but a placeholder, and '
	'what DLT would refuse; raises SB001, which names the first that is wrong. '
	'Warns of what may be refused';

CREATE TRIGGER notification_template_check
	BEFORE INSERT OR UPDATE ON appt.notification_template
	FOR EACH ROW EXECUTE FUNCTION appt_internal.notification_template_check();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.notification_template
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();

/* --- the language where there is none of the patient's ------------------ */

INSERT INTO appt.setting_definition (name, kind, default_value, description)
VALUES ('default_language', 'text', 'en',
	'Language of messages to patients in whose own there is no template');

CREATE FUNCTION appt_internal.default_language_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'value "%" of setting "%" is not a language tag',
		NEW.value, NEW.name
		USING ERRCODE = 'SB001', COLUMN = 'value',
			DETAIL = 'It must be a language tag such as en or hi-IN.';
END
$$;

COMMENT ON FUNCTION appt_internal.default_language_check() IS
	'Row trigger: refuses a default language that is not a tag; raises SB001';

CREATE TRIGGER default_language_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW WHEN (NEW.name = 'default_language'
		AND NOT appt_internal.is_language_tag(NEW.value))
	EXECUTE FUNCTION appt_internal.default_language_check();

CREATE FUNCTION appt_internal.default_languages(branch_id text, doctor_id text)
	RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
		SELECT s.value
		FROM appt.setting s
		WHERE s.name = 'default_language'
			AND (s.branch_id IS NULL OR s.branch_id = $1)
			AND (s.doctor_id IS NULL OR s.doctor_id = $2)
		ORDER BY s.doctor_id IS NULL, s.branch_id IS NULL)
	|| ARRAY(
		SELECT d.default_value
		FROM appt.setting_definition d
		WHERE d.name = 'default_language'
			AND NOT EXISTS (
				SELECT
				FROM appt.setting s
				WHERE s.name = d.name
					AND s.branch_id IS NULL
					AND s.doctor_id IS NULL));
END
$$;

COMMENT ON FUNCTION appt_internal.default_languages(text, text) IS
	'The languages that are tried after the patient''s own: the doctor''s, the '
	'branch''s, and the one that holds in general';

/* --- rendering ---------------------------------------------------------- */

CREATE FUNCTION appt_internal.visit_values(
	appointment_id text,
	token_number integer,
	slot_start timestamptz,
	time_zone text,
	reason text,
	branch_name text,
	branch_phone text,
	branch_address text,
	doctor_name text,
	visit_type_name text,
	first_name text,
	last_name text)
	RETURNS jsonb
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_visit_values';

COMMENT ON FUNCTION appt_internal.visit_values IS
	'What the placeholders stand for in an appointment, an object of '
	'appt.notification_placeholder';

CREATE FUNCTION appt_internal.template_values(appointment_id text) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT appt_internal.visit_values(a.appointment_id, a.token_number,
			a.slot_start, b.time_zone, a.reason, b.name, b.phone, b.address,
			d.name, v.name, p.first_name, p.last_name)
		FROM appt.appointment a
		JOIN appt.branch b ON b.branch_id = a.branch_id
		JOIN appt.doctor d ON d.doctor_no = a.doctor_no
		JOIN appt.patient p ON p.patient_no = a.patient_no
		LEFT JOIN appt.visit_type v ON v.visit_type = a.visit_type
		WHERE a.appointment_id = $1);
END
$$;

COMMENT ON FUNCTION appt_internal.template_values(text) IS
	'appt_internal.visit_values by the public name; NULL: there is none, or it '
	'is a hold';

CREATE FUNCTION appt_internal.fill_template(template text, filling jsonb)
	RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_template';

COMMENT ON FUNCTION appt_internal.fill_template(text, jsonb) IS
	'A template that was saved, with the values in place of the placeholders. '
	'A value stands there as it is: what looks like a placeholder in it is '
	'none';

CREATE FUNCTION appt_internal.leave_links_out(template text, filling jsonb)
	RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN regexp_replace(array_to_string(ARRAY(
			SELECT l.line
			FROM string_to_table(template, E'\n') WITH ORDINALITY
				AS l (line, place)
			WHERE NOT EXISTS (
				SELECT
				FROM regexp_matches(l.line, '\{\{([a-z]+_link)\}\}', 'g')
					AS m (match)
				WHERE NOT filling ? m.match[1])
			ORDER BY l.place), E'\n'),
		'\n{3,}', E'\n\n', 'g');
END
$$;

COMMENT ON FUNCTION appt_internal.leave_links_out(text, jsonb) IS
	'A template without the lines that have a link which there is not';

/* Without a search_path of its own, as appt_internal.visit_values.  Of a visit
 * there are all links or none; the offer's is of none. */
CREATE FUNCTION appt_internal.fill_lines(template text, filling jsonb)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT appt_internal.fill_template(CASE
		WHEN pg_catalog.strpos(template, '_link}}') = 0
			OR filling ? 'view_link'
				AND pg_catalog.strpos(template, '{{offer_link}}') = 0
			THEN template
		ELSE appt_internal.leave_links_out(template, filling) END, filling)
$$;

COMMENT ON FUNCTION appt_internal.fill_lines(text, jsonb) IS
	'As appt_internal.fill_template; lines that have a link which there is not '
	'are left out';

CREATE FUNCTION appt_internal.fill_short(
	template text,
	filling jsonb,
	max_length integer)
	RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_short';

COMMENT ON FUNCTION appt_internal.fill_short(text, jsonb, integer) IS
	'As appt_internal.fill_template, with no value longer than so many '
	'characters';

CREATE FUNCTION appt.render_template(
	notification_template_no bigint,
	appointment_id text,
	OUT subject text,
	OUT body text)
	RETURNS record
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	template appt.notification_template;
	filling jsonb := appt_internal.template_values(appointment_id);
BEGIN
	SELECT * INTO template
	FROM appt.notification_template t
	WHERE t.notification_template_no = $1;

	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('notification template', $1::text,
			'notification_template_id', 'SB404');
	ELSIF filling IS NULL THEN
		PERFORM appt_internal.refuse_id('appointment', appointment_id,
			'appointment_id', 'SB404');
	END IF;
	SELECT filling || appt_internal.link_values(a, template.channel, false)
		|| CASE template.event WHEN 'waitlist_offer'
			THEN appt_internal.sample_offer(a) ELSE '{}' END
	INTO filling
	FROM appt.appointment a
	WHERE a.appointment_id = $2;
	subject := regexp_replace(
		appt_internal.fill_template(template.subject, filling),
		'[\u0001-\u001f\u007f-\u009f\u2028\u2029]+', ' ', 'g');
	body := appt_internal.fill_lines(template.body, filling);
END
$$;

COMMENT ON FUNCTION appt.render_template(bigint, text) IS
	'What a template, active or not, says of an appointment as it is now: a '
	'preview. Values are put in as they are; only in the subject, which is one '
	'line, a blank takes the place of line ends and other control characters. '
	'Both are plain text, to be encoded for where they go. Links in it open '
	'nothing: those in messages are signed as they are sent. Raises SB404';

CREATE FUNCTION appt_internal.choose_template(
	event appt.message_event,
	channel appt.message_channel,
	languages text[])
	RETURNS SETOF appt.notification_template
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT t.*
	FROM pg_catalog.unnest($3) WITH ORDINALITY AS l (language, preference)
	JOIN appt.notification_template t ON t.event = $1 AND t.channel = $2
		AND t.active
		AND pg_catalog.starts_with(pg_catalog.lower(l.language) || '-',
			pg_catalog.lower(t.language) || '-')
	ORDER BY l.preference, pg_catalog.length(t.language) DESC
	LIMIT 1
$$;

COMMENT ON FUNCTION appt_internal.choose_template(appt.message_event,
	appt.message_channel, text[]) IS
	'The active template of the first language for which there is one: of just '
	'this tag, else of the tag without its last parts (hi for hi-IN). No row: '
	'there is none';

CREATE FUNCTION appt.render_message(
	event appt.message_event,
	channel appt.message_channel,
	appointment_id text,
	language text DEFAULT NULL,
	OUT notification_template_no bigint,
	OUT template_language text,
	OUT subject text,
	OUT body text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	template appt.notification_template;
	languages text[];
BEGIN
	SELECT coalesce($4, p.language)
		|| appt_internal.default_languages(a.branch_id, a.doctor_id)
	INTO languages
	FROM appt.appointment a
	JOIN appt.patient p ON p.patient_no = a.patient_no
	WHERE a.appointment_id = $3;

	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('appointment', $3, 'appointment_id',
			'SB404');
	END IF;
	template := appt_internal.choose_template($1, $2, languages);
	IF template.notification_template_no IS NOT NULL THEN
		RETURN QUERY
		SELECT template.notification_template_no, template.language, r.subject,
			r.body
		FROM appt.render_template(template.notification_template_no, $3) r;
	END IF;
END
$$;

COMMENT ON FUNCTION appt.render_message(appt.message_event,
	appt.message_channel, text, text) IS
	'The message to an appointment''s patient as it would be now, in the '
	'language given (default: the patient''s), else in the setting '
	'default_language of the doctor, of the branch, or in general; no row: '
	'there is no active template. Raises SB404, and 23514 for an event or '
	'channel that is none';
