/* ---------------------------------------------------------------------------
 * Staff: who signs in at the clinic's own pages.  A member of staff calls the
 * same functions as an API client, as "staff:<staff_id>", which no client's id
 * can be, with the scopes of a role.
 *
 * A password is kept as the gateway hashed it (yescrypt, crypt(5)).  It, and
 * the secret of the second factor, can be read by no role: the gateway gets
 * them from functions, for the account that somebody signs in to.
 *
 * An account that is deleted stays as an empty row, so that its name in the
 * history is never another person's.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.role_scopes(role text) RETURNS text[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE role
	WHEN 'admin' THEN appt_internal.all_scopes()
	WHEN 'reception' THEN ARRAY[
		'appointments:read', 'appointments:write', 'appointments:override',
		'patients:read', 'patients:write', 'schedule:read', 'reports:read']
	WHEN 'doctor' THEN ARRAY[
		'appointments:read', 'appointments:write', 'patients:read',
		'schedule:read']
END;

COMMENT ON FUNCTION appt_internal.role_scopes(text) IS
	'What a member of staff in that role may do; NULL: there is no such role';

CREATE TABLE appt.staff (
	staff_id text NOT NULL,
	account text NOT NULL,
	name text NOT NULL,
	role text NOT NULL,
	branch_ids text[],
	doctor_id text,
	department_ids text[],
	language text NOT NULL DEFAULT 'en',
	email text,
	active boolean NOT NULL DEFAULT true,
	password_hash text,
	totp_secret bytea,
	totp_pending bytea,
	totp_step bigint,
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	last_sign_in_at timestamptz,
	deleted_at timestamptz,
	CONSTRAINT staff_pkey PRIMARY KEY (staff_id),
	CONSTRAINT staff_id_format
		CHECK (staff_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,57}$'),
	CONSTRAINT staff_account_key UNIQUE (account),
	CONSTRAINT staff_account_format
		CHECK (account ~ '^[a-z0-9][a-z0-9._@+-]{0,63}$'),
	CONSTRAINT staff_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT staff_name_printable CHECK (length(name) <= 200
		AND name !~ '[\u0001-\u001f\u007f]'),
	CONSTRAINT staff_role_known
		CHECK (appt_internal.role_scopes(role) IS NOT NULL),
	CONSTRAINT staff_branch_ids_not_empty
		CHECK (cardinality(branch_ids) > 0),
	CONSTRAINT staff_doctor_id_of_role
		CHECK ((role = 'doctor') = (doctor_id IS NOT NULL)),
	CONSTRAINT staff_department_ids_not_empty
		CHECK (cardinality(department_ids) > 0),
	CONSTRAINT staff_department_ids_of_role
		CHECK (role <> 'admin' OR department_ids IS NULL),
	CONSTRAINT staff_doctor_fkey FOREIGN KEY (doctor_id)
		REFERENCES appt.doctor ON UPDATE CASCADE,
	CONSTRAINT staff_language_format CHECK (length(language) <= 35
		AND language ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
	CONSTRAINT staff_email_format
		CHECK (appt_internal.is_address(email)),
	CONSTRAINT staff_password_hash_crypt
		CHECK (password_hash ~ '^\$[!-~]+$'
			AND length(password_hash) <= 384),
	CONSTRAINT staff_totp_secret_length
		CHECK (octet_length(totp_secret) = 20
			AND octet_length(totp_pending) = 20),
	CONSTRAINT staff_deleted_is_empty CHECK (deleted_at IS NULL
		OR NOT active AND password_hash IS NULL AND totp_secret IS NULL
			AND email IS NULL)
);

COMMENT ON TABLE appt.staff IS
	'Who signs in at the clinic''s pages. appt.create_staff makes one; name, '
	'role, branch_ids, doctor_id, department_ids, language, email and active '
	'are plain columns to update';
COMMENT ON COLUMN appt.staff.staff_id IS 'Id of the member of staff';
COMMENT ON COLUMN appt.staff.account IS
	'What is typed to sign in, in small letters; shown in the history as '
	'staff:<account>, and never given to another person';
COMMENT ON COLUMN appt.staff.role IS
	'admin: all; reception: appointments, patients, reports; doctor: the own '
	'appointments, queue and patients alone, or the departments''';
COMMENT ON COLUMN appt.staff.branch_ids IS
	'Only these branches exist for this person; NULL: all';
COMMENT ON COLUMN appt.staff.doctor_id IS
	'Which doctor it is: for role doctor, and for no other';
COMMENT ON COLUMN appt.staff.department_ids IS
	'Only appointments, queues, slots and reports of the doctors of these '
	'departments exist for this person, and of the own ones; NULL: role '
	'doctor the own, all others everybody''s. Not for role admin';
COMMENT ON COLUMN appt.staff.language IS
	'Language of the pages, a language tag (BCP 47)';
COMMENT ON COLUMN appt.staff.email IS
	'Where the person is told of a sign-in from a new device; NULL: nowhere';
COMMENT ON COLUMN appt.staff.active IS
	'false: cannot sign in, and is signed out everywhere';
COMMENT ON COLUMN appt.staff.password_hash IS
	'The password as crypt(5) has it, by yescrypt; NULL: none, and nobody '
	'signs in';
COMMENT ON COLUMN appt.staff.totp_secret IS
	'Key of the one-time codes (RFC 6238); NULL: signs in without';
COMMENT ON COLUMN appt.staff.totp_pending IS
	'A key that was shown and not confirmed by a code yet';
COMMENT ON COLUMN appt.staff.totp_step IS
	'Time step of the last code that was used: none up to it is good again';
COMMENT ON COLUMN appt.staff.version IS
	'Rises by one with every change; the ETag over HTTP';
COMMENT ON COLUMN appt.staff.last_sign_in_at IS 'When this person last signed '
	'in';
COMMENT ON COLUMN appt.staff.deleted_at IS
	'When the account was deleted; the row keeps its name from being used '
	'again';

CREATE TABLE appt.staff_recovery_code (
	staff_id text NOT NULL,
	code_hash bytea NOT NULL,
	CONSTRAINT staff_recovery_code_pkey PRIMARY KEY (staff_id, code_hash),
	CONSTRAINT staff_recovery_code_staff_fkey FOREIGN KEY (staff_id)
		REFERENCES appt.staff ON DELETE CASCADE,
	CONSTRAINT staff_recovery_code_hash_sha256
		CHECK (octet_length(code_hash) = 32)
);

COMMENT ON TABLE appt.staff_recovery_code IS
	'Codes that stand for a one-time code where the telephone is lost; each '
	'is deleted when it is used';
COMMENT ON COLUMN appt.staff_recovery_code.staff_id IS 'Whose it is';
COMMENT ON COLUMN appt.staff_recovery_code.code_hash IS
	'SHA-256 of the code, which is 80 random bits, shown once';

CREATE TABLE appt.staff_sign_in (
	sign_in_id text NOT NULL,
	staff_id text NOT NULL,
	token_hash bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_used_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	expires_at timestamptz NOT NULL,
	address inet,
	user_agent text,
	CONSTRAINT staff_sign_in_pkey PRIMARY KEY (sign_in_id),
	CONSTRAINT staff_sign_in_token_hash_key UNIQUE (token_hash),
	CONSTRAINT staff_sign_in_staff_fkey FOREIGN KEY (staff_id)
		REFERENCES appt.staff ON DELETE CASCADE,
	CONSTRAINT staff_sign_in_token_hash_sha256
		CHECK (octet_length(token_hash) = 32),
	CONSTRAINT staff_sign_in_user_agent_length
		CHECK (length(user_agent) <= 300)
);

CREATE INDEX staff_sign_in_staff ON appt.staff_sign_in (staff_id);

COMMENT ON TABLE appt.staff_sign_in IS
	'Who is signed in, and where. To delete a row signs out. Not part of a '
	'dump';
COMMENT ON COLUMN appt.staff_sign_in.sign_in_id IS 'Id of the sign-in';
COMMENT ON COLUMN appt.staff_sign_in.staff_id IS 'Who';
COMMENT ON COLUMN appt.staff_sign_in.token_hash IS
	'SHA-256 of what the browser''s cookie has';
COMMENT ON COLUMN appt.staff_sign_in.last_used_at IS
	'When the last call came, to the minute; unused for staff_idle_min (a '
	'setting) it ends';
COMMENT ON COLUMN appt.staff_sign_in.expires_at IS
	'When it ends, however it is used';
COMMENT ON COLUMN appt.staff_sign_in.address IS
	'From which address the person signed in';
COMMENT ON COLUMN appt.staff_sign_in.user_agent IS
	'What the browser says of itself';

CREATE TABLE appt.staff_audit (
	staff_audit_no bigint GENERATED ALWAYS AS IDENTITY,
	account text NOT NULL,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	action text NOT NULL,
	actor text NOT NULL,
	address inet,
	detail text,
	CONSTRAINT staff_audit_pkey PRIMARY KEY (staff_audit_no),
	CONSTRAINT staff_audit_action_known CHECK (action IN
		('created', 'updated', 'deleted', 'password_set', 'totp_enrolled',
		 'totp_reset', 'signed_in', 'new_device', 'signed_out',
		 'recovery_code_used', 'recovery_codes_renewed'))
);

CREATE INDEX staff_audit_account ON appt.staff_audit (account, at);

COMMENT ON TABLE appt.staff_audit IS
	'What was done to and with each account of staff; survives the account. '
	'Kept for bioecko_appt.client_audit_days';
COMMENT ON COLUMN appt.staff_audit.staff_audit_no IS 'Number of the entry';
COMMENT ON COLUMN appt.staff_audit.account IS 'The account';
COMMENT ON COLUMN appt.staff_audit.at IS 'When';
COMMENT ON COLUMN appt.staff_audit.action IS
	'created, updated, deleted, password_set, totp_enrolled, totp_reset, '
	'signed_in, new_device (by a browser that had not signed in to the '
	'account, beside signed_in), signed_out, recovery_code_used, '
	'recovery_codes_renewed';
COMMENT ON COLUMN appt.staff_audit.actor IS
	'Who: staff:<account> or client:<id> over HTTP, otherwise role:<name>, as '
	'in appt.history';
COMMENT ON COLUMN appt.staff_audit.address IS
	'From which address, for what a person does';
COMMENT ON COLUMN appt.staff_audit.detail IS
	'The columns that changed; of a new device the browser';

/* --- what changes of a row set off --------------------------------------- */

