-- The tables of the Node peer's bookings: what a good developer makes, with as
-- many rows as the extension's. What it lists slots from is the extension's
-- own tables with their indexes.

CREATE SCHEMA peer;

CREATE TABLE peer.doctor_day (
	doctor_no integer NOT NULL,
	on_date date NOT NULL,
	last_token integer NOT NULL,
	PRIMARY KEY (doctor_no, on_date)
);

CREATE TABLE peer.appointment (
	id bigint GENERATED ALWAYS AS IDENTITY,
	patient_no integer NOT NULL,
	patient_id text NOT NULL,
	doctor_no integer NOT NULL,
	doctor_id text NOT NULL,
	branch_id text NOT NULL,
	slot_start timestamptz NOT NULL,
	slot_end timestamptz NOT NULL,
	visit_type text,
	notes text,
	status text NOT NULL,
	token_number integer NOT NULL,
	token_date date NOT NULL,
	version integer NOT NULL DEFAULT 1,
	booked_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO peer.appointment (patient_no, patient_id, doctor_no, doctor_id,
	branch_id, slot_start, slot_end, visit_type, status, token_number,
	token_date)
SELECT patient_no, patient_id, doctor_no, doctor_id, branch_id, slot_start,
	slot_end, visit_type, status, token_number, token_date
FROM appt.appointment
WHERE token_date <= CURRENT_DATE + 60
ORDER BY appointment_no;

ALTER TABLE peer.appointment
	ADD PRIMARY KEY (id),
	ADD FOREIGN KEY (doctor_no) REFERENCES appt.doctor (doctor_no),
	ADD FOREIGN KEY (patient_no) REFERENCES appt.patient (patient_no),
	ADD CONSTRAINT appointment_no_overlap EXCLUDE USING gist (
		doctor_no WITH =,
		tstzrange(slot_start, slot_end) WITH &&)
		WHERE (status NOT IN ('cancelled', 'no_show'));
CREATE INDEX ON peer.appointment (doctor_no, slot_start)
	WHERE status NOT IN ('cancelled', 'no_show');
CREATE INDEX ON peer.appointment (patient_no, slot_start);

CREATE TABLE peer.event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	event_type text NOT NULL,
	appointment_id bigint NOT NULL,
	occurred_at timestamptz NOT NULL DEFAULT now(),
	data json NOT NULL
);
CREATE INDEX ON peer.event (appointment_id);

VACUUM ANALYZE peer.appointment;
