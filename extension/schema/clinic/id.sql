/* ---------------------------------------------------------------------------
 * Ids: made at random where nobody reads them, and final once they are given.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.new_id(
	prefix text)
	RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'appt_new_id_sql';

COMMENT ON FUNCTION appt_internal.new_id(text) IS
	'prefix, an underscore and 22 random characters (128 bits) that are '
	'safe in a URL';

CREATE FUNCTION appt_internal.id_is_final() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION '% of a % cannot be changed', TG_ARGV[0],
		replace(TG_TABLE_NAME, '_', ' ')
		USING ERRCODE = 'SB001', COLUMN = TG_ARGV[0],
			DETAIL =
				'Appointments, events and other systems know it by this id.';
END
$$;

COMMENT ON FUNCTION appt_internal.id_is_final() IS
	'Row trigger: refuses to change an id; raises SB001';
