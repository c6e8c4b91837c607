/* ---------------------------------------------------------------------------
 * Operating hours: when a branch is open, each week.  No session lies outside
 * them, and the engine offers nothing there (extension/sessions.c).
 *
 * Sessions and operating hours are compared by the branch's clock, whoever
 * writes them: one that saves a session has the branch's row shared while it
 * looks, one that changes operating hours writes that row.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.operating_hours (
	operating_hours_no bigint GENERATED ALWAYS AS IDENTITY,
	branch_id text NOT NULL,
	weekday smallint NOT NULL,
	opens time NOT NULL,
	closes time NOT NULL,
	valid_from date NOT NULL DEFAULT '-infinity',
	valid_to date NOT NULL DEFAULT 'infinity',
	CONSTRAINT operating_hours_pkey PRIMARY KEY (operating_hours_no),
	CONSTRAINT operating_hours_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT operating_hours_weekday_iso CHECK (weekday BETWEEN 1 AND 7),
	CONSTRAINT operating_hours_opens_before_closes CHECK (opens < closes),
	CONSTRAINT operating_hours_whole_minutes CHECK (
		extract(second FROM opens) = 0
		AND extract(second FROM closes) = 0),
	CONSTRAINT operating_hours_valid_range CHECK (valid_from <= valid_to
		AND valid_from < 'infinity' AND valid_to > '-infinity'),
	CONSTRAINT operating_hours_valid_in_range CHECK (
		(valid_from = '-infinity' OR valid_from >= '0001-01-01')
		AND (valid_to = 'infinity' OR valid_to <= '9999-12-31')),
	CONSTRAINT operating_hours_no_overlap EXCLUDE USING gist (
		branch_id WITH =,
		weekday WITH =,
		int4range(
			extract(epoch FROM opens)::integer,
			extract(epoch FROM closes)::integer) WITH &&,
		daterange(valid_from, valid_to, '[]') WITH &&)
);

COMMENT ON TABLE appt.operating_hours IS
	'When a branch is open, in its wall-clock time: several rows of a weekday '
	'have a break between them, a weekday without one is closed. On dates on '
	'which no row of the branch is valid it is open whenever sessions say so';
COMMENT ON COLUMN appt.operating_hours.weekday IS
	'ISO weekday: 1 = Monday ... 7 = Sunday';
COMMENT ON COLUMN appt.operating_hours.opens IS
	'When it opens, wall-clock time of the branch';
COMMENT ON COLUMN appt.operating_hours.closes IS
	'Exclusive; 24:00 is midnight at the day''s end';
COMMENT ON COLUMN appt.operating_hours.valid_from IS 'First day, inclusive';
COMMENT ON COLUMN appt.operating_hours.valid_to IS 'Last day, inclusive';
COMMENT ON COLUMN appt.operating_hours.operating_hours_no IS
	'Number of the row';

CREATE FUNCTION appt_internal.first_day_outside(
	branch_id text,
	weekday integer,
	start_time time,
	end_time time,
	date_from date,
	date_to date)
	RETURNS date
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH span AS (
		SELECT
			greatest(date_from, appt_internal.local_time(appt.clock(),
				b.time_zone)::date) AS first_day,
			least(date_to, date '9999-12-31') AS last_day
		FROM appt.branch b
		WHERE b.branch_id = $1
	), hours AS (
		SELECT o.weekday, o.valid_from, o.valid_to,
			int4range(
				extract(epoch FROM o.opens)::integer,
				extract(epoch FROM o.closes)::integer) AS open
		FROM appt.operating_hours o
		CROSS JOIN span s
		WHERE o.branch_id = $1
			AND o.valid_to >= s.first_day
			AND o.valid_from <= s.last_day
	), turn AS (
		SELECT s.first_day AS day FROM span s
		UNION
		SELECT h.valid_from FROM hours h
		UNION
		SELECT h.valid_to + 1 FROM hours h
	), stretch AS (
		SELECT t.day + ($2 + 7 - extract(isodow FROM t.day)::integer) % 7
				AS day,
			least(s.last_day, lead(t.day) OVER (ORDER BY t.day) - 1) AS last_day
		FROM turn t
		CROSS JOIN span s
		WHERE t.day BETWEEN s.first_day AND s.last_day
	)
	SELECT min(s.day)
	FROM stretch s
	WHERE s.day <= s.last_day
		AND EXISTS (
			SELECT FROM hours h WHERE s.day BETWEEN h.valid_from AND h.valid_to)
		AND NOT coalesce((
			SELECT range_agg(h.open) @> int4range(
				extract(epoch FROM start_time)::integer,
				extract(epoch FROM end_time)::integer)
			FROM hours h
			WHERE h.weekday = $2
				AND s.day BETWEEN h.valid_from AND h.valid_to), false)
$$;

COMMENT ON FUNCTION appt_internal.first_day_outside(text, integer, time, time,
	date, date) IS
	'The first date from today on, of that weekday and from date_from to '
	'date_to, on which a branch is not open for all of the time; NULL: none';

CREATE FUNCTION appt_internal.sessions_outside(branch_id text DEFAULT NULL)
	RETURNS TABLE (
		branch_id text,
		doctor_id text,
		session text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.branch_id, s.doctor_id, format('%s %s-%s of %s', s.day,
		left(s.start_time::text, 5), left(s.end_time::text, 5), s.doctor_id)
	FROM (
		SELECT h.branch_id, h.doctor_id, h.weekday, h.start_time, h.end_time,
			h.valid_from, h.valid_to,
			('{Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday}'
				::text[])[h.weekday] AS day
		FROM appt.working_hours h
		UNION ALL
		SELECT e.branch_id, e.doctor_id, extract(isodow FROM e.on_date),
			e.start_time, e.end_time, e.on_date, e.on_date,
			to_char(e.on_date, 'DD/MM/YYYY')
		FROM appt.extra_session e) s
	WHERE s.branch_id IN (
			SELECT o.branch_id
			FROM appt.operating_hours o
			WHERE $1 IS NULL OR o.branch_id = $1)
		AND appt_internal.first_day_outside(s.branch_id, s.weekday::integer,
			s.start_time, s.end_time, s.valid_from, s.valid_to) IS NOT NULL
	ORDER BY s.branch_id, s.doctor_id, s.valid_from, s.weekday, s.start_time
$$;

COMMENT ON FUNCTION appt_internal.sessions_outside(text) IS
	'The sessions, of one branch or of all, for which the branch is not open '
	'from today on';

CREATE FUNCTION appt_internal.opening_sentence(branch_id text, on_date date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('On %s branch %s is %s.',
		to_char(on_date, 'DD/MM/YYYY'), $1,
		coalesce('open ' || string_agg(format('%s-%s',
			left(o.opens::text, 5), left(o.closes::text, 5)), ' and '
			ORDER BY o.opens), 'not open'))
	FROM appt.operating_hours o
	WHERE o.branch_id = $1
		AND o.weekday = extract(isodow FROM on_date)
		AND on_date BETWEEN o.valid_from AND o.valid_to
$$;

COMMENT ON FUNCTION appt_internal.opening_sentence(text, date) IS
	'When a branch with operating hours is open on a date, in a sentence';

CREATE FUNCTION appt_internal.session_in_operating_hours() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	outside date;
BEGIN
	IF current_setting('check_function_bodies') = 'off' THEN
		RETURN NULL;			/* a restore: it was compared before */
	END IF;
	PERFORM FROM appt.branch b WHERE b.branch_id = NEW.branch_id FOR SHARE;
	IF TG_TABLE_NAME = 'working_hours' THEN
		outside := appt_internal.first_day_outside(NEW.branch_id, NEW.weekday,
			NEW.start_time, NEW.end_time, NEW.valid_from, NEW.valid_to);
	ELSE
		outside := appt_internal.first_day_outside(NEW.branch_id,
			extract(isodow FROM NEW.on_date)::integer,
			NEW.start_time, NEW.end_time, NEW.on_date, NEW.on_date);
	END IF;
	IF outside IS NOT NULL THEN
		RAISE EXCEPTION 'a session from % to % lies outside the operating '
			'hours of branch "%"', left(NEW.start_time::text, 5),
			left(NEW.end_time::text, 5), NEW.branch_id
			USING ERRCODE = 'SB001', COLUMN = 'start_time',
				DETAIL = appt_internal.opening_sentence(NEW.branch_id, outside);
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.session_in_operating_hours() IS
	'Row trigger: a session lies within the operating hours of its branch, '
	'from today on; raises SB001';

