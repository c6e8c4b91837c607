/* ---------------------------------------------------------------------------
 * What an API client may see and change beside its branches.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.client_sees_all(client text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(appt_internal.client_branches(client)
	OPERATOR(pg_catalog.&&) ARRAY['*'], true);

COMMENT ON FUNCTION appt_internal.client_sees_all(text) IS
	'Whether an API client is not limited to some branches';

CREATE FUNCTION appt_internal.sees_doctor(
	branches text[],
	doctors text[],
	doctor_id text,
	works_at text[])
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(doctor_id = ANY (doctors), true)
	AND coalesce(branches OPERATOR(pg_catalog.&&) CASE
		WHEN works_at IS NOT NULL
		THEN ARRAY['*'] OPERATOR(pg_catalog.||) works_at END, true);

COMMENT ON FUNCTION appt_internal.sees_doctor(text[], text[], text, text[]) IS
	'appt_internal.client_sees_doctor for lists: branches and doctors are '
	'those of the client, works_at those of appt_internal.doctor_branches';

CREATE FUNCTION appt_internal.client_sees_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(doctor_id = ANY (appt_internal.client_doctors(client)), true)
	AND (appt_internal.client_sees_all(client)
		OR coalesce(
			appt_internal.client_branches(client)
				OPERATOR(pg_catalog.&&)
				appt_internal.doctor_branches(doctor_id), true));

COMMENT ON FUNCTION appt_internal.client_sees_doctor(text, text) IS
	'Whether an API client may see a doctor: one who works at a branch of the '
	'client''s, or nowhere yet; who is limited to doctors sees no other';

CREATE FUNCTION appt_internal.client_manages_doctor(client text, doctor_id text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(doctor_id = ANY (appt_internal.client_doctors(client)),
			true)
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

CREATE FUNCTION appt_internal.sees_patient(
	branches text[],
	doctor_nos integer[],
	is_doctor boolean,
	patient appt.patient)
	RETURNS SETOF boolean
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT true
	WHERE NOT is_doctor
		AND (patient.branch_id IS NULL
			OR appt_internal.is_among(branches, patient.branch_id))
		OR EXISTS (
			SELECT
			FROM appt.appointment a
			WHERE a.patient_no = patient.patient_no
				AND appt_internal.is_among(branches, a.branch_id)
				AND coalesce(a.doctor_no = ANY (doctor_nos), true))
$$;

COMMENT ON FUNCTION appt_internal.sees_patient(text[], integer[], boolean,
	appt.patient) IS
	'A row where appt_internal.client_sees_patient holds, for lists: by what '
	'appt_internal.client_branches and client_doctor_nos say, and whether the '
	'client is a doctor';

CREATE FUNCTION appt_internal.client_sees_patient(client text,
	patient appt.patient)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM appt_internal.sees_patient(appt_internal.client_branches(client),
			appt_internal.client_doctor_nos(client),
			appt_internal.client_doctor(client) IS NOT NULL, patient))
$$;

COMMENT ON FUNCTION appt_internal.client_sees_patient(text, appt.patient) IS
	'Whether an API client may see a patient: one who registered at a branch '
	'of the client''s or at none, or has an appointment that it sees; a '
	'doctor who is signed in, the latter alone. Who registers patients of a '
	'department sees those of the branch, lest they be registered twice';

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
