/* ---------------------------------------------------------------------------
 * Sending again, by hand: one message, or all that failed.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.resend_notification(notification_no bigint)
	RETURNS appt.notification
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n appt.notification;
BEGIN
	SELECT t.* INTO n
	FROM appt.notification t
	WHERE t.notification_no = $1
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('notification', $1::text,
			'notification_no', 'SB404');
	ELSIF n.state IN ('due', 'sending') OR n.event = 'sign_in' THEN
		RETURN n;
	ELSIF n.appointment_no IS NULL THEN
		INSERT INTO appt.notification_apart AS t (notification_no)
		VALUES ($1)
		ON CONFLICT ON CONSTRAINT notification_apart_pkey
			DO UPDATE SET staff_audit_no = NULL;
	END IF;
	UPDATE appt.notification_attempt t
	SET awaited = false
	WHERE t.notification_no = $1
		AND t.awaited;
	/* Made anew: a mail that was sent has another Message-ID now. */
	UPDATE appt.notification t
	SET state = 'due',
		reason = NULL,
		queue_no = CASE t.event WHEN 'test' THEN t.channel_no ELSE 0 END,
		channel_no = CASE t.event WHEN 'test' THEN t.channel_no ELSE 0 END,
		attempts = 0,
		created_at = clock_timestamp(),
		due_at = clock_timestamp(),
		sent_at = NULL,
		finished_at = NULL
	WHERE t.notification_no = $1
	RETURNING t.* INTO n;
	RETURN n;
END
$$;

COMMENT ON FUNCTION appt.resend_notification(bigint) IS
	'Has a message sent again, whatever became of it before; judged anew, so '
	'what is not true any more is skipped. One that waits or is on its way '
	'stays as it is, and so does one of a sign-in. Raises SB404';

CREATE FUNCTION appt_internal.resend_failed(since timestamptz, client text)
	RETURNS bigint
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(appt.resend_notification(n.notification_no))
	FROM (
		SELECT t.notification_no
		FROM appt.notification t
		LEFT JOIN appt.appointment a ON a.appointment_no = t.appointment_no
		LEFT JOIN LATERAL appt_internal.message_offer(
			CASE WHEN t.event = 'waitlist_offer' THEN t.notification_no END)
			AS o ON true
		WHERE t.state IN ('failed', 'dead')
			AND appt_internal.client_sees($2,
				coalesce(a.branch_id, o.branch_id))
			AND coalesce(a.branch_id, o.branch_id) IS NOT NULL
			AND t.finished_at >= $1
			/* Of several tries by several channels the last. */
			AND NOT EXISTS (
				SELECT
				FROM appt_internal.all_tries(t) l
				WHERE l.notification_no > t.notification_no)
		ORDER BY t.notification_no) n
$$;

COMMENT ON FUNCTION appt_internal.resend_failed(timestamptz, text) IS
	'Has all messages sent again that failed or were given up since then, of '
	'the branches that the client sees; returns how many';

CREATE FUNCTION appt.resend_failed_notifications(
	since timestamptz DEFAULT pg_catalog.now() - interval '1 day')
	RETURNS bigint
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN appt_internal.resend_failed(since, NULL);

COMMENT ON FUNCTION appt.resend_failed_notifications(timestamptz) IS
	'Has all messages sent again that failed or were given up since then, once '
	'their channel works again; returns how many';