/* Triggers fire by name: the branch's row is locked before the doctor's, which
 * those against overlaps write. */
CREATE TRIGGER branch_is_open
	AFTER INSERT OR UPDATE ON appt.working_hours
	FOR EACH ROW EXECUTE FUNCTION appt_internal.session_in_operating_hours();

CREATE TRIGGER branch_is_open
	AFTER INSERT OR UPDATE ON appt.extra_session
	FOR EACH ROW EXECUTE FUNCTION appt_internal.session_in_operating_hours();

/*
 * A transaction that saves a session writes the doctor's row.  So above READ
 * COMMITTED, where the snapshot may lack that session, locking the doctors'
 * rows FOR SHARE fails, and nothing is compared with an old list.
 */
CREATE FUNCTION appt_internal.operating_hours_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	branches text[] := ARRAY(
		SELECT DISTINCT c.branch_id FROM changed c ORDER BY c.branch_id);
	branch text;
	outside text[];
	listed CONSTANT integer := 20;
BEGIN
	IF current_setting('check_function_bodies') = 'off' THEN
		RETURN NULL;			/* a restore: they were compared before */
	END IF;
	IF TG_OP = 'UPDATE' THEN
		branches := ARRAY(
			SELECT c.branch_id FROM changed c
			UNION
			SELECT f.branch_id FROM former f
			ORDER BY branch_id);
	END IF;
	FOREACH branch IN ARRAY branches LOOP
		UPDATE appt.branch b
		SET version = b.version + 1
		WHERE b.branch_id = branch;
		IF current_setting('transaction_isolation') <> 'read committed' THEN
			PERFORM FROM appt.doctor d ORDER BY d.doctor_id FOR SHARE;
		END IF;

		SELECT array_agg(s.session) INTO outside
		FROM appt_internal.sessions_outside(branch) s;
		IF outside IS NOT NULL THEN
			RAISE EXCEPTION 'operating hours of branch "%" affect %',
				branch, CASE cardinality(outside) WHEN 1 THEN '1 session'
					ELSE cardinality(outside) || ' sessions' END
				USING ERRCODE = 'SB964',
					DETAIL = format('These would lie outside: %s%s.',
						array_to_string(outside[1:listed], ', '),
						CASE WHEN cardinality(outside) > listed
							THEN format(' and %s more',
								cardinality(outside) - listed) ELSE '' END),
					HINT = 'Shorten or end them first.';
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.operating_hours_changed() IS
	'Statement trigger: operating hours that a statement leaves have all '
	'sessions of the branch in them, from today on; raises SB964 with the list '
	'of the others. The branch''s version rises';

CREATE TRIGGER operating_hours_inserted
	AFTER INSERT ON appt.operating_hours
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT
	EXECUTE FUNCTION appt_internal.operating_hours_changed();

CREATE TRIGGER operating_hours_updated
	AFTER UPDATE ON appt.operating_hours
	REFERENCING OLD TABLE AS former NEW TABLE AS changed
	FOR EACH STATEMENT
	EXECUTE FUNCTION appt_internal.operating_hours_changed();

CREATE TRIGGER operating_hours_deleted
	AFTER DELETE ON appt.operating_hours
	REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT
	EXECUTE FUNCTION appt_internal.operating_hours_changed();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.operating_hours
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();
