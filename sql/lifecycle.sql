-- The states of an appointment: every change from every state, as a matrix.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set fixture :srcdir '/sql/fixture/clinic.sql'
\i :fixture
\set ECHO all

-- An appointment in the given state, on today's 11:00, which it is.
INSERT INTO appt.setting (name, value) VALUES ('cancellation_window_min', '0');
SET LOCAL bioecko_appt.clock = '2026-03-16 11:00+05:30';
CREATE FUNCTION pg_temp.make(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text := pg_temp.book('PAT-1', '2026-03-16 11:00');
BEGIN
	CASE wanted
		WHEN 'booked' THEN NULL;
		WHEN 'checked_in' THEN PERFORM appt.check_in(id);
		WHEN 'in_consultation' THEN
			PERFORM appt.check_in(id), appt.start(id);
		WHEN 'completed' THEN
			PERFORM appt.check_in(id), appt.complete(id);
		WHEN 'cancelled' THEN PERFORM appt.cancel(id, 'Asked');
		WHEN 'no_show' THEN PERFORM appt.no_show(id);
	END CASE;
	RETURN id;
END
$$;

-- Tries one change on a fresh appointment and takes everything back.
CREATE FUNCTION pg_temp.outcome(state text, call text) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		EXECUTE format('SELECT status || '' v'' || version FROM appt.'
			|| call, pg_temp.make(state)) INTO result;
		RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = result;
	EXCEPTION WHEN OTHERS THEN
		result := CASE SQLSTATE WHEN 'P0099' THEN SQLERRM
			WHEN 'SB930' THEN '.' ELSE SQLSTATE || ' ' || SQLERRM END;
	END;
	RETURN result;
END
$$;

-- A dot is SB930; v says the version: one that is cancelled stays as it is.
SELECT call,
	pg_temp.outcome('booked', call) AS booked,
	pg_temp.outcome('checked_in', call) AS checked_in,
	pg_temp.outcome('in_consultation', call) AS in_consultation,
	pg_temp.outcome('completed', call) AS completed,
	pg_temp.outcome('cancelled', call) AS cancelled,
	pg_temp.outcome('no_show', call) AS no_show
FROM unnest(ARRAY['confirm(%L)', 'check_in(%L)', 'undo_check_in(%L)',
	'start(%L)', 'complete(%L)', 'no_show(%L)', 'cancel(%L, ''Asked'')',
	'reschedule(%L, ''2026-03-16 11:15'')', 'skip(%L)', 'recall(%L)',
	'set_priority(%L, 5)'])
	WITH ORDINALITY c (call, n)
ORDER BY n;

-- The refusal says what the state is.
SELECT pg_temp.make('completed') AS a \gset
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''Asked'')', :'a'));
SELECT verb, pg_temp.try(format('SELECT appt.' || verb || '(%L)', :'a'))
FROM unnest('{confirm,check_in,undo_check_in,start,no_show,skip,
	recall}'::text[]) verb;

-- A patient says that he will come: once, until the visit is over. A move takes
-- it back, and so does another patient; nothing else does.
DELETE FROM appt.setting;
SET LOCAL bioecko_appt.clock = '2026-03-16 07:00+05:30';
SELECT pg_temp.book('PAT-2', '2026-03-17 11:00') AS k \gset
SELECT confirmed_at, version FROM appt.confirm(:'k');
SET LOCAL bioecko_appt.clock = '2026-03-16 07:30+05:30';
SELECT confirmed_at, version FROM appt.confirm(:'k', 2);
SELECT pg_temp.try(format('SELECT appt.confirm(%L, 1)', :'k'));
SELECT confirmed_at FROM appt.edit(:'k', 'A note');
SELECT confirmed_at FROM appt.reschedule(:'k', '2026-03-17 11:15');
SELECT confirmed_at FROM appt.confirm(:'k');
SELECT confirmed_at FROM appt.edit(:'k', patient_id => 'PAT-3',
	reason => 'A namesake', override => true);
SELECT e.event_type, e.change, e.data::jsonb->>'confirmed_at' AS confirmed_at
FROM appt.event e
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'k'
ORDER BY e.event_no;
SET LOCAL bioecko_appt.clock = '2026-03-17 11:30+05:30';
SELECT pg_temp.try(format('SELECT appt.confirm(%L)', :'k'));
SELECT confirmed_at FROM appt.cancel(:'k', 'Asked', override => true);

-- Each change has its time, its version and its event.
DELETE FROM appt.setting;
SET LOCAL bioecko_appt.clock = '2026-03-16 08:00+05:30';
SELECT pg_temp.book('PAT-2', '2026-03-16 11:15') AS b \gset
CREATE FUNCTION pg_temp.show(a appt.appointment)
	RETURNS TABLE (status text, version integer, checked_in text, started text,
		completed text, cancelled text)
	LANGUAGE sql
AS $$
	SELECT a.status, a.version, to_char(a.checked_in_at, 'HH24:MI'),
		to_char(a.started_at, 'HH24:MI'), to_char(a.completed_at, 'HH24:MI'),
		to_char(a.cancelled_at, 'HH24:MI')
