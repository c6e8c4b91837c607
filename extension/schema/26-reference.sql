/* ---------------------------------------------------------------------------
 * Appointments refer to doctors and branches that exist, whoever writes them
 * (extension/reference.c).
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.appointment_refers() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_appointment_refers';

COMMENT ON FUNCTION appt.appointment_refers() IS
	'Row trigger: refuses an appointment of a doctor or branch that does not '
	'exist, or with another doctor''s number. A restore (check_function_bodies '
	'off) passes: it brings the doctors later. Raises 23503';

CREATE TRIGGER appointment_refers
	AFTER INSERT OR UPDATE OF doctor_id, doctor_no, branch_id
	ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION appt.appointment_refers();
