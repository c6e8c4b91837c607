/* ---------------------------------------------------------------------------
 * appt_report: what each column means, and who may read.
 *
 * A name means the same in every view that has it: so each is explained once,
 * here, and the explanation is put on every column of that name.
 * ------------------------------------------------------------------------ */

DO $$
DECLARE
	meaning record;
BEGIN
	FOR meaning IN
		SELECT c.oid::regclass AS view, a.attname AS name, m.text
		FROM (VALUES
	('address', 'Postal address of the patient'),
	('appointment_id', 'Public id of the appointment: APT-2026-000123'),
	('appointments', 'Appointments of the day that were not cancelled'),
	('arrival_min',
		'Minutes from slot_start to the check-in; negative: came early'),
	('average_consultation_min', 'Mean of consultation_min'),
	('average_notice_min',
		'Mean of the minutes between cancellation and start'),
	('average_start_delay_min',
		'Mean of start_delay_min, walk-ins left out'),
	('average_waiting_min', 'Mean of waiting_min'),
	('booked_ahead_days',
		'Days from the booking to the visit; 0: booked for the same day'),
	('booked_local', 'When it was booked, wall-clock time of the branch'),
	('booked_min',
		'Minutes of appointments that were neither cancelled nor no-shows'),
	('branch_id', 'The clinic''s own code of the branch: MUM-01'),
	('branch_name', 'Name of the branch'),
	('cancel_notice_min',
		'Minutes from the cancellation to slot_start; NULL: not cancelled'),
	('cancelled', 'How many were cancelled'),
	('cancelled_local',
		'When it was cancelled, wall-clock time of the branch'),
	('check_name', 'What was looked at'),
	('checked_in_local',
		'When the patient checked in, wall-clock time of the branch'),
	('checked_in_time',
		'Time of day of the check-in, wall-clock time of the branch'),
	('completed', 'How many were completed'),
	('completed_local',
		'When the consultation ended, wall-clock time of the branch'),
	('consultation_min',
		'Minutes from the start to the end of the consultation'),
	('date_of_birth', 'The patient''s date of birth'),
	('dead_24h',
		'Deliveries given up in the last 24 hours: redeliver or replay'),
	('delivered_24h', 'Deliveries that arrived in the last 24 hours'),
	('description', 'What the clinic wrote about it'),
	('detail', 'What was found'),
	('disabled_at', 'When it was disabled'),
	('disabled_reason',
		'manual, gone (it answered 410) or failing; NULL: enabled'),
	('doctor_id', 'The clinic''s own code of the doctor: DOC-001'),
	('doctor_name', 'Name of the doctor'),
	('due', 'Deliveries that could be sent now'),
	('email', 'E-mail address of the patient'),
	('end_local', 'End of the slot, wall-clock time of the branch'),
	('end_time',
		'Time of day at which it ends, wall-clock time of the branch'),
	('estimated_start_local',
		'About when the patient is called, wall-clock time of the branch'),
	('failing_since', 'First failure since the last success; NULL: it works'),
	('failures', 'Failed attempts since the last success'),
	('first_name', 'First name of the patient'),
	('free_min', 'offered_min less booked_min, at least 0'),
	('held', 'Deliveries kept until the endpoint is enabled again'),
	('host', 'Host of the endpoint''s URL'),
	('in_flight', 'Deliveries that are being sent'),
	('is_active', 'false: the patient can no longer be booked'),
	('is_late', 'Checked in after the slot had begun (setting late_after_min)'),
	('is_override', 'Booked by staff on purpose against the slot rules'),
	('is_skipped', 'Called and not there: goes behind the others'),
	('is_walk_in', 'Came without an appointment (source is walk_in)'),
	('kept',
		'Visits to which the patient came: checked in, or seen, or being seen'),
	('language', 'Language that the patient reads: en, hi, mr'),
	('last_name', 'Last name of the patient'),
	('length_min', 'Length of the slot in minutes'),
	('longest_waiting_min', 'Largest waiting_min'),
	('median_consultation_min', 'Half of the consultations took no longer'),
	('median_waiting_min', 'Half of the patients waited no longer'),
	('visit_month', 'First day of the month of the visit'),
	('no_show_min', 'Minutes of appointments to which nobody came'),
	('no_show_percent', '100 * no_shows / visits_due; NULL: none was due'),
	('no_shows', 'Visits to which the patient did not come'),
	('notes', 'Notes of the booking, as they were written'),
	('notice',
		'Class of notice: after the start, under 2 hours, 2 to 24 hours, '
		'1 to 3 days, 3 to 7 days, over 7 days'),
	('notice_no', 'Number of the class of notice, to sort by: 0 to 5'),
	('offered_min',
		'Minutes that can be booked: sessions times capacity, less time off '
		'and closures'),
	('ok', 'false: somebody should look at it'),
	('oldest_due_s',
		'Seconds that the oldest due delivery has waited; 0: none is due'),
	('p90_consultation_min', 'Nine of ten consultations took no longer'),
	('p90_waiting_min', 'Nine of ten patients waited no longer'),
	('patient_age_years', 'Age of the patient on the day of the visit'),
	('patient_gender', 'male, female, other, unknown, or NULL: not asked'),
	('patient_id', 'Public id of the patient: PAT-2026-00123'),
	('patient_name', 'First and last name of the patient'),
	('pending', 'Deliveries that wait: due now, or for their next attempt'),
	('people_ahead', 'How many are called before'),
	('phone', 'Telephone number of the patient'),
	('priority', 'Higher is called earlier; 0 is ordinary'),
	('queue_position', 'Place in the call order: 1 is next or being seen'),
	('reason', 'Why it was last rescheduled or cancelled'),
	('registered_at', 'When the patient was registered'),
	('reschedule_count', 'How often it was moved'),
	('slot_end', 'End of the slot as an instant, exclusive'),
	('slot_start', 'Start of the slot as an instant'),
	('source',
		'Where the booking came from: sql, api, web, mobile, aggregator, '
		'front_desk, walk_in'),
	('specialty', 'The doctor''s specialty'),
	('start_delay_min',
		'Minutes from slot_start to the start of the consultation; negative: '
		'before its time'),
	('start_local', 'Start of the slot, wall-clock time of the branch'),
	('start_time',
		'Time of day at which it starts, wall-clock time of the branch'),
	('started_local',
		'When the consultation started, wall-clock time of the branch'),
	('status',
		'Of an appointment: booked, checked_in, in_consultation, completed, '
		'cancelled, no_show; of a webhook: enabled, disabled'),
	('time_zone', 'IANA time zone of the branch'),
	('token_number', 'Queue number of the doctor''s day as assigned'),
	('unresolved', 'Visits whose time is over and that are still booked'),
	('utilisation_percent',
		'100 * booked_min / offered_min; NULL: nothing was offered'),
	('visit_date', 'Day of the visit, date of the branch'),
	('visit_type', 'Code of what the visit is for'),
	('visit_type_name', 'What the visit is for'),
	('visits_due', 'kept and no_shows together'),
	('visits_measured', 'Consultations that were started after a check-in'),
	('waiting_min',
		'Minutes from the check-in to the start of the consultation (in '
		'queue_now: to now)'),
	('walk_ins', 'How many came without an appointment'),
	('webhook_id', 'Public id of the endpoint: wh_…'),
	('weekday', 'ISO weekday of the visit: 1 = Monday … 7 = Sunday'),
	('what_to_do', 'What puts it right; NULL: nothing to do')
		) AS m (name, text)
		JOIN pg_attribute a ON a.attname = m.name AND a.attnum > 0
		JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'v'
			AND c.relnamespace = 'appt_report'::regnamespace
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L',
			meaning.view, meaning.name, meaning.text);
	END LOOP;
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA appt_report FROM PUBLIC;
GRANT SELECT ON
	appt_report.appointment,
	appt_report.cancellation,
	appt_report.daily_schedule,
	appt_report.health,
	appt_report.no_show_rate,
	appt_report.offered_time,
	appt_report.queue_now,
	appt_report.utilisation,
	appt_report.waiting_time,
	appt_report.webhook_health
	TO appt_admin, appt_reporting, appt_reporting_contact;
GRANT SELECT ON
	appt_report.appointment_contact,
	appt_report.daily_schedule_contact,
	appt_report.patient_contact
	TO appt_admin, appt_reporting_contact;
