/* ---------------------------------------------------------------------------
 * Pages of lists for the gateway.
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_api.page AS (
	body text,
	total bigint
);

COMMENT ON TYPE appt_api.page IS
	'One page of a list, a JSON array, and how many entries there are in all, '
	'as far as appt_internal.count_limit says';

CREATE FUNCTION appt_internal.check_page(page integer, per_page integer)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF page < 1 THEN
		RAISE EXCEPTION 'page must be 1 or more'
			USING ERRCODE = 'SB001', COLUMN = 'page';
	ELSIF per_page < 1 OR per_page > 100 THEN
		RAISE EXCEPTION 'per_page must be from 1 to 100'
			USING ERRCODE = 'SB001', COLUMN = 'per_page';
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_page(integer, integer) IS
	'Refuses a page that cannot be; raises SB001';

CREATE FUNCTION appt_internal.check_dates(date_from date, date_to date)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF date_to < date_from THEN
		PERFORM appt_internal.refuse_member('date_to',
			'The last day cannot be before the first.');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_dates(date, date) IS
	'Refuses the dates of a list that ends before it begins; raises SB001';

CREATE FUNCTION appt_internal.count_limit(page integer, per_page integer)
	RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN greatest(10001,
		greatest(coalesce(page, 1), 1)::bigint
		* greatest(coalesce(per_page, 20), 1) + 1);

COMMENT ON FUNCTION appt_internal.count_limit(integer, integer) IS
	'How far a list that may be long is counted: to 10,001, which stands for '
	'more than 10,000, or to one beyond the page, which tells that another '
	'follows. Counting a log of millions would take seconds';
