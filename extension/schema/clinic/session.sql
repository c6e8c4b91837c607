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
	CONSTRAINT working_hours_whole_minutes CHECK (
		extract(second FROM start_time) = 0
		AND extract(second FROM end_time) = 0),
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
		daterange(valid_from, valid_to, '[]') WITH &&,
		branch_id WITH =)
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
	'Slot grid in minutes; NULL: the doctor''s, else the department''s, else '
	'the branch''s';
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
	CONSTRAINT extra_session_whole_minutes CHECK (
		extract(second FROM start_time) = 0
		AND extract(second FROM end_time) = 0),
	CONSTRAINT extra_session_capacity_range CHECK (capacity BETWEEN 1 AND 32),
	CONSTRAINT extra_session_no_overlap EXCLUDE USING gist (
		doctor_id WITH =,
		on_date WITH =,
		int4range(
			extract(epoch FROM start_time)::integer,
			extract(epoch FROM end_time)::integer) WITH &&,
		branch_id WITH =)
);

COMMENT ON TABLE appt.extra_session IS
	'A session on one date beside the weekly ones';

COMMENT ON CONSTRAINT working_hours_start_before_end ON appt.working_hours IS
	'Hours across midnight are two sessions: one to 24:00, and one from 00:00 '
	'of the next weekday';
COMMENT ON CONSTRAINT extra_session_start_before_end ON appt.extra_session IS
	'A session across midnight is two: one to 24:00, and one from 00:00 of the '
	'next date';
COMMENT ON CONSTRAINT working_hours_no_overlap ON appt.working_hours IS
	'Two sessions of a doctor at one branch never overlap; for those at two '
	'branches, whose zones may differ, a trigger of this name compares '
	'instants';
COMMENT ON CONSTRAINT extra_session_no_overlap ON appt.extra_session IS
	'Likewise';

CREATE FUNCTION appt_internal.weekly_meet(
	a appt.working_hours,
	a_zone text,
	b appt.working_hours,
	b_zone text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM (
			SELECT
				(b.weekday - a.weekday + 10) % 7 - 3 AS days,
				greatest(a.valid_from, b.valid_from - 2,
					appt.clock()::date - 7) AS first_date,
				least(a.valid_to, b.valid_to + 2, appt.clock()::date + 3653)
					AS last_date) w
		CROSS JOIN LATERAL (
			SELECT d::date AS on_date
			FROM generate_series(
				(w.first_date + (a.weekday + 7
					- extract(isodow FROM w.first_date)::integer) % 7
				)::timestamp,
				w.last_date::timestamp, interval '7 days') d) day
		WHERE day.on_date BETWEEN a.valid_from AND a.valid_to
			AND day.on_date + w.days BETWEEN b.valid_from AND b.valid_to
			AND appt_internal.instant(day.on_date, a.start_time, a_zone)
				< appt_internal.instant(day.on_date + w.days, b.end_time,
					b_zone)
			AND appt_internal.instant(day.on_date, a.end_time, a_zone)
				> appt_internal.instant(day.on_date + w.days, b.start_time,
					b_zone))
$$;

COMMENT ON FUNCTION appt_internal.weekly_meet(appt.working_hours, text,
	appt.working_hours, text) IS
	'Whether two weekly sessions in two time zones have a moment in common, in '
	'the last week or in the ten years to come in which they are valid';

CREATE FUNCTION appt_internal.weekly_elsewhere(session appt.working_hours)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.branch_id
	FROM appt.working_hours o
	WHERE o.doctor_id = session.doctor_id
		AND o.branch_id <> session.branch_id
		AND appt_internal.weekly_meet(session,
			appt_internal.branch_zone(session.branch_id), o,
			appt_internal.branch_zone(o.branch_id))
	ORDER BY o.working_hours_no
	LIMIT 1
$$;

COMMENT ON FUNCTION appt_internal.weekly_elsewhere(appt.working_hours) IS
	'Another branch where the doctor has weekly hours that meet these, by the '
	'clocks of both; NULL: none';

CREATE FUNCTION appt_internal.extra_elsewhere(session appt.extra_session)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.branch_id
	FROM appt.extra_session o
	CROSS JOIN LATERAL (
		SELECT appt_internal.branch_zone(session.branch_id),
			appt_internal.branch_zone(o.branch_id)) z (zone, other_zone)
	WHERE o.doctor_id = session.doctor_id
		AND o.branch_id <> session.branch_id
		AND o.on_date BETWEEN session.on_date - 2 AND session.on_date + 2
		AND appt_internal.instant(o.on_date, o.start_time, z.other_zone)
			< appt_internal.instant(session.on_date, session.end_time, z.zone)
		AND appt_internal.instant(o.on_date, o.end_time, z.other_zone)
			> appt_internal.instant(session.on_date, session.start_time, z.zone)
	ORDER BY o.extra_session_no
	LIMIT 1
$$;

COMMENT ON FUNCTION appt_internal.extra_elsewhere(appt.extra_session) IS
	'The same of an extra session';

CREATE FUNCTION appt_internal.refuse_overlap(
	session_table text,
	doctor_id text,
	branch_id text)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'doctor "%" has a session at branch "%" that overlaps this '
		'one', doctor_id, branch_id
		USING ERRCODE = '23P01', SCHEMA = 'appt', TABLE = session_table,
			CONSTRAINT = session_table || '_no_overlap',
			DETAIL = 'The clocks of both branches count.';
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_overlap(text, text, text) IS
	'Raises 23P01 in the name of the table''s overlap constraint';

