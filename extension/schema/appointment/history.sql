/* ---------------------------------------------------------------------------
 * The history of an appointment: who, when, what, from what, why.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.history(
	appointment_id text,
	OUT occurred_at timestamptz,
	OUT event_type text,
	OUT actor text,
	OUT reason text,
	OUT version integer,
	OUT status text,
	OUT status_before text,
	OUT slot_start timestamptz,
	OUT slot_start_before timestamptz,
	OUT doctor_id text,
	OUT doctor_id_before text,
	OUT branch_id text,
	OUT branch_id_before text,
	OUT token_number integer,
	OUT token_number_before integer,
	OUT notify boolean,
	OUT change text,
	OUT patient_id text,
	OUT patient_id_before text)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 5
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	wanted bigint;
BEGIN
	SELECT a.appointment_no INTO wanted
	FROM appt.appointment a
	WHERE a.appointment_id = $1 AND a.status <> 'held';

	IF NOT FOUND THEN
		RAISE EXCEPTION 'appointment "%" does not exist', $1
			USING ERRCODE = 'SB404', COLUMN = 'appointment_id';
	END IF;

	RETURN QUERY
	SELECT e.occurred_at, e.event_type, e.actor, e.reason,
		(d.after->>'version')::integer,
		d.after->>'status', lag(d.after->>'status') OVER w,
		(d.after->>'slot_start')::timestamptz,
		(lag(d.after->>'slot_start') OVER w)::timestamptz,
		d.after->>'doctor_id', lag(d.after->>'doctor_id') OVER w,
		d.after->>'branch_id', lag(d.after->>'branch_id') OVER w,
		(d.after->>'token_number')::integer,
		(lag(d.after->>'token_number') OVER w)::integer,
		e.notify, e.change, d.after->>'patient_id',
		lag(d.after->>'patient_id') OVER w
	FROM appt.event e
	CROSS JOIN LATERAL (SELECT e.data::jsonb AS after) d
	WHERE e.appointment_no = wanted AND e.event_type <> 'visit.completed'
	WINDOW w AS (ORDER BY e.event_no)
	ORDER BY e.event_no;
END
$$;

COMMENT ON FUNCTION appt.history(text) IS
	'What happened to an appointment, oldest first: who (actor: role:NAME, '
	'client:ID or patient link), when, what, from what (the ..._before '
	'columns), why, and whether the patient was to be told; change says what '
	'an appointment.updated changed. visit.completed, which comes with each '
	'appointment.completed, is left out. The log is append-only. Raises SB404';
