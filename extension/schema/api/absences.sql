/* ---------------------------------------------------------------------------
 * Time off and closures as JSON.  Given by instants (starts_at, ends_at) or as
 * whole local days (date_from to date_to, both inclusive).  Over existing
 * bookings they are refused (SB962) unless displace says cancel or move.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.absence_span(members jsonb, time_zones text[])
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	field text;
	first_day date;
	next_day date;
BEGIN
	IF NOT members ?| ARRAY['date_from', 'date_to'] THEN
		RETURN members;
	ELSIF members ?| ARRAY['starts_at', 'ends_at'] THEN
		PERFORM appt_internal.refuse_member('date_from',
			'Give either whole days (date_from, date_to) or instants '
			'(starts_at, ends_at).');
	END IF;

	FOREACH field IN ARRAY ARRAY['date_from', 'date_to'] LOOP
		IF NOT appt_internal.has_form('date',
			coalesce(members->>field, '')) THEN
			PERFORM appt_internal.refuse_member(field,
				appt_internal.form_of('date'));
		END IF;
	END LOOP;
	field := 'date_from';
	first_day := (members->>'date_from')::date;
	field := 'date_to';
	/* RFC 3339 ends with the year 9999; who writes that means for good. */
	next_day := least((members->>'date_to')::date, '9999-12-30') + 1;
	IF next_day <= first_day THEN
		PERFORM appt_internal.refuse_member('date_to',
			'The last day cannot be before the first.');
	END IF;
	RETURN members - 'date_from' - 'date_to' || (
		SELECT jsonb_build_object(
			'starts_at', min(appt_internal.instant(first_day, '00:00', z.name)),
			'ends_at', max(appt_internal.instant(next_day, '00:00', z.name)))
		FROM unnest(time_zones) AS z (name));
EXCEPTION WHEN datetime_field_overflow THEN
	PERFORM appt_internal.refuse_member(field, appt_internal.form_of('date'));
END
$$;

COMMENT ON FUNCTION appt_internal.absence_span(jsonb, text[]) IS
	'Turns date_from and date_to among the members into starts_at and ends_at: '
	'the instants that cover these whole days in each of the time zones. '
	'Raises SB001';

CREATE FUNCTION appt_internal.absence_zones(resource text, parent_id text)
	RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		array_agg(DISTINCT appt_internal.known_zone(b.time_zone)),
		ARRAY[appt_internal.doctor_zone($2)])
	FROM appt.branch b
	WHERE b.branch_id = ANY (CASE $1
		WHEN 'closure' THEN ARRAY[$2]
		ELSE appt_internal.doctor_branches($2) END)
$$;

COMMENT ON FUNCTION appt_internal.absence_zones(text, text) IS
	'The time zones in which whole days are meant: of the branch (closure), or '
	'of all branches where the doctor works (time_off)';

