/* ---------------------------------------------------------------------------
 * Patients as JSON.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.age_on(date_of_birth date, today date)
	RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN extract(year FROM age(today::timestamp, date_of_birth::timestamp));

COMMENT ON FUNCTION appt_internal.age_on(date, date) IS
	'Age in whole years';

CREATE FUNCTION appt_internal.patient_age(date_of_birth date, branch_id text)
	RETURNS integer
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN appt_internal.age_on(date_of_birth,
	appt_internal.clinic_today(branch_id));

COMMENT ON FUNCTION appt_internal.patient_age(date, text) IS
	'Age in whole years today, at the patient''s branch; of who has none, at '
	'the clinic''s first active one';

CREATE FUNCTION appt_internal.address_json(patient appt.patient) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN pg_catalog.num_nonnulls(
			patient.address_line1, patient.address_line2,
			patient.address_city, patient.address_state,
			patient.address_pincode, patient.address_country) > 0
		THEN pg_catalog.json_build_object(
			'line1', patient.address_line1,
			'line2', patient.address_line2,
			'city', patient.address_city,
			'state', patient.address_state,
			'pincode', patient.address_pincode,
			'country', patient.address_country) END
$$;

COMMENT ON FUNCTION appt_internal.address_json(appt.patient) IS
	'A patient''s address as an object; NULL: there is none';

CREATE FUNCTION appt_internal.patient_json(t appt.patient, client text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'id', t.patient_id,
		'patient_id', t.patient_id,
		'name', appt_internal.patient_name(t),
		'first_name', t.first_name,
		'last_name', t.last_name,
		'date_of_birth', t.date_of_birth,
		'date_of_birth_estimated', t.date_of_birth_estimated,
		'age', appt_internal.patient_age(t.date_of_birth, t.branch_id),
		'gender', t.gender,
		'phone', t.phone,
		'phone_e164', t.phone_e164,
		'email', t.email,
		'address', appt_internal.address_json(t),
		'blood_group', t.blood_group,
		'abha_id', t.abha_id,
		'aadhaar', t.aadhaar,
		'insurance', pg_catalog.json_build_object(
			'provider', t.insurance_provider,
			'number', t.insurance_number),
		'emergency_contact', pg_catalog.json_build_object(
			'name', t.emergency_contact_name,
			'phone', t.emergency_contact_phone,
			'relationship', t.emergency_contact_relationship),
		'consent', t.consent,
		'consent_at', appt_internal.json_time(t.consent_at,
			coalesce(appt_internal.branch_zone(t.branch_id), 'UTC')),
		'language', t.language,
		'branch_id', t.branch_id,
		'active', t.active,
		'version', t.version,
		'registered_at', appt_internal.json_time(t.registered_at,
			coalesce(appt_internal.branch_zone(t.branch_id), 'UTC')))::text
$$;

COMMENT ON FUNCTION appt_internal.patient_json IS 'A patient as he or she is '
	'shown';

CREATE FUNCTION appt_internal.patient_summary(
	patient appt.patient,
	today date,
	last_visit date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.json_build_object(
		'id', patient.patient_id,
		'name', appt_internal.patient_name(patient),
		'phone', patient.phone,
		'age', appt_internal.age_on(patient.date_of_birth, today),
		'gender', patient.gender,
		'patient_id', patient.patient_id,
		'last_visit_date', last_visit)::text
$$;

COMMENT ON FUNCTION appt_internal.patient_summary(appt.patient, date, date) IS
	'A patient as in a list, on that day';

CREATE FUNCTION appt_internal.patient_summaries(
	patient_nos integer[],
	branches text[],
	doctor_nos integer[])
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN '[' || coalesce((
		SELECT string_agg(appt_internal.patient_summary(p,
			CASE WHEN b.branch_id IS NULL
				THEN (SELECT appt_internal.clinic_today())
				ELSE appt_internal.local_time(appt.clock(), b.time_zone)::date
				END,
			(SELECT max(a.token_date)
				FROM appt.appointment a
				WHERE a.patient_no = p.patient_no
					AND coalesce(a.branch_id = ANY ($2), true)
					AND coalesce(a.doctor_no = ANY ($3), true)
					AND a.status IN ('checked_in', 'in_consultation',
						'completed'))), ',' ORDER BY s.n)
		FROM unnest($1) WITH ORDINALITY AS s (patient_no, n)
		JOIN appt.patient p ON p.patient_no = s.patient_no
		LEFT JOIN appt.branch b ON b.branch_id = p.branch_id), '') || ']';
END
$$;

COMMENT ON FUNCTION appt_internal.patient_summaries(integer[], text[],
	integer[]) IS
	'JSON array of these patients as in a list, in this order; last_visit_date '
	'is of visits at those branches and with those doctors (NULL: all)';

CREATE FUNCTION appt_api.list_patients(
	search text,
	branch_id text,
	registered_after date,
	page integer,
	per_page integer,
	client text,
	patient_id text DEFAULT NULL)
	RETURNS appt_api.page
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	/* What is typed first, such as +91, may be everybody's: a plan for it would
	 * read all patients and make their terms anew, instead of the index's. */
	SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
	branches text[]
		:= nullif(appt_internal.client_branches(client), ARRAY['*']);
	doctor_nos CONSTANT integer[] := appt_internal.client_doctor_nos(client);
	is_doctor CONSTANT boolean
		:= appt_internal.client_doctor(client) IS NOT NULL;
	/* Those of a patient's visits that the caller sees. */
	visits CONSTANT text := 'appt.appointment a WHERE a.patient_no ='
		' p.patient_no AND coalesce(a.branch_id = ANY ($4), true)'
		' AND coalesce(a.doctor_no = ANY ($8), true)';
	ids text[] := string_to_array(patient_id, ',');
	sought tsquery := appt_internal.search_query(search);
	matches integer[];
	size integer := coalesce(per_page, 20);
	conditions text;
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.require_client(client);
	IF branch_id IS NOT NULL THEN
		PERFORM appt_internal.get_row('branch', NULL, branch_id, client);
	END IF;
	PERFORM appt_internal.refuse_id('patient', i.id, 'patient_id', 'SB404')
	FROM unnest(ids) AS i (id)
	WHERE NOT EXISTS (
		SELECT
		FROM appt.patient p
		CROSS JOIN LATERAL appt_internal.sees_patient(branches, doctor_nos,
			is_doctor, p)
		WHERE p.patient_id = i.id);

	IF sought IS NOT NULL THEN
		/* First and alone: beside ORDER BY and LIMIT the planner reads all. */
		matches := ARRAY(
			SELECT p.patient_no
			FROM appt.patient p
			WHERE appt_internal.patient_terms(p.patient_id, p.first_name,
				p.last_name, p.phone, p.phone_e164, p.abha_id) @@ sought);
	END IF;
	conditions := concat_ws(' AND ', 'true',
		CASE WHEN sought IS NOT NULL THEN 'p.patient_no = ANY ($1)' END,
		CASE WHEN branch_id IS NOT NULL THEN 'p.branch_id = $2' END,
		CASE WHEN patient_id IS NOT NULL THEN
			'p.patient_id = ANY ($9)' END,
		CASE WHEN registered_after IS NOT NULL THEN
			'p.registered_at >= $3::timestamp AT TIME ZONE'
			' coalesce(appt_internal.branch_zone(p.branch_id), ''UTC'')' END,
		CASE WHEN is_doctor THEN format('EXISTS (SELECT FROM %s)', visits)
		WHEN branches IS NOT NULL THEN
			format('(p.branch_id IS NULL OR p.branch_id = ANY ($4)'
				' OR EXISTS (SELECT FROM %s))', visits) END);
	EXECUTE format(
		'SELECT appt_internal.patient_summaries(ARRAY('
		'  SELECT p.patient_no FROM appt.patient p WHERE %1$s'
		'  ORDER BY lower(p.last_name), lower(p.first_name), p.patient_no'
		'  LIMIT $5 OFFSET $6), $4, $8),'
		' (SELECT count(*) FROM (SELECT FROM appt.patient p WHERE %1$s'
		'  LIMIT $7) n)', conditions)
		INTO result
		USING matches, branch_id, registered_after, branches, size,
			(coalesce(page, 1) - 1)::bigint * size,
			appt_internal.count_limit(page, size), doctor_nos, ids;
	PERFORM appt_internal.note_page(result.body, client);
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_patients IS
	'A page of the patients, by name: search (words of the name, telephone '
	'number, patient or ABHA id, or parts of them), branch_id (where they '
	'registered), registered_after (on that day or later), patient_id (these, '
	'with commas between). Raises SB001, SB404 (branch_id, patient_id)';

