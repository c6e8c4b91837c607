-- What the schema itself forbids, whoever writes: tried by a superuser past
-- all functions.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- Inserts a good row, changed as given, and takes it back unless it is to stay.
CREATE FUNCTION pg_temp.row(change jsonb DEFAULT '{}',
	stay boolean DEFAULT false) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	good jsonb := jsonb_build_object('appointment_id', 'X', 'patient_id',
		'PAT-1', 'doctor_id', 'DOC-001', 'branch_id', 'MUM-01', 'slot_start',
		'2026-03-16T09:00+05:30', 'slot_end', '2026-03-16T09:15+05:30',
		'status', 'booked', 'token_number', 1, 'token_date', '2026-03-16',
		'source', 'sql', 'version', 1, 'reschedule_count', 0, 'priority', 0,
		'override', false, 'booked_at', '2026-03-14T12:00+05:30', 'lane', 0,
		'buffer_before_min', 0, 'buffer_after_min', 0, 'appointment_no', 1000,
		'doctor_no', (SELECT doctor_no FROM appt.doctor),
		'patient_no', (SELECT patient_no FROM appt.patient
			WHERE patient_id = 'PAT-1'));
	violated text;
BEGIN
	INSERT INTO appt.appointment
	SELECT * FROM jsonb_populate_record(NULL::appt.appointment, good || change);
	IF NOT stay THEN
		RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'can be inserted';
	END IF;
	RETURN 'stays';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
	RETURN concat_ws(' ', nullif(SQLSTATE, 'P0099'),
		coalesce(nullif(violated, ''), SQLERRM));
END
$$;
INSERT INTO appt.doctor_day (doctor_no, on_date)
SELECT doctor_no, '2026-03-16' FROM appt.doctor;
SELECT pg_temp.row(stay => true);

-- One after the other, each beside that good row.
CREATE TABLE pg_temp.tries (n integer GENERATED ALWAYS AS IDENTITY,
	change jsonb);
INSERT INTO pg_temp.tries (change) VALUES
	('{}'),
	('{"slot_start": "2026-03-16T09:14:59+05:30",
		"slot_end": "2026-03-16T10:00+05:30"}'),
	('{"lane": 1}'),
	('{"lane": 64}'),
	('{"lane": -1}'),
	('{"slot_end": "2026-03-16T09:00+05:30"}'),
	('{"slot_start": "-infinity", "slot_end": "2026-03-16T09:00+05:30"}'),
	('{"slot_start": null}'),
	('{"slot_end": null}'),
	('{"doctor_no": null}'),
	('{"slot_start": "2026-03-16T09:15+05:30",
		"slot_end": "2026-03-16T09:30+05:30"}'),
	('{"patient_no": 99999, "lane": 1}'),
	('{"status": "maybe"}'),
	('{"source": "fax"}'),
	('{"patient_no": null}'),
	('{"patient_id": null}'),
	('{"token_number": null}'),
	('{"token_number": 0}'),
	('{"token_date": null}'),
	('{"hold_expires_at": "2026-03-16T09:00+05:30"}'),
	('{"status": "held"}'),
	('{"status": "held", "patient_no": null, "patient_id": null,
		"token_number": null}'),
	('{"status": "held", "patient_no": null, "patient_id": null,
		"token_number": null, "hold_expires_at": "2026-03-16T09:00+05:30"}'),
	('{"status": "cancelled"}'),
	('{"status": "completed"}'),
	('{"status": "checked_in"}'),
	('{"status": "in_consultation"}'),
	('{"appointment_no": 1000}'),
	('{"appointment_id": "X"}'),
	('{"token_number": 1, "slot_start": "2026-03-16T11:00+05:30",
		"slot_end": "2026-03-16T11:15+05:30"}');
SELECT change, pg_temp.row('{"appointment_id": "Y", "appointment_no": 1001,
	"token_number": 2}' || change) AS result
FROM pg_temp.tries ORDER BY n;
SELECT count(*) FROM appt.appointment;

-- A violation says its rule, and shows nobody's row.
SELECT statement, pg_temp.try(statement)
FROM unnest(ARRAY['UPDATE appt.appointment SET lane = 64',
	'UPDATE appt.appointment SET status = ''held''',
	'UPDATE appt.doctor_day SET last_token = -1']) statement;

-- What ends frees its place: cancelled, no-show; not what is completed.
SELECT after, pg_temp.try(format('UPDATE appt.appointment SET status = %L, '
	'cancelled_at = %2$L, completed_at = %2$L RETURNING status', after,
	'2026-03-16 09:10')) AS updated,
	pg_temp.row('{"appointment_id": "Y", "appointment_no": 1001,
		"token_number": 2}') AS inserted
FROM unnest('{completed,no_show,cancelled}'::text[]) after;

-- What is referred to stays.
UPDATE appt.appointment SET visit_type = 'procedure';
SELECT statement, pg_temp.try(statement)
FROM unnest(ARRAY['DELETE FROM appt.doctor', 'DELETE FROM appt.branch',
	'DELETE FROM appt.patient', 'UPDATE appt.doctor SET doctor_id = ''D''',
	'UPDATE appt.branch SET branch_id = ''B''',
	'UPDATE appt.patient SET patient_id = ''P'' WHERE patient_id = ''PAT-1''',
	'DELETE FROM appt.doctor_day',
	'UPDATE appt.doctor_day SET on_date = on_date + 1',
	'UPDATE appt.branch SET time_zone = ''America/New_York''',
	'UPDATE appt.branch SET time_zone = ''Mars/Olympus''',
	'UPDATE appt.branch SET time_zone = ''Asia/Tashkent'' RETURNING time_zone',
	'DELETE FROM appt.visit_type',
	'UPDATE appt.visit_type SET visit_type = ''v'''])
	statement;

