/* ---------------------------------------------------------------------------
 * The pages behind links, as HTML: first name, doctor, time and token of a
 * visit, what has become of it, and a form for what the link is for.  They work
 * without scripts, and nothing is loaded but page.css.
 *
 * A value stands in the text of an element or in a quoted attribute, and is
 * escaped for both.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.html(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN replace(replace(replace(replace(replace(value, '&', '&amp;'),
	'<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');

COMMENT ON FUNCTION appt_internal.html(text) IS
	'As it stands in an element or in a quoted attribute';

CREATE FUNCTION appt_internal.page_day(words jsonb, day date) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN (words->>('weekday_' || extract(isodow FROM day))) || ', '
	|| to_char(day, 'DD/MM/YYYY');

COMMENT ON FUNCTION appt_internal.page_day(jsonb, date) IS
	'A day as pages show it: Monday, 16/03/2026';

CREATE FUNCTION appt_internal.page_visit(a appt.appointment, words jsonb)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object(
			'patient_first_name', p.first_name,
			'doctor_name', d.name,
			'slot_day', appt_internal.page_day(words, s.local_start::date),
			'slot_date', to_char(s.local_start, 'DD/MM/YYYY'),
			'slot_time', to_char(s.local_start, 'HH24:MI'),
			'token_number', a.token_number)
		FROM appt.patient p
		CROSS JOIN appt.doctor d
		CROSS JOIN appt.branch b
		CROSS JOIN LATERAL (SELECT a.slot_start
			AT TIME ZONE appt_internal.known_zone(b.time_zone))
			AS s (local_start)
		WHERE p.patient_no = a.patient_no
			AND d.doctor_no = a.doctor_no
			AND b.branch_id = a.branch_id);
END
$$;

COMMENT ON FUNCTION appt_internal.page_visit IS
	'What a page may show of a visit, and nothing else';

CREATE FUNCTION appt_internal.page_part(template text, words jsonb, visit jsonb)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	/* Words have placeholders, what is shown of the visit has none; then each
	 * is escaped, once. */
	RETURN appt_internal.fill_template(template, (
		SELECT jsonb_object_agg(w.key, appt_internal.html(
			CASE WHEN visit ? w.key THEN w.value
				ELSE appt_internal.fill_template(w.value, visit) END))
		FROM jsonb_each_text(words || visit) w
		WHERE strpos(template, '{{' || w.key || '}}') > 0));
END
$$;

COMMENT ON FUNCTION appt_internal.page_part(text, jsonb, jsonb) IS
	'A piece of HTML with its placeholders filled: words, and what is shown of '
	'the visit, each escaped';

