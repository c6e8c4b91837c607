/* ---------------------------------------------------------------------------
 * A message as it goes to the other side.  A value stands in one whole JSON
 * string, form value or header; nothing in a name can leave it, because the
 * document is filled while it is a tree and written as text afterwards
 * (render.c).
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.fill_json(
	document jsonb,
	filling jsonb,
	own text[],
	variables jsonb)
	RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_json';

COMMENT ON FUNCTION appt_internal.fill_json(jsonb, jsonb, text[], jsonb) IS
	'A JSON document with its placeholders filled. own: names and values in '
	'turn, which go before those of filling. A member {{variables}} '
	'becomes a member for each variable of the template; an element '
	'{"{{each variable}}": item} becomes an item for each, with {{name}} and '
	'{{value}}';

CREATE FUNCTION appt_internal.fill_url(
	template text,
	filling jsonb,
	own text[])
	RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_url';

COMMENT ON FUNCTION appt_internal.fill_url(text, jsonb, text[]) IS
	'An address with its placeholders filled: each value is one segment, or '
	'one value of the query, percent-encoded but for letters, digits and '
	'-._~ (RFC 3986). own: as in appt_internal.fill_json';

CREATE FUNCTION appt_internal.fill_headers(
	headers jsonb,
	filling jsonb,
	own text[])
	RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_headers';

COMMENT ON FUNCTION appt_internal.fill_headers(jsonb, jsonb, text[]) IS
	'Headers with their placeholders filled, a line each; a blank takes the '
	'place of control characters. own: as in appt_internal.fill_json';

CREATE FUNCTION appt_internal.header_value(value text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_header_value';

COMMENT ON FUNCTION appt_internal.header_value(text) IS
	'One line of it: a blank takes the place of control characters';

CREATE FUNCTION appt_internal.fill_variables(
	variables jsonb,
	filling jsonb,
	max_length integer)
	RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_fill_variables';

COMMENT ON FUNCTION appt_internal.fill_variables(jsonb, jsonb, integer) IS
	'The variables of a template, filled: one line each, and no longer than '
	'they may be; max_length: characters where they do not say';

CREATE FUNCTION appt_internal.url_encode(value text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_url_encode';

COMMENT ON FUNCTION appt_internal.url_encode(text) IS
	'Percent-encoded but for letters, digits and -._~ (RFC 3986)';

CREATE FUNCTION appt_internal.form_body(fields jsonb) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_form_body';

COMMENT ON FUNCTION appt_internal.form_body(jsonb) IS
	'A form (application/x-www-form-urlencoded); a value that is an object or '
	'a list is written as JSON';

CREATE FUNCTION appt_internal.callback_url(c appt.notification_channel)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (c.settings->'callback'->>'url')
		|| CASE c.settings->'callback'->>'signature' WHEN 'token'
			THEN coalesce('?token='
				|| appt_internal.url_encode(c.callback_secret), '')
			ELSE '' END
$$;

COMMENT ON FUNCTION appt_internal.callback_url IS
	'Where a channel''s provider is to send its reports; NULL: nowhere';
