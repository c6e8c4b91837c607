/* ---------------------------------------------------------------------------
 * When the clock of a branch is changed under visits that are booked: by a law,
 * which comes with new time zone data, or by a time zone that was set wrong.
 * The instant of a visit stays; the patient was told what the clock shows.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.clock_changes(
	branch_id text DEFAULT NULL)
	RETURNS TABLE (
		appointment_id text,
		doctor_id text,
		branch_id text,
		slot_start timestamptz,
		as_booked timestamp,
		reads_now timestamp)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.appointment_id, a.doctor_id, a.branch_id, a.slot_start,
		a.wall_start, z.reads_now
	FROM appt.appointment a
	JOIN appt.branch b ON b.branch_id = a.branch_id
	CROSS JOIN LATERAL (
		SELECT appt_internal.local_time(a.slot_start, b.time_zone))
			z (reads_now)
	WHERE a.token_date >= (appt.clock() - interval '2 days')::date
		AND a.slot_start > appt.clock()
		AND a.status IN ('booked', 'checked_in')
		AND a.wall_start <> z.reads_now
		AND ($1 IS NULL OR a.branch_id = $1)
		AND appt_internal.is_time_zone(b.time_zone)
	ORDER BY a.slot_start, a.appointment_no
$$;

COMMENT ON FUNCTION appt.clock_changes(text) IS
	'Coming visits, of one branch or of all, at which the branch''s clock '
	'shows another time than when they were booked: the law was changed, or '
	'the branch''s time zone. Ask it in a session that began after the server '
	'got its new time zone data';

CREATE FUNCTION appt_internal.restore_clock(
	reason text,
	branch_id text,
	client text)
	RETURNS TABLE (
		appointment_id text,
		slot_start timestamptz,
		new_slot_start timestamptz,
		refusal text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	visit record;
BEGIN
	/*
	 * Those that become later, the last first, then those that become earlier,
	 * the first first: so none moves onto one that has yet to move.
	 */
	FOR visit IN
		SELECT c.appointment_id, c.slot_start, t.slot_start AS new_slot_start
		FROM appt.clock_changes($2) c
		JOIN appt.branch b ON b.branch_id = c.branch_id
		CROSS JOIN LATERAL (
			SELECT appt_internal.instant(c.as_booked::date, c.as_booked::time,
				b.time_zone)) t (slot_start)
		ORDER BY t.slot_start < c.slot_start,
			CASE WHEN t.slot_start < c.slot_start
				THEN c.slot_start - timestamptz '1970-01-01 00:00+00'
				ELSE timestamptz '1970-01-01 00:00+00' - c.slot_start END
	LOOP
		appointment_id := visit.appointment_id;
		slot_start := visit.slot_start;
		new_slot_start := visit.new_slot_start;
		refusal := NULL;
		BEGIN
			PERFORM appt_api.reschedule(visit.appointment_id,
				visit.new_slot_start, NULL, $1, NULL, NULL, NULL, false, NULL,
				client);
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE NOT LIKE 'SB9%' THEN
				RAISE;
			END IF;
			GET STACKED DIAGNOSTICS refusal = PG_EXCEPTION_DETAIL;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.restore_clock(text, text, text) IS
	'appt.restore_clock on behalf of an API client or (NULL) of the session''s '
	'role';

CREATE FUNCTION appt.restore_clock(
	reason text,
	branch_id text DEFAULT NULL)
	RETURNS TABLE (
		appointment_id text,
		slot_start timestamptz,
		new_slot_start timestamptz,
		refusal text)
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT * FROM appt_internal.restore_clock($1, $2, NULL)
$$;

COMMENT ON FUNCTION appt.restore_clock(text, text) IS
	'Moves the visits of appt.clock_changes, each with its event, to where the '
	'branch''s clock shows what it was booked for. refusal says why one stays '
	'where it is (the time is taken, or is no slot); the desk moves it. Raises '
	'as appt.reschedule what is no refusal';

CREATE FUNCTION appt_internal.branch_keeps_clocks() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	affected text[];
	listed CONSTANT integer := 20;
