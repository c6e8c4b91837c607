/* ---------------------------------------------------------------------------
 * Appointments, holds and token counters.  Written by the functions of this
 * extension only; the rules that must hold whoever writes are constraints.
 *
 * A doctor and a branch that an appointment names must exist: a trigger asks
 * (extension/reference.c), for a foreign key would lock their rows.  There is
 * no foreign key to the doctor's day, whose row a booking has just written and
 * holds: the check was a twentieth of a booking.
 * ------------------------------------------------------------------------ */

CREATE SEQUENCE appt.appointment_no_seq;

COMMENT ON SEQUENCE appt.appointment_no_seq IS
	'Numbers of appointment ids (gaps are fine here; tokens never use one)';

/*
 * Domains of these tables' own: a statement that writes parses its table's
 * CHECKs anew, while those of a domain are kept.
 */
CREATE DOMAIN appt_internal.token_count AS integer
	CONSTRAINT doctor_day_last_token_positive CHECK (VALUE >= 0);

COMMENT ON DOMAIN appt_internal.token_count IS
	'How many tokens a doctor''s day has given out';

/*
 * Each booking leaves a dead version of its day's row, and the next that comes
 * to the page clears it away: the work of it is that of looking at the page's
 * rows, so a page has few.
 */
CREATE TABLE appt.doctor_day (
	doctor_no integer NOT NULL,
	on_date date NOT NULL,
	last_token appt_internal.token_count NOT NULL DEFAULT 0,
	CONSTRAINT doctor_day_pkey PRIMARY KEY (doctor_no, on_date),
	CONSTRAINT doctor_day_doctor_fkey FOREIGN KEY (doctor_no)
		REFERENCES appt.doctor (doctor_no)
) WITH (fillfactor = 10);

COMMENT ON TABLE appt.doctor_day IS
	'The lock and the token counter of a doctor''s day. Locks are taken in '
	'the order of (doctor_no, on_date)';
COMMENT ON COLUMN appt.doctor_day.last_token IS 'The last number drawn';

CREATE TABLE appt.appointment (
	appointment_id text NOT NULL,
	appointment_no bigint NOT NULL
		DEFAULT pg_catalog.nextval('appt.appointment_no_seq'),
	patient_id text,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	slot_start timestamptz NOT NULL,
	slot_end timestamptz NOT NULL,
	visit_type text,
	status text NOT NULL,
	token_number integer,
	token_date date NOT NULL,
	source text NOT NULL DEFAULT 'sql',
	notes text,
	version integer NOT NULL DEFAULT 1,
	reschedule_count integer NOT NULL DEFAULT 0,
	reason text,
	priority smallint NOT NULL DEFAULT 0,
	skipped_at timestamptz,
	override boolean NOT NULL DEFAULT false,
	booked_at timestamptz NOT NULL,
	checked_in_at timestamptz,
	started_at timestamptz,
	completed_at timestamptz,
	cancelled_at timestamptz,
	confirmed_at timestamptz,
	hold_expires_at timestamptz,
	held_by text,
	doctor_no integer NOT NULL,
	patient_no integer,
	lane smallint NOT NULL DEFAULT 0,
	buffer_before_min smallint NOT NULL DEFAULT 0,
	buffer_after_min smallint NOT NULL DEFAULT 0,
	wall_start timestamp,
	CONSTRAINT appointment_pkey PRIMARY KEY (appointment_no),
	CONSTRAINT appointment_id_key UNIQUE (appointment_id),
	CONSTRAINT appointment_patient_fkey FOREIGN KEY (patient_no)
		REFERENCES appt.patient (patient_no),
	CONSTRAINT appointment_no_overlap EXCLUDE USING spgist (
		appt_internal.place_time(doctor_no, lane, slot_start, slot_end)
			WITH OPERATOR(appt_internal.&&))
		WHERE (appt_internal.takes_place(status, lane)),
	CONSTRAINT appointment_patient_no_overlap EXCLUDE USING spgist (
		appt_internal.occupancy(patient_no, slot_start, slot_end)
			WITH OPERATOR(appt_internal.&&))
		WHERE (appt_internal.takes_patient(status))
);