$$;
SET LOCAL bioecko_appt.clock = '2026-03-16 10:55+05:30';
SELECT s.* FROM appt.check_in(:'b') m, pg_temp.show(m) s;
SELECT s.* FROM appt.undo_check_in(:'b') m, pg_temp.show(m) s;
SET LOCAL bioecko_appt.clock = '2026-03-16 11:05+05:30';
SELECT s.* FROM appt.check_in(:'b') m, pg_temp.show(m) s;
SET LOCAL bioecko_appt.clock = '2026-03-16 11:16+05:30';
SELECT s.* FROM appt.start(:'b') m, pg_temp.show(m) s;
SET LOCAL bioecko_appt.clock = '2026-03-16 11:28+05:30';
SELECT s.* FROM appt.complete(:'b') m, pg_temp.show(m) s;
SELECT event_type, change, occurred_at FROM appt.event e
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'b' ORDER BY event_no;

-- Check-in and its undoing only on the branch-local day, to the second.
SELECT pg_temp.book('PAT-3', '2026-03-17 09:00') AS c \gset
SET LOCAL bioecko_appt.clock = '2026-03-16 23:59:59+05:30';
SELECT pg_temp.try(format('SELECT appt.check_in(%L)', :'c'));
SET LOCAL bioecko_appt.clock = '2026-03-17 00:00+05:30';
SELECT status FROM appt.check_in(:'c');
SET LOCAL bioecko_appt.clock = '2026-03-18 00:00+05:30';
SELECT pg_temp.try(format('SELECT appt.undo_check_in(%L)', :'c'));
SELECT status FROM appt.complete(:'c');

-- A no-show may come after all, on that day and with the same number, beside
-- whoever got the slot meanwhile.
SET LOCAL bioecko_appt.clock = '2026-03-18 08:00+05:30';
SELECT pg_temp.book('PAT-4', '2026-03-18 09:00') AS d \gset
-- Before its start nobody can know: it holds the slot.
SET LOCAL bioecko_appt.clock = '2026-03-18 08:59:59.999+05:30';
SELECT pg_temp.try(format('SELECT appt.no_show(%L)', :'d'));
SET LOCAL bioecko_appt.clock = '2026-03-18 09:00+05:30';
SELECT status FROM appt.no_show(:'d');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-18');
SELECT pg_temp.book('PAT-5', '2026-03-18 09:00') AS e \gset
SELECT status, token_number FROM appt.check_in(:'d');
SELECT starts FROM pg_temp.slots('DOC-001', '2026-03-18');
SELECT pg_temp.try($$SELECT pg_temp.book('PAT-4', '2026-03-18 09:00')$$);
-- Not if the patient is with somebody else then; not tomorrow.
SELECT pg_temp.book('PAT-6', '2026-03-18 09:15') AS f \gset
SET LOCAL bioecko_appt.clock = '2026-03-18 09:15+05:30';
SELECT status FROM appt.no_show(:'f');
SELECT pg_temp.book('PAT-6', '2026-03-18 09:15') AS g \gset
SELECT pg_temp.try(format('SELECT appt.check_in(%L)', :'f'));
SELECT status FROM appt.no_show(:'g');
SET LOCAL bioecko_appt.clock = '2026-03-19 08:00+05:30';
SELECT pg_temp.try(format('SELECT appt.check_in(%L)', :'f'));

-- The cancellation window: two hours, a setting, by doctor before branch.
SELECT pg_temp.book('PAT-1', '2026-03-19 11:00') AS h \gset
SET LOCAL bioecko_appt.clock = '2026-03-19 09:00:00.001+05:30';
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''Late'')', :'h'));
SET LOCAL bioecko_appt.clock = '2026-03-19 09:00+05:30';
SELECT status, reason FROM appt.cancel(:'h', 'In time');
-- Again: unchanged, the first reason stays, no second event.
SELECT status, reason, version FROM appt.cancel(:'h', 'Twice');
SELECT count(*) FROM appt.event e JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = :'h';
SELECT pg_temp.book('PAT-1', '2026-03-19 11:00') AS i \gset
SET LOCAL bioecko_appt.clock = '2026-03-19 10:30+05:30';
INSERT INTO appt.setting (name, branch_id, value)
VALUES ('cancellation_window_min', 'MUM-01', '30');
SELECT status FROM appt.cancel(:'i', 'In time');
-- Who is there already may leave.
INSERT INTO appt.setting (name, doctor_id, value)
VALUES ('cancellation_window_min', 'DOC-001', '600');
SELECT pg_temp.book('PAT-1', '2026-03-19 11:00') AS j \gset
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''Late'')', :'j'));
SELECT status FROM appt.check_in(:'j');
SELECT status FROM appt.cancel(:'j', 'Does not want to wait');

-- A reason is needed and is text; a version must be the right one.
SELECT pg_temp.book('PAT-1', '2026-03-23 11:00') AS k \gset
SELECT pg_temp.try(format('SELECT appt.cancel(%L, %L)', :'k', reason))
FROM unnest(ARRAY[NULL, '', E' \t\n', repeat('x', 4001)]) reason;
SELECT pg_temp.try(format('SELECT appt.cancel(%L, ''x'', 2)', :'k'));
SELECT pg_temp.try(format('SELECT appt.' || verb || '(%L, 2)', :'k'))
FROM unnest('{check_in,start,complete,no_show,undo_check_in}'::text[]) verb;
SELECT status FROM appt.cancel(:'k', 'x', 1);
SELECT pg_temp.try('SELECT appt.' || verb || '(' || id || ')')
FROM unnest('{check_in,complete}'::text[]) verb,
	unnest('{NULL,''APT-2026-999999'','''',''hold_x''}'::text[]) id;

ROLLBACK;