CREATE FUNCTION appt_internal.patient_members(members jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grouped CONSTANT jsonb := '{"address":
			["line1", "line2", "city", "state", "pincode", "country"],
		"insurance": ["provider", "number"],
		"emergency_contact": ["name", "phone", "relationship"]}';
	object text;
	part record;
BEGIN
	IF jsonb_typeof(members->'address') = 'string' THEN
		members := jsonb_set(members, '{address}',
			jsonb_build_object('line1', members->'address'));
	END IF;
	FOR object IN SELECT jsonb_object_keys(grouped) LOOP
		CONTINUE WHEN NOT members ? object;
		IF jsonb_typeof(members->object) = 'null' THEN
			SELECT members || jsonb_object_agg(object || '_' || g.name, NULL)
			INTO members
			FROM jsonb_array_elements_text(grouped->object) g (name);
		ELSIF jsonb_typeof(members->object) <> 'object' THEN
			PERFORM appt_internal.refuse_member(object, 'It is an object.');
		ELSE
			FOR part IN SELECT * FROM jsonb_each(members->object) LOOP
				IF NOT grouped->object ? part.key THEN
					PERFORM appt_internal.refuse_member(
						object || '_' || part.key,
						'It is not a member of this object.');
				ELSIF jsonb_typeof(part.value) NOT IN ('string', 'null') THEN
					PERFORM appt_internal.refuse_member(
						object || '_' || part.key, 'It is text.');
				END IF;
				members := members
					|| jsonb_build_object(object || '_' || part.key,
						part.value);
			END LOOP;
		END IF;
		members := members - object;
	END LOOP;
	RETURN members;
