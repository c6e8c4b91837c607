\set n :n + 1
\set i :base + :client_id + :n * :clients
\set slot (:i / :doctors) % 48
\set t :t0 + :i / (:doctors * 48) * 86400 + :slot * 600 + case when :slot >= 24 then 3600 else 0 end
\set doctor 1 + :i % :doctors
\set patient 1 + :i % 49900
INSERT INTO bench.bare (patient_id, doctor_id, branch_id, slot_start, slot_end, visit_type, notes) VALUES ('PAT-2026-' || lpad(:patient::text, 5, '0'), 'DOC-' || lpad(:doctor::text, 4, '0'), CASE WHEN :doctor % 2 = 1 THEN 'MUM-01' ELSE 'DEL-01' END, to_timestamp(:t), to_timestamp(:t + 600), 'new_consultation', 'Patient reports persistent cough');
