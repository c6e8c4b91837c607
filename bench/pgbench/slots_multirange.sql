\set n random(1, :doctors)
\set d random(1, :days)
WITH g AS MATERIALIZED (SELECT d.doctor_no, d.doctor_id, h.branch_id, make_interval(mins => coalesce(h.slot_min, d.slot_min, b.slot_min)) AS step, (CURRENT_DATE + :d::integer + h.start_time) AT TIME ZONE b.time_zone AS opens, (CURRENT_DATE + :d::integer + h.end_time) AT TIME ZONE b.time_zone AS closes
	FROM appt.doctor AS d
	JOIN appt.working_hours AS h ON h.doctor_id = d.doctor_id
	JOIN appt.branch AS b ON b.branch_id = h.branch_id
	WHERE d.doctor_id = 'DOC-' || lpad(:n::text, 4, '0') AND h.branch_id = CASE WHEN :n % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END AND h.weekday = extract(isodow FROM CURRENT_DATE + :d::integer) AND CURRENT_DATE + :d::integer BETWEEN h.valid_from AND h.valid_to AND d.active AND b.active),
busy AS MATERIALIZED (SELECT range_agg(t.span) AS spans FROM (
		SELECT tstzrange(a.slot_start, a.slot_end) AS span FROM appt.appointment AS a WHERE a.doctor_no = (SELECT doctor_no FROM g LIMIT 1) AND a.slot_start > CURRENT_DATE + :d::integer - interval '1 day' AND a.slot_start < CURRENT_DATE + :d::integer + interval '2 days' AND a.status NOT IN ('cancelled', 'no_show')
		UNION ALL
		SELECT tstzrange(o.starts_at, o.ends_at) FROM appt.time_off AS o WHERE o.doctor_id = (SELECT doctor_id FROM g LIMIT 1) AND o.starts_at < CURRENT_DATE + :d::integer + interval '2 days' AND o.ends_at > CURRENT_DATE + :d::integer - interval '1 day'
		UNION ALL
		SELECT tstzrange(c.starts_at, c.ends_at) FROM appt.closure AS c WHERE c.branch_id = (SELECT branch_id FROM g LIMIT 1) AND c.starts_at < CURRENT_DATE + :d::integer + interval '2 days' AND c.ends_at > CURRENT_DATE + :d::integer - interval '1 day') AS t)
SELECT s.at AS start_time, s.at + g.step AS end_time
FROM g CROSS JOIN busy CROSS JOIN LATERAL generate_series(g.opens, g.closes - g.step, g.step) AS s(at)
WHERE s.at >= now() AND (busy.spans IS NULL OR NOT busy.spans && tstzrange(s.at, s.at + g.step))
ORDER BY s.at;
