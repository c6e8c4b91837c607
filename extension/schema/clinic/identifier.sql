/* ---------------------------------------------------------------------------
 * Numbers that an authority gives to a person.
 *
 * Aadhaar (UIDAI): twelve digits, not beginning with 0 or 1, the last of which
 * checks the others by Verhoeff's method.  ABHA (ABDM): fourteen digits; which
 * method its last one follows ABDM does not publish, and a guess would turn
 * real cards away, so its length alone is held to.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.verhoeff_fits(number text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	/* Multiplication in the dihedral group D5, and the permutation's powers. */
	product CONSTANT text := '0123456789123406789523401789563401289567'
		'4012395678598760432165987104327659821043'
		'87659321049876543210';
	power CONSTANT text := '0123456789157628309458037961428916043527'
		'9453126870428657390127938064157046913258';
	c integer := 0;
	p integer;
BEGIN
	FOR i IN 0..length(number) - 1 LOOP
		p := substr(power, i % 8 * 10
			+ substr(number, length(number) - i, 1)::integer + 1, 1);
		c := substr(product, c * 10 + p + 1, 1);
	END LOOP;
	RETURN c = 0;
END
$$;

COMMENT ON FUNCTION appt_internal.verhoeff_fits(text) IS
	'Whether the last of the digits checks the others by Verhoeff''s method';

CREATE FUNCTION appt_internal.masked_aadhaar(value text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number CONSTANT text := regexp_replace(value, '[ -]', '', 'g');
BEGIN
	IF value ~ '^XXXX-XXXX-[0-9]{4}$' THEN
		RETURN value;
	ELSIF number !~ '^[2-9][0-9]{11}$'
		OR NOT appt_internal.verhoeff_fits(number)
	THEN
		RAISE EXCEPTION 'this is no Aadhaar number'
			USING ERRCODE = 'SB001', COLUMN = 'aadhaar',
				DETAIL = 'It is 12 digits, the last of which checks the '
					'others.';
	END IF;
	RETURN 'XXXX-XXXX-' || right(number, 4);
END
$$;

COMMENT ON FUNCTION appt_internal.masked_aadhaar(text) IS
	'An Aadhaar number as it is kept: its last four digits alone. Raises SB001 '
	'for what is none';

CREATE FUNCTION appt_internal.abha_number(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN value ~ '^[0-9][0-9 -]*$'
	AND length(regexp_replace(value, '[ -]', '', 'g')) = 14
	THEN regexp_replace(regexp_replace(value, '[ -]', '', 'g'),
		'^(..)(....)(....)(....)$', '\1-\2-\3-\4')
	ELSE value END;

COMMENT ON FUNCTION appt_internal.abha_number(text) IS
	'An ABHA number as it is written, 12-3456-7890-1234; another text as it is';
