/* ---------------------------------------------------------------------------
 * Patients and their ids.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.patient (
	patient_id text NOT NULL,
	patient_no integer GENERATED ALWAYS AS IDENTITY,
	first_name text NOT NULL,
	last_name text,
	date_of_birth date,
	date_of_birth_estimated boolean NOT NULL DEFAULT false,
	gender text,
	phone text,
	phone_e164 text,
	email text,
	address_line1 text,
	address_line2 text,
	address_city text,
	address_state text,
	address_pincode text,
	address_country text,
	blood_group text,
	abha_id text,
	aadhaar text,
	insurance_provider text,
	insurance_number text,
	emergency_contact_name text,
	emergency_contact_phone text,
	emergency_contact_relationship text,
	consent boolean,
	consent_at timestamptz,
	language text NOT NULL DEFAULT 'en',
	branch_id text,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	registered_at timestamptz NOT NULL DEFAULT appt.clock(),
	erased_at timestamptz,
	CONSTRAINT patient_pkey PRIMARY KEY (patient_id),
	CONSTRAINT patient_no_key UNIQUE (patient_no),
	CONSTRAINT patient_id_format
		CHECK (patient_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT patient_first_name_not_blank CHECK (first_name ~ '\S'),
	CONSTRAINT patient_dates_finite CHECK (pg_catalog.isfinite(date_of_birth)
		AND pg_catalog.isfinite(registered_at)
		AND pg_catalog.isfinite(erased_at)),
	CONSTRAINT patient_gender_known
		CHECK (gender IN ('male', 'female', 'other', 'undisclosed')),
	CONSTRAINT patient_blood_group_known CHECK (blood_group IN
		('A+', 'A-', 'B+', 'B-', 'AB+', 'AB-', 'O+', 'O-')),
	CONSTRAINT patient_phone_format CHECK (
		phone ~ '^[(]?\+?[0-9 ()./-]{5,30}$' AND phone ~ '[0-9]'),
	CONSTRAINT patient_phone_e164_format
		CHECK (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
	CONSTRAINT patient_emergency_contact_phone_format CHECK (
		emergency_contact_phone ~ '^[(]?\+?[0-9 ()./-]{5,30}$'
		AND emergency_contact_phone ~ '[0-9]'),
	CONSTRAINT patient_abha_id_format
		CHECK (abha_id ~ '^[0-9]{2}-[0-9]{4}-[0-9]{4}-[0-9]{4}$'),
	CONSTRAINT patient_aadhaar_masked
		CHECK (aadhaar ~ '^XXXX-XXXX-[0-9]{4}$'),
	CONSTRAINT patient_consent_at_in_range CHECK (consent_at
		BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00'),
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
CREATE INDEX patient_name_key ON appt.patient (
	appt_internal.name_key(first_name || coalesce(' ' || last_name, '')));

COMMENT ON TABLE appt.patient IS 'Who is seen; personal data lives here alone';
COMMENT ON COLUMN appt.patient.patient_id IS
	'PAT-2026-00123: prefix, year, number; given by a trigger when left out';
COMMENT ON COLUMN appt.patient.patient_no IS
	'Integer key for the patient''s overlap constraint';
COMMENT ON COLUMN appt.patient.date_of_birth_estimated IS
	'Whether the date of birth is a guess, such as 1 January of a year';
COMMENT ON COLUMN appt.patient.phone IS 'As it was typed';
COMMENT ON COLUMN appt.patient.phone_e164 IS
	'The same in the form of E.164, made by a trigger; NULL: no country is '
	'written in it, and calling_code does not say one';
COMMENT ON COLUMN appt.patient.address_line1 IS 'House and street';
COMMENT ON COLUMN appt.patient.address_line2 IS 'What else finds it';
COMMENT ON COLUMN appt.patient.address_city IS 'City or village';
COMMENT ON COLUMN appt.patient.address_state IS 'State or county';
COMMENT ON COLUMN appt.patient.address_pincode IS 'PIN or postal code';
COMMENT ON COLUMN appt.patient.address_country IS 'Country';
COMMENT ON COLUMN appt.patient.insurance_provider IS 'Who insures';
COMMENT ON COLUMN appt.patient.insurance_number IS
	'The policy''s or the member''s number';
COMMENT ON COLUMN appt.patient.emergency_contact_name IS
	'Whom to call in an emergency';
COMMENT ON COLUMN appt.patient.emergency_contact_phone IS
	'As it was typed';
COMMENT ON COLUMN appt.patient.emergency_contact_relationship IS
	'Who that is to the patient: wife, father, ...';
COMMENT ON COLUMN appt.patient.abha_id IS
	'Ayushman Bharat Health Account number: 12-3456-7890-1234';
COMMENT ON COLUMN appt.patient.aadhaar IS
	'XXXX-XXXX-1234: whatever is written, the last four digits alone are kept';
COMMENT ON COLUMN appt.patient.consent IS
	'Whether the patient agrees to the keeping of the data; NULL: not asked';
COMMENT ON COLUMN appt.patient.consent_at IS
	'When consent was last given or taken back, set by a trigger';
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

CREATE FUNCTION appt_internal.calling_code(branch_id text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		(SELECT s.value
		 FROM appt.setting s
		 WHERE s.name = d.name
			AND s.doctor_id IS NULL
			AND (s.branch_id = $1 OR s.branch_id IS NULL)
		 ORDER BY s.branch_id NULLS LAST
		 LIMIT 1),
		d.default_value)
	FROM appt.setting_definition d
	WHERE d.name = 'calling_code'
$$;

COMMENT ON FUNCTION appt_internal.calling_code(text) IS
	'The setting calling_code of a branch, or in general';

CREATE FUNCTION appt_internal.patient_clean_values() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.phone := appt_internal.clean_phone(NEW.phone);
	NEW.emergency_contact_phone :=
		appt_internal.clean_phone(NEW.emergency_contact_phone);
	NEW.abha_id := appt_internal.abha_number(NEW.abha_id);
	NEW.aadhaar := appt_internal.masked_aadhaar(NEW.aadhaar);
	IF TG_OP = 'INSERT' THEN
		/* A row that is restored has both. */
		NEW.phone_e164 := coalesce(NEW.phone_e164, appt_internal.phone_number(
			NEW.phone, appt_internal.calling_code(NEW.branch_id)));
		NEW.consent_at := CASE WHEN NEW.consent IS NOT NULL
			THEN coalesce(NEW.consent_at, appt.clock()) END;
		RETURN NEW;
	END IF;
	IF (NEW.phone, NEW.branch_id)
		IS DISTINCT FROM (OLD.phone, OLD.branch_id)
	THEN
		NEW.phone_e164 := appt_internal.phone_number(NEW.phone,
			appt_internal.calling_code(NEW.branch_id));
	END IF;
	IF NEW.consent IS DISTINCT FROM OLD.consent THEN
		NEW.consent_at := CASE WHEN NEW.consent IS NOT NULL
			THEN appt.clock() END;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.patient_clean_values() IS
	'Row trigger: telephone and ABHA numbers as they are kept, Aadhaar masked, '
	'phone_e164 and consent_at; raises SB001 (aadhaar)';

CREATE TRIGGER clean_values
	BEFORE INSERT OR UPDATE ON appt.patient
	FOR EACH ROW EXECUTE FUNCTION appt_internal.patient_clean_values();

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.patient_id <> NEW.patient_id)
	EXECUTE FUNCTION appt_internal.id_is_final('patient_id');

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
