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

CREATE FUNCTION appt.occupancy_consistent(
	internal, appt.occupancy, smallint, oid, internal)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_consistent';

CREATE FUNCTION appt.occupancy_union(internal, internal)
	RETURNS appt.occupancy
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_union';

CREATE FUNCTION appt.occupancy_penalty(internal, internal, internal)
	RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_penalty';

CREATE FUNCTION appt.occupancy_picksplit(internal, internal)
	RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_picksplit';

CREATE FUNCTION appt.occupancy_same(
	appt.occupancy, appt.occupancy, internal)
	RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_same';

COMMENT ON FUNCTION appt.occupancy_consistent(
	internal, appt.occupancy, smallint, oid, internal) IS
	'GiST: whether a page or an entry may have what is looked for';
COMMENT ON FUNCTION appt.occupancy_union(internal, internal) IS
	'GiST: what covers all entries of a page';
COMMENT ON FUNCTION appt.occupancy_penalty(internal, internal, internal) IS
	'GiST: how much a page would grow by an entry, in keys and then in time';
COMMENT ON FUNCTION appt.occupancy_picksplit(internal, internal) IS
	'GiST: which half of a full page an entry goes to';
COMMENT ON FUNCTION appt.occupancy_same(
	appt.occupancy, appt.occupancy, internal) IS
	'GiST: whether two entries are the same';

CREATE OPERATOR CLASS appt.occupancy_ops
	DEFAULT FOR TYPE appt.occupancy USING gist AS
	OPERATOR 3 appt.&&,
	FUNCTION 1 appt.occupancy_consistent (
		internal, appt.occupancy, smallint, oid, internal),
	FUNCTION 2 appt.occupancy_union (internal, internal),
	FUNCTION 5 appt.occupancy_penalty (internal, internal, internal),
	FUNCTION 6 appt.occupancy_picksplit (internal, internal),
	FUNCTION 7 appt.occupancy_same (appt.occupancy, appt.occupancy, internal);

COMMENT ON OPERATOR CLASS appt.occupancy_ops USING gist IS
	'Looks for overlapping time of one key';

REVOKE ALL ON FUNCTION
	appt.occupancy_in(cstring),
	appt.occupancy_out(appt.occupancy),
	appt.occupancy(integer, timestamptz, timestamptz),
	appt.occupancy_overlaps(appt.occupancy, appt.occupancy),
	appt.occupancy_consistent(
		internal, appt.occupancy, smallint, oid, internal),
	appt.occupancy_union(internal, internal),
	appt.occupancy_penalty(internal, internal, internal),
	appt.occupancy_picksplit(internal, internal),
	appt.occupancy_same(appt.occupancy, appt.occupancy, internal)
	FROM PUBLIC;