CREATE FUNCTION appt_internal.staff_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.version := OLD.version + 1;
	NEW.updated_at := clock_timestamp();
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.staff_changed() IS
	'Row trigger: counts the version of what is shown of an account';

CREATE TRIGGER staff_changed
	BEFORE UPDATE OF name, role, branch_ids, doctor_id, department_ids,
		language, email, active, password_hash, totp_secret, deleted_at
	ON appt.staff
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.staff_changed();

CREATE FUNCTION appt_internal.staff_audit() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	actor CONSTANT text := appt_internal.client_actor();
	changed text;
BEGIN
	SELECT string_agg(n.key, ', ' ORDER BY n.key) INTO changed
	FROM jsonb_each(to_jsonb(NEW)) AS n
	JOIN jsonb_each(to_jsonb(OLD)) AS o ON o.key = n.key
	WHERE n.value <> o.value
		AND n.key IN ('name', 'role', 'branch_ids', 'doctor_id',
			'department_ids', 'language', 'email', 'active');
	INSERT INTO appt.staff_audit (account, action, actor, detail)
	SELECT NEW.account, a.action, actor, a.detail
	FROM (VALUES
		(1, 'deleted', NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL,
			NULL),
		(2, 'updated', changed IS NOT NULL AND NEW.deleted_at IS NULL,
			changed),
		(3, 'password_set', NEW.password_hash <> coalesce(OLD.password_hash,
			''), NULL),
		(4, 'totp_enrolled', NEW.totp_secret <> coalesce(OLD.totp_secret, ''),
			NULL),
		(5, 'totp_reset', OLD.totp_secret IS NOT NULL
			AND NEW.totp_secret IS NULL AND NEW.deleted_at IS NULL, NULL)
	) AS a (place, action, is_so, detail)
	WHERE a.is_so
	ORDER BY a.place;

	IF NEW.password_hash IS DISTINCT FROM OLD.password_hash
		OR NEW.role <> OLD.role
		OR NEW.active <> OLD.active
	THEN
		DELETE FROM appt.staff_sign_in AS i WHERE i.staff_id = NEW.staff_id;
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.staff_audit() IS
	'Row trigger: writes the account''s audit trail, and signs the person out '
	'everywhere when password, role or active change';