CREATE FUNCTION appt_internal.insert_absence(
	kind appt_internal.resource,
	parent_id text,
	members jsonb,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given jsonb := members - 'displace';
	span appt.time_off;
	answer appt_api.answer;
	managed boolean;
	id text;
	displaced integer;
	constraint_name text;
	column_name text;
BEGIN
	PERFORM appt_internal.check_members(kind, given, client);
	/* Before the row is judged: SB962 would list other branches' visits. */
	EXECUTE format('SELECT %s FROM jsonb_populate_record(NULL::appt.%I, $2) t',
		kind.managed, kind.name)
		INTO managed USING client, jsonb_build_object(kind.parent, parent_id);
	IF NOT managed THEN
		PERFORM appt_internal.refuse_elsewhere(replace(kind.parent, '_id', ''),
			parent_id);
	END IF;

	span := jsonb_populate_record(span, given);
	SELECT p.absence_no, p.displaced INTO id, displaced
	FROM appt_internal.put_absence(kind.name = 'closure', parent_id,
		span.starts_at,
		span.ends_at, span.reason, members->>'displace', client) p;
	answer := appt_internal.get_row(kind.name, parent_id, id, client);
	answer.id := id;
	answer.body := left(answer.body, -1)
		|| format(', "displaced" : %s}', displaced);
	RETURN answer;
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
	GET STACKED DIAGNOSTICS constraint_name := CONSTRAINT_NAME,
		column_name := COLUMN_NAME;
	PERFORM appt_internal.explain_refusal(kind, given, SQLSTATE,
		constraint_name, column_name);
	RAISE;
END
$$;

COMMENT ON FUNCTION appt_internal.insert_absence(appt_internal.resource, text,
	jsonb, text) IS
	'Makes time off or a closure and displaces what lies in it, if asked to; '
	'the answer says how many. Raises SB001, SB962, SBF01';

CREATE FUNCTION appt_internal.create_absence(
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
	members := appt_internal.absence_span(members,
		appt_internal.absence_zones(resource, parent_id));
	RETURN appt_internal.keep_answer(
		appt_internal.insert_absence(kind, parent_id, members, client),
		client, route, idempotency_key, request_hash);
END
$$;

COMMENT ON FUNCTION appt_internal.create_absence(text, text, jsonb, text, text,
	text) IS
	'As appt_internal.create_row, for time off and closures. Raises SB962 too';

CREATE FUNCTION appt_internal.absence_time(instant timestamptz, time_zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN appt_internal.json_time(
	greatest(timestamptz '0001-01-02 00:00+00',
		least(timestamptz '9999-12-31 00:00+00', instant)),
	time_zone);

COMMENT ON FUNCTION appt_internal.absence_time(timestamptz, text) IS
	'appt_internal.json_time, with the first or last day that RFC 3339 can '
	'write in place of what lies beyond: in SQL time off may last until '
	'infinity';

CREATE FUNCTION appt_internal.absence_json(t appt.time_off, time_zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'time_off_id', t.time_off_no::text,
		'doctor_id', t.doctor_id,
		'starts_at', appt_internal.absence_time(t.starts_at, time_zone),
		'ends_at', appt_internal.absence_time(t.ends_at, time_zone),
		'reason', t.reason,
		'version', t.version,
		'created_at', appt_internal.json_time(t.created_at, time_zone))::text
$$;

COMMENT ON FUNCTION appt_internal.absence_json(appt.time_off, text) IS
	'Time off as it is shown, in that time zone';

CREATE FUNCTION appt_internal.time_off_json(t appt.time_off, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.absence_json(t, appt_internal.doctor_zone(t.doctor_id))
$$;

COMMENT ON FUNCTION appt_internal.time_off_json IS 'Time off as it is shown';

CREATE FUNCTION appt_api.list_time_off(
	doctor_id text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
	'time_off', doctor_id, NULL, date_from, date_to, page, per_page, client);

COMMENT ON FUNCTION appt_api.list_time_off IS
	'A page of the time off of a doctor, of what touches the local dates from '
	'date_from to date_to. Raises SB001, SB404';

CREATE FUNCTION appt_api.get_time_off(
	doctor_id text,
	time_off_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('time_off', doctor_id, time_off_id, client);

COMMENT ON FUNCTION appt_api.get_time_off IS
	'One time off of a doctor. Raises SB404';

CREATE FUNCTION appt_api.create_time_off(
	doctor_id text,
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_absence(
	'time_off', doctor_id, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_time_off IS
	'Makes time off: starts_at and ends_at, or date_from and date_to; reason; '
	'displace (refuse, cancel or move). Raises SB404, SB001, SB962, SBF01, '
	'SB950, SBU02';

CREATE FUNCTION appt_api.update_time_off(
	doctor_id text,
	time_off_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'time_off', doctor_id, time_off_id,
	appt_internal.absence_span(changes,
		appt_internal.absence_zones('time_off', doctor_id)),
	expected_version, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_time_off IS
	'Changes time off; never displaces. Raises SB404, SB001, SB962, SBF01, '
	'SBP01, SB950, SBU02';

CREATE FUNCTION appt_api.delete_time_off(
	doctor_id text,
	time_off_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'time_off', doctor_id, time_off_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_time_off IS
	'Takes time off back. Raises SB404, SBF01, SBP01';

CREATE FUNCTION appt_internal.absence_json(t appt.closure, time_zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'closure_id', t.closure_no::text,
		'branch_id', t.branch_id,
		'starts_at', appt_internal.absence_time(t.starts_at, time_zone),
		'ends_at', appt_internal.absence_time(t.ends_at, time_zone),
		'reason', t.reason,
		'version', t.version,
		'created_at', appt_internal.json_time(t.created_at, time_zone))::text
$$;

COMMENT ON FUNCTION appt_internal.absence_json(appt.closure, text) IS
	'A closure as it is shown, in that time zone';

CREATE FUNCTION appt_internal.closure_json(t appt.closure, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.absence_json(t, appt_internal.branch_zone(t.branch_id))
$$;

COMMENT ON FUNCTION appt_internal.closure_json IS 'A closure as it is shown';

CREATE FUNCTION appt_api.list_closures(
	branch_id text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.list_rows(
	'closure', branch_id, NULL, date_from, date_to, page, per_page, client);

COMMENT ON FUNCTION appt_api.list_closures IS
	'A page of the closures of a branch, of what touches the local dates from '
	'date_from to date_to. Raises SB001, SB404';

CREATE FUNCTION appt_api.get_closure(
	branch_id text,
	closure_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.get_row('closure', branch_id, closure_id, client);

COMMENT ON FUNCTION appt_api.get_closure IS
	'One closure of a branch. Raises SB404';

CREATE FUNCTION appt_api.create_closure(
	branch_id text,
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.create_absence(
	'closure', branch_id, fields, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.create_closure IS
	'Makes a closure: starts_at and ends_at, or date_from and date_to; '
	'reason; displace (refuse, cancel or move). Raises SB404, SB001, SB962, '
	'SB950, SBU02';

CREATE FUNCTION appt_api.update_closure(
	branch_id text,
	closure_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.change_row(
	'closure', branch_id, closure_id,
	appt_internal.absence_span(changes,
		appt_internal.absence_zones('closure', branch_id)),
	expected_version, client, idempotency_key, request_hash);

COMMENT ON FUNCTION appt_api.update_closure IS
	'Changes a closure; never displaces. Raises SB404, SB001, SB962, SBP01, '
	'SB950, SBU02';

CREATE FUNCTION appt_api.delete_closure(
	branch_id text,
	closure_id text,
	expected_version integer,
	client text,
	OUT body text)
	RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.delete_row(
	'closure', branch_id, closure_id, expected_version, client);

COMMENT ON FUNCTION appt_api.delete_closure IS
	'Takes a closure back. Raises SB404, SBP01';
