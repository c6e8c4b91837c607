/* ---------------------------------------------------------------------------
 * The schemas.  PostgreSQL makes appt itself (bioecko_appt.control).
 * ------------------------------------------------------------------------ */

COMMENT ON SCHEMA appt IS
	'The clinic: configuration to write (branch, doctor, working_hours, ...), '
	'appointments to read, functions to book with. \df+ appt.* explains them, '
	'with the SQLSTATEs that each raises (docs/sql.md). Any may raise SB001 '
	'(an argument is missing or malformed) and SB503 (the server does not know '
	'the branch''s time zone)';

CREATE SCHEMA appt_api;

COMMENT ON SCHEMA appt_api IS
	'What the HTTP gateway calls: the JSON form of schema appt. client: an '
	'API client or staff:<staff_id>, NULL for the session''s role; page: from '
	'1, per_page: 20, at most 100. What each raises stands in its comment; '
	'beside that any may raise SB001 (an argument is missing or malformed), '
	'SBT01 (client is none, or not active) and SB503 (unknown time zone), and '
	'with an idempotency_key SB003 (its form), SB950 (the same request is '
	'under way) and SBU02 (it was used for another)';

CREATE SCHEMA appt_relay;

COMMENT ON SCHEMA appt_relay IS
	'What the relay calls: deliveries are claimed, recorded and kept for a '
	'time';

CREATE SCHEMA appt_report;

COMMENT ON SCHEMA appt_report IS
	'Views for reporting tools: plain types, stable names. Role '
	'appt_reporting reads all but the ..._contact views, role '
	'appt_reporting_contact all';

CREATE SCHEMA appt_internal;

COMMENT ON SCHEMA appt_internal IS
	'The functions that the other schemas are made of; all data is in schema '
	'appt. Nothing outside the extension is to use what may change at any time';
