/* ---------------------------------------------------------------------------
 * appt_report: what is going on now: the queues and the webhooks.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_report.queue_now AS
SELECT
	d.doctor_id,
	d.name AS doctor_name,
	d.department_id,
	p.name AS department_name,
	b.branch_id,
	b.name AS branch_name,
	q.queue_position,
	q.token_number,
	q.appointment_id,
	q.patient_id,
	q.status,
	q.priority,
	appt_internal.local_time(q.slot_start, b.time_zone) AS start_local,
	appt_internal.local_time(q.checked_in_at, b.time_zone) AS checked_in_local,
	q.late AS is_late,
	q.skipped AS is_skipped,
	q.people_ahead,
	appt_internal.local_time(q.estimated_start, b.time_zone)
		AS estimated_start_local,
	CASE WHEN q.status = 'checked_in'
		THEN appt_internal.minutes_between(q.checked_in_at, appt.clock()) END
		AS waiting_min
FROM appt.doctor d
CROSS JOIN LATERAL appt.queue(d.doctor_id) q
JOIN appt.branch b ON b.branch_id = q.branch_id
LEFT JOIN appt.department p ON p.department_id = d.department_id
WHERE d.active;

COMMENT ON VIEW appt_report.queue_now IS
	'Today''s queue of each doctor in call order: who is being seen, who '
	'waits, who is still to come. ORDER BY doctor_name, queue_position';

CREATE VIEW appt_report.webhook_health AS
SELECT
	w.webhook_id,
	w.description,
	substring(w.url, '^https?://(\[[^]]*\]|[^/?:]+)') AS host,
	w.status,
	w.disabled_reason,
	w.disabled_at,
	w.failing_since,
	w.failures,
	p.pending,
	p.due,
	p.oldest_due_s,
	f.in_flight,
	h.held,
	coalesce(l.delivered_24h, 0) AS delivered_24h,
	coalesce(l.dead_24h, 0) AS dead_24h
FROM appt.webhook w
CROSS JOIN LATERAL (
	SELECT
		count(*) AS pending,
		count(*) FILTER (WHERE d.due_at <= statement_timestamp()) AS due,
		coalesce(extract(epoch FROM statement_timestamp() - min(d.due_at)
			FILTER (WHERE d.due_at <= statement_timestamp())), 0)::integer
			AS oldest_due_s
	FROM appt.delivery d
	WHERE d.webhook_no = w.webhook_no
		AND d.state = 'pending') p
CROSS JOIN LATERAL (
	SELECT count(*) AS in_flight
	FROM appt.delivery d
	WHERE d.webhook_no = w.webhook_no
		AND d.state = 'in_flight') f
CROSS JOIN LATERAL (
	SELECT count(*) AS held
	FROM appt.delivery d
	WHERE d.webhook_no = w.webhook_no
		AND d.state = 'held') h
LEFT JOIN (
	SELECT
		d.webhook_no,
		count(*) FILTER (WHERE d.state = 'delivered') AS delivered_24h,
		count(*) FILTER (WHERE d.state = 'dead') AS dead_24h
	FROM appt.delivery d
	WHERE d.finished_at >= statement_timestamp() - interval '24 hours'
	GROUP BY d.webhook_no) l ON l.webhook_no = w.webhook_no;

COMMENT ON VIEW appt_report.webhook_health IS
	'Each webhook endpoint with what waits for it and what became of the last '
	'24 hours'' deliveries, in real time (bioecko_appt.clock does not count '
	'here). Of its URL only the host is shown';
