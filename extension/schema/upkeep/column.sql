/* ---------------------------------------------------------------------------
 * What \d+ says of the columns that were not explained with their tables:
 * those that mean the same wherever they stand, and the plain ones.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	meaning record;
BEGIN
	FOR meaning IN
		SELECT DISTINCT ON (c.oid, a.attnum)
			c.oid::regclass AS relation, a.attname AS name, m.text
		FROM (VALUES
	/* Wherever they stand. */
	(NULL, 'actor', 'Who did it'),
	(NULL, 'active', 'false: kept for the history, not offered any more'),
	(NULL, 'appointment_no', 'Number of the appointment (internal key)'),
	(NULL, 'branch_id', 'Code of the branch'),
	(NULL, 'capacity', 'How many patients may share a slot, 1 to 32'),
	(NULL, 'client_id', 'Id of the API client'),
	(NULL, 'created_at', 'When it was made'),
	(NULL, 'delivery_no', 'Number of the delivery: dlv_<delivery_no>'),
	(NULL, 'description', 'What it is for, in the clinic''s words'),
	(NULL, 'doctor_id', 'Code of the doctor'),
	(NULL, 'doctor_no', 'Number of the doctor (internal key)'),
	(NULL, 'email', 'E-mail address'),
	(NULL, 'end_time', 'End in the branch''s wall-clock time, exclusive'),
	(NULL, 'ends_at', 'Last instant, exclusive'),
	(NULL, 'event_no', 'Number of the event; later events have higher ones'),
	(NULL, 'expires_at', 'Until when it counts; NULL: without an end'),
	(NULL, 'name', 'Name as it is shown'),
	(NULL, 'on_date', 'The day, date of the branch'),
	(NULL, 'patient_id', 'Public id of the patient'),
	(NULL, 'patient_no', 'Number of the patient (internal key)'),
	(NULL, 'phone', 'Telephone number'),
	(NULL, 'reason', 'Why, in the words of who did it'),
	(NULL, 'slot_min', 'Slot grid in minutes; NULL: the doctor''s, else the '
		'department''s, else the branch''s'),
	(NULL, 'start_time', 'Start in the branch''s wall-clock time'),
	(NULL, 'starts_at', 'First instant, inclusive'),
	(NULL, 'updated_at', 'When it was last changed'),
	(NULL, 'version', 'Rises by one with every change; the ETag over HTTP'),
	(NULL, 'visit_type', 'Code of what the visit is for: new_consultation'),
	(NULL, 'webhook_no', 'Number of the endpoint (internal key)'),
	/* Of one table. */
	('appointment', 'booked_at', 'When it was booked'),
	('appointment', 'cancelled_at', 'When it was cancelled'),
	('appointment', 'checked_in_at', 'When the patient checked in'),
	('appointment', 'completed_at', 'When the visit ended'),
	('appointment', 'hold_expires_at', 'Until when a hold keeps its slot'),
	('appointment', 'notes', 'What was said with the booking'),
	('appointment', 'reschedule_count', 'How often it was moved'),
	('appointment', 'started_at', 'When the consultation began'),
	('branch', 'address', 'Postal address'),
	('client_audit', 'action', 'created, updated, secret_rotated, deleted, '
		'token_issued, token_revoked'),
	('client_audit', 'at', 'When'),
	('client_audit', 'client_audit_no', 'Number of the entry'),
	('closure', 'closure_no', 'Number of the closure'),
	('constraint_text', 'name', 'Name of the constraint'),
	('constraint_text', 'sentence', 'What it asks for, in a sentence'),
	('delivery', 'finished_at', 'When it was delivered or given up'),
	('delivery', 'lease_until', 'Until when a relay has it to itself'),
	('delivery_attempt', 'fence', 'The claim in which it was sent'),
	('delivery_attempt', 'started_at', 'When it was sent'),
	('doctor', 'specialty', 'Field: Cardiology; first_available searches it'),
	('doctor_month', 'department_id', 'The doctor''s department'),
	('doctor_month', 'department_name', 'Its name'),
	('doctor_month', 'doctor_name', 'Name of the doctor'),
	('doctor_month', 'next_month', 'First day of the month after'),
	('doctor_month', 'specialty', 'The doctor''s specialty'),
	('doctor_month', 'visit_month', 'First day of the month'),
	('event', 'occurred_at', 'When'),
	('event', 'reason', 'Why it was rescheduled or cancelled'),
	('extra_session', 'extra_session_no', 'Number of the session'),
	('idempotency', 'body', 'The answer, byte for byte'),
	('idempotency', 'client', 'Whose key it is'),
	('idempotency', 'created_at', 'When it was answered'),
	('idempotency', 'id', 'Id of what the request made'),
	('idempotency', 'key', 'The Idempotency-Key'),
	('idempotency', 'request_hash', 'SHA-256 of the request'),
	('idempotency', 'route', 'What was called'),
	('idempotency', 'version', 'Version (ETag) of the answer'),
	('patient', 'active', 'false: cannot be booked any more'),
	('patient', 'address', 'Postal address'),
	('patient', 'blood_group', 'A+, A-, B+, B-, AB+, AB-, O+ or O-'),
	('patient', 'date_of_birth', 'Date of birth'),
	('patient', 'first_name', 'First name'),
	('patient', 'gender', 'male, female, other or undisclosed'),
	('patient', 'language', 'Language of messages, a BCP 47 tag: en, hi, mr'),
	('patient', 'last_name', 'Last name'),
	('patient', 'registered_at', 'When the patient was registered'),
	('patient', 'erased_at', 'When appt.anonymise_patient took what names the '
		'patient; NULL: it did not'),
	('revoked_token', 'expires_at', 'When it would have expired'),
	('revoked_token', 'jti', 'Id of the token'),
	('session', 'is_extra', 'Whether it is an extra session'),
	('session', 'valid_from', 'First day, inclusive'),
	('session', 'valid_to', 'Last day, inclusive'),
	('session', 'weekday', 'ISO weekday: 1 = Monday ... 7 = Sunday'),
	('setting', 'branch_id', 'The branch that it holds for; NULL: all'),
	('setting', 'doctor_id', 'The doctor whom it holds for; NULL: all'),
	('setting', 'name', 'Which one: see appt.setting_definition'),
	('setting', 'setting_no', 'Number of the row'),
	('setting', 'value', 'The value as text'),
	('setting_definition', 'default_value', 'What holds without a row'),
	('setting_definition', 'description', 'What it does and its unit'),
	('setting_definition', 'kind', 'integer, boolean or text'),
	('setting_definition', 'max_value', 'Greatest value of an integer'),
	('setting_definition', 'min_value', 'Least value of an integer'),
	('setting_definition', 'name', 'Name of the setting'),
	('signing_key', 'created_at', 'When it was made; the newest signs'),
	('time_off', 'time_off_no', 'Number of the time off'),
	('webhook', 'disabled_at', 'When it was disabled; NULL: it is not'),
	('webhook', 'url', 'Where events are sent to'),
	('webhook_secret', 'secret', 'The secret itself'),
	('webhook_secret', 'secret_no', 'Number of the secret'),
	('working_hours', 'valid_from', 'First day, inclusive'),
	('working_hours', 'working_hours_no', 'Number of the session')
		) AS m (relation, name, text)
		JOIN pg_attribute a ON a.attname = m.name AND a.attnum > 0
		JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'v')
			AND c.relnamespace IN
				('appt'::regnamespace, 'appt_internal'::regnamespace)
		WHERE coalesce(m.relation, c.relname) = c.relname
			AND col_description(c.oid, a.attnum) IS NULL
		ORDER BY c.oid, a.attnum, m.relation NULLS LAST
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', meaning.relation,
			meaning.name, meaning.text);
	END LOOP;
END
$$;
