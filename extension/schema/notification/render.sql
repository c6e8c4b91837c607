/* ---------------------------------------------------------------------------
 * A message as it goes to the other side.  A value stands in one whole JSON
 * string, form value or header; nothing in a name can leave it, because the
 * document is filled while it is a tree and written as text afterwards.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.fill_json(
	document jsonb,
	filling jsonb,
	variables jsonb)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CASE jsonb_typeof(document)
	WHEN 'string' THEN
		RETURN to_jsonb(appt_internal.fill_template(document #>> '{}',
			filling));
	WHEN 'array' THEN
		RETURN coalesce((
			SELECT jsonb_agg(i.item ORDER BY e.place, i.place)
			FROM jsonb_array_elements(document) WITH ORDINALITY
				AS e (item, place)
			CROSS JOIN LATERAL (
				SELECT appt_internal.fill_json(e.item, filling, variables), 0
				WHERE e.item->'{{each variable}}' IS NULL
				UNION ALL
				SELECT appt_internal.fill_json(e.item->'{{each variable}}',
					filling || v.variable, variables), v.place
				FROM jsonb_array_elements(variables) WITH ORDINALITY
					AS v (variable, place)
				WHERE e.item->'{{each variable}}' IS NOT NULL)
				AS i (item, place)
			), '[]');
	WHEN 'object' THEN
		RETURN coalesce((
			SELECT jsonb_object_agg(i.key, i.value)
			FROM jsonb_each(document) AS m (key, value)
			CROSS JOIN LATERAL (
				SELECT m.key, appt_internal.fill_json(m.value, filling,
					variables)
				WHERE m.key <> '{{variables}}'
				UNION ALL
				SELECT v.variable->>'name', v.variable->'value'
				FROM jsonb_array_elements(variables) AS v (variable)
				WHERE m.key = '{{variables}}') AS i (key, value)), '{}');
	ELSE
		RETURN document;
	END CASE;
END
$$;

COMMENT ON FUNCTION appt_internal.fill_json(jsonb, jsonb, jsonb) IS
	'A JSON document with its placeholders filled. A member {{variables}} '
	'becomes a member for each variable of the template; an element '
	'{"{{each variable}}": item} becomes an item for each, with {{name}} and '
	'{{value}}';

CREATE FUNCTION appt_internal.header_value(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(value, '[\u0001-\u001f\u007f-\u009f\u2028\u2029]+', ' ',
	'g');

COMMENT ON FUNCTION appt_internal.header_value(text) IS
	'One line of it: a blank takes the place of control characters';

CREATE FUNCTION appt_internal.template_variables(
	template appt.notification_template,
	filling jsonb)
	RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object(
		'name', v.variable->>'name',
		'value', left(appt_internal.header_value(appt_internal.fill_template(
			v.variable->>'value', $2)), coalesce(
			(v.variable->>'max_length')::integer,
			CASE WHEN $1.dlt_template_id IS NOT NULL THEN 30 ELSE 1000 END)))
		ORDER BY v.place), '[]')
	FROM jsonb_array_elements($1.variables) WITH ORDINALITY
		AS v (variable, place)
$$;

COMMENT ON FUNCTION appt_internal.template_variables IS
	'The variables of a template, filled: one line each, and no longer than '
	'they may be';

CREATE FUNCTION appt_internal.url_encode(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(string_agg(
		CASE WHEN c.octet BETWEEN 48 AND 57 OR c.octet BETWEEN 65 AND 90
				OR c.octet BETWEEN 97 AND 122 OR c.octet IN (45, 46, 95, 126)
			THEN chr(c.octet)
			ELSE '%' || upper(lpad(to_hex(c.octet), 2, '0')) END,
		'' ORDER BY c.place), '')
	FROM (
		SELECT get_byte(b.bytes, i), i
		FROM (SELECT convert_to(value, 'UTF8')) AS b (bytes)
		CROSS JOIN generate_series(0, length(b.bytes) - 1) i)
		AS c (octet, place)
$$;

COMMENT ON FUNCTION appt_internal.url_encode(text) IS
	'Percent-encoded but for letters, digits and -._~ (RFC 3986)';

CREATE FUNCTION appt_internal.form_body(fields jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(string_agg(appt_internal.url_encode(f.key) || '='
		|| appt_internal.url_encode(f.value #>> '{}'), '&' ORDER BY f.key), '')
	FROM jsonb_each(fields) f
	WHERE f.value <> 'null'
$$;

COMMENT ON FUNCTION appt_internal.form_body(jsonb) IS
	'A form (application/x-www-form-urlencoded); a value that is an object or '
	'a list is written as JSON';