/*
 * A statement that writes parses its table's CHECKs anew: one by one, spelled
 * out, those of an appointment were a fifth of a booking's cost.  One call with
 * the row is little to parse.
 */
CREATE FUNCTION appt_internal.appointment_invariants(
	appointment appt.appointment)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_appointment_invariants';

COMMENT ON FUNCTION appt_internal.appointment_invariants(appt.appointment) IS
	'True, or an error under the name of the invariant that the row violates '
	'(extension/invariant.c)';

ALTER TABLE appt.appointment
	ADD CONSTRAINT appointment_invariants
		CHECK (appt_internal.appointment_invariants(appointment));

ALTER SEQUENCE appt.appointment_no_seq
	OWNED BY appt.appointment.appointment_no;

/*
 * What a slot list reads: one doctor's days, from the index alone but for
 * holds, which have no patient.  An entry without a NULL is sooner read.
 */
CREATE INDEX appointment_slot ON appt.appointment (doctor_no, slot_start)
	INCLUDE (slot_end, lane, buffer_before_min, buffer_after_min, patient_no)
	WHERE (status NOT IN ('cancelled', 'no_show'));

/* A number is drawn once a doctor-day; the schema says so itself. */
CREATE UNIQUE INDEX appointment_token ON appt.appointment
	(doctor_no, token_date, token_number);

CREATE INDEX appointment_day ON appt.appointment (token_date, branch_id);

/* Holds are found by it, too: those that have no patient. */
CREATE INDEX appointment_patient ON appt.appointment (patient_no, slot_start);

COMMENT ON TABLE appt.appointment IS
	'Appointments, and holds (status held: a slot kept for a while without a '
	'patient; for whom an offer is kept appt.waitlist_offer says). Written by '
	'functions only';
COMMENT ON COLUMN appt.appointment.appointment_id IS
	'APT-2026-000123: prefix, year, number; a hold''s begins with hold_, that '
	'of an offer with offer_';
COMMENT ON COLUMN appt.appointment.slot_start IS 'First instant, inclusive';
COMMENT ON COLUMN appt.appointment.slot_end IS 'Last instant, exclusive';
COMMENT ON COLUMN appt.appointment.status IS
	'booked, checked_in, in_consultation, completed, cancelled, no_show; '
	'held while it is a hold';
COMMENT ON COLUMN appt.appointment.token_number IS
	'Queue number of the doctor''s day as assigned: 1, 2, 3, ...';
COMMENT ON COLUMN appt.appointment.token_date IS
	'The branch-local date of slot_start: the day that the token counts in';
COMMENT ON COLUMN appt.appointment.source IS 'Where the booking came from';
COMMENT ON COLUMN appt.appointment.version IS
	'Rises by one with every change; the ETag over HTTP';
COMMENT ON COLUMN appt.appointment.reason IS
	'Why it was last rescheduled, cancelled or corrected';
COMMENT ON COLUMN appt.appointment.priority IS
	'Higher is called earlier; 0 is ordinary';
COMMENT ON COLUMN appt.appointment.skipped_at IS
	'When the patient did not answer the call; goes behind the others';
COMMENT ON COLUMN appt.appointment.override IS
	'Booked on purpose against the slot rules by staff';
COMMENT ON COLUMN appt.appointment.confirmed_at IS
	'When the patient said that he will come; a move takes it back';
COMMENT ON COLUMN appt.appointment.held_by IS
	'The API client whose hold it is; the holds of others are not counted';
COMMENT ON COLUMN appt.appointment.lane IS
	'Which of the slot''s places it takes, 0 for the first: capacity as the '
	'overlap constraint sees it';
