/* ---------------------------------------------------------------------------
 * Somebody's time, taken: what the overlap constraints of appointments look
 * for (extension/occupancy.c).
 * ------------------------------------------------------------------------ */

CREATE TYPE appt.occupancy;

CREATE FUNCTION appt.occupancy_in(cstring) RETURNS appt.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_in';

CREATE FUNCTION appt.occupancy_out(appt.occupancy) RETURNS cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_out';

CREATE TYPE appt.occupancy (
	INPUT = appt.occupancy_in,
	OUTPUT = appt.occupancy_out,
	INTERNALLENGTH = 24,
	ALIGNMENT = double
);

COMMENT ON TYPE appt.occupancy IS
	'A key (of a doctor''s place or a patient) and an interval [start, end): '
	'whose time is taken, and when. Lives in indexes only';
COMMENT ON FUNCTION appt.occupancy_in(cstring) IS
	'Refuses: values are made by appt.occupancy(key, slot_start, slot_end)';
COMMENT ON FUNCTION appt.occupancy_out(appt.occupancy) IS
	'Key and interval, as a violated constraint''s detail shows them';

CREATE FUNCTION appt.occupancy(
	key integer,
	slot_start timestamptz,
	slot_end timestamptz)
	RETURNS appt.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy';

COMMENT ON FUNCTION appt.occupancy(integer, timestamptz, timestamptz) IS
	'The key''s time [slot_start, slot_end); raises SB001 if it is empty';

CREATE FUNCTION appt.occupancy_overlaps(appt.occupancy, appt.occupancy)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_overlaps';

COMMENT ON FUNCTION appt.occupancy_overlaps(appt.occupancy, appt.occupancy) IS
	'Whether both take a moment of the same key''s time';

CREATE OPERATOR appt.&& (
	LEFTARG = appt.occupancy,
	RIGHTARG = appt.occupancy,
	FUNCTION = appt.occupancy_overlaps,
	COMMUTATOR = OPERATOR(appt.&&),
	RESTRICT = pg_catalog.areasel,
	JOIN = pg_catalog.areajoinsel
);

COMMENT ON OPERATOR appt.&& (appt.occupancy, appt.occupancy) IS
	'The same key, and intervals that overlap';

CREATE FUNCTION appt.occupancy_config(internal, internal) RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_config';

CREATE FUNCTION appt.occupancy_choose(internal, internal) RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_choose';

CREATE FUNCTION appt.occupancy_picksplit(internal, internal) RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_picksplit';

CREATE FUNCTION appt.occupancy_inner_consistent(internal, internal)
	RETURNS void
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_inner_consistent';

CREATE FUNCTION appt.occupancy_leaf_consistent(internal, internal)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_leaf_consistent';

COMMENT ON FUNCTION appt.occupancy_config(internal, internal) IS
	'SP-GiST: of what types the index is';
COMMENT ON FUNCTION appt.occupancy_choose(internal, internal) IS
	'SP-GiST: which way down an entry goes';
COMMENT ON FUNCTION appt.occupancy_picksplit(internal, internal) IS
	'SP-GiST: how the entries of a full page are divided';
COMMENT ON FUNCTION appt.occupancy_inner_consistent(internal, internal) IS
	'SP-GiST: which ways down may lead to what is looked for';
COMMENT ON FUNCTION appt.occupancy_leaf_consistent(internal, internal) IS
	'SP-GiST: whether an entry is what is looked for';

CREATE OPERATOR CLASS appt.occupancy_ops
	DEFAULT FOR TYPE appt.occupancy USING spgist AS
	OPERATOR 3 appt.&&,
	FUNCTION 1 appt.occupancy_config(internal, internal),
	FUNCTION 2 appt.occupancy_choose(internal, internal),
	FUNCTION 3 appt.occupancy_picksplit(internal, internal),
	FUNCTION 4 appt.occupancy_inner_consistent(internal, internal),
	FUNCTION 5 appt.occupancy_leaf_consistent(internal, internal);

COMMENT ON OPERATOR CLASS appt.occupancy_ops USING spgist IS
	'Looks for overlapping time of one key';
