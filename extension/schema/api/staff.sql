/* ---------------------------------------------------------------------------
 * The JSON form of staff: what stands behind /staff.  As with API clients,
 * nobody gives what he does not have himself, and who is limited to branches
 * sees only staff within them.  Nobody changes his own rights, and the last
 * who can manage staff stays.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.staff_json(staff appt.staff) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'staff_id', (staff).staff_id,
		'account', (staff).account,
		'name', (staff).name,
		'role', (staff).role,
		'branch_ids', (staff).branch_ids,
		'doctor_id', (staff).doctor_id,
		'department_ids', (staff).department_ids,
		'language', (staff).language,
		'email', (staff).email,
		'active', (staff).active,
		'totp_enrolled', (staff).totp_secret IS NOT NULL,
		'version', (staff).version,
		'created_at', appt_internal.json_time((staff).created_at, 'UTC'),
		'updated_at', appt_internal.json_time((staff).updated_at, 'UTC'),
		'last_sign_in_at', appt_internal.json_time((staff).last_sign_in_at,
			'UTC'))::text
$$;

COMMENT ON FUNCTION appt_internal.staff_json(appt.staff) IS
	'A member of staff as shown, without a trace of password and codes';

CREATE FUNCTION appt_internal.may_see_staff(manager text, staff appt.staff)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (staff).deleted_at IS NULL
		AND (appt_internal.client_sees_all(manager)
			OR coalesce((staff).branch_ids
				<@ appt_internal.client_branches(manager), false))
$$;

COMMENT ON FUNCTION appt_internal.may_see_staff(text, appt.staff) IS
	'Whether "manager" may see a member of staff: where it is limited to '
	'branches, one whose branches are among them';

CREATE FUNCTION appt_internal.visible_staff(manager text, staff_id text)
	RETURNS appt.staff
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff;
BEGIN
	PERFORM appt_internal.require_client(manager);
	SELECT * INTO found
	FROM appt.staff AS s
	WHERE s.staff_id = visible_staff.staff_id
		AND appt_internal.may_see_staff(manager, s);
	IF found.staff_id IS NULL THEN
		PERFORM appt_internal.refuse_id('member of staff', staff_id,
			'staff_id', 'SB404');
	END IF;
	RETURN found;
END
$$;

COMMENT ON FUNCTION appt_internal.visible_staff(text, text) IS
	'The member of staff, where "manager" may see it. Raises SBT01, SB404';

CREATE FUNCTION appt_internal.manageable_staff(
	manager text,
	staff_id text,
	expected_version integer) RETURNS appt.staff
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff;
BEGIN
	/* One change at a time, so that two do not take the last admin away. */
	PERFORM pg_advisory_xact_lock(hashtextextended('appt.staff', 0));
	PERFORM FROM appt.staff AS s
	WHERE s.staff_id = manageable_staff.staff_id
	FOR NO KEY UPDATE;
	found := appt_internal.visible_staff(manager, staff_id);
	IF NOT coalesce(appt_internal.role_scopes(found.role)
		<@ appt_internal.client_scopes(manager), false)
	THEN
		RAISE EXCEPTION 'an account of role % cannot be changed', found.role
			USING ERRCODE = 'SBF01',
				DETAIL = 'That person may do what the caller may not.';
	END IF;
	PERFORM appt_internal.check_version('member of staff', staff_id,
		found.version, expected_version);
	RETURN found;
END
$$;

COMMENT ON FUNCTION appt_internal.manageable_staff(text, text, integer) IS
	'The member of staff, locked, where "manager" may change it: nobody '
	'changes who may do more. Raises SBT01, SB404, SBF01, SBP01';

