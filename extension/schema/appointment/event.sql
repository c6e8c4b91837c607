/* ---------------------------------------------------------------------------
 * The event log: what happened, in the words that are delivered.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.event (
	event_no bigint GENERATED ALWAYS AS IDENTITY,
	event_id text NOT NULL,
	event_type text NOT NULL,
	appointment_no bigint,
	branch_id text,
	occurred_at timestamptz NOT NULL,
	stamp text NOT NULL,
	actor text NOT NULL,
	reason text,
	data text NOT NULL,
	change text,
	previous text,
	from_branch_id text,
	patient_no integer,
	notify boolean NOT NULL DEFAULT true,
	changed_xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	CONSTRAINT event_pkey PRIMARY KEY (event_no)
);

/* A patient's events are of no appointment; one index finds both. */
CREATE INDEX event_appointment ON appt.event
	(appointment_no, patient_no, event_no);
CREATE INDEX event_changed_xid ON appt.event (changed_xid);
CREATE INDEX event_occurred ON appt.event USING brin (occurred_at);

COMMENT ON TABLE appt.event IS
	'Everything that happened, append-only: an appointment''s history and the '
	'source of every webhook. The row is written in the change''s transaction';
COMMENT ON COLUMN appt.event.event_id IS
	'evt_...: the webhook-id header, the same on every retry and replay';
COMMENT ON COLUMN appt.event.event_type IS
	'One of appt.webhook_event_types(); further ones, of webhooks and of '
	'erasure, are delivered to nobody or by name';
COMMENT ON COLUMN appt.event.stamp IS
	'occurred_at in RFC 3339 with the branch''s offset, as it is delivered';
COMMENT ON COLUMN appt.event.actor IS
	'Who: client:<id> for an API client, patient link for a patient by a link '
	'in a message, otherwise the session''s role';
COMMENT ON COLUMN appt.event.data IS
	'The full appointment object after the change, or the patient as GET '
	'answers it, JSON text';
COMMENT ON COLUMN appt.event.notify IS
	'false: the caller wanted the patient not to be told';
COMMENT ON COLUMN appt.event.change IS
	'What an appointment.updated changed: confirmed, check_in_undone, '
	'skipped, recalled (with visit.started as well), priority_set, edited, '
	'status_corrected, patient_corrected';
COMMENT ON COLUMN appt.event.previous IS
	'Where a moved visit was: slot_start, slot_end, doctor_id, branch_id, '
	'token_number, token_date, JSON text';
COMMENT ON COLUMN appt.event.branch_id IS
	'Whose endpoints are told; NULL: every branch''s';
COMMENT ON COLUMN appt.event.from_branch_id IS
	'The branch that it left, whose endpoints are told as well';
COMMENT ON COLUMN appt.event.changed_xid IS
	'The transaction that wrote it, as pg_current_xact_id() names it on the '
	'server where it was written (live/change.sql)';
COMMENT ON COLUMN appt.event.patient_no IS
	'The patient, of an event patient.created or patient.updated';

CREATE FUNCTION appt_internal.patient_has_been_at(
	patient_no integer,
	branches text[])
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM appt.appointment a
		WHERE a.patient_no = $1
			AND a.branch_id = ANY ($2))
$$;

COMMENT ON FUNCTION appt_internal.patient_has_been_at(integer, text[]) IS
	'Whether a patient has, or had, an appointment at one of these branches';

CREATE FUNCTION appt_internal.concerns_branches(
	branch_id text,
	from_branch_id text,
	patient_no integer,
	branches text[])
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN branches IS NULL
		OR branch_id IS NULL
		OR branch_id OPERATOR(pg_catalog.=) ANY (branches)
		OR (from_branch_id OPERATOR(pg_catalog.=) ANY (branches)) IS TRUE
		OR patient_no IS NOT NULL
			AND appt_internal.patient_has_been_at(patient_no, branches);

COMMENT ON FUNCTION
	appt_internal.concerns_branches(text, text, integer, text[]) IS
	'Whether an endpoint of these branches (NULL: all) is told of an event: '
	'that happened there, left there, or is of a patient who was there';
