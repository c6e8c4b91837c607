/* ---------------------------------------------------------------------------
 * What the gateway asks when somebody signs in, and at every call that comes
 * with a sign-in's cookie.
 *
 * The gateway compares passwords and codes itself, with libcrypt and liboath;
 * what it compared with stands in the call that follows, and is compared once
 * more under the row's lock.  So a password that changes meanwhile, and a code
 * that is used twice at once, are good for nothing.
 *
 * As with access tokens (client/access_token.sql), the clock is the real one.
 * ------------------------------------------------------------------------ */

INSERT INTO appt.setting_definition
	(name, kind, default_value, min_value, max_value, description)
VALUES
	('staff_idle_min', 'integer', '30', 5, 480,
		'Minutes after which a person who does nothing is signed out'),
	('staff_sign_in_hours', 'integer', '12', 1, 24,
		'Hours after which a person must sign in again, whatever he does'),
	('totp_roles', 'text', 'none', NULL, NULL,
		'Roles of staff that need a one-time code beside the password, '
		'separated by commas: admin, reception, doctor; or none');

CREATE FUNCTION appt_internal.staff_setting(name text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(s.value, d.default_value)
	FROM appt.setting_definition d
	LEFT JOIN appt.setting s ON s.name = d.name
		AND s.branch_id IS NULL AND s.doctor_id IS NULL
	WHERE d.name = $1
$$;

COMMENT ON FUNCTION appt_internal.staff_setting(text) IS
	'A setting that is for the whole clinic alone';

CREATE FUNCTION appt_internal.staff_setting_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.branch_id IS NOT NULL OR NEW.doctor_id IS NOT NULL THEN
		RAISE EXCEPTION 'setting "%" is for the whole clinic', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'name';
	ELSIF NEW.name = 'totp_roles' AND NEW.value
		!~ '^(none|(admin|reception|doctor)(, *(admin|reception|doctor))*)$'
	THEN
		RAISE EXCEPTION 'value "%" of setting "totp_roles" is not a list of '
			'roles', NEW.value
			USING ERRCODE = 'SB001', COLUMN = 'value',
				DETAIL = 'It is none, or roles of admin, reception and doctor '
					'with commas between them.';
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.staff_setting_check() IS
	'Row trigger: settings of sign-ins are for the whole clinic; raises SB001';

CREATE TRIGGER staff_setting_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW WHEN (NEW.name IN ('staff_idle_min', 'staff_sign_in_hours',
		'totp_roles'))
	EXECUTE FUNCTION appt_internal.staff_setting_check();

CREATE FUNCTION appt_internal.needs_totp(role text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT $1 = ANY (regexp_split_to_array(
		appt_internal.staff_setting('totp_roles'), ', *'))
$$;

COMMENT ON FUNCTION appt_internal.needs_totp(text) IS
	'Whether that role signs in with a one-time code only (setting '
	'totp_roles)';

CREATE FUNCTION appt_internal.sign_in_json(
	staff appt.staff,
	sign_in appt.staff_sign_in)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'staff_id', ($1).staff_id,
		'account', ($1).account,
		'name', ($1).name,
		'role', ($1).role,
		'scopes', CASE
			WHEN appt_internal.needs_totp(($1).role)
				AND ($1).totp_secret IS NULL THEN '{}'
			ELSE appt_internal.role_scopes(($1).role) END,
		'branch_ids', ($1).branch_ids,
		'doctor_id', ($1).doctor_id,
		'department_ids', ($1).department_ids,
		'language', ($1).language,
		'email', ($1).email,
		'idle_timeout_min', i.idle_min,
		'expires_at', appt_internal.json_time(($2).expires_at, 'UTC'),
		'idle_expires_at', appt_internal.json_time(least(($2).expires_at,
			($2).last_used_at + make_interval(mins => i.idle_min)), 'UTC'),
		'totp_enrolled', ($1).totp_secret IS NOT NULL,
		'totp_required', appt_internal.needs_totp(($1).role),
		'recovery_codes_left', (
			SELECT count(*)
			FROM appt.staff_recovery_code c
			WHERE c.staff_id = ($1).staff_id),
		'sign_in_id', ($2).sign_in_id)::text
	FROM (SELECT appt_internal.staff_setting(
		'staff_idle_min')::integer AS idle_min) i
$$;

COMMENT ON FUNCTION appt_internal.sign_in_json(appt.staff, appt.staff_sign_in)
	IS
	'Who is signed in, and until when; without a one-time code where the role '
	'needs one, with no scope';

CREATE FUNCTION appt_internal.sign_in_of(token_sha256 text)
	RETURNS appt.staff_sign_in
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT i.*
	FROM appt.staff_sign_in i
	JOIN appt.staff s ON s.staff_id = i.staff_id AND s.active
	WHERE i.token_hash = decode($1, 'hex')
		AND i.expires_at > clock_timestamp()
		AND i.last_used_at > clock_timestamp() - make_interval(mins =>
			appt_internal.staff_setting('staff_idle_min')::integer)
$$;

COMMENT ON FUNCTION appt_internal.sign_in_of(text) IS
	'The sign-in whose cookie has that SHA-256 (hex), if it has not ended';

CREATE FUNCTION appt_internal.staff_of(sign_in appt.staff_sign_in)
	RETURNS appt.staff
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.*
	FROM appt.staff s
	WHERE s.staff_id = ($1).staff_id
$$;

COMMENT ON FUNCTION appt_internal.staff_of(appt.staff_sign_in) IS
	'Whose sign-in it is';

/* --- signing in ------------------------------- */

CREATE FUNCTION appt_api.sign_in_credentials(
	account text,
	address text,
	OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'staff_id', s.staff_id,
		'password_hash', s.password_hash,
		'totp_secret', encode(s.totp_secret, 'hex'),
		'known_address', EXISTS (
			SELECT
			FROM appt.staff_audit a
			WHERE a.account = s.account
				AND a.action = 'signed_in'
				AND a.address = $2::inet
				AND a.at > clock_timestamp() - interval '30 days'))::text
	FROM appt.staff s
	WHERE s.account = lower($1)
		AND s.active
		AND s.password_hash IS NOT NULL
$$;

COMMENT ON FUNCTION appt_api.sign_in_credentials(text, text) IS
	'{staff_id, password_hash, totp_secret (hex, or null), known_address: '
	'whether that person signed in from there in the last 30 days} of an '
	'account that may sign in, otherwise NULL';

CREATE FUNCTION appt_api.sign_in(
	staff_id text,
	password_hash text,
	totp_step bigint,
	recovery_sha256 text,
	token_sha256 text,
	address text,
	user_agent text,
	known_browser boolean DEFAULT true,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who appt.staff;
	made appt.staff_sign_in;
	is_first boolean;
BEGIN
	SELECT * INTO who
	FROM appt.staff AS s
	WHERE s.staff_id = sign_in.staff_id
		AND s.active
		AND s.password_hash = sign_in.password_hash
	FOR NO KEY UPDATE;
	IF who.staff_id IS NULL THEN
		RETURN;
	ELSIF who.totp_secret IS NULL THEN
		NULL;
	ELSIF recovery_sha256 IS NOT NULL THEN
		DELETE FROM appt.staff_recovery_code AS c
		WHERE c.staff_id = who.staff_id
			AND c.code_hash = decode(recovery_sha256, 'hex');
		IF NOT FOUND THEN
			RETURN;
		END IF;
		INSERT INTO appt.staff_audit (account, action, actor, address)
		VALUES (who.account, 'recovery_code_used', 'staff:' || who.account,
			sign_in.address::inet);
	ELSIF totp_step > coalesce(who.totp_step, 0) THEN
		NULL;
	ELSE
		RETURN;
	END IF;

	is_first := who.last_sign_in_at IS NULL;
	UPDATE appt.staff AS s
	SET totp_step = coalesce(sign_in.totp_step, s.totp_step),
		last_sign_in_at = clock_timestamp()
	WHERE s.staff_id = who.staff_id
	RETURNING s.* INTO who;
	/* Nobody has more than fifty browsers; what has ended goes, too. */
	DELETE FROM appt.staff_sign_in AS i
	WHERE i.staff_id = who.staff_id
		AND (i.expires_at < clock_timestamp()
			OR i.sign_in_id IN (
				SELECT o.sign_in_id
				FROM appt.staff_sign_in AS o
				WHERE o.staff_id = who.staff_id
				ORDER BY o.last_used_at DESC
				OFFSET 49));
	INSERT INTO appt.staff_sign_in AS i
		(sign_in_id, staff_id, token_hash, expires_at, address, user_agent)
	VALUES (appt_internal.new_id('sgn'), who.staff_id,
		decode(token_sha256, 'hex'),
		clock_timestamp() + make_interval(hours =>
			appt_internal.staff_setting('staff_sign_in_hours')::integer),
		sign_in.address::inet, left(sign_in.user_agent, 300))
	RETURNING i.* INTO made;
	INSERT INTO appt.staff_audit (account, action, actor, address)
	VALUES (who.account, 'signed_in', 'staff:' || who.account,
		sign_in.address::inet);
	IF NOT known_browser AND NOT is_first THEN
		PERFORM appt_internal.note_new_device(who, sign_in.address::inet,
			sign_in.user_agent);
	END IF;
	body := appt_internal.sign_in_json(who, made);
END
$$;

COMMENT ON FUNCTION appt_api.sign_in(text, text, bigint, text, text, text,
	text, boolean) IS
	'Signs in whose password, hashed so, and one-time code, of that time step '
	'(as appt_api.confirm_totp), or recovery code, with that SHA-256, the '
	'gateway has found right; a code is good once. The cookie is to have that '
	'SHA-256. known_browser: it has signed in to the account before; of '
	'another the person is told, but at the first sign-in. NULL: it is '
	'not so any more, or the code was used';

CREATE FUNCTION appt_api.signed_in(
	token_sha256 text,
	uses boolean,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
BEGIN
	IF found.sign_in_id IS NULL THEN
		RETURN;
	ELSIF uses AND found.last_used_at < clock_timestamp() - interval '1 minute'
	THEN
		UPDATE appt.staff_sign_in AS i
		SET last_used_at = clock_timestamp()
		WHERE i.sign_in_id = found.sign_in_id
			AND i.last_used_at = found.last_used_at
		RETURNING i.last_used_at INTO found.last_used_at;
	END IF;
	body := appt_internal.sign_in_json(appt_internal.staff_of(found), found);
END
$$;

COMMENT ON FUNCTION appt_api.signed_in(text, boolean) IS
	'Who is signed in with a cookie of that SHA-256 (hex); uses: it is a call '
	'that counts as use, which is noted once a minute. NULL: nobody any more';

CREATE FUNCTION appt_api.sign_out(token_sha256 text, OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ended appt.staff_sign_in;
BEGIN
	DELETE FROM appt.staff_sign_in AS i
	WHERE i.token_hash = decode(token_sha256, 'hex')
	RETURNING i.* INTO ended;
	INSERT INTO appt.staff_audit (account, action, actor, address)
	SELECT s.account, 'signed_out', 'staff:' || s.account, ended.address
	FROM appt.staff AS s
	WHERE s.staff_id = ended.staff_id;
END
$$;

COMMENT ON FUNCTION appt_api.sign_out(text) IS
	'Ends the sign-in whose cookie has that SHA-256 (hex), if there is one';

/* --- one's own password and second factor ------------------------------- */

CREATE FUNCTION appt_api.own_credentials(token_sha256 text, OUT body text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'staff_id', s.staff_id,
		'account', s.account,
		'password_hash', s.password_hash,
		'totp_pending', encode(s.totp_pending, 'hex'))::text
	FROM appt_internal.sign_in_of($1) AS i
	JOIN appt.staff AS s ON s.staff_id = i.staff_id
$$;

COMMENT ON FUNCTION appt_api.own_credentials(text) IS
	'{staff_id, account, password_hash, totp_pending (hex, or null)} of who is '
	'signed in with a cookie of that SHA-256 (hex); NULL: nobody';

CREATE FUNCTION appt_api.set_own_password(
	token_sha256 text,
	old_hash text,
	new_hash text,
	new_token_sha256 text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
	who appt.staff;
BEGIN
	PERFORM appt_internal.act_for('staff:' || found.staff_id);
	UPDATE appt.staff AS s
	SET password_hash = new_hash
	WHERE s.staff_id = found.staff_id
		AND s.password_hash = old_hash
	RETURNING s.* INTO who;
	IF who.staff_id IS NULL THEN
		RETURN;
	END IF;
	/* The trigger has ended all of them, this one too. */
	found.token_hash := decode(new_token_sha256, 'hex');
	found.last_used_at := clock_timestamp();
	INSERT INTO appt.staff_sign_in SELECT found.*;
	body := appt_internal.sign_in_json(who, found);
END
$$;

COMMENT ON FUNCTION appt_api.set_own_password(text, text, text, text) IS
	'Gives who is signed in another password, signs that person out everywhere '
	'else, and has the cookie replaced by one of that SHA-256. NULL: the old '
	'password, or the sign-in, is not that any more';

CREATE FUNCTION appt_api.set_own_email(
	token_sha256 text,
	old_hash text,
	email text,
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
	who appt.staff;
BEGIN
	PERFORM appt_internal.act_for('staff:' || found.staff_id);
	UPDATE appt.staff AS s
	SET email = appt_internal.staff_email(set_own_email.email)
	WHERE s.staff_id = found.staff_id
		AND s.password_hash = old_hash
	RETURNING s.* INTO who;
	IF who.staff_id IS NOT NULL THEN
		body := appt_internal.sign_in_json(who, found);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.set_own_email(text, text, text) IS
	'Where who is signed in is told of sign-ins from new devices; NULL: '
	'nowhere. No body: the password, or the sign-in, is not that any more. '
	'Raises SB001 (email)';

CREATE FUNCTION appt_internal.set_recovery_codes(
	staff_id text,
	recovery_sha256 text[])
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM appt.staff_recovery_code AS c
	WHERE c.staff_id = set_recovery_codes.staff_id;
	INSERT INTO appt.staff_recovery_code (staff_id, code_hash)
	SELECT set_recovery_codes.staff_id, decode(c.hash, 'hex')
	FROM unnest(recovery_sha256) AS c (hash);
END
$$;

COMMENT ON FUNCTION appt_internal.set_recovery_codes(text, text[]) IS
	'Puts the recovery codes with those SHA-256 (hex) in the place of all that '
	'the person has; the caller has the lock of the person''s row, which is '
	'what a sign-in by one of them waits for';

CREATE FUNCTION appt_api.begin_totp(token_sha256 text, OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
	who appt.staff;
BEGIN
	SELECT * INTO who
	FROM appt.staff AS s
	WHERE s.staff_id = found.staff_id
	FOR NO KEY UPDATE;
	IF who.staff_id IS NULL THEN
		RETURN;
	ELSIF who.totp_secret IS NOT NULL THEN
		RAISE EXCEPTION 'there are one-time codes already'
			USING ERRCODE = 'SB930',
				DETAIL = 'Somebody who manages staff can reset them.';
	END IF;
	UPDATE appt.staff AS s
	SET totp_pending = substr(sha256(uuid_send(gen_random_uuid())
		|| uuid_send(gen_random_uuid())), 1, 20)
	WHERE s.staff_id = who.staff_id
	RETURNING s.* INTO who;
	body := json_build_object(
		'account', who.account,
		'secret', encode(who.totp_pending, 'hex'))::text;
END
$$;

COMMENT ON FUNCTION appt_api.begin_totp(text) IS
	'{account, secret (hex)}: a new key for one-time codes, which counts once '
	'a code of it came. NULL: nobody is signed in so. Raises SB930';

CREATE FUNCTION appt_api.confirm_totp(
	token_sha256 text,
	secret_sha256 text,
	totp_step bigint,
	recovery_sha256 text[],
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	own appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
BEGIN
	PERFORM appt_internal.act_for('staff:' || own.staff_id);
	UPDATE appt.staff AS s
	SET totp_secret = s.totp_pending,
		totp_pending = NULL,
		totp_step = confirm_totp.totp_step
	WHERE s.staff_id = own.staff_id
		AND s.totp_secret IS NULL
		AND sha256(convert_to(encode(s.totp_pending, 'hex'), 'UTF8'))
			= decode(secret_sha256, 'hex');
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM appt_internal.set_recovery_codes(own.staff_id, recovery_sha256);
	body := json_build_object('staff_id', own.staff_id)::text;
END
$$;

COMMENT ON FUNCTION appt_api.confirm_totp(text, text, bigint, text[]) IS
	'From now on the key that was begun, whose hex form has that SHA-256, '
	'counts: a code of that time step (of 30 seconds since 1970: RFC 6238) was '
	'right. The hashes are those of the new recovery codes. NULL: there is no '
	'such key, or nobody is signed in so';

CREATE FUNCTION appt_api.renew_recovery_codes(
	token_sha256 text,
	old_hash text,
	recovery_sha256 text[],
	OUT body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	own appt.staff_sign_in := appt_internal.sign_in_of(token_sha256);
	who appt.staff;
BEGIN
	SELECT * INTO who
	FROM appt.staff AS s
	WHERE s.staff_id = own.staff_id
		AND s.password_hash = old_hash
	FOR NO KEY UPDATE;
	IF who.staff_id IS NULL THEN
		RETURN;
	ELSIF who.totp_secret IS NULL THEN
		RAISE EXCEPTION 'there are no one-time codes'
			USING ERRCODE = 'SB930',
				DETAIL = 'Recovery codes stand for one-time codes, which come '
					'first.';
	END IF;
	PERFORM appt_internal.set_recovery_codes(who.staff_id, recovery_sha256);
	INSERT INTO appt.staff_audit (account, action, actor, address)
	VALUES (who.account, 'recovery_codes_renewed', 'staff:' || who.account,
		own.address);
	body := json_build_object('staff_id', who.staff_id)::text;
END
$$;

COMMENT ON FUNCTION appt_api.renew_recovery_codes(text, text, text[]) IS
	'Gives who is signed in, with a password hashed so, recovery codes with '
	'those SHA-256 (hex); the ones of before end. NULL: the password, or the '
	'sign-in, is not that any more. Raises SB930: there are no one-time codes';

/* --- what has served its time ------------------------------- */

CREATE FUNCTION appt_internal.sweep_sign_ins(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	idle CONSTANT interval := make_interval(mins =>
		appt_internal.staff_setting('staff_idle_min')::integer);
	swept bigint;
BEGIN
	DELETE FROM appt.staff_sign_in AS i
	WHERE i.sign_in_id = ANY (ARRAY(
		SELECT o.sign_in_id
		FROM appt.staff_sign_in AS o
		WHERE o.expires_at < clock_timestamp()
			OR o.last_used_at < clock_timestamp() - idle
		LIMIT batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_sign_ins(integer) IS
	'Deletes sign-ins that have ended, at most batch of them (NULL: all), but '
	'for those that somebody is at; returns how many';

CREATE FUNCTION appt_internal.sweep_staff_audit(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept CONSTANT interval := make_interval(days => coalesce(
		nullif(current_setting('bioecko_appt.client_audit_days', true), ''),
		'365')::integer);
	swept bigint;
BEGIN
	DELETE FROM appt.staff_audit AS a
	WHERE a.staff_audit_no = ANY (ARRAY(
			SELECT o.staff_audit_no
			FROM appt.staff_audit AS o
			ORDER BY o.staff_audit_no
			LIMIT batch))
		AND a.at < clock_timestamp() - kept;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_staff_audit(integer) IS
	'Deletes entries of the audit trail of staff that are older than '
	'bioecko_appt.client_audit_days, among the first batch of them (NULL: '
	'all); returns how many';
