/* ---------------------------------------------------------------------------
 * Doctors.  One who has days with tokens stays (appt.doctor_day).
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.doctor (
	doctor_id text NOT NULL,
	doctor_no integer GENERATED ALWAYS AS IDENTITY,
	name text NOT NULL,
	specialty text,
	department_id text,
	slot_min appt.slot_minutes,
	buffer_before_min appt.minutes NOT NULL DEFAULT 0,
	buffer_after_min appt.minutes NOT NULL DEFAULT 0,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT doctor_pkey PRIMARY KEY (doctor_id),
	CONSTRAINT doctor_no_key UNIQUE (doctor_no),
	CONSTRAINT doctor_department_fkey FOREIGN KEY (department_id)
		REFERENCES appt.department ON UPDATE CASCADE,
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
CREATE INDEX doctor_department ON appt.doctor (department_id);

COMMENT ON TABLE appt.doctor IS 'Who sees patients';
COMMENT ON COLUMN appt.doctor.doctor_id IS 'The clinic''s own code: DOC-001';
COMMENT ON COLUMN appt.doctor.doctor_no IS
	'Integer key for the overlap constraint (a text key costs three times '
	'as much there)';
COMMENT ON COLUMN appt.doctor.slot_min IS
	'Slot length in minutes; NULL: the department''s, else the branch''s';
COMMENT ON COLUMN appt.doctor.department_id IS
	'The department that the doctor belongs to; NULL: none';
COMMENT ON COLUMN appt.doctor.buffer_before_min IS
	'Minutes kept free before each appointment';
COMMENT ON COLUMN appt.doctor.buffer_after_min IS
	'Minutes kept free after each appointment';

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.doctor
	FOR EACH ROW WHEN (OLD.doctor_id <> NEW.doctor_id)
	EXECUTE FUNCTION appt_internal.id_is_final('doctor_id');

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.doctor
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.doctor
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
