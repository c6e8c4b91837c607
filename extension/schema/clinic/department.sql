/* ---------------------------------------------------------------------------
 * Departments: what doctors belong to, and where the length of their slots is
 * said for all of them.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.department (
	department_id text NOT NULL,
	name text NOT NULL,
	slot_min appt.slot_minutes,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT department_pkey PRIMARY KEY (department_id),
	CONSTRAINT department_id_format
		CHECK (department_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT department_name_not_blank CHECK (name ~ '\S')
);

COMMENT ON TABLE appt.department IS
	'A department of the clinic, at whatever branch: cardiology, paediatrics';
COMMENT ON COLUMN appt.department.department_id IS
	'The clinic''s own code: CARD';
COMMENT ON COLUMN appt.department.slot_min IS
	'Slot length in minutes of its doctors who say nothing; NULL: the '
	'branch''s';
COMMENT ON COLUMN appt.department.active IS
	'false: not offered to choose from; its doctors and their slots stay';

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.department
	FOR EACH ROW WHEN (OLD.department_id <> NEW.department_id)
	EXECUTE FUNCTION appt_internal.id_is_final('department_id');

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.department
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.department
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
