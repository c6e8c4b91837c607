/* ---------------------------------------------------------------------------
 * appt.check_rows: what a restore has lost.
 *
 * A dump that was restored in part, or rows that were loaded past the foreign
 * keys, leave rows that refer to nothing and counters that give numbers out
 * for a second time.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.row_references()
	RETURNS TABLE (
		referring regclass,
		columns text[],
		referred regclass,
		referred_columns text[])
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		k.conrelid,
		ARRAY(
			SELECT a.attname::text
			FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place)
			JOIN pg_attribute a ON a.attrelid = k.conrelid
				AND a.attnum = u.attnum
			ORDER BY u.place),
		k.confrelid,
		ARRAY(
			SELECT a.attname::text
			FROM unnest(k.confkey) WITH ORDINALITY u (attnum, place)
			JOIN pg_attribute a ON a.attrelid = k.confrelid
				AND a.attnum = u.attnum
			ORDER BY u.place)
	FROM pg_constraint k
	WHERE k.connamespace = 'appt'::regnamespace
		AND k.contype = 'f'
	UNION ALL
	VALUES
		('appt.appointment'::regclass, ARRAY['branch_id'],
			'appt.branch'::regclass, ARRAY['branch_id']),
		('appt.appointment', ARRAY['doctor_id', 'doctor_no'],
			'appt.doctor', ARRAY['doctor_id', 'doctor_no']),
		('appt.appointment', ARRAY['doctor_no', 'token_date'],
			'appt.doctor_day', ARRAY['doctor_no', 'on_date']),
		('appt.event', ARRAY['appointment_no'],
			'appt.appointment', ARRAY['appointment_no']),
		('appt.delivery', ARRAY['event_no'],
			'appt.event', ARRAY['event_no']),
		('appt.notification', ARRAY['appointment_no'],
			'appt.appointment', ARRAY['appointment_no']),
		('appt.waitlist_offer', ARRAY['appointment_no'],
			'appt.appointment', ARRAY['appointment_no'])
$$;

COMMENT ON FUNCTION appt_internal.row_references() IS
	'Which columns refer to which: the foreign keys of schema appt, and what '
	'is kept without one';

CREATE FUNCTION appt_internal.check_references(newest bigint)
	RETURNS TABLE (table_name text, problem text, row_count bigint)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	ref record;
BEGIN
	FOR ref IN
		SELECT r.referring, r.referred, c.relname AS referring_name,
			p.relname AS referred_name,
			array_to_string(r.columns, ', ') AS what,
			string_agg(format('n.%I IS NOT NULL', u.col), ' AND ') AS present,
			string_agg(format('o.%I = n.%I', u.other, u.col), ' AND ')
				AS same,
			(
				SELECT string_agg(format('%I DESC', a.attname), ', '
					ORDER BY i.place)
				FROM pg_index x
				CROSS JOIN unnest(x.indkey) WITH ORDINALITY i (attnum, place)
				JOIN pg_attribute a ON a.attrelid = x.indrelid
					AND a.attnum = i.attnum
				WHERE x.indrelid = r.referring AND x.indisprimary
			) AS newest_first
		FROM appt_internal.row_references() r
		JOIN pg_class c ON c.oid = r.referring
		JOIN pg_class p ON p.oid = r.referred
		CROSS JOIN unnest(r.columns, r.referred_columns) u (col, other)
		GROUP BY r.referring, r.referred, r.columns, c.relname, p.relname
		ORDER BY c.relname, r.columns
	LOOP
		table_name := ref.referring_name;
		problem := format('%s without its row in %s', ref.what,
			ref.referred_name);
		EXECUTE format(
			'SELECT count(*)
			 FROM (SELECT * FROM %s ORDER BY %s LIMIT $1) n
			 WHERE %s AND NOT EXISTS (SELECT FROM %s o WHERE %s)',
			ref.referring, ref.newest_first, ref.present, ref.referred,
			ref.same)
			INTO row_count USING newest;
		IF row_count > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.check_references(bigint) IS
	'The part of appt.check_rows about rows that refer to nothing';

CREATE FUNCTION appt_internal.check_counters(newest bigint)
	RETURNS TABLE (table_name text, problem text, row_count bigint)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	counter record;
	highest bigint;
BEGIN
	SELECT 'doctor_day', 'last_token is below a token that was given',
		count(DISTINCT (n.doctor_no, n.token_date))
	INTO table_name, problem, row_count
	FROM (
		SELECT a.doctor_no, a.token_date, a.token_number
		FROM appt.appointment a
		ORDER BY a.appointment_no DESC
		LIMIT newest) n
	JOIN appt.doctor_day d ON d.doctor_no = n.doctor_no
		AND d.on_date = n.token_date
	WHERE n.token_number > d.last_token;
	IF row_count > 0 THEN
		RETURN NEXT;
	END IF;

	FOR counter IN
		SELECT c.oid::regclass AS relation, c.relname, a.attname, s.relname
			AS sequence, pg_sequence_last_value(s.oid) AS last_value
		FROM pg_class s
		JOIN pg_depend d ON d.classid = 'pg_class'::regclass
			AND d.objid = s.oid
			AND d.refclassid = 'pg_class'::regclass
			AND d.deptype IN ('a', 'i')
		JOIN pg_class c ON c.oid = d.refobjid
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
		WHERE s.relnamespace = 'appt'::regnamespace
			AND s.relkind = 'S'
			AND a.atttypid IN ('integer'::regtype, 'bigint'::regtype)
		ORDER BY s.relname
	LOOP
		EXECUTE format('SELECT max(%I) FROM %s', counter.attname,
			counter.relation) INTO highest;
		IF highest > coalesce(counter.last_value, 0) THEN
			table_name := counter.relname;
			problem := format('sequence %s is behind %s %s', counter.sequence,
				counter.attname, highest);
			row_count := highest - coalesce(counter.last_value, 0);
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.check_counters(bigint) IS
	'The part of appt.check_rows about counters';

CREATE FUNCTION appt.check_rows(newest bigint DEFAULT NULL)
	RETURNS TABLE (table_name text, problem text, row_count bigint)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT * FROM appt_internal.check_references(newest)
	UNION ALL
	SELECT * FROM appt_internal.check_counters(newest)
$$;

COMMENT ON FUNCTION appt.check_rows(bigint) IS
	'What a restore has lost: rows that refer to a row that is not there, and '
	'counters behind what they have given out; no row if all is well. newest: '
	'looks at so many of the newest rows of each table (appt.health: 1000); '
	'NULL at all, which reads the whole clinic';

CREATE FUNCTION appt_internal.health_of_rows()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		'missing_rows',
		count(*) = 0,
		coalesce(string_agg(format('%s: %s (%s)', r.table_name, r.problem,
				r.row_count), ', '),
			'none is missing that the newest of a table refer to, and no '
				'counter is behind'),
		'A restore has lost rows (its first error says why: restore again '
			'into an empty database) or set a counter back (setval it). '
			'SELECT * FROM appt.check_rows() looks at all rows.'
	FROM appt.check_rows(1000) r
$$;

COMMENT ON FUNCTION appt_internal.health_of_rows() IS
	'The part of appt.health about rows that are not there';
