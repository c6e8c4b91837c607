/* ---------------------------------------------------------------------------
 * The pages behind links in messages, as the gateway serves them: HTML with a
 * status.  Nobody but the link says who asks.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.link_status(state text) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE state WHEN 'good' THEN 200 WHEN 'ended' THEN 410 ELSE 404 END;

COMMENT ON FUNCTION appt_internal.link_status(text) IS
	'The HTTP status of the page of a link in that state';

CREATE FUNCTION appt_api.show_link(
	link text,
	fields jsonb,
	OUT status integer,
	OUT body text)
	RETURNS record
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.link_status((appt_internal.read_link($1)).state),
		appt_internal.link_page($1, $2)
$$;

COMMENT ON FUNCTION appt_api.show_link(text, jsonb) IS
	'The page of a link, and its status: 200, 404 (no link of ours) or 410 '
	'(ended); fields: of the query. Changes nothing';

CREATE FUNCTION appt_api.use_link(
	link text,
	fields jsonb,
	OUT status integer,
	OUT body text)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	l record;
	outcome text;
BEGIN
	/* One that meets a change under way looks again at how the visit is. */
	FOR i IN 1..3 LOOP
		l := appt_internal.read_link(link);
		status := appt_internal.link_status(l.state);
		IF l.state <> 'good' THEN
			EXIT;
		END IF;
		outcome := appt_internal.act_by_link(l, fields);
		EXIT WHEN outcome IS DISTINCT FROM 'note_changed';
	END LOOP;
	IF outcome LIKE 'note\_%' THEN
		status := 409;
		body := appt_internal.link_page(link, fields, note => outcome);
	ELSE
		IF outcome IS NULL AND l.state = 'good' AND l.purpose <> 'view' THEN
			status := 409;
		END IF;
		body := appt_internal.link_page(link, fields, outcome);
	END IF;
END
$$;

COMMENT ON FUNCTION appt_api.use_link(text, jsonb) IS
	'Does what a link is for, and returns the page that says so: 200; 409 '
	'where it was not done, because the visit is not as the link was sent for '
	'or a rule is against it; 404 or 410 as show_link. fields: of the form '
	'(slot, reason)';
