/* ---------------------------------------------------------------------------
 * Telephone numbers: kept as typed, and beside that in the one form in which
 * they are compared and called, that of E.164, where the country is known.
 *
 * No library for that is in Debian for C; the rules that are needed are few:
 * + or 00 means that the country's code follows, else the setting
 * calling_code says it; a 0 in front is a trunk prefix, which falls, except
 * where a country's own numbers begin with one.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.digits(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(value, '[^0-9]', '', 'g');

COMMENT ON FUNCTION appt_internal.digits(text) IS 'The digits of a text';

CREATE FUNCTION appt_internal.clean_phone(phone text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	/* In turn: full-width forms; Indian and Arabic digits; what turns the
	 * direction of writing or is not seen; hyphens; blanks. */
	SELECT appt_internal.clean_text(
		regexp_replace(regexp_replace(regexp_replace(
			translate(normalize(phone, NFKC), (
				/* The zeros of Arabic, Persian and nine scripts of India. */
				SELECT string_agg(chr(z + d), '' ORDER BY z, d)
				FROM unnest(ARRAY[1632, 1776, 2406, 2534, 2662, 2790, 2918,
					3046, 3174, 3302, 3430]) z,
					generate_series(0, 9) d),
				repeat('0123456789', 11)),
			'[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]', '',
			'g'),
			'[\u2010-\u2015\u2212]', '-', 'g'),
			'\s+', ' ', 'g'))
$$;

COMMENT ON FUNCTION appt_internal.clean_phone(text) IS
	'A telephone number as it is kept: digits of ASCII, plain hyphens and '
	'blanks, no invisible characters';

CREATE FUNCTION appt_internal.phone_number(phone text, calling_code text)
	RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	/* Italy, San Marino, Ivory Coast, Gabon, Congo: the zero is dialled. */
	zero_stays CONSTANT boolean
		:= calling_code IN ('39', '378', '225', '241', '242');
	international boolean := phone ~ '^[( ]*\+|^00';
	number text := appt_internal.digits(
		CASE WHEN international THEN replace(phone, '(0)', '') ELSE phone END);
BEGIN
	IF phone ~ '^00' THEN
		number := substr(number, 3);
	ELSIF NOT international AND nullif(calling_code, '0') IS NULL THEN
		RETURN NULL;
	ELSIF NOT international AND NOT (length(number) > 10
		AND starts_with(number, calling_code))
	THEN
		number := calling_code || CASE WHEN zero_stays THEN number
			ELSE regexp_replace(number, '^0', '') END;
	END IF;
	IF calling_code <> '0' AND NOT zero_stays THEN
		number := regexp_replace(number, '^(' || calling_code || ')0([1-9])',
			'\1\2');
	END IF;
	RETURN CASE WHEN number ~ '^[1-9][0-9]{6,14}$' THEN '+' || number END;
END
$$;

COMMENT ON FUNCTION appt_internal.phone_number(text, text) IS
	'The number in the form of E.164, such as +919820012345; calling_code: the '
	'country where none is written, such as 91. NULL where that is not known '
	'or it is no number';
