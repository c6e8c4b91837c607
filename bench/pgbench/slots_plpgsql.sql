\set n random(1, :doctors)
\set d random(1, :days)
SELECT start_time, end_time FROM bench.slots_plpgsql('DOC-' || lpad(:n::text, 4, '0'), CURRENT_DATE + :d::integer, CASE WHEN :n % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END);
