/* ---------------------------------------------------------------------------
 * Time: the clock, wall-clock times and zones, lengths.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt.clock()
	RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_clock';

COMMENT ON FUNCTION appt.clock() IS
	'Now, as the extension sees it: when the statement began, unless '
	'bioecko_appt.clock freezes it';

CREATE FUNCTION appt_internal.instant(
	on_date date,
	wall_clock time,
	time_zone text)
	RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_instant_sql';

COMMENT ON FUNCTION appt_internal.instant(date, time, text) IS
	'When the time zone''s clock first shows that time of that date, or, '
	'where it is put forward beyond it, the moment of the change: what a '
	'session''s ends mean (AT TIME ZONE means other instants on such days). '
	'Raises 22023 for an unknown time zone, 22008';

CREATE FUNCTION appt_internal.json_time(
	instant timestamptz,
	time_zone text)
	RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_json_time_sql';

COMMENT ON FUNCTION appt_internal.json_time(timestamptz, text) IS
	'The instant in RFC 3339 with the time zone''s offset at that instant; '
	'raises 22023 for an unknown time zone';

CREATE FUNCTION appt_internal.is_time_zone(name text) RETURNS boolean
	LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_is_time_zone';

COMMENT ON FUNCTION appt_internal.is_time_zone(text) IS
	'Whether the name is a place''s time zone that this server knows (an IANA '
	'name such as Asia/Kolkata; case does not matter); not localtime, '
	'posixrules, Factory, a copy under posix/ or a rule such as UTC+5:30';

CREATE FUNCTION appt_internal.known_zone(time_zone text) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_known_zone';

COMMENT ON FUNCTION appt_internal.known_zone(text) IS
	'The time zone, or UTC where this server does not know it: what is shown '
	'of one branch must not fail for all';

CREATE FUNCTION appt_internal.local_time(
	instant timestamptz,
	time_zone text)
	RETURNS timestamp
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_local_time_sql';

COMMENT ON FUNCTION appt_internal.local_time(timestamptz, text) IS
	'What the time zone''s clock shows then, as AT TIME ZONE; UTC''s where '
	'this server does not know the zone';

CREATE DOMAIN appt.minutes AS integer
	CONSTRAINT minutes_range CHECK (VALUE BETWEEN 0 AND 525600);

COMMENT ON DOMAIN appt.minutes IS 'A length of time in whole minutes';

CREATE DOMAIN appt.slot_minutes AS integer
	CONSTRAINT slot_minutes_range CHECK (VALUE BETWEEN 5 AND 480);

COMMENT ON DOMAIN appt.slot_minutes IS
	'The length of a slot: 5 to 480 minutes (docs/sql.md, Set up)';

CREATE FUNCTION appt_internal.local_dates(
	starts_at timestamptz,
	ends_at timestamptz,
	time_zone text)
	RETURNS daterange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN daterange(
	(starts_at AT TIME ZONE time_zone)::date,
	((ends_at - interval '1 microsecond') AT TIME ZONE time_zone)::date,
	'[]');

COMMENT ON FUNCTION appt_internal.local_dates(timestamptz, timestamptz, text) IS
	'The dates of the time zone that [starts_at, ends_at) touches';
