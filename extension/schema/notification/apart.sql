/* ---------------------------------------------------------------------------
 * Messages of no appointment: tests of channels, mails to staff, and offers,
 * which are judged (offer.sql).  They are few; so they are claimed one by one,
 * of whatever channel, before all others.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.take_out_done() RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM appt.notification_apart t
	WHERE t.notification_no IN (
		SELECT q.notification_no
		FROM appt.notification_apart q
		WHERE NOT EXISTS (
			SELECT
			FROM appt.notification n
			WHERE n.notification_no = q.notification_no
				AND n.state IN ('due', 'sending'))
		FOR UPDATE OF q SKIP LOCKED)
$$;

COMMENT ON FUNCTION appt_internal.take_out_done() IS
	'Forgets messages of no appointment that wait no more';

CREATE FUNCTION appt_internal.apart_channel(n appt.notification)
	RETURNS appt.notification_channel
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c appt.notification_channel;
BEGIN
	SELECT t.* INTO c
	FROM appt.notification_channel t
	WHERE CASE n.event WHEN 'sign_in' THEN t.kind = 'email' AND t.active
		ELSE t.channel_no = n.channel_no END;
	RETURN c;
END
$$;

COMMENT ON FUNCTION appt_internal.apart_channel IS
	'By which channel a message of no appointment goes: the one that is '
	'tested, active or not, that was found for an offer, or the active one of '
	'e-mails. NULL: there is none';

CREATE FUNCTION appt_internal.apart_message(
	n appt.notification,
	c appt.notification_channel,
	staff_audit_no bigint)
	RETURNS appt_internal.message
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE n.event
		WHEN 'test' THEN appt_internal.test_message(n, c)
		WHEN 'waitlist_offer' THEN appt_internal.offer_message(n, c)
		ELSE appt_internal.sign_in_message(n, c, staff_audit_no) END;
END
$$;

COMMENT ON FUNCTION appt_internal.apart_message IS
	'What the relay needs to send a message of no appointment. Raises errors '
	'of class 22 for what cannot be written';

CREATE FUNCTION appt_internal.claim_apart(
	relay_no bigint,
	max_messages integer,
	lease interval,
	INOUT rooms jsonb,
	OUT messages appt_internal.message[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	waiting record;
	n appt.notification;
	c appt.notification_channel;
	m appt_internal.message;
	room integer;
	problem text;
BEGIN
	messages := '{}';
	IF NOT EXISTS (SELECT FROM appt.notification_apart) THEN
		RETURN;
	END IF;
	PERFORM appt_internal.take_out_done();
	FOR waiting IN
		SELECT l AS message, q.staff_audit_no
		FROM appt.notification_apart q
		JOIN appt.notification l ON l.notification_no = q.notification_no
			AND l.state = 'due'
			AND l.due_at <= clock_timestamp()
			AND (l.event = 'test'
				OR coalesce((rooms->>l.channel_no::text)::integer, 1) > 0)
		ORDER BY l.notification_no
		LIMIT max_messages
		FOR NO KEY UPDATE OF l SKIP LOCKED
	LOOP
		n := waiting.message;
		IF n.event = 'waitlist_offer' THEN
			n := appt_internal.prepare_offer(n);
			CONTINUE WHEN n IS NULL;
		END IF;
		c := appt_internal.apart_channel(n);
		n.channel_no := coalesce(c.channel_no, n.channel_no);
		room := (rooms->>n.channel_no::text)::integer;
		/* It waits by its channel, which is chosen; a test is of its moment. */
		IF room <= 0 AND n.event <> 'test' THEN
			UPDATE appt.notification t
			SET channel_no = n.channel_no
			WHERE t.notification_no = n.notification_no;
			CONTINUE;
		END IF;
		n.fence := n.fence + 1;
		problem := CASE WHEN c.channel_no IS NULL
			THEN 'the channel is not there any more' END;
		IF problem IS NULL THEN
			BEGIN
				m := appt_internal.apart_message(n, c, waiting.staff_audit_no);
			EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
				problem := SQLERRM;
			END;
		END IF;
		UPDATE appt.notification t
		SET state = CASE WHEN problem IS NULL THEN 'sending'
				ELSE 'failed' END,
			reason = coalesce(problem, t.reason),
			channel_no = n.channel_no,
			channel = n.channel,
			language = n.language,
			address = n.address,
			fence = n.fence,
			relay_no = CASE WHEN problem IS NULL THEN relay_no END,
			lease_until = CASE WHEN problem IS NULL
				THEN clock_timestamp() + lease END,
			finished_at = CASE WHEN problem IS NOT NULL
				THEN clock_timestamp() END
		WHERE t.notification_no = n.notification_no;
		IF problem IS NULL THEN
			messages := messages || m;
			IF room IS NOT NULL THEN
				rooms := jsonb_set(rooms, ARRAY[n.channel_no::text],
					to_jsonb(room - 1));
			END IF;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_internal.claim_apart(bigint, integer, interval,
	jsonb) IS
	'Leases the messages of no appointment that wait to a relay, where their '
	'channel has room (a test needs none), and returns what it needs to send '
	'them. rooms: as in appt_internal.lease_notifications';
