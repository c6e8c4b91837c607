/* ---------------------------------------------------------------------------
 * What the JSON functions for patients and configuration have in common, as
 * data: each resource's table, key, members, and who may see and change a row.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_internal.resource AS
SELECT r.*,
	coalesce('t.' || r.parent || ' = $2', 'true') AS owned,
	concat_ws(' || ', 'to_jsonb(t)', e.facts) AS facts,
	coalesce(e.beside, '') AS beside,
	coalesce(e.shown, format('appt_internal.%I(t, $1)', r.name || '_json'))
		AS shown
FROM (VALUES
	('branch', 'branch_id', NULL,
		'{branch_id,name,type,time_zone,address,phone,logo_url,slot_min,'
		'active}'::text[],
		'appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), t.branch_id)',
		'appt_internal.client_sees($1, t.branch_id)',
		'EXISTS (SELECT FROM appt.api_client c'
		' WHERE t.branch_id = ANY (c.branch_ids))'
		' OR EXISTS (SELECT FROM appt.staff s'
		' WHERE t.branch_id = ANY (s.branch_ids))'
		' OR EXISTS (SELECT FROM appt.webhook w'
		' WHERE t.branch_id = ANY (w.branch_ids))',
		NULL, 't.branch_id'),
	('department', 'department_id', NULL,
		'{department_id,name,slot_min,active}',
		'true',
		'appt_internal.client_sees_all($1)',
		'EXISTS (SELECT FROM appt.staff s'
		' WHERE t.department_id = ANY (s.department_ids))',
		NULL, 't.department_id'),
	('doctor', 'doctor_id', NULL,
		'{doctor_id,name,specialty,department_id,slot_min,buffer_before_min,'
		'buffer_after_min,active}',
		'appt_internal.sees_doctor('
		'(SELECT appt_internal.client_branches($1)),'
		' (SELECT appt_internal.client_doctors($1)),'
		' t.doctor_id, w.branch_ids)',
		'appt_internal.client_manages_doctor($1, t.doctor_id)',
		'false', NULL, 't.doctor_id'),
	('visit_type', 'visit_type', NULL,
		'{visit_type,name,duration_min,buffer_before_min,buffer_after_min,'
		'active}',
		'true',
		'appt_internal.client_sees_all($1)',
		'false', NULL, 't.visit_type'),
	('working_hours', 'working_hours_no', 'doctor_id',
		'{doctor_id,branch_id,weekday,start_time,end_time,slot_min,capacity,'
		'valid_from,valid_to}',
		'appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), t.branch_id) AND'
		' coalesce(t.doctor_id = ANY ('
		'(SELECT appt_internal.client_doctors($1))::text[]), true)',
		'appt_internal.client_sees($1, t.branch_id)',
		'false', 'daterange(t.valid_from, t.valid_to, ''[]'')',
		't.weekday, t.start_time, t.valid_from, t.working_hours_no'),
	('extra_session', 'extra_session_no', 'doctor_id',
		'{doctor_id,branch_id,on_date,start_time,end_time,slot_min,capacity}',
		'appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), t.branch_id) AND'
		' coalesce(t.doctor_id = ANY ('
		'(SELECT appt_internal.client_doctors($1))::text[]), true)',
		'appt_internal.client_sees($1, t.branch_id)',
		'false', 'daterange(t.on_date, t.on_date, ''[]'')',
		't.on_date, t.start_time, t.extra_session_no'),
	('operating_hours', 'operating_hours_no', 'branch_id',
		'{weekday,opens,closes,valid_from,valid_to}',
		'appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), t.branch_id)',
		'appt_internal.client_sees($1, t.branch_id)',
		'false', 'daterange(t.valid_from, t.valid_to, ''[]'')',
		't.weekday, t.valid_from, t.opens'),
	('time_off', 'time_off_no', 'doctor_id',
		'{doctor_id,starts_at,ends_at,reason}',
		'(SELECT appt_internal.client_sees_doctor($1, $2))',
		'appt_internal.client_manages_doctor($1, t.doctor_id)',
		'false',
		'appt_internal.local_dates(t.starts_at, t.ends_at,'
		' w.time_zone)',
		't.starts_at, t.time_off_no'),
	('closure', 'closure_no', 'branch_id',
		'{branch_id,starts_at,ends_at,reason}',
		'appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), t.branch_id)',
		'appt_internal.client_sees($1, t.branch_id)',
		'false',
		'appt_internal.local_dates(t.starts_at, t.ends_at,'
		' w.time_zone)',
		't.starts_at, t.closure_no'),
	('patient', 'patient_id', NULL,
		'{first_name,last_name,date_of_birth,date_of_birth_estimated,gender,'
		'phone,email,address_line1,address_line2,address_city,address_state,'
		'address_pincode,address_country,blood_group,abha_id,aadhaar,'
		'insurance_provider,insurance_number,emergency_contact_name,'
		'emergency_contact_phone,emergency_contact_relationship,consent,'
		'language,branch_id,active}',
		'appt_internal.client_sees_patient($1, t)',
		'appt_internal.client_sees_patient($1, t)',
		'false', NULL, 't.patient_no'),
	('setting', 'setting_no', NULL,
		'{name,branch_id,doctor_id,value}',
		'true',
		'appt_internal.client_manages_setting($1, t)',
		'false', NULL, 't.name'),
	('notification_template', 'notification_template_no', NULL,
		'{event,channel,language,subject,body,category,provider_template,'
		'provider_language,variables,dlt_template_id,dlt_text,active}',
		'true',
		'appt_internal.client_sees_all($1)',
		'false', NULL, 't.event, t.channel, t.language'),
	('notification_channel', 'channel_id', NULL,
		'{channel_id,kind,settings,secret,callback_secret,active}',
		'true',
		'appt_internal.client_sees_all($1)',
		'false', NULL, 't.kind, t.channel_id')
) AS r (name, key, parent, members, seen, managed, used, dates, sort)
LEFT JOIN (VALUES
	('doctor',
		' LEFT JOIN appt_internal.doctor_places() w'
		' ON w.doctor_id = t.doctor_id',
		'jsonb_build_object(''branch_ids'', w.branch_ids)',
		'appt_internal.doctor_json(t, ARRAY('
		'SELECT b.id FROM unnest((w).branch_ids) b (id)'
		' WHERE appt_internal.is_among('
		'(SELECT appt_internal.client_branches($1)), b.id)),'
		' coalesce((w).time_zone, appt_internal.doctor_zone((t).doctor_id)))'),
	('time_off',
		' CROSS JOIN (SELECT (SELECT appt_internal.doctor_zone($2))'
		' AS time_zone OFFSET 0) w',
		NULL,
		'appt_internal.absence_json(t, (w).time_zone)'),
	('closure',
		' CROSS JOIN (SELECT (SELECT appt_internal.branch_zone($2))'
		' AS time_zone OFFSET 0) w',
		NULL,
		'appt_internal.absence_json(t, (w).time_zone)')
) AS e (name, beside, facts, shown) ON e.name = r.name;

COMMENT ON VIEW appt_internal.resource IS
	'How the functions in api/row.sql treat each table that has a JSON form. '
	'In the columns with conditions t is a row, $1 the API client, and $2 what '
	'the path gives for the parent';
COMMENT ON COLUMN appt_internal.resource.name IS
	'The table, and the first part of the name of its JSON function';
COMMENT ON COLUMN appt_internal.resource.key IS 'Its key as a single column';
COMMENT ON COLUMN appt_internal.resource.parent IS
	'The column that the path gives, for what belongs to a doctor or a branch';
COMMENT ON COLUMN appt_internal.resource.members IS 'The columns that a caller '
	'may give';
COMMENT ON COLUMN appt_internal.resource.seen IS
	'When the client may see a row; one that it may not see does not exist';
COMMENT ON COLUMN appt_internal.resource.managed IS
	'When it may change a row that it sees';
COMMENT ON COLUMN appt_internal.resource.used IS
	'When a row cannot be deleted, beside foreign keys';
COMMENT ON COLUMN appt_internal.resource.dates IS
	'The local dates that a row covers: what date_from and date_to filter by';
COMMENT ON COLUMN appt_internal.resource.sort IS 'The order of its list';
COMMENT ON COLUMN appt_internal.resource.owned IS 'When a row belongs to the '
	'parent';
COMMENT ON COLUMN appt_internal.resource.facts IS
	'What its list can be filtered by, an object';
COMMENT ON COLUMN appt_internal.resource.beside IS
	'What is joined to a row as w, for seen, dates, facts and shown';
COMMENT ON COLUMN appt_internal.resource.shown IS
	'Its JSON, where w is there';
