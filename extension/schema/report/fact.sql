/* ---------------------------------------------------------------------------
 * appt_report: what reporting tools read.  Plain types only (text, numbers,
 * booleans, dates, times), names that stay, no notes, no names of patients
 * and no way to reach them; those are in the ..._contact views for
 * another role.
 *
 * The views run with their owner's rights.  What they protect is columns:
 * the one filter, that holds are left out, hides nothing secret, so none is
 * a security barrier, which would keep a tool's "visit_date >= timestamp ..."
 * from the index.
 *
 * Doctor and patient are joined by number, and their ids come from their own
 * tables: so doctor_id and visit_date together are a range of the index
 * appointment_token.  Outer joins on keys: what a query does not name is not
 * read.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.minutes_between(
	earlier timestamptz,
	later timestamptz)
	RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
	WHEN isfinite(earlier) AND isfinite(later)
	THEN greatest(-2147483647, least(2147483647, round(
		(extract(epoch FROM later) - extract(epoch FROM earlier)) / 60)))
	END::integer;

COMMENT ON FUNCTION appt_internal.minutes_between(timestamptz, timestamptz) IS
	'Minutes from one instant to another, rounded; negative if they are the '
	'other way round; NULL without an end, and never too many for an integer';

CREATE FUNCTION appt_internal.month_of(on_date date) RETURNS date
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc('month', greatest('4713-01-01 BC',
	least('294276-12-31', on_date))::timestamp)::date;

COMMENT ON FUNCTION appt_internal.month_of(date) IS
	'The first day of the date''s month; of a date that is beyond timestamps, '
	'of the first or last that is not';

CREATE VIEW appt_report.appointment AS
SELECT
	a.appointment_id,
	a.token_date AS visit_date,
	appt_internal.month_of(a.token_date) AS visit_month,
	extract(isodow FROM a.token_date)::integer AS weekday,
	appt_internal.local_time(a.slot_start, b.time_zone) AS start_local,
	appt_internal.local_time(a.slot_end, b.time_zone) AS end_local,
	a.slot_start,
	a.slot_end,
	appt_internal.minutes_between(a.slot_start, a.slot_end) AS length_min,
	d.doctor_id,
	d.name AS doctor_name,
	d.specialty,
	d.department_id,
	t.name AS department_name,
	a.branch_id,
	b.name AS branch_name,
	b.time_zone,
	p.patient_id,
	p.gender AS patient_gender,
	CASE WHEN a.token_date BETWEEN '0001-01-01' AND '9999-12-31' THEN
		extract(year FROM age(a.token_date, p.date_of_birth))::integer END
		AS patient_age_years,
	a.visit_type,
	v.name AS visit_type_name,
	a.status,
	a.token_number,
	a.priority::integer AS priority,
	a.source,
	a.source = 'walk_in' AS is_walk_in,
	a.override AS is_override,
	a.reschedule_count,
	appt_internal.local_time(a.booked_at, b.time_zone) AS booked_local,
	appt_internal.local_time(a.checked_in_at, b.time_zone) AS checked_in_local,
	appt_internal.local_time(a.started_at, b.time_zone) AS started_local,
	appt_internal.local_time(a.completed_at, b.time_zone) AS completed_local,
	appt_internal.local_time(a.cancelled_at, b.time_zone) AS cancelled_local,
	appt_internal.local_time(a.confirmed_at, b.time_zone) AS confirmed_local,
	CASE WHEN isfinite(a.token_date) AND isfinite(a.booked_at) THEN
		a.token_date
			- appt_internal.local_time(a.booked_at, b.time_zone)::date END
		AS booked_ahead_days,
	appt_internal.minutes_between(a.slot_start, a.checked_in_at) AS arrival_min,
	appt_internal.minutes_between(a.checked_in_at, a.started_at) AS waiting_min,
	appt_internal.minutes_between(a.slot_start, a.started_at)
		AS start_delay_min,
	appt_internal.minutes_between(a.started_at, a.completed_at)
		AS consultation_min,
	appt_internal.minutes_between(a.cancelled_at, a.slot_start)
		AS cancel_notice_min
FROM appt.appointment a
LEFT JOIN appt.doctor d ON d.doctor_no = a.doctor_no
LEFT JOIN appt.department t ON t.department_id = d.department_id
LEFT JOIN appt.branch b ON b.branch_id = a.branch_id
LEFT JOIN appt.patient p ON p.patient_no = a.patient_no
LEFT JOIN appt.visit_type v ON v.visit_type = a.visit_type
WHERE a.status <> 'held';

COMMENT ON VIEW appt_report.appointment IS
	'The fact table: one row an appointment, whatever became of it; holds are '
	'none. Filter by visit_date and doctor_id (or branch_id, patient_id) and '
	'an index answers';

CREATE VIEW appt_report.daily_schedule AS
SELECT
	a.visit_date,
	a.doctor_id,
	a.doctor_name,
	a.department_id,
	a.department_name,
	a.branch_id,
	a.branch_name,
	a.start_local::time AS start_time,
	a.end_local::time AS end_time,
	a.token_number,
	a.appointment_id,
	a.patient_id,
	a.visit_type_name,
	a.status,
	a.checked_in_local::time AS checked_in_time,
	a.confirmed_local IS NOT NULL AS is_confirmed
FROM appt_report.appointment a
WHERE a.status <> 'cancelled';

COMMENT ON VIEW appt_report.daily_schedule IS
	'Who sees whom, when and where: one row an appointment that was not '
	'cancelled, in the branch''s wall-clock time. ORDER BY visit_date, '
	'doctor_name, start_time';
