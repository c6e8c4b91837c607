/* ---------------------------------------------------------------------------
 * The queue of a doctor's day.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.queue(
	doctor_id text,
	on_date date DEFAULT NULL,
	OUT queue_position integer,
	OUT token_number integer,
	OUT appointment_id text,
	OUT patient_id text,
	OUT branch_id text,
	OUT status text,
	OUT priority integer,
	OUT slot_start timestamptz,
	OUT checked_in_at timestamptz,
	OUT late boolean,
	OUT skipped boolean,
	OUT people_ahead integer,
	OUT estimated_start timestamptz)
	RETURNS SETOF record
	LANGUAGE c STABLE PARALLEL UNSAFE ROWS 30
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_queue';

COMMENT ON FUNCTION appt.queue(text, date) IS
	'A doctor''s queue (default: today''s) in call order: who is being seen, '
	'who waits (priority, then the punctual by slot, then late ones and '
	'walk-ins by check-in), who was skipped, who is not there yet. '
	'estimated_start adds up the median of the doctor''s last consultations. '
	'Raises SB404';

CREATE FUNCTION appt.call_next(
	doctor_id text,
	on_date date DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_call_next';

COMMENT ON FUNCTION appt.call_next(text, date) IS
	'Starts the consultation of the first who waits for a doctor on a '
	'branch-local date (default: today, and after midnight first of those who '
	'still wait from the day before); NULL if nobody does. Two calls never get '
	'the same patient. Raises SB404';

CREATE FUNCTION appt.skip(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_skip';

COMMENT ON FUNCTION appt.skip(text, integer) IS
	'Puts a patient who is checked in, or whose consultation a call began, and '
	'who did not answer the call, behind the others: checked in, started_at '
	'NULL. Raises SB930, SBP01, SB404';

CREATE FUNCTION appt.recall(
	appointment_id text,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_recall';

COMMENT ON FUNCTION appt.recall(text, integer) IS
	'Calls a patient again: one who was skipped, before all who wait; one who '
	'is in consultation, as it begins only now. started_at is now, skipped_at '
	'NULL. Raises SB930 (not called before), SBP01, SB404';

CREATE FUNCTION appt.set_priority(
	appointment_id text,
	priority integer,
	expected_version integer DEFAULT NULL)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_set_priority';

COMMENT ON FUNCTION appt.set_priority(text, integer, integer) IS
	'Has a patient called before those of lower priority: 0 (ordinary) to '
	'100. Raises SB930, SBP01, SB404, SB001';
