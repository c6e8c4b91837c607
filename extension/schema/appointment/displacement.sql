/* ---------------------------------------------------------------------------
 * Displacement: bookings that an absence takes the place of are cancelled or
 * moved, and a day is moved as a whole.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.displace(
	is_closure boolean,
	id text,
	starts_at timestamptz,
	ends_at timestamptz,
	moves boolean,
	reason text,
	client text)
	RETURNS integer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_displace';

COMMENT ON FUNCTION appt_internal.displace(boolean, text, timestamptz,
	timestamptz, boolean, text, text) IS
	'Cancels, or moves to the doctor''s next free slot, what lies in an '
	'absence; for appt_internal.put_absence alone';

CREATE FUNCTION appt_internal.put_absence(
	is_closure boolean,
	id text,
	starts_at timestamptz,
	ends_at timestamptz,
	reason text,
	displace text,
	client text,
	OUT absence_no bigint,
	OUT displaced integer)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mode text := coalesce(displace, 'refuse');
BEGIN
	IF mode NOT IN ('refuse', 'cancel', 'move') THEN
		RAISE EXCEPTION 'displace "%" is not known', mode
			USING ERRCODE = 'SB001', COLUMN = 'displace',
				DETAIL = 'It is one of refuse, cancel and move.';
	ELSIF mode <> 'refuse' AND coalesce(reason, '') !~ '\S' THEN
		RAISE EXCEPTION 'reason is required to displace appointments'
			USING ERRCODE = 'SB001', COLUMN = 'reason';
	END IF;

	IF mode <> 'refuse' THEN
		SET CONSTRAINTS appt.time_off_keeps_appointments,
			appt.closure_keeps_appointments DEFERRED;
	END IF;

	IF is_closure THEN
		INSERT INTO appt.closure (branch_id, starts_at, ends_at, reason)
		VALUES (id, starts_at, ends_at, reason)
		RETURNING closure_no INTO absence_no;
	ELSE
		INSERT INTO appt.time_off (doctor_id, starts_at, ends_at, reason)
		VALUES (id, starts_at, ends_at, reason)
		RETURNING time_off_no INTO absence_no;
	END IF;

	displaced := 0;
	IF mode <> 'refuse' THEN
		displaced := appt_internal.displace(is_closure, id, starts_at, ends_at,
			mode = 'move', reason, client);
		SET CONSTRAINTS appt.time_off_keeps_appointments,
			appt.closure_keeps_appointments IMMEDIATE;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.put_absence(boolean, text, timestamptz,
	timestamptz, text, text, text) IS
	'What appt.add_time_off and appt.add_closure do, on behalf of an API '
	'client or (NULL) of the session''s role';

CREATE FUNCTION appt.add_time_off(
	doctor_id text,
	starts_at timestamptz,
	ends_at timestamptz,
	reason text DEFAULT NULL,
	displace text DEFAULT 'refuse',
	OUT time_off_no bigint,
	OUT displaced integer)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT p.absence_no, p.displaced INTO time_off_no, displaced
	FROM appt_internal.put_absence(false, doctor_id, starts_at, ends_at, reason,
		displace, NULL) p;
END
$$;

COMMENT ON FUNCTION appt.add_time_off(text, timestamptz, timestamptz, text,
	text) IS
	'Takes a doctor out of the schedule in [starts_at, ends_at). Over existing '
	'bookings: displace refuse (default) raises SB962 with their list, cancel '
	'cancels them, move puts each into the doctor''s next free slot at its '
	'branch; all in one transaction, with events. displaced: how many. Raises '
	'SB001 (also where no reason is given to displace), SB962, 23503 (no such '
	'doctor)';

CREATE FUNCTION appt.add_closure(
	branch_id text,
	starts_at timestamptz,
	ends_at timestamptz,
	reason text DEFAULT NULL,
	displace text DEFAULT 'refuse',
	OUT closure_no bigint,
	OUT displaced integer)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT p.absence_no, p.displaced INTO closure_no, displaced
	FROM appt_internal.put_absence(true, branch_id, starts_at, ends_at, reason,
		displace, NULL) p;
END
$$;

COMMENT ON FUNCTION appt.add_closure(text, timestamptz, timestamptz, text,
	text) IS
	'Closes a branch in [starts_at, ends_at), for all its doctors; displace as '
	'in appt.add_time_off. Raises SB001, SB962, 23503 (no such branch)';

CREATE FUNCTION appt_internal.reschedule_day(
	doctor_id text,
	from_date date,
	to_date date,
	to_doctor_id text,
	branch_id text,
	reason text,
	client text)
	RETURNS SETOF appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_reschedule_day';

COMMENT ON FUNCTION appt_internal.reschedule_day(text, date, date, text, text,
	text, text) IS
	'appt.reschedule_day on behalf of an API client or (NULL) of the '
	'session''s role: what the client does not see stays';

CREATE FUNCTION appt.reschedule_day(
	doctor_id text,
	from_date date,
	to_date date DEFAULT NULL,
	to_doctor_id text DEFAULT NULL,
	branch_id text DEFAULT NULL,
	reason text DEFAULT NULL)
	RETURNS SETOF appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_reschedule_day';

COMMENT ON FUNCTION appt.reschedule_day(text, date, date, text, text, text) IS
	'Moves all booked appointments of a doctor''s day (branch-local, one '
	'branch or all) to the same wall-clock times of to_date, of to_doctor_id, '
	'or both: all of them or, where one does not fit, none. Raises as '
	'appt.reschedule, SB404 (doctor), SB001 (dates)';
