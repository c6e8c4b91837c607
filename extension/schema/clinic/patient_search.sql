/* ---------------------------------------------------------------------------
 * How patients are found: for the search of the list and for the warning that
 * somebody may be registered already.
 *
 * One GIN index holds each patient's terms: the words of the name and their
 * endings of three letters and more, so that a part of a word is the beginning
 * of a term; the digits of the telephone number, with and without what stands
 * before the last ten, and its last ones; the ids.  It needs no further
 * extension, and 100,000 patients are no list to read through.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.digits(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(value, '[^0-9]', '', 'g');

COMMENT ON FUNCTION appt_internal.digits(text) IS 'The digits of a text';

CREATE FUNCTION appt_internal.patient_terms(
	patient_id text,
	first_name text,
	last_name text,
	phone text,
	abha_id text)
	RETURNS tsvector
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id_number text := substring(patient_id FROM '[0-9]+$');
	terms text[] := ARRAY[lower(patient_id), id_number, ltrim(id_number, '0'),
		lower(left(abha_id, 40))];
	number text;
	word text;
BEGIN
	FOREACH number IN ARRAY ARRAY[phone, abha_id] LOOP
		number := left(regexp_replace(number, '[^0-9]', '', 'g'), 40);
		terms := terms || ARRAY[number, right(number, 10), right(number, 6),
			right(number, 5), right(number, 4)];
	END LOOP;
	FOREACH word IN ARRAY regexp_split_to_array(
		left(lower(concat_ws(' ', first_name, last_name)), 200), '\s+')
	LOOP
		FOR place IN 1..greatest(1, length(word) - 2) LOOP
			terms := terms || substr(word, place);
		END LOOP;
	END LOOP;
	RETURN array_to_tsvector(array_remove(array_remove(terms, NULL), ''));
END
$$;

COMMENT ON FUNCTION appt_internal.patient_terms(text, text, text, text, text) IS
	'What a patient is found by: each word of a search must begin one of these';

CREATE INDEX patient_search ON appt.patient USING gin (
	appt_internal.patient_terms(patient_id, first_name, last_name, phone,
		abha_id));

CREATE FUNCTION appt_internal.term_query(term text, is_prefix boolean)
	RETURNS tsquery
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN (''''
	|| replace(replace(nullif(term, ''), '\', '\\'), '''', '''''')
	|| CASE WHEN is_prefix THEN ''':*' ELSE '''' END)::tsquery;

COMMENT ON FUNCTION appt_internal.term_query(text, boolean) IS
	'A query for a term, or for terms that begin with it; NULL for an empty '
	'one';

CREATE FUNCTION appt_internal.search_query(search text) RETURNS tsquery
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text := lower(left(btrim(search), 200));
	number text := appt_internal.digits(search);
	word text;
	sought tsquery;
BEGIN
	IF length(number) >= 3 AND wanted ~ '^[-+0-9 ()./]+$' THEN
		/* 020 7946 0001 and +44 20 7946 0001 are one number. */
		RETURN appt_internal.term_query(CASE WHEN number ~ '[1-9]' AND
			length(number) >= 9
			THEN ltrim(number, '0') ELSE number END, true);
	END IF;
	FOR word IN SELECT regexp_split_to_table(wanted, '\s+') LIMIT 8 LOOP
		CONTINUE WHEN word = '';
		sought := coalesce(sought && appt_internal.term_query(word, true),
			appt_internal.term_query(word, true));
	END LOOP;
	RETURN sought;
END
$$;

COMMENT ON FUNCTION appt_internal.search_query(text) IS
	'What is typed into a search (words of a name, a telephone number, an id, '
	'or a part of one) as a query of appt_internal.patient_terms; NULL: '
	'nothing';

CREATE FUNCTION appt_internal.patient_name(patient appt.patient) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
RETURN concat_ws(' ', patient.first_name, patient.last_name);

COMMENT ON FUNCTION appt_internal.patient_name(appt.patient) IS
	'First and last name of a patient';

CREATE FUNCTION appt_internal.possible_duplicates(patient appt.patient,
	client text)
	RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH candidate AS (
		SELECT p
		FROM appt.patient p
		WHERE lower(p.last_name) = lower(($1).last_name)
			AND lower(p.first_name) = lower(($1).first_name)
		UNION
		SELECT p
		FROM appt.patient p
		WHERE ($1).last_name IS NULL
			AND lower(p.last_name) IS NULL
			AND lower(p.first_name) = lower(($1).first_name)
		UNION
		SELECT p
		FROM appt.patient p
		WHERE appt_internal.patient_terms(p.patient_id, p.first_name,
			p.last_name,
				p.phone, p.abha_id)
			@@ appt_internal.term_query(
				right(appt_internal.digits(($1).phone), 10), false)
	), compared AS (
		SELECT (c.p).patient_id, appt_internal.patient_name(c.p) AS name,
			array_remove(ARRAY[
				CASE WHEN lower(appt_internal.patient_name(c.p))
					= lower(appt_internal.patient_name($1)) THEN 'name' END,
				CASE WHEN (c.p).date_of_birth = ($1).date_of_birth
					THEN 'date_of_birth' END,
				CASE WHEN right(appt_internal.digits((c.p).phone), 10)
					= right(appt_internal.digits(($1).phone), 10)
					THEN 'phone' END],
				NULL) AS same
		FROM candidate c
		WHERE (c.p).patient_no <> ($1).patient_no
			AND appt_internal.client_sees_patient($2, c.p)
	)
	SELECT coalesce(json_agg(d ORDER BY d.patient_id), '[]')
	FROM (
		SELECT patient_id, name, same
		FROM compared
		WHERE cardinality(same) >= 2
		ORDER BY cardinality(same) DESC, patient_id
		LIMIT 10) d
$$;

COMMENT ON FUNCTION appt_internal.possible_duplicates(appt.patient, text) IS
	'At most ten patients, whom the client sees, that share two of name, birth '
	'date and telephone number with this one; same says which';
