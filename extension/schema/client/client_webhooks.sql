/* ---------------------------------------------------------------------------
 * What becomes of an API client's webhooks when the client's rights change:
 * no endpoint is told of what its client may not see.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.limit_client_webhooks() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	endpoint appt.webhook;
	allowed text[];
	may boolean := TG_OP = 'UPDATE';
BEGIN
	IF may THEN
		allowed := NEW.branch_ids;
		may := NEW.active;
	END IF;
	FOR endpoint IN
		SELECT w.*
		FROM appt.webhook w
		WHERE w.created_by = 'client:' || OLD.client_id
		ORDER BY w.webhook_no
		FOR NO KEY UPDATE
	LOOP
		IF NOT may OR NOT coalesce(endpoint.branch_ids && allowed, true) THEN
			PERFORM appt_internal.disable_endpoint(endpoint.webhook_no,
				'client');
		ELSIF allowed IS NOT NULL
			AND (endpoint.branch_ids <@ allowed) IS NOT TRUE
		THEN
			UPDATE appt.webhook w
			SET branch_ids = ARRAY(
					SELECT a.id
					FROM unnest(allowed) a(id)
					WHERE endpoint.branch_ids IS NULL
						OR a.id = ANY (endpoint.branch_ids)),
				version = w.version + 1
			WHERE w.webhook_no = endpoint.webhook_no;
		END IF;
		IF TG_OP = 'DELETE' THEN
			UPDATE appt.webhook w
			SET created_by = w.created_by || ' (deleted)'
			WHERE w.webhook_no = endpoint.webhook_no;
		END IF;
		IF may THEN
			/* OR, not IN: so each state is read off its own small index. */
			DELETE FROM appt.delivery d
			USING appt.event e
			WHERE d.webhook_no = endpoint.webhook_no
				AND (d.state = 'pending' OR d.state = 'in_flight'
					OR d.state = 'held')
				AND e.event_no = d.event_no
				AND (NOT appt_internal.concerns_branches(e.branch_id,
						e.from_branch_id, e.patient_no, allowed)
					OR e.patient_no IS NOT NULL
					AND NOT appt_internal.may_hear_of_patients(
						endpoint.created_by));
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.limit_client_webhooks() IS
	'Row trigger: a client that is limited to branches takes its webhooks '
	'along, and what still waited of other branches is not sent; one that is '
	'switched off or deleted leaves them disabled, and those of a deleted one '
	'are never another''s who is given its id';

CREATE TRIGGER limit_client_webhooks
	AFTER UPDATE OF branch_ids, active, scopes OR DELETE ON appt.api_client
	FOR EACH ROW EXECUTE FUNCTION appt_internal.limit_client_webhooks();
