/* ---------------------------------------------------------------------------
 * The one rule for texts: trimmed of white space and of what nobody sees, in
 * Unicode's normal form C, and absent (NULL) where nothing is left.
 *
 * It has one function, appt_internal.clean_text.  C functions call it for each
 * text argument, the JSON functions for each member, and a trigger for each
 * column of the tables that people fill (upkeep/clean_text.sql), so that a
 * plain INSERT obeys as well.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.clean_text(value text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_clean_text_sql';

COMMENT ON FUNCTION appt_internal.clean_text(text) IS
	'The text as it is kept: trimmed of Unicode''s white space and invisible '
	'characters, in normal form C; NULL where nothing is left';

CREATE FUNCTION appt_internal.clean_texts() RETURNS trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_clean_texts';

COMMENT ON FUNCTION appt_internal.clean_texts() IS
	'Row trigger: appt_internal.clean_text for each column of type text';

CREATE FUNCTION appt_internal.clean_members(members jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(m.key,
		CASE WHEN jsonb_typeof(m.value) = 'string' THEN
			coalesce(to_jsonb(appt_internal.clean_text(m.value #>> '{}')),
				'null')
			ELSE m.value END), '{}')
	FROM jsonb_each(members) m
$$;

COMMENT ON FUNCTION appt_internal.clean_members(jsonb) IS
	'appt_internal.clean_text for each member that is a text';

CREATE FUNCTION appt_internal.name_key(name text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_name_key';

COMMENT ON FUNCTION appt_internal.name_key(text) IS
	'What names are compared by: without case, without accents of Latin, Greek '
	'and Cyrillic letters, without blanks, signs, apostrophes and invisible '
	'characters (al-Rashid: alrashid). Vowel signs of Indian scripts stay';

CREATE FUNCTION appt_internal.name_words(name text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_name_words';

COMMENT ON FUNCTION appt_internal.name_words(text) IS
	'As appt_internal.name_key, but what a sign parts are two words '
	'(al-Rashid: al rashid)';

/* The lengths are no part of the pattern: of one that counts to 253 a look at
 * an address takes thirty times as long.  Not STRICT, to become a part of the
 * statement that asks. */
CREATE FUNCTION appt_internal.is_address(address text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN address OPERATOR(pg_catalog.~)
		'^[A-Za-z0-9!#$%&''*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+$'
	AND pg_catalog.strpos(address, '@') OPERATOR(pg_catalog.<=) 65
	AND (pg_catalog.length(address) OPERATOR(pg_catalog.-)
		pg_catalog.strpos(address, '@')) OPERATOR(pg_catalog.<=) 253;

COMMENT ON FUNCTION appt_internal.is_address(text) IS
	'Whether it can stand in an SMTP command as it is: no blank, quote, '
	'bracket or control character, and ASCII alone';