END
$$;

COMMENT ON FUNCTION appt_internal.patient_members(jsonb) IS
	'The members of a patient with those of its objects as columns: '
	'address.city is address_city, an address that is a text its first line, '
	'an object that is null none of its members. Raises SB001';

CREATE FUNCTION appt_internal.check_birth(members jsonb) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	/* Text, as it may still be no date; tomorrow has begun somewhere. */
	IF members->>'date_of_birth'
		> to_char(appt.clock() + interval '1 day', 'YYYY-MM-DD')
	THEN
		PERFORM appt_internal.refuse_member('date_of_birth',
			'The date of birth cannot be in the future.');
	END IF;
END
$$;

COMMENT ON FUNCTION appt_internal.check_birth(jsonb) IS
	'Refuses a date of birth in the future; raises SB001';

CREATE FUNCTION appt_internal.registration_branch(members jsonb, client text)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	branches text[]
		:= nullif(appt_internal.client_branches(client), ARRAY['*']);
BEGIN
	IF branches IS NULL OR members->>'branch_id' IS NOT NULL THEN
		RETURN members;
	ELSIF cardinality(branches) <> 1 THEN
		RAISE EXCEPTION 'branch_id is required'
			USING ERRCODE = 'SB002', COLUMN = 'branch_id',
				DETAIL = 'The client is limited to several branches: say at '
					'which of them the patient registers.';
	END IF;
	RETURN members || jsonb_build_object('branch_id', branches[1]);
END
$$;

COMMENT ON FUNCTION appt_internal.registration_branch(jsonb, text) IS
	'Adds the branch of a client that is limited to one: its patients are '
	'nobody else''s. Raises SB002 where it is limited to several and none is '
	'given';

