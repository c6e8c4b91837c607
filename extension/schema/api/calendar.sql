/* ---------------------------------------------------------------------------
 * A branch's calendar for the gateway: of each doctor what is booked, what is
 * free, and why the rest is not, as it was at one moment.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_api.calendar(
	branch_id text,
	date date,
	date_to date,
	doctor_id text,
	patients boolean,
	client text DEFAULT NULL,
	OUT body text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	/* Of a branch, a week. */
	days_max CONSTANT integer := 7;
	last_date CONSTANT date := coalesce($3, $2);
	seen CONSTANT text[] := appt_internal.client_doctors($6);
	named CONSTANT text[] := string_to_array($4, ',');
	doctors text;
	patient_nos integer[];
	summaries text;
BEGIN
	PERFORM appt_internal.check_scope(coalesce($1, ''), NULL, $6, 'SB404');
	PERFORM appt_internal.check_scope(NULL, n.id, $6, 'SB404')
	FROM unnest(named) AS n (id);
	IF $2 IS NULL OR NOT isfinite($2) THEN
		PERFORM appt_internal.refuse_member('date',
			appt_internal.form_of('date'));
	ELSIF NOT (CASE WHEN isfinite(last_date)
		THEN last_date - $2 BETWEEN 0 AND days_max - 1 ELSE false END)
	THEN
		PERFORM appt_internal.refuse_member('date_to',
			format('It makes a range of 1 to %s days.', days_max));
	END IF;

	/* One statement: a slot that is booked meanwhile is free or a visit. */
	WITH shown AS MATERIALIZED (
		SELECT d.doctor_id, d.doctor_no
		FROM appt.doctor d
		JOIN appt_internal.doctor_places() w ON w.doctor_id = d.doctor_id
		WHERE d.active
			AND $1 = ANY (w.branch_ids)
			AND coalesce(d.doctor_id = ANY (seen), true)
			AND coalesce(d.doctor_id = ANY (named), true)
	), visit AS MATERIALIZED (
		SELECT a.doctor_no, a.patient_no, a.slot_start, a.appointment_no,
			appt.appointment_json(a) AS one
		FROM appt.appointment a
		WHERE a.branch_id = $1
			AND a.token_date BETWEEN $2 AND last_date
			AND a.status NOT IN ('held', 'cancelled')
			AND a.doctor_no = ANY (ARRAY(SELECT s.doctor_no FROM shown s))
	)
	SELECT string_agg(format(
			'{"doctor_id":%s,"slots":%s,"appointments":[%s]}',
			to_json(s.doctor_id),
			appt_api.explain_day(s.doctor_id, $2, $1, last_date, NULL, $6),
			v.list), ',' ORDER BY s.doctor_id),
		(SELECT array_agg(DISTINCT v.patient_no) FROM visit v)
	INTO doctors, patient_nos
	FROM shown s
	LEFT JOIN (
		SELECT v.doctor_no, string_agg(v.one, ','
			ORDER BY v.slot_start, v.appointment_no) AS list
		FROM visit v
		GROUP BY v.doctor_no) v ON v.doctor_no = s.doctor_no;

	IF $5 THEN
		summaries := appt_internal.patient_summaries(patient_nos,
			nullif(appt_internal.client_branches($6), ARRAY['*']),
			appt_internal.client_doctor_nos($6));
		PERFORM appt_internal.note_page(summaries, $6);
	END IF;
	body := format('{"doctors":[%s]%s}', doctors, ',"patients":' || summaries);
END
$$;

COMMENT ON FUNCTION appt_api.calendar(text, date, date, text, boolean, text) IS
	'{doctors, patients} of a branch from date to date_to (at most 7 days): of '
	'each active doctor who has sessions there and whom the client sees, or of '
	'those that doctor_id names, with commas between, {doctor_id, slots, '
	'appointments} by id: slots as appt_api.explain_day, and the visits that '
	'are not cancelled, in order of start, all of one snapshot. patients, if '
	'asked for: those of the visits as in a list, and it is noted which member '
	'of staff is shown them. Raises SB404 (branch_id, doctor_id), SB001 (date, '
	'date_to)';
