/* ---------------------------------------------------------------------------
 * What became of the attempts: what the other side's answer means, the next
 * attempt, the next channel.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.json_or_null(answer text) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_json_or_null';

COMMENT ON FUNCTION appt_internal.json_or_null(text) IS
	'The answer, if it is JSON';

CREATE FUNCTION appt_internal.answer_path(answer jsonb, path jsonb)
	RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_answer_path';

COMMENT ON FUNCTION appt_internal.answer_path(jsonb, jsonb) IS
	'What stands in an answer at a path such as ["messages", 0, "id"]';

CREATE FUNCTION appt_internal.answer_matches(
	rule jsonb,
	status integer,
	answer jsonb)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN (rule OPERATOR(pg_catalog.->) 'statuses' IS NULL
		OR rule OPERATOR(pg_catalog.->) 'statuses'
			OPERATOR(pg_catalog.@>) pg_catalog.to_jsonb(status))
	AND (rule OPERATOR(pg_catalog.->) 'path' IS NULL
		OR rule OPERATOR(pg_catalog.->) 'values' OPERATOR(pg_catalog.@>)
			pg_catalog.to_jsonb(appt_internal.answer_path(answer,
				rule OPERATOR(pg_catalog.->) 'path')));

COMMENT ON FUNCTION appt_internal.answer_matches(jsonb, integer, jsonb) IS
	'Whether an answer is as a rule says: one of these statuses, if it names '
	'some, and one of these values at the path, if it names one';

CREATE TYPE appt_internal.send_outcome AS (
	state text,
	provider_id text,
	error text
);

COMMENT ON TYPE appt_internal.send_outcome IS
	'What an attempt came to: sent, failed (no retry helps) or due (again)';

/* Both without a search_path of their own, so that they become a part of the
 * statement that records. */
CREATE FUNCTION appt_internal.http_outcome(
	settings jsonb,
	status integer,
	error text,
	answer text)
	RETURNS SETOF appt_internal.send_outcome
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT o.state,
		CASE o.state WHEN 'sent' THEN
			appt_internal.answer_path(o.said, $1->'id') END,
		CASE WHEN o.state <> 'sent' THEN coalesce(
			appt_internal.answer_path(o.said, $1->'error'), $3,
			'answered ' || $2) END
	FROM (
		SELECT a.said,
			CASE
				WHEN ($2 BETWEEN 200 AND 299
						OR $1->'ok'->'statuses' @> pg_catalog.to_jsonb($2))
					AND ($1->'ok' IS NULL OR appt_internal.answer_matches(
						$1->'ok', $2, a.said)) THEN 'sent'
				WHEN $1->'final' IS NOT NULL AND appt_internal.answer_matches(
						$1->'final', $2, a.said) THEN 'failed'
				/* A key that is wrong, or an account without money, is no
				 * fault of the message, which waits until that is put right. */
				WHEN $1->'final'->'statuses' IS NULL
					AND $2 BETWEEN 400 AND 499
					AND $2 NOT IN (401, 402, 403, 407, 408, 425, 429)
					THEN 'failed'
				ELSE 'due'
			END AS state
		FROM (
			SELECT CASE WHEN $1 ?| '{ok,final,id,error}'
				THEN appt_internal.json_or_null($4) END AS said
			OFFSET 0) a
		OFFSET 0) o
$$;

COMMENT ON FUNCTION appt_internal.http_outcome(jsonb, integer, text, text) IS
	'What a provider''s answer means by the channel''s rules. Providers answer '
	'200 with an error inside: the rule decides, not the status';

CREATE FUNCTION appt_internal.mail_outcome(
	status integer,
	error text,
	answer text,
	message_id text)
	RETURNS SETOF appt_internal.send_outcome
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT o.state, CASE o.state WHEN 'sent' THEN $4 END,
		CASE WHEN o.state <> 'sent' THEN coalesce($3, $2) END
	FROM (
		SELECT CASE
			WHEN $1 BETWEEN 200 AND 299 THEN 'sent'
			/* Of a server that does not let us in (RFC 4954, 6) the clinic is
			 * to hear; the patient's message waits until the password is
			 * right. */
			WHEN $1 BETWEEN 500 AND 599 AND $1 NOT IN (530, 534, 535, 538)
				THEN 'failed'
			ELSE 'due' END AS state
		OFFSET 0) o
