/* ---------------------------------------------------------------------------
 * Configuration: plain tables that appt_admin writes with INSERT and UPDATE.
 * Every row is guarded by named constraints; the schedule cache hears of each
 * change through a statement trigger (appt.schedule_changed).
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.is_time_zone(name text) RETURNS boolean
	LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_is_time_zone';

COMMENT ON FUNCTION appt.is_time_zone(text) IS
	'Whether the name is a place''s time zone that this server knows (an IANA '
	'name such as Asia/Kolkata; case does not matter); not localtime, '
	'posixrules, Factory, a copy under posix/ or a rule such as UTC+5:30';

CREATE FUNCTION appt.schedule_changed() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_schedule_changed';

COMMENT ON FUNCTION appt.schedule_changed() IS
	'Statement trigger: at commit every backend drops what it cached of the '
	'configuration';

CREATE DOMAIN appt.minutes AS integer
	CONSTRAINT minutes_range CHECK (VALUE BETWEEN 0 AND 525600);

COMMENT ON DOMAIN appt.minutes IS 'A length of time in whole minutes';

CREATE DOMAIN appt.slot_minutes AS integer
	CONSTRAINT slot_minutes_range CHECK (VALUE BETWEEN 5 AND 480);

COMMENT ON DOMAIN appt.slot_minutes IS
	'The length of a slot: 5 to 480 minutes (contract, section 2)';

CREATE TABLE appt.branch (
	branch_id text NOT NULL,
	name text NOT NULL,
	time_zone text NOT NULL,
	address text,
	phone text,
	slot_min appt.slot_minutes NOT NULL DEFAULT 15,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT branch_pkey PRIMARY KEY (branch_id),
	CONSTRAINT branch_id_format
		CHECK (branch_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT branch_created_at_in_range CHECK (created_at
		BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00'),
	CONSTRAINT branch_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT branch_time_zone_known CHECK (appt.is_time_zone(time_zone))
);

COMMENT ON TABLE appt.branch IS 'A place where doctors see patients';
COMMENT ON COLUMN appt.branch.branch_id IS 'The clinic''s own code: MUM-01';
COMMENT ON COLUMN appt.branch.time_zone IS
	'IANA time zone; every wall-clock time of the branch is meant in it';
COMMENT ON COLUMN appt.branch.slot_min IS
	'Slot length in minutes where the doctor and the session say nothing';
COMMENT ON COLUMN appt.branch.active IS
	'An inactive branch offers no slot and takes no booking';

CREATE TABLE appt.doctor (
	doctor_id text NOT NULL,
	doctor_no integer GENERATED ALWAYS AS IDENTITY,
	name text NOT NULL,
	specialty text,
	slot_min appt.slot_minutes,
	buffer_before_min appt.minutes NOT NULL DEFAULT 0,
	buffer_after_min appt.minutes NOT NULL DEFAULT 0,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT doctor_pkey PRIMARY KEY (doctor_id),
	CONSTRAINT doctor_no_key UNIQUE (doctor_no),
	CONSTRAINT doctor_no_range CHECK (doctor_no BETWEEN 1 AND 33554431),
	CONSTRAINT doctor_id_format
		CHECK (doctor_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT doctor_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT doctor_created_at_in_range CHECK (created_at
		BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00'),
	CONSTRAINT doctor_buffers_range
		CHECK (buffer_before_min <= 240 AND buffer_after_min <= 240)
);

CREATE INDEX doctor_specialty ON appt.doctor (specialty);

COMMENT ON TABLE appt.doctor IS 'Who sees patients';
COMMENT ON COLUMN appt.doctor.doctor_id IS 'The clinic''s own code: DOC-001';
COMMENT ON COLUMN appt.doctor.doctor_no IS
	'Integer key for the overlap constraint (a text key costs three times '
	'as much there)';
COMMENT ON COLUMN appt.doctor.slot_min IS
	'Slot length in minutes; NULL: the branch''s';
COMMENT ON COLUMN appt.doctor.buffer_before_min IS
	'Minutes kept free before each appointment';
COMMENT ON COLUMN appt.doctor.buffer_after_min IS
	'Minutes kept free after each appointment';

CREATE TABLE appt.visit_type (
	visit_type text NOT NULL,
	name text NOT NULL,
	duration_min appt.slot_minutes,
	buffer_before_min appt.minutes,
	buffer_after_min appt.minutes,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT visit_type_pkey PRIMARY KEY (visit_type),
	CONSTRAINT visit_type_format
		CHECK (visit_type ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT visit_type_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT visit_type_buffers_range
		CHECK (buffer_before_min <= 240 AND buffer_after_min <= 240)
);

COMMENT ON TABLE appt.visit_type IS
	'What a visit is for: new_consultation, follow_up, ...';
COMMENT ON COLUMN appt.visit_type.duration_min IS
	'Length of such a visit in minutes; NULL: the slot''s';
COMMENT ON COLUMN appt.visit_type.buffer_before_min IS
	'Minutes kept free before it; NULL: the doctor''s';
COMMENT ON COLUMN appt.visit_type.buffer_after_min IS
	'Minutes kept free after it; NULL: the doctor''s';

CREATE TABLE appt.working_hours (
	working_hours_no bigint GENERATED ALWAYS AS IDENTITY,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	weekday smallint NOT NULL,
	start_time time NOT NULL,
	end_time time NOT NULL,
	slot_min appt.slot_minutes,
	capacity smallint NOT NULL DEFAULT 1,
	valid_from date NOT NULL DEFAULT '-infinity',
	valid_to date NOT NULL DEFAULT 'infinity',
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT working_hours_pkey PRIMARY KEY (working_hours_no),
	CONSTRAINT working_hours_doctor_fkey FOREIGN KEY (doctor_id)
		REFERENCES appt.doctor ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT working_hours_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT working_hours_weekday_iso CHECK (weekday BETWEEN 1 AND 7),
	CONSTRAINT working_hours_start_before_end CHECK (start_time < end_time),
	CONSTRAINT working_hours_capacity_range CHECK (capacity BETWEEN 1 AND 32),
	CONSTRAINT working_hours_valid_range CHECK (valid_from <= valid_to
		AND valid_from < 'infinity' AND valid_to > '-infinity'),
	CONSTRAINT working_hours_valid_in_range CHECK (
		(valid_from = '-infinity' OR valid_from >= '0001-01-01')
		AND (valid_to = 'infinity' OR valid_to <= '9999-12-31')),
	CONSTRAINT working_hours_no_overlap EXCLUDE USING gist (
		doctor_id WITH =,
		weekday WITH =,
		int4range(
			extract(epoch FROM start_time)::integer,
			extract(epoch FROM end_time)::integer) WITH &&,
		daterange(valid_from, valid_to, '[]') WITH &&)
);

CREATE INDEX working_hours_doctor ON appt.working_hours (doctor_id);

COMMENT ON TABLE appt.working_hours IS
	'Weekly sessions of a doctor at a branch, in the branch''s wall-clock '
	'time; a break is the gap between two sessions';
COMMENT ON COLUMN appt.working_hours.weekday IS
	'ISO weekday: 1 = Monday ... 7 = Sunday';
COMMENT ON COLUMN appt.working_hours.end_time IS
	'Exclusive; 24:00 is midnight at the day''s end';
COMMENT ON COLUMN appt.working_hours.slot_min IS
	'Slot grid in minutes; NULL: the doctor''s, else the branch''s';
COMMENT ON COLUMN appt.working_hours.capacity IS
	'How many patients may share a slot (overbooking by design), 1 to 32';
COMMENT ON COLUMN appt.working_hours.valid_to IS 'Last day, inclusive';

CREATE TABLE appt.extra_session (
	extra_session_no bigint GENERATED ALWAYS AS IDENTITY,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	on_date date NOT NULL,
	start_time time NOT NULL,
	end_time time NOT NULL,
	slot_min appt.slot_minutes,
	capacity smallint NOT NULL DEFAULT 1,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT extra_session_pkey PRIMARY KEY (extra_session_no),
	CONSTRAINT extra_session_doctor_fkey FOREIGN KEY (doctor_id)
		REFERENCES appt.doctor ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT extra_session_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT extra_session_on_date_finite
		CHECK (on_date BETWEEN '1970-01-01' AND '2199-12-31'),
	CONSTRAINT extra_session_start_before_end CHECK (start_time < end_time),
	CONSTRAINT extra_session_capacity_range CHECK (capacity BETWEEN 1 AND 32),
	CONSTRAINT extra_session_no_overlap EXCLUDE USING gist (
		doctor_id WITH =,
		on_date WITH =,
		int4range(
			extract(epoch FROM start_time)::integer,
			extract(epoch FROM end_time)::integer) WITH &&)
);

COMMENT ON TABLE appt.extra_session IS
	'A session on one date beside the weekly ones';

CREATE TABLE appt.time_off (
	time_off_no bigint GENERATED ALWAYS AS IDENTITY,
	doctor_id text NOT NULL,
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	reason text,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz,
	CONSTRAINT time_off_pkey PRIMARY KEY (time_off_no),
	CONSTRAINT time_off_doctor_fkey FOREIGN KEY (doctor_id)
		REFERENCES appt.doctor ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT time_off_created_at_set CHECK (created_at IS NOT NULL),
	CONSTRAINT time_off_start_before_end CHECK (starts_at < ends_at),
	CONSTRAINT time_off_times_in_range CHECK (
		(starts_at = '-infinity' OR starts_at >= '0001-01-02 00:00+00')
		AND (ends_at = 'infinity' OR ends_at <= '9999-12-31 12:00+00')
		AND created_at BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00')
);

CREATE INDEX time_off_doctor ON appt.time_off (doctor_id, starts_at);

COMMENT ON TABLE appt.time_off IS
	'When a doctor is away: hours, days or weeks, half-open [starts_at, '
	'ends_at)';
COMMENT ON COLUMN appt.time_off.created_at IS
	'Written by a trigger: a row that brings one along comes from a dump, and '
	'what was booked into it later stays';

CREATE TABLE appt.closure (
	closure_no bigint GENERATED ALWAYS AS IDENTITY,
	branch_id text NOT NULL,
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	reason text,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz,
	CONSTRAINT closure_pkey PRIMARY KEY (closure_no),
	CONSTRAINT closure_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT closure_created_at_set CHECK (created_at IS NOT NULL),
	CONSTRAINT closure_start_before_end CHECK (starts_at < ends_at),
	CONSTRAINT closure_times_in_range CHECK (
		(starts_at = '-infinity' OR starts_at >= '0001-01-02 00:00+00')
		AND (ends_at = 'infinity' OR ends_at <= '9999-12-31 12:00+00')
		AND created_at BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00')
);

CREATE INDEX closure_branch ON appt.closure (branch_id, starts_at);

COMMENT ON TABLE appt.closure IS
	'When a whole branch is closed: a public holiday, an afternoon; '
	'half-open [starts_at, ends_at)';
COMMENT ON COLUMN appt.closure.created_at IS
	'Written by a trigger: a row that brings one along comes from a dump, and '
	'what was booked into it later stays';

CREATE TABLE appt.setting (
	setting_no bigint GENERATED ALWAYS AS IDENTITY,
	name text NOT NULL,
	branch_id text,
	doctor_id text,
	value text NOT NULL,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT setting_pkey PRIMARY KEY (setting_no),
	CONSTRAINT setting_one_scope
		CHECK (branch_id IS NULL OR doctor_id IS NULL),
	CONSTRAINT setting_key UNIQUE NULLS NOT DISTINCT
		(name, branch_id, doctor_id),
	CONSTRAINT setting_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT setting_doctor_fkey FOREIGN KEY (doctor_id)
		REFERENCES appt.doctor ON UPDATE CASCADE ON DELETE CASCADE
);

COMMENT ON TABLE appt.setting IS
	'Settings: a doctor''s row counts before its branch''s, that before the '
	'global one (both ids NULL), that before the built-in default; '
	'appt.setting_definition lists the names';

CREATE TABLE appt.setting_definition (
	name text NOT NULL,
	kind text NOT NULL,
	default_value text NOT NULL,
	min_value integer,
	max_value integer,
	description text NOT NULL,
	CONSTRAINT setting_definition_pkey PRIMARY KEY (name),
	CONSTRAINT setting_definition_kind
		CHECK (kind IN ('integer', 'boolean', 'text'))
);

COMMENT ON TABLE appt.setting_definition IS
	'Every setting that there is, with its default and its bounds';

INSERT INTO appt.setting_definition
	(name, kind, default_value, min_value, max_value, description)
VALUES
	('lead_time_min', 'integer', '0', 0, 525600,
		'Minutes between now and the first slot that can be booked'),
	('horizon_days', 'integer', '90', 1, 3650,
		'How many days ahead slots are offered'),
	('cancellation_window_min', 'integer', '120', 0, 525600,
		'Minutes before the start until which an appointment can be cancelled'),
	('reschedule_window_min', 'integer', '0', 0, 525600,
		'Minutes before the start until which it can be rescheduled'),
	('hold_min', 'integer', '5', 1, 120,
		'Minutes after which a hold expires'),
	('doctor_daily_limit', 'integer', '0', 0, 1000,
		'Active appointments of a doctor per day; 0: no limit'),
	('patient_daily_limit', 'integer', '0', 0, 1000,
		'Active appointments of a patient per day; 0: no limit'),
	('late_after_min', 'integer', '10', 0, 480,
		'Minutes after the slot''s start from which a check-in counts as late'),
	('appointment_id_prefix', 'text', 'APT', NULL, NULL,
		'First part of an appointment''s id'),
	('patient_id_prefix', 'text', 'PAT', NULL, NULL,
		'First part of a patient''s id'),
	('webhooks_per_client', 'integer', '20', 1, 1000,
		'Webhooks that an API client may have');

ALTER TABLE appt.setting ADD CONSTRAINT setting_name_fkey
	FOREIGN KEY (name) REFERENCES appt.setting_definition;

CREATE FUNCTION appt.setting_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition appt.setting_definition;
BEGIN
	SELECT * INTO definition
	FROM appt.setting_definition d
	WHERE d.name = NEW.name;

	IF definition.kind = 'integer' AND
		(NEW.value !~ '^[0-9]{1,9}$'
		 OR NEW.value::integer < definition.min_value
		 OR NEW.value::integer > definition.max_value)
	THEN
		RAISE EXCEPTION 'value "%" of setting "%" is out of range',
			NEW.value, NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value',
				DETAIL = format('It is a whole number from %s to %s.',
					definition.min_value, definition.max_value);
	ELSIF definition.kind = 'boolean' AND NEW.value NOT IN ('true', 'false')
	THEN
		RAISE EXCEPTION 'value "%" of setting "%" is neither true nor false',
			NEW.value, NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value';
	ELSIF (NEW.name LIKE '%\_id\_prefix' OR NEW.name = 'webhooks_per_client')
		AND (NEW.branch_id IS NOT NULL OR NEW.doctor_id IS NOT NULL)
	THEN
		RAISE EXCEPTION 'setting "%" is for the whole clinic', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'name';
	ELSIF NEW.name LIKE '%\_id\_prefix' AND NEW.value !~ '^[A-Z]{1,8}$'
	THEN
		RAISE EXCEPTION 'value "%" of setting "%" is not an id prefix',
			NEW.value, NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value',
				DETAIL = 'An id prefix is one to eight capital letters.';
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt.setting_check() IS
	'Row trigger: a setting''s value must fit its definition; raises SB001';

CREATE TRIGGER setting_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW EXECUTE FUNCTION appt.setting_check();

CREATE TABLE appt.patient (
	patient_id text NOT NULL,
	patient_no integer GENERATED ALWAYS AS IDENTITY,
	first_name text NOT NULL,
	last_name text,
	date_of_birth date,
	gender text,
	phone text,
	email text,
	address text,
	blood_group text,
	abha_id text,
	language text NOT NULL DEFAULT 'en',
	branch_id text,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	registered_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT patient_pkey PRIMARY KEY (patient_id),
	CONSTRAINT patient_no_key UNIQUE (patient_no),
	CONSTRAINT patient_id_format
		CHECK (patient_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT patient_first_name_not_blank CHECK (first_name ~ '\S'),
	CONSTRAINT patient_dates_finite CHECK (pg_catalog.isfinite(date_of_birth)
		AND pg_catalog.isfinite(registered_at)),
	CONSTRAINT patient_gender_known
		CHECK (gender IN ('male', 'female', 'other', 'unknown')),
	CONSTRAINT patient_blood_group_known CHECK (blood_group IN
		('A+', 'A-', 'B+', 'B-', 'AB+', 'AB-', 'O+', 'O-')),
	CONSTRAINT patient_phone_format CHECK (phone ~ '^\+?[0-9 ()-]{5,24}$'
		AND phone ~ '[0-9]'),
	CONSTRAINT patient_email_format CHECK (email ~
		'^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$'),
	CONSTRAINT patient_language_format CHECK (language ~
		'^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
	CONSTRAINT patient_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE
);

CREATE INDEX patient_phone ON appt.patient (phone);
CREATE INDEX patient_name ON appt.patient (
	pg_catalog.lower(last_name), pg_catalog.lower(first_name));

COMMENT ON TABLE appt.patient IS 'Who is seen; personal data lives here alone';
COMMENT ON COLUMN appt.patient.patient_id IS
	'PAT-2026-00123: prefix, year, number; given by a trigger when left out';
COMMENT ON COLUMN appt.patient.patient_no IS
	'Integer key for the patient''s overlap constraint';
COMMENT ON COLUMN appt.patient.abha_id IS
	'Ayushman Bharat Health Account number, where there is one';
COMMENT ON COLUMN appt.patient.branch_id IS
	'Where the patient registered; patients book at any branch';

COMMENT ON COLUMN appt.patient.version IS
	'Rises by one with every change, here and in the tables above; the ETag '
	'over HTTP';

DO $$
DECLARE
	config_table text;
BEGIN
	FOREACH config_table IN ARRAY ARRAY['branch', 'doctor', 'visit_type',
		'working_hours', 'extra_session', 'time_off', 'closure', 'setting']
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER schedule_changed '
			'AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.%I '
			'FOR EACH STATEMENT EXECUTE FUNCTION appt.schedule_changed()',
			config_table);
	END LOOP;
END
$$;
