/* ---------------------------------------------------------------------------
 * Patients and their ids.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.patient (
	patient_id text NOT NULL,
	patient_no integer GENERATED ALWAYS AS IDENTITY,
	first_name text NOT NULL,
	last_name text,
	date_of_birth date,
	gender text,
	phone text,
	email text,
	address text,
	blood_group text,
	abha_id text,
	language text NOT NULL DEFAULT 'en',
	branch_id text,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	registered_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT patient_pkey PRIMARY KEY (patient_id),
	CONSTRAINT patient_no_key UNIQUE (patient_no),
	CONSTRAINT patient_id_format
		CHECK (patient_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT patient_first_name_not_blank CHECK (first_name ~ '\S'),
	CONSTRAINT patient_dates_finite CHECK (pg_catalog.isfinite(date_of_birth)
		AND pg_catalog.isfinite(registered_at)),
	CONSTRAINT patient_gender_known
		CHECK (gender IN ('male', 'female', 'other', 'unknown')),
	CONSTRAINT patient_blood_group_known CHECK (blood_group IN
		('A+', 'A-', 'B+', 'B-', 'AB+', 'AB-', 'O+', 'O-')),
	CONSTRAINT patient_phone_format CHECK (phone ~ '^\+?[0-9 ()-]{5,24}$'
		AND phone ~ '[0-9]'),
	CONSTRAINT patient_email_format CHECK (email ~
		'^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$'),
	CONSTRAINT patient_language_format CHECK (language ~
		'^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
	CONSTRAINT patient_branch_fkey FOREIGN KEY (branch_id)
		REFERENCES appt.branch ON UPDATE CASCADE
);

CREATE INDEX patient_phone ON appt.patient (phone);
CREATE INDEX patient_name ON appt.patient (
	pg_catalog.lower(last_name), pg_catalog.lower(first_name));

COMMENT ON TABLE appt.patient IS 'Who is seen; personal data lives here alone';
COMMENT ON COLUMN appt.patient.patient_id IS
	'PAT-2026-00123: prefix, year, number; given by a trigger when left out';
COMMENT ON COLUMN appt.patient.patient_no IS
	'Integer key for the patient''s overlap constraint';
COMMENT ON COLUMN appt.patient.abha_id IS
	'Ayushman Bharat Health Account number, where there is one';
COMMENT ON COLUMN appt.patient.branch_id IS
	'Where the patient registered; patients book at any branch';

COMMENT ON COLUMN appt.patient.version IS
	'Rises by one with every change, here and in the tables above; the ETag '
	'over HTTP';

CREATE FUNCTION appt_internal.patient_assign_id() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	prefix text;
	number text;
BEGIN
	IF NEW.patient_id IS NULL THEN
		SELECT coalesce(s.value, d.default_value) INTO prefix
		FROM appt.setting_definition d
		LEFT JOIN appt.setting s ON s.name = d.name
			AND s.branch_id IS NULL AND s.doctor_id IS NULL
		WHERE d.name = 'patient_id_prefix';

		LOOP
			number := nextval('appt.patient_id_seq');
			NEW.patient_id := format('%s-%s-%s', prefix,
				extract(year FROM
					appt_internal.clinic_today(NEW.branch_id))::integer,
				lpad(number, greatest(5, length(number)), '0'));
			EXIT WHEN NOT EXISTS (
				SELECT FROM appt.patient p
				WHERE p.patient_id = NEW.patient_id);
		END LOOP;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.patient_assign_id() IS
	'Row trigger: gives a patient without an id the next one, such as '
	'PAT-2026-00123, of the year that it is at the patient''s branch; ids '
	'that the clinic chose itself are passed over';

CREATE SEQUENCE appt.patient_id_seq OWNED BY appt.patient.patient_id;

COMMENT ON SEQUENCE appt.patient_id_seq IS 'Numbers of patient ids';

CREATE TRIGGER patient_assign_id
	BEFORE INSERT ON appt.patient
	FOR EACH ROW EXECUTE FUNCTION appt_internal.patient_assign_id();

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.patient_id <> NEW.patient_id)
	EXECUTE FUNCTION appt_internal.id_is_final('patient_id');

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
