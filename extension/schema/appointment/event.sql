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
	notify boolean NOT NULL DEFAULT true,
	CONSTRAINT event_pkey PRIMARY KEY (event_no)
);

CREATE INDEX event_appointment ON appt.event (appointment_no, event_no);
CREATE INDEX event_occurred ON appt.event USING brin (occurred_at);

COMMENT ON TABLE appt.event IS
	'Everything that happened, append-only: an appointment''s history and the '
	'source of every webhook. The row is written in the change''s transaction';
COMMENT ON COLUMN appt.event.event_id IS
	'evt_...: the webhook-id header, the same on every retry and replay';
COMMENT ON COLUMN appt.event.event_type IS
	'appointment.booked, .rescheduled, .cancelled, .checked_in, .completed, '
	'.no_show; further ones are history only';
COMMENT ON COLUMN appt.event.stamp IS
	'occurred_at in RFC 3339 with the branch''s offset, as it is delivered';
COMMENT ON COLUMN appt.event.actor IS
	'Who: client:<id> for an API client, otherwise the session''s role';
COMMENT ON COLUMN appt.event.data IS
	'The full appointment object after the change, JSON text';
COMMENT ON COLUMN appt.event.notify IS
	'false: the caller wanted the patient not to be told';