$$;

COMMENT ON FUNCTION appt_internal.mail_outcome(integer, text, text, text) IS
	'What a mail server''s reply means: 5xx is final, but for one to signing '
	'in; all else is tried again';

CREATE VIEW appt_internal.channel_trouble AS
SELECT c.channel_no, t.started_at AS at, l.reason AS error
FROM appt.notification_channel c
CROSS JOIN LATERAL (
	/* The last by due_at: a retry waits longer than what was not tried. */
	SELECT n.notification_no, n.fence, n.reason
	FROM appt.notification n
	WHERE n.queue_no = c.channel_no
		AND n.finished_at IS NULL
		AND n.state = 'due'
		AND n.attempts > 0
	ORDER BY n.due_at DESC
	LIMIT 1) l
JOIN appt.notification_attempt t ON t.notification_no = l.notification_no
	AND t.fence = l.fence
WHERE (t.status IS NULL
		OR t.status IN (401, 402, 403, 407, 530, 534, 535, 538))
	AND NOT EXISTS (
		SELECT
		FROM appt.notification s
		WHERE s.channel_no = c.channel_no
			AND s.sent_at > t.started_at
			AND s.finished_at > t.started_at);

COMMENT ON VIEW appt_internal.channel_trouble IS
	'Channels that are out of order themselves: when that was last seen, and '
	'how (not reached, certificate or password not right, no answer). None '
	'that sent a message since';
COMMENT ON COLUMN appt_internal.channel_trouble.channel_no IS 'The channel';
COMMENT ON COLUMN appt_internal.channel_trouble.at IS
	'When the last attempt began';
COMMENT ON COLUMN appt_internal.channel_trouble.error IS 'What it came to';

CREATE FUNCTION appt_internal.try_next_channel(n appt.notification)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	next appt.notification := n;
	o appt.waitlist_offer;
	p appt.patient;
	a appt.appointment;
	route appt_internal.route;
BEGIN
	IF n.event = 'waitlist_offer' THEN
		SELECT t.* INTO o
		FROM appt_internal.message_offer(n.notification_no) t;
		a := appt_internal.offer_visit(o);
	ELSE
		SELECT t.* INTO a
		FROM appt.appointment t
		WHERE t.appointment_no = n.appointment_no;
	END IF;
	IF a.patient_no IS NULL THEN
		RETURN false;
	END IF;
	SELECT t.* INTO p
	FROM appt.patient t
	WHERE t.patient_no = a.patient_no;
	next.root_no := coalesce(n.root_no, n.notification_no);
	next.notification_no := NULL;
	IF EXISTS (
		SELECT
		FROM appt_internal.all_tries(n) l
		WHERE l.notification_no > n.notification_no)
	THEN
		RETURN false;
	END IF;
	/* By the question that claims will ask of the row: no channel twice. */
	next.notification_no := 0;
	route := appt_internal.route_notification(next, next.event, p,
		appt_internal.notification_rules(a.branch_id, a.doctor_id));
	IF route.channel_no IS NULL THEN
		RETURN false;
	END IF;
	IF n.event = 'waitlist_offer' THEN
		PERFORM appt_internal.write_offer_message(o.offer_no, next.root_no);
		RETURN true;
	END IF;
	INSERT INTO appt.notification
		(appointment_no, event, slot_start, lead_min, root_no)
	VALUES (n.appointment_no, n.event, n.slot_start, n.lead_min,
		next.root_no);
	RETURN true;
END
$$;

COMMENT ON FUNCTION appt_internal.try_next_channel IS
	'Has the message told by another channel, if there is one that was not '
	'tried; returns whether there is';

