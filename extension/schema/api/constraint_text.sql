/* ---------------------------------------------------------------------------
 * What a broken constraint means, in a sentence for the caller.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_internal.constraint_text AS
SELECT *
FROM (VALUES
	('branch_pkey', 'branch_id', 'There is a branch with this id already.'),
	('branch_id_format', 'branch_id',
		'An id is 1 to 64 letters, digits, dots, hyphens and underscores.'),
	('branch_name_not_blank', 'name', 'The name must not be blank.'),
	('branch_type_length', 'type', 'It has at most 100 characters.'),
	('branch_logo_url_https', 'logo_url',
		'It must be an https URL of at most 500 characters, in ASCII and '
		'without a password, such as https://clinic.example/logo.png.'),
	('branch_time_zone_known', 'time_zone',
		'It must be the name of a time zone, such as Asia/Kolkata.'),

	('department_pkey', 'department_id',
		'There is a department with this id already.'),
	('department_id_format', 'department_id',
		'An id is 1 to 64 letters, digits, dots, hyphens and underscores.'),
	('department_name_not_blank', 'name', 'The name must not be blank.'),

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
		'A session ends after it starts; 24:00 is the day''s end. Hours across '
		'midnight are two sessions: one to 24:00, and one from 00:00 of the '
		'next day.'),
	('working_hours_whole_minutes', 'start_time end_time',
		'A session begins and ends at a whole minute.'),
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
		'A session ends after it starts; 24:00 is the day''s end. Hours across '
		'midnight are two sessions: one to 24:00, and one from 00:00 of the '
		'next day.'),
	('extra_session_whole_minutes', 'start_time end_time',
		'A session begins and ends at a whole minute.'),
	('extra_session_capacity_range', 'capacity',
		'1 to 32 patients can share a slot.'),
	('extra_session_no_overlap', 'start_time end_time on_date',
		'The doctor has another extra session on that day which overlaps this '
		'one.'),

	('operating_hours_weekday_iso', 'operating_hours',
		'A weekday is 1 (Monday) to 7 (Sunday).'),
	('operating_hours_opens_before_closes', 'operating_hours',
		'A branch closes after it opens; 24:00 is the day''s end. Hours across '
		'midnight are two: one to 24:00, and one from 00:00 of the next day.'),
	('operating_hours_whole_minutes', 'operating_hours',
		'A branch opens and closes at a whole minute.'),
	('operating_hours_valid_range', 'operating_hours',
		'The last day cannot be before the first.'),
	('operating_hours_valid_in_range', 'operating_hours',
		'A date lies in the years 1 to 9999.'),
	('operating_hours_no_overlap', 'operating_hours',
		'Two hours of one weekday overlap.'),

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
		'It is one of male, female, other and undisclosed.'),
	('patient_blood_group_known', 'blood_group',
		'It is one of A+, A-, B+, B-, AB+, AB-, O+ and O-.'),
	('patient_phone_format', 'phone',
		'It is 5 to 30 digits, blanks, dots, hyphens, slashes and parentheses, '
		'digits among them, with + in front or not.'),
	('patient_emergency_contact_phone_format', 'emergency_contact_phone',
		'It is 5 to 30 digits, blanks, dots, hyphens, slashes and parentheses, '
		'digits among them, with + in front or not.'),
	('patient_abha_id_format', 'abha_id',
		'It is 14 digits, such as 12-3456-7890-1234.'),
	('patient_email_format', 'email', 'It must have the form name@host.'),
	('patient_language_format', 'language',
		'It must be a language tag such as en or hi-IN.'),

	('setting_one_scope', 'doctor_id branch_id',
		'A setting is for a branch or for a doctor, not for both.'),
	('setting_key', 'name', 'This setting is set there already.'),

	('notification_template_key', 'language channel event',
		'There is a template for this event, channel and language already.'),
	('message_event_known', 'event',
		'It is one of booked, rescheduled, cancelled, reminder, '
		'waitlist_offer and follow_up.'),
	('notification_template_category_known', 'category',
		'It is one of transactional, service_implicit, service_explicit and '
		'promotional.'),
	('notification_template_provider_printable',
		'provider_template provider_language',
		'It is ASCII without blanks; a language as the provider writes it.'),
	('notification_template_variables_list', 'variables',
		'It is a list.'),
	('notification_template_dlt_format', 'dlt_template_id',
		'It is 5 to 30 digits.'),
	('notification_template_dlt_text_length', 'dlt_text',
		'It has at most 1000 characters.'),
	('message_channel_known', 'channel kind',
		'It is one of email, sms and whatsapp.'),
	('notification_channel_id_key', 'channel_id',
		'There is a channel with this id already.'),
	('notification_channel_id_format', 'channel_id',
		'An id has at most 64 letters, digits, dots, hyphens and '
		'underscores.'),
	('notification_channel_one_active', 'active kind',
		'There is an active channel of this kind already: patients are told '
		'by one.'),
	('notification_channel_settings_object', 'settings',
		'It is an object.'),
	('notification_channel_settings_length', 'settings',
		'It has at most 20000 characters.'),
	('notification_channel_callback_secret_printable', 'callback_secret',
		'It is 16 to 1000 ASCII characters without blanks.'),
	('notification_channel_secret_printable', 'secret',
		'It is ASCII without blanks, at most 1000 characters.'),
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

COMMENT ON VIEW appt_internal.constraint_text IS
	'For each constraint that a caller can break: which members it is about '
	'(the first of them that was given is named), and what to say';
COMMENT ON COLUMN appt_internal.constraint_text.fields IS
	'Members, separated by blanks';
