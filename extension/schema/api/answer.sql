/* ---------------------------------------------------------------------------
 * What a call of the gateway gets.  body is the answer, ready to send; version
 * is its ETag.  client is the API client on whose behalf the gateway calls: its
 * branch limits are enforced here.  With an idempotency_key the first answer is
 * kept for 7 days and replayed; request_hash tells whether the request is the
 * same.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_api.answer AS (
	body text,
	version integer,
	id text,
	replayed boolean
);

COMMENT ON TYPE appt_api.answer IS
	'What a call answers: JSON text, version (ETag), id (Location), and '
	'whether it is the kept answer of an earlier request';