CREATE FUNCTION appt_relay.record_notifications(
	notification_nos bigint[],
	fences bigint[],
	started_us bigint[],
	durations_ms integer[],
	statuses integer[],
	errors text[],
	answers text[],
	schedule_s double precision[]
		DEFAULT '{0,30,120,600,1800,3600,10800,21600,43200}',
	insides boolean[] DEFAULT '{}')
	RETURNS TABLE (notification_no bigint, state text, channel text,
		reason text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	n appt.notification;
BEGIN
	FOR n IN
		WITH result AS MATERIALIZED (
			SELECT u.notification_no, u.i
			FROM unnest($1) WITH ORDINALITY AS u (notification_no, i)
			WHERE u.notification_no IS NOT NULL
			ORDER BY u.notification_no),
		judged AS MATERIALIZED (
			SELECT r.notification_no, r.i, $2[r.i] AS fence,
				CASE WHEN o.state = 'due' AND (t.event = 'test'
						OR t.attempts + 1 >= cardinality($8))
					THEN 'dead' ELSE o.state END AS outcome,
				o.error AS failure, o.provider_id,
				t.fence = $2[r.i] AND t.state = 'sending' AS is_held,
				o.state = 'sent' AND t.event <> 'test' AND t.fence = $2[r.i]
					AND t.state IN ('due', 'sending')
					AND c.settings->'reports' = 'true' AS awaited
			FROM result r
			LEFT JOIN appt.notification t
				ON t.notification_no = r.notification_no
			CROSS JOIN LATERAL (
				SELECT coalesce((
					SELECT k.settings
					FROM appt.notification_channel k
					WHERE k.channel_no = t.channel_no), '{}') AS settings
				OFFSET 0) c
			CROSS JOIN LATERAL (
				SELECT m.*
				FROM appt_internal.mail_outcome($5[r.i], $6[r.i], $7[r.i],
					format('ntf-%s.%s', t.notification_no,
						floor(extract(epoch FROM t.created_at)))) m
				WHERE t.channel = 'email'
				UNION ALL
				SELECT h.*
				FROM appt_internal.http_outcome(c.settings, $5[r.i], $6[r.i],
					$7[r.i]) h
				WHERE t.channel IS DISTINCT FROM 'email') o),
		logged AS (
			INSERT INTO appt.notification_attempt
			SELECT r.notification_no, r.fence,
				to_timestamp($3[r.i] / 1e6::double precision),
				$4[r.i], $5[r.i], $6[r.i], $7[r.i],
				coalesce($9[r.i], false), r.provider_id,
				coalesce(r.awaited, false)
			FROM judged r
			/* What is held is not on record yet; not ON CONFLICT, which writes
			 * each row twice. */
			WHERE r.is_held OR NOT EXISTS (
				SELECT
				FROM appt.notification_attempt l
				WHERE l.notification_no = r.notification_no
					AND l.fence = r.fence
				OFFSET 0)),
		/* With little in each row that it is given, as PostgreSQL puts those
		 * together once more; by number, as the row may have moved since. */
		recorded AS (
			UPDATE appt.notification t
			SET state = r.outcome,
				reason = r.failure,
				queue_no = CASE r.outcome WHEN 'due' THEN t.channel_no
					ELSE t.queue_no END,
				due_at = CASE r.outcome WHEN 'due' THEN at
						+ appt_internal.retry_delay(t.attempts + 1, NULL, $8)
					ELSE t.due_at END,
				sent_at = CASE r.outcome WHEN 'sent' THEN at END,
				finished_at = CASE WHEN r.outcome <> 'due' THEN at END,
				attempts = t.attempts + 1,
				relay_no = NULL,
				lease_until = NULL
			FROM (
				SELECT j.notification_no, j.fence, j.outcome, j.failure
				FROM judged j
				OFFSET 0) r
			WHERE t.notification_no = r.notification_no
				AND t.fence = r.fence
				AND t.state IN ('due', 'sending')
			RETURNING CASE WHEN t.state IN ('failed', 'dead') THEN t END AS n)
		SELECT (c.n).* FROM recorded c WHERE (c.n).notification_no IS NOT NULL
	LOOP
		PERFORM appt_internal.try_next_channel(n);
		RETURN QUERY VALUES (n.notification_no, n.state, n.channel, n.reason);
	END LOOP;
END
$$;

COMMENT ON FUNCTION appt_relay.record_notifications(bigint[], bigint[],
	bigint[], integer[], integer[], text[], text[], double precision[],
	boolean[]) IS
	'Records a batch of attempts in one transaction; may be repeated. '
	'insides: whose answers came from the clinic''s own network. '
	'schedule_s: seconds before each attempt; its length, a day in all, is how '
	'many there are. Returns what the relay should log: what failed for good, '
	'or is dead';
