/* ---------------------------------------------------------------------------
 * The one way in which a row of appt_internal.resource is listed, shown, made,
 * changed and deleted as JSON.  A member that is null goes back to its column's
 * default; a member that is not given stays.
 *
 * A row's JSON is appt_internal.<resource>_json(row, client).  Errors: SB001
 * (bad member), SB404 and SBU01 (unknown id in the path, in the body), SB960
 * (already exists), SB961 (in use), SBF01 (concerns other branches too), SBP01
 * (another version), SB950 and SBU02 (the idempotency key).
 * ------------------------------------------------------------------------ */

/* --- rows -------------------------------------------------------------- */

CREATE FUNCTION appt_internal.resource_of(name text)
	RETURNS appt_internal.resource
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r FROM appt_internal.resource r WHERE r.name = $1
$$;

COMMENT ON FUNCTION appt_internal.resource_of(
	text) IS 'A row of appt_internal.resource';

CREATE FUNCTION appt_internal.require_parent(
	kind appt_internal.resource,
	parent_id text,
	client text)
	RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent appt_internal.resource;
	there boolean;
BEGIN
	IF kind.parent IS NULL THEN
		RETURN;
	END IF;
	parent := appt_internal.resource_of(replace(kind.parent, '_id', ''));
	EXECUTE format('SELECT true FROM appt.%I t%s WHERE t.%I = $2 AND %s',
		parent.name, parent.beside, parent.key, parent.seen)
		INTO there USING client, parent_id;
	IF there IS NULL THEN
		PERFORM appt_internal.refuse_id(parent.name, parent_id, parent.key,
			'SB404');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_parent(appt_internal.resource, text,
	text) IS
	'Raises SB404 unless the doctor or branch that the path gives exists and '
	'the client may see it';

CREATE FUNCTION appt_internal.check_version(
	object text,
	id text,
	version integer,
	expected_version integer)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF version <> expected_version THEN
		RAISE EXCEPTION '% "%" has version %, not %', object, id, version,
			expected_version
			USING ERRCODE = 'SBP01';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_version(text, text, integer, integer) IS
	'Refuses a change of what has been changed since it was read: raises '
	'SBP01. expected_version NULL: any';

