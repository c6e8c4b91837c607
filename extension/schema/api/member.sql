/* ---------------------------------------------------------------------------
 * The members of a request's body for a row of appt_internal.resource: what
 * form each must have, and what is wrong where one has not.  Whatever refuses
 * names the member.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.form_of(type text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN type LIKE '%slot_minutes' THEN
		'It is a whole number of minutes from 5 to 480.'
	WHEN type LIKE '%minutes' THEN
		'It is a whole number of minutes from 0 to 240.'
	WHEN type IN ('smallint', 'integer') THEN 'It is a whole number.'
	WHEN type = 'boolean' THEN 'It is true or false.'
	WHEN type = 'date' THEN 'It is a date such as 2026-03-15.'
	WHEN type LIKE 'time without%' THEN
		'It is a wall-clock time such as 09:30; 24:00 is the day''s end.'
	WHEN type LIKE 'timestamp with %' THEN
		'It is a timestamp with an offset, such as 2026-03-15T10:00:00+05:30.'
	ELSE 'It is text of at most 500 characters, none of them a control one.'
END;

COMMENT ON FUNCTION appt_internal.form_of(text) IS
	'What a member of that type (as format_type names it) must look like';

CREATE FUNCTION appt_internal.has_form(type text, value text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN value IS NULL OR CASE
	WHEN type = 'date' THEN
		value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
	WHEN type LIKE 'time without%' THEN
		value ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
	WHEN type LIKE 'timestamp with %' THEN
		value ~ '^[0-9]{4}-[0-9-]+[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})$'
	WHEN type = 'text' THEN
		length(value) <= 500 AND value !~ '[\u0001-\u001f\u007f]'
	WHEN type = 'lines' THEN
		length(value) <= 500
		AND value !~ '[\u0001-\u0009\u000b-\u001f\u007f]'
	ELSE true
END;

COMMENT ON FUNCTION appt_internal.has_form(text, text) IS
	'Whether a member''s text can be of that type (lines: text of several): '
	'stricter than a cast, which takes words such as now for a time';

CREATE FUNCTION appt_internal.refuse_member(field text, sentence text)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	/* A column of an object's, as the caller knows it. */
	field := regexp_replace(field,
		'^(address|insurance|emergency_contact)_', '\1.');
	RAISE EXCEPTION 'member "%" is not as it must be', field
		USING ERRCODE = 'SB001', COLUMN = field, DETAIL = sentence;
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_member(text, text) IS
	'Raises SB001 for a member, with a sentence';

CREATE FUNCTION appt_internal.refuse_id(object text, id text, field text,
	state text)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION '% "%" does not exist', replace(object, '_', ' '), id
		USING ERRCODE = state, COLUMN = field;
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_id(text, text, text, text) IS
	'Raises state (SB404 for an id in the path, SBU01 for one in the body): '
	'the object does not exist, or may not be seen';

