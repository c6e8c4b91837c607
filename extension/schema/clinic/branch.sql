/* ---------------------------------------------------------------------------
 * Branches.  Configuration, here and in the files beside this one, is plain
 * tables that appt_admin writes with INSERT and UPDATE; named constraints guard
 * every row.
 *
 * Appointments refer by a foreign key to patients alone.  To branches they do
 * not: every booking of a branch would lock the branch's one row, and sixteen
 * at a time would queue for it; bookings hold the branch's lock shared instead,
 * and whoever deletes a branch takes it exclusively.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.branch (
	branch_id text NOT NULL,
	name text NOT NULL,
	time_zone text NOT NULL,
	address text,
	phone text,
	type text,
	logo_url text,
	slot_min appt.slot_minutes NOT NULL DEFAULT 15,
	active boolean NOT NULL DEFAULT true,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT appt.clock(),
	CONSTRAINT branch_pkey PRIMARY KEY (branch_id),
	CONSTRAINT branch_id_format
		CHECK (branch_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	CONSTRAINT branch_created_at_in_range CHECK (created_at
		BETWEEN '1970-01-01 00:00+00' AND '2200-01-01 00:00+00'),
	CONSTRAINT branch_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT branch_type_length CHECK (length(type) <= 100),
	CONSTRAINT branch_logo_url_https CHECK (length(logo_url) <= 500
		AND logo_url ~ ('^[Hh][Tt]{2}[Pp][Ss]://'
			'[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?'
			'(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#@!$&''()*+,;=%[\]-]*)?$')),
	CONSTRAINT branch_time_zone_known CHECK (
		appt_internal.is_time_zone(time_zone))
);

COMMENT ON TABLE appt.branch IS 'A place where doctors see patients';
COMMENT ON COLUMN appt.branch.branch_id IS 'The clinic''s own code: MUM-01';
COMMENT ON COLUMN appt.branch.type IS
	'What kind of place it is, in the clinic''s words: Hospital, Clinic';
COMMENT ON COLUMN appt.branch.logo_url IS
	'Where its logo is: an https URL, in ASCII, of a public host and without a '
	'password';
COMMENT ON COLUMN appt.branch.time_zone IS
	'IANA time zone; every wall-clock time of the branch is meant in it';
COMMENT ON COLUMN appt.branch.slot_min IS
	'Slot length in minutes where session, doctor and department say nothing';
COMMENT ON COLUMN appt.branch.active IS
	'An inactive branch offers no slot and takes no booking';

CREATE FUNCTION appt_internal.branch_clean_zone() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.time_zone := appt_internal.zone_name(NEW.time_zone);
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.branch_clean_zone() IS
	'Row trigger: the time zone by its canonical name';

CREATE TRIGGER clean_zone
	BEFORE INSERT OR UPDATE OF time_zone ON appt.branch
	FOR EACH ROW EXECUTE FUNCTION appt_internal.branch_clean_zone();

CREATE TRIGGER id_is_final
	BEFORE UPDATE ON appt.branch
	FOR EACH ROW WHEN (OLD.branch_id <> NEW.branch_id)
	EXECUTE FUNCTION appt_internal.id_is_final('branch_id');

CREATE FUNCTION appt_internal.lock_branch(branch_id text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_lock_branch';

COMMENT ON FUNCTION appt_internal.lock_branch(text) IS
	'Keeps bookings at a branch waiting to the end of the transaction; for '
	'the triggers of this extension alone';

CREATE FUNCTION appt_internal.check_branch_visits(branch_id text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_check_branch_visits';

COMMENT ON FUNCTION appt_internal.check_branch_visits(text) IS
	'For who decides by a branch''s visits, under its lock: raises 40001 above '
	'READ COMMITTED where they are not what the transaction sees';

CREATE FUNCTION appt_internal.branch_keeps_appointments() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.lock_branch(OLD.branch_id);
	PERFORM appt_internal.check_branch_visits(OLD.branch_id);
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

COMMENT ON FUNCTION appt_internal.branch_keeps_appointments() IS
	'Row trigger: a branch that has appointments cannot be deleted; raises '
	'SB961, 40001';

CREATE TRIGGER branch_keeps_appointments
	BEFORE DELETE ON appt.branch
	FOR EACH ROW EXECUTE FUNCTION appt_internal.branch_keeps_appointments();

CREATE FUNCTION appt_internal.branch_zone_lock() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.lock_branch(NEW.branch_id);
	PERFORM appt_internal.check_branch_visits(NEW.branch_id);
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.branch_zone_lock() IS
	'Row trigger: no booking slips in while a branch''s time zone changes; '
	'raises 40001';

CREATE TRIGGER branch_zone_lock
	BEFORE UPDATE ON appt.branch
	FOR EACH ROW WHEN (OLD.time_zone <> NEW.time_zone)
	EXECUTE FUNCTION appt_internal.branch_zone_lock();

CREATE FUNCTION appt_internal.branch_zone(branch_id text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE b.branch_id = $1);
END
$$;

COMMENT ON FUNCTION appt_internal.branch_zone(text) IS
	'A branch''s time zone; UTC where this server does not know it';

CREATE FUNCTION appt_internal.clinic_today(branch_id text DEFAULT NULL)
	RETURNS date
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (appt.clock() AT TIME ZONE coalesce(
		appt_internal.branch_zone($1),
		(SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		ORDER BY NOT b.active, b.created_at, b.branch_id
		LIMIT 1),
		'UTC'))::date;
END
$$;

COMMENT ON FUNCTION appt_internal.clinic_today(text) IS
	'Today''s date at a branch; without one, or one that is not known, at the '
	'clinic''s first active branch. Never that of the session''s time zone';

CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON appt.branch
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

CREATE TRIGGER next_version
	BEFORE UPDATE ON appt.branch
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.next_version();
