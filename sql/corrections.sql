-- What the desk puts right: with override and a reason, and always recorded.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- What happened to an appointment after it was booked.
CREATE FUNCTION pg_temp.log(id text)
	RETURNS TABLE (event text, change text, reason text, status text,
		token integer)
	LANGUAGE sql
AS $$
	SELECT h.event_type, h.change, h.reason, h.status, h.token_number
	FROM appt.history(id) h
	WHERE h.version > 1
$$;

-- Cancelled inside the window, after the start, and the day after.
SELECT pg_temp.book('PAT-1', '2026-03-16 11:00') AS a \gset
SELECT pg_temp.book('PAT-2', '2026-03-16 11:15') AS b \gset
SELECT pg_temp.book('PAT-3', '2026-03-16 11:30') AS c \gset
SET LOCAL bioecko_appt.clock = '2026-03-16 10:00+05:30';
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''Ill'')', :'a'));
SELECT pg_temp.try(format('SELECT appt.cancel(%L, %L, override => true)', :'a',
	reason)) FROM unnest(ARRAY[NULL, ' ']) reason;
SELECT status, reason FROM appt.cancel(:'a', 'Ill', override => true);
SELECT * FROM pg_temp.log(:'a');
SELECT pg_temp.book('PAT-4', '2026-03-16 11:00') AS d \gset
SET LOCAL bioecko_appt.clock = '2026-03-16 11:40+05:30';
SELECT status FROM appt.cancel(:'b', 'Doctor ill', override => true);
SET LOCAL bioecko_appt.clock = '2026-03-17 08:00+05:30';
SELECT status FROM appt.cancel(:'c', 'Doctor ill', override => true);
-- Override that was not needed is not recorded as one.
SELECT pg_temp.book('PAT-1', '2026-03-20 09:00') AS e \gset
SELECT status FROM appt.cancel(:'e', 'In time', override => true);
SELECT reason FROM pg_temp.log(:'e');
-- What is over is not cancelled even so.
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''x'', override => true)',
	appointment_id)), status
FROM appt.correct(:'d', 'completed', 'Was here', override => true);

-- Moved when it has begun: at 09:05 from 09:00.
SELECT pg_temp.book('PAT-5', '2026-03-17 09:00') AS f \gset
SET LOCAL bioecko_appt.clock = '2026-03-17 09:05+05:30';
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, ''2026-03-17 09:15'')',
	:'f'));
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, ''2026-03-17 09:15'', '
	'override => true)', :'f'));
SELECT slot_start, token_number, override FROM appt.reschedule(:'f',
	'2026-03-17 09:15', reason => 'Late', override => true);
-- From checked_in, that day: still there, with the number; to a time beside
-- the rules, which the row says; and back.
SELECT status FROM appt.check_in(:'f');
SELECT status FROM appt.skip(:'f');
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, ''2026-03-17 11:15'')',
	:'f'));
SELECT status, token_number, override, skipped_at IS NOT NULL AS skipped
FROM appt.reschedule(:'f', '2026-03-17 10:30', reason => 'Doctor called away',
	override => true);
SELECT status, override, checked_in_at FROM appt.reschedule(:'f',
	'2026-03-17 11:15', reason => 'As asked', override => true);
-- To another day: to come, with a number of that day.
SELECT pg_temp.book('PAT-6', '2026-03-18 09:00') AS g \gset
SELECT status, token_number, token_date, checked_in_at, skipped_at
FROM appt.reschedule(:'f', '2026-03-18 09:15', reason => 'Too long',
	override => true);
SELECT * FROM pg_temp.log(:'f');
-- Not what is cancelled.
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, ''2026-03-18 09:30'', '
	'reason => ''x'', override => true)', :'a'));

