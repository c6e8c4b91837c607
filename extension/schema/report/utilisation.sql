/* ---------------------------------------------------------------------------
 * appt_report: how full the doctors' days are.
 *
 * Offered time is computed from the schedule as it stands, day by day; a
 * filter on doctor_id or visit_date reaches both halves before they are added
 * up.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_internal.session AS
SELECT
	w.doctor_id,
	w.branch_id,
	w.weekday,
	w.valid_from,
	w.valid_to,
	w.start_time,
	w.end_time,
	w.capacity,
	false AS is_extra
FROM appt.working_hours w
UNION ALL
SELECT
	e.doctor_id,
	e.branch_id,
	extract(isodow FROM e.on_date)::smallint,
	e.on_date,
	e.on_date,
	e.start_time,
	e.end_time,
	e.capacity,
	true
FROM appt.extra_session e;

COMMENT ON VIEW appt_internal.session IS
	'The sessions of doctors, weekly and extra ones: what offered_time is '
	'built on';

CREATE VIEW appt_report.offered_time AS
SELECT
	s.on_date AS visit_date,
	s.doctor_id,
	s.doctor_name,
	s.specialty,
	s.department_id,
	s.department_name,
	s.branch_id,
	s.branch_name,
	(s.capacity * (
		SELECT coalesce(sum(extract(
			epoch FROM upper(open.part) - lower(open.part))), 0) / 60
		FROM unnest((s.session - coalesce(s.gone, '{}'))
			* coalesce(s.branch_open, '{(,)}')) open (part)
	))::integer AS offered_min
FROM (
	SELECT
		day.on_date,
		d.doctor_id,
		d.name AS doctor_name,
		d.specialty,
		d.department_id,
		p.name AS department_name,
		b.branch_id,
		b.name AS branch_name,
		h.capacity,
		tstzmultirange(tstzrange(i.starts_at, i.ends_at)) AS session,
		(SELECT range_agg(tstzrange(x.starts_at, x.ends_at))
		FROM (
			SELECT t.starts_at, t.ends_at
			FROM appt.time_off t
			WHERE t.doctor_id = d.doctor_id
			UNION ALL
			SELECT c.starts_at, c.ends_at
			FROM appt.closure c
			WHERE c.branch_id = b.branch_id
			/* An extra session takes the place of weekly hours. */
			UNION ALL
			SELECT
				appt_internal.instant(day.on_date, o.start_time,
					appt_internal.known_zone(b.time_zone)),
				appt_internal.instant(day.on_date, o.end_time,
					appt_internal.known_zone(b.time_zone))
			FROM appt_internal.session o
			WHERE o.doctor_id = d.doctor_id
				AND o.branch_id = b.branch_id
				AND o.weekday = h.weekday
				AND day.on_date BETWEEN o.valid_from AND o.valid_to
				AND o.is_extra
				AND NOT h.is_extra) x
		WHERE x.starts_at < i.ends_at
			AND x.ends_at > i.starts_at) AS gone,
		/* NULL where the branch has no operating hours on that date. */
		(SELECT coalesce(range_agg(tstzrange(
				appt_internal.instant(day.on_date, o.opens,
					appt_internal.known_zone(b.time_zone)),
				appt_internal.instant(day.on_date, o.closes,
					appt_internal.known_zone(b.time_zone))))
				FILTER (WHERE o.weekday = h.weekday), '{}')
		FROM appt.operating_hours o
		WHERE o.branch_id = b.branch_id
			AND day.on_date BETWEEN o.valid_from AND o.valid_to
		HAVING count(*) > 0) AS branch_open
	FROM appt.doctor d
	JOIN appt_internal.session h ON h.doctor_id = d.doctor_id
	/* From the doctor's first day to the last that anybody can be booked, in
	 * days since a Thursday. */
	CROSS JOIN LATERAL (
		SELECT
			greatest('1970-01-01', h.valid_from, least(
				d.created_at AT TIME ZONE 'UTC', (
				SELECT min(a.token_date)
				FROM appt.appointment a
				WHERE a.doctor_no = d.doctor_no))::date) - date '1970-01-01',
			least(h.valid_to, (appt.clock() AT TIME ZONE 'UTC')::date + (
				SELECT 1 + greatest(max(s.value::integer),
					max(f.default_value::integer))
				FROM appt.setting_definition f
				LEFT JOIN appt.setting s ON s.name = f.name
				WHERE f.name = 'horizon_days')) - date '1970-01-01'
		OFFSET 0) lasts (first_no, last_no)
	/* Those of its weekday alone. */
	CROSS JOIN LATERAL (
		SELECT date '1970-01-01' + day_no AS on_date
		FROM generate_series(
			lasts.first_no + (h.weekday + 10 - lasts.first_no % 7) % 7,
			lasts.last_no, 7) day_no) day
	JOIN appt.branch b ON b.branch_id = h.branch_id
	LEFT JOIN appt.department p ON p.department_id = d.department_id
	CROSS JOIN LATERAL (
		SELECT
			appt_internal.instant(day.on_date, h.start_time,
				appt_internal.known_zone(b.time_zone)),
			appt_internal.instant(day.on_date, h.end_time,
				appt_internal.known_zone(b.time_zone))
		) i (starts_at, ends_at)
	CROSS JOIN LATERAL (
		SELECT appt_internal.local_time(appt.clock(), b.time_zone)::date)
			t (today)
	WHERE day.on_date < t.today
		OR d.active AND b.active AND day.on_date <= t.today + coalesce((
			SELECT s.value
			FROM appt.setting s
			WHERE s.name = 'horizon_days'
				AND (s.doctor_id IS NULL OR s.doctor_id = d.doctor_id)
				AND (s.branch_id IS NULL OR s.branch_id = b.branch_id)
			ORDER BY s.doctor_id IS NULL, s.branch_id IS NULL
			LIMIT 1), (
			SELECT f.default_value
			FROM appt.setting_definition f
			WHERE f.name = 'horizon_days'))::integer) s;

