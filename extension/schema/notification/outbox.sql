/* ---------------------------------------------------------------------------
 * Messages and the attempts to send them.
 *
 * What a change of an appointment tells is written in the change's own
 * transaction (event.c), where there is a channel at all.  Reminders are
 * written when their time has come, never ahead of it: so whatever is set
 * counts for all that are still to come.  A row is judged once more, under its
 * appointment's lock, when a relay is about to send it (claim.sql).
 *
 * No index has what changes when a relay takes a message: the row is changed
 * in its page, which is left half empty for that, and no index entry is made.
 * So state is in no index; what is being sent is found among what waits.
 *
 * due_at, leases and retries are of the real clock, as those of webhooks are;
 * everything about a visit is judged by appt.clock().
 * ------------------------------------------------------------------------ */

CREATE TABLE appt.notification (
	notification_no bigint GENERATED ALWAYS AS IDENTITY,
	appointment_no bigint,
	event text NOT NULL,
	slot_start timestamptz,
	lead_min integer,
	root_no bigint,
	template_no bigint,
	state text NOT NULL DEFAULT 'due',
	reason text,
	queue_no integer NOT NULL DEFAULT 0,
	channel_no integer NOT NULL DEFAULT 0,
	channel text,
	language text,
	address text,
	due_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	attempts integer NOT NULL DEFAULT 0,
	fence bigint NOT NULL DEFAULT 0,
	relay_no bigint,
	lease_until timestamptz,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	sent_at timestamptz,
	finished_at timestamptz,
	CONSTRAINT notification_pkey PRIMARY KEY (notification_no)
) WITH (
	fillfactor = 45,
	autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_cost_delay = 0
);

CREATE FUNCTION appt_internal.notification_invariants() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_notification_invariants';

COMMENT ON FUNCTION appt_internal.notification_invariants() IS
	'Trigger: an error under the name of the invariant that the row violates '
	'(extension/invariant.c)';

/* No CHECK: each booking that is told would parse that. As foreign keys it
 * sees the row that was stored, after all other triggers; also where
 * replication writes it. */
CREATE CONSTRAINT TRIGGER notification_invariants
	AFTER INSERT OR UPDATE ON appt.notification
	NOT DEFERRABLE
	FOR EACH ROW EXECUTE FUNCTION appt_internal.notification_invariants();

ALTER TABLE appt.notification
	ENABLE ALWAYS TRIGGER notification_invariants;

COMMENT ON TRIGGER notification_invariants ON appt.notification IS
	'What holds of every row by itself. A violation has the name '
	'notification_shape or notification_stage, and its detail says the rule';

/* What is not finished, relays' as well. */
CREATE INDEX notification_waiting ON appt.notification
	(queue_no, due_at)
	WHERE finished_at IS NULL;

/* A visit's patient is reminded once a lead, at each of its times, and asked to
 * come again once, with the lead 0: of all else the second key is NULL, which
 * is like no other.  A visit's messages are found by it. */
CREATE UNIQUE INDEX notification_reminder_once ON appt.notification
	(appointment_no, (CASE WHEN root_no IS NULL THEN lead_min END),
		slot_start);

CREATE INDEX notification_finished ON appt.notification
	USING brin (finished_at) WITH (autosummarize = on)
	WHERE finished_at IS NOT NULL;

COMMENT ON TABLE appt.notification IS
	'One row a message: what a patient is to be told, by which channel, and '
	'what became of it. Written by functions only';
COMMENT ON COLUMN appt.notification.notification_no IS
	'Number of the message';
COMMENT ON COLUMN appt.notification.event IS
	'booked, rescheduled, cancelled, reminder or follow_up; of no appointment: '
	'waitlist_offer, of the offer that appt.waitlist_offer_message says; test, '
	'of a channel; and sign_in, to a member of staff whose account was used '
	'from a new device';
COMMENT ON COLUMN appt.notification.slot_start IS
	'When the visit was to begin as this was written; it has moved since where '
	'the appointment says otherwise';
COMMENT ON COLUMN appt.notification.lead_min IS
	'How many minutes before the visit, of a reminder; 0 of a follow_up, which '
	'so is one of the visit';
COMMENT ON COLUMN appt.notification.root_no IS
	'The message of which this is another try, by another channel';
COMMENT ON COLUMN appt.notification.template_no IS
	'Of a test: the template whose words it has; NULL: plain ones';
COMMENT ON COLUMN appt.notification.state IS
	'due (from due_at on), sending (a relay has it until lease_until), sent '
	'(the other side took it), delivered, read (as the provider reports), '
	'failed (the other side refused it for good), dead (tried for a day), '
	'skipped (for a reason)';
