/* ---------------------------------------------------------------------------
 * Somebody's time, taken: what the overlap constraints of appointments look
 * for (extension/occupancy.c).
 * ------------------------------------------------------------------------ */

CREATE TYPE appt_internal.occupancy;

CREATE FUNCTION appt_internal.occupancy_in(cstring)
	RETURNS appt_internal.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_in';

CREATE FUNCTION appt_internal.occupancy_out(appt_internal.occupancy)
	RETURNS cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_out';

CREATE TYPE appt_internal.occupancy (
	INPUT = appt_internal.occupancy_in,
	OUTPUT = appt_internal.occupancy_out,
	INTERNALLENGTH = 24,
	ALIGNMENT = double
);

COMMENT ON TYPE appt_internal.occupancy IS
	'A key (of a doctor''s place or a patient) and an interval [start, end): '
	'whose time is taken, and when. Lives in indexes only';
COMMENT ON FUNCTION appt_internal.occupancy_in(cstring) IS
	'Refuses: values are made by appt_internal.occupancy(key, slot_start, '
	'slot_end)';
COMMENT ON FUNCTION appt_internal.occupancy_out(appt_internal.occupancy) IS
	'Key and interval, as a violated constraint''s detail shows them';

CREATE FUNCTION appt_internal.occupancy(
	key integer,
	slot_start timestamptz,
	slot_end timestamptz)
	RETURNS appt_internal.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy';

COMMENT ON FUNCTION appt_internal.occupancy(integer, timestamptz, timestamptz)
	IS
	'The key''s time [slot_start, slot_end); raises SB001 if it is empty';

CREATE FUNCTION appt_internal.occupancy_overlaps(appt_internal.occupancy,
	appt_internal.occupancy)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_overlaps';

COMMENT ON FUNCTION appt_internal.occupancy_overlaps(appt_internal.occupancy,
	appt_internal.occupancy) IS
	'Whether both take a moment of the same key''s time';

CREATE OPERATOR appt_internal.&& (
	LEFTARG = appt_internal.occupancy,
	RIGHTARG = appt_internal.occupancy,
	FUNCTION = appt_internal.occupancy_overlaps,
	COMMUTATOR = OPERATOR(appt_internal.&&),
	RESTRICT = pg_catalog.areasel,
	JOIN = pg_catalog.areajoinsel
);

COMMENT ON OPERATOR appt_internal.&& (appt_internal.occupancy,
	appt_internal.occupancy) IS
	'The same key, and intervals that overlap';

CREATE FUNCTION appt_internal.occupancy_config(internal, internal) RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_config';

CREATE FUNCTION appt_internal.occupancy_choose(internal, internal) RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_choose';

CREATE FUNCTION appt_internal.occupancy_picksplit(internal, internal)
	RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_picksplit';

CREATE FUNCTION appt_internal.occupancy_inner_consistent(internal, internal)
	RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_inner_consistent';

CREATE FUNCTION appt_internal.occupancy_leaf_consistent(internal, internal)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_leaf_consistent';

COMMENT ON FUNCTION appt_internal.occupancy_config(internal, internal) IS
	'SP-GiST: of what types the index is';
COMMENT ON FUNCTION appt_internal.occupancy_choose(internal, internal) IS
	'SP-GiST: which way down an entry goes';
COMMENT ON FUNCTION appt_internal.occupancy_picksplit(internal, internal) IS
	'SP-GiST: how the entries of a full page are divided';
COMMENT ON FUNCTION appt_internal.occupancy_inner_consistent(internal, internal)
	IS
	'SP-GiST: which ways down may lead to what is looked for';
COMMENT ON FUNCTION appt_internal.occupancy_leaf_consistent(internal, internal)
	IS
	'SP-GiST: whether an entry is what is looked for';

CREATE OPERATOR CLASS appt_internal.occupancy_ops
	DEFAULT FOR TYPE appt_internal.occupancy USING spgist AS
	OPERATOR 3 appt_internal.&&,
	FUNCTION 1 appt_internal.occupancy_config(internal, internal),
	FUNCTION 2 appt_internal.occupancy_choose(internal, internal),
	FUNCTION 3 appt_internal.occupancy_picksplit(internal, internal),
	FUNCTION 4 appt_internal.occupancy_inner_consistent(internal, internal),
	FUNCTION 5 appt_internal.occupancy_leaf_consistent(internal, internal);

COMMENT ON OPERATOR CLASS appt_internal.occupancy_ops USING spgist IS
	'Looks for overlapping time of one key';

/*
 * What an appointment takes, and when it does: one call each, for a statement
 * that writes prepares the expressions and conditions of its table's indexes
 * anew, each operator by itself (extension/taken.c).
 */
CREATE FUNCTION appt_internal.place_time(
	doctor_no integer,
	lane smallint,
	slot_start timestamptz,
	slot_end timestamptz)
	RETURNS appt_internal.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_place_time';

COMMENT ON FUNCTION appt_internal.place_time(integer, smallint, timestamptz,
	timestamptz) IS
	'The time [slot_start, slot_end) of one of a doctor''s 64 places: of key '
	'doctor_no * 64 + lane; raises SB001 if it is empty';

CREATE FUNCTION appt_internal.takes_place(status text, lane smallint)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_takes_place';

COMMENT ON FUNCTION appt_internal.takes_place(text, smallint) IS
	'Whether an appointment takes its place: neither cancelled nor no_show, '
	'and beside the bookable places (lane 32 and above) not completed';

CREATE FUNCTION appt_internal.takes_patient(status text)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_takes_patient';

COMMENT ON FUNCTION appt_internal.takes_patient(text) IS
	'Whether an appointment takes its patient''s time: neither cancelled, '
	'no_show, completed nor held';