COMMENT ON VIEW appt_report.offered_time IS
	'The sessions of each doctor''s days, less time off, closures and what '
	'lies outside the branch''s operating hours: one row a session, from the '
	'doctor''s first day to the doctor''s booking horizon at the branch, by '
	'the hours as they stand now';

CREATE VIEW appt_report.utilisation AS
SELECT
	u.visit_date,
	appt_internal.month_of(u.visit_date) AS visit_month,
	extract(isodow FROM u.visit_date)::integer AS weekday,
	u.doctor_id,
	u.doctor_name,
	u.specialty,
	u.department_id,
	u.department_name,
	u.branch_id,
	u.branch_name,
	sum(u.offered_min)::integer AS offered_min,
	sum(u.booked_min)::integer AS booked_min,
	sum(u.no_show_min)::integer AS no_show_min,
	greatest(sum(u.offered_min) - sum(u.booked_min), 0)::integer AS free_min,
	round(100.0 * sum(u.booked_min) / nullif(sum(u.offered_min), 0), 1)
		AS utilisation_percent,
	sum(u.appointments)::integer AS appointments,
	sum(u.completed)::integer AS completed,
	sum(u.no_shows)::integer AS no_shows,
	sum(u.cancelled)::integer AS cancelled,
	sum(u.walk_ins)::integer AS walk_ins
FROM (
	SELECT
		o.visit_date,
		o.doctor_id,
		o.doctor_name,
		o.specialty,
		o.department_id,
		o.department_name,
		o.branch_id,
		o.branch_name,
		o.offered_min,
		0 AS booked_min,
		0 AS no_show_min,
		0 AS appointments,
		0 AS completed,
		0 AS no_shows,
		0 AS cancelled,
		0 AS walk_ins
	FROM appt_report.offered_time o
	UNION ALL
	SELECT
		a.visit_date,
		a.doctor_id,
		a.doctor_name,
		a.specialty,
		a.department_id,
		a.department_name,
		a.branch_id,
		a.branch_name,
		0,
		CASE WHEN a.status NOT IN ('cancelled', 'no_show')
			THEN a.length_min ELSE 0 END,
		CASE WHEN a.status = 'no_show' THEN a.length_min ELSE 0 END,
		(a.status <> 'cancelled')::integer,
		(a.status = 'completed')::integer,
		(a.status = 'no_show')::integer,
		(a.status = 'cancelled')::integer,
		a.is_walk_in::integer
	FROM appt_report.appointment a) u
GROUP BY
	u.visit_date,
	u.doctor_id,
	u.doctor_name,
	u.specialty,
	u.department_id,
	u.department_name,
	u.branch_id,
	u.branch_name;

COMMENT ON VIEW appt_report.utilisation IS
	'How full each doctor''s day is: one row a doctor, branch and day with '
	'sessions or appointments. Above 100 percent: walk-ins and overrides '
	'beside the sessions';