CREATE FUNCTION appt_internal.require_staff_grantable(
	manager text,
	role text,
	branch_ids text[],
	doctor_id text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.check_scope(NULL, doctor_id, manager, 'SBU01');
	IF NOT coalesce(appt_internal.role_scopes(role)
		<@ appt_internal.client_scopes(manager), true)
	THEN
		RAISE EXCEPTION 'role "%" cannot be given', role
			USING ERRCODE = 'SB001', COLUMN = 'role',
				DETAIL = 'Nobody can give rights that he does not have.';
	ELSIF NOT (appt_internal.client_sees_all(manager)
		OR coalesce(branch_ids <@ appt_internal.client_branches(manager),
			false))
	THEN
		RAISE EXCEPTION 'branches beyond the caller''s own cannot be given'
			USING ERRCODE = 'SBU01', COLUMN = 'branch_ids',
				DETAIL = 'Who is limited to branches makes accounts within '
					'these only.';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_staff_grantable(text, text, text[],
	text) IS
	'Raises SB001 (role) or SBU01 (branch_ids, doctor_id) where "manager" may '
	'not give these, or does not see the doctor';

CREATE FUNCTION appt_internal.require_manager_left(except_id text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (
		SELECT
		FROM appt.staff AS s
		WHERE s.role = 'admin'
			AND s.active
			AND s.branch_ids IS NULL
			AND s.staff_id <> except_id)
	THEN
		RAISE EXCEPTION 'this is the last account of role admin'
			USING ERRCODE = 'SB961',
				DETAIL = 'Nobody would be left to manage staff of all '
					'branches. Give another account this role first.';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.require_manager_left(text) IS
	'Raises SB961 unless there is an active admin of all branches beside that '
	'one';

CREATE FUNCTION appt_api.list_staff(
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	SELECT count(*) INTO result.total
	FROM appt.staff AS s
	WHERE appt_internal.may_see_staff(client, s);
	SELECT format('[%s]', string_agg(appt_internal.staff_json(l.s), ','
		ORDER BY (l.s).account)) INTO result.body
	FROM (
		SELECT s
		FROM appt.staff AS s
		WHERE appt_internal.may_see_staff(client, s)
		ORDER BY s.account
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS l;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_staff(integer, integer, text) IS
	'The staff that the caller may see, by account, a page of them. Raises '
	'SB001';

CREATE FUNCTION appt_api.get_staff(staff_id text, client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff := appt_internal.visible_staff(client, staff_id);
BEGIN
	RETURN ROW(appt_internal.staff_json(found), found.version, NULL,
		NULL)::appt_api.answer;
END
$$;

COMMENT ON FUNCTION appt_api.get_staff(text, text) IS
	'One member of staff. Raises SB404';

CREATE FUNCTION appt_api.list_staff_audit(
	staff_id text,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found CONSTANT appt.staff :=
		appt_internal.visible_staff(client, staff_id);
	size CONSTANT integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	SELECT count(*) INTO result.total
	FROM (
		SELECT
		FROM appt.staff_audit AS a
		WHERE a.account = found.account
		LIMIT appt_internal.count_limit(page, size)) AS n;
	SELECT coalesce(json_agg(json_build_object(
			'at', appt_internal.json_time(l.at, 'UTC'),
			'action', l.action,
			'actor', l.actor,
			'address', host(l.address),
			'detail', l.detail)
		ORDER BY l.at DESC, l.staff_audit_no DESC), '[]')::text
	INTO result.body
	FROM (
		SELECT *
		FROM appt.staff_audit AS a
		WHERE a.account = found.account
		ORDER BY a.at DESC, a.staff_audit_no DESC
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS l;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_staff_audit(text, integer, integer, text) IS
	'What was done to and with an account of staff, newest first, a page of '
	'it. Raises SBT01, SB404, SB001';

CREATE FUNCTION appt_api.create_staff(
	account text,
	name text,
	role text,
	branch_ids text[],
	doctor_id text,
	language text,
	email text,
	department_ids text[],
	password text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made text;
	found appt.staff;
BEGIN
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.act_for(client);
	PERFORM appt_internal.require_staff_grantable(client, role, branch_ids,
		doctor_id);
	made := appt.create_staff(account, name, role, password, branch_ids,
		doctor_id, language, email, department_ids);
	found := appt_internal.visible_staff(client, made);
	RETURN ROW(appt_internal.staff_json(found), found.version, made,
		false)::appt_api.answer;
END
$$;

COMMENT ON FUNCTION appt_api.create_staff(text, text, text, text[], text, text,
	text, text[], text, text) IS
	'Makes an account of staff; password is its hash (crypt), which the '
	'gateway makes. Raises SB001 (role, doctor_id, department_ids, email), '
	'SBU01 (branch_ids, doctor_id, department_ids), SB960 (account)';

CREATE FUNCTION appt_api.update_staff(
	staff_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	route CONSTANT text := 'PATCH /staff/{staff_id}';
	answer appt_api.answer := appt_internal.kept_answer(client, route,
		idempotency_key, request_hash);
	found appt.staff;
	wanted appt.staff;
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.act_for(client);
	found := appt_internal.manageable_staff(client, staff_id,
		expected_version);
	wanted := jsonb_populate_record(found, changes);
	IF wanted.role <> 'doctor' AND NOT changes ? 'doctor_id' THEN
		wanted.doctor_id := NULL;
	END IF;
	IF wanted.role = 'admin' AND NOT changes ? 'department_ids' THEN
		wanted.department_ids := NULL;
	END IF;
	PERFORM appt_internal.require_staff_grantable(client, wanted.role,
		wanted.branch_ids, nullif(wanted.doctor_id, found.doctor_id));
	PERFORM appt_internal.check_branch_ids(wanted.branch_ids);
	PERFORM appt_internal.check_department_ids(wanted.department_ids,
		wanted.role);
	wanted.email := appt_internal.staff_email(wanted.email);
	IF (wanted.role = 'doctor') <> (wanted.doctor_id IS NOT NULL) THEN
		PERFORM appt_internal.refuse_member('doctor_id',
			'Role doctor needs one, and no other has one.');
	ELSIF client = 'staff:' || staff_id
		AND ROW(wanted.role, wanted.branch_ids, wanted.department_ids,
				wanted.active)
			IS DISTINCT FROM ROW(found.role, found.branch_ids,
				found.department_ids, found.active)
	THEN
		RAISE EXCEPTION 'one''s own rights cannot be changed'
			USING ERRCODE = 'SBF01',
				DETAIL = 'Somebody else who manages staff can do it.';
	END IF;
	IF found.role = 'admin' AND found.active AND found.branch_ids IS NULL
		AND (wanted.role <> 'admin' OR NOT wanted.active
			OR wanted.branch_ids IS NOT NULL)
	THEN
		PERFORM appt_internal.require_manager_left(staff_id);
	END IF;

	UPDATE appt.staff AS s
	SET name = wanted.name,
		role = wanted.role,
		branch_ids = wanted.branch_ids,
		doctor_id = wanted.doctor_id,
		department_ids = wanted.department_ids,
		language = wanted.language,
		email = wanted.email,
		active = wanted.active
	WHERE s.staff_id = found.staff_id
	RETURNING s.* INTO wanted;
	answer := ROW(appt_internal.staff_json(wanted), wanted.version, NULL,
		NULL)::appt_api.answer;
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.update_staff(text, jsonb, integer, text, text,
	text) IS
	'Changes the members that are in "changes": name, role, branch_ids, '
	'doctor_id, department_ids, language, email, active. A change of role or '
	'active signs the person out. Raises SB404, SBF01, SBP01, SB001, SBU01, '
	'SB961, SB950, SBU02';

CREATE FUNCTION appt_api.delete_staff(
	staff_id text,
	expected_version integer,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff;
BEGIN
	PERFORM appt_internal.act_for(client);
	found := appt_internal.manageable_staff(client, staff_id,
		expected_version);
	IF client = 'staff:' || staff_id THEN
		RAISE EXCEPTION 'one''s own account cannot be deleted'
			USING ERRCODE = 'SBF01',
				DETAIL = 'Somebody else who manages staff can do it.';
	ELSIF found.role = 'admin' AND found.active AND found.branch_ids IS NULL
	THEN
		PERFORM appt_internal.require_manager_left(staff_id);
	END IF;
	DELETE FROM appt.staff_recovery_code AS c
	WHERE c.staff_id = found.staff_id;
	UPDATE appt.staff AS s
	SET active = false,
		deleted_at = clock_timestamp(),
		email = NULL,
		password_hash = NULL,
		totp_secret = NULL,
		totp_pending = NULL
	WHERE s.staff_id = found.staff_id;
END
$$;

COMMENT ON FUNCTION appt_api.delete_staff(text, integer, text) IS
	'Deletes an account of staff and signs the person out; its name stays in '
	'the history, and taken. Raises SB404, SBF01, SBP01, SB961';

CREATE FUNCTION appt_api.set_staff_password(
	staff_id text,
	password text,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff;
BEGIN
	PERFORM appt_internal.act_for(client);
	found := appt_internal.manageable_staff(client, staff_id, NULL);
	UPDATE appt.staff AS s
	SET password_hash = set_staff_password.password
	WHERE s.staff_id = found.staff_id;
END
$$;

COMMENT ON FUNCTION appt_api.set_staff_password(text, text, text) IS
	'Gives a member of staff another password, of which this is the hash '
	'(crypt), and signs the person out. Raises SB404, SBF01';

CREATE FUNCTION appt_api.reset_staff_totp(
	staff_id text,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	route CONSTANT text := 'POST /staff/{staff_id}/reset-totp';
	answer appt_api.answer := appt_internal.kept_answer(client, route,
		idempotency_key, request_hash);
	found appt.staff;
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.act_for(client);
	found := appt_internal.manageable_staff(client, staff_id, NULL);
	DELETE FROM appt.staff_recovery_code AS c
	WHERE c.staff_id = found.staff_id;
	UPDATE appt.staff AS s
	SET totp_secret = NULL,
		totp_pending = NULL
	WHERE s.staff_id = found.staff_id
	RETURNING s.* INTO found;
	answer := ROW(appt_internal.staff_json(found), found.version, NULL,
		NULL)::appt_api.answer;
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.reset_staff_totp(text, text, text, text) IS
	'Takes the one-time codes of a member of staff away, whose telephone is '
	'lost. Raises SB404, SBF01, SB950, SBU02';

/* --- who is signed in ------------------------------- */

CREATE FUNCTION appt_api.list_sign_ins(
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
	idle CONSTANT interval := make_interval(mins =>
		appt_internal.staff_setting('staff_idle_min')::integer);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	WITH alive AS MATERIALIZED (
		SELECT i.*, s.account, s.name
		FROM appt.staff_sign_in AS i
		JOIN appt.staff AS s ON s.staff_id = i.staff_id
		WHERE i.expires_at > clock_timestamp()
			AND i.last_used_at > clock_timestamp() - idle
			AND appt_internal.may_see_staff(client, s)
	), shown AS (
		SELECT a.last_used_at, a.sign_in_id, json_build_object(
			'sign_in_id', a.sign_in_id,
			'staff_id', a.staff_id,
			'account', a.account,
			'name', a.name,
			'created_at', appt_internal.json_time(a.created_at, 'UTC'),
			'last_used_at', appt_internal.json_time(a.last_used_at, 'UTC'),
			'expires_at', appt_internal.json_time(a.expires_at, 'UTC'),
			'address', host(a.address),
			'user_agent', a.user_agent) AS line
		FROM alive AS a
		ORDER BY a.last_used_at DESC, a.sign_in_id
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size
	)
	SELECT coalesce((
			SELECT json_agg(h.line ORDER BY h.last_used_at DESC, h.sign_in_id)
			FROM shown AS h), '[]')::text,
		(SELECT count(*) FROM alive)
	INTO result;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_sign_ins(integer, integer, text) IS
	'Who is signed in, of the staff that the caller may see, last used first, '
	'a page of them. Raises SB001';

CREATE FUNCTION appt_api.end_sign_in(
	sign_in_id text,
	client text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner appt.staff;
BEGIN
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.act_for(client);
	SELECT s.* INTO owner
	FROM appt.staff_sign_in AS i
	JOIN appt.staff AS s ON s.staff_id = i.staff_id
	WHERE i.sign_in_id = end_sign_in.sign_in_id
		AND appt_internal.may_see_staff(client, s);
	IF owner.staff_id IS NULL THEN
		PERFORM appt_internal.refuse_id('sign-in', sign_in_id, 'sign_in_id',
			'SB404');
	END IF;
	owner := appt_internal.manageable_staff(client, owner.staff_id, NULL);
	DELETE FROM appt.staff_sign_in AS i
	WHERE i.sign_in_id = end_sign_in.sign_in_id;
	INSERT INTO appt.staff_audit (account, action, actor)
	VALUES (owner.account, 'signed_out', appt_internal.client_actor());
END
$$;

COMMENT ON FUNCTION appt_api.end_sign_in(text, text) IS
	'Signs a person out of one browser. Raises SB404, SBF01';
