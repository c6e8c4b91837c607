/* ---------------------------------------------------------------------------
 * appt_report: no-shows, cancellations, waiting.
 *
 * The monthly views go from doctor to month to that month's rows of the index
 * appointment_token, so that a filter on doctor_id and month reads those rows
 * and no others.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_internal.doctor_month AS
SELECT
	d.doctor_no,
	d.doctor_id,
	d.name AS doctor_name,
	d.specialty,
	d.department_id,
	p.name AS department_name,
	stamp::date AS visit_month,
	(stamp + interval '1 month')::date AS next_month
FROM appt.doctor d
LEFT JOIN appt.department p ON p.department_id = d.department_id
CROSS JOIN LATERAL generate_series(
	(SELECT date_trunc('month',
		greatest(min(a.token_date), '1969-12-31')::timestamp)
	FROM appt.appointment a
	WHERE a.doctor_no = d.doctor_no),
	(SELECT least(max(a.token_date), '2200-01-01')::timestamp
	FROM appt.appointment a
	WHERE a.doctor_no = d.doctor_no),
	'1 month') stamp;

COMMENT ON VIEW appt_internal.doctor_month IS
	'The months of each doctor, from the first appointment''s to the last '
	'one''s: what the monthly views are built on';

CREATE VIEW appt_report.no_show_rate AS
SELECT
	m.visit_month,
	m.doctor_id,
	m.doctor_name,
	m.specialty,
	m.department_id,
	m.department_name,
	b.branch_id,
	b.name AS branch_name,
	c.kept + c.no_shows AS visits_due,
	c.kept,
	c.no_shows,
	round(100.0 * c.no_shows / nullif(c.kept + c.no_shows, 0), 1)
		AS no_show_percent,
	c.unresolved,
	c.cancelled
FROM appt_internal.doctor_month m
CROSS JOIN LATERAL (
	SELECT
		a.branch_id,
		count(*) FILTER (WHERE a.status IN
			('checked_in', 'in_consultation', 'completed'))::integer AS kept,
		count(*) FILTER (WHERE a.status = 'no_show')::integer AS no_shows,
		count(*) FILTER (WHERE a.status = 'booked'
			AND a.slot_end < appt.clock())::integer AS unresolved,
		count(*) FILTER (WHERE a.status = 'cancelled')::integer AS cancelled
	FROM appt.appointment a
	WHERE a.doctor_no = m.doctor_no
		AND a.token_date >= m.visit_month
		AND a.token_date < m.next_month
		AND a.status <> 'held'
	GROUP BY a.branch_id) c
JOIN appt.branch b ON b.branch_id = c.branch_id;

COMMENT ON VIEW appt_report.no_show_rate IS
	'Who did not come: one row a doctor, branch and month. To add months or '
	'doctors up, add no_shows and visits_due, never the percentages';

CREATE VIEW appt_report.cancellation AS
SELECT
	m.visit_month,
	m.doctor_id,
	m.doctor_name,
	m.specialty,
	m.department_id,
	m.department_name,
	b.branch_id,
	b.name AS branch_name,
	c.notice_no,
	(ARRAY['after the start', 'under 2 hours', '2 to 24 hours', '1 to 3 days',
		'3 to 7 days', 'over 7 days'])[c.notice_no + 1] AS notice,
	c.cancelled,
	c.average_notice_min
FROM appt_internal.doctor_month m
CROSS JOIN LATERAL (
	SELECT
		a.branch_id,
		width_bucket(
			extract(epoch FROM a.slot_start - a.cancelled_at)::float8 / 60,
			ARRAY[0, 120, 1440, 4320, 10080]::float8[]) AS notice_no,
		count(*)::integer AS cancelled,
		avg(appt_internal.minutes_between(a.cancelled_at,
			a.slot_start))::integer
			AS average_notice_min
	FROM appt.appointment a
	WHERE a.doctor_no = m.doctor_no
		AND a.token_date >= m.visit_month
		AND a.token_date < m.next_month
		AND a.status = 'cancelled'
	GROUP BY 1, 2) c
JOIN appt.branch b ON b.branch_id = c.branch_id;

COMMENT ON VIEW appt_report.cancellation IS
	'How long before its start a visit was cancelled: one row a doctor, '
	'branch, month of the visit and class of notice';

CREATE VIEW appt_report.bookings_by_hour AS
SELECT
	a.visit_date,
	a.visit_month,
	a.weekday,
	a.doctor_id,
	a.doctor_name,
	a.specialty,
	a.department_id,
	a.department_name,
	a.branch_id,
	a.branch_name,
	extract(hour FROM a.start_local)::integer AS hour,
	count(*) FILTER (WHERE a.status <> 'cancelled')::integer AS appointments,
	count(*) FILTER (WHERE a.status = 'completed')::integer AS completed,
	count(*) FILTER (WHERE a.status = 'no_show')::integer AS no_shows,
	count(*) FILTER (WHERE a.status = 'cancelled')::integer AS cancelled,
	count(*) FILTER (WHERE a.is_walk_in
		AND a.status <> 'cancelled')::integer AS walk_ins
FROM appt_report.appointment a
GROUP BY
	a.visit_date,
	a.visit_month,
	a.weekday,
	a.doctor_id,
	a.doctor_name,
	a.specialty,
	a.department_id,
	a.department_name,
	a.branch_id,
	a.branch_name,
	extract(hour FROM a.start_local);

COMMENT ON VIEW appt_report.bookings_by_hour IS
	'When patients come: one row a doctor, branch, day and hour of the '
	'branch''s clock in which a visit begins';

CREATE VIEW appt_report.waiting_time AS
SELECT
	a.visit_date,
	a.visit_month,
	a.weekday,
	a.doctor_id,
	a.doctor_name,
	a.specialty,
	a.department_id,
	a.department_name,
	a.branch_id,
	a.branch_name,
	count(*)::integer AS visits_measured,
	round(avg(a.waiting_min), 1) AS average_waiting_min,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY a.waiting_min)
		AS median_waiting_min,
	percentile_disc(0.9) WITHIN GROUP (ORDER BY a.waiting_min)
		AS p90_waiting_min,
	max(a.waiting_min) AS longest_waiting_min,
	round(avg(a.start_delay_min) FILTER (WHERE NOT a.is_walk_in), 1)
		AS average_start_delay_min,
	round(avg(a.consultation_min), 1) AS average_consultation_min,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY a.consultation_min)
		AS median_consultation_min,
	percentile_disc(0.9) WITHIN GROUP (ORDER BY a.consultation_min)
		AS p90_consultation_min
FROM appt_report.appointment a
WHERE a.waiting_min IS NOT NULL
GROUP BY
	a.visit_date,
	a.visit_month,
	a.weekday,
	a.doctor_id,
	a.doctor_name,
	a.specialty,
	a.department_id,
	a.department_name,
	a.branch_id,
	a.branch_name;

COMMENT ON VIEW appt_report.waiting_time IS
	'How long patients wait and consultations take: one row a doctor, branch '
	'and day with at least one consultation that was started. Visits completed '
	'without a start were not measured';
