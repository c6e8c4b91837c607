/* ---------------------------------------------------------------------------
 * An id that appointments carry never changes, and what they refer to stays.
 *
 * Appointments refer by a foreign key to patients alone.  To branches they do
 * not: every booking of a branch would lock the branch's one row, and sixteen
 * at a time would queue for it; bookings hold the branch's lock shared instead,
 * and whoever deletes a branch takes it exclusively.  Nor to the doctor's day,
 * whose row a booking has just written and holds: the check was a twentieth of
 * a booking.  A doctor who has days stays, and a day that has appointments.
 * Nor to visit types: one that a booking takes while it is deleted is the one
 * that can be lost, and the appointment keeps its code.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.id_is_final() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION '% of a % cannot be changed', TG_ARGV[0],
		replace(TG_TABLE_NAME, '_', ' ')
		USING ERRCODE = 'SB001', COLUMN = TG_ARGV[0],
			DETAIL =
				'Appointments, events and other systems know it by this id.';
END
$$;

COMMENT ON FUNCTION appt.id_is_final() IS
	'Row trigger: refuses to change an id; raises SB001';

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.branch
	FOR EACH ROW WHEN (OLD.branch_id <> NEW.branch_id)
	EXECUTE FUNCTION appt.id_is_final('branch_id');

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.doctor
	FOR EACH ROW WHEN (OLD.doctor_id <> NEW.doctor_id)
	EXECUTE FUNCTION appt.id_is_final('doctor_id');

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.patient
	FOR EACH ROW WHEN (OLD.patient_id <> NEW.patient_id)
	EXECUTE FUNCTION appt.id_is_final('patient_id');

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.visit_type
	FOR EACH ROW WHEN (OLD.visit_type <> NEW.visit_type)
	EXECUTE FUNCTION appt.id_is_final('visit_type');

CREATE FUNCTION appt.lock_branch(branch_id text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_lock_branch';

COMMENT ON FUNCTION appt.lock_branch(text) IS
	'Keeps bookings at a branch waiting to the end of the transaction; for '
	'the triggers of this extension alone';

CREATE FUNCTION appt.branch_keeps_appointments() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt.lock_branch(OLD.branch_id);
	IF EXISTS (
		SELECT FROM appt.appointment a WHERE a.branch_id = OLD.branch_id)
	THEN
		RAISE EXCEPTION 'branch "%" has appointments', OLD.branch_id
			USING ERRCODE = 'SB961',
				HINT = 'Set it inactive: then it offers no slot.';
	END IF;
	RETURN OLD;
END
$$;

COMMENT ON FUNCTION appt.branch_keeps_appointments() IS
	'Row trigger: a branch that has appointments cannot be deleted; raises '
	'SB961';

CREATE TRIGGER branch_keeps_appointments
	BEFORE DELETE ON appt.branch
	FOR EACH ROW EXECUTE FUNCTION appt.branch_keeps_appointments();

CREATE FUNCTION appt.branch_keeps_dates() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt.lock_branch(NEW.branch_id);
	IF EXISTS (
		SELECT FROM appt.appointment a
		WHERE a.branch_id = NEW.branch_id
			AND a.token_date
				<> (a.slot_start AT TIME ZONE NEW.time_zone)::date)
	THEN
		RAISE EXCEPTION 'branch "%" has appointments that would be on another '
			'date in time zone "%"', NEW.branch_id, NEW.time_zone
			USING ERRCODE = 'SB961', HINT = 'Make a new branch instead.';
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt.branch_keeps_dates() IS
	'Row trigger: a branch''s time zone cannot change so that appointments '
	'are on another date than their tokens'' (another name of the same zone '
	'is fine); raises SB961';

CREATE TRIGGER branch_keeps_dates
	BEFORE UPDATE ON appt.branch
	FOR EACH ROW WHEN (OLD.time_zone <> NEW.time_zone
		AND appt.is_time_zone(NEW.time_zone))
	EXECUTE FUNCTION appt.branch_keeps_dates();

CREATE FUNCTION appt.visit_type_keeps_appointments() RETURNS trigger
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

COMMENT ON FUNCTION appt.visit_type_keeps_appointments() IS
	'Row trigger: a visit type that appointments are of cannot be deleted; '
	'raises SB961';

CREATE TRIGGER visit_type_keeps_appointments
	BEFORE DELETE ON appt.visit_type
	FOR EACH ROW EXECUTE FUNCTION appt.visit_type_keeps_appointments();

CREATE FUNCTION appt.day_keeps_appointments() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (
		SELECT FROM appt.appointment a
		WHERE a.doctor_no = OLD.doctor_no AND a.token_date = OLD.on_date)
	THEN
		RAISE EXCEPTION 'the day % of doctor "%" has appointments',
			OLD.on_date, (
				SELECT d.doctor_id
				FROM appt.doctor d
				WHERE d.doctor_no = OLD.doctor_no)
			USING ERRCODE = 'SB961',
				DETAIL = 'Its tokens would begin at 1 again.';
	END IF;
	RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;

COMMENT ON FUNCTION appt.day_keeps_appointments() IS
	'Row trigger: a doctor''s day that has appointments is neither deleted nor '
	'moved; raises SB961';

CREATE TRIGGER day_keeps_appointments
	BEFORE DELETE OR UPDATE OF doctor_no, on_date ON appt.doctor_day
	FOR EACH ROW EXECUTE FUNCTION appt.day_keeps_appointments();
