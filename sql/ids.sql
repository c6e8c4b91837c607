-- The year in an id is the year that it is at the branch, whatever the session's
-- time zone: on New Year's night, too.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all
ALTER SEQUENCE appt.patient_id_seq RESTART 501;
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('NYC-01', 'Brooklyn', 'America/New_York');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-001', 'NYC-01', d, '13:00', '14:00' FROM generate_series(1, 7) d;

-- Half past one in the morning in Mumbai, three in the afternoon in New York.
SET LOCAL bioecko_appt.clock = '2028-12-31 20:00+00';
CREATE FUNCTION pg_temp.ids(zone text)
	RETURNS TABLE (session_zone text, what text, mumbai text, new_york text,
		nowhere text)
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('timezone', zone, true);
	session_zone := zone;
	what := 'patient';
	INSERT INTO appt.patient (first_name, branch_id) VALUES ('A', 'MUM-01')
	RETURNING patient_id INTO mumbai;
	INSERT INTO appt.patient (first_name, branch_id) VALUES ('A', 'NYC-01')
	RETURNING patient_id INTO new_york;
	INSERT INTO appt.patient (first_name) VALUES ('A')
	RETURNING patient_id INTO nowhere;
	RETURN NEXT;
	what := 'appointment';
	SELECT appointment_id INTO new_york FROM appt.book(new_york, 'DOC-001',
		'2029-01-02 13:00-05', branch_id => 'NYC-01', override => true);
	SELECT appointment_id INTO mumbai FROM appt.book(mumbai, 'DOC-001',
		'2029-01-02 09:00+05:30', branch_id => 'MUM-01', override => true);
	nowhere := NULL;
	RETURN NEXT;
	UPDATE appt.appointment a SET status = 'cancelled', cancelled_at = appt.clock()
	WHERE a.status = 'booked';
END
$$;
SELECT * FROM pg_temp.ids('Asia/Kolkata');
SELECT * FROM pg_temp.ids('America/New_York');
SELECT * FROM pg_temp.ids('UTC');

-- Nor does anybody's age wait for midnight in UTC or in the session's zone.
SELECT b AS branch,
	appt_internal.patient_age('2000-01-01', b) AS born_on_new_years_day,
	appt_internal.patient_age('2000-01-02', b) AS a_day_later
FROM unnest('{NULL,MUM-01,NYC-01}'::text[]) b;

INSERT INTO appt.patient (patient_id, first_name, branch_id, date_of_birth)
VALUES ('NY-1', 'Newyear', 'MUM-01', '2000-01-01'),
	('NY-2', 'Newyear', 'NYC-01', '2000-01-01');
SELECT p->>'patient_id' AS patient, p->>'age' AS listed,
	appt_internal.patient_json((SELECT t FROM appt.patient t
		WHERE t.patient_id = p->>'patient_id'), NULL)::json->>'age' AS shown
FROM appt_api.list_patients('newyear', NULL, NULL, 1, 20, NULL)
CROSS JOIN LATERAL json_array_elements(body::json) p
ORDER BY 1;

-- The clinic's first active branch speaks for who has none.
UPDATE appt.branch SET active = false WHERE branch_id = 'MUM-01';
SELECT appt_internal.clinic_today(), appt_internal.clinic_today('MUM-01') AS mumbai,
	appt_internal.clinic_today('PAR-01') AS unknown;
DELETE FROM appt.appointment;
DELETE FROM appt.doctor_day;
DELETE FROM appt.working_hours;
DELETE FROM appt.patient;
DELETE FROM appt.branch;
SELECT appt_internal.clinic_today() AS utc;
ROLLBACK;
