/* ---------------------------------------------------------------------------
 * Upkeep: what has served its time.
 *
 * appt.upkeep is the one entry for the relay, which calls it each minute.  A
 * sweep that is added there, as a name and its call, needs no other change.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.sweep_holds(batch integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	WITH expired AS (
		SELECT a.appointment_no
		FROM appt.appointment a
		WHERE a.patient_no IS NULL
			AND a.hold_expires_at <= appt.clock()
		LIMIT batch
		FOR UPDATE SKIP LOCKED)
	DELETE FROM appt.appointment a
	USING expired x
	WHERE a.appointment_no = x.appointment_no;
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_holds(integer) IS
	'Deletes holds that have expired, at most batch of them (NULL: all), but '
	'for those that somebody is at; returns how many';

CREATE FUNCTION appt_internal.sweep_idempotency_keys(batch integer)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	swept bigint;
BEGIN
	WITH expired AS (
		SELECT i.client, i.route, i.key
		FROM appt.idempotency i
		WHERE i.created_at <= appt.clock() - interval '7 days'
		LIMIT batch
		FOR UPDATE SKIP LOCKED)
	DELETE FROM appt.idempotency i
	USING expired x
	WHERE (i.client, i.route, i.key) = (x.client, x.route, x.key);
	GET DIAGNOSTICS swept = ROW_COUNT;
	RETURN swept;
END
$$;

COMMENT ON FUNCTION appt_internal.sweep_idempotency_keys(integer) IS
	'Deletes answers to idempotency keys older than 7 days, at most batch of '
	'them (NULL: all); returns how many';

CREATE FUNCTION appt.expire(
	OUT holds bigint,
	OUT idempotency_keys bigint)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	holds := appt_internal.sweep_holds(NULL);
	idempotency_keys := appt_internal.sweep_idempotency_keys(NULL);
END
$$;

COMMENT ON FUNCTION appt.expire() IS
	'Deletes holds that have expired and answers to idempotency keys older '
	'than 7 days, and says how many. By hand: the relay calls appt.upkeep(), '
	'which does the same, each minute';

CREATE FUNCTION appt.upkeep(batch integer DEFAULT 5000)
	RETURNS TABLE (
		what text,
		deleted bigint,
		problem text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	FOREACH what IN ARRAY ARRAY['expired holds', 'idempotency keys',
		'revoked tokens', 'audit entries', 'noted changes', 'sign-ins',
		'audit entries of staff', 'looks at patients', 'offers']
	LOOP
		BEGIN
			problem := NULL;
			deleted := CASE what
				WHEN 'expired holds' THEN appt_internal.sweep_holds(batch)
				WHEN 'idempotency keys'
					THEN appt_internal.sweep_idempotency_keys(batch)
				WHEN 'revoked tokens' THEN appt_internal.sweep_revoked_tokens(
					batch)
				WHEN 'audit entries' THEN appt_internal.sweep_client_audit(
					batch)
				WHEN 'noted changes' THEN appt_internal.sweep_changes(batch)
				WHEN 'sign-ins' THEN appt_internal.sweep_sign_ins(batch)
				WHEN 'audit entries of staff'
					THEN appt_internal.sweep_staff_audit(batch)
				WHEN 'looks at patients'
					THEN appt_internal.sweep_patient_access(batch)
				WHEN 'offers' THEN appt_internal.sweep_offers(batch)
			END;
		EXCEPTION WHEN OTHERS THEN
			/* What stops one sweep, a trigger of the clinic's perhaps, stops
			 * no other. */
			deleted := 0;
			problem := SQLSTATE || ' ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt.upkeep(integer) IS
	'What the relay calls each minute: deletes what has served its time, at '
	'most batch rows of each kind, and returns a row a kind: what it is, how '
	'many were deleted (as many as batch: there may be more), and the error '
	'that stopped it. Nothing depends on it but space';