-- Corrections of the status: from each to each. A dot is a refusal, v the
-- version; the times are those of what has happened then.
SET LOCAL bioecko_appt.clock = '2026-03-19 08:00+05:30';
CREATE FUNCTION pg_temp.make(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text := pg_temp.book('PAT-1', '2026-03-19 11:00');
BEGIN
	SET LOCAL bioecko_appt.clock = '2026-03-19 10:50+05:30';
	CASE wanted
		WHEN 'booked' THEN NULL;
		WHEN 'checked_in' THEN PERFORM appt.check_in(id);
		WHEN 'in_consultation' THEN
			PERFORM appt.check_in(id), appt.start(id);
		WHEN 'completed' THEN
			PERFORM appt.check_in(id), appt.start(id), appt.complete(id);
		WHEN 'cancelled' THEN
			PERFORM appt.cancel(id, 'Asked', override => true);
		WHEN 'no_show' THEN
			SET LOCAL bioecko_appt.clock = '2026-03-19 11:20+05:30';
			PERFORM appt.no_show(id);
	END CASE;
	RETURN id;
END
$$;
CREATE FUNCTION pg_temp.outcome(state text, wanted text) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	result text;
	a appt.appointment;
BEGIN
	BEGIN
		result := pg_temp.make(state);
		SET LOCAL bioecko_appt.clock = '2026-03-20 08:00+05:30';
		a := appt.correct(result, wanted, 'Wrong', override => true);
		result := concat_ws(' ', 'v' || a.version, 't' || a.token_number,
			'in ' || to_char(a.checked_in_at, 'DD'),
			'st ' || to_char(a.started_at, 'DD'),
			'end ' || to_char(a.completed_at, 'DD'));
		RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = result;
	EXCEPTION WHEN OTHERS THEN
		result := CASE SQLSTATE WHEN 'P0099' THEN SQLERRM
			WHEN 'SB930' THEN '.' ELSE SQLSTATE || ' ' || SQLERRM END;
	END;
	RETURN result;
END
$$;
SELECT state AS "from",
	pg_temp.outcome(state, 'booked') AS booked,
	pg_temp.outcome(state, 'checked_in') AS checked_in,
	pg_temp.outcome(state, 'in_consultation') AS in_consultation,
	pg_temp.outcome(state, 'completed') AS completed,
	pg_temp.outcome(state, 'no_show') AS no_show
FROM unnest('{booked,checked_in,in_consultation,completed,cancelled,no_show}'
	::text[]) state;

-- On purpose only, to what there is, and not before its time.
SELECT pg_temp.make('no_show') AS h \gset
CREATE FUNCTION pg_temp.refused(id text, arguments text) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format('SELECT appt.correct(%L, %s)', id, arguments));
SELECT arguments, pg_temp.refused(:'h', arguments)
FROM unnest(ARRAY['''booked'', ''Wrong''',
	'''booked'', NULL, override => true', '''booked'', '' '', override => true',
	'NULL, ''Wrong'', override => true',
	'''cancelled'', ''Wrong'', override => true',
	'''held'', ''Wrong'', override => true',
	'''booked'', ''Wrong'', 1, override => true']) arguments;
SELECT pg_temp.book('PAT-7', '2026-03-23 11:00') AS i \gset
SELECT wanted, pg_temp.refused(:'i', format('%L, ''x'', override => true',
	wanted))
FROM unnest('{checked_in,in_consultation,completed,no_show}'::text[]) wanted;
SELECT pg_temp.refused('APT-2026-999999', '''booked'', ''x'', override => true');

-- A wrong no-show is taken back to its place; beside it, if somebody has that.
SELECT pg_temp.book('PAT-8', '2026-03-19 11:30') AS j \gset
SET LOCAL bioecko_appt.clock = '2026-03-19 11:30+05:30';
SELECT status FROM appt.no_show(:'j');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-19');
SELECT status, lane, token_number FROM appt.correct(:'j', 'booked', 'Mistake',
	override => true);
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-19');
SELECT status FROM appt.no_show(:'j');
SELECT pg_temp.book('PAT-9', '2026-03-19 11:30') AS k \gset
SELECT status, lane, token_number FROM appt.correct(:'j', 'checked_in', 'Came',
	override => true);
SELECT * FROM pg_temp.log(:'j');
-- To what it is already: unchanged.
SELECT version FROM appt.correct(:'j', 'checked_in', 'Again', override => true);
-- Not if the patient is with somebody else then.
SELECT status FROM appt.no_show(:'k');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-002', 'Dr Khan');
SELECT status FROM appt.book('PAT-9', 'DOC-002', '2026-03-19 11:30',
	'2026-03-19 11:45', override => true);
SELECT pg_temp.refused(:'k', '''booked'', ''x'', override => true');
-- A doctor who has left, and a branch: what was is put right all the same.
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-001';
SET LOCAL bioecko_appt.clock = '2026-03-25 08:00+05:30';
SELECT status, token_number FROM appt.correct(:'h', 'completed', 'Was here',
	override => true);
UPDATE appt.doctor SET active = true;
-- The queue has who is there again.
SELECT token_number, appointment_id = :'j' AS is_j, status
FROM appt.queue('DOC-001', '2026-03-19');

-- Texts and visit type; what is not given stays, an empty text is none.
SELECT pg_temp.book('PAT-1', '2026-03-26 09:00') AS l \gset
SELECT notes, visit_type, version FROM appt.edit(:'l', notes => 'Fasting');
SELECT notes, visit_type, version
FROM appt.edit(:'l', visit_type => 'new_consultation', reason => 'Asked for');
SELECT notes, visit_type, version FROM appt.edit(:'l', notes => 'Fasting');
SELECT notes, visit_type, version FROM appt.edit(:'l', notes => '',
	visit_type => '');
-- The gateway's form takes an object and nothing else.
SELECT pg_temp.try(format('SELECT appt_api.edit(%L, %L, NULL)', :'l', changes))
FROM unnest('{NULL,"[]","[\"notes\",1]",7,"null","\"notes\""}'::text[]) changes;
CREATE FUNCTION pg_temp.edit(id text, arguments text) RETURNS text
	LANGUAGE sql
RETURN pg_temp.try(format('SELECT appt.edit(%L, %s)', id, arguments));
SELECT arguments, pg_temp.edit(:'l', arguments)
FROM unnest(ARRAY['visit_type => ''dance''', 'visit_type => ''procedure''',
	'expected_version => 1']) arguments;
SELECT pg_temp.edit(:'l', 'notes => ''' || repeat('x', 4001) || '''') AS long;
SELECT visit_type, slot_end - slot_start AS length
FROM appt.edit(:'l', visit_type => 'procedure', override => true);

-- The right one of two namesakes: with override, and where no visits overlap.
SELECT pg_temp.edit(:'l', 'patient_id => ''PAT-2''') AS plain;
SELECT pg_temp.edit(:'l', 'patient_id => ''PAT-2'', override => true') AS mute;
SELECT pg_temp.edit(:'l', 'patient_id => ''PAT-99'', override => true, '
	'reason => ''x''') AS unknown;
SELECT patient_id, token_number, version FROM appt.edit(:'l',
	patient_id => 'PAT-2', reason => 'Namesake', override => true);
-- The same again: unchanged, and no override needed.
SELECT version FROM appt.edit(:'l', patient_id => 'PAT-2');
SELECT event_type, change, reason, patient_id_before, patient_id
FROM appt.history(:'l') ORDER BY version DESC LIMIT 1;
SELECT status FROM appt.book('PAT-3', 'DOC-002', '2026-03-26 09:10',
	'2026-03-26 09:20', override => true);
SELECT pg_temp.edit(:'l', 'patient_id => ''PAT-3'', override => true, '
	'reason => ''x''') AS elsewhere;
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-2', '2026-03-26 09:00')$$);
-- Of what is over, too; not of what is cancelled.
SET LOCAL bioecko_appt.clock = '2026-03-26 12:00+05:30';
SELECT status FROM appt.correct(:'l', 'completed', 'Forgotten',
	override => true);
SELECT patient_id FROM appt.edit(:'l', patient_id => 'PAT-3',
	reason => 'Namesake', override => true);
SELECT pg_temp.edit(:'a', 'notes => ''x''');

-- The JSON form: null takes away, what is missing stays.
SELECT appt.create_client('Desk', id => 'c_desk') IS NOT NULL AS made;
SELECT pg_temp.book('PAT-1', '2026-03-27 09:00') AS m \gset
SELECT body::jsonb->>'notes' AS notes, version, replayed
FROM appt_api.edit(:'m', '{"notes": " Asthma ", "visit_type": "new_consultation"}',
	1, 'c_desk', 'k', 'h');
SELECT body::jsonb->>'notes' AS notes, version, replayed
FROM appt_api.edit(:'m', '{"notes": " Asthma ", "visit_type": "new_consultation"}',
	1, 'c_desk', 'k', 'h');
SELECT body::jsonb->>'notes' AS notes, body::jsonb->>'visit_type' AS visit_type
FROM appt_api.edit(:'m', '{"notes": null}', 2, 'c_desk');
SELECT body::jsonb->>'patient_id' AS patient FROM appt_api.edit(:'m',
	'{"patient_id": "PAT-4", "override": true, "reason": "Namesake"}', NULL,
	'c_desk');
SET LOCAL bioecko_appt.clock = '2026-03-27 12:00+05:30';
SELECT body::jsonb->>'status' AS status, version FROM appt_api.correct(:'m',
	'completed', 'Forgotten', true, NULL, 'c_desk', 'k', 'h');
SELECT body::jsonb->>'status' AS status, replayed FROM appt_api.correct(:'m',
	'completed', 'Forgotten', true, NULL, 'c_desk', 'k', 'h');
SELECT pg_temp.try(format('SELECT appt_api.edit(%L, ''{}'', 1, ''c_desk'')',
	:'m'));

-- A hold becomes the new place, whole.
SET LOCAL bioecko_appt.clock = '2026-03-28 08:00+05:30';
SELECT pg_temp.book('PAT-1', '2026-03-30 09:00') AS n \gset
SELECT appointment_id AS hold FROM appt.hold('DOC-001', '2026-03-31 09:00',
	'2026-03-31 09:30') \gset
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, %L, hold_id => %L)', :'n',
	at, :'hold')) FROM unnest('{2026-03-31 09:15,2026-04-01 09:00}'::text[]) at;
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, %L, %L, hold_id => %L)',
	:'n', '2026-03-31 09:00', '2026-03-31 09:15', :'hold'));
