/* ---------------------------------------------------------------------------
 * The patient's choice: in which order channels are tried, and what is not to
 * be told by which.  The language is appt.patient.language.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.notification_preference (
	patient_id text NOT NULL,
	channels text[] NOT NULL,
	CONSTRAINT notification_preference_pkey PRIMARY KEY (patient_id),
	CONSTRAINT notification_preference_patient_fkey FOREIGN KEY (patient_id)
		REFERENCES appt.patient ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT notification_preference_channels_known
		CHECK (cardinality(channels) > 0
			AND channels <@ '{email,sms,whatsapp}'::text[])
);

COMMENT ON TABLE appt.notification_preference IS
	'In which order a patient wants to be told; no row: the setting '
	'notification_order';
COMMENT ON COLUMN appt.notification_preference.channels IS
	'Of email, sms, whatsapp; one that is left out is not used';

CREATE TABLE appt.notification_opt_out (
	patient_id text NOT NULL,
	channel text NOT NULL,
	event text NOT NULL,
	opted_out_at timestamptz NOT NULL DEFAULT appt.clock(),
	way text NOT NULL,
	CONSTRAINT notification_opt_out_pkey
		PRIMARY KEY (patient_id, channel, event),
	CONSTRAINT notification_opt_out_patient_fkey FOREIGN KEY (patient_id)
		REFERENCES appt.patient ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT notification_opt_out_channel_known
		CHECK (channel IN ('email', 'sms', 'whatsapp', '*')),
	CONSTRAINT notification_opt_out_event_known
		CHECK (event IN ('booked', 'rescheduled', 'cancelled', 'reminder',
			'waitlist_offer', 'follow_up', '*')),
	CONSTRAINT notification_opt_out_way_not_blank CHECK (way ~ '\S')
);

COMMENT ON TABLE appt.notification_opt_out IS
	'What a patient does not want to be told. Kept as the proof of the wish: '
	'when it was said, and by which way';
COMMENT ON COLUMN appt.notification_opt_out.channel IS
	'email, sms, whatsapp; * stands for all of them';
COMMENT ON COLUMN appt.notification_opt_out.event IS
	'What is not to be told: an event of appt.message_event; * stands for all';
COMMENT ON COLUMN appt.notification_opt_out.opted_out_at IS
	'When the patient said so';
COMMENT ON COLUMN appt.notification_opt_out.way IS
	'How the patient said so: desk, phone, link, STOP by SMS';

/* --- settings ----------------------------------------------------------- */

INSERT INTO appt.setting_definition
	(name, kind, default_value, min_value, max_value, description)
VALUES
	('reminder_lead_min', 'text', '1440,120', NULL, NULL,
		'Minutes before a visit at which its patient is reminded, with commas '
		'between; none: nobody is'),
	('follow_up_days', 'text', 'none', NULL, NULL,
		'Days after a visit on which its patient is asked to come again; none: '
		'nobody is'),
	('notification_order', 'text', 'whatsapp,sms,email', NULL, NULL,
		'In which order channels are tried for a patient who did not choose'),
	('quiet_from', 'text', '21:00', NULL, NULL,
		'Branch-local time from which what can wait is not sent'),
	('quiet_to', 'text', '08:00', NULL, NULL,
		'Branch-local time until which it is not; as quiet_from: always sent'),
	('settle_s', 'integer', '60', 0, 3600,
		'Seconds that a change waits for another before its patient is told'),
	('fallback_after_min', 'integer', '10', 1, 1440,
		'Minutes without a report of delivery until the next channel is tried');

CREATE FUNCTION appt_internal.notification_setting_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	problem text;
BEGIN
	problem := CASE NEW.name
		WHEN 'reminder_lead_min' THEN
			CASE WHEN NEW.value !~ '^(none|[1-9][0-9]{0,4}(,[1-9][0-9]{0,4})*)$'
				THEN 'It is none, or one to ten numbers such as 1440,120.'
			WHEN NEW.value <> 'none' AND (
				cardinality(string_to_array(NEW.value, ',')) > 10
				OR 43200 < ANY (string_to_array(NEW.value, ',')::integer[]))
				THEN 'It is at most ten numbers of at most 43200 minutes.'
			END
		WHEN 'follow_up_days' THEN
			CASE WHEN NEW.value !~ '^(none|[1-9][0-9]{0,2})$'
				THEN 'It is none, or a number of days from 1 to 999.'
			END
		WHEN 'notification_order' THEN
			CASE WHEN NOT string_to_array(NEW.value, ',') <@
				'{email,sms,whatsapp}'::text[]
				THEN 'It is of whatsapp, sms and email, with commas between.'
			END
		ELSE
			CASE WHEN NEW.value !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
				THEN 'It is a time such as 21:00.'
			END
		END;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'value "%" of setting "%" is wrong',
			NEW.value, NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value', DETAIL = problem;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_setting_check() IS
	'Row trigger: refuses what is no list of leads, no number of days, no '
	'order of channels, no time; raises SB001';

CREATE TRIGGER notification_setting_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW WHEN (NEW.name IN ('reminder_lead_min', 'follow_up_days',
		'notification_order', 'quiet_from', 'quiet_to'))
	EXECUTE FUNCTION appt_internal.notification_setting_check();

/* Settings of messages as they are for one doctor at one branch. */
CREATE TYPE appt_internal.notification_rules AS (
	leads integer[],
	channels text[],
	quiet_from time,
	quiet_to time,
	settle_s integer,
	fallback_after_min integer,
	languages text[],
	follow_up_days integer
);

COMMENT ON TYPE appt_internal.notification_rules IS
	'The settings of messages as they are for one doctor at one branch: leads '
	'in minutes, the longest first; languages: those after the patient''s own; '
	'follow_up_days NULL: nobody is asked to come again';

CREATE FUNCTION appt_internal.notification_rules(
	branch_id text,
	doctor_id text)
	RETURNS appt_internal.notification_rules
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v jsonb;
	rules appt_internal.notification_rules;
BEGIN
	SELECT jsonb_object_agg(d.name, coalesce(s.value, d.default_value))
	INTO v
	FROM appt.setting_definition d
	LEFT JOIN LATERAL (
		SELECT s.value
		FROM appt.setting s
		WHERE s.name = d.name
			AND (s.branch_id IS NULL OR s.branch_id = $1)
			AND (s.doctor_id IS NULL OR s.doctor_id = $2)
		ORDER BY s.doctor_id IS NULL, s.branch_id IS NULL
		LIMIT 1) s ON true
	WHERE d.name IN ('reminder_lead_min', 'notification_order', 'quiet_from',
		'quiet_to', 'settle_s', 'fallback_after_min', 'follow_up_days');

	rules.leads := ARRAY(
		SELECT DISTINCT l.lead_min::integer
		FROM unnest(string_to_array(v->>'reminder_lead_min', ','))
			AS l (lead_min)
		WHERE l.lead_min <> 'none'
		ORDER BY 1 DESC);
	rules.channels := string_to_array(v->>'notification_order', ',');
	rules.quiet_from := v->>'quiet_from';
	rules.quiet_to := v->>'quiet_to';
	rules.settle_s := v->>'settle_s';
	rules.fallback_after_min := v->>'fallback_after_min';
	rules.languages := appt_internal.default_languages(branch_id, doctor_id);
	rules.follow_up_days := nullif(v->>'follow_up_days', 'none');
	RETURN rules;
END
$$;

COMMENT ON FUNCTION appt_internal.notification_rules(text, text) IS
	'The settings of messages for a doctor at a branch';
