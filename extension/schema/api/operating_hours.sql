/* ---------------------------------------------------------------------------
 * A branch's operating hours as JSON: the whole week is one thing, read and
 * written at once, with the branch's version.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.operating_hours_json(t appt.branch)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'branch_id', t.branch_id,
		'operating_hours', (
			SELECT coalesce(json_agg(json_build_object(
				'weekday', o.weekday,
				'opens', left(o.opens::text, 5),
				'closes', left(o.closes::text, 5),
				'valid_from', nullif(o.valid_from, '-infinity'),
				'valid_to', nullif(o.valid_to, 'infinity'))
				ORDER BY o.weekday, o.valid_from, o.opens), '[]')
			FROM appt.operating_hours o
			WHERE o.branch_id = t.branch_id),
		'version', t.version)::text
$$;

COMMENT ON FUNCTION appt_internal.operating_hours_json IS
	'A branch''s operating hours as they are shown';

CREATE FUNCTION appt_api.get_operating_hours(
	branch_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answer appt_api.answer;
BEGIN
	PERFORM appt_internal.check_scope($1, NULL, client, 'SB404');
	SELECT appt_internal.operating_hours_json(b), b.version
	INTO answer.body, answer.version
	FROM appt.branch b
	WHERE b.branch_id = $1;
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_api.get_operating_hours IS
	'When a branch is open: {branch_id, operating_hours: [{weekday, opens, '
	'closes, valid_from, valid_to}], version}. Raises SB404';

CREATE FUNCTION appt_internal.operating_hours_of(hours jsonb, client text)
	RETURNS SETOF appt.operating_hours
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind CONSTANT appt_internal.resource
		:= appt_internal.resource_of('operating_hours');
	place integer := 0;
	field text;
	sentence text;
	item jsonb;
BEGIN
	IF jsonb_typeof(hours) IS DISTINCT FROM 'array'
		OR jsonb_array_length(hours) > 200
	THEN
		PERFORM appt_internal.refuse_member('operating_hours',
			'It is a list of at most 200 hours.');
	END IF;
	FOR item IN SELECT jsonb_array_elements(hours) LOOP
		IF jsonb_typeof(item) <> 'object' THEN
			PERFORM appt_internal.refuse_member(
				format('operating_hours[%s]', place), 'It is an object.');
		END IF;
		item := jsonb_strip_nulls(appt_internal.clean_members(item));
		BEGIN
			PERFORM appt_internal.check_members(kind, item, client);
			FOREACH field IN ARRAY '{weekday,opens,closes}'::text[] LOOP
				IF NOT item ? field THEN
					PERFORM appt_internal.refuse_member(field,
						'It is required.');
				END IF;
			END LOOP;
			PERFORM appt_internal.refuse_cast(kind, item);
		EXCEPTION WHEN SQLSTATE 'SB001' THEN
			GET STACKED DIAGNOSTICS field := COLUMN_NAME,
				sentence := PG_EXCEPTION_DETAIL;
			PERFORM appt_internal.refuse_member(
				format('operating_hours[%s].%s', place, field), sentence);
		END;
		RETURN NEXT jsonb_populate_record(NULL::appt.operating_hours,
			'{"valid_from": "-infinity", "valid_to": "infinity"}' || item);
		place := place + 1;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.operating_hours_of(jsonb, text) IS
	'The rows that a list of operating hours in JSON means. Raises SB001, '
	'which names the item';

CREATE FUNCTION appt_api.put_operating_hours(
	branch_id text,
	fields jsonb,
	expected_version integer,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	constraint_name text;
BEGIN
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.lock_row(appt_internal.resource_of('branch'), NULL,
		$1, expected_version, client);
	IF EXISTS (
		SELECT
		FROM (
			SELECT n.weekday, n.opens, n.closes, n.valid_from, n.valid_to
			FROM appt_internal.operating_hours_of(fields->'operating_hours',
				client) n) given
		FULL JOIN (
			SELECT o.weekday, o.opens, o.closes, o.valid_from, o.valid_to
			FROM appt.operating_hours o
			WHERE o.branch_id = $1) there
			USING (weekday, opens, closes, valid_from, valid_to)
		WHERE given IS NULL OR there IS NULL)
	THEN
		/* In between it has none, so that no session lies outside. */
		DELETE FROM appt.operating_hours o WHERE o.branch_id = $1;
		INSERT INTO appt.operating_hours
			(branch_id, weekday, opens, closes, valid_from, valid_to)
		SELECT $1, n.weekday, n.opens, n.closes, n.valid_from, n.valid_to
		FROM appt_internal.operating_hours_of(fields->'operating_hours',
			client) n;
	END IF;
	RETURN appt_api.get_operating_hours($1, client);
EXCEPTION WHEN integrity_constraint_violation THEN
	GET STACKED DIAGNOSTICS constraint_name := CONSTRAINT_NAME;
	PERFORM appt_internal.refuse_constraint(SQLSTATE, constraint_name,
		fields);
	RAISE;
END
$$;

COMMENT ON FUNCTION appt_api.put_operating_hours IS
	'Puts the list operating_hours in place of a branch''s: an empty one makes '
	'it open whenever sessions say so. Raises SB404, SBF01, SBP01, SB001, and '
	'SB964 where sessions would lie outside';
