/* ---------------------------------------------------------------------------
 * Absences: time off of a doctor, closures of a branch.  Over existing bookings
 * they are refused with the list of those affected, unless asked to displace
 * them (appointment/displacement.sql).
 * ------------------------------------------------------------------------ */

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

CREATE FUNCTION appt_internal.absence_lock() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_absence_lock';

COMMENT ON FUNCTION appt_internal.absence_lock() IS
	'Row trigger: no booking slips in while time off or a closure is written';

CREATE FUNCTION appt_internal.absence_check() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_absence_check';

COMMENT ON FUNCTION appt_internal.absence_check() IS
	'Constraint trigger: refuses time off or a closure that appointments lie '
	'in, and ends the holds in it; raises SB962';

CREATE TRIGGER absence_lock
	BEFORE INSERT OR UPDATE ON appt.time_off
	FOR EACH ROW EXECUTE FUNCTION appt_internal.absence_lock();

CREATE TRIGGER absence_lock
	BEFORE INSERT OR UPDATE ON appt.closure
	FOR EACH ROW EXECUTE FUNCTION appt_internal.absence_lock();

CREATE CONSTRAINT TRIGGER time_off_keeps_appointments
	AFTER INSERT OR UPDATE ON appt.time_off
	DEFERRABLE INITIALLY IMMEDIATE
	FOR EACH ROW EXECUTE FUNCTION appt_internal.absence_check();

CREATE CONSTRAINT TRIGGER closure_keeps_appointments
	AFTER INSERT OR UPDATE ON appt.closure
	DEFERRABLE INITIALLY IMMEDIATE
	FOR EACH ROW EXECUTE FUNCTION appt_internal.absence_check();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.time_off
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.closure
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.time_off
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.closure
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
