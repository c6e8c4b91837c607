-- The demo clinic: two branches, six doctors, a hundred patients with made-up
-- names, and a fortnight of bookings around today (of appt.clock()).
--
-- psql -v ON_ERROR_STOP=1 -f demo/clinic.sql, as a superuser: the past days
-- are made by setting the extension's clock back.

BEGIN;

INSERT INTO appt.branch (branch_id, name, time_zone, address, phone, slot_min)
VALUES
	('MUM-01', 'Andheri Clinic, Mumbai', 'Asia/Kolkata',
		'12 Example Road, Andheri West, Mumbai', '+91 00000 00001', 15),
	('LON-01', 'Marylebone Clinic, London', 'Europe/London',
		'12 Example Street, London', '+44 20 7946 0001', 20);

-- Whose telephone numbers are written without the country.
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('calling_code', 'LON-01', '44');

INSERT INTO appt.visit_type (visit_type, name, duration_min)
VALUES
	('new_consultation', 'New consultation', NULL),
	('follow_up', 'Follow-up', NULL),
	('vaccination', 'Vaccination', NULL),
	('teleconsultation', 'Teleconsultation', NULL),
	('procedure', 'Minor procedure', 60);

INSERT INTO appt.department (department_id, name, slot_min)
VALUES
	('GEN', 'General medicine', NULL),
	('CARD', 'Cardiology', 30),
	('PAED', 'Paediatrics', NULL),
	('DERM', 'Dermatology', 30),
	('ENT', 'Ear, nose and throat', NULL);

INSERT INTO appt.doctor
	(doctor_id, name, specialty, department_id, slot_min, buffer_after_min)
VALUES
	('DOC-001', 'Dr Asha Rao', 'General medicine', 'GEN', 15, 0),
	('DOC-002', 'Dr Vikram Mehta', 'Cardiology', 'CARD', NULL, 0),
	('DOC-003', 'Dr Farida Khan', 'Paediatrics', 'PAED', 15, 0),
	('DOC-004', 'Dr Emily Carter', 'General medicine', 'GEN', 20, 0),
	('DOC-005', 'Dr James O''Neill', 'Dermatology', 'DERM', NULL, 10),
	('DOC-006', 'Dr Meera Iyer', 'Ear, nose and throat', 'ENT', 20, 0);

-- Sessions by ISO weekday, wall-clock time of the branch. What is between two
-- sessions of a day is the lunch break; a single one is a half-day.
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, capacity)
SELECT s.doctor_id, s.branch_id, d.weekday, s.start_time, s.end_time,
	s.capacity
FROM (VALUES
	('DOC-001', 'MUM-01', 1, 5, time '09:00', time '13:00', 1),
	('DOC-001', 'MUM-01', 1, 5, '14:00', '18:00', 1),
	('DOC-001', 'MUM-01', 6, 6, '09:00', '13:00', 1),
	('DOC-001', 'MUM-01', 7, 7, '10:00', '12:00', 1),
	('DOC-002', 'MUM-01', 1, 5, '10:00', '13:00', 1),
	('DOC-002', 'MUM-01', 1, 4, '15:00', '18:00', 1),
	('DOC-003', 'MUM-01', 1, 6, '09:30', '12:30', 2),
	('DOC-003', 'MUM-01', 1, 5, '17:00', '20:00', 1),
	('DOC-004', 'LON-01', 1, 5, '08:30', '12:30', 1),
	('DOC-004', 'LON-01', 1, 2, '13:30', '17:30', 1),
	('DOC-004', 'LON-01', 4, 5, '13:30', '17:30', 1),
	('DOC-005', 'LON-01', 1, 4, '09:00', '12:00', 1),
	('DOC-005', 'LON-01', 1, 4, '13:00', '17:00', 1),
	('DOC-006', 'MUM-01', 2, 2, '16:00', '20:00', 1),
	('DOC-006', 'MUM-01', 4, 4, '16:00', '20:00', 1),
	('DOC-006', 'MUM-01', 6, 7, '10:00', '14:00', 1)
) AS s (doctor_id, branch_id, first_day, last_day, start_time, end_time,
	capacity)
CROSS JOIN LATERAL generate_series(s.first_day, s.last_day) AS d (weekday);

