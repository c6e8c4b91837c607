-- Whatever a DBA adds to the extension's tables has its say in every booking, at
-- once.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.book(patient text, at text) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT token_number || coalesce('' '' || notes, '''') FROM appt.book(%L, %L, %L)',
	patient, 'DOC-001', '2026-03-16 ' || at));
SELECT pg_temp.book('PAT-1', '09:00') AS before_all_that;

-- Nothing is written where nothing may be.
SELECT set_config('transaction_read_only', 'on', true) AS read_only,
	pg_temp.book('PAT-2', '09:15');
SELECT last_token FROM appt.doctor_day;

-- A CHECK.
ALTER TABLE appt.appointment ADD CONSTRAINT not_too_early
	CHECK (slot_start > '2026-03-16 09:30+05:30' OR slot_start < '2026-03-16 09:10+05:30');
SELECT pg_temp.book('PAT-2', '09:15') AS checked;
ALTER TABLE appt.appointment DROP CONSTRAINT not_too_early;
SELECT pg_temp.book('PAT-2', '09:15') AS no_more;

-- A unique index, partial and of an expression.
CREATE UNIQUE INDEX once_a_minute
	ON appt.appointment (date_trunc('minute', slot_start AT TIME ZONE 'UTC'))
	WHERE branch_id = 'MUM-01';
INSERT INTO appt.appointment (appointment_id, doctor_id, branch_id, slot_start, slot_end,
	status, token_date, booked_at, hold_expires_at, doctor_no, lane)
SELECT 'hold_x', doctor_id, 'MUM-01', '2026-03-16 09:30', '2026-03-16 09:31',
	'held', '2026-03-16', now(), 'infinity', doctor_no, 40
FROM appt.doctor;
SELECT pg_temp.book('PAT-3', '09:30') AS unique_too;
DELETE FROM appt.appointment WHERE appointment_id = 'hold_x';
SELECT pg_temp.book('PAT-3', '09:30') AS another_minute;
SET enable_seqscan = off;
SELECT count(*) FROM appt.appointment
WHERE branch_id = 'MUM-01'
	AND date_trunc('minute', slot_start AT TIME ZONE 'UTC') = '2026-03-16 04:00';
RESET enable_seqscan;
DROP INDEX appt.once_a_minute;
SELECT pg_temp.book('PAT-4', '09:45') AS no_more;

-- Triggers: before a row, after it, and of the statement.
CREATE TABLE pg_temp.seen (no integer GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION pg_temp.watch() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.seen (what)
	VALUES (format('%s %s %s %s', TG_WHEN, TG_LEVEL, TG_TABLE_NAME,
		concat_ws(' ', to_jsonb(NEW) ->> 'patient_id', to_jsonb(NEW) ->> 'notes')));
	RETURN NEW;
END
$$;
CREATE FUNCTION pg_temp.annotate() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	NEW.notes := 'seen by a trigger';
	RETURN NEW;
END
$$;
CREATE TRIGGER a_annotate BEFORE INSERT ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION pg_temp.annotate();
CREATE TRIGGER watch_before BEFORE INSERT ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
CREATE TRIGGER watch_after AFTER INSERT ON appt.appointment
	FOR EACH ROW WHEN (NEW.status = 'booked') EXECUTE FUNCTION pg_temp.watch();
CREATE TRIGGER watch_statement AFTER INSERT ON appt.appointment
	FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.watch();
CREATE TRIGGER watch_event AFTER INSERT ON appt.event
	FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
SELECT pg_temp.book('PAT-5', '11:30') AS changed_by_a_trigger;
SELECT what FROM pg_temp.seen ORDER BY no;
SELECT data::json ->> 'notes' AS event_says
FROM appt.event ORDER BY event_no DESC LIMIT 1;
DROP TRIGGER a_annotate ON appt.appointment;
DROP TRIGGER watch_before ON appt.appointment;
DROP TRIGGER watch_after ON appt.appointment;
DROP TRIGGER watch_statement ON appt.appointment;
DROP TRIGGER watch_event ON appt.event;

-- Foreign keys: one of a DBA, and the patient's where a trigger has a say.  Who
-- writes without a booking is asked as ever.
CREATE TABLE appt.insured (patient_no integer PRIMARY KEY);
ALTER TABLE appt.appointment ADD CONSTRAINT only_insured
	FOREIGN KEY (patient_no) REFERENCES appt.insured NOT VALID;
SELECT pg_temp.book('PAT-1', '11:00') AS not_insured;
ALTER TABLE appt.appointment DROP CONSTRAINT only_insured;
DROP TABLE appt.insured;
CREATE FUNCTION pg_temp.mistake() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	NEW.patient_no := 999;
	RETURN NEW;
END
$$;
CREATE TRIGGER mistake BEFORE INSERT ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION pg_temp.mistake();
SELECT pg_temp.book('PAT-1', '11:00') AS of_nobody;
DROP TRIGGER mistake ON appt.appointment;
SELECT pg_temp.try(format('INSERT INTO appt.appointment SELECT (jsonb_populate_record(a, %L)).*
	FROM appt.appointment AS a LIMIT 1',
	'{"appointment_id": "APT-X", "appointment_no": 999, "patient_no": 999, "lane": 50,
	"token_number": 99}')) AS of_nobody_either;
SELECT pg_temp.try('DELETE FROM appt.patient WHERE patient_id = ''PAT-2''') AS has_bookings;