CREATE FUNCTION appt_api.create_patient(
	fields jsonb,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	route CONSTANT text := 'POST patient';
	answer appt_api.answer
		:= appt_internal.kept_answer(client, route, idempotency_key,
		request_hash);
BEGIN
	IF answer.replayed THEN
		RETURN answer;
	END IF;
	PERFORM appt_internal.act_for(client);
	fields := appt_internal.patient_members(fields);
	PERFORM appt_internal.check_birth(fields);
	answer := appt_internal.insert_row(appt_internal.resource_of('patient'),
		appt_internal.registration_branch(fields, client), client);
	SELECT left(answer.body, -1) || format(', "possible_duplicates" : %s}',
		appt_internal.possible_duplicates(p, client))
	INTO answer.body
	FROM appt.patient p
	WHERE p.patient_id = answer.id;
	RETURN appt_internal.keep_answer(answer, client, route, idempotency_key,
		request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.create_patient IS
	'Registers a patient. possible_duplicates in the answer lists patients who '
	'share two of name, birth date and telephone number. Raises SB001, SB002, '
	'SBU01 (branch_id), SB950, SBU02';

CREATE FUNCTION appt_api.update_patient(
	patient_id text,
	changes jsonb,
	expected_version integer,
	client text,
	idempotency_key text,
	request_hash text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM appt_internal.act_for(client);
	changes := appt_internal.patient_members(changes);
	PERFORM appt_internal.check_birth(changes);
	IF changes ? 'branch_id' THEN
		changes := appt_internal.registration_branch(changes, client);
	END IF;
	RETURN appt_internal.change_row('patient', NULL, patient_id, changes,
		expected_version, client, idempotency_key, request_hash);
END
$$;

COMMENT ON FUNCTION appt_api.update_patient IS
	'Changes what is given of a patient. Raises SB404, SB001, SB002, SBU01, '
	'SBP01, SB950, SBU02';

CREATE FUNCTION appt_internal.visit_history(patient_id text, client text)
	RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(v ORDER BY v.date DESC, v.appointment_id DESC),
		'[]')
	FROM (
		SELECT a.appointment_id, a.token_date AS date, a.doctor_id,
			a.branch_id, a.visit_type, a.status
		FROM appt.patient p
		JOIN appt.appointment a ON a.patient_no = p.patient_no
		WHERE p.patient_id = $1
			AND a.status <> 'held'
			AND appt_internal.client_sees_visit($2, a.branch_id, a.doctor_no)
		ORDER BY a.slot_start DESC
		LIMIT 50) v
$$;

COMMENT ON FUNCTION appt_internal.visit_history(text, text) IS
	'The patient''s last fifty visits, those to come too, at branches that the '
	'client sees, newest first';

CREATE FUNCTION appt_api.get_patient(
	patient_id text,
	client text)
	RETURNS appt_api.answer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	answer appt_api.answer
		:= appt_internal.get_row('patient', NULL, patient_id, client);
BEGIN
	PERFORM appt_internal.note_access(ARRAY[patient_id], client, 'profile');
	answer.body := left(answer.body, -1) || format(', "visit_history" : %s}',
		appt_internal.visit_history(patient_id, client));
	RETURN answer;
END
$$;

COMMENT ON FUNCTION appt_api.get_patient IS
	'One patient, with visit_history: the last fifty visits. Notes who looked. '
	'Raises SB404';

CREATE FUNCTION appt_api.list_patient_accesses(
	patient_id text,
	page integer,
	per_page integer,
	client text)
	RETURNS appt_api.page
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	size CONSTANT integer := coalesce(per_page, 20);
	result appt_api.page;
BEGIN
	PERFORM appt_internal.check_page(page, per_page);
	PERFORM appt_internal.get_row('patient', NULL, patient_id, client);
	SELECT coalesce(json_agg(json_build_object(
			'at', appt_internal.json_time(l.at, 'UTC'),
			'actor', l.actor,
			'name', coalesce(
				(SELECT s.name
				 FROM appt.staff AS s
				 WHERE l.actor = 'staff:' || s.account),
				(SELECT c.name
				 FROM appt.api_client AS c
				 WHERE l.actor = 'client:' || c.client_id)),
			'call', l.call)
		ORDER BY l.patient_access_no DESC), '[]')::text,
		(SELECT count(*)
		 FROM (
			SELECT
			FROM appt.patient_access AS a
			WHERE a.patient_id = patient_id
			LIMIT appt_internal.count_limit(page, size)) AS n)
	INTO result
	FROM (
		SELECT a.*
		FROM appt.patient_access AS a
		WHERE a.patient_id = patient_id
		ORDER BY a.at DESC, a.patient_access_no DESC
		LIMIT size OFFSET (coalesce(page, 1) - 1)::bigint * size) AS l;
	RETURN result;
END
$$;

COMMENT ON FUNCTION appt_api.list_patient_accesses(text, integer, integer,
	text) IS
	'Who looked at a patient, last first, a page of it. Raises SB001, SB404';
