/* ---------------------------------------------------------------------------
 * Settings: what there is to set, and what was set for whom.
 * ------------------------------------------------------------------------ */

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
	('max_duration_min', 'integer', '120', 5, 480,
		'Minutes that a visit may be asked to last; a visit type''s or the '
		'slot''s own length may be longer'),
	('hold_min', 'integer', '5', 1, 120,
		'Minutes after which a hold expires'),
	('offer_min', 'integer', '120', 1, 10080,
		'Minutes for which a place that is offered to a patient is kept'),
	('doctor_daily_limit', 'integer', '0', 0, 1000,
		'Active appointments of a doctor per day; 0: no limit'),
	('patient_daily_limit', 'integer', '0', 0, 1000,
		'Active appointments of a patient per day; 0: no limit'),
	('late_after_min', 'integer', '10', 0, 480,
		'Minutes after the slot''s start from which a check-in counts as late'),
	('check_in_before_min', 'integer', '120', 0, 1440,
		'Minutes around the visit in which a patient can check in, where its '
		'day does not reach so far'),
	('holds_per_client', 'integer', '20', 1, 100000,
		'Slots that an API client may hold at a time'),
	('appointment_id_prefix', 'text', 'APT', NULL, NULL,
		'First part of an appointment''s id'),
	('patient_id_prefix', 'text', 'PAT', NULL, NULL,
		'First part of a patient''s id'),
	('calling_code', 'integer', '91', 0, 999,
		'Country code of telephone numbers that are written without one; 0: '
		'unknown'),
	('board_notice', 'text', '', NULL, NULL,
		'What the boards of waiting rooms say; empty: nothing'),
	('webhooks_per_client', 'integer', '20', 1, 1000,
		'Webhooks that an API client may have');

ALTER TABLE appt.setting ADD CONSTRAINT setting_name_fkey
	FOREIGN KEY (name) REFERENCES appt.setting_definition;

CREATE FUNCTION appt_internal.setting_check() RETURNS trigger
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
	ELSIF (NEW.name LIKE '%\_id\_prefix' OR NEW.name LIKE '%\_per\_client')
		AND (NEW.branch_id IS NOT NULL OR NEW.doctor_id IS NOT NULL)
	THEN
		RAISE EXCEPTION 'setting "%" is for the whole clinic', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'name';
	ELSIF NEW.name = 'board_notice' AND NEW.doctor_id IS NOT NULL
	THEN
		RAISE EXCEPTION 'setting "%" is for a branch or the whole clinic',
			NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'doctor_id';
	ELSIF NEW.name = 'board_notice' AND length(NEW.value) > 500
	THEN
		RAISE EXCEPTION 'value of setting "%" is too long', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value',
				DETAIL = 'It has at most 500 characters.';
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

COMMENT ON FUNCTION appt_internal.setting_check() IS
	'Row trigger: a setting''s value must fit its definition; raises SB001';

CREATE TRIGGER setting_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW EXECUTE FUNCTION appt_internal.setting_check();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.setting
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.setting
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
