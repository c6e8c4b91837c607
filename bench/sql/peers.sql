-- What the slot list and the booking are compared with: a plain table, and
-- the slot list as a good PL/pgSQL programmer writes it.  The SQL forms are
-- pgbench scripts (../pgbench/slots_*.sql).

CREATE SCHEMA bench;

-- One row, one key: the least that a booking could be.
CREATE TABLE bench.bare (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	patient_id text NOT NULL,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	slot_start timestamptz NOT NULL,
	slot_end timestamptz NOT NULL,
	visit_type text,
	notes text
);

-- Numbers for clients that must not share one.
CREATE SEQUENCE bench.next;

-- One query for the sessions, one for what is taken, one pass over both.
CREATE FUNCTION bench.slots_plpgsql(
	wanted_doctor text, wanted_date date, wanted_branch text)
	RETURNS TABLE (start_time timestamptz, end_time timestamptz)
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	hours record;
	taken_start timestamptz[];
	taken_end timestamptz[];
	i integer := 1;
	n integer;
	step interval;
	finish timestamptz;
	right_now CONSTANT timestamptz := now();
BEGIN
	SELECT array_agg(t.s ORDER BY t.s), array_agg(t.e ORDER BY t.s)
	INTO taken_start, taken_end
	FROM (
		SELECT a.slot_start AS s, a.slot_end AS e
		FROM appt.doctor AS d
		JOIN appt.appointment AS a ON a.doctor_no = d.doctor_no
		WHERE d.doctor_id = wanted_doctor
			AND a.status NOT IN ('cancelled', 'no_show')
			AND a.slot_start >= wanted_date - interval '1 day'
			AND a.slot_start < wanted_date + interval '2 days'
		UNION ALL
		SELECT o.starts_at, o.ends_at
		FROM appt.time_off AS o
		WHERE o.doctor_id = wanted_doctor
			AND o.starts_at < wanted_date + interval '2 days'
			AND o.ends_at > wanted_date - interval '1 day'
		UNION ALL
		SELECT c.starts_at, c.ends_at
		FROM appt.closure AS c
		WHERE c.branch_id = wanted_branch
			AND c.starts_at < wanted_date + interval '2 days'
			AND c.ends_at > wanted_date - interval '1 day') AS t;
	n := coalesce(cardinality(taken_start), 0);

	FOR hours IN
		SELECT
			(wanted_date + h.start_time) AT TIME ZONE b.time_zone AS opens,
			(wanted_date + h.end_time) AT TIME ZONE b.time_zone AS closes,
			coalesce(h.slot_min, d.slot_min, b.slot_min) AS slot_min
		FROM appt.doctor AS d
		JOIN appt.working_hours AS h ON h.doctor_id = d.doctor_id
		JOIN appt.branch AS b ON b.branch_id = h.branch_id
		WHERE d.doctor_id = wanted_doctor
			AND h.branch_id = wanted_branch
			AND h.weekday = extract(isodow FROM wanted_date)
			AND wanted_date BETWEEN h.valid_from AND h.valid_to
			AND d.active AND b.active
		ORDER BY h.start_time
	LOOP
		step := make_interval(mins => hours.slot_min);
		start_time := hours.opens;
		WHILE start_time + step <= hours.closes LOOP
			finish := start_time + step;
			WHILE i <= n AND taken_end[i] <= start_time LOOP
				i := i + 1;
			END LOOP;
			IF start_time >= right_now
				AND (i > n OR taken_start[i] >= finish)
			THEN
				end_time := finish;
				RETURN NEXT;
			END IF;
			start_time := finish;
		END LOOP;
	END LOOP;
END
$$;

-- The mean microseconds of a call in the backend: calls of random doctors on
-- random days among the next ones, span days each.
CREATE FUNCTION bench.slots_us(calls integer, days integer, span integer)
	RETURNS double precision
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	began timestamptz;
	doctor integer;
	from_date date;
	octets bigint := 0;
BEGIN
	began := clock_timestamp();
	FOR i IN 1 .. calls LOOP
		doctor := 1 + (random() * 199)::integer;
		from_date := CURRENT_DATE + 1 + (random() * (days - 1))::integer;
		octets := octets + octet_length(appt_api.slots(
			'DOC-' || lpad(doctor::text, 4, '0'), from_date,
			CASE WHEN doctor % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END,
			NULL, from_date + span - 1));
	END LOOP;
	IF octets < calls * 100::bigint THEN
		RAISE EXCEPTION 'the slot lists are too short: % octets', octets;
	END IF;
	RETURN extract(epoch FROM clock_timestamp() - began) * 1e6 / calls;
END
$$;
