/* ---------------------------------------------------------------------------
 * Sessions: when a doctor sees patients, each week and on single dates.
 * ------------------------------------------------------------------------ */

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

CREATE FUNCTION appt_internal.doctor_branches(doctor_id text) RETURNS text[]
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

COMMENT ON FUNCTION appt_internal.doctor_branches(text) IS
	'The branches where a doctor has weekly or extra sessions; NULL: none';

CREATE FUNCTION appt_internal.doctor_zone(doctor_id text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		(SELECT appt_internal.known_zone(b.time_zone)
		 FROM appt.branch b
		 WHERE b.branch_id = ANY (appt_internal.doctor_branches($1)) OR b.active
		 ORDER BY b.branch_id
			= ANY (appt_internal.doctor_branches($1)) DESC NULLS LAST,
			b.branch_id
		 LIMIT 1),
		'UTC')
$$;

COMMENT ON FUNCTION appt_internal.doctor_zone(text) IS
	'The time zone in which a doctor''s time off is shown: that of the first '
	'branch where the doctor works, else of the first branch';

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.working_hours
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.extra_session
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.working_hours
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.extra_session
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