-- Configuration: constraints with readable names.
CREATE FUNCTION pg_temp.violates(statement text) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	violated text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
	RETURN concat_ws(' ', SQLSTATE, coalesce(nullif(violated, ''), SQLERRM));
END
$$;
CREATE TABLE pg_temp.statements (n integer GENERATED ALWAYS AS IDENTITY,
	target text, row text);
INSERT INTO pg_temp.statements (target, row) VALUES
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''Europe/Paris'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''Mars/Olympus'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', '''''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''../UTC'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''posixrules'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''LocalTime'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''Factory'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''UTC+5:30'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''Etc/GMT+5:30'''),
	('branch (branch_id, name, time_zone)', '''B'', ''B'', ''posix/UTC'''),
	('branch (branch_id, name, time_zone)', '''C'', ''C'', ''Etc/GMT-5'''),
	('branch (branch_id, name, time_zone)', '''D'', ''D'', ''pst8pdt'''),
	('branch (branch_id, name, time_zone)', '''a b'', ''B'', ''UTC'''),
	('branch (branch_id, name, time_zone)', '''B'', '' '', ''UTC'''),
	('branch (branch_id, name, time_zone, slot_min)',
		'''B'', ''B'', ''UTC'', 4'),
	('branch (branch_id, name, time_zone)',
		'repeat(''b'', 65), ''B'', ''UTC'''),
	('doctor (doctor_id, name, slot_min)', '''D'', ''D'', 481'),
	('doctor (doctor_id, name, buffer_after_min)', '''D'', ''D'', 241'),
	('doctor (doctor_id, name, buffer_after_min)', '''D'', ''D'', -1'),
	('doctor (doctor_id, name)', '''-'', ''D'''),
	('visit_type (visit_type, name, duration_min)', '''v'', ''V'', 3'),
	('visit_type (visit_type, name, buffer_before_min)', '''v'', ''V'', 300'),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', 0, ''09:00'', ''10:00'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', 1, ''14:00'', ''14:00'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', 1, ''22:00'', ''02:00'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', 1, ''09:30'', ''11:00'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', 1, ''10:00'', ''11:00'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time, '
		'capacity)', '''DOC-001'', ''MUM-01'', 1, ''14:00'', ''15:00'', 33'),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time, '
		'valid_from, valid_to)', '''DOC-001'', ''MUM-01'', 1, ''14:00'', '
		'''15:00'', ''2026-03-02'', ''2026-03-01'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time, '
		'valid_from)', '''DOC-001'', ''MUM-01'', 1, ''14:00'', ''15:00'', '
		'''infinity'''),
	('working_hours (doctor_id, branch_id, weekday, start_time, end_time, '
		'valid_to)', '''DOC-001'', ''MUM-01'', 1, ''14:00'', ''15:00'', '
		'''-infinity'''),
	('extra_session (doctor_id, branch_id, on_date, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', ''2026-03-16'', ''14:00'', ''13:00'''),
	('extra_session (doctor_id, branch_id, on_date, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', ''infinity'', ''13:00'', ''14:00'''),
	('extra_session (doctor_id, branch_id, on_date, start_time, end_time)',
		'''DOC-001'', ''MUM-01'', ''2026-03-16'', ''13:00'', ''14:00'''),
	('time_off (doctor_id, starts_at, ends_at)',
		'''DOC-001'', ''2026-04-16'', ''2026-04-16'''),
	('closure (branch_id, starts_at, ends_at)',
		'''MUM-01'', ''2026-04-16'', ''2026-04-15'''),
	('patient (patient_id, first_name)', '''P'', '' '''),
	('patient (patient_id, first_name)', '''P Q'', ''x'''),
	('patient (patient_id, first_name, gender)', '''P'', ''x'', ''m'''),
	('patient (patient_id, first_name, blood_group)', '''P'', ''x'', ''C+'''),
	('patient (patient_id, first_name, date_of_birth)',
		'''P'', ''x'', ''infinity'''),
	('patient (patient_id, first_name, date_of_birth)',
		'''P'', ''x'', ''-infinity'''),
	('patient (patient_id, first_name, registered_at)',
		'''P'', ''x'', ''-infinity'''),
	('patient (patient_id, first_name, phone)', '''P'', ''x'', ''call me'''),
	('patient (patient_id, first_name, phone)', '''P'', ''x'', ''(     )'''),
	('patient (patient_id, first_name, email)', '''P'', ''x'', ''nobody'''),
	('patient (patient_id, first_name, email)',
		'''P'', ''x'', E''a@b\nBcc: c@d'''),
	('patient (patient_id, first_name, language)', '''P'', ''x'', ''English''');
SELECT split_part(target, ' ', 1) AS "table", row,
	pg_temp.violates(format('INSERT INTO appt.%s VALUES (%s)', target, row))
FROM pg_temp.statements ORDER BY n;

ROLLBACK;
