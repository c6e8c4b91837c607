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
	n.delivered_at,
	n.read_at,
	n.finished_at
FROM appt.notification n
JOIN appt.appointment a ON a.appointment_no = n.appointment_no;

COMMENT ON VIEW appt_report.notification IS
	'One row a message to a patient, sent, waiting or skipped, kept for 90 '
	'days. Filter by finished_at or appointment_id';

CREATE VIEW appt_report.notification_health AS
SELECT
	c.channel_id,
	c.kind::text AS channel,
	c.active,
	w.messages_due,
	w.messages_oldest_due_s,
	coalesce(l.sent_24h, 0) AS sent_24h,
	coalesce(l.failed_24h, 0) AS failed_24h,
	k.at AS out_of_order_at
FROM appt.notification_channel c
CROSS JOIN LATERAL (
	SELECT
		count(*) AS messages_due,
		coalesce(extract(epoch FROM statement_timestamp() - min(n.due_at)), 0)
			::integer AS messages_oldest_due_s
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
	GROUP BY n.channel_no) l ON l.channel_no = c.channel_no;

COMMENT ON VIEW appt_report.notification_health IS
	'Each way to tell patients with what waits for it (messages that have no '
	'channel yet wait for each) and what became of the last 24 hours'' '
	'messages, in real time';