CREATE TRIGGER staff_audit
	AFTER UPDATE OF name, role, branch_ids, doctor_id, department_ids,
		language, email, active, password_hash, totp_secret, deleted_at
	ON appt.staff
	FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
	EXECUTE FUNCTION appt_internal.staff_audit();

CREATE TRIGGER id_is_final
	BEFORE UPDATE OF staff_id ON appt.staff
	FOR EACH ROW WHEN (OLD.staff_id <> NEW.staff_id)
	EXECUTE FUNCTION appt_internal.id_is_final('staff_id');

CREATE TRIGGER account_is_final
	BEFORE UPDATE OF account ON appt.staff
	FOR EACH ROW WHEN (OLD.account <> NEW.account)
	EXECUTE FUNCTION appt_internal.id_is_final('account');

/* Sessions remember the rights of those who call. */
CREATE TRIGGER schedule_changed
	AFTER INSERT OR UPDATE OF branch_ids, doctor_id, department_ids, active
		OR DELETE OR TRUNCATE ON appt.staff
	FOR EACH STATEMENT EXECUTE FUNCTION appt_internal.schedule_changed();

/* --- for the DBA ------------------------------- */

CREATE FUNCTION appt_internal.staff_email(email text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	address CONSTANT text := nullif(btrim(email), '');
BEGIN
	IF NOT appt_internal.is_address(address) THEN
		RAISE EXCEPTION 'e-mail address "%" is wrong', address
			USING ERRCODE = 'SB001', COLUMN = 'email',
				DETAIL = 'It is an address such as asha@clinic.example.';
	END IF;
	RETURN address;
END
$$;

COMMENT ON FUNCTION appt_internal.staff_email(text) IS
	'The address without blanks around it; NULL: it is empty. Raises SB001 for '
	'what is no address that mail goes to';

CREATE FUNCTION appt_internal.check_department_ids(
	department_ids text[],
	role text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	unknown text;
BEGIN
	IF role = 'admin' AND department_ids IS NOT NULL THEN
		RAISE EXCEPTION 'department_ids does not fit the role'
			USING ERRCODE = 'SB001', COLUMN = 'department_ids',
				DETAIL = 'Role admin sees all departments.';
	ELSIF cardinality(department_ids) = 0 THEN
		RAISE EXCEPTION 'department_ids is empty'
			USING ERRCODE = 'SB001', COLUMN = 'department_ids',
				DETAIL = 'It names a department, or is null for no limit.';
	END IF;
	SELECT coalesce(i.id, 'null') INTO unknown
	FROM unnest(department_ids) AS i (id)
	WHERE NOT EXISTS (
		SELECT FROM appt.department d WHERE d.department_id = i.id)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'department "%" does not exist', unknown
			USING ERRCODE = 'SBU01', COLUMN = 'department_ids',
				DETAIL = format('Department "%s" does not exist.', unknown);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_department_ids(text[], text) IS
	'Raises SB001 for a role that has none and for an empty list, SBU01 when '
	'one of the departments does not exist; NULL is no limit';

CREATE FUNCTION appt.create_staff(
	account text,
	name text,
	role text,
	password_hash text,
	branch_ids text[] DEFAULT NULL,
	doctor_id text DEFAULT NULL,
	language text DEFAULT 'en',
	email text DEFAULT NULL,
	department_ids text[] DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made CONSTANT text := appt_internal.new_id('stf');
BEGIN
	IF appt_internal.role_scopes(role) IS NULL THEN
		RAISE EXCEPTION 'role "%" is not known', role
			USING ERRCODE = 'SB001', COLUMN = 'role',
				DETAIL = 'It is admin, reception or doctor.';
	ELSIF (role = 'doctor') <> (create_staff.doctor_id IS NOT NULL) THEN
		RAISE EXCEPTION 'doctor_id does not fit the role'
			USING ERRCODE = 'SB001', COLUMN = 'doctor_id',
				DETAIL = 'Role doctor needs a doctor_id, and no other has '
					'one.';
	ELSIF create_staff.doctor_id IS NOT NULL AND NOT EXISTS (
		SELECT FROM appt.doctor d WHERE d.doctor_id = create_staff.doctor_id)
	THEN
		RAISE EXCEPTION 'doctor "%" does not exist', create_staff.doctor_id
			USING ERRCODE = 'SBU01', COLUMN = 'doctor_id';
	END IF;
	PERFORM appt_internal.check_branch_ids(create_staff.branch_ids);
	PERFORM appt_internal.check_department_ids(create_staff.department_ids,
		create_staff.role);

	INSERT INTO appt.staff
		(staff_id, account, name, role, branch_ids, doctor_id, language,
		 password_hash, email, department_ids)
	VALUES
		(made, lower(create_staff.account), create_staff.name,
		 create_staff.role, create_staff.branch_ids, create_staff.doctor_id,
		 coalesce(create_staff.language, 'en'), create_staff.password_hash,
		 appt_internal.staff_email(create_staff.email),
		 create_staff.department_ids)
	ON CONFLICT ON CONSTRAINT staff_account_key DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'account "%" is there already', lower(account)
			USING ERRCODE = 'SB960', COLUMN = 'account',
				DETAIL = 'There is, or was, a person with this account.';
	END IF;
	INSERT INTO appt.staff_audit (account, action, actor)
	VALUES (lower(create_staff.account), 'created',
		appt_internal.client_actor());
	RETURN made;
END
$$;

COMMENT ON FUNCTION appt.create_staff(text, text, text, text, text[], text,
	text, text, text[]) IS
	'Makes an account of staff and returns its staff_id. role: admin, '
	'reception or doctor (with doctor_id); branch_ids: NULL for all; '
	'department_ids: NULL for a doctor''s own, all for others; password_hash: '
	'as mkpasswd -m yescrypt writes it. bioecko-gateway --new-admin asks for a '
	'password and calls this. Raises SB001 (role, doctor_id, department_ids, '
	'email), SBU01 (branch_ids, doctor_id, department_ids), SB960 (account)';

/* --- who asks ------------------------------- */

CREATE FUNCTION appt_internal.client_doctor(client text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 LIKE 'staff:%' THEN
		RETURN (
			SELECT s.doctor_id
			FROM appt.staff s
			WHERE s.staff_id = substr($1, 7));
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.client_doctor(text) IS
	'Which doctor the caller is; NULL: none. A doctor sees those patients '
	'alone who have an appointment that he sees';

CREATE FUNCTION appt_internal.client_doctor_nos(client text) RETURNS integer[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 LIKE 'staff:%' THEN
		RETURN (
			SELECT ARRAY(
				SELECT d.doctor_no
				FROM appt.doctor d
				WHERE d.doctor_id = s.doctor_id
					OR d.department_id = ANY (s.department_ids))
			FROM appt.staff s
			WHERE s.staff_id = substr($1, 7)
				AND num_nonnulls(s.doctor_id, s.department_ids) > 0);
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.client_doctor_nos(text) IS
	'The numbers of the doctors whose appointments alone the caller may see: '
	'the own and those of the departments; NULL: everyone''s';

CREATE FUNCTION appt_internal.client_doctors(client text) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nos CONSTANT integer[] := appt_internal.client_doctor_nos($1);
BEGIN
	IF nos IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN ARRAY(
		SELECT d.doctor_id
		FROM appt.doctor d
		WHERE d.doctor_no = ANY (nos));
END
$$;

COMMENT ON FUNCTION appt_internal.client_doctors(text) IS
	'The same doctors by their ids';

CREATE FUNCTION appt_internal.client_sees_visit(client text, branch_id text,
	doctor_no integer) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN appt_internal.client_sees(client, branch_id)
	AND (client NOT LIKE 'staff:%' OR coalesce(
		doctor_no = ANY (appt_internal.client_doctor_nos(client)), true));

COMMENT ON FUNCTION appt_internal.client_sees_visit(text, text, integer) IS
	'Whether an API client or a member of staff may see an appointment with '
	'that doctor at that branch';
