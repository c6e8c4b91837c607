/* ---------------------------------------------------------------------------
 * What an API client may see and change beside its branches.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.client_sees_all(client text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN coalesce(appt_internal.client_branches(client) && ARRAY['*'], true);

COMMENT ON FUNCTION appt_internal.client_sees_all(text) IS
	'Whether an API client is not limited to some branches';

CREATE FUNCTION appt_internal.client_sees_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN coalesce(appt_internal.client_doctor(client) = doctor_id, true)
	AND (appt_internal.client_sees_all(client)
		OR coalesce(
			appt_internal.client_branches(client)
				&& appt_internal.doctor_branches(doctor_id), true));

COMMENT ON FUNCTION appt_internal.client_sees_doctor(text, text) IS
	'Whether an API client may see a doctor: one who works at a branch of the '
	'client''s, or nowhere yet; a doctor who is signed in sees nobody else';

CREATE FUNCTION appt_internal.client_manages_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(appt_internal.client_doctor(client) = doctor_id, true)
		AND (appt_internal.client_sees_all(client)
			OR coalesce(
				appt_internal.client_branches(client)
					@> appt_internal.doctor_branches(doctor_id), true)
			AND NOT EXISTS (
				SELECT
				FROM appt.doctor d
				JOIN appt.appointment a ON a.doctor_no = d.doctor_no
					AND a.status NOT IN ('cancelled', 'no_show', 'completed')
				WHERE d.doctor_id = client_manages_doctor.doctor_id
					AND NOT appt_internal.client_sees(client, a.branch_id)))
$$;

COMMENT ON FUNCTION appt_internal.client_manages_doctor(text, text) IS
	'Whether what an API client changes of a doctor concerns its own branches '
	'alone: the sessions, and what is booked beside them and has not ended, '
	'also of days that have passed';

CREATE FUNCTION appt_internal.client_sees_patient(client text,
	patient appt.patient)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.client_doctor(client) IS NULL
		AND (patient.branch_id IS NULL
			OR appt_internal.client_sees(client, patient.branch_id))
		OR EXISTS (
			SELECT
			FROM appt.appointment a
			WHERE a.patient_no = patient.patient_no
				AND appt_internal.client_sees_visit(client, a.branch_id,
					a.doctor_no))
$$;

COMMENT ON FUNCTION appt_internal.client_sees_patient(text, appt.patient) IS
	'Whether an API client may see a patient: one who registered at a branch '
	'of the client''s or at none, or has an appointment at one of them; a '
	'doctor who is signed in, those who have one with that doctor';

CREATE FUNCTION appt_internal.client_manages_setting(client text,
	setting appt.setting)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN setting.doctor_id IS NOT NULL THEN
			appt_internal.client_manages_doctor(client, setting.doctor_id)
		WHEN setting.branch_id IS NOT NULL THEN
			appt_internal.client_sees(client, setting.branch_id)
		ELSE appt_internal.client_sees_all(client)
	END
$$;

COMMENT ON FUNCTION appt_internal.client_manages_setting(text, appt.setting) IS
	'Whether an API client may change a setting: where it is limited, one of '
	'its branches or of a doctor who works nowhere else';
