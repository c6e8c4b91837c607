\set n random(1, :doctors)
\set d random(1, :days)
SELECT s.at AS start_time, s.at + g.step AS end_time
FROM (SELECT d.doctor_no, d.doctor_id, h.branch_id, make_interval(mins => coalesce(h.slot_min, d.slot_min, b.slot_min)) AS step, (CURRENT_DATE + :d::integer + h.start_time) AT TIME ZONE b.time_zone AS opens, (CURRENT_DATE + :d::integer + h.end_time) AT TIME ZONE b.time_zone AS closes
	FROM appt.doctor AS d
	JOIN appt.working_hours AS h ON h.doctor_id = d.doctor_id
	JOIN appt.branch AS b ON b.branch_id = h.branch_id
	WHERE d.doctor_id = 'DOC-' || lpad(:n::text, 4, '0') AND h.branch_id = CASE WHEN :n % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END AND h.weekday = extract(isodow FROM CURRENT_DATE + :d::integer) AND CURRENT_DATE + :d::integer BETWEEN h.valid_from AND h.valid_to AND d.active AND b.active) AS g
CROSS JOIN LATERAL generate_series(g.opens, g.closes - g.step, g.step) AS s(at)
WHERE s.at >= now()
	AND NOT EXISTS (SELECT FROM appt.appointment AS a WHERE a.doctor_no = g.doctor_no AND a.slot_start < s.at + g.step AND a.slot_start > s.at - interval '8 hours' AND a.slot_end > s.at AND a.status NOT IN ('cancelled', 'no_show'))
	AND NOT EXISTS (SELECT FROM appt.time_off AS o WHERE o.doctor_id = g.doctor_id AND o.starts_at < s.at + g.step AND o.ends_at > s.at)
	AND NOT EXISTS (SELECT FROM appt.closure AS c WHERE c.branch_id = g.branch_id AND c.starts_at < s.at + g.step AND c.ends_at > s.at)
ORDER BY s.at;
