/* ---------------------------------------------------------------------------
 * Visit types.  Appointments have no foreign key to them, which would lock the
 * type's row in every booking.  A type that is deleted while a booking takes it
 * can be lost: the appointment keeps its code.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.visit_type (
	visit_type text NOT NULL,
	name text NOT NULL,
	duration_min appt.slot_minutes,
	buffer_before_min appt.minutes,
	buffer_after_min appt.minutes,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	CONSTRAINT visit_type_pkey PRIMARY KEY (visit_type),
	CONSTRAINT visit_type_format
		CHECK (visit_type ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT visit_type_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT visit_type_buffers_range
		CHECK (buffer_before_min <= 240 AND buffer_after_min <= 240)
);

COMMENT ON TABLE appt.visit_type IS
	'What a visit is for: new_consultation, follow_up, ...';
COMMENT ON COLUMN appt.visit_type.duration_min IS
	'Length of such a visit in minutes; NULL: the slot''s';
COMMENT ON COLUMN appt.visit_type.buffer_before_min IS
	'Minutes kept free before it; NULL: the doctor''s';
COMMENT ON COLUMN appt.visit_type.buffer_after_min IS
	'Minutes kept free after it; NULL: the doctor''s';

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.visit_type
	FOR EACH ROW WHEN (OLD.visit_type <> NEW.visit_type)
	EXECUTE FUNCTION appt_internal.id_is_final('visit_type');

CREATE FUNCTION appt_internal.visit_type_keeps_appointments() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (
		SELECT FROM appt.appointment a WHERE a.visit_type = OLD.visit_type)
	THEN
		RAISE EXCEPTION 'visit type "%" has appointments', OLD.visit_type
			USING ERRCODE = 'SB961',
				HINT = 'Set it inactive: then none is booked any more.';
	END IF;
	RETURN OLD;
END
$$;

COMMENT ON FUNCTION appt_internal.visit_type_keeps_appointments() IS
	'Row trigger: a visit type that appointments are of cannot be deleted; '
	'raises SB961';

CREATE TRIGGER visit_type_keeps_appointments
	BEFORE DELETE ON appt.visit_type
	FOR EACH ROW EXECUTE FUNCTION appt_internal.visit_type_keeps_appointments();

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.visit_type
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.visit_type
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
