\set n :n + 1
\set i :base + :client_id + :n * :clients
\set slot (:i / :doctors) % 48
\set t :t0 + :i / (:doctors * 48) * 86400 + :slot * 600 + case when :slot >= 24 then 3600 else 0 end
\set doctor 1 + :i % :doctors
\set patient 1 + :i % 49900
SELECT * FROM appt_api.book(patient_id => 'PAT-2026-' || lpad(:patient::text, 5, '0'), doctor_id => 'DOC-' || lpad(:doctor::text, 4, '0'), branch_id => CASE WHEN :doctor % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END, slot_start => to_timestamp(:t), slot_end => to_timestamp(:t + 600), visit_type => 'new_consultation', notes => 'Patient reports persistent cough', source => NULL, hold_id => NULL, override => false, client => :client);
