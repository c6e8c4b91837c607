/* ---------------------------------------------------------------------------
 * What the JSON functions for patients and configuration have in common, as
 * data: each resource's table, key, members, and who may see and change a
 * row; and a sentence for each constraint that a caller can break.
 *
 * Every row carries a version, which rises with each change whoever makes it.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.next_version() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.version := OLD.version + 1;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt.next_version() IS
	'Row trigger: the version rises by one with each change';

DO $$
DECLARE
	config_table text;
BEGIN
	FOREACH config_table IN ARRAY ARRAY['branch', 'doctor', 'visit_type',
		'working_hours', 'extra_session', 'time_off', 'closure', 'setting',
		'patient']
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER next_version BEFORE UPDATE ON appt.%I '
			'FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) '
			'EXECUTE FUNCTION appt.next_version()', config_table);
	END LOOP;
END
$$;

/* --- what an API client may see --------------------------------------- */

CREATE FUNCTION appt.client_sees_all(client text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN coalesce(appt.client_branches(client) && ARRAY['*'], true);

COMMENT ON FUNCTION appt.client_sees_all(text) IS
	'Whether an API client is not limited to some branches';

CREATE FUNCTION appt.doctor_branches(doctor_id text) RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(s.branch_id ORDER BY s.branch_id)
	FROM (
		SELECT h.branch_id
		FROM appt.working_hours h
		WHERE h.doctor_id = $1
		UNION
		SELECT e.branch_id
		FROM appt.extra_session e
		WHERE e.doctor_id = $1) s
$$;

COMMENT ON FUNCTION appt.doctor_branches(text) IS
	'The branches where a doctor has weekly or extra sessions; NULL: none';

CREATE FUNCTION appt.client_sees_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN appt.client_sees_all(client)
	OR coalesce(
		appt.client_branches(client) && appt.doctor_branches(doctor_id), true);

COMMENT ON FUNCTION appt.client_sees_doctor(text, text) IS
	'Whether an API client may see a doctor: one who works at a branch of the '
	'client''s, or nowhere yet';

CREATE FUNCTION appt.client_manages_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN appt.client_sees_all(client)
	OR coalesce(
		appt.client_branches(client) @> appt.doctor_branches(doctor_id), true)
	AND NOT EXISTS (
		SELECT
		FROM appt.doctor d
		JOIN appt.appointment a ON a.doctor_no = d.doctor_no
			AND a.status NOT IN ('cancelled', 'no_show', 'completed')
		WHERE d.doctor_id = client_manages_doctor.doctor_id
			AND NOT appt.client_sees(client, a.branch_id));

COMMENT ON FUNCTION appt.client_manages_doctor(text, text) IS
	'Whether what an API client changes of a doctor concerns its own branches '
	'alone: the sessions, and what is booked beside them and has not ended, '
	'also of days that have passed';

CREATE FUNCTION appt.client_sees_patient(client text, patient appt.patient)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN patient.branch_id IS NULL
	OR appt.client_sees(client, patient.branch_id)
	OR EXISTS (
		SELECT
		FROM appt.appointment a
		WHERE a.patient_no = patient.patient_no
			AND appt.client_sees(client, a.branch_id));

COMMENT ON FUNCTION appt.client_sees_patient(text, appt.patient) IS
	'Whether an API client may see a patient: one who registered at a branch '
	'of the client''s or at none, or has an appointment at one of them';

CREATE FUNCTION appt.client_manages_setting(client text, setting appt.setting)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN setting.doctor_id IS NOT NULL THEN
		appt.client_manages_doctor(client, setting.doctor_id)
	WHEN setting.branch_id IS NOT NULL THEN
		appt.client_sees(client, setting.branch_id)
	ELSE appt.client_sees_all(client)
END;

COMMENT ON FUNCTION appt.client_manages_setting(text, appt.setting) IS
	'Whether an API client may change a setting: where it is limited, one of '
	'its branches or of a doctor who works nowhere else';

CREATE FUNCTION appt.doctor_zone(doctor_id text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		(SELECT b.time_zone
		 FROM appt.branch b
		 WHERE b.branch_id = ANY (appt.doctor_branches($1)) OR b.active
		 ORDER BY b.branch_id = ANY (appt.doctor_branches($1)) DESC NULLS LAST,
			b.branch_id
		 LIMIT 1),
		'UTC')
$$;

COMMENT ON FUNCTION appt.doctor_zone(text) IS
	'The time zone in which a doctor''s time off is shown: that of the first '
	'branch where the doctor works, else of the first branch';

/* --- the resources ----------------------------------------------------- */

CREATE VIEW appt.resource AS
SELECT r.*,
	coalesce('t.' || r.parent || ' = $2', 'true') AS owned,
	'to_jsonb(t)' || CASE WHEN r.name = 'doctor' THEN
		' || jsonb_build_object(''branch_ids'','
		' appt.doctor_branches(t.doctor_id))' ELSE '' END AS facts
FROM (VALUES
	('branch', 'branch_id', NULL,
		'{branch_id,name,time_zone,address,phone,slot_min,active}'::text[],
		'appt.client_sees($1, t.branch_id)',
		'appt.client_sees($1, t.branch_id)',
		'EXISTS (SELECT FROM appt.api_client c'
		' WHERE t.branch_id = ANY (c.branch_ids))'
		' OR EXISTS (SELECT FROM appt.webhook w'
		' WHERE t.branch_id = ANY (w.branch_ids))',
		NULL, 't.branch_id'),
	('doctor', 'doctor_id', NULL,
		'{doctor_id,name,specialty,slot_min,buffer_before_min,'
		'buffer_after_min,active}',
		'appt.client_sees_doctor($1, t.doctor_id)',
		'appt.client_manages_doctor($1, t.doctor_id)',
		'false', NULL, 't.doctor_id'),
	('visit_type', 'visit_type', NULL,
		'{visit_type,name,duration_min,buffer_before_min,buffer_after_min,'
		'active}',
		'true',
		'appt.client_sees_all($1)',
		'false', NULL, 't.visit_type'),
	('working_hours', 'working_hours_no', 'doctor_id',
		'{doctor_id,branch_id,weekday,start_time,end_time,slot_min,capacity,'
		'valid_from,valid_to}',
		'appt.client_sees($1, t.branch_id)',
		'appt.client_sees($1, t.branch_id)',
		'false', 'daterange(t.valid_from, t.valid_to, ''[]'')',
		't.weekday, t.start_time, t.valid_from, t.working_hours_no'),
	('extra_session', 'extra_session_no', 'doctor_id',
		'{doctor_id,branch_id,on_date,start_time,end_time,slot_min,capacity}',
		'appt.client_sees($1, t.branch_id)',
		'appt.client_sees($1, t.branch_id)',
		'false', 'daterange(t.on_date, t.on_date, ''[]'')',
		't.on_date, t.start_time, t.extra_session_no'),
	('time_off', 'time_off_no', 'doctor_id',
		'{doctor_id,starts_at,ends_at,reason}',
		'appt.client_sees_doctor($1, t.doctor_id)',
		'appt.client_manages_doctor($1, t.doctor_id)',
		'false',
		'appt.local_dates(t.starts_at, t.ends_at,'
		' appt.doctor_zone(t.doctor_id))',
		't.starts_at, t.time_off_no'),
	('closure', 'closure_no', 'branch_id',
		'{branch_id,starts_at,ends_at,reason}',
		'appt.client_sees($1, t.branch_id)',
		'appt.client_sees($1, t.branch_id)',
		'false',
		'appt.local_dates(t.starts_at, t.ends_at,'
		' appt.branch_zone(t.branch_id))',
		't.starts_at, t.closure_no'),
	('patient', 'patient_id', NULL,
		'{first_name,last_name,date_of_birth,gender,phone,email,address,'
		'blood_group,abha_id,language,branch_id,active}',
		'appt.client_sees_patient($1, t)',
		'appt.client_sees_patient($1, t)',
		'false', NULL, 't.patient_no'),
	('setting', 'setting_no', NULL,
		'{name,branch_id,doctor_id,value}',
		'true',
		'appt.client_manages_setting($1, t)',
		'false', NULL, 't.name'),
	('notification_template', 'notification_template_no', NULL,
		'{event,channel,language,subject,body,active}',
		'true',
		'appt.client_sees_all($1)',
		'false', NULL, 't.event, t.channel, t.language')
) AS r (name, key, parent, members, seen, managed, used, dates, sort);

COMMENT ON VIEW appt.resource IS
	'How the functions in 72-row.sql treat each table that has a JSON form. '
	'In the columns with conditions t is a row, $1 the API client, and $2 what '
	'the path gives for the parent';
COMMENT ON COLUMN appt.resource.name IS
	'The table, and the first part of the name of its JSON function';
COMMENT ON COLUMN appt.resource.key IS 'Its key as a single column';
COMMENT ON COLUMN appt.resource.parent IS
	'The column that the path gives, for what belongs to a doctor or a branch';
COMMENT ON COLUMN appt.resource.members IS 'The columns that a caller may give';
COMMENT ON COLUMN appt.resource.seen IS
	'When the client may see a row; one that it may not see does not exist';
COMMENT ON COLUMN appt.resource.managed IS
	'When it may change a row that it sees';
COMMENT ON COLUMN appt.resource.used IS
	'When a row cannot be deleted, beside foreign keys';
COMMENT ON COLUMN appt.resource.dates IS
	'The local dates that a row covers: what date_from and date_to filter by';
COMMENT ON COLUMN appt.resource.sort IS 'The order of its list';
COMMENT ON COLUMN appt.resource.owned IS 'When a row belongs to the parent';
COMMENT ON COLUMN appt.resource.facts IS
	'What its list can be filtered by, an object';

CREATE FUNCTION appt.branch_zone(branch_id text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT b.time_zone FROM appt.branch b WHERE b.branch_id = $1
$$;

COMMENT ON FUNCTION appt.branch_zone(text) IS 'A branch''s time zone';

CREATE FUNCTION appt.local_dates(
	starts_at timestamptz,
	ends_at timestamptz,
	time_zone text)
	RETURNS daterange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN daterange(
	(starts_at AT TIME ZONE time_zone)::date,
	((ends_at - interval '1 microsecond') AT TIME ZONE time_zone)::date,
	'[]');

COMMENT ON FUNCTION appt.local_dates(timestamptz, timestamptz, text) IS
	'The dates of the time zone that [starts_at, ends_at) touches';

/* --- what a broken constraint means ------------------------------------ */

CREATE VIEW appt.constraint_text AS
SELECT *
FROM (VALUES
	('branch_pkey', 'branch_id', 'There is a branch with this id already.'),
	('branch_id_format', 'branch_id',
		'An id is 1 to 64 letters, digits, dots, hyphens and underscores.'),
	('branch_name_not_blank', 'name', 'The name must not be blank.'),
	('branch_time_zone_known', 'time_zone',
		'It must be the name of a time zone, such as Asia/Kolkata.'),

	('doctor_pkey', 'doctor_id', 'There is a doctor with this id already.'),
	('doctor_id_format', 'doctor_id',
		'An id is 1 to 64 letters, digits, dots, hyphens and underscores.'),
	('doctor_name_not_blank', 'name', 'The name must not be blank.'),
	('doctor_buffers_range', 'buffer_before_min buffer_after_min',
		'A buffer is 0 to 240 minutes.'),

	('visit_type_pkey', 'visit_type',
		'There is a visit type of this name already.'),
	('visit_type_format', 'visit_type',
		'An id is 1 to 64 letters, digits, dots, hyphens and underscores.'),
	('visit_type_name_not_blank', 'name', 'The name must not be blank.'),
	('visit_type_buffers_range', 'buffer_before_min buffer_after_min',
		'A buffer is 0 to 240 minutes.'),

	('working_hours_weekday_iso', 'weekday',
		'A weekday is 1 (Monday) to 7 (Sunday).'),
	('working_hours_start_before_end', 'end_time start_time',
		'A session ends after it starts, on the same day; 24:00 is its end.'),
	('working_hours_capacity_range', 'capacity',
		'1 to 32 patients can share a slot.'),
	('working_hours_valid_range', 'valid_to valid_from',
		'The last day cannot be before the first.'),
	('working_hours_valid_in_range', 'valid_from valid_to',
		'A date lies in the years 1 to 9999.'),
	('working_hours_no_overlap', 'start_time end_time weekday valid_from '
		'valid_to branch_id',
		'The doctor has another session on that weekday which overlaps this '
		'one.'),

	('extra_session_on_date_finite', 'on_date',
		'The date lies in the years 1970 to 2199.'),
	('extra_session_start_before_end', 'end_time start_time',
		'A session ends after it starts, on the same day; 24:00 is its end.'),
	('extra_session_capacity_range', 'capacity',
		'1 to 32 patients can share a slot.'),
	('extra_session_no_overlap', 'start_time end_time on_date',
		'The doctor has another extra session on that day which overlaps this '
		'one.'),

	('time_off_start_before_end', 'ends_at starts_at',
		'Time off ends after it starts.'),
	('time_off_times_in_range', 'starts_at ends_at',
		'Time off lies in the years 1 to 9999.'),
	('closure_start_before_end', 'ends_at starts_at',
		'A closure ends after it starts.'),
	('closure_times_in_range', 'starts_at ends_at',
		'A closure lies in the years 1 to 9999.'),

	('patient_first_name_not_blank', 'first_name',
		'The first name must not be blank.'),
	('patient_gender_known', 'gender',
		'It is one of male, female, other and unknown.'),
	('patient_blood_group_known', 'blood_group',
		'It is one of A+, A-, B+, B-, AB+, AB-, O+ and O-.'),
	('patient_phone_format', 'phone',
		'It is 5 to 24 digits, blanks, hyphens and parentheses, digits among '
		'them, with + in front or not.'),
	('patient_email_format', 'email', 'It must have the form name@host.'),
	('patient_language_format', 'language',
		'It must be a language tag such as en or hi-IN.'),

	('setting_one_scope', 'doctor_id branch_id',
		'A setting is for a branch or for a doctor, not for both.'),
	('setting_key', 'name', 'This setting is set there already.'),

	('notification_template_key', 'language channel event',
		'There is a template for this event, channel and language already.'),
	('message_event_known', 'event',
		'It is one of booked, rescheduled, cancelled, reminder_24h and '
		'reminder_2h.'),
	('message_channel_known', 'channel',
		'It is one of email, sms and whatsapp.'),
	('message_text_printable', 'body',
		'It is plain text: line feeds and tabs are its only control '
		'characters.'),
	('notification_template_language_format', 'language',
		'It must be a language tag such as en or hi-IN.'),
	('notification_template_subject_of_email', 'subject',
		'An e-mail has a subject, a message by SMS or WhatsApp has none.'),
	('notification_template_subject_format', 'subject',
		'It is one line of 1 to 200 characters, not all blank.'),
	('notification_template_body_not_blank', 'body',
		'The text must not be blank.'),
	('notification_template_body_length', 'body channel',
		'The text has at most 10000 characters by e-mail, 1000 by SMS or '
		'WhatsApp.')
) AS c (name, fields, sentence);

COMMENT ON VIEW appt.constraint_text IS
	'For each constraint that a caller can break: which members it is about '
	'(the first of them that was given is named), and what to say';
COMMENT ON COLUMN appt.constraint_text.fields IS
	'Members, separated by blanks';
