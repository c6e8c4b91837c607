/* ---------------------------------------------------------------------------
 * Offers: a place that became free is kept for a patient for a while, who is
 * told of it (event waitlist_offer) and takes or declines it by a link.
 *
 * An offer is a hold with its patient.  The hold is a row of appt.appointment
 * as others are, under the same constraint, and alone says whether the place is
 * kept; here stands for whom, and what became of it.  Without foreign keys to
 * doctor and branch, as an appointment has none (appointment.sql).
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.waitlist_offer (
	offer_no bigint GENERATED ALWAYS AS IDENTITY,
	offer_id text NOT NULL,
	patient_no integer NOT NULL,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	slot_start timestamptz NOT NULL,
	slot_end timestamptz NOT NULL,
	visit_type text,
	offered_at timestamptz NOT NULL,
	offered_by text NOT NULL,
	expires_at timestamptz NOT NULL,
	outcome text,
	ended_at timestamptz,
	ended_by text,
	appointment_no bigint,
	CONSTRAINT waitlist_offer_pkey PRIMARY KEY (offer_no),
	CONSTRAINT waitlist_offer_id_key UNIQUE (offer_id),
	CONSTRAINT waitlist_offer_patient_fkey FOREIGN KEY (patient_no)
		REFERENCES appt.patient (patient_no),
	CONSTRAINT waitlist_offer_times_in_order
		CHECK (offered_at < expires_at AND expires_at <= slot_start
			AND slot_start < slot_end),
	CONSTRAINT waitlist_offer_outcome_known
		CHECK (outcome IN ('accepted', 'declined', 'withdrawn')),
	CONSTRAINT waitlist_offer_outcome_whole
		CHECK ((outcome IS NULL) = (ended_at IS NULL)
			AND (outcome IS NULL) = (ended_by IS NULL)
			AND (outcome IS NOT DISTINCT FROM 'accepted')
				= (appointment_no IS NOT NULL))
);

CREATE INDEX waitlist_offer_patient ON appt.waitlist_offer (patient_no);
CREATE INDEX waitlist_offer_appointment ON appt.waitlist_offer (appointment_no)
	WHERE appointment_no IS NOT NULL;

COMMENT ON TABLE appt.waitlist_offer IS
	'Places that were offered to patients, for 90 days: for whom each is or '
	'was kept, and what became of it. Written by functions only';
COMMENT ON COLUMN appt.waitlist_offer.offer_no IS 'Number of the offer';
COMMENT ON COLUMN appt.waitlist_offer.offer_id IS
	'offer_...: the id of the hold that keeps the place, to book it with or to '
	'withdraw it by';
COMMENT ON COLUMN appt.waitlist_offer.patient_no IS 'For whom it is kept';
COMMENT ON COLUMN appt.waitlist_offer.doctor_id IS 'The doctor';
COMMENT ON COLUMN appt.waitlist_offer.branch_id IS 'The branch';
COMMENT ON COLUMN appt.waitlist_offer.slot_start IS 'First instant, inclusive';
COMMENT ON COLUMN appt.waitlist_offer.slot_end IS 'Last instant, exclusive';
COMMENT ON COLUMN appt.waitlist_offer.visit_type IS 'As what it is booked';
COMMENT ON COLUMN appt.waitlist_offer.offered_at IS 'When it was offered';
COMMENT ON COLUMN appt.waitlist_offer.offered_by IS
	'Who offered it, as appt.event.actor names them';
COMMENT ON COLUMN appt.waitlist_offer.expires_at IS
	'Until when the place is kept, exclusive; not beyond slot_start';
COMMENT ON COLUMN appt.waitlist_offer.outcome IS
	'accepted, declined by the patient, withdrawn by others; NULL: it is open, '
	'has expired, or gave way to an absence (appt_internal.offer_status)';
COMMENT ON COLUMN appt.waitlist_offer.ended_at IS 'Since when it is that';
COMMENT ON COLUMN appt.waitlist_offer.ended_by IS
	'Who accepted, declined or withdrew it';
COMMENT ON COLUMN appt.waitlist_offer.appointment_no IS
	'What it became: the visit of one that is accepted';
COMMENT ON CONSTRAINT waitlist_offer_outcome_whole ON appt.waitlist_offer IS
	'What has ended says when and by whom, and what is accepted is a visit';

CREATE FUNCTION appt_internal.offer_status(o appt.waitlist_offer) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE
		WHEN o.outcome IS NOT NULL THEN o.outcome
		WHEN o.expires_at <= appt.clock() THEN 'expired'
		WHEN EXISTS (
			SELECT
			FROM appt.appointment a
			WHERE a.appointment_id = o.offer_id) THEN 'open'
		ELSE 'withdrawn'
	END;
END
$$;

COMMENT ON FUNCTION appt_internal.offer_status IS
	'What is true of an offer now: open, accepted, declined, withdrawn or '
	'expired';

CREATE FUNCTION appt_internal.offer_kept_until(
	branch_id text,
	doctor_id text,
	slot_start timestamptz,
	wanted timestamptz,
	is_told boolean)
	RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	at CONSTANT timestamptz := appt.clock();
	rules CONSTANT appt_internal.notification_rules :=
		appt_internal.notification_rules(branch_id, doctor_id);
	quiet_until CONSTANT timestamptz := (
		SELECT q.ends_at
		FROM appt.branch b
		CROSS JOIN LATERAL appt_internal.quiet_period(at,
			appt_internal.known_zone(b.time_zone), rules.quiet_from,
			rules.quiet_to) q
		WHERE b.branch_id = branch_id);
	minutes CONSTANT integer := (
		SELECT coalesce(
			(appt_internal.effective_setting(d.name, branch_id, doctor_id))
				.value, d.default_value)
		FROM appt.setting_definition d
		WHERE d.name = 'offer_min');
BEGIN
	RETURN least(slot_start, wanted, make_interval(mins => minutes)
		+ CASE WHEN is_told AND quiet_until < slot_start THEN quiet_until
			ELSE at END);
END
$$;

COMMENT ON FUNCTION appt_internal.offer_kept_until(text, text, timestamptz,
	timestamptz, boolean) IS
	'Until when a place that is offered now is kept: offer_min minutes (a '
	'setting), wanted (NULL: does not say) or the visit''s beginning, '
	'whichever is sooner. Who is to be told and is in quiet hours has '
	'offer_min from their end on, when the message goes out';

CREATE FUNCTION appt_internal.write_offer(
	hold_id text,
	patient_no integer,
	actor text,
	is_told boolean)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO appt.waitlist_offer AS o
		(offer_id, patient_no, doctor_id, branch_id, slot_start, slot_end,
		visit_type, offered_at, offered_by, expires_at)
	SELECT a.appointment_id, write_offer.patient_no, a.doctor_id, a.branch_id,
		a.slot_start, a.slot_end, a.visit_type, a.booked_at, actor,
		a.hold_expires_at
	FROM appt.appointment a
	WHERE a.appointment_id = hold_id
	RETURNING o.offer_no INTO STRICT made;
	IF is_told THEN
		PERFORM appt_internal.write_offer_message(made, NULL);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.write_offer(text, integer, text, boolean) IS
	'Writes for whom a hold that was just made is kept, and his message';

CREATE FUNCTION appt.offer(
	patient_id text,
	doctor_id text,
	slot_start timestamptz,
	slot_end timestamptz DEFAULT NULL,
	branch_id text DEFAULT NULL,
	visit_type text DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	notify boolean DEFAULT true)
	RETURNS appt.waitlist_offer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'appt_offer';

COMMENT ON FUNCTION appt.offer(text, text, timestamptz, timestamptz, text, text,
	timestamptz, boolean) IS
	'Keeps a free slot for a patient, under the same constraint as a booking, '
	'for offer_min minutes (a setting, 120) or until expires_at, if that is '
	'sooner, and no longer than to the slot''s start; and has the patient told '
	'(waitlist_offer), who takes or declines it by the link in the message. In '
	'quiet hours the minutes count from their end. notify false: nobody is '
	'told. The result''s offer_id is a hold_id: appt.book takes it for that '
	'patient, appt.release withdraws it. Raises as appt.book, and SB001 '
	'(expires_at is over)';

CREATE FUNCTION appt_internal.end_offers(patient_no integer) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM appt.appointment a
	USING appt.waitlist_offer o
	WHERE o.patient_no = end_offers.patient_no
		AND o.outcome IS NULL
		AND a.appointment_id = o.offer_id
		AND a.status = 'held';
END
$$;

COMMENT ON FUNCTION appt_internal.end_offers(integer) IS
	'Gives back what is kept for a patient who is erased; the caller has '
	'locked the patient';

CREATE FUNCTION appt_internal.sweep_offers(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	WITH old AS (
		SELECT o.offer_no
		FROM appt.waitlist_offer o
		WHERE o.expires_at <= appt.clock() - interval '90 days'
		LIMIT batch
		FOR UPDATE SKIP LOCKED)
	DELETE FROM appt.waitlist_offer o
	USING old x
	WHERE o.offer_no = x.offer_no;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_offers(integer) IS
	'Deletes offers that were kept until 90 days ago, at most batch of them '
	'(NULL: all); returns how many';
