/* ---------------------------------------------------------------------------
 * The numbers of messages that the relay shows: what waits, what became of the
 * last day's, and which channels work.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_relay.message_stats()
	RETURNS TABLE (
		gauge text,
		channel text,
		state text,
		reason text,
		value double precision)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	/* "-" is no channel's name: what is not given to one yet. */
	RETURN QUERY
	WITH waiting AS (
		SELECT n.queue_no, count(*) AS due,
			extract(epoch FROM at - min(n.due_at))::double precision AS oldest_s
		FROM appt.notification n
		WHERE n.finished_at IS NULL
			AND n.state = 'due'
			AND n.due_at <= at
		GROUP BY n.queue_no),
	known AS (
		SELECT 0 AS channel_no, '-' AS channel
		UNION ALL
		SELECT c.channel_no, c.channel_id
		FROM appt.notification_channel c)
	SELECT g.gauge, k.channel, NULL, NULL, g.value
	FROM known k
	LEFT JOIN waiting w ON w.queue_no = k.channel_no
	CROSS JOIN LATERAL (
		VALUES ('messages_due', coalesce(w.due, 0)::double precision),
			('messages_oldest_due_seconds', coalesce(w.oldest_s, 0)))
		AS g (gauge, value)
	ORDER BY g.gauge, k.channel;

	RETURN QUERY
	SELECT 'messages_day', coalesce(c.channel_id, '-'), n.state,
		CASE n.state WHEN 'skipped' THEN n.reason END,
		count(*)::double precision
	FROM appt.notification n
	LEFT JOIN appt.notification_channel c ON c.channel_no = n.channel_no
		AND n.channel IS NOT NULL
	WHERE n.finished_at > at - interval '1 day'
		AND n.event <> 'test'
	GROUP BY 2, 3, 4
	ORDER BY 2, 3, 4;

	RETURN QUERY
	SELECT 'channel_up', c.channel_id, NULL, NULL,
		(NOT EXISTS (
			SELECT
			FROM appt_internal.channel_trouble t
			WHERE t.channel_no = c.channel_no))::integer::double precision
	FROM appt.notification_channel c
	WHERE c.active
	ORDER BY c.channel_id;
END
$$;

COMMENT ON FUNCTION appt_relay.message_stats() IS
	'The relay''s gauges of messages, those of a name together: messages_due '
	'and messages_oldest_due_seconds by channel (-: none is chosen yet), '
	'messages_day by channel, state and, of skipped ones, reason: what became '
	'of them in the last 24 hours; channel_up: 0 where a channel is out of '
	'order. Tests are not counted';
