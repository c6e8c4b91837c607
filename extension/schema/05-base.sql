/* ---------------------------------------------------------------------------
 * What the other parts build on.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.clock()
	RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_clock';

COMMENT ON FUNCTION appt.clock() IS
	'Now, as the extension sees it: when the statement began, unless '
	'bioecko_appt.clock freezes it';

CREATE FUNCTION appt.instant(
	on_date date,
	wall_clock time,
	time_zone text)
	RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_instant_sql';

COMMENT ON FUNCTION appt.instant(date, time, text) IS
	'When the time zone''s clock first shows that time of that date, or, '
	'where it is put forward beyond it, the moment of the change: what a '
	'session''s ends mean (AT TIME ZONE means other instants on such days). '
	'Raises 22023 for an unknown time zone, 22008';

CREATE FUNCTION appt.json_time(
	instant timestamptz,
	time_zone text)
	RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_json_time_sql';

COMMENT ON FUNCTION appt.json_time(timestamptz, text) IS
	'The instant in RFC 3339 with the time zone''s offset at that instant; '
	'raises 22023 for an unknown time zone';

CREATE FUNCTION appt.new_id(
	prefix text)
	RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_new_id_sql';

COMMENT ON FUNCTION appt.new_id(text) IS
	'prefix, an underscore and 22 random characters (128 bits) that are '
	'safe in a URL';