-- A trigger that keeps a row out: nothing is done by halves.
CREATE FUNCTION pg_temp.keep_out() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	RETURN NULL;
END
$$;
CREATE TRIGGER keep_out BEFORE INSERT ON appt.event
	FOR EACH ROW WHEN (NEW.data LIKE '%"PAT-1"%')
	EXECUTE FUNCTION pg_temp.keep_out();
SELECT pg_temp.book('PAT-1', '11:00') AS no_event;
DROP TRIGGER keep_out ON appt.event;

-- A trigger that refuses as an overlap constraint would, but is none; and one
-- that runs into a constraint of its own.
CREATE FUNCTION pg_temp.no_room() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION 'no room is free' USING ERRCODE = 'exclusion_violation';
END
$$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION pg_temp.no_room();
SELECT pg_temp.book('PAT-1', '11:00') AS no_room;
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, ''2026-03-16 11:45'')', appointment_id))
	AS nor_there
FROM appt.appointment WHERE patient_id = 'PAT-2';
DROP TRIGGER no_room ON appt.appointment;
CREATE TABLE pg_temp.room (slot tstzrange, EXCLUDE USING gist (slot WITH &&));
INSERT INTO pg_temp.room VALUES ('[2026-03-16 11:00,2026-03-16 11:15)');
CREATE FUNCTION pg_temp.take_room() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.room VALUES (tstzrange(NEW.slot_start, NEW.slot_end));
	RETURN NEW;
END
$$;
CREATE TRIGGER take_room BEFORE INSERT ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION pg_temp.take_room();
SELECT pg_temp.book('PAT-1', '11:00') AS room_taken;
DROP TRIGGER take_room ON appt.appointment;

-- An exclusion constraint of a DBA's own speaks for itself: the slot is not taken.
ALTER TABLE appt.appointment ADD CONSTRAINT one_at_a_time
	EXCLUDE USING gist (branch_id WITH =, tstzrange(slot_start, slot_end) WITH &&);
SELECT pg_temp.try('SELECT lane FROM appt.book(''PAT-9'', ''DOC-001'', ''2026-03-16 09:00'',
	override => true)') AS one_at_a_time;
ALTER TABLE appt.appointment DROP CONSTRAINT one_at_a_time;

-- A trigger that books in its turn, and has every plan made anew.
CREATE FUNCTION pg_temp.follow_up() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	ANALYZE appt.appointment;
	PERFORM appt.book('PAT-2', 'DOC-001', NEW.slot_start + interval '15 minutes');
	RETURN NULL;
