/* ---------------------------------------------------------------------------
 * The keys that links in messages are signed with, and where these lead to.
 *
 * One key signs. Those before it still verify until the last link that they
 * can have signed has ended. Nobody is granted anything on the table: the
 * functions that sign and verify read it.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.link_key (
	link_key_no integer GENERATED ALWAYS AS IDENTITY,
	secret bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT appt.clock(),
	good_until timestamptz,
	CONSTRAINT link_key_pkey PRIMARY KEY (link_key_no),
	CONSTRAINT link_key_secret_length CHECK (octet_length(secret) = 32)
);

CREATE UNIQUE INDEX link_key_current ON appt.link_key ((true))
	WHERE good_until IS NULL;

COMMENT ON TABLE appt.link_key IS
	'Keys of the links in messages: appt.rotate_link_key() makes a new one';
COMMENT ON COLUMN appt.link_key.link_key_no IS 'Number of the key';
COMMENT ON COLUMN appt.link_key.secret IS
	'Key of HMAC-SHA256, 32 random bytes: read by the extension alone';
COMMENT ON COLUMN appt.link_key.good_until IS
	'Until when a former key verifies; NULL: it is the one that signs';
COMMENT ON INDEX appt.link_key_current IS 'One key signs';

CREATE FUNCTION appt.rotate_link_key(keep_former boolean DEFAULT true)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made integer;
BEGIN
	LOCK TABLE appt.link_key IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM appt.link_key k
	WHERE keep_former IS NOT TRUE OR k.good_until <= appt.clock();

	UPDATE appt.link_key k
	SET good_until = greatest(appt.clock(), (
		SELECT max(a.slot_end)
		FROM appt.appointment a
		WHERE a.status <> 'held'), (
		SELECT max(o.expires_at)
		FROM appt.waitlist_offer o))
	WHERE k.good_until IS NULL;

	/* gen_random_uuid has 122 random bits: three of them fill a key. */
	INSERT INTO appt.link_key AS k (secret)
	VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
		|| uuid_send(gen_random_uuid())))
	RETURNING k.link_key_no INTO made;
	RETURN made;
END
$$;

COMMENT ON FUNCTION appt.rotate_link_key(boolean) IS
	'Makes a new key for links in messages and returns its number. Links that '
	'were sent stay good to their end; with keep_former false, where a key may '
	'have become known, none that was sent before is good any more';

/* --- where links lead to ------------------------------------------------- */

INSERT INTO appt.setting_definition (name, kind, default_value, description)
VALUES ('public_url', 'text', 'none',
	'Where patients reach the gateway, as https://visits.clinic.example; none: '
	'messages have no links');

CREATE FUNCTION appt_internal.public_url_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.branch_id IS NOT NULL OR NEW.doctor_id IS NOT NULL THEN
		RAISE EXCEPTION 'setting "%" is for the whole clinic', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'name';
	ELSIF NEW.value <> 'none' AND (length(NEW.value) > 200
		OR NEW.value !~ ('^(https://[A-Za-z0-9.-]+'
			'|http://(localhost|127\.0\.0\.1|\[::1\]))'
			'(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$'))
	THEN
		RAISE EXCEPTION 'value "%" of setting "%" is wrong', NEW.value,
			NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'value',
				DETAIL = 'It is none, or an address such as '
					'https://visits.clinic.example, without a slash at its '
					'end; http leads to this machine alone.';
	END IF;
	/* A restore (see appt_in_restore in trigger.c) brings the keys along. */
	IF NEW.value <> 'none'
		AND current_setting('check_function_bodies') <> 'off'
		AND NOT EXISTS (SELECT FROM appt.link_key)
	THEN
		PERFORM appt.rotate_link_key();
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.public_url_check() IS
	'Row trigger: refuses what is no address for links, or not for the whole '
	'clinic (SB001), and makes the first key when there is an address';

CREATE TRIGGER public_url_check
	BEFORE INSERT OR UPDATE ON appt.setting
	FOR EACH ROW WHEN (NEW.name = 'public_url')
	EXECUTE FUNCTION appt_internal.public_url_check();
