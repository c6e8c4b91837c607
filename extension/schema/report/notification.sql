/* ---------------------------------------------------------------------------
 * What patients were told: a row a message, and how each way to tell them is
 * doing. No addresses, and of errors no text, which may have one.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_report.notification AS
SELECT
	n.notification_no,
	a.appointment_id,
	a.branch_id,
	a.doctor_id,
	n.slot_start,
	n.event AS told_event,
	nullif(n.lead_min, 0) AS lead_min,
	n.channel,
	n.language AS message_language,
	n.state,
	CASE n.state WHEN 'skipped' THEN n.reason END AS skipped_because,
	n.attempts,
	n.created_at,
	n.sent_at,
	l.delivered_at,
	l.read_at,
	n.finished_at
FROM appt.notification n
JOIN appt.appointment a ON a.appointment_no = n.appointment_no
LEFT JOIN appt.notification_attempt l ON l.notification_no = n.notification_no
	AND l.fence = n.fence
	AND n.finished_at IS NOT NULL
UNION ALL
SELECT
	n.notification_no,
	a.appointment_id,
	o.branch_id,
	o.doctor_id,
	o.slot_start,
	n.event,
	NULL,
	n.channel,
	n.language,
	n.state,
	CASE n.state WHEN 'skipped' THEN n.reason END,
	n.attempts,
	n.created_at,
	n.sent_at,
	l.delivered_at,
	l.read_at,
	n.finished_at
FROM appt.waitlist_offer o
JOIN appt.waitlist_offer_message m ON m.offer_no = o.offer_no
JOIN appt.notification n ON n.notification_no = m.notification_no
LEFT JOIN appt.appointment a ON a.appointment_no = o.appointment_no
LEFT JOIN appt.notification_attempt l ON l.notification_no = n.notification_no
	AND l.fence = n.fence
	AND n.finished_at IS NOT NULL;

COMMENT ON VIEW appt_report.notification IS
	'One row a message to a patient, sent, waiting or skipped, kept for 90 '
	'days; that of an offer has an appointment when it is accepted. Filter by '
	'finished_at or appointment_id';

/*
 * Not a part of the view, as a table of a few channels is never analysed: the
 * planner takes it for hundreds, and with a million messages compiled a second
 * and more for what takes 30 ms.
 */
CREATE FUNCTION appt_internal.channel_load()
	RETURNS TABLE (
		channel_no integer,
		messages_due bigint,
		oldest_due timestamptz,
		sent_24h bigint,
		failed_24h bigint,
		out_of_order_at timestamptz)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 10
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	SELECT
		c.channel_no,
		w.messages_due,
		w.oldest_due,
		coalesce(l.sent_24h, 0),
		coalesce(l.failed_24h, 0),
		k.at
	FROM appt.notification_channel c
	CROSS JOIN LATERAL (
		SELECT count(*) AS messages_due, min(n.due_at) AS oldest_due
		FROM appt.notification n
		WHERE n.queue_no IN (0, c.channel_no)
			AND n.finished_at IS NULL
			AND n.state = 'due'
			AND n.due_at <= statement_timestamp()) w
	LEFT JOIN appt_internal.channel_trouble k ON k.channel_no = c.channel_no
	LEFT JOIN (
		SELECT
			n.channel_no,
			count(*) FILTER (WHERE n.state IN ('sent', 'delivered', 'read'))
				AS sent_24h,
			count(*) FILTER (WHERE n.state IN ('failed', 'dead')) AS failed_24h
		FROM appt.notification n
		WHERE n.finished_at >= statement_timestamp() - interval '24 hours'
			AND n.event <> 'test'
		GROUP BY n.channel_no) l ON l.channel_no = c.channel_no
$$;

COMMENT ON FUNCTION appt_internal.channel_load() IS
	'What waits for each channel, and what it did in 24 hours: the numbers of '
	'appt_report.notification_health';

CREATE VIEW appt_report.notification_health AS
SELECT
	c.channel_id,
	c.kind::text AS channel,
	c.active,
	h.messages_due,
	coalesce(extract(epoch FROM statement_timestamp() - h.oldest_due), 0)
		::integer AS messages_oldest_due_s,
	h.sent_24h,
	h.failed_24h,
	h.out_of_order_at
FROM appt.notification_channel c
JOIN appt_internal.channel_load() h ON h.channel_no = c.channel_no;

COMMENT ON VIEW appt_report.notification_health IS
	'Each way to tell patients with what waits for it (messages that have no '
	'channel yet wait for each) and what became of the last 24 hours'' '
	'messages, in real time';
