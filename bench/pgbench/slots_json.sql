\set n random(1, :doctors)
\set d random(1, :days)
SELECT appt_api.slots(doctor_id => 'DOC-' || lpad(:n::text, 4, '0'), date => CURRENT_DATE + :d::integer, branch_id => CASE WHEN :n % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END, duration => NULL, date_to => NULL, client => :client);
