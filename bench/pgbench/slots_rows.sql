\set n random(1, :doctors)
\set d random(1, :days)
SELECT start_time, end_time FROM appt.available_slots(doctor_id => 'DOC-' || lpad(:n::text, 4, '0'), on_date => CURRENT_DATE + :d::integer, branch_id => CASE WHEN :n % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END);
