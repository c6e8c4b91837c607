/* ---------------------------------------------------------------------------
 * Ids of patients.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.patient_assign_id() RETURNS trigger
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
				extract(year FROM appt.clock())::integer,
				lpad(number, greatest(5, length(number)), '0'));
			EXIT WHEN NOT EXISTS (
				SELECT FROM appt.patient p
				WHERE p.patient_id = NEW.patient_id);
		END LOOP;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt.patient_assign_id() IS
	'Row trigger: gives a patient without an id the next one, such as '
	'PAT-2026-00123; ids that the clinic chose itself are passed over';

CREATE SEQUENCE appt.patient_id_seq OWNED BY appt.patient.patient_id;

COMMENT ON SEQUENCE appt.patient_id_seq IS 'Numbers of patient ids';

CREATE TRIGGER patient_assign_id
	BEFORE INSERT ON appt.patient
	FOR EACH ROW EXECUTE FUNCTION appt.patient_assign_id();