COMMENT ON COLUMN appt.appointment.buffer_before_min IS
	'Minutes kept free before it, as the rules were when it was booked';
COMMENT ON COLUMN appt.appointment.buffer_after_min IS
	'Minutes kept free after it, as the rules were when it was booked';
COMMENT ON COLUMN appt.appointment.wall_start IS
	'What the branch''s clock was to show at slot_start when it was booked or '
	'moved there: what the patient was told. Where the law changes the clock, '
	'appt.clock_changes() lists who is affected. NULL: not known';
COMMENT ON CONSTRAINT appointment_invariants ON appt.appointment IS
	'What holds of every row by itself. A violation has the name '
	'appointment_held_or_patient, appointment_lane_range, '
	'appointment_source_known, appointment_start_before_end, '
	'appointment_status_known, appointment_times_in_range or '
	'appointment_token_positive, and its detail says the rule';
COMMENT ON CONSTRAINT appointment_no_overlap ON appt.appointment IS
	'No two active appointments or holds of a doctor share a place in time; a '
	'place beside the bookable ones is free again when its visit is completed';
COMMENT ON CONSTRAINT appointment_patient_no_overlap ON appt.appointment IS
	'No patient is in two places at once';

CREATE FUNCTION appt_internal.day_keeps_appointments() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (
		SELECT FROM appt.appointment a
		WHERE a.doctor_no = OLD.doctor_no AND a.token_date = OLD.on_date)
	THEN
		RAISE EXCEPTION 'the day % of doctor "%" has appointments',
			OLD.on_date, (
				SELECT d.doctor_id
				FROM appt.doctor d
				WHERE d.doctor_no = OLD.doctor_no)
			USING ERRCODE = 'SB961',
				DETAIL = 'Its tokens would begin at 1 again.';
	END IF;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.day_keeps_appointments() IS
	'Row trigger: a doctor''s day that has appointments is neither deleted nor '
	'moved; raises SB961';

/*
 * After the change: a row trigger before an update, whatever its columns, has
 * PostgreSQL lock each row first, with a record of WAL in every booking.
 */
CREATE TRIGGER day_keeps_appointments
	AFTER DELETE OR UPDATE OF doctor_no, on_date ON appt.doctor_day
	FOR EACH ROW EXECUTE FUNCTION appt_internal.day_keeps_appointments();

CREATE FUNCTION appt_internal.doctor_leaves_nothing() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM appt.appointment a
	WHERE a.doctor_no = OLD.doctor_no
		AND a.hold_expires_at <= appt.clock();

	DELETE FROM appt.doctor_day d
	WHERE d.doctor_no = OLD.doctor_no
		AND d.last_token = 0
		AND NOT EXISTS (
			SELECT FROM appt.appointment a
			WHERE a.doctor_no = d.doctor_no AND a.token_date = d.on_date);
	RETURN OLD;
END
$$;

COMMENT ON FUNCTION appt_internal.doctor_leaves_nothing() IS
	'Row trigger: a doctor who goes takes along holds that have expired, and '
	'the days that only they opened. One with appointments, tokens or a hold '
	'stays: constraint doctor_day_doctor_fkey';

CREATE TRIGGER doctor_leaves_nothing
	BEFORE DELETE ON appt.doctor
	FOR EACH ROW EXECUTE FUNCTION appt_internal.doctor_leaves_nothing();

CREATE FUNCTION appt_internal.appointment_written() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_appointment_written';

COMMENT ON FUNCTION appt_internal.appointment_written() IS
	'Row trigger: refuses an appointment of a doctor or branch that does not '
	'exist, or with another doctor''s number, and notes that a slot is held. A '
	'restore (check_function_bodies off) passes: it brings the doctors later. '
	'Raises 23503';

CREATE TRIGGER appointment_written
	AFTER INSERT OR UPDATE OF doctor_id, doctor_no, branch_id
	ON appt.appointment
	FOR EACH ROW EXECUTE FUNCTION appt_internal.appointment_written();