CREATE FUNCTION appt_internal.lock_row(
	kind appt_internal.resource,
	parent_id text,
	id text,
	expected_version integer,
	client text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	EXECUTE format(
		'SELECT t.version, %s AS managed FROM appt.%I t%s '
		'WHERE t.%I::text = $3 AND %s AND %s FOR NO KEY UPDATE OF t',
		kind.managed, kind.name, kind.beside, kind.key, kind.owned, kind.seen)
		INTO found USING client, parent_id, id;

	IF found.version IS NULL THEN
		PERFORM appt_internal.refuse_id(kind.name, id,
			regexp_replace(kind.key, '_no$', '_id'), 'SB404');
	ELSIF NOT found.managed THEN
		PERFORM appt_internal.refuse_elsewhere(kind.name, id);
	END IF;
	PERFORM appt_internal.check_version(replace(kind.name, '_', ' '), id,
		found.version, expected_version);
END
$$;

COMMENT ON FUNCTION appt_internal.lock_row(appt_internal.resource, text, text,
	integer, text) IS
	'Locks a row that is to be changed. expected_version NULL: any. Raises '
	'SB404, SBF01, SBP01';

CREATE FUNCTION appt_internal.refuse_elsewhere(object text, id text)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION '% "%" concerns other branches too',
		replace(object, '_', ' '), id
		USING ERRCODE = 'SBF01',
			DETAIL = 'This concerns branches beyond those that the client is '
				'limited to.';
END
$$;

COMMENT ON FUNCTION appt_internal.refuse_elsewhere(text, text) IS
	'Raises SBF01: a client limited to some branches cannot change this';

CREATE FUNCTION appt_internal.insert_row(
	kind appt_internal.resource,
	members jsonb,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	/* A null goes back to the default; one inside of a member's value stays. */
	given jsonb := (
		SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}')
		FROM jsonb_each(appt_internal.clean_members(members)) m
		WHERE m.value <> 'null');
	columns text;
	answer appt_api.answer;
	managed boolean;
	constraint_name text;
	column_name text;
BEGIN
	PERFORM appt_internal.check_members(kind, given, client);
	SELECT string_agg(quote_ident(k), ', ' ORDER BY k) INTO columns
	FROM jsonb_object_keys(given) k;

	EXECUTE format(
		'INSERT INTO appt.%1$I AS t %6$s '
		'SELECT %2$s FROM jsonb_populate_record(NULL::appt.%1$I, $2) '
		'RETURNING appt_internal.%3$I(t, $1), t.version, t.%4$I, %5$s',
		kind.name, columns, kind.name || '_json', kind.key, kind.managed,
		'(' || columns || ')')
		INTO answer.body, answer.version, answer.id, managed
		USING client, given;
	IF NOT managed THEN
		PERFORM appt_internal.refuse_elsewhere(kind.name, answer.id);
	END IF;
	RETURN answer;
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
	GET STACKED DIAGNOSTICS constraint_name := CONSTRAINT_NAME,
		column_name := COLUMN_NAME;
	PERFORM appt_internal.explain_refusal(kind, given, SQLSTATE,
		constraint_name, column_name);
	RAISE;
END
$$;

COMMENT ON FUNCTION appt_internal.insert_row(appt_internal.resource, jsonb,
	text) IS
	'Makes a row of the members that are not null. Raises SB001, SBU01, SB960, '
	'SBF01';

CREATE FUNCTION appt_internal.update_row(
	kind appt_internal.resource,
	id text,
	members jsonb,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	changes text;
	answer appt_api.answer;
	constraint_name text;
	column_name text;
BEGIN
	IF members ? kind.key THEN
		PERFORM appt_internal.refuse_member(kind.key, 'An id never changes.');
	END IF;
	members := appt_internal.clean_members(members);
	PERFORM appt_internal.check_members(kind, members, client);
	SELECT string_agg(format(CASE WHEN m.value = 'null' THEN '%I = DEFAULT'
		ELSE '%1$I = p.%1$I' END, m.key), ', ') INTO changes
	FROM jsonb_each(members) m;

	IF changes IS NOT NULL THEN
		EXECUTE format(
			'UPDATE appt.%1$I t SET %2$s '
			'FROM jsonb_populate_record(NULL::appt.%1$I, $1) p '
			'WHERE t.%3$I::text = $2', kind.name, changes, kind.key)
			USING members, id;
	END IF;
	EXECUTE format(
		'SELECT appt_internal.%I(t, $1), t.version, NULL, NULL FROM appt.%I t '
		'WHERE t.%I::text = $2', kind.name || '_json', kind.name, kind.key)
		INTO answer USING client, id;
	RETURN answer;
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
	GET STACKED DIAGNOSTICS constraint_name := CONSTRAINT_NAME,
		column_name := COLUMN_NAME;
	PERFORM appt_internal.explain_refusal(kind, members, SQLSTATE,
		constraint_name, column_name);
	RAISE;
END
$$;

COMMENT ON FUNCTION appt_internal.update_row(appt_internal.resource, text,
	jsonb, text) IS
	'Changes the members that are given, null to the default, of a row that '
	'the caller has locked. Raises SB001, SBU01, SB960';

/* --- idempotency keys -------------------------------------------------- */

CREATE FUNCTION appt_internal.kept_answer(
	client text,
	route text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answer appt_api.answer;
BEGIN
	PERFORM appt_internal.require_client(client);
	SELECT k.body, k.version, k.id, k.replayed INTO answer
	FROM appt_internal.idempotency_begin(client, route, idempotency_key,
		request_hash) k;
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_internal.kept_answer(text, text, text, text) IS
	'appt_internal.idempotency_begin for an API client, as an answer: replayed '
	'says that it is one. Raises SBT01';

CREATE FUNCTION appt_internal.keep_answer(
	answer appt_api.answer,
	client text,
	route text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.idempotency_finish(client, route, idempotency_key,
		request_hash, answer.id, answer.version, answer.body);
	answer.replayed := false;
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_internal.keep_answer(appt_api.answer, text, text, text,
	text)
	IS
	'Keeps a new answer for its key, and returns it';

/* --- what the functions of appt_api call ------------------------------- */

CREATE FUNCTION appt_internal.list_rows(
	resource text,
	parent_id text,
	filter jsonb,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of(resource);
	size integer := coalesce(per_page, 20);
	wanted CONSTANT jsonb := jsonb_strip_nulls(coalesce(filter, '{}'));
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.check_scope(filter->>'branch_id', NULL, client,
		'SB404');
	PERFORM appt_internal.require_parent(kind, parent_id, client);
	PERFORM appt_internal.check_dates(date_from, date_to);
	EXECUTE format(
		'SELECT ''['' || coalesce(string_agg(%s, '','' ORDER BY place)'
		'  FILTER (WHERE place > $6 AND place <= $6 + $7), '''') || '']'','
		' count(*)'
		' FROM ('
		'  SELECT t AS t, %s AS w, row_number() OVER (ORDER BY %s) AS place'
		'  FROM appt.%I t%s'
		'  WHERE %s AND %s AND %s AND %s) found',
		kind.shown, CASE WHEN kind.beside = '' THEN 'NULL' ELSE 'w' END,
		kind.sort, kind.name, kind.beside, kind.owned, kind.seen,
		CASE WHEN wanted = '{}' THEN 'true' ELSE kind.facts || ' @> $3' END,
		CASE WHEN date_from IS NULL AND date_to IS NULL THEN 'true'
			ELSE kind.dates || ' && daterange($4, $5, ''[]'')' END)
		INTO result
		USING client, parent_id, wanted, date_from, date_to,
			(coalesce(page, 1) - 1)::bigint * size, size;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_internal.list_rows(text, text, jsonb, date, date,
	integer, integer, text) IS
	'A page of the rows that the client sees; parent_id: of that doctor or '
	'branch; filter: columns with the values that they must have, null for '
	'any; date_from to date_to: those that touch these local dates. Raises '
	'SB001, SB404';

CREATE FUNCTION appt_internal.get_row(
	resource text,
	parent_id text,
	id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of(resource);
	answer appt_api.answer;
BEGIN
	PERFORM appt_internal.require_client(client);
	EXECUTE format(
		'SELECT %s, t.version, NULL, NULL FROM appt.%I t%s '
		'WHERE t.%I::text = $3 AND %s AND %s',
		kind.shown, kind.name, kind.beside, kind.key, kind.owned, kind.seen)
		INTO answer USING client, parent_id, id;
	IF answer.body IS NULL THEN
		PERFORM appt_internal.refuse_id(kind.name, id,
			regexp_replace(kind.key, '_no$', '_id'), 'SB404');
	END IF;
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_internal.get_row(text, text, text, text) IS
	'One row that the client sees. Raises SB404';

CREATE FUNCTION appt_internal.create_row(
	resource text,
	parent_id text,
	members jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of(resource);
	route text := 'POST ' || resource;
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.require_parent(kind, parent_id, client);
	IF kind.parent IS NOT NULL THEN
		members := members || jsonb_build_object(kind.parent, parent_id);
		/* A session's branch is locked before its doctor. */
		IF kind.parent = 'doctor_id' THEN
			PERFORM FROM appt.branch b
			WHERE b.branch_id = members->>'branch_id' FOR SHARE;
		END IF;
		/*
		 * The parent's row is locked first, so that two rows that exclude each
		 * other do not deadlock in their constraint.
		 */
		EXECUTE format('SELECT FROM appt.%I t WHERE t.%I = $1 '
			'FOR NO KEY UPDATE', replace(kind.parent, '_id', ''), kind.parent)
			USING parent_id;
	END IF;
	RETURN appt_internal.keep_answer(
		appt_internal.insert_row(kind, members, client), client,
		route, idempotency_key, request_hash);
END
$$;

COMMENT ON FUNCTION appt_internal.create_row(text, text, jsonb, text, text,
	text) IS
	'Makes a row. Raises SB001, SB404 (parent_id), SBU01, SB960, SBF01, SB950, '
	'SBU02';

CREATE FUNCTION appt_internal.change_row(
	resource text,
	parent_id text,
	id text,
	members jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of(resource);
	route text := 'PATCH ' || resource;
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.lock_row(kind, parent_id, id, expected_version,
		client);
	RETURN appt_internal.keep_answer(
		appt_internal.update_row(kind, id, members, client), client,
		route, idempotency_key, request_hash);
END
$$;

COMMENT ON FUNCTION appt_internal.change_row(text, text, text, jsonb, integer,
	text, text, text) IS
	'Changes the members that are given. Raises SB001, SB404, SBU01, SB960, '
	'SBF01, SBP01, SB950, SBU02';

CREATE FUNCTION appt_internal.delete_row(
	resource text,
	parent_id text,
	id text,
	expected_version integer,
	client text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind appt_internal.resource := appt_internal.resource_of(resource);
	used boolean;
BEGIN
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.lock_row(kind, parent_id, id, expected_version,
		client);
	/* A hold that has ended and waits for its sweep is no use of the row. */
	PERFORM appt_internal.sweep_holds(NULL);
	EXECUTE format('SELECT %s FROM appt.%I t WHERE t.%I::text = $1',
		kind.used, kind.name, kind.key) INTO used USING id;
	IF NOT used THEN
		EXECUTE format('DELETE FROM appt.%I t WHERE t.%I::text = $1',
			kind.name, kind.key) USING id;
		RETURN NULL;
	END IF;
	RAISE foreign_key_violation;
EXCEPTION WHEN foreign_key_violation OR SQLSTATE 'SB961' THEN
	RAISE EXCEPTION '% "%" is in use', replace(resource, '_', ' '), id
		USING ERRCODE = 'SB961',
			DETAIL = 'Something refers to it, such as an appointment. Set '
				'"active" to false instead.';
END
$$;

COMMENT ON FUNCTION appt_internal.delete_row(text, text, text, integer, text) IS
	'Deletes a row and answers NULL. Raises SB404, SBF01, SBP01, and SB961 '
	'where appointments, patients, API clients or webhooks refer to it';
