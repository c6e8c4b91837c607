-- A DBA changes the definition of the extension's tables: every booking goes by
-- what holds now, and what cannot be is refused with its name.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

CREATE FUNCTION pg_temp.book(patient text, at text, notes text DEFAULT NULL) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT token_number || coalesce('' '' || notes, '''') FROM appt.book(%L, %L, %L, notes => %L)',
	patient, 'DOC-001', '2026-03-16 ' || at, notes));
SELECT pg_temp.book('PAT-1', '09:00') AS before_all_that;

-- No function stands in the way of a change to a column: a body that was parsed
-- when the function was made would depend on it.
SELECT p.oid::regprocedure AS function, c.oid::regclass AS relation, a.attname
FROM pg_depend d
JOIN pg_proc p ON p.oid = d.objid
JOIN pg_class c ON c.oid = d.refobjid AND c.relnamespace = 'appt'::regnamespace
	AND c.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass
	AND a.attnum > 0
ORDER BY 1, 2, 3;
SAVEPOINT channels;
INSERT INTO appt.notification_channel (channel_id, kind, settings, callback_secret)
VALUES ('sms', 'sms', '{"url": "https://sms.example/", "body": {}, "callback": {
	"signature": "token", "url": "https://c.example/r", "id": ["a"], "status": ["b"]}}',
	'sixteen-of-those');
CREATE FUNCTION pg_temp.shown() RETURNS TABLE (callback_url text, channel jsonb, patient text)
	LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
	SELECT appt_internal.callback_url(c),
		appt_internal.notification_channel_json(c, NULL)::jsonb -> 'has_callback_secret',
		appt_internal.patient_json(p, NULL)::jsonb ->> 'patient_id'
	FROM appt.notification_channel c, appt.patient p
	WHERE p.patient_id = 'PAT-1';
END
$$;
-- PostgreSQL 18 keeps the plans of such functions as long as the session lasts.
SELECT current_setting('server_version_num')::integer < 180000 AS plans_are_made_anew \gset
\if :plans_are_made_anew
SELECT FROM pg_temp.shown() \gset
\endif
ALTER TABLE appt.notification_channel ALTER COLUMN secret TYPE varchar(2000),
	ALTER COLUMN callback_secret TYPE varchar(1000), ALTER COLUMN active DROP DEFAULT;
ALTER TABLE appt.patient ALTER COLUMN insurance_provider TYPE varchar(200),
	ALTER COLUMN aadhaar TYPE varchar(20);
SELECT * FROM pg_temp.shown();
ROLLBACK TO channels;

-- Columns more, and columns less.
SAVEPOINT columns;
ALTER TABLE appt.appointment ADD COLUMN insurance_no text DEFAULT 'none';
ALTER TABLE appt.appointment ADD COLUMN minutes numeric
	GENERATED ALWAYS AS (extract(epoch FROM slot_end - slot_start) / 60) STORED;
ALTER TABLE appt.event ADD COLUMN seen_by text;
ALTER TABLE appt.event ADD COLUMN length integer GENERATED ALWAYS AS (length(data)) STORED;
ALTER TABLE appt.doctor_day ADD COLUMN room text;
ALTER TABLE appt.patient ADD COLUMN insured_by text;
SELECT pg_temp.book('PAT-2', '09:15') AS more_columns;
SELECT insurance_no, minutes::integer, e.seen_by, e.length = length(e.data) AS generated
FROM appt.appointment a JOIN appt.event e USING (appointment_no)
WHERE patient_id = 'PAT-2';
SELECT (appt.reschedule(appointment_id, '2026-03-16 09:30')).minutes::integer AS moved
FROM appt.appointment WHERE patient_id = 'PAT-2';
SELECT (appt.cancel(appointment_id, 'Again')).status
FROM appt.appointment WHERE patient_id = 'PAT-2';
ALTER TABLE appt.appointment DROP COLUMN insurance_no, DROP COLUMN minutes;
ALTER TABLE appt.event DROP COLUMN seen_by, DROP COLUMN length;
ALTER TABLE appt.doctor_day DROP COLUMN room;
ALTER TABLE appt.patient DROP COLUMN insured_by;
SELECT pg_temp.book('PAT-3', '09:15') AS dropped_again;
SELECT pg_temp.try('UPDATE appt.appointment SET lane = 64') AS invariants_hold;
SELECT appt.appointment_json(a)::jsonb ->> 'patient_id' AS json_of
FROM appt.appointment a WHERE patient_id = 'PAT-3';
ALTER TABLE appt.appointment RENAME COLUMN priority TO urgency;
SELECT pg_temp.book('PAT-4', '09:45') AS renamed;
ALTER TABLE appt.appointment RENAME COLUMN urgency TO priority;
SELECT pg_temp.book('PAT-4', '09:45') AS renamed_back;
ALTER TABLE appt.appointment RENAME COLUMN confirmed_at TO promised_at;
SELECT pg_temp.try('UPDATE appt.appointment SET notes = notes') AS not_to_be_judged;
ROLLBACK TO columns;

-- An archive of the same columns; the invariants are the table's own.
CREATE TABLE pg_temp.archive (LIKE appt.appointment INCLUDING DEFAULTS);
INSERT INTO pg_temp.archive SELECT * FROM appt.appointment;
SELECT pg_temp.try('CREATE TABLE pg_temp.copy (LIKE appt.appointment INCLUDING ALL)');

-- A CHECK that is given the whole row, while bookings go on through cursors.
CREATE FUNCTION public.row_ok(a appt.appointment) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN a.notes IS DISTINCT FROM 'no'; END $$;
ALTER TABLE appt.appointment ADD CONSTRAINT row_ok CHECK (public.row_ok(appointment));
SELECT token_number FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 09:45');
DECLARE one CURSOR FOR
	SELECT count(*) > 0 FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid;
DECLARE two CURSOR FOR SELECT count(*) > 0 FROM pg_proc;
DECLARE three CURSOR FOR
	SELECT b.token_number FROM generate_series(0, 45, 15) AS m,
		appt.book('PAT-1', 'DOC-001',
			'2026-03-17 09:00+05:30'::timestamptz + m * interval '1 minute') AS b;
FETCH one;
FETCH two;
SELECT token_number FROM appt.book('PAT-5', 'DOC-001', '2026-03-16 11:00');
FETCH three;
CLOSE two;
FETCH three;
CLOSE three;
SELECT token_number FROM appt.book('PAT-2', 'DOC-001', '2026-03-17 11:00');
SELECT pg_temp.book('PAT-5', '11:15', 'no') AS refused_by_the_row;
ALTER TABLE appt.appointment DROP CONSTRAINT row_ok;

-- A function in a CHECK that is replaced: by a stricter one, in another language.
CREATE FUNCTION public.notes_ok(notes text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE
AS $$ BEGIN RETURN true; END $$;
ALTER TABLE appt.appointment ADD CONSTRAINT notes_ok CHECK (public.notes_ok(notes));
SELECT pg_temp.book('PAT-6', '11:15', 'allowed') AS before_it_is_replaced;
CREATE OR REPLACE FUNCTION public.notes_ok(notes text) RETURNS boolean
	LANGUAGE sql IMMUTABLE
AS $$ SELECT coalesce(notes, '') <> 'allowed' $$;
SELECT pg_temp.book('PAT-7', '11:30', 'allowed') AS after;
SELECT pg_temp.book('PAT-7', '11:30', 'another') AS after;
ALTER TABLE appt.appointment DROP CONSTRAINT notes_ok;

-- Domains, and what is added to one.
CREATE DOMAIN public.remark AS text;
CREATE DOMAIN public.minutes AS smallint;
ALTER TABLE appt.event ALTER COLUMN reason TYPE public.remark;
ALTER TABLE appt.appointment ALTER COLUMN buffer_after_min TYPE public.minutes;
SELECT pg_temp.book('PAT-8', '11:45') AS of_domains;
CREATE FUNCTION pg_temp.cancel(patient text, why text) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT (appt.cancel(appointment_id, %L)).status
	FROM appt.appointment WHERE patient_id = %L AND status = ''booked'' ', why, patient));
ALTER DOMAIN public.remark ADD CONSTRAINT remark_short CHECK (length(value) < 12);
ALTER DOMAIN public.minutes ADD CONSTRAINT minutes_few CHECK (value < 12);
SELECT pg_temp.cancel('PAT-8', 'Longer than that') AS too_long;
SELECT pg_temp.cancel('PAT-8', 'Short') AS short;
UPDATE appt.doctor SET buffer_after_min = 15;
SELECT pg_temp.book('PAT-8', '11:45') AS too_many_minutes;
UPDATE appt.doctor SET buffer_after_min = 0;
ALTER TABLE appt.event ALTER COLUMN reason TYPE text;
ALTER TABLE appt.appointment ALTER COLUMN buffer_after_min TYPE smallint;

-- Other types: what PostgreSQL converts is stored, what not is refused by name.
ALTER TABLE appt.event ALTER COLUMN reason TYPE varchar(10);
SELECT pg_temp.cancel('PAT-7', 'Longer than that') AS too_long;
SELECT pg_temp.cancel('PAT-7', 'Short') AS fits;
SAVEPOINT of_jsonb;
ALTER TABLE appt.event ALTER COLUMN data TYPE jsonb USING data::jsonb;
SELECT pg_temp.book('PAT-9', '11:45') AS to_jsonb;
SELECT data ->> 'status' AS still_readable FROM appt.event ORDER BY event_no DESC LIMIT 1;
ROLLBACK TO of_jsonb;
SAVEPOINT of_integer;
ALTER TABLE appt.appointment ALTER COLUMN buffer_before_min TYPE integer;
SELECT pg_temp.book('PAT-9', '09:30') AS to_integer;
SELECT pg_temp.cancel('PAT-6', 'Again') AS nor_cancelled;
ROLLBACK TO of_integer;
SELECT pg_temp.book('PAT-9', '09:30') AS as_it_was;

-- The doctor's day: its triggers fire, its CHECKs are asked.
CREATE TABLE pg_temp.seen (no integer GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION pg_temp.watch_day() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.seen (what)
	VALUES (format('%s %s %s -> %s', TG_OP, TG_LEVEL, OLD.last_token, NEW.last_token));
	RETURN NULL;
END
$$;
CREATE TRIGGER watch_day AFTER UPDATE ON appt.doctor_day
	FOR EACH ROW EXECUTE FUNCTION pg_temp.watch_day();
CREATE FUNCTION pg_temp.watch_rows() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.seen (what)
	SELECT format('%s %s %s: token %s', TG_OP, TG_LEVEL, TG_TABLE_NAME,
		string_agg(to_jsonb(c) ->> 'token_number', ', '))
	FROM changed c;
	RETURN NULL;
END
$$;
CREATE TRIGGER watch_rows AFTER INSERT ON appt.appointment
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.watch_rows();
SELECT pg_temp.book('PAT-7', '11:45') AS watched;
SELECT what FROM pg_temp.seen ORDER BY no;
ALTER TABLE appt.doctor_day ADD CONSTRAINT few_tokens CHECK (last_token <= 3) NOT VALID;
SELECT pg_temp.book('PAT-0', '11:30') AS too_many;
ALTER TABLE appt.doctor_day DROP CONSTRAINT few_tokens;
DROP TRIGGER watch_day ON appt.doctor_day;
DROP TRIGGER watch_rows ON appt.appointment;

-- Rules: beside the row, and instead of it, which leaves nothing half done.
CREATE TABLE pg_temp.log (what text);
GRANT INSERT ON pg_temp.log TO appt_owner;
CREATE RULE beside AS ON INSERT TO appt.appointment
	DO ALSO INSERT INTO pg_temp.log VALUES (NEW.patient_id || ' is ' || NEW.status);
CREATE RULE beside AS ON INSERT TO appt.event
	DO ALSO INSERT INTO pg_temp.log VALUES (NEW.event_type);
SELECT pg_temp.book('PAT-0', '11:30') AS beside;
SELECT what FROM pg_temp.log ORDER BY what;
CREATE RULE instead AS ON INSERT TO appt.event WHERE NEW.reason = 'walk-in'
	DO INSTEAD NOTHING;
SELECT pg_temp.try('SELECT status FROM appt.walk_in(''PAT-2'', ''DOC-001'')') AS instead;
DROP RULE beside ON appt.appointment;
DROP RULE beside ON appt.event;
DROP RULE instead ON appt.event;

-- Row security that the owner of the functions obeys, too.
ALTER TABLE appt.appointment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY early ON appt.appointment
	USING (true) WITH CHECK (slot_start < '2026-03-16 11:50+05:30');
SELECT pg_temp.cancel('PAT-0', 'Again') AS early;
SELECT pg_temp.book('PAT-0', '11:30') AS early;
SELECT pg_temp.try('SELECT status FROM appt.book(''PAT-2'', ''DOC-001'', ''2026-03-19 09:30'')')
	AS late;
ALTER TABLE appt.patient ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON appt.patient USING (patient_id <> 'PAT-3');
SELECT pg_temp.book('PAT-3', '09:15') AS not_seen;
SELECT pg_temp.book('PAT-4', '09:15') AS seen;

-- Whatever was done: a number is its own patient's, and no token was lost.
SELECT count(*) FILTER (WHERE a.patient_id <> p.patient_id) AS of_another
FROM appt.appointment a JOIN appt.patient p USING (patient_no);
SELECT d.on_date, d.last_token, array_agg(a.token_number ORDER BY a.token_number) AS tokens
FROM appt.doctor_day d
JOIN appt.appointment a ON a.doctor_no = d.doctor_no AND a.token_date = d.on_date
GROUP BY 1, 2 ORDER BY 1;
