/* ---------------------------------------------------------------------------
 * The views of appt_report for the gateway: a page of one, as JSON or CSV.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt_internal.report AS
SELECT r.*
FROM (VALUES
	('appointment', 'visit_date', 31,
		'visit_date, doctor_id, token_number, appointment_id'),
	('daily_schedule', 'visit_date', 31,
		'visit_date, doctor_id, start_time, token_number, appointment_id'),
	('utilisation', 'visit_date', 31, 'visit_date, doctor_id, branch_id'),
	('offered_time', 'visit_date', 31,
		'visit_date, doctor_id, branch_id, offered_min'),
	('waiting_time', 'visit_date', 31, 'visit_date, doctor_id, branch_id'),
	('bookings_by_hour', 'visit_date', 31,
		'visit_date, doctor_id, branch_id, hour'),
	('no_show_rate', 'visit_month', 366, 'visit_month, doctor_id, branch_id'),
	('cancellation', 'visit_month', 366,
		'visit_month, doctor_id, branch_id, notice_no')
) AS r (name, date_column, max_days, sort);

COMMENT ON VIEW appt_internal.report IS
	'Which views of appt_report a client may read over REST: those without '
	'names and contact data';
COMMENT ON COLUMN appt_internal.report.name IS 'The view';
COMMENT ON COLUMN appt_internal.report.date_column IS
	'What from and to filter by; a month counts if a day of it does';
COMMENT ON COLUMN appt_internal.report.max_days IS
	'How many days of all doctors are read at once; of one doctor 366';
COMMENT ON COLUMN appt_internal.report.sort IS 'The order of its rows';

CREATE FUNCTION appt_internal.csv_cell(value text, is_text boolean)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN value IS NULL THEN ''
	WHEN is_text AND value ~ '^[-=+@\t\r\n]' THEN
		'"''' || replace(value, '"', '""') || '"'
	WHEN value ~ '[",\r\n]' THEN '"' || replace(value, '"', '""') || '"'
	ELSE value
END;

COMMENT ON FUNCTION appt_internal.csv_cell(text, boolean) IS
	'A cell by RFC 4180. A text that a spreadsheet would take for a formula '
	'(first character = + - @, a tab or the end of a line) gets an apostrophe '
	'in front, as OWASP advises; numbers, dates and times stay as they are';

CREATE FUNCTION appt_internal.csv_line(line json, texts text[])
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT string_agg(appt_internal.csv_cell(v.value, v.key = ANY (texts)), ','
		ORDER BY v.place) || E'\r\n'
	FROM json_each_text(line) WITH ORDINALITY AS v (key, value, place));

COMMENT ON FUNCTION appt_internal.csv_line(json, text[]) IS
	'The members of an object as a line of CSV; texts: which of them are text';

CREATE FUNCTION appt_internal.check_report_range(
	kind appt_internal.report,
	from_date date,
	to_date date,
	doctor_id text)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	days integer := CASE WHEN doctor_id IS NULL THEN kind.max_days ELSE 366 END;
BEGIN
	IF from_date IS NULL OR NOT isfinite(from_date) THEN
		PERFORM appt_internal.refuse_member('from',
			appt_internal.form_of('date'));
	ELSIF to_date IS NULL OR NOT isfinite(to_date) THEN
		PERFORM appt_internal.refuse_member('to',
			appt_internal.form_of('date'));
	ELSIF to_date < from_date THEN
		PERFORM appt_internal.refuse_member('to',
			'The last day cannot be before the first.');
	ELSIF to_date - from_date >= days THEN
		PERFORM appt_internal.refuse_member('to', format(
			'A report of %s has at most %s days.', CASE WHEN doctor_id IS NULL
			THEN 'all doctors' ELSE 'a doctor' END, days));
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_report_range(appt_internal.report, date,
	date, text) IS
	'Refuses a range of dates that is none, or too long for the report; raises '
	'SB001 (from, to)';

CREATE FUNCTION appt_api.report(
	report text,
	"from" date,
	"to" date,
	branch_id text,
	doctor_id text,
	department_id text,
	page integer,
	per_page integer,
	format text,
	client text DEFAULT NULL)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	branches text[]
		:= nullif(appt_internal.client_branches(client), ARRAY['*']);
	doctors CONSTANT text[] := appt_internal.client_doctors(client);
	size integer := coalesce(per_page, 20);
	kind appt_internal.report;
	members text;
	names text[];
	texts text[];
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.check_scope(branch_id, doctor_id, client, 'SB404');
	IF department_id IS NOT NULL AND NOT EXISTS (
		SELECT FROM appt.department d WHERE d.department_id = $6)
	THEN
		PERFORM appt_internal.refuse_id('department', department_id,
			'department_id', 'SB404');
	END IF;
	SELECT * INTO kind FROM appt_internal.report r WHERE r.name = report;
	IF NOT FOUND THEN
		PERFORM appt_internal.refuse_id('report', report, 'report', 'SB404');
	END IF;
	PERFORM appt_internal.check_report_range(kind, "from", "to", doctor_id);

	SELECT array_agg(a.attname ORDER BY a.attnum),
		array_agg(a.attname) FILTER (WHERE a.atttypid = 'text'::regtype),
		string_agg(format(CASE a.atttypid
			WHEN 'timestamptz'::regtype THEN
				'appt_internal.json_time((v).%1$I, '
				'appt_internal.known_zone((v).time_zone)) AS %1$I'
			ELSE '(v).%1$I' END, a.attname), ', ' ORDER BY a.attnum)
	INTO names, texts, members
	FROM pg_attribute a
	WHERE a.attrelid = format('appt_report.%I', report)::regclass
		AND a.attnum > 0 AND NOT a.attisdropped;

	EXECUTE format(
		'WITH lines AS MATERIALIZED ('
		' SELECT row_number() OVER (ORDER BY %1$s) AS n, v'
		' FROM appt_report.%3$I v'
		' WHERE v.%4$I BETWEEN CASE WHEN %4$L = ''visit_month'''
		'  THEN appt_internal.month_of($1) ELSE $1 END'
		'  AND $2%5$s%6$s%7$s%8$s%9$s'
		' ORDER BY 1 LIMIT $10)'
		' SELECT CASE WHEN $6 = ''csv'' THEN $7 || coalesce(string_agg('
		'   appt_internal.csv_line(l.line, $8), '''' ORDER BY l.n), '''')'
		'  ELSE ''['' || coalesce(string_agg(l.line::text, '','''
		'   ORDER BY l.n), '''') || '']'' END,'
		' (SELECT count(*) FROM lines)'
		' FROM (SELECT n, (SELECT row_to_json(c) FROM (SELECT %2$s) c) AS line'
		'  FROM lines WHERE n > $9 AND n <= $9 + $11) l',
		kind.sort, members, report, kind.date_column,
		CASE WHEN branch_id IS NULL THEN '' ELSE ' AND v.branch_id = $3' END,
		CASE WHEN doctor_id IS NULL THEN '' ELSE ' AND v.doctor_id = $4' END,
		CASE WHEN department_id IS NULL THEN ''
			ELSE ' AND v.department_id = $12' END,
		CASE WHEN branches IS NULL THEN ''
			ELSE ' AND v.branch_id = ANY ($5)' END,
		CASE WHEN doctors IS NULL THEN ''
			ELSE ' AND v.doctor_id = ANY ($13)' END)
	INTO result
	USING "from", "to", branch_id, doctor_id, branches, format,
		array_to_string(names, ',') || E'\r\n', texts,
		(coalesce(page, 1)::bigint - 1) * size,
		appt_internal.count_limit(page, size), size, department_id, doctors;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.report(text, date, date, text, text, text,
	integer, integer, text, text) IS
	'A page of a view of appt_report (those of appt_internal.report), by dates '
	'(from and to inclusive), branch, doctor and department; format csv, else '
	'JSON. Of branches and doctors that the client does not see it has no row. '
	'Raises SB404 (report, branch_id, doctor_id, department_id), SB001';
