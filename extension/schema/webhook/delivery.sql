/* ---------------------------------------------------------------------------
 * Deliveries and their attempts.
 *
 * A delivery is inserted in the transaction of its event.  There is no
 * foreign key to appt.webhook or appt.event on purpose: the check would make
 * every booking lock the endpoints' rows, and refuse a booking whose endpoint
 * was deleted a moment ago.  A delivery whose endpoint is gone is never sent
 * and is swept by appt_relay.retention; events are never deleted.
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.delivery (
	delivery_no bigint GENERATED ALWAYS AS IDENTITY,
	webhook_no integer NOT NULL,
	event_no bigint NOT NULL,
	appointment_no bigint,
	state text NOT NULL DEFAULT 'pending',
	due_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	attempts integer NOT NULL DEFAULT 0,
	fence bigint NOT NULL DEFAULT 0,
	relay_no bigint,
	lease_until timestamptz,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	finished_at timestamptz,
	CONSTRAINT delivery_pkey PRIMARY KEY (delivery_no),
	CONSTRAINT delivery_event_once UNIQUE (webhook_no, event_no),
	CONSTRAINT delivery_state_known CHECK (state IN
		('pending', 'in_flight', 'delivered', 'dead', 'held')),
	CONSTRAINT delivery_in_flight_leased CHECK (
		state <> 'in_flight'
		OR (relay_no IS NOT NULL AND lease_until IS NOT NULL)),
	CONSTRAINT delivery_finished_when_done CHECK (
		(state IN ('delivered', 'dead')) = (finished_at IS NOT NULL))
) WITH (
	autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_cost_delay = 0
);

/* What is due at an endpoint, from both ends. */
CREATE INDEX delivery_due ON appt.delivery (webhook_no, due_at)
	WHERE state = 'pending';

/* Who has what of an endpoint, and until when. */
CREATE INDEX delivery_leased ON appt.delivery
	(webhook_no, relay_no, lease_until)
	WHERE state = 'in_flight';

/* An appointment's deliveries in their order.  Not by endpoint: see
 * appt_internal.lease_endpoint. */
CREATE INDEX delivery_chain ON appt.delivery (appointment_no, event_no)
	WHERE state IN ('pending', 'in_flight', 'held')
		AND appointment_no IS NOT NULL;

CREATE INDEX delivery_held ON appt.delivery (webhook_no, delivery_no)
	WHERE state = 'held';

/* What was given up, for whoever looks for it among a million. */
CREATE INDEX delivery_dead ON appt.delivery (webhook_no, event_no)
	WHERE state = 'dead';

CREATE INDEX delivery_finished ON appt.delivery USING brin (finished_at)
	WITH (autosummarize = on);

COMMENT ON TABLE appt.delivery IS
	'One event for one endpoint, until it is delivered or dead';
COMMENT ON COLUMN appt.delivery.delivery_no IS
	'Its public name is dlv_<delivery_no>';
COMMENT ON COLUMN appt.delivery.appointment_no IS
	'What it is in order with: the deliveries of one appointment, or of one '
	'patient, whose number stands here below zero; NULL: nothing';
COMMENT ON COLUMN appt.delivery.state IS
	'pending (due at due_at), in_flight (a relay has it until lease_until), '
	'delivered, dead (given up), held (the endpoint is disabled)';
COMMENT ON COLUMN appt.delivery.due_at IS
	'When the next attempt may begin, in real time (the clock that tests '
	'freeze does not count here)';
COMMENT ON COLUMN appt.delivery.attempts IS
	'Attempts of this round: a redelivery starts at 0 again';
COMMENT ON COLUMN appt.delivery.fence IS
	'Rises with every claim; a relay marks only what it still holds';
COMMENT ON COLUMN appt.delivery.relay_no IS
	'The relay that claimed it: a random number of the process';

CREATE TABLE appt.delivery_attempt (
	delivery_no bigint NOT NULL,
	fence bigint NOT NULL,
	started_at timestamptz NOT NULL,
	duration_ms integer NOT NULL,
	status integer,
	error text,
	answer text,
	inside boolean NOT NULL DEFAULT false,
	CONSTRAINT delivery_attempt_pkey PRIMARY KEY (delivery_no, fence)
);

CREATE INDEX delivery_attempt_started ON appt.delivery_attempt
	USING brin (started_at) WITH (autosummarize = on);

COMMENT ON TABLE appt.delivery_attempt IS
	'The delivery log, kept for 90 days: one row an attempt (a claim sends '
	'once, so the fence names it)';
COMMENT ON COLUMN appt.delivery_attempt.duration_ms IS
	'From the start of the connection to the end of the answer';
COMMENT ON COLUMN appt.delivery_attempt.status IS
	'HTTP status; NULL: there was no answer';
COMMENT ON COLUMN appt.delivery_attempt.error IS
	'Why there was no good answer, in the relay''s words';
COMMENT ON COLUMN appt.delivery_attempt.answer IS
	'The first 4 KiB of the answer''s body';
COMMENT ON COLUMN appt.delivery_attempt.inside IS
	'The answer came from an address that is not public, or that the relay is '
	'allowed by name: it is for appt_admin to read, not for API clients';