-- What patients would be told, were messages sent: by e-mail and SMS in
-- English, of a booking by SMS in Hindi too.
INSERT INTO appt.notification_template
	(event, channel, language, subject, body)
VALUES
	('booked', 'email', 'en', 'Your appointment on {{slot_date}} is booked',
'Dear {{patient_name}},

{{doctor_name}} expects you on {{slot_date}} at {{slot_time}}.
Your token is number {{token_number}}, your appointment {{appointment_id}}.

Another time: {{move_link}}
Cancel: {{cancel_link}}

{{branch_name}}
{{branch_address}}
{{branch_phone}}
'),
	('rescheduled', 'email', 'en', 'Your appointment is now on {{slot_date}}',
'Dear {{patient_name}},

your appointment {{appointment_id}} with {{doctor_name}} was moved to
{{slot_date}} at {{slot_time}}. Your token is number {{token_number}}.
{{reason}}

Another time: {{move_link}}
Cancel: {{cancel_link}}

{{branch_name}}
{{branch_address}}
{{branch_phone}}
'),
	('cancelled', 'email', 'en',
		'Your appointment on {{slot_date}} is cancelled',
'Dear {{patient_name}},

your appointment {{appointment_id}} with {{doctor_name}} on {{slot_date}} at
{{slot_time}} was cancelled.
{{reason}}

{{branch_name}}
{{branch_phone}}
'),
	('booked', 'sms', 'en', NULL, 'Booked: {{doctor_name}}, {{slot_date}} '
		'{{slot_time}}, {{branch_name}}. Token {{token_number}}.'),
	('booked', 'sms', 'hi', NULL, 'बुकिंग हो गई: {{doctor_name}}, '
		'{{slot_date}} {{slot_time}}, {{branch_name}}। टोकन {{token_number}}।'),
	('rescheduled', 'sms', 'en', NULL, 'Moved to {{slot_date}} {{slot_time}}: '
		'{{doctor_name}}, {{branch_name}}. Token {{token_number}}.'),
	('cancelled', 'sms', 'en', NULL, 'Cancelled: {{doctor_name}}, '
		'{{slot_date}} {{slot_time}}, {{branch_name}}.'),
	('reminder', 'sms', 'en', NULL, 'Reminder: {{doctor_name}}, '
		'{{slot_date}} {{slot_time}}, {{branch_name}}. Token '
		'{{token_number}}.');

-- PAT-2026-00101 to PAT-2026-00200. Names are combined from two lists, the
-- telephone numbers are from ranges that nobody is given.
INSERT INTO appt.patient
	(patient_id, first_name, last_name, date_of_birth, gender, phone, email,
	blood_group, branch_id, registered_at)
SELECT
	'PAT-2026-' || lpad(n::text, 5, '0'),
	(ARRAY['Aarav', 'Diya', 'Kabir', 'Ishita', 'Rohan', 'Leela', 'Arjun',
		'Nisha', 'Oliver', 'Grace'])[1 + n % 10],
	(ARRAY['Sharma', 'Patel', 'Nair', 'Desai', 'Kulkarni', 'Bose', 'Reddy',
		'Walker', 'Hughes', 'Fernandes'])[1 + (n / 10) % 10],
	date '1940-01-15' + n * 7919 % 30000,
	(ARRAY['male', 'female', 'male', 'female', 'male', 'female', 'male',
		'female', 'male', 'female'])[1 + n % 10],
	CASE WHEN n % 3 = 0
		THEN '+44 20 7946 ' || lpad((n * 7 % 1000)::text, 4, '0')
		ELSE '+91 00000 ' || lpad(n::text, 5, '0')
	END,
	'pat' || lpad(n::text, 5, '0') || '@example.org',
	(ARRAY['O+', 'A+', 'B+', 'AB+', 'O-', 'A-', 'B-', 'AB-'])[1 + n % 8],
	CASE WHEN n % 3 = 0 THEN 'LON-01' ELSE 'MUM-01' END,
	appt.clock() - make_interval(days => 10 + n % 60)
FROM generate_series(101, 200) AS n;

-- A number below the bound that is always the same for the same text.
CREATE FUNCTION pg_temp.pick(seed text, bound integer) RETURNS integer
	LANGUAGE sql IMMUTABLE
RETURN (hashtext(seed)::bigint + 2147483648) % bound;

-- Any of the patients but PAT-2026-00123, who stays free for the examples.
CREATE FUNCTION pg_temp.some_patient(seed text) RETURNS text
	LANGUAGE sql IMMUTABLE
RETURN 'PAT-2026-' || lpad(
	(101 + (23 + pg_temp.pick(seed || 'p', 99)) % 100)::text, 5, '0');

CREATE FUNCTION pg_temp.set_clock(instant timestamptz) RETURNS void
	LANGUAGE sql
RETURN set_config('bioecko_appt.clock', coalesce(instant::text, ''), true);

-- Books about a third of a doctor's free slots of a day, as patients would
-- have done the evening before; what cannot be booked is left out.
CREATE FUNCTION pg_temp.fill_day(doctor text, branch text, day date)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	slot record;
	booked text;
	seed text;
BEGIN
	FOR slot IN
		SELECT start_time, end_time
		FROM appt.available_slots(doctor, day, branch)
	LOOP
		seed := doctor || extract(epoch FROM slot.start_time);
		CONTINUE WHEN pg_temp.pick(seed, 3) > 0;
		BEGIN
			SELECT appointment_id INTO booked
			FROM appt.book(
				patient_id => pg_temp.some_patient(seed),
				doctor_id => doctor,
				slot_start => slot.start_time,
				slot_end => slot.end_time,
				branch_id => branch,
				visit_type => (ARRAY['new_consultation', 'follow_up',
					'follow_up'])[1 + pg_temp.pick(seed || 'v', 3)],
				source => (ARRAY['web', 'mobile', 'front_desk'])
					[1 + pg_temp.pick(seed || 's', 3)]);
			IF pg_temp.pick(seed || 'c', 9) = 0 THEN
				PERFORM appt.cancel(booked, 'Patient called: cannot come');
			END IF;
		EXCEPTION WHEN OTHERS THEN
			-- Taken, or the patient is elsewhere at that time.
			IF SQLSTATE NOT LIKE 'SB9%' THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END
$$;

-- Plays a day's visits up to the real time: seen, not come, waiting.
CREATE FUNCTION pg_temp.play_day(doctor text, day date, until timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	visit record;
BEGIN
	FOR visit IN
		SELECT a.appointment_id AS id, a.slot_start, a.slot_end
		FROM appt.appointment AS a
		WHERE a.doctor_id = doctor
			AND a.token_date = day
			AND a.status = 'booked'
			AND a.slot_start - interval '10 minutes' < until
		ORDER BY a.slot_start
	LOOP
		PERFORM pg_temp.set_clock(visit.slot_start - interval '10 minutes');
		CONTINUE WHEN pg_temp.pick(visit.id, 12) = 0;
		PERFORM appt.check_in(visit.id);
		CONTINUE WHEN visit.slot_end > until;
		PERFORM pg_temp.set_clock(visit.slot_end - interval '1 minute');
		PERFORM appt.complete(visit.id);
	END LOOP;
END
$$;

-- Three days back to ten days ahead.
DO $$
DECLARE
	real_now CONSTANT timestamptz := appt.clock();
	at_start CONSTANT text := current_setting('bioecko_appt.clock', true);
	who record;
	today date;
	evening timestamptz;
BEGIN
	FOR who IN
		SELECT DISTINCT h.doctor_id, h.branch_id, b.time_zone
		FROM appt.working_hours AS h
		JOIN appt.branch AS b USING (branch_id)
		ORDER BY 1, 2
	LOOP
		today := (real_now AT TIME ZONE who.time_zone)::date;
		FOR day_no IN -3..10 LOOP
			evening := (today + day_no - 1 + time '18:00')
				AT TIME ZONE who.time_zone;
			PERFORM pg_temp.set_clock(least(evening, real_now));
			PERFORM pg_temp.fill_day(who.doctor_id, who.branch_id,
				today + day_no);
			IF day_no <= 0 THEN
				PERFORM pg_temp.play_day(who.doctor_id, today + day_no,
					real_now);
			END IF;
		END LOOP;
	END LOOP;
	PERFORM set_config('bioecko_appt.clock', coalesce(at_start, ''), true);
END
$$;

COMMIT;

ANALYZE;
