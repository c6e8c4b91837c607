/* ---------------------------------------------------------------------------
 * How patients are found: for the search of the list and for the warning that
 * somebody may be registered already.
 *
 * One GIN index holds each patient's terms: the words of the name and their
 * endings of three letters and more, so that a part of a word is the beginning
 * of a term; the digits of the telephone number, with and without what stands
 * before the last ten, and its last ones; the ids.  It needs no further
 * extension, and 100,000 patients are no list to read through.  Its function
 * runs as its owner: whoever writes a patient need not see what it calls.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.patient_terms(
	patient_id text,
	first_name text,
	last_name text,
	phone text,
	phone_e164 text,
	abha_id text)
	RETURNS tsvector
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id_number text := substring(patient_id FROM '[0-9]+$');
	terms text[] := ARRAY[lower(patient_id), id_number, ltrim(id_number, '0'),
		lower(left(abha_id, 40))];
	number text;
	word text;
BEGIN
	FOREACH number IN ARRAY ARRAY[phone, phone_e164, abha_id] LOOP
		number := left(regexp_replace(number, '[^0-9]', '', 'g'), 40);
		terms := terms || ARRAY[number, right(number, 10), right(number, 6),
			right(number, 5), right(number, 4)];
	END LOOP;
	FOR word IN
		SELECT regexp_split_to_table(left(concat_ws(' ',
			appt_internal.name_key(first_name),
			appt_internal.name_key(last_name),
			appt_internal.name_words(first_name),
			appt_internal.name_words(last_name)), 400), ' ')
	LOOP
		FOR place IN 1..greatest(1, length(word) - 2) LOOP
			terms := terms || substr(word, place);
		END LOOP;
	END LOOP;
	RETURN array_to_tsvector(array_remove(array_remove(terms, NULL), ''));
END
$$;

COMMENT ON FUNCTION appt_internal.patient_terms(text, text, text, text, text,
	text) IS
	'What a patient is found by: each word of a search must begin one of these';

CREATE INDEX patient_search ON appt.patient USING gin (
	appt_internal.patient_terms(patient_id, first_name, last_name, phone,
		phone_e164, abha_id));

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

CREATE FUNCTION appt_internal.number_query(phone text) RETURNS tsquery
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number text := appt_internal.digits(phone);
	/* With a country's code, which the one who is sought may not have. */
	whole text := appt_internal.digits(
		coalesce(appt_internal.phone_number(phone, NULL),
			CASE WHEN length(number) > 10 THEN number END));
BEGIN
	IF whole IS NOT NULL THEN
		RETURN appt_internal.term_query(whole, true)
			|| appt_internal.term_query(right(whole, 10), true);
	END IF;
	/* 020 7946 0001 is what +44 20 7946 0001 ends with. */
	RETURN appt_internal.term_query(
		CASE WHEN number ~ '[1-9]' AND length(number) >= 9
			THEN ltrim(number, '0') ELSE number END, true);
END
$$;

COMMENT ON FUNCTION appt_internal.number_query(text) IS
	'A telephone number, or the beginning or end of one, as a query of '
	'appt_internal.patient_terms';

CREATE FUNCTION appt_internal.search_query(search text) RETURNS tsquery
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text := appt_internal.clean_text(left(search, 200));
	phone text := appt_internal.clean_phone(wanted);
	word text;
	sought tsquery;
BEGIN
	IF phone ~ '^[-+0-9 ()./]+$'
		AND length(appt_internal.digits(phone)) >= 3
	THEN
		RETURN appt_internal.number_query(phone);
	END IF;
	FOR word IN
		SELECT regexp_split_to_table(appt_internal.name_words(wanted), ' ')
		LIMIT 8
	LOOP
		CONTINUE WHEN word = '';
		sought := coalesce(sought && appt_internal.term_query(word, true),
			appt_internal.term_query(word, true));
	END LOOP;
	IF sought IS NULL THEN
		/* Signs alone are nobody's name; no text at all is no search. */
		RETURN appt_internal.term_query(lower(wanted), false);
	END IF;
	wanted := regexp_replace(wanted, '[\u2010-\u2015\u2212]', '-', 'g');
	IF wanted ~ '^\S*[-._]\S*$' THEN
		/* An id is one term, whatever signs are in it. */
		RETURN sought || appt_internal.term_query(lower(wanted), true);
	END IF;
	RETURN sought;
END
$$;

COMMENT ON FUNCTION appt_internal.search_query(text) IS
	'What is typed into a search (words of a name, a telephone number, an id, '
	'or a part of one) as a query of appt_internal.patient_terms; NULL: '
	'nothing';

CREATE FUNCTION appt_internal.patient_name(patient appt.patient) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.concat_ws(' ', patient.first_name, patient.last_name)
$$;

COMMENT ON FUNCTION appt_internal.patient_name(appt.patient) IS
	'First and last name of a patient';

CREATE FUNCTION appt_internal.same_phone(
	a appt.patient,
	b appt.patient)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.phone_e164 = b.phone_e164
		OR right(appt_internal.digits(a.phone), 10)
			= right(appt_internal.digits(b.phone), 10)
$$;

COMMENT ON FUNCTION appt_internal.same_phone(appt.patient, appt.patient) IS
	'Whether two patients have the same telephone number, as far as it can be '
	'told';

CREATE FUNCTION appt_internal.possible_duplicates(patient appt.patient,
	client text)
	RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH candidate AS (
		SELECT p
		FROM appt.patient p
		WHERE appt_internal.name_key(
				p.first_name || coalesce(' ' || p.last_name, ''))
			= appt_internal.name_key(appt_internal.patient_name($1))
		UNION
		SELECT p
		FROM appt.patient p
		WHERE appt_internal.patient_terms(p.patient_id, p.first_name,
				p.last_name, p.phone, p.phone_e164, p.abha_id)
			@@ appt_internal.term_query(
				right(appt_internal.digits(
					coalesce(($1).phone_e164, ($1).phone)), 10), false)
	), compared AS (
		SELECT (c.p).patient_id, appt_internal.patient_name(c.p) AS name,
			array_remove(ARRAY[
				CASE WHEN appt_internal.name_key(
						appt_internal.patient_name(c.p))
					= appt_internal.name_key(appt_internal.patient_name($1))
					THEN 'name' END,
				CASE WHEN (c.p).date_of_birth = ($1).date_of_birth
					THEN 'date_of_birth' END,
				CASE WHEN appt_internal.same_phone(c.p, $1) THEN 'phone' END],
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
