/* ---------------------------------------------------------------------------
 * The link of an offer: its page shows the place and until when it is kept, and
 * has two buttons.  Whoever comes first has it, by the hold's row; to answer
 * twice is to answer once, and a page that is not true any more says what is.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.offer_link_value(o appt.waitlist_offer)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((
		SELECT jsonb_build_object('offer_link', s.value || '/v/'
			|| appt_internal.sign_statement(concat_ws('.', 'v1', o.offer_id,
				'offer', floor(extract(epoch FROM o.expires_at))),
				o.patient_no))
		FROM appt.setting s
		WHERE s.name = 'public_url'
			AND s.value <> 'none'
			AND EXISTS (
				SELECT
				FROM appt.link_key k
				WHERE k.good_until IS NULL)), '{}');
END
$$;

COMMENT ON FUNCTION appt_internal.offer_link_value IS
	'What the placeholder of an offer''s link stands for; an empty object: '
	'there are no links';

CREATE FUNCTION appt_internal.sample_offer(a appt.appointment) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('offer_until',
			appt_internal.spoken_time(a.slot_start, b.time_zone))
		FROM appt.branch b
		WHERE b.branch_id = a.branch_id)
		|| coalesce((
			SELECT jsonb_build_object('offer_link', s.value
				|| '/v/v1.offer_sample.offer.sample')
			FROM appt.setting s
			WHERE s.name = 'public_url' AND s.value <> 'none'), '{}');
END
$$;

COMMENT ON FUNCTION appt_internal.sample_offer IS
	'What an offer of a visit''s place would bring, for a preview: the link '
	'opens nothing';

CREATE FUNCTION appt_internal.accept_by_link(
	offer_id text,
	patient_id text,
	doctor_id text,
	branch_id text,
	slot_start timestamptz,
	slot_end timestamptz,
	visit_type text)
	RETURNS appt.appointment
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_accept_by_link';

COMMENT ON FUNCTION appt_internal.accept_by_link(text, text, text, text,
	timestamptz, timestamptz, text) IS
	'As appt.book with the offer''s hold, by the patient';

CREATE FUNCTION appt_internal.decline_by_link(offer_id text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_decline_by_link';

COMMENT ON FUNCTION appt_internal.decline_by_link(text) IS
	'As appt.release of the offer''s hold, by the patient';

CREATE FUNCTION appt_internal.act_on_offer(
	o appt.waitlist_offer,
	answer text)
	RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	status CONSTANT text := appt_internal.offer_status(o);
	patient CONSTANT text := (
		SELECT p.patient_id
		FROM appt.patient p
		WHERE p.patient_no = o.patient_no);
BEGIN
	CASE
	WHEN answer = 'accept' AND status = 'accepted'
		OR answer = 'decline' AND status = 'declined' THEN
		RETURN 'answered';
	WHEN status <> 'open' THEN
		RETURN NULL;
	WHEN answer = 'accept' THEN
		PERFORM appt_internal.accept_by_link(o.offer_id, patient, o.doctor_id,
			o.branch_id, o.slot_start, o.slot_end, o.visit_type);
		RETURN 'answered';
	WHEN answer = 'decline' THEN
		PERFORM appt_internal.decline_by_link(o.offer_id);
		RETURN 'answered';
	ELSE
		RETURN NULL;
	END CASE;
EXCEPTION
	/* Somebody was faster, perhaps the patient himself: see how it is now. */
	WHEN SQLSTATE 'SB940' OR SQLSTATE 'SB404' THEN
		RETURN 'note_changed';
	WHEN SQLSTATE 'SB920' THEN
		RETURN 'note_offer_elsewhere';
	WHEN SQLSTATE 'SB910' THEN
		RETURN 'note_refused';
END
$$;

COMMENT ON FUNCTION appt_internal.act_on_offer IS
	'Accepts or declines an offer for its patient, as '
	'appt_internal.act_by_link';

CREATE FUNCTION appt_internal.offer_page(
	state text,
	o appt.waitlist_offer,
	note text)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	status CONSTANT text := appt_internal.offer_status(o);
	a CONSTANT appt.appointment := appt_internal.offer_visit(o);
	words CONSTANT jsonb :=
		appt_internal.page_words(appt_internal.page_languages(a));
	zone CONSTANT text := appt_internal.known_zone((
		SELECT b.time_zone
		FROM appt.branch b
		WHERE b.branch_id = o.branch_id));
	until CONSTANT timestamp := o.expires_at AT TIME ZONE zone;
	title text;
	said text := note;
	visit jsonb;
BEGIN
	IF state = 'ended' THEN
		title := CASE status WHEN 'accepted' THEN 'title_ended'
			ELSE 'title_offer_over' END;
		RETURN appt_internal.page_frame(title, appt_internal.page_part('<p>{{'
			|| CASE status WHEN 'accepted' THEN 'note_offer_taken'
				ELSE 'note_offer_over' END || '}}</p>
', words, '{}'), words);
	END IF;
	visit := appt_internal.page_visit(a, words);
	CASE status
	WHEN 'open' THEN
		title := 'ask_offer';
		visit := visit || jsonb_build_object('kept_until',
			appt_internal.page_day(words, until::date) || ', '
			|| to_char(until, 'HH24:MI'));
	WHEN 'accepted' THEN
		title := 'title_' || appt_internal.visit_situation(a);
	WHEN 'declined' THEN
		title := 'title_offer_declined';
		said := coalesce(said, 'note_offer_declined');
	ELSE
		title := 'title_offer_over';
		said := coalesce(said, 'note_offer_over');
	END CASE;
	RETURN appt_internal.page_frame(title,
		CASE WHEN said IS NULL THEN '' ELSE appt_internal.page_part(
			CASE WHEN note IS NULL THEN '<p role="status">{{'
				ELSE '<p role="alert">{{' END || said || '}}</p>
', words, visit) END || appt_internal.page_facts(words, visit)
		|| CASE WHEN status <> 'open' THEN '' ELSE appt_internal.page_part(
'<form method="post">
<button name="answer" value="accept">{{button_accept}}</button>
<button name="answer" value="decline" class="other">{{button_decline}}</button>
</form>
', words, visit) END, words, visit);
END
$$;

COMMENT ON FUNCTION appt_internal.offer_page IS
	'The page of an offer: the place with two buttons, the visit that it '
	'became, or that it is kept no more. note: the word that says why nothing '
	'was done';
