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

CREATE FUNCTION appt_internal.spoken_time(
	instant timestamptz,
	time_zone text)
	RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN to_char(appt_internal.local_time(instant, time_zone),
	'DD/MM/YYYY HH24:MI');

COMMENT ON FUNCTION appt_internal.spoken_time(timestamptz, text) IS
	'The same as it is said to people: 15/03/2026 10:00';

CREATE FUNCTION appt_internal.server_zone(name text) RETURNS text
	LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_server_zone';

COMMENT ON FUNCTION appt_internal.server_zone(text) IS
	'The time zone''s name with the capitals that this server has in it; NULL '
	'where the name is not known';

CREATE FUNCTION appt_internal.zone_name(name text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* Former names of a place and names of countries, from IANA's file
	 * "backward"; not its links between places, such as Amsterdam's to
	 * Brussels. */
	SELECT coalesce(
		(SELECT a.zone
		 FROM (VALUES
			('Asia/Calcutta', 'Asia/Kolkata'),
			('Asia/Katmandu', 'Asia/Kathmandu'),
			('Asia/Dacca', 'Asia/Dhaka'),
			('Asia/Rangoon', 'Asia/Yangon'),
			('Asia/Thimbu', 'Asia/Thimphu'),
			('Asia/Saigon', 'Asia/Ho_Chi_Minh'),
			('Asia/Macao', 'Asia/Macau'),
			('Asia/Ujung_Pandang', 'Asia/Makassar'),
			('Asia/Ulan_Bator', 'Asia/Ulaanbaatar'),
			('Asia/Ashkhabad', 'Asia/Ashgabat'),
			('Asia/Chungking', 'Asia/Shanghai'),
			('Asia/Tel_Aviv', 'Asia/Jerusalem'),
			('Atlantic/Faeroe', 'Atlantic/Faroe'),
			('America/Buenos_Aires', 'America/Argentina/Buenos_Aires'),
			('America/Catamarca', 'America/Argentina/Catamarca'),
			('America/Cordoba', 'America/Argentina/Cordoba'),
			('America/Jujuy', 'America/Argentina/Jujuy'),
			('America/Mendoza', 'America/Argentina/Mendoza'),
			('America/Indianapolis', 'America/Indiana/Indianapolis'),
			('America/Fort_Wayne', 'America/Indiana/Indianapolis'),
			('America/Louisville', 'America/Kentucky/Louisville'),
			('America/Knox_IN', 'America/Indiana/Knox'),
			('America/Godthab', 'America/Nuuk'),
			('America/Porto_Acre', 'America/Rio_Branco'),
			('America/Shiprock', 'America/Denver'),
			('Europe/Kiev', 'Europe/Kyiv'),
			('Pacific/Enderbury', 'Pacific/Kanton'),
			('Pacific/Ponape', 'Pacific/Pohnpei'),
			('Pacific/Truk', 'Pacific/Chuuk'),
			('Pacific/Yap', 'Pacific/Chuuk'),
			('Pacific/Samoa', 'Pacific/Pago_Pago'),
			('Africa/Asmera', 'Africa/Asmara'),
			('Africa/Timbuktu', 'Africa/Bamako'),
			('Australia/ACT', 'Australia/Sydney'),
			('Australia/Canberra', 'Australia/Sydney'),
			('Australia/NSW', 'Australia/Sydney'),
			('Australia/North', 'Australia/Darwin'),
			('Australia/Queensland', 'Australia/Brisbane'),
			('Australia/South', 'Australia/Adelaide'),
			('Australia/Tasmania', 'Australia/Hobart'),
			('Australia/Victoria', 'Australia/Melbourne'),
			('Australia/West', 'Australia/Perth'),
			('Australia/LHI', 'Australia/Lord_Howe'),
			('Brazil/Acre', 'America/Rio_Branco'),
			('Brazil/East', 'America/Sao_Paulo'),
			('Brazil/West', 'America/Manaus'),
			('Canada/Atlantic', 'America/Halifax'),
			('Canada/Central', 'America/Winnipeg'),
			('Canada/Eastern', 'America/Toronto'),
			('Canada/Mountain', 'America/Edmonton'),
			('Canada/Newfoundland', 'America/St_Johns'),
			('Canada/Pacific', 'America/Vancouver'),
			('Canada/Saskatchewan', 'America/Regina'),
			('Canada/Yukon', 'America/Whitehorse'),
			('Chile/Continental', 'America/Santiago'),
			('Chile/EasterIsland', 'Pacific/Easter'),
			('Cuba', 'America/Havana'),
			('Egypt', 'Africa/Cairo'),
			('Eire', 'Europe/Dublin'),
			('GB', 'Europe/London'),
			('GB-Eire', 'Europe/London'),
			('Hongkong', 'Asia/Hong_Kong'),
			('Iceland', 'Atlantic/Reykjavik'),
			('Iran', 'Asia/Tehran'),
			('Israel', 'Asia/Jerusalem'),
			('Jamaica', 'America/Jamaica'),
			('Japan', 'Asia/Tokyo'),
			('Kwajalein', 'Pacific/Kwajalein'),
			('Libya', 'Africa/Tripoli'),
			('Mexico/BajaNorte', 'America/Tijuana'),
			('Mexico/BajaSur', 'America/Mazatlan'),
			('Mexico/General', 'America/Mexico_City'),
			('NZ', 'Pacific/Auckland'),
			('NZ-CHAT', 'Pacific/Chatham'),
			('Navajo', 'America/Denver'),
			('PRC', 'Asia/Shanghai'),
			('Poland', 'Europe/Warsaw'),
			('Portugal', 'Europe/Lisbon'),
			('ROC', 'Asia/Taipei'),
			('ROK', 'Asia/Seoul'),
			('Singapore', 'Asia/Singapore'),
			('Turkey', 'Europe/Istanbul'),
			('US/Alaska', 'America/Anchorage'),
			('US/Aleutian', 'America/Adak'),
			('US/Arizona', 'America/Phoenix'),
			('US/Central', 'America/Chicago'),
			('US/East-Indiana', 'America/Indiana/Indianapolis'),
			('US/Eastern', 'America/New_York'),
			('US/Hawaii', 'Pacific/Honolulu'),
			('US/Indiana-Starke', 'America/Indiana/Knox'),
			('US/Michigan', 'America/Detroit'),
			('US/Mountain', 'America/Denver'),
			('US/Pacific', 'America/Los_Angeles'),
			('US/Samoa', 'Pacific/Pago_Pago'),
			('W-SU', 'Europe/Moscow'),
			('UCT', 'UTC'),
			('Zulu', 'UTC'),
			('Universal', 'UTC'),
			('Etc/UTC', 'UTC'),
			('Etc/UCT', 'UTC'),
			('Etc/Zulu', 'UTC'),
			('Etc/Universal', 'UTC')
			) a (former, zone)
		 WHERE lower(a.former) = lower(name)
			AND appt_internal.is_time_zone(a.zone)),
		appt_internal.server_zone(name),
		name)
$$;

COMMENT ON FUNCTION appt_internal.zone_name(text) IS
	'The canonical name of a time zone: Asia/Kolkata for asia/calcutta; an '
	'unknown one as it is';

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
RETURN daterange(
	(starts_at AT TIME ZONE time_zone)::date,
	((ends_at - interval '1 microsecond') AT TIME ZONE time_zone)::date,
	'[]');

COMMENT ON FUNCTION appt_internal.local_dates(timestamptz, timestamptz, text) IS
	'The dates of the time zone that [starts_at, ends_at) touches';
