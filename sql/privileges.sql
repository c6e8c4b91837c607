-- Who may call and read what: tried by each role, not read from the catalog.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

SELECT pg_temp.book('PAT-1', '2026-03-16 09:00') AS a \gset
SELECT set_config('regress.a', :'a', true) IS NOT NULL AS set;
CREATE ROLE regress_appt_admin IN ROLE appt_admin;
CREATE ROLE regress_appt_gateway IN ROLE appt_gateway;
CREATE ROLE regress_appt_relay IN ROLE appt_relay;
CREATE ROLE regress_appt_reporting IN ROLE appt_reporting;
CREATE ROLE regress_appt_nobody;
GRANT USAGE ON SCHEMA pg_temp TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_temp.try(text) TO PUBLIC;

-- "yes" if the statement goes through or fails for another reason than a
-- missing privilege; what it did is taken back.
CREATE FUNCTION pg_temp.may(who text, statement text) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	result text := 'yes';
BEGIN
	EXECUTE 'SET LOCAL ROLE regress_appt_' || who;
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION
		WHEN insufficient_privilege THEN result := '.';
		WHEN SQLSTATE 'P0099' THEN NULL;
		WHEN OTHERS THEN result := 'yes, ' || SQLSTATE;
	END;
	RESET ROLE;
	RETURN result;
END
$$;

SELECT statement, pg_temp.may('admin', statement) AS admin,
	pg_temp.may('gateway', statement) AS gateway,
	pg_temp.may('relay', statement) AS relay,
	pg_temp.may('reporting', statement) AS reporting,
	pg_temp.may('nobody', statement) AS nobody
FROM (VALUES
	(10, 'SELECT appt.clock()'),
	(11, 'SELECT appt.available_slots(''DOC-001'', ''2026-03-16'')'),
	(12, 'SELECT appt.explain_slot(''DOC-001'', ''2026-03-16 11:00'')'),
	(13, 'SELECT appt.book(''PAT-2'', ''DOC-001'', ''2026-03-16 11:00'')'),
	(14, 'SELECT appt.hold(''DOC-001'', ''2026-03-16 11:00'')'),
	(15, 'SELECT appt.release(''hold_x'')'),
	(16, 'SELECT appt.walk_in(''PAT-2'', ''DOC-001'')'),
	(17, 'SELECT appt.reschedule(current_setting(''regress.a''), '
		'''2026-03-16 11:00'')'),
	(18, 'SELECT appt.cancel(current_setting(''regress.a''), ''x'')'),
	(19, 'SELECT appt.no_show(current_setting(''regress.a''))'),
	(20, 'SELECT appt.queue(''DOC-001'')'),
	(21, 'SELECT appt.call_next(''DOC-001'')'),
	(22, 'SELECT appt.history(current_setting(''regress.a''))'),
	(23, 'SELECT appt.expire()'),
	(24, 'SELECT appt_internal.new_id(''x'')'),
	(25, 'SELECT appt_internal.json_time(now(), ''UTC'')'),
	(26, 'SELECT appt_internal.is_time_zone(''UTC'')'),
	(27, 'SELECT appt_internal.idempotency_begin(''x'', ''x'', ''x'', ''x'')'),
	(28, 'SELECT appt_internal.idempotency_finish(''x'', ''x'', ''x'', ''x'', ''x'', 1, '
		'''x'')'),
	(29, 'SELECT appt_internal.client_branches(''x'')'),
	(30, 'SELECT appt_internal.client_sees(''x'', ''x'')'),
	(31, 'SELECT appt_internal.instant(''2026-03-16'', ''09:00'', ''UTC'')'),
	(40, 'SELECT appt_api.slots(''DOC-001'', ''2026-03-16'', ''MUM-01'', NULL, '
		'NULL)'),
	(41, 'SELECT appt_api.get_appointment(current_setting(''regress.a''))'),
	(42, 'SELECT appt_api.cancel(current_setting(''regress.a''), ''x'', NULL, NULL)'),
	(43, 'SELECT appt_api.list_appointments(NULL, NULL, NULL, NULL, NULL, '
		'NULL, NULL, NULL)'),
	(44, 'SELECT appt_api.queue(''DOC-001'', NULL)'),
	(60, 'TABLE appt.appointment'),
	(61, 'TABLE appt.event'),
	(62, 'TABLE appt.doctor_day'),
	(63, 'TABLE appt.idempotency'),
	(64, 'TABLE appt.patient'),
	(65, 'TABLE appt.working_hours'),
	(66, 'TABLE appt.api_client'),
	(67, 'TABLE appt.webhook_secret'),
	(70, 'INSERT INTO appt.patient (first_name) VALUES (''New'')'),
	(71, 'UPDATE appt.patient SET phone = ''+91 00000 00000'''),
	(72, 'INSERT INTO appt.branch VALUES (''X'', ''X'', ''UTC'')'),
	(73, 'INSERT INTO appt.time_off (doctor_id, starts_at, ends_at) VALUES '
		'(''DOC-001'', ''2026-04-16'', ''2026-04-17'')'),
	(74, 'INSERT INTO appt.setting (name, value) VALUES (''hold_min'', ''6'')'),
	(75, 'UPDATE appt.setting_definition SET max_value = 0'),
	(80, 'UPDATE appt.appointment SET status = ''booked'''),
	(81, 'DELETE FROM appt.appointment'),
	(82, 'UPDATE appt.doctor_day SET last_token = 0'),
	(83, 'SELECT nextval(''appt.appointment_no_seq'')'),
	(84, 'SELECT setval(''appt.patient_id_seq'', 1)'),
	(85, 'CREATE TABLE appt.mine ()'),
	(86, 'CREATE FUNCTION appt_api.mine() RETURNS int LANGUAGE sql RETURN 1'),
	(87, 'ALTER TABLE appt.appointment DROP CONSTRAINT appointment_no_overlap'),
	(88, 'ALTER TABLE appt.patient DISABLE TRIGGER ALL')
	) v (n, statement)
ORDER BY n;

-- A table of the same name in the caller's path, or in pg_temp, misleads no
-- function.
CREATE SCHEMA regress_appt_trap;
CREATE TABLE regress_appt_trap.appointment (a int);
CREATE TABLE pg_temp.appointment (a int);
CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE sql RETURN 'trap';
SET LOCAL search_path = pg_temp, regress_appt_trap, appt;
SELECT status FROM appt.book('PAT-3', 'DOC-001', '2026-03-16 11:15');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-16');
SELECT (body::json->0)->>'status' FROM appt_api.list_appointments('DOC-001',
	NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- Nor does an operator before the server's own.  The list has every statement
-- to run that it knows: the configuration has changed, a day's limit is set,
-- the index is away.
CREATE FUNCTION regress_appt_trap.spring(text, text)
	RETURNS boolean LANGUAGE plpgsql
	AS $$BEGIN RAISE EXCEPTION 'trapped as %', current_user; END$$;
CREATE OPERATOR regress_appt_trap.= (FUNCTION = regress_appt_trap.spring,
	LEFTARG = text, RIGHTARG = text);
INSERT INTO appt.setting (name, value) VALUES ('doctor_daily_limit', '9');
DROP INDEX appt.appointment_slot;
SET LOCAL search_path = regress_appt_trap, pg_catalog;
SELECT 'a'::text = 'a'::text;
SELECT pg_catalog.left(body, 54) FROM appt_api.slots('DOC-001', '2026-03-16',
	'MUM-01', NULL, NULL);
SHOW search_path;

ROLLBACK;