SELECT slot_start, slot_end, token_number, reschedule_count
FROM appt.reschedule(:'n', '2026-03-31 09:00', hold_id => :'hold');
SELECT count(*) FROM appt.appointment WHERE status = 'held';
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, %L, hold_id => %L)', :'n',
	'2026-03-31 11:00', :'hold')) ~ '^SB940' AS once;
SELECT appointment_id AS hold FROM appt.hold('DOC-001', '2026-04-01 09:00') \gset
SET LOCAL bioecko_appt.clock = '2026-03-28 08:05+05:30';
SELECT pg_temp.try(format('SELECT appt.reschedule(%L, %L, hold_id => %L)', :'n',
	'2026-04-01 09:00', :'hold')) ~ '^SB940' AS expired;
SELECT slot_start FROM appt.appointment WHERE appointment_id = :'n';

-- So many holds an API client may have at a time; others as many as they like.
INSERT INTO appt.setting (name, value) VALUES ('holds_per_client', '2');
CREATE FUNCTION pg_temp.hold(at text, client text) RETURNS text LANGUAGE sql
RETURN pg_temp.try(format(
	'SELECT length(id) FROM appt_api.hold(''DOC-001'', %L, NULL, NULL, NULL, %L)',
	at, client));
SELECT pg_temp.hold('2026-04-02 09:00', 'c_desk');
SELECT pg_temp.hold('2026-04-02 09:15', 'c_desk');
SELECT pg_temp.hold('2026-04-02 09:30', 'c_desk');
SELECT count(appt.hold('DOC-001', at))
FROM unnest('{2026-04-02 09:30,2026-04-02 09:45,2026-04-02 11:00}'
	::timestamptz[]) at;
SELECT appt.explain_slot('DOC-001', '2026-04-02 09:00');
SELECT appt.explain_slot('DOC-001', '2026-04-02 09:30');
-- One that is used, released or expired counts no more.
SELECT status FROM appt.book('PAT-2', 'DOC-001', '2026-04-02 09:00',
	hold_id => (SELECT appointment_id FROM appt.appointment
		WHERE held_by = 'c_desk' ORDER BY slot_start LIMIT 1));
SELECT pg_temp.hold('2026-04-02 11:15', 'c_desk');
SELECT pg_temp.hold('2026-04-02 11:30', 'c_desk');
SET LOCAL bioecko_appt.clock = '2026-03-28 08:10+05:30';
SELECT pg_temp.hold('2026-04-02 11:30', 'c_desk');
SELECT pg_temp.try($$INSERT INTO appt.setting (name, branch_id, value)
	VALUES ('holds_per_client', 'MUM-01', '3')$$);

ROLLBACK;