COMMENT ON COLUMN appt.notification.reason IS
	'Why it was skipped (cancelled, moved, completed, no_show, late_booking, '
	'opted_out, no_address, no_channel, no_template, past, erased, has_visit; '
	'of an offer accepted, declined, withdrawn, expired), or the last error';
COMMENT ON COLUMN appt.notification.queue_no IS
	'Where it waits: 0 until it is given a channel for which there is no room '
	'yet or which is to be tried again, then the channel''s number';
COMMENT ON COLUMN appt.notification.channel_no IS
	'The channel that it waits for or went by; 0: none is chosen yet';
COMMENT ON COLUMN appt.notification.channel IS 'email, sms or whatsapp';
COMMENT ON COLUMN appt.notification.language IS 'That of the template';
COMMENT ON COLUMN appt.notification.address IS
	'Where it went; erased with the patient';
COMMENT ON COLUMN appt.notification.due_at IS
	'When it may be sent, in real time; it is judged anew then';
COMMENT ON COLUMN appt.notification.attempts IS 'How often it was tried';
COMMENT ON COLUMN appt.notification.fence IS
	'Rises with every claim; a relay marks only what it still holds';
COMMENT ON COLUMN appt.notification.relay_no IS
	'The relay that claimed it: a random number of the process';
COMMENT ON COLUMN appt.notification.lease_until IS
	'Until when it is that relay''s alone';
COMMENT ON COLUMN appt.notification.sent_at IS 'When the other side took it';
COMMENT ON COLUMN appt.notification.finished_at IS
	'When it was sent, skipped or given up';

CREATE TABLE appt.notification_apart (
	notification_no bigint NOT NULL,
	staff_audit_no bigint,
	CONSTRAINT notification_apart_pkey PRIMARY KEY (notification_no)
);

COMMENT ON TABLE appt.notification_apart IS
	'The messages of no appointment that wait or are on their way: a claim '
	'finds them here, whatever there was before, and takes out what is done';
COMMENT ON COLUMN appt.notification_apart.notification_no IS 'The message';
COMMENT ON COLUMN appt.notification_apart.staff_audit_no IS
	'The sign-in that it tells of; NULL: it is a test of a channel or an offer';

CREATE TABLE appt.notification_attempt (
	notification_no bigint NOT NULL,
	fence bigint NOT NULL,
	started_at timestamptz NOT NULL,
	duration_ms integer NOT NULL,
	status integer,
	error text,
	answer text,
	inside boolean NOT NULL DEFAULT false,
	provider_id text,
	awaited boolean NOT NULL DEFAULT false,
	delivered_at timestamptz,
	read_at timestamptz,
	CONSTRAINT notification_attempt_pkey PRIMARY KEY (notification_no, fence)
) WITH (
	autovacuum_vacuum_scale_factor = 0.05
);

/* What is reported names the message by the provider's id.  That, and what is
 * awaited, is the attempt's and not the message's: a booking that writes a
 * message would open these indexes for nothing. */
CREATE INDEX notification_attempt_provider_id ON appt.notification_attempt
	(provider_id)
	WHERE provider_id IS NOT NULL;

CREATE INDEX notification_attempt_awaited ON appt.notification_attempt
	(started_at)
	WHERE awaited;

COMMENT ON TABLE appt.notification_attempt IS
	'The log of messages: one row an attempt';
COMMENT ON COLUMN appt.notification_attempt.notification_no IS 'The message';
COMMENT ON COLUMN appt.notification_attempt.fence IS
	'That of the claim: it sends once';
COMMENT ON COLUMN appt.notification_attempt.started_at IS
	'When the attempt began';
COMMENT ON COLUMN appt.notification_attempt.duration_ms IS
	'From then until its end';
COMMENT ON COLUMN appt.notification_attempt.status IS
	'HTTP status, or the SMTP reply to the mail; NULL: there was none, as of a '
	'mail server that did not let us in (what it said is the answer)';
COMMENT ON COLUMN appt.notification_attempt.error IS
	'Why it was not taken: the relay''s words, or the provider''s';
COMMENT ON COLUMN appt.notification_attempt.answer IS
	'The first 4 KiB of the answer';
COMMENT ON COLUMN appt.notification_attempt.inside IS
	'Whether a provider''s answer came from the clinic''s own network: then it '
	'is appt_admin''s to read';
COMMENT ON COLUMN appt.notification_attempt.provider_id IS
	'As the other side took it: Message-ID of an e-mail, the provider''s id of '
	'another message';
COMMENT ON COLUMN appt.notification_attempt.awaited IS
	'Whether a report of the delivery is awaited';
COMMENT ON COLUMN appt.notification_attempt.delivered_at IS
	'When the message reached the patient, as the provider reports';
COMMENT ON COLUMN appt.notification_attempt.read_at IS
	'When it was read, as the provider reports';
