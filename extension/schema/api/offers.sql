/* ---------------------------------------------------------------------------
 * Offers as JSON: a place that is kept for a patient, and what became of it.
 * To withdraw one is to release its hold (appt_api.release_hold).
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.offer_json(o appt.waitlist_offer) RETURNS json
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone CONSTANT text := coalesce(
		appt_internal.known_zone(appt_internal.branch_zone(o.branch_id)),
		'UTC');
BEGIN
	RETURN json_build_object(
		'offer_id', o.offer_id,
		'patient_id', (
			SELECT p.patient_id
			FROM appt.patient p
			WHERE p.patient_no = o.patient_no),
		'doctor_id', o.doctor_id,
		'branch_id', o.branch_id,
		'slot_start', appt_internal.json_time(o.slot_start, zone),
		'slot_end', appt_internal.json_time(o.slot_end, zone),
		'visit_type', o.visit_type,
		'status', appt_internal.offer_status(o),
		'offered_at', appt_internal.json_time(o.offered_at, zone),
		'expires_at', appt_internal.json_time(o.expires_at, zone),
		'ended_at', appt_internal.json_time(o.ended_at, zone),
		'appointment_id', (
			SELECT a.appointment_id
			FROM appt.appointment a
			WHERE a.appointment_no = o.appointment_no));
END
$$;

COMMENT ON FUNCTION appt_internal.offer_json IS
	'An offer as it is shown';

CREATE FUNCTION appt_internal.offer_body(offer_id text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT appt_internal.offer_json(o)::text
		FROM appt.waitlist_offer o
		WHERE o.offer_id = offer_body.offer_id);
END
$$;

COMMENT ON FUNCTION appt_internal.offer_body(text) IS
	'An offer as an answer''s body';

CREATE FUNCTION appt_api.offer(
	patient_id text,
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	branch_id text,
	visit_type text,
	expires_at timestamptz,
	client text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	request_hash text DEFAULT NULL,
	notify boolean DEFAULT NULL)
	RETURNS appt_api.answer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_api_offer';

COMMENT ON FUNCTION appt_api.offer(text, text, timestamptz, timestamptz, text,
	text, timestamptz, text, text, text, boolean) IS
	'As appt.offer; the body is the offer. Raises SB963 too, as appt_api.hold';

CREATE FUNCTION appt_api.list_offers(
	doctor_id text,
	patient_id text,
	branch_id text,
	status text,
	date_from date,
	date_to date,
	page integer,
	per_page integer,
	client text DEFAULT NULL)
	RETURNS appt_api.page
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	PERFORM appt_internal.check_dates(date_from, date_to);
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	IF status NOT IN ('open', 'accepted', 'declined', 'withdrawn', 'expired')
	THEN
		RAISE EXCEPTION 'status "%" is not known', status
			USING ERRCODE = 'SB001', COLUMN = 'status';
	END IF;
	IF patient_id IS NOT NULL AND NOT EXISTS (
		SELECT
		FROM appt.patient p
		WHERE p.patient_id = patient_id
			AND appt_internal.client_sees_patient(client, p))
	THEN
		PERFORM appt_internal.refuse_id('patient', patient_id, 'patient_id',
			'SB404');
	END IF;

	WITH found AS MATERIALIZED (
		SELECT o, o.slot_start, o.offer_no
		FROM appt.waitlist_offer o
		JOIN appt.patient p ON p.patient_no = o.patient_no
		JOIN appt.branch b ON b.branch_id = o.branch_id
		JOIN appt.doctor d ON d.doctor_id = o.doctor_id
		CROSS JOIN LATERAL (
			SELECT appt_internal.local_time(o.slot_start, b.time_zone)::date)
			AS s (on_date)
		WHERE (doctor_id IS NULL OR o.doctor_id = doctor_id)
			AND (patient_id IS NULL OR p.patient_id = patient_id)
			AND (branch_id IS NULL OR o.branch_id = branch_id)
			AND (date_from IS NULL OR s.on_date >= date_from)
			AND (date_to IS NULL OR s.on_date <= date_to)
			AND appt_internal.client_sees_visit(client, o.branch_id,
				d.doctor_no)
			AND (status IS NULL OR appt_internal.offer_status(o) = status))
	SELECT coalesce((
		SELECT json_agg(appt_internal.offer_json(r.o)
			ORDER BY r.slot_start, r.offer_no)
		FROM (
			SELECT f.*
			FROM found f
			ORDER BY f.slot_start, f.offer_no
			OFFSET (coalesce(page, 1) - 1)::bigint * size
			LIMIT size) r), '[]')::text, (
		SELECT least(count(*), appt_internal.count_limit(page, per_page))
		FROM found)
	INTO result;
	PERFORM appt_internal.note_page(result.body, client);
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_offers(text, text, text, text, date, date,
	integer, integer, text) IS
	'A page of offers in order of their slots, by doctor, patient, branch, '
	'status (open, accepted, declined, withdrawn, expired) and the slots'' '
	'branch-local days (all optional), of what the client sees. Notes which '
	'member of staff looks. Raises SB001, SB404 (doctor_id, patient_id, '
	'branch_id)';
