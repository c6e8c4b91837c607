// The statements: each is prepared once a connection, by its name.

export const slots = {
  name: 'slots',
  text: `
WITH g AS MATERIALIZED (
  SELECT d.doctor_no, d.doctor_id, h.branch_id, b.time_zone,
    make_interval(mins => coalesce($4, h.slot_min, d.slot_min, b.slot_min)) AS length,
    make_interval(mins => coalesce(h.slot_min, d.slot_min, b.slot_min)) AS step,
    ($2::date + h.start_time) AT TIME ZONE b.time_zone AS opens,
    ($2::date + h.end_time) AT TIME ZONE b.time_zone AS closes
  FROM appt.doctor AS d
  JOIN appt.working_hours AS h ON h.doctor_id = d.doctor_id
  JOIN appt.branch AS b ON b.branch_id = h.branch_id
  WHERE d.doctor_id = $1 AND h.branch_id = $3
    AND h.weekday = extract(isodow FROM $2::date)
    AND $2::date BETWEEN h.valid_from AND h.valid_to
    AND d.active AND b.active),
busy AS MATERIALIZED (
  SELECT range_agg(t.span) AS spans
  FROM (
    SELECT tstzrange(a.slot_start, a.slot_end) AS span
    FROM appt.appointment AS a
    WHERE a.doctor_no = (SELECT doctor_no FROM g LIMIT 1)
      AND a.slot_start > $2::date - interval '1 day'
      AND a.slot_start < $2::date + interval '2 days'
      AND a.status NOT IN ('cancelled', 'no_show')
    UNION ALL
    SELECT tstzrange(o.starts_at, o.ends_at)
    FROM appt.time_off AS o
    WHERE o.doctor_id = $1
      AND o.starts_at < $2::date + interval '2 days'
      AND o.ends_at > $2::date - interval '1 day'
    UNION ALL
    SELECT tstzrange(c.starts_at, c.ends_at)
    FROM appt.closure AS c
    WHERE c.branch_id = $3
      AND c.starts_at < $2::date + interval '2 days'
      AND c.ends_at > $2::date - interval '1 day') AS t)
SELECT extract(epoch FROM s.at)::integer AS start,
  extract(epoch FROM g.length)::integer AS length,
  extract(epoch FROM (s.at AT TIME ZONE g.time_zone)
    - (s.at AT TIME ZONE 'UTC'))::integer AS "offset"
FROM g
CROSS JOIN busy
CROSS JOIN LATERAL generate_series(g.opens, g.closes - g.length, g.step) AS s(at)
WHERE s.at >= now()
  AND (busy.spans IS NULL OR NOT busy.spans && tstzrange(s.at, s.at + g.length))
ORDER BY s.at`
}

// The doctor-day's row is the lock and the counter of tokens.
export const lockDay = {
  name: 'lock-day',
  text: `
INSERT INTO peer.doctor_day AS dd (doctor_no, on_date, last_token)
SELECT d.doctor_no, ($2::timestamptz AT TIME ZONE b.time_zone)::date, 1
FROM appt.doctor AS d, appt.branch AS b
WHERE d.doctor_id = $1 AND d.active AND b.branch_id = $3 AND b.active
ON CONFLICT (doctor_no, on_date) DO UPDATE SET last_token = dd.last_token + 1
RETURNING dd.doctor_no, dd.on_date::text, dd.last_token`
}

// Under that lock: in the doctor's hours, free for doctor and patient? Then
// the row and its event. No row comes back where the answer is no.
export const insertAppointment = {
  name: 'insert-appointment',
  text: `
WITH inserted AS (
  INSERT INTO peer.appointment (patient_no, patient_id, doctor_no, doctor_id,
    branch_id, slot_start, slot_end, visit_type, notes, status, token_number,
    token_date)
  SELECT p.patient_no, p.patient_id, $2::integer, $3, $4, $5::timestamptz,
    $6::timestamptz, $7, $8, 'booked', $9::integer, $10::date
  FROM appt.patient AS p
  WHERE p.patient_id = $1 AND p.active AND $5::timestamptz > now()
    AND EXISTS (
      SELECT FROM appt.working_hours AS h
      JOIN appt.branch AS b ON b.branch_id = h.branch_id
      WHERE h.doctor_id = $3 AND h.branch_id = $4
        AND h.weekday = extract(isodow FROM $10::date)
        AND $10::date BETWEEN h.valid_from AND h.valid_to
        AND ($5::timestamptz AT TIME ZONE b.time_zone)::time >= h.start_time
        AND ($6::timestamptz AT TIME ZONE b.time_zone)::time <= h.end_time)
    AND NOT EXISTS (
      SELECT FROM peer.appointment AS a
      WHERE a.doctor_no = $2::integer AND a.status NOT IN ('cancelled', 'no_show')
        AND a.slot_start < $6::timestamptz AND a.slot_end > $5::timestamptz
        AND a.slot_start > $5::timestamptz - interval '8 hours')
    AND NOT EXISTS (
      SELECT FROM peer.appointment AS a
      WHERE a.patient_no = p.patient_no AND a.status NOT IN ('cancelled', 'no_show')
        AND a.slot_start < $6::timestamptz AND a.slot_end > $5::timestamptz
        AND a.slot_start > $5::timestamptz - interval '8 hours')
  RETURNING *),
event AS (
  INSERT INTO peer.event (event_type, appointment_id, data)
  SELECT 'appointment.booked', i.id, row_to_json(i)
  FROM inserted AS i)
SELECT id::integer, booked_at FROM inserted`
}
