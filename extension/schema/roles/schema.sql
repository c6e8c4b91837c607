/* ---------------------------------------------------------------------------
 * The schemas.  PostgreSQL makes appt itself (bioecko_appt.control).
 * ------------------------------------------------------------------------ */

COMMENT ON SCHEMA appt IS
	'The clinic: configuration to write (branch, doctor, working_hours, ...), '
	'appointments to read, functions to book with. \df+ appt.* explains them';

CREATE SCHEMA appt_api;

COMMENT ON SCHEMA appt_api IS
	'What the HTTP gateway calls: the JSON form of schema appt';

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
