-- The property test's other half: random worlds, and what the contract says
-- of them in slow and obvious SQL. Nothing here is copied from the engine; it
-- shares the tables with it and nothing else.

CREATE SCHEMA prop;

-- ---- chance (setseed makes it repeatable) --------------------------------

CREATE FUNCTION prop.chance(percent integer) RETURNS boolean LANGUAGE sql
VOLATILE RETURN random() * 100 < percent;

CREATE FUNCTION prop.number(lo integer, hi integer) RETURNS integer
LANGUAGE sql VOLATILE RETURN lo + floor(random() * (hi - lo + 1))::integer;

CREATE FUNCTION prop.pick(VARIADIC choice text[]) RETURNS text
LANGUAGE sql VOLATILE RETURN choice[prop.number(1, cardinality(choice))];

CREATE FUNCTION prop.pick(VARIADIC choice integer[]) RETURNS integer
LANGUAGE sql VOLATILE RETURN choice[prop.number(1, cardinality(choice))];

CREATE FUNCTION prop.pick(VARIADIC choice interval[]) RETURNS interval
LANGUAGE sql VOLATILE RETURN choice[prop.number(1, cardinality(choice))];

-- ---- the model -----------------------------------------------------------

-- The first instant at which the zone's clock shows that time or a later one,
-- found by looking at the clock every five minutes. (No change of the clocks
-- here is longer than two hours.)
CREATE FUNCTION prop.instant(wall timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
	SELECT min(t)
	FROM generate_series(wall AT TIME ZONE zone - interval '2 hours',
		wall AT TIME ZONE zone + interval '2 hours', interval '5 min') t
	WHERE t AT TIME ZONE zone >= wall
$$;

-- A setting: the doctor's value before the branch's, the global one, the
-- default.
CREATE FUNCTION prop.setting(wanted text, doctor text, branch text)
RETURNS integer LANGUAGE sql STABLE
AS $$
	SELECT coalesce(
		(SELECT value FROM appt.setting
		 WHERE name = wanted AND doctor_id = doctor),
		(SELECT value FROM appt.setting
		 WHERE name = wanted AND branch_id = branch),
		(SELECT value FROM appt.setting
		 WHERE name = wanted AND doctor_id IS NULL AND branch_id IS NULL),
		(SELECT default_value FROM appt.setting_definition
		 WHERE name = wanted))::integer
$$;

-- A doctor's sessions of a date at a branch, as instants, as they were written.
CREATE FUNCTION prop.sessions(doctor text, branch text, day date)
RETURNS TABLE (extra boolean, starts timestamptz, ends timestamptz,
	step interval, capacity integer)
LANGUAGE sql STABLE
AS $$
	SELECT h.extra, prop.instant(day + h.start_time, b.time_zone),
		prop.instant(day + h.end_time, b.time_zone),
		make_interval(mins => coalesce(h.slot_min, d.slot_min, b.slot_min)),
		h.capacity
	FROM (
		SELECT false AS extra, start_time::interval, end_time::interval,
			slot_min, capacity
		FROM appt.working_hours
		WHERE doctor_id = doctor AND branch_id = branch
			AND weekday = extract(isodow FROM day)
			AND day BETWEEN valid_from AND valid_to
		UNION ALL
		SELECT true, start_time::interval, end_time::interval, slot_min,
			capacity
		FROM appt.extra_session
		WHERE doctor_id = doctor AND branch_id = branch AND on_date = day) h
	JOIN appt.doctor d ON d.doctor_id = doctor
	JOIN appt.branch b ON b.branch_id = branch
$$;

-- By when a slot ends that begins at a point of a session's grid. Weekly hours
-- end where an extra session of another capacity begins; an extra session goes
-- on in hours of its own capacity that it overlaps; and midnight is no end
-- where the next day begins with as many places.
CREATE FUNCTION prop.reach(doctor text, branch text, day date, zone text,
	s_extra boolean, s_starts timestamptz, s_ends timestamptz,
	s_capacity integer, at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE
AS $$
	WITH today AS MATERIALIZED (
		SELECT * FROM prop.sessions(doctor, branch, day)
		WHERE starts < ends),
	tomorrow AS MATERIALIZED (
		SELECT * FROM prop.sessions(doctor, branch, day + 1)
		WHERE starts < ends),
	midnight AS (
		SELECT prop.instant(day + interval '1 day', zone) AS t),
	goes_on AS (
		SELECT least(n.ends, (
			SELECT min(e.starts) FROM tomorrow e
			WHERE e.extra AND NOT n.extra)) AS until
		FROM tomorrow n, midnight
		WHERE n.starts = midnight.t AND n.capacity = s_capacity
			AND (n.extra OR NOT EXISTS (
				SELECT FROM tomorrow e
				WHERE e.extra AND e.starts = midnight.t)))
	SELECT CASE
		WHEN s_ends = midnight.t AND (s_extra OR NOT EXISTS (
				SELECT FROM today e
				WHERE e.extra AND e.starts > at AND e.starts < s_ends))
			AND EXISTS (SELECT FROM goes_on)
		THEN (SELECT until FROM goes_on)
		ELSE least(
			greatest(s_ends, (
				SELECT max(w.ends) FROM today w
				WHERE s_extra AND NOT w.extra AND w.capacity = s_capacity
					AND w.starts < s_ends AND w.ends > s_starts)),
			(SELECT min(e.starts) FROM today e
			 WHERE e.extra AND e.capacity <> s_capacity AND e.starts > at))
		END
	FROM midnight
$$;

-- What stands in a slot's way: active appointments and unexpired holds, those
-- that take a bookable place, with the buffer that lies between.
CREATE FUNCTION prop.in_the_way(doctor text, from_time timestamptz,
	to_time timestamptz, buffer_before integer, buffer_after integer)
RETURNS SETOF appt.appointment LANGUAGE sql STABLE
AS $$
	SELECT a.*
	FROM appt.appointment a
	WHERE a.doctor_id = doctor
		AND a.status NOT IN ('cancelled', 'no_show')
		AND NOT (a.status = 'held' AND a.hold_expires_at <= appt.clock())
		AND a.lane < 32
		AND from_time < a.slot_end + make_interval(
			mins => greatest(a.buffer_after_min, buffer_before))
		AND to_time + make_interval(
			mins => greatest(a.buffer_before_min, buffer_after)) > a.slot_start
$$;

-- How many places are taken at the worst moment: the slot's start, or where
-- somebody begins during it, with those whose buffer is not over then.
CREATE FUNCTION prop.places_taken(doctor text, from_time timestamptz,
	to_time timestamptz, buffer_before integer, buffer_after integer)
RETURNS bigint LANGUAGE sql STABLE
AS $$
	WITH way AS MATERIALIZED (
		SELECT * FROM prop.in_the_way(doctor, from_time, to_time,
			buffer_before, buffer_after)),
	at_start AS (
		SELECT count(DISTINCT lane) AS n FROM way
		WHERE slot_start <= from_time),
	later AS (
		SELECT (
			SELECT count(DISTINCT b.lane)
			FROM way b
			WHERE b.slot_start <= a.slot_start
				AND (b.appointment_no = a.appointment_no OR b.slot_end
					+ make_interval(mins => greatest(b.buffer_after_min,
						a.buffer_before_min)) > a.slot_start)) AS n
		FROM way a
		WHERE a.slot_start > from_time)
	SELECT greatest((SELECT n FROM at_start), (SELECT max(n) FROM later))
$$;

CREATE FUNCTION prop.day_is_full(doctor text, branch text, day date)
RETURNS boolean LANGUAGE sql STABLE
AS $$
	SELECT most > 0 AND (
		SELECT count(*)
		FROM appt.appointment a
		WHERE a.doctor_id = doctor AND a.token_date = day
			AND a.status NOT IN ('cancelled', 'no_show')
			AND NOT (a.status = 'held' AND a.hold_expires_at <= appt.clock()))
		>= most
	FROM prop.setting('doctor_daily_limit', doctor, branch) most
$$;

-- The free slots of a date at a branch.
CREATE FUNCTION prop.free_slots(doctor text, branch text, day date,
	duration integer, visit text)
RETURNS TABLE (start_time timestamptz, end_time timestamptz,
	remaining integer, branch_id text)
LANGUAGE sql STABLE
AS $$
	WITH person AS (
		SELECT coalesce(v.buffer_before_min, d.buffer_before_min) AS before,
			coalesce(v.buffer_after_min, d.buffer_after_min) AS after,
			make_interval(mins => coalesce(duration, v.duration_min)) AS length,
			b.time_zone
		FROM appt.doctor d
		JOIN appt.branch b ON b.branch_id = branch
		LEFT JOIN appt.visit_type v ON v.visit_type = visit
		WHERE d.doctor_id = doctor),
	sessions AS MATERIALIZED (
		SELECT * FROM prop.sessions(doctor, branch, day)),
	-- An extra session takes the place of the weekly hours that it overlaps.
	placed AS (
		SELECT t AS starts, t + coalesce(p.length, s.step) AS ends,
			p.before, p.after, p.time_zone, s.capacity
		FROM sessions s
		CROSS JOIN person p
		CROSS JOIN LATERAL generate_series(s.starts,
			s.ends - interval '1 microsecond', s.step) t
		WHERE (s.extra OR NOT EXISTS (
				SELECT FROM sessions e
				WHERE e.extra AND e.starts <= t AND e.ends > t))
			AND CASE
				WHEN NOT s.extra AND t + coalesce(p.length, s.step) <= s.ends
					AND NOT EXISTS (SELECT FROM sessions e WHERE e.extra)
				THEN true
				ELSE t + coalesce(p.length, s.step) <= prop.reach(doctor,
					branch, day, p.time_zone, s.extra, s.starts, s.ends,
					s.capacity, t)
				END),
	judged AS (
		SELECT g.*, g.capacity - prop.places_taken(doctor, g.starts, g.ends,
			g.before, g.after) AS left_over
		FROM placed g)
	SELECT starts, ends, left_over::integer, branch
	FROM judged g
	WHERE left_over > 0
		AND starts >= appt.clock() + make_interval(
			mins => prop.setting('lead_time_min', doctor, branch))
		AND day <= (appt.clock() AT TIME ZONE g.time_zone)::date
			+ prop.setting('horizon_days', doctor, branch)
		AND NOT prop.day_is_full(doctor, branch, day)
		AND NOT EXISTS (
			SELECT FROM appt.closure c
			WHERE c.branch_id = branch
				AND c.starts_at < g.ends AND c.ends_at > g.starts)
		AND NOT EXISTS (
			SELECT FROM appt.time_off o
			WHERE o.doctor_id = doctor
				AND o.starts_at < g.ends AND o.ends_at > g.starts)
$$;

-- ---- random worlds -------------------------------------------------------

CREATE FUNCTION prop.random_minutes(lo integer, hi integer) RETURNS interval
LANGUAGE sql VOLATILE
RETURN make_interval(mins => prop.number(lo / 5, hi / 5) * 5);

CREATE FUNCTION prop.attempt(statement text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE NOT LIKE 'SB%' AND SQLSTATE NOT IN ('23P01', '23514') THEN
		RAISE;
	END IF;
	RETURN SQLSTATE;
END
$$;

CREATE FUNCTION prop.random_hours(doctor text, branch text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	opens interval;
	closes interval;
	dated boolean := prop.chance(20);
BEGIN
	opens := prop.pick(interval '0', interval '0', '8 hours', '13 hours',
		'20 hours') + prop.random_minutes(0, 90);
	closes := least(interval '24 hours', opens + prop.random_minutes(30, 240));
	IF prop.chance(15) THEN
		opens := interval '0';
	ELSIF prop.chance(15) THEN
		closes := interval '24 hours';
	END IF;
	PERFORM prop.attempt(format(
		'INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, '
		'start_time, end_time, slot_min, capacity, valid_from, valid_to) '
		'SELECT %L, %L, d, %L, %L, %L, %s, %L, %L FROM generate_series(1, 7) d '
		'WHERE d <> %s', doctor, branch, opens, closes,
		CASE WHEN prop.chance(50) THEN prop.pick(5, 10, 15, 20, 25, 30, 45, 60)
			END, prop.pick(1, 1, 1, 2, 3),
		CASE WHEN dated THEN (SELECT day + prop.number(-2, 1) FROM prop.world)
			ELSE '-infinity' END,
		CASE WHEN dated THEN (SELECT day + prop.number(1, 3) FROM prop.world)
			ELSE 'infinity' END,
		prop.number(1, 21)));
END
$$;

-- The day around which everything happens; at a change of the clocks more
-- often than not.
CREATE TABLE prop.world (zone text, day date, now timestamptz);

CREATE FUNCTION prop.random_day() RETURNS void LANGUAGE sql
AS $$
	TRUNCATE prop.world;
	INSERT INTO prop.world (zone, day)
	SELECT zone, day + prop.number(-2, 1)
	FROM (VALUES
		('Europe/London', date '2026-03-29'), ('Europe/London', '2026-10-25'),
		('America/New_York', '2026-03-08'), ('America/New_York', '2026-11-01'),
		('Australia/Lord_Howe', '2026-10-04'),
		('Australia/Lord_Howe', '2026-04-05'),
		('America/Sao_Paulo', '2018-11-04'),
		('America/Sao_Paulo', '2018-02-17'),
		('Africa/Casablanca', '2026-02-15'), ('Asia/Kathmandu', '2026-05-05'),
		('Asia/Kolkata', '2026-03-16'), ('Asia/Kolkata', '2026-12-30'),
		('Pacific/Auckland', '2026-04-05'), ('UTC', '2028-02-28'))
		v (zone, day)
	ORDER BY random()
	LIMIT 1;
$$;

CREATE FUNCTION prop.random_schedule() RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	w prop.world;
	doctor text;
	branch text;
	at timestamptz;
BEGIN
	PERFORM prop.random_day();
	SELECT * INTO w FROM prop.world;
	at := prop.instant(w.day + prop.pick(interval '-3 hours', '-3 hours', '0', '9 hours')
		+ prop.random_minutes(0, 90), w.zone)
		+ prop.pick(interval '0', interval '0', '1 second', '-1 microsecond');
	UPDATE prop.world SET now = at RETURNING * INTO w;
	PERFORM set_config('bioecko_appt.clock', at::text, false);

	INSERT INTO appt.branch (branch_id, name, time_zone, slot_min)
	VALUES ('B1', 'One', w.zone, prop.pick(15, 20, 30)),
		('B2', 'Two', prop.pick(w.zone, 'Asia/Kolkata', 'Europe/London'), 15);
	INSERT INTO appt.doctor (doctor_id, name, slot_min, buffer_before_min,
		buffer_after_min)
	SELECT 'D' || n, 'Dr ' || n,
		CASE WHEN prop.chance(30) THEN prop.pick(5, 10, 15, 30) END,
		CASE WHEN prop.chance(25) THEN prop.pick(5, 10, 60) ELSE 0 END,
		CASE WHEN prop.chance(25) THEN prop.pick(5, 15, 240) ELSE 0 END
	FROM generate_series(1, 2) n;
	INSERT INTO appt.visit_type (visit_type, name, duration_min,
		buffer_before_min, buffer_after_min)
	VALUES ('plain', 'Plain', NULL, NULL, NULL),
		('long', 'Long', prop.pick(40, 60), NULL, prop.pick(0, 10)),
		('tight', 'Tight', NULL, 0, 0);
	INSERT INTO appt.patient (patient_id, first_name)
	SELECT 'P' || n, 'Patient' FROM generate_series(0, 20) n;

	FOR i IN 1..prop.number(3, 6) LOOP
		PERFORM prop.random_hours(prop.pick('D1', 'D1', 'D2'),
			prop.pick('B1', 'B1', 'B2'));
	END LOOP;
	FOR i IN 1..prop.number(0, 2) LOOP
		PERFORM prop.attempt(format(
			'INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, '
			'start_time, end_time, slot_min, capacity) VALUES (%L, %L, %L, '
			'%L, %L, %L, %s)', prop.pick('D1', 'D2'), prop.pick('B1', 'B1', 'B2'),
			w.day + prop.number(0, 1), e.opens, least(interval '24 hours',
			e.opens + prop.random_minutes(15, 180)),
			CASE WHEN prop.chance(50) THEN prop.pick(5, 15, 20, 30) END,
			prop.pick(1, 1, 2)))
		FROM (SELECT prop.pick(interval '0', '8 hours', '13 hours', '21 hours')
			+ prop.random_minutes(0, 120) AS opens) e;
	END LOOP;

	FOR i IN 1..prop.number(0, 2) LOOP
		at := w.now + prop.random_minutes(-120, 2880);
		PERFORM prop.attempt(CASE WHEN prop.chance(50)
			THEN format('INSERT INTO appt.time_off (doctor_id, starts_at, '
				'ends_at) VALUES (%L, %L, %L)', prop.pick('D1', 'D2'), at,
				at + prop.random_minutes(5, 300))
			ELSE format('INSERT INTO appt.closure (branch_id, starts_at, '
				'ends_at) VALUES (%L, %L, %L)', prop.pick('B1', 'B2'), at,
				at + prop.random_minutes(5, 300)) END);
	END LOOP;

	INSERT INTO appt.setting (name, doctor_id, branch_id, value)
	SELECT name, CASE scope WHEN 1 THEN prop.pick('D1', 'D2') END,
		CASE scope WHEN 2 THEN prop.pick('B1', 'B2') END,
		CASE name WHEN 'lead_time_min' THEN prop.pick(0, 15, 60, 1440)
			WHEN 'horizon_days' THEN prop.pick(1, 2, 90)
			WHEN 'doctor_daily_limit' THEN prop.pick(1, 3, 5)
			WHEN 'max_duration_min' THEN prop.pick(10, 20, 60)
			ELSE prop.pick(1, 30) END::text
	FROM unnest('{lead_time_min,horizon_days,doctor_daily_limit,hold_min,
			max_duration_min}'::text[])
		name, generate_series(1, 3) scope
	WHERE prop.chance(6);
END
$$;

-- A few hundred milliseconds of the clinic's life: bookings, holds, moves.
CREATE FUNCTION prop.random_life(steps integer) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	w prop.world;
	doctor text;
	branch text;
	slot record;
	someone text;
BEGIN
	SELECT * INTO w FROM prop.world;
	FOR i IN 1..steps LOOP
		doctor := prop.pick('D1', 'D1', 'D2');
		BEGIN
			SELECT s.* INTO slot
			FROM appt.available_slots(doctor, w.day, NULL,
				prop.pick(NULL, NULL, 5, 15, 40), w.day + 1) s
			ORDER BY random() LIMIT 1;
		EXCEPTION WHEN SQLSTATE 'SB001' THEN
			CONTINUE;
		END;
		branch := coalesce(slot.branch_id, 'B1');
		SELECT appointment_id INTO someone
		FROM appt.appointment WHERE status <> 'held' ORDER BY random() LIMIT 1;
		PERFORM prop.attempt(
			CASE
			WHEN i % 10 IN (1, 2, 3, 4) AND slot.start_time IS NOT NULL THEN
				format('SELECT appt.book(%L, %L, %L, %L, %L, %L)',
					'P' || prop.number(1, 20), doctor, slot.start_time,
					slot.end_time, branch,
					prop.pick(NULL, 'plain', 'long', 'tight'))
			WHEN i % 10 = 5 AND slot.start_time IS NOT NULL THEN
				format('SELECT appt.hold(%L, %L, %L, %L)', doctor,
					slot.start_time, slot.end_time, branch)
			WHEN i % 10 = 6 AND slot.start_time IS NOT NULL THEN
				format('SELECT appt.reschedule(%L, %L, %L, NULL, %L, %L)',
					someone, slot.start_time, slot.end_time, doctor, branch)
			WHEN i % 10 = 7 THEN
				format('SELECT appt.cancel(%L, %L)', someone, 'Asked')
			WHEN i % 10 = 8 THEN
				format('SELECT appt.%s(%L)', prop.pick('check_in', 'no_show',
					'confirm', 'start', 'complete', 'undo_check_in'), someone)
			WHEN i % 10 = 9 THEN
				format('SELECT appt.book(%L, %L, %L, %L, %L, override => true)',
					'P' || prop.number(1, 20), doctor, w.now
					+ prop.random_minutes(-60, 1500), NULL, branch)
			ELSE
				format('SELECT appt.walk_in(%L, %L, %L)',
					'P' || prop.number(1, 20), doctor, branch)
			END);
		-- Some holds expire on the way.
		IF prop.chance(10) THEN
			UPDATE prop.world SET now = now + interval '7 min'
			RETURNING * INTO w;
			PERFORM set_config('bioecko_appt.clock', w.now::text, false);
		END IF;
	END LOOP;
	IF prop.chance(20) THEN
		UPDATE appt.working_hours SET capacity = prop.pick(1, 2, 3)
		WHERE doctor_id = 'D1';
	END IF;
END
$$;

-- ---- what must hold ------------------------------------------------------

CREATE FUNCTION prop.can_book(doctor text, slot_start timestamptz,
	slot_end timestamptz, branch text, visit text) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
	BEGIN
		PERFORM appt.book('P0', doctor, slot_start, slot_end, branch, visit);
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		RETURN true;
	END;
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE NOT BETWEEN 'SB901' AND 'SB910' THEN
		RAISE;
	END IF;
	RETURN false;
END
$$;

CREATE UNLOGGED TABLE prop.engine (start_time timestamptz,
	end_time timestamptz, remaining integer, branch_id text);

-- Whether a visit may be asked to last so long: as its type says, else up to
-- the limit or the longest slot.
CREATE FUNCTION prop.may_last(doctor text, branch text, duration integer,
	visit text) RETURNS boolean LANGUAGE sql STABLE
AS $$
	SELECT CASE
		WHEN v.duration_min IS NOT NULL THEN duration = v.duration_min
		ELSE duration <= greatest(
			prop.setting('max_duration_min', doctor, branch),
			coalesce(d.slot_min, b.slot_min), (
				SELECT max(h.slot_min)
				FROM (SELECT doctor_id, branch_id, slot_min
					FROM appt.working_hours
					UNION ALL
					SELECT doctor_id, branch_id, slot_min
					FROM appt.extra_session) h
				WHERE h.doctor_id = doctor AND h.branch_id = branch))
		END
	FROM appt.doctor d
	JOIN appt.branch b ON b.branch_id = branch
	LEFT JOIN appt.visit_type v ON v.visit_type = visit
	WHERE d.doctor_id = doctor
$$;

-- Counts of what was compared, and the first thing found wrong.
CREATE FUNCTION prop.check_day(doctor text, branch text, day date,
	duration integer, visit text, OUT listed bigint, OUT tried bigint,
	OUT wrong text)
LANGUAGE plpgsql
AS $$
DECLARE
	what text := format('doctor %s, branch %s, %s, duration %s, visit type %s',
		doctor, branch, day, duration, visit);
	zone text := (SELECT time_zone FROM appt.branch b
		WHERE b.branch_id = branch);
BEGIN
	-- (e) what may not last so long is neither listed nor booked.
	IF duration IS NOT NULL
		AND NOT prop.may_last(doctor, branch, duration, visit) THEN
		tried := 2;
		SELECT format('%s: %s', what, string_agg(x, ' and '))
		INTO wrong
		FROM unnest(ARRAY[
			prop.attempt(format('SELECT appt.available_slots(%L, %L, %L, %s, '
				'NULL, %L)', doctor, day, branch, duration, visit)),
			prop.attempt(format('SELECT appt.book(%L, %L, %L::timestamptz, '
				'%L::timestamptz + interval %L, %L, %L)', 'P0', doctor,
				day + time '09:00', day + time '09:00', duration || ' min',
				branch, visit))]) x
		WHERE x <> 'SB001'
		HAVING count(*) > 0;
		RETURN;
	END IF;

	-- (b) the engine's list is the model's.
	DELETE FROM prop.engine;
	INSERT INTO prop.engine
	SELECT * FROM appt.available_slots(doctor, day, branch, duration, NULL,
		visit);
	SELECT format('%s: engine and model differ: %s', what,
		string_agg(format('%s %s-%s (%s left)', who, d.start_time, d.end_time,
			d.remaining), '; '))
	INTO wrong
	FROM (
		(SELECT 'only engine' AS who, a.* FROM (TABLE prop.engine EXCEPT ALL
			SELECT * FROM prop.free_slots(doctor, branch, day, duration,
				visit)) a)
		UNION ALL
		(SELECT 'only model', b.* FROM (
			SELECT * FROM prop.free_slots(doctor, branch, day, duration, visit)
			EXCEPT ALL TABLE prop.engine) b)) d
	HAVING count(*) > 0;
	listed := (SELECT count(*) FROM prop.engine);
	tried := 0;

	-- (a) what is listed can be booked ...
	IF wrong IS NULL THEN
		SELECT format('%s: listed but refused: %s', what,
			string_agg(format('%s-%s', start_time, end_time), '; '))
		INTO wrong
		FROM prop.engine e
		WHERE NOT prop.can_book(doctor, start_time, end_time, branch, visit)
		HAVING count(*) > 0;
	END IF;

	-- ... and what is not listed cannot: a sample of the day's five minutes, on
	-- and off the grid.
	IF wrong IS NULL AND duration IS NOT NULL THEN
		SELECT count(*), format('%s: not listed but booked: %s', what,
			string_agg(c.starts::text, '; ') FILTER (WHERE bookable))
		INTO tried, wrong
		FROM (
			SELECT starts
			FROM generate_series(
				prop.instant(day::timestamp, zone) - interval '1 hour',
				prop.instant(day + interval '1 day', zone)
					- interval '1 second', interval '5 min') starts
			WHERE random() < 0.15
			OFFSET 0) c
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN (c.starts AT TIME ZONE zone)::date <> day
					OR EXISTS (
						SELECT FROM prop.engine e
						WHERE e.start_time = c.starts)
				THEN false
				ELSE prop.can_book(doctor, c.starts, c.starts
					+ make_interval(mins => duration), branch, visit)
				END
			OFFSET 0) x (bookable);
		wrong := nullif(wrong, what || ': not listed but booked: ');
	END IF;
END
$$;

-- (c) no overlap and (d) dense tokens, over everything that was done.
CREATE FUNCTION prop.check_invariants() RETURNS text LANGUAGE sql
AS $$
	SELECT string_agg(found, '; ')
	FROM (
		SELECT format('%s is of patient %s, but its number is that of %s',
			a.appointment_id, a.patient_id, p.patient_id)
		FROM appt.appointment a
		JOIN appt.patient p USING (patient_no)
		WHERE p.patient_id <> a.patient_id
		UNION ALL
		SELECT format('%s and %s overlap', a.appointment_id, b.appointment_id)
		FROM appt.appointment a
		JOIN appt.appointment b ON a.appointment_no < b.appointment_no
			AND a.slot_start < b.slot_end AND b.slot_start < a.slot_end
			AND (a.doctor_id, a.lane) = (b.doctor_id, b.lane)
		WHERE a.status NOT IN ('cancelled', 'no_show')
			AND b.status NOT IN ('cancelled', 'no_show')
			AND (a.lane < 32
				OR a.status <> 'completed' AND b.status <> 'completed')
		UNION ALL
		SELECT format('%s is in two places: %s and %s', a.patient_id,
			a.appointment_id, b.appointment_id)
		FROM appt.appointment a
		JOIN appt.appointment b ON a.appointment_no < b.appointment_no
			AND a.slot_start < b.slot_end AND b.slot_start < a.slot_end
			AND a.patient_id = b.patient_id
		WHERE a.status IN ('booked', 'checked_in', 'in_consultation')
			AND b.status IN ('booked', 'checked_in', 'in_consultation')
		UNION ALL
		SELECT format('tokens of %s on %s: %s issued, up to %s, counter %s',
			doctor, day, issued, highest, d.last_token)
		FROM (
			SELECT e.data::json->>'doctor_id' AS doctor,
				(e.data::json->>'token_date')::date AS day,
				count(DISTINCT e.data::json->>'token_number') AS issued,
				max((e.data::json->>'token_number')::integer) AS highest
			FROM appt.event e
			WHERE e.event_type LIKE 'appointment.%'
			GROUP BY 1, 2) t
		JOIN appt.doctor x ON x.doctor_id = t.doctor
		LEFT JOIN appt.doctor_day d
			ON (d.doctor_no, d.on_date) = (x.doctor_no, t.day)
		WHERE issued <> highest OR highest IS DISTINCT FROM d.last_token
		UNION ALL
		SELECT format('token %s of %s on %s was given to %s appointments',
			token_number, doctor_id, token_date, count(*))
		FROM (
			SELECT DISTINCT e.appointment_no,
				e.data::json->>'token_number' AS token_number,
				e.data::json->>'doctor_id' AS doctor_id,
				e.data::json->>'token_date' AS token_date
			FROM appt.event e
			WHERE e.event_type LIKE 'appointment.%') t
		GROUP BY token_number, doctor_id, token_date
		HAVING count(*) > 1) w (found)
$$;

-- One world, to be rolled back by the caller.
CREATE FUNCTION prop.round(seed double precision, OUT listed bigint,
	OUT tried bigint, OUT booked bigint, OUT wrong text)
LANGUAGE plpgsql
AS $$
DECLARE
	c record;
BEGIN
	PERFORM setseed(seed);
	PERFORM prop.random_schedule();
	PERFORM prop.random_life(prop.number(5, 30));
	booked := (SELECT count(*) FROM appt.appointment);
	listed := 0;
	tried := 0;
	FOR i IN 1..3 LOOP
		SELECT * INTO c FROM prop.check_day(prop.pick('D1', 'D1', 'D2'),
			prop.pick('B1', 'B1', 'B2'),
			(SELECT day + prop.number(0, 1) FROM prop.world),
			prop.pick(NULL, NULL, 5, 15, 25, 60),
			prop.pick(NULL, NULL, 'plain', 'long', 'tight'));
		listed := listed + c.listed;
		tried := tried + coalesce(c.tried, 0);
		wrong := coalesce(wrong, c.wrong);
	END LOOP;
	wrong := coalesce(wrong, prop.check_invariants());
END
$$;