CREATE FUNCTION appt_internal.check_scope(
	branch_id text,
	doctor_id text,
	client text,
	state text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
	PERFORM appt_internal.require_client(client);
	IF branch_id IS NOT NULL AND (appt_internal.branch_zone(branch_id) IS NULL
		OR NOT appt_internal.client_sees(client, branch_id))
	THEN
		PERFORM appt_internal.refuse_id('branch', branch_id, 'branch_id',
			state);
	ELSIF doctor_id IS NOT NULL AND (
		NOT EXISTS (SELECT FROM appt.doctor d WHERE d.doctor_id = doctor_id)
		OR NOT appt_internal.client_sees_doctor(client, doctor_id))
	THEN
		PERFORM appt_internal.refuse_id('doctor', doctor_id, 'doctor_id',
			state);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_scope(text, text, text, text) IS
	'Raises SBT01 unless the client is one, and state unless it sees the '
	'branch and the doctor (each may be NULL) that a call is about';

CREATE FUNCTION appt_internal.check_department(department_id text, state text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NOT NULL AND NOT EXISTS (
		SELECT FROM appt.department d WHERE d.department_id = $1)
	THEN
		PERFORM appt_internal.refuse_id('department', $1, 'department_id',
			state);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_department(text, text) IS
	'Raises state unless there is such a department; NULL is fine';

CREATE FUNCTION appt_internal.check_members(
	kind appt_internal.resource,
	members jsonb,
	client text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bad record;
	branch text := members->>'branch_id';
BEGIN
	SELECT m.key AS name,
		CASE WHEN m.key = ANY (kind.members) THEN appt_internal.form_of(t.type)
			ELSE 'It is not a member of this call.' END AS sentence
	INTO bad
	FROM jsonb_each_text(members) m
	LEFT JOIN pg_attribute a ON a.attname = m.key
		AND a.attrelid = format('appt.%I', kind.name)::regclass
	CROSS JOIN LATERAL (
		SELECT CASE WHEN m.key IN ('address', 'address_line1', 'reason')
			THEN 'lines'
			/* Its column says how long it may be, and in other words. */
			WHEN m.key IN ('secret', 'callback_secret') THEN 'secret'
			ELSE format_type(a.atttypid, a.atttypmod) END) t (type)
	WHERE m.key <> ALL (kind.members)
		OR NOT appt_internal.has_form(t.type, m.value)
	ORDER BY m.key
	LIMIT 1;

	IF FOUND THEN
		PERFORM appt_internal.refuse_member(bad.name, bad.sentence);
	ELSIF branch IS NOT NULL AND kind.key <> 'branch_id'
		AND (appt_internal.branch_zone(branch) IS NULL
			OR NOT appt_internal.client_sees(client, branch))
	THEN
		PERFORM appt_internal.refuse_id('branch', branch, 'branch_id', 'SBU01');
	ELSIF kind.key <> 'department_id' THEN
		PERFORM appt_internal.check_department(members->>'department_id',
			'SBU01');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_members(appt_internal.resource, jsonb,
	text) IS
	'Refuses members that the resource does not have or that have another '
	'form, a branch that the client does not see, and an unknown department. '
	'Raises SB001, SBU01';

CREATE FUNCTION appt_internal.refuse_cast(kind appt_internal.resource,
	members jsonb)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	member record;
BEGIN
	FOR member IN
		SELECT m.key, jsonb_build_object(m.key, m.value) AS alone,
			format_type(a.atttypid, a.atttypmod) AS type
		FROM jsonb_each(members) m
		JOIN pg_attribute a ON a.attname = m.key
			AND a.attrelid = format('appt.%I', kind.name)::regclass
		ORDER BY m.key
	LOOP
		BEGIN
			EXECUTE format(
				'SELECT FROM jsonb_populate_record(NULL::appt.%I, $1)',
				kind.name)
				USING member.alone;
		EXCEPTION WHEN data_exception OR check_violation THEN
			PERFORM appt_internal.refuse_member(member.key,
				appt_internal.form_of(member.type));
		END;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_cast(appt_internal.resource, jsonb) IS
	'Raises SB001 for the first member that cannot be of its column''s type; '
	'returns if all can';

CREATE FUNCTION appt_internal.refuse_constraint(
	state text,
	constraint_name text,
	members jsonb)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	said appt_internal.constraint_text;
	field text;
BEGIN
	SELECT * INTO said
	FROM appt_internal.constraint_text c
	WHERE c.name = constraint_name;

	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT f.name INTO field
	FROM unnest(string_to_array(said.fields, ' ')) WITH ORDINALITY
		AS f (name, place)
	ORDER BY members ? f.name DESC, f.place
	LIMIT 1;

	IF state = '23505' THEN
		RAISE EXCEPTION '% "%" is there already', field, members->>field
			USING ERRCODE = 'SB960', COLUMN = field, DETAIL = said.sentence;
	END IF;
	PERFORM appt_internal.refuse_member(field, said.sentence);
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_constraint(text, text, jsonb) IS
	'Says in the words of appt_internal.constraint_text that members break a '
	'constraint: SB960 for a unique one, else SB001; returns if there are no '
	'words for it';

CREATE FUNCTION appt_internal.explain_refusal(
	kind appt_internal.resource,
	members jsonb,
	state text,
	constraint_name text,
	column_name text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF state = '23502' THEN
		PERFORM appt_internal.refuse_member(column_name, 'It is required.');
	END IF;
	PERFORM appt_internal.refuse_constraint(state, constraint_name, members);
	PERFORM appt_internal.refuse_cast(kind, members);
END
$$;

COMMENT ON FUNCTION appt_internal.explain_refusal(appt_internal.resource, jsonb,
	text, text, text) IS
	'Raises SB001 or SB960 in place of the error that a table gave; returns '
	'if it has no words for it';