CREATE FUNCTION appt_internal.page_frame(
	title text,
	content text,
	words jsonb,
	visit jsonb DEFAULT '{}')
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.page_part(
'<!DOCTYPE html>
<html lang="{{language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{' || title || '}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
</head>
<body dir="auto">
<main>
<h1>{{' || title || '}}</h1>
', words, visit) || content || CASE WHEN words->>'contact' ~ '\S'
	THEN appt_internal.page_part('<p class="contact">{{contact}}</p>
', words, visit) ELSE '' END || '</main>
</body>
</html>
';

COMMENT ON FUNCTION appt_internal.page_frame(text, text, jsonb, jsonb) IS
	'A whole page; title: the name of the word that it is headed with; content '
	'is HTML';

CREATE FUNCTION appt_internal.page_facts(words jsonb, visit jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN appt_internal.page_part(
'<dl>
<dt>{{label_patient}}</dt><dd>{{patient_first_name}}</dd>
<dt>{{label_doctor}}</dt><dd>{{doctor_name}}</dd>
<dt>{{label_day}}</dt><dd>{{slot_day}}</dd>
<dt>{{label_time}}</dt><dd>{{slot_time}}</dd>
' || CASE WHEN visit->>'token_number' IS NULL THEN ''
		ELSE '<dt>{{label_token}}</dt><dd>{{token_number}}</dd>
' END || CASE WHEN visit->>'kept_until' IS NULL THEN ''
		ELSE '<dt>{{label_until}}</dt><dd>{{kept_until}}</dd>
' END || '</dl>
', words, visit);

COMMENT ON FUNCTION appt_internal.page_facts(jsonb, jsonb) IS
	'What is shown of a visit, or of a place that is offered (which has an '
	'end, and no token)';

/* --- another time -------------------------------------------------------- */

CREATE FUNCTION appt_internal.page_date(value text) RETURNS date
	LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
		THEN value::date END;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.page_date(text) IS
	'The date that somebody asked for; NULL: it is none';

CREATE FUNCTION appt_internal.page_time(value text) RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN value ~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}'
		':[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$') THEN value::timestamptz END;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.page_time(text) IS
	'The instant that somebody chose; NULL: it is none';

CREATE FUNCTION appt_internal.page_day_slots(
	a appt.appointment,
	from_day date,
	to_day date)
	RETURNS SETOF timestamptz
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT s.start_time
	FROM appt.available_slots(a.doctor_id, from_day, a.branch_id,
		(extract(epoch FROM a.slot_end - a.slot_start) / 60)::integer, to_day,
		a.visit_type) s
	WHERE s.start_time <> a.slot_start
	ORDER BY 1;
EXCEPTION WHEN SQLSTATE 'SB001' OR SQLSTATE 'SB404' OR SQLSTATE 'SBU01' THEN
	/* Of a length, type or doctor that can be booked by the desk alone. */
	RETURN;
END
$$;

COMMENT ON FUNCTION appt_internal.page_day_slots IS
	'Where a visit could be moved on those days, at most 31';

CREATE FUNCTION appt_internal.page_next_day(a appt.appointment, from_day date)
	RETURNS date
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone CONSTANT text := (
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE b.branch_id = a.branch_id);
BEGIN
	RETURN (
		SELECT (f.start_time AT TIME ZONE zone)::date
		FROM appt.first_available(ARRAY[a.doctor_id],
			appt_internal.instant(from_day, '00:00', zone), NULL, a.branch_id,
			(extract(epoch FROM a.slot_end - a.slot_start) / 60)::integer,
			a.visit_type) f);
EXCEPTION WHEN SQLSTATE 'SB001' OR SQLSTATE 'SB404' OR SQLSTATE 'SBU01' THEN
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION appt_internal.page_next_day IS
	'The first day from that one on with a time that a visit could be moved '
	'to; NULL: there is none';

CREATE FUNCTION appt_internal.page_move(
	a appt.appointment,
	words jsonb,
	visit jsonb,
	wanted text)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone CONSTANT text := (
		SELECT appt_internal.known_zone(b.time_zone)
		FROM appt.branch b
		WHERE b.branch_id = a.branch_id);
	today CONSTANT date := (appt.clock() AT TIME ZONE zone)::date;
	day CONSTANT date := appt_internal.page_next_day(a, least(today + 3650,
		greatest(today, appt_internal.page_date(wanted))));
	earlier date;
	later date;
	slots text;
BEGIN
	IF day IS NULL THEN
		RETURN appt_internal.page_part('<p role="status">{{note_no_slot}}</p>
', words, visit);
	END IF;
	SELECT max((s AT TIME ZONE zone)::date) INTO earlier
	FROM appt_internal.page_day_slots(a, greatest(today, day - 31), day - 1) s
	WHERE day > today;
	later := appt_internal.page_next_day(a, day + 1);

	SELECT string_agg(format('<label><input type="radio" name="slot" '
		'value="%s" required> <span>%s</span></label>',
		appt_internal.json_time(s, zone),
		to_char(s AT TIME ZONE zone, 'HH24:MI')), E'\n' ORDER BY s)
	INTO slots
	FROM appt_internal.page_day_slots(a, day, day) s;

	RETURN appt_internal.page_part('<form method="post">
<fieldset>
<legend>{{label_slots}}</legend>
<div class="slots">
', words, visit || jsonb_build_object('day',
			appt_internal.page_day(words, day))) || coalesce(slots, '') || '
</div>
</fieldset>
<nav>
' || CASE WHEN earlier IS NULL THEN '' ELSE appt_internal.page_part(
		'<a rel="prev" href="?day=' || earlier || '">{{earlier}}</a>
', words, visit) END || CASE WHEN later IS NULL THEN ''
		ELSE appt_internal.page_part('<a rel="next" href="?day=' || later
		|| '">{{later}}</a>
', words, visit) END || appt_internal.page_part('</nav>
<input type="hidden" name="day" value="' || day || '">
<button>{{button_move}}</button>
</form>
', words, visit);
END
$$;

COMMENT ON FUNCTION appt_internal.page_move IS
	'The form with the free times of the first day from the wanted one on, and '
	'the ways to the days before and after it';

/* --- what a page says ---------------------------------------------------- */

CREATE FUNCTION appt_internal.visit_situation(a appt.appointment) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN ($1).status = 'cancelled' THEN 'cancelled'
		WHEN ($1).status IN ('checked_in', 'in_consultation') THEN 'arrived'
		WHEN ($1).status <> 'booked' OR ($1).slot_end <= appt.clock()
			THEN 'over'
		WHEN ($1).confirmed_at IS NOT NULL THEN 'confirmed'
		ELSE 'booked'
	END
$$;

COMMENT ON FUNCTION appt_internal.visit_situation IS
	'What is true of a visit now: booked, confirmed, arrived, over, cancelled';

CREATE FUNCTION appt_internal.is_too_late(a appt.appointment, purpose text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt.clock() > ($1).slot_start - make_interval(mins => coalesce(
		(appt_internal.effective_setting(d.name, ($1).branch_id,
			($1).doctor_id)).value, d.default_value)::integer)
	FROM appt.setting_definition d
	WHERE d.name = CASE $2 WHEN 'cancel' THEN 'cancellation_window_min'
		WHEN 'move' THEN 'reschedule_window_min' END
$$;

COMMENT ON FUNCTION appt_internal.is_too_late IS
	'Whether the window to cancel or move a visit is over, so that no form is '
	'shown that would be refused; NULL for other purposes';

CREATE FUNCTION appt_internal.has_unsubscribed(
	a appt.appointment,
	channel text)
	RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(DISTINCT e.event) = 2
	FROM unnest('{reminder,follow_up}'::text[]) AS e (event)
	JOIN appt.notification_opt_out o ON o.patient_id = ($1).patient_id
		AND o.channel IN ($2, '*')
		AND o.event IN (e.event, '*')
$$;

COMMENT ON FUNCTION appt_internal.has_unsubscribed IS
	'Whether the patient gets no reminders by that channel, neither of a visit '
	'nor to come again';

CREATE FUNCTION appt_internal.page_languages(a appt.appointment) RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_remove((
			SELECT p.language
			FROM appt.patient p
			WHERE p.patient_no = ($1).patient_no)
		|| appt_internal.default_languages(($1).branch_id, ($1).doctor_id),
		NULL)
$$;

COMMENT ON FUNCTION appt_internal.page_languages IS
	'In which languages a page is tried: the patient''s, then the default ones';

CREATE FUNCTION appt_internal.page_form(
	a appt.appointment,
	purpose text,
	words jsonb,
	visit jsonb,
	fields jsonb)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF purpose = 'move' THEN
		RETURN appt_internal.page_move(a, words, visit, fields->>'day');
	END IF;
	RETURN appt_internal.page_part(CASE purpose
		WHEN 'confirm' THEN '<form method="post">
<button>{{button_confirm}}</button>
</form>
'
		WHEN 'cancel' THEN '<form method="post">
<label for="reason">{{label_reason}}</label>
<input id="reason" name="reason" maxlength="200" autocomplete="off">
<button class="grave">{{button_cancel}}</button>
</form>
'
		WHEN 'unsubscribe' THEN '<p>{{note_unsubscribe}}</p>
<form method="post">
<button>{{button_unsubscribe}}</button>
</form>
' END, words, visit);
END
$$;

COMMENT ON FUNCTION appt_internal.page_form IS
	'What a link''s holder can do: a form that is sent to the link itself';

CREATE FUNCTION appt_internal.page_again(
	a appt.appointment,
	purpose text,
	words jsonb)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT appt_internal.page_part('<p><a href="'
		|| appt_internal.html(appt_internal.sign_link($1, $2,
			($1).version::text))
		|| '">{{ask_' || $2 || E'}}</a></p>\n', $3, '{}')
$$;

COMMENT ON FUNCTION appt_internal.page_again IS
	'The way to cancel or move a visit as it is now, for who has a link of how '
	'it was';

CREATE FUNCTION appt_internal.link_page(
	link text,
	fields jsonb,
	done text DEFAULT NULL,
	note text DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	l CONSTANT record := appt_internal.read_link(link);
	a CONSTANT appt.appointment := l.appointment;
	words CONSTANT jsonb :=
		appt_internal.page_words(appt_internal.page_languages(a));
	situation CONSTANT text := appt_internal.visit_situation(a);
	open CONSTANT boolean := situation IN ('booked', 'confirmed');
	late CONSTANT boolean := open
		AND coalesce(appt_internal.is_too_late(a, l.purpose), false);
	moved CONSTANT boolean := l.purpose IN ('cancel', 'move')
		AND appt_internal.was_moved_since(a, l.detail::integer);
	may_act boolean;
	visit jsonb;
	title text;
	said text;
BEGIN
	IF l.purpose = 'offer' THEN
		RETURN appt_internal.offer_page(l.state, l.offer, note);
	END IF;
	IF l.state <> 'good' THEN
		RETURN appt_internal.page_frame('title_' || l.state,
			appt_internal.page_part('<p>{{note_' || l.state || '}}</p>
', words, '{}'), words);
	END IF;
	visit := appt_internal.page_visit(a, words) || jsonb_build_object(
		'channel', words->>('channel_' || l.detail));
	may_act := done IS NULL AND CASE l.purpose
		WHEN 'view' THEN false
		WHEN 'confirm' THEN situation = 'booked'
		WHEN 'unsubscribe'
			THEN NOT appt_internal.has_unsubscribed(a, l.detail)
		ELSE open AND NOT moved AND NOT late
	END;
	title := CASE
		WHEN done IS NOT NULL THEN 'title_' || done
		WHEN may_act THEN 'ask_' || l.purpose
		WHEN l.purpose = 'unsubscribe' THEN 'title_unsubscribed'
		WHEN open AND moved THEN 'title_moved'
		ELSE 'title_' || situation
	END;
	said := CASE
		WHEN note IS NOT NULL THEN note
		WHEN title = 'title_unsubscribed' THEN 'note_unsubscribed'
		WHEN done IS NOT NULL OR NOT open THEN NULL
		WHEN moved THEN 'note_moved'
		WHEN late THEN 'note_too_late_' || l.purpose
	END;
	RETURN appt_internal.page_frame(title,
		CASE WHEN said IS NULL THEN '' ELSE appt_internal.page_part(
			CASE WHEN note IS NULL THEN '<p role="status">{{'
				ELSE '<p role="alert">{{' END || said || '}}</p>
', words, visit) END || appt_internal.page_facts(words, visit) || CASE
			WHEN may_act THEN appt_internal.page_form(a, l.purpose, words,
				visit, fields)
			WHEN done IS NULL AND open AND moved AND NOT late
				THEN appt_internal.page_again(a, l.purpose, words)
			ELSE ''
		END, words, visit);
END
$$;

COMMENT ON FUNCTION appt_internal.link_page(text, jsonb, text, text) IS
	'The page of a link. fields: of the query or the form; done: what has just '
	'been done (the rest of a word title_...); note: the word that says why '
	'it was not';