BEGIN
	SELECT array_agg(format('%s at %s', a.appointment_id,
		to_char(t.told, 'DD/MM/YYYY HH24:MI')) ORDER BY a.slot_start,
		a.appointment_no)
	INTO affected
	FROM appt.appointment a
	CROSS JOIN LATERAL (
		SELECT coalesce(a.wall_start, appt_internal.local_time(a.slot_start,
			OLD.time_zone))) t (told)
	WHERE a.branch_id = NEW.branch_id
		AND a.token_date >= (appt.clock() - interval '2 days')::date
		AND a.slot_start > appt.clock()
		AND a.status IN ('booked', 'checked_in')
		AND t.told <> appt_internal.local_time(a.slot_start, NEW.time_zone);

	IF affected IS NOT NULL THEN
		RAISE EXCEPTION 'time zone "%" of branch "%" affects %',
			NEW.time_zone, NEW.branch_id,
			CASE cardinality(affected) WHEN 1 THEN '1 appointment'
				ELSE cardinality(affected) || ' appointments' END
			USING ERRCODE = 'SB962', COLUMN = 'time_zone',
				DETAIL = format('The clock would show another time at these: '
					'%s%s.', array_to_string(affected[1:listed], ', '),
					CASE WHEN cardinality(affected) > listed
						THEN format(' and %s more',
							cardinality(affected) - listed) ELSE '' END),
				HINT = 'Cancel or move them first, or SELECT '
					'appt.change_time_zone(branch_id, time_zone, visits).';
	ELSIF EXISTS (
		SELECT FROM appt.appointment a
		WHERE a.branch_id = NEW.branch_id
			AND a.token_date
				<> appt_internal.local_time(a.slot_start, NEW.time_zone)::date)
	THEN
		RAISE EXCEPTION 'branch "%" has appointments that would be on another '
			'date in time zone "%"', NEW.branch_id, NEW.time_zone
			USING ERRCODE = 'SB961', HINT = 'Make a new branch instead.';
	END IF;

	PERFORM appt_internal.compare_sessions(NEW.branch_id);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.branch_keeps_clocks() IS
	'Constraint trigger: a branch''s time zone cannot change so that its clock '
	'shows another time at coming visits (raises SB962, with their list), or '
	'visits are on another date than their tokens'' (SB961), or a doctor''s '
	'sessions meet those at another branch (23P01). Another name of the same '
	'zone is fine';

CREATE CONSTRAINT TRIGGER branch_keeps_clocks
	AFTER UPDATE ON appt.branch
	DEFERRABLE INITIALLY IMMEDIATE
	FOR EACH ROW WHEN (OLD.time_zone <> NEW.time_zone)
	EXECUTE FUNCTION appt_internal.branch_keeps_clocks();

CREATE FUNCTION appt_internal.defer_clocks(visits text, reason text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF visits NOT IN ('refuse', 'keep_clock', 'keep_instant') THEN
		RAISE EXCEPTION 'visits "%" is not known', visits
			USING ERRCODE = 'SB001', COLUMN = 'visits',
				DETAIL = 'It is one of refuse, keep_clock and keep_instant.';
	ELSIF visits = 'keep_clock' AND coalesce(reason, '') !~ '\S' THEN
		RAISE EXCEPTION 'reason is required to move appointments'
			USING ERRCODE = 'SB001', COLUMN = 'reason';
	END IF;

	IF visits <> 'refuse' THEN
		SET CONSTRAINTS appt.branch_keeps_clocks DEFERRED;
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.defer_clocks(text, text) IS
	'Before a branch''s time zone changes: what becomes of its visits is '
	'settled by appt_internal.settle_clocks. Raises SB001 for another word';

CREATE FUNCTION appt_internal.settle_clocks(
	branch_id text,
	visits text,
	reason text,
	client text)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed integer := 0;
BEGIN
	IF visits = 'keep_clock' THEN
		SELECT count(*) INTO changed
		FROM appt_internal.restore_clock(reason, $1, client) r
		WHERE r.refusal IS NULL;
	ELSIF visits = 'keep_instant' THEN
		UPDATE appt.appointment a
		SET wall_start = c.reads_now
		FROM appt.clock_changes($1) c
		WHERE a.appointment_id = c.appointment_id;
		GET DIAGNOSTICS changed = ROW_COUNT;
	END IF;
	IF visits <> 'refuse' THEN
		SET CONSTRAINTS appt.branch_keeps_clocks IMMEDIATE;
	END IF;
	RETURN changed;
END
$$;

COMMENT ON FUNCTION appt_internal.settle_clocks(text, text, text, text) IS
	'Moves the coming visits of a branch whose time zone has changed, or says '
	'that they stay, and judges what is left: raises SB962, SB961, 23P01. The '
	'number of visits that were changed';

CREATE FUNCTION appt.change_time_zone(
	branch_id text,
	time_zone text,
	visits text DEFAULT 'refuse',
	reason text DEFAULT NULL)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.defer_clocks(visits, reason);
	UPDATE appt.branch b
	SET time_zone = $2
	WHERE b.branch_id = $1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'branch "%" does not exist', $1
			USING ERRCODE = 'SB404', COLUMN = 'branch_id';
	END IF;
	RETURN appt_internal.settle_clocks($1, visits, reason, NULL);
END
$$;

COMMENT ON FUNCTION appt.change_time_zone(text, text, text, text) IS
	'Gives a branch another time zone. Coming visits at which its clock would '
	'show another time: refuse (default) raises SB962 with their list; '
	'keep_clock moves them to where the new clock shows what they were booked '
	'for, all or none; keep_instant leaves them when they are, and the clock '
	'shows another time. The number of visits that were changed. Raises SB404, '
	'SB001, SB961 (visits would be on another date), SB962, 23514 (no such '
	'time zone)';