/*
 * The doctor's row is written, though nothing of it changes: so two who add
 * sessions wait for each other, and REPEATABLE READ fails as it should.
 */
CREATE FUNCTION appt_internal.session_overlap() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other text;
BEGIN
	IF current_setting('check_function_bodies') = 'off' THEN
		RETURN NULL;			/* a restore: it was compared before */
	END IF;
	UPDATE appt.doctor d
	SET active = d.active
	WHERE d.doctor_id = NEW.doctor_id;

	IF TG_TABLE_NAME = 'working_hours' THEN
		other := appt_internal.weekly_elsewhere(NEW);
	ELSE
		other := appt_internal.extra_elsewhere(NEW);
	END IF;
	IF other IS NOT NULL THEN
		PERFORM appt_internal.refuse_overlap(TG_TABLE_NAME, NEW.doctor_id,
			other);
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.session_overlap() IS
	'Row trigger: a doctor''s sessions at two branches have no moment in '
	'common, by the clocks of both; raises 23P01';

/*
 * The caller holds the branch's row.  A change of a session holds that
 * session's row and then waits for the branch's, so this writes the doctors'
 * rows and no session's: otherwise the two could deadlock.
 */
CREATE FUNCTION appt_internal.compare_sessions(branch_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doctor text;
	meeting record;
BEGIN
	FOR doctor IN
		SELECT s.doctor_id FROM appt.working_hours s WHERE s.branch_id = $1
		UNION
		SELECT s.doctor_id FROM appt.extra_session s WHERE s.branch_id = $1
		ORDER BY doctor_id
	LOOP
		UPDATE appt.doctor d
		SET active = d.active
		WHERE d.doctor_id = doctor;
	END LOOP;
	FOR meeting IN
		SELECT 'working_hours' AS kind, s.doctor_id,
			appt_internal.weekly_elsewhere(s) AS other
		FROM appt.working_hours s
		WHERE s.branch_id = $1
		UNION ALL
		SELECT 'extra_session', s.doctor_id, appt_internal.extra_elsewhere(s)
		FROM appt.extra_session s
		WHERE s.branch_id = $1
			AND s.on_date > appt.clock() - interval '2 days'
	LOOP
		IF meeting.other IS NOT NULL THEN
			PERFORM appt_internal.refuse_overlap(meeting.kind,
				meeting.doctor_id, meeting.other);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.compare_sessions(text) IS
	'Compares all sessions at a branch, whose clock has changed, with their '
	'doctors'' at other branches; raises 23P01';

CREATE FUNCTION appt_internal.doctor_branches(doctor_id text) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT array_agg(s.branch_id ORDER BY s.branch_id)
		FROM (
			SELECT h.branch_id
			FROM appt.working_hours h
			WHERE h.doctor_id = $1
			UNION
			SELECT e.branch_id
			FROM appt.extra_session e
			WHERE e.doctor_id = $1) s);
END
$$;

COMMENT ON FUNCTION appt_internal.doctor_branches(text) IS
	'The branches where a doctor has weekly or extra sessions; NULL: none';

CREATE FUNCTION appt_internal.doctor_zone(doctor_id text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	own CONSTANT text[] := appt_internal.doctor_branches($1);
BEGIN
	RETURN coalesce((
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE b.branch_id = ANY (own) OR b.active
		ORDER BY b.branch_id = ANY (own) DESC NULLS LAST, b.branch_id
		LIMIT 1), 'UTC');
END
$$;

COMMENT ON FUNCTION appt_internal.doctor_zone(text) IS
	'The time zone in which a doctor''s time off is shown: that of the first '
	'branch where the doctor works, else of the first branch';

CREATE TYPE appt_internal.doctor_place AS (
	doctor_id text,
	branch_ids text[],
	time_zone text
);

COMMENT ON TYPE appt_internal.doctor_place IS
	'Where a doctor works: appt_internal.doctor_branches and doctor_zone';

/* Without a search_path of its own it becomes a part of the statement, which
 * joins it: all doctors are looked at once, one of them by an index. */
CREATE FUNCTION appt_internal.doctor_places()
	RETURNS SETOF appt_internal.doctor_place
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
AS $$
	SELECT w.doctor_id, w.branch_ids, appt_internal.known_zone(b.time_zone)
	FROM (
		SELECT s.doctor_id,
			pg_catalog.array_agg(s.branch_id ORDER BY s.branch_id) AS branch_ids
		FROM (
			SELECT h.doctor_id, h.branch_id
			FROM appt.working_hours h
			UNION
			SELECT e.doctor_id, e.branch_id
			FROM appt.extra_session e) s
		GROUP BY s.doctor_id) w
	JOIN appt.branch b ON b.branch_id = w.branch_ids[1]
$$;

COMMENT ON FUNCTION appt_internal.doctor_places() IS
	'Where the doctors work who have weekly or extra sessions, for lists';

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.working_hours
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.extra_session
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER working_hours_no_overlap
	AFTER INSERT OR UPDATE ON appt.working_hours
	FOR EACH ROW EXECUTE FUNCTION appt_internal.session_overlap();

CREATE TRIGGER extra_session_no_overlap
	AFTER INSERT OR UPDATE ON appt.extra_session
	FOR EACH ROW EXECUTE FUNCTION appt_internal.session_overlap();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.working_hours
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.extra_session
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