END
$$;
CREATE TRIGGER follow_up AFTER INSERT ON appt.appointment
	FOR EACH ROW WHEN (NEW.patient_id = 'PAT-1')
	EXECUTE FUNCTION pg_temp.follow_up();
SELECT pg_temp.book('PAT-1', '11:00') AS and_a_follow_up;
DROP TRIGGER follow_up ON appt.appointment;

-- One whose own booking fails, which it passes over; and none of the extension's.
CREATE FUNCTION pg_temp.in_vain() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF NEW.patient_id = 'PAT-8' THEN
		PERFORM 1 / 0;
	END IF;
	PERFORM appt.book('PAT-8', 'DOC-001', NEW.slot_start + interval '15 minutes');
	RETURN NULL;
EXCEPTION WHEN division_by_zero THEN
	IF NEW.patient_id = 'PAT-8' THEN
		RAISE;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER in_vain AFTER INSERT ON appt.appointment
	FOR EACH ROW WHEN (NEW.patient_id IN ('PAT-8', 'PAT-9'))
	EXECUTE FUNCTION pg_temp.in_vain();
CREATE FUNCTION pg_temp.whose(patient text, at text) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT patient_id || '' '' || to_char(slot_start, ''HH24:MI'')
	FROM appt.book(%L, ''DOC-001'', %L)', patient, '2026-03-18 ' || at));
SELECT pg_temp.whose('PAT-9', '09:00') AS its_own;
ALTER TRIGGER in_vain ON appt.appointment RENAME TO a_in_vain;
SELECT pg_temp.whose('PAT-9', '09:30') AS its_own;
ALTER TABLE appt.appointment DISABLE TRIGGER USER;
SELECT pg_temp.whose('PAT-9', '11:00') AS its_own;
ALTER TABLE appt.appointment ENABLE TRIGGER USER;
SELECT patient_id, slot_start, data::json ->> 'patient_id' AS told
FROM appt.appointment JOIN appt.event USING (appointment_no)
WHERE token_date = '2026-03-18'
ORDER BY slot_start;
DROP TRIGGER a_in_vain ON appt.appointment;

-- One that books before its row goes in, and then uses memory.
CREATE FUNCTION pg_temp.beforehand() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM appt.book('PAT-6', 'DOC-001', '2026-03-17 09:00');
	PERFORM count(DISTINCT repeat(md5(n::text), 50)) FROM generate_series(1, 3000) n;
	RETURN NEW;
END
$$;
CREATE INDEX by_notes ON appt.appointment USING gin (to_tsvector('simple', notes));
CREATE TRIGGER beforehand BEFORE INSERT ON appt.event
	FOR EACH ROW WHEN (NEW.data LIKE '%"PAT-7"%')
	EXECUTE FUNCTION pg_temp.beforehand();
SELECT pg_temp.try('SELECT token_number FROM appt.book(''PAT-7'', ''DOC-001'',
	''2026-03-17 09:15'', notes => ''short of breath'')') AS event_after_another;
DROP TRIGGER beforehand ON appt.event;
SELECT (appt.cancel(appointment_id, 'Again')).status
FROM appt.appointment WHERE slot_start > '2026-03-17';
CREATE TRIGGER beforehand BEFORE INSERT ON appt.appointment
	FOR EACH ROW WHEN (NEW.patient_id = 'PAT-7')
	EXECUTE FUNCTION pg_temp.beforehand();
SELECT pg_temp.try('SELECT token_number FROM appt.book(''PAT-7'', ''DOC-001'',
	''2026-03-17 09:15'', notes => ''short of breath'')') AS row_after_another;
DROP TRIGGER beforehand ON appt.appointment;
DROP INDEX appt.by_notes;
SELECT patient_id, to_char(slot_start, 'HH24:MI') AS starts, token_number
FROM appt.appointment ORDER BY slot_start, patient_id, token_number;
SELECT count(*) AS events FROM appt.event;
