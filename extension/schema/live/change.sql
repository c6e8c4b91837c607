/* ---------------------------------------------------------------------------
 * What has changed, for whoever keeps a page up to date: appointments by their
 * events, the configuration and holds by appt_internal.change.
 *
 * Numbers are drawn before the commit, and a transaction with a low one may
 * commit after one with a high one.  So a reader's place is no number but a
 * snapshot: what it has not seen yet is what was written by a transaction that
 * the snapshot does not show, and there are two kinds of those, which an index
 * finds: those that were running then, and those that began since.
 *
 * Transaction ids mean something on one server, from its start to its end:
 * after a failover, or the restore of a copy, another transaction has the same.
 * A place is therefore good on the server that named it, and until that ends.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt_internal.change (
	change_no bigint GENERATED ALWAYS AS IDENTITY,
	changed_xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	what text NOT NULL,
	branch_id text,
	doctor_id text,
	on_date date,
	CONSTRAINT change_pkey PRIMARY KEY (change_no),
	CONSTRAINT change_what_known CHECK (what IN
		('branch', 'closure', 'department', 'doctor', 'extra_session', 'hold',
		 'notification_template', 'operating_hours', 'setting', 'time_off',
		 'visit_type', 'working_hours')),
	CONSTRAINT change_ids_bounded
		CHECK (length(branch_id) <= 64 AND length(doctor_id) <= 64)
);

CREATE INDEX change_changed_xid ON appt_internal.change (changed_xid);

COMMENT ON TABLE appt_internal.change IS
	'That something of the configuration has changed, or a hold: which table, '
	'and of which branch and doctor. Kept for two days. It is this server''s '
	'alone: neither dumped nor replicated, as all in this schema';
COMMENT ON COLUMN appt_internal.change.change_no IS
	'In the order of writing, which is not that of the commits';
COMMENT ON COLUMN appt_internal.change.changed_at IS 'When, for the sweep';
COMMENT ON COLUMN appt_internal.change.changed_xid IS
	'The transaction that changed it, as pg_current_xact_id() names it';
COMMENT ON COLUMN appt_internal.change.what IS
	'The table; hold: a slot is held, or is not any more';
COMMENT ON COLUMN appt_internal.change.branch_id IS
	'The branch; NULL: what is no branch''s, or the whole table';
COMMENT ON COLUMN appt_internal.change.doctor_id IS
	'The doctor, if it is one''s';
COMMENT ON COLUMN appt_internal.change.on_date IS
	'Of a hold, the branch-local date';

CREATE FUNCTION appt_internal.note_change() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	/* A dump is being restored: see appt_in_restore in trigger.c. */
	IF current_setting('check_function_bodies') = 'off' THEN
		RETURN NULL;
	END IF;
	IF TG_OP = 'TRUNCATE' THEN
		INSERT INTO appt_internal.change (what) VALUES (TG_TABLE_NAME);
		RETURN NULL;
	END IF;
	INSERT INTO appt_internal.change (what, branch_id, doctor_id)
	SELECT DISTINCT TG_TABLE_NAME, r.r ->> 'branch_id', r.r ->> 'doctor_id'
	FROM unnest(ARRAY[to_jsonb(OLD), to_jsonb(NEW)]) AS r (r)
	WHERE r.r IS NOT NULL
		AND (TG_OP <> 'UPDATE' OR OLD IS DISTINCT FROM NEW);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.note_change() IS
	'Row trigger, and for TRUNCATE statement trigger, of the configuration: '
	'notes what has changed';

DO $$
DECLARE
	relation pg_catalog.regclass;
BEGIN
	FOREACH relation IN ARRAY ARRAY['appt.branch', 'appt.closure',
		'appt.department', 'appt.doctor', 'appt.extra_session',
		'appt.notification_template', 'appt.operating_hours',
		'appt.setting', 'appt.time_off', 'appt.visit_type',
		'appt.working_hours']::pg_catalog.regclass[]
	LOOP
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE '
			'ON %s FOR EACH ROW EXECUTE FUNCTION appt_internal.note_change()',
			relation);
		EXECUTE pg_catalog.format(
			'CREATE TRIGGER note_truncate AFTER TRUNCATE ON %s '
			'FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.note_change()',
			relation);
	END LOOP;
