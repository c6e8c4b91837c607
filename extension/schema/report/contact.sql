/* ---------------------------------------------------------------------------
 * appt_report: names, contact data and free text, for the role
 * appt_reporting_contact alone.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_report.patient_contact AS
SELECT
	p.patient_id,
	p.first_name,
	p.last_name,
	concat_ws(' ', p.first_name, p.last_name) AS patient_name,
	p.date_of_birth,
	p.gender AS patient_gender,
	p.phone,
	p.email,
	concat_ws(', ', p.address_line1, p.address_line2, p.address_city,
		p.address_state, p.address_pincode, p.address_country) AS address,
	p.language,
	p.branch_id,
	b.name AS branch_name,
	p.active AS is_active,
	p.registered_at
FROM appt.patient p
LEFT JOIN appt.branch b ON b.branch_id = p.branch_id;

COMMENT ON VIEW appt_report.patient_contact IS
	'Patients with their names and contact data: one row a patient';

CREATE VIEW appt_report.appointment_contact AS
SELECT
	r.*,
	concat_ws(' ', p.first_name, p.last_name) AS patient_name,
	p.phone,
	p.email,
	a.notes,
	a.reason
FROM appt_report.appointment r
JOIN appt.appointment a ON a.appointment_id = r.appointment_id
JOIN appt.patient p ON p.patient_no = a.patient_no;

COMMENT ON VIEW appt_report.appointment_contact IS
	'As appointment, with the patient''s name and contact data, the notes and '
	'the reason of the last change';

CREATE VIEW appt_report.daily_schedule_contact AS
SELECT
	r.visit_date,
	r.doctor_id,
	r.doctor_name,
	r.department_id,
	r.department_name,
	r.branch_id,
	r.branch_name,
	r.start_local::time AS start_time,
	r.end_local::time AS end_time,
	r.token_number,
	r.appointment_id,
	r.patient_id,
	r.visit_type_name,
	r.status,
	r.checked_in_local::time AS checked_in_time,
	r.patient_name,
	r.phone,
	r.notes
FROM appt_report.appointment_contact r
WHERE r.status <> 'cancelled';

COMMENT ON VIEW appt_report.daily_schedule_contact IS
	'As daily_schedule, with whom to call: the day''s list for the desk';
