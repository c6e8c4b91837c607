/* ---------------------------------------------------------------------------
 * Links in messages:
 *
 *	v1.<appointment>.<purpose>.<end>[.<detail>].<mac>
 *
 * purpose is view, confirm, cancel, move, unsubscribe or offer; end the
 * visit's, in seconds since 1970 (a follow-up comes after it: its unsubscribe
 * link is good for 30 days); an offer's has the hold's id in the appointment's
 * place, and the hold's end; detail the version of the appointment
 * where the link cancels or moves, the channel where it unsubscribes; mac the
 * first 16 bytes of HMAC-SHA256 in base64url (RFC 2104, 5).  What is signed
 * ends with the patient's number, which is not in the link: a visit that is
 * given to the right one of two namesakes is shown to the other no more.
 *
 * The link is the credential.  It lets its holder do the one thing that it is
 * for, by the functions and rules that count for everybody.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.link_mac(
	secret bytea,
	statement text,
	patient_no integer)
	RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN translate(rtrim(encode(substr(appt_internal.hmac('sha256', secret,
	convert_to(statement || '.' || patient_no, 'UTF8')), 1, 16), 'base64'),
	'='), '+/', '-_');

COMMENT ON FUNCTION appt_internal.link_mac(bytea, text, integer) IS
	'The last part of a link, 22 characters, for what stands before it';

CREATE FUNCTION appt_internal.sign_statement(
	statement text,
	patient_no integer)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT statement || '.'
			|| appt_internal.link_mac(k.secret, statement, patient_no)
		FROM appt.link_key k
		WHERE k.good_until IS NULL);
END
$$;

COMMENT ON FUNCTION appt_internal.sign_statement(text, integer) IS
	'A link, for what stands in front of its last part; NULL: there is no key';

CREATE FUNCTION appt_internal.sign_link(
	a appt.appointment,
	purpose text,
	detail text DEFAULT NULL,
	ends_at timestamptz DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN appt_internal.sign_statement(concat_ws('.', 'v1', a.appointment_id,
		purpose, floor(extract(epoch FROM coalesce(ends_at, a.slot_end))),
		detail), a.patient_no);
END
$$;

COMMENT ON FUNCTION appt_internal.sign_link IS
	'A link of that purpose, good until ends_at (NULL: the visit''s end); '
	'NULL: there is no key';

CREATE FUNCTION appt_internal.link_values(
	a appt.appointment,
	channel text,
	signed boolean)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	base CONSTANT text := (
		SELECT s.value
		FROM appt.setting s
		WHERE s.name = 'public_url' AND s.value <> 'none');
BEGIN
	RETURN (
		SELECT coalesce(jsonb_object_agg(p.purpose || '_link', base || '/v/'
			|| CASE WHEN signed
				THEN appt_internal.sign_link(a, p.purpose, p.detail, p.ends_at)
				ELSE concat_ws('.', 'v1', a.appointment_id, p.purpose,
					'sample') END), '{}')
		FROM (VALUES ('view', NULL, NULL), ('confirm', NULL, NULL),
			('cancel', a.version::text, NULL), ('move', a.version::text, NULL),
			('unsubscribe', channel, CASE a.status WHEN 'completed'
				THEN appt.clock() + interval '30 days' END))
			AS p (purpose, detail, ends_at)
		WHERE base IS NOT NULL
			AND EXISTS (
				SELECT
				FROM appt.link_key k
				WHERE k.good_until IS NULL));
END
$$;

COMMENT ON FUNCTION appt_internal.link_values IS
	'What the placeholders of links stand for; an empty object: there are no '
	'links. What is not signed opens nothing: a preview''s';

CREATE FUNCTION appt_internal.is_erased(p appt.patient) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT ($1).erased_at IS NOT NULL
$$;

COMMENT ON FUNCTION appt_internal.is_erased IS
	'Whether appt.anonymise_patient has been there';

CREATE FUNCTION appt_internal.is_signed(
	statement text,
	mac text,
	patient_no integer)
	RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* All keys, whichever fits. */
	SELECT coalesce(bool_or(appt_internal.same_secret($2,
		appt_internal.link_mac(k.secret, $1, coalesce($3, 0)))), false)
		AND $3 IS NOT NULL
	FROM appt.link_key k
	WHERE k.good_until IS NULL OR k.good_until > appt.clock()
$$;

COMMENT ON FUNCTION appt_internal.is_signed(text, text, integer) IS
	'Whether one of the keys signed it for that patient (NULL: there is none)';

CREATE FUNCTION appt_internal.read_link(
	link text,
	OUT state text,
	OUT appointment appt.appointment,
	OUT purpose text,
	OUT detail text,
	OUT offer appt.waitlist_offer)
	RETURNS record
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part CONSTANT text[] := regexp_match(link,
		'^(v1\.([A-Za-z0-9_-]{1,64})\.(view|confirm|cancel|move|unsubscribe'
		'|offer)'
		'\.([0-9]{1,11})(?:\.([a-z0-9]{1,10}))?)\.([A-Za-z0-9_-]{22})$');
BEGIN
	IF part[3] = 'offer' THEN
		SELECT o.* INTO offer
		FROM appt.waitlist_offer o
		JOIN appt.patient p ON p.patient_no = o.patient_no
		WHERE o.offer_id = part[2]
			AND NOT appt_internal.is_erased(p);
	ELSE
		SELECT a.* INTO appointment
		FROM appt.appointment a
		JOIN appt.patient p ON p.patient_no = a.patient_no
		WHERE a.appointment_id = part[2]
			AND a.status <> 'held'
			AND NOT appt_internal.is_erased(p);
	END IF;

	IF part IS NULL OR NOT appt_internal.is_signed(part[1], part[6],
		coalesce(appointment.patient_no, offer.patient_no))
	THEN
		state := 'bad';
		appointment := NULL;
		offer := NULL;
		RETURN;
	END IF;
	state := CASE WHEN to_timestamp(part[4]::bigint) > appt.clock()
		THEN 'good' ELSE 'ended' END;
	purpose := part[3];
	detail := part[5];
END
$$;

COMMENT ON FUNCTION appt_internal.read_link(text) IS
	'What a link is: good, ended, or bad, of which nothing more is said: '
	'forged, cut, of a visit that is another patient''s now, or of none';

CREATE FUNCTION appt_internal.was_moved_since(
	a appt.appointment,
	version integer)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM appt.event e
		WHERE e.appointment_no = ($1).appointment_no
			AND e.event_type = 'appointment.rescheduled'
			AND (e.data::jsonb->>'version')::integer > $2)
$$;

COMMENT ON FUNCTION appt_internal.was_moved_since IS
	'Whether a visit was moved after that version: then a link of it was for '
	'another time. A confirmation or an edit since then changes nothing of it';