END
$$;

/* That a slot is held is noted by the trigger appointment_written. */
CREATE FUNCTION appt_internal.note_hold_end() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('check_function_bodies') = 'on' THEN
		INSERT INTO appt_internal.change (what, branch_id, doctor_id, on_date)
		VALUES ('hold', OLD.branch_id, OLD.doctor_id, OLD.token_date);
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.note_hold_end() IS
	'Row trigger: notes that a slot is not held any more';

CREATE TRIGGER note_hold_end
	AFTER DELETE ON appt.appointment
	FOR EACH ROW WHEN (OLD.hold_expires_at IS NOT NULL)
	EXECUTE FUNCTION appt_internal.note_hold_end();

CREATE FUNCTION appt_internal.sweep_changes(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	DELETE FROM appt_internal.change AS c
	WHERE c.change_no = ANY (ARRAY(
			SELECT o.change_no
			FROM appt_internal.change AS o
			ORDER BY o.change_no
			LIMIT batch))
		AND c.changed_at < clock_timestamp() - interval '2 days';
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_changes(integer) IS
	'Deletes what is noted of changes more than two days old, among the first '
	'batch of them (NULL: all); returns how many';

/* --- where a reader is ---------------------------------------------------- */

CREATE FUNCTION appt_internal.server_name() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN to_hex((extract(epoch FROM pg_postmaster_start_time())
	* 1000000)::bigint);

COMMENT ON FUNCTION appt_internal.server_name() IS
	'What this server, from its start to its end, has alone: when it started';

CREATE FUNCTION appt_internal.change_position() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws('.', appt_internal.server_name(),
		extract(epoch FROM clock_timestamp())::bigint,
		CASE WHEN length(s.now::text) <= 400 THEN s.now::text
			ELSE format('%1$s:%1$s:', pg_snapshot_xmin(s.now)) END)
	FROM (SELECT pg_current_snapshot()) AS s (now)
$$;

COMMENT ON FUNCTION appt_internal.change_position() IS
	'Where a reader is who has seen all that this statement sees: server, '
	'time, snapshot; of a snapshot with many transactions, one that shows '
	'less, so that some is told twice';

CREATE FUNCTION appt_internal.change_snapshot(place text) RETURNS pg_snapshot
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts CONSTANT text[] := regexp_match(place,
		'^([0-9a-f]{1,16})\.([0-9]{1,11})\.([0-9]+:[0-9]+:[0-9,]*)$');
	snapshot pg_snapshot;
BEGIN
	IF parts[1] IS DISTINCT FROM appt_internal.server_name()
		OR to_timestamp(parts[2]::bigint) < clock_timestamp()
			- interval '1 day'
	THEN
		RETURN NULL;
	END IF;
	snapshot := parts[3];
	RETURN CASE WHEN pg_snapshot_xmax(snapshot)
		<= pg_snapshot_xmax(pg_current_snapshot()) THEN snapshot END;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.change_snapshot(text) IS
	'The snapshot of a reader''s place; NULL: it is no place on this server, '
	'or one of more than a day ago';

/* --- what is behind it ---------------------------------------------------- */

CREATE FUNCTION appt_internal.changed_days(since pg_snapshot)
	RETURNS TABLE (
		doctor_id text,
		branch_id text,
		on_date date)
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
	WITH written AS (
		SELECT e.data, e.previous
		FROM appt.event AS e
		WHERE e.changed_xid = ANY (ARRAY(SELECT pg_snapshot_xip(since)))
			AND e.appointment_no IS NOT NULL
		UNION ALL
		SELECT e.data, e.previous
		FROM appt.event AS e
		WHERE e.changed_xid >= pg_snapshot_xmax(since)
			AND e.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
			AND e.appointment_no IS NOT NULL)
	SELECT d.place ->> 'doctor_id', d.place ->> 'branch_id',
		(d.place ->> 'token_date')::date
	FROM written AS w
	CROSS JOIN LATERAL (VALUES (w.data::json), (w.previous::json))
		AS d (place)
	WHERE d.place ->> 'doctor_id' IS NOT NULL
$$;

COMMENT ON FUNCTION appt_internal.changed_days(pg_snapshot) IS
	'The doctor-days that appointments were changed on, or left, by '
	'transactions that the snapshot does not show. Above the newest '
	'transaction nothing is looked for: a dump brings ids of another server';

CREATE FUNCTION appt_internal.noted_changes(since pg_snapshot)
	RETURNS SETOF appt_internal.change
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
	SELECT c.*
	FROM appt_internal.change AS c
	WHERE c.changed_xid = ANY (ARRAY(SELECT pg_snapshot_xip(since)))
	UNION ALL
	SELECT c.*
	FROM appt_internal.change AS c
	WHERE c.changed_xid >= pg_snapshot_xmax(since)
		AND c.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
$$;

COMMENT ON FUNCTION appt_internal.noted_changes(pg_snapshot) IS
	'What such transactions have noted in appt_internal.change';

CREATE FUNCTION appt_internal.count_changes(since pg_snapshot)
	RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
DECLARE
	running CONSTANT xid8[] := ARRAY(SELECT pg_snapshot_xip(since));
	first CONSTANT xid8 := pg_snapshot_xmax(since);
	behind CONSTANT xid8 := pg_snapshot_xmax(pg_current_snapshot());
BEGIN
	RETURN (
		SELECT count(*)
		FROM (
			(SELECT
			FROM appt.event AS e
			WHERE e.changed_xid = ANY (running)
			LIMIT 5001)
			UNION ALL
			(SELECT
			FROM appt.event AS e
			WHERE e.changed_xid >= first AND e.changed_xid < behind
			LIMIT 5001)
			UNION ALL
			(SELECT
			FROM appt_internal.change AS c
			WHERE c.changed_xid = ANY (running)
			LIMIT 5001)
			UNION ALL
			(SELECT
			FROM appt_internal.change AS c
			WHERE c.changed_xid >= first AND c.changed_xid < behind
			LIMIT 5001)) AS written);
END
$$;

COMMENT ON FUNCTION appt_internal.count_changes(pg_snapshot) IS
	'How many events and notes such transactions have written, of each kind '
	'no more than 5,001';

CREATE FUNCTION appt_internal.change_branches(branch_id text, doctor_id text)
	RETURNS text[]
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN branch_id IS NOT NULL THEN ARRAY[branch_id]
		WHEN doctor_id IS NULL THEN NULL
		WHEN NOT EXISTS (
			SELECT
			FROM appt.doctor AS d
			WHERE d.doctor_id = change_branches.doctor_id) THEN '{}'
		ELSE appt_internal.doctor_branches(doctor_id)
	END
$$;

COMMENT ON FUNCTION appt_internal.change_branches(text, text) IS
	'Whom a change concerns: who sees one of these branches; NULL: all, {}: '
	'who sees all branches. As for the doctor itself, those where he works, '
	'and all where he works nowhere';

CREATE FUNCTION appt_internal.changes_since(since pg_snapshot)
	RETURNS TABLE (
		event text,
		data json,
		branch_ids text[])
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'doctor_day', json_build_object('doctor_id', d.doctor_id,
			'branch_id', d.branch_id, 'date', d.on_date), ARRAY[d.branch_id]
	FROM (
		SELECT c.doctor_id, c.branch_id, c.on_date
		FROM appt_internal.changed_days(since) AS c
		UNION
		SELECT n.doctor_id, n.branch_id, n.on_date
		FROM appt_internal.noted_changes(since) AS n
		WHERE n.what = 'hold'
		ORDER BY 1, 2, 3) AS d
	UNION ALL
	SELECT 'configuration', json_strip_nulls(json_build_object('what', d.what,
			'branch_id', d.branch_id, 'doctor_id', d.doctor_id)),
		appt_internal.change_branches(d.branch_id, d.doctor_id)
	FROM (
		SELECT DISTINCT n.what, n.branch_id, n.doctor_id
		FROM appt_internal.noted_changes(since) AS n
		WHERE n.what <> 'hold'
		ORDER BY 1, 2, 3) AS d
$$;

COMMENT ON FUNCTION appt_internal.changes_since(pg_snapshot) IS
	'What transactions that the snapshot does not show have changed, each '
	'once, and whom it concerns (appt_internal.change_branches)';
