/* ---------------------------------------------------------------------------
 * Upkeep: what has served its time.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.expire(
	OUT holds bigint,
	OUT idempotency_keys bigint)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH expired AS (
		SELECT a.appointment_no
		FROM appt.appointment a
		WHERE a.hold_expires_at <= appt.clock()
		FOR UPDATE SKIP LOCKED),
	gone AS (
		DELETE FROM appt.appointment a
		USING expired x
		WHERE a.appointment_no = x.appointment_no
		RETURNING 1)
	SELECT count(*) INTO holds FROM gone;

	WITH expired AS (
		SELECT i.client, i.route, i.key
		FROM appt.idempotency i
		WHERE i.created_at <= appt.clock() - interval '7 days'
		FOR UPDATE SKIP LOCKED),
	gone AS (
		DELETE FROM appt.idempotency i
		USING expired x
		WHERE (i.client, i.route, i.key) = (x.client, x.route, x.key)
		RETURNING 1)
	SELECT count(*) INTO idempotency_keys FROM gone;
END
$$;

COMMENT ON FUNCTION appt.expire() IS
	'Deletes holds that have expired and answers to idempotency keys older '
	'than 7 days, and says how many. Nothing depends on it but space: the '
	'relay calls it each minute';
REVOKE ALL ON FUNCTION appt.expire() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION appt.expire() TO appt_admin, appt_relay;
