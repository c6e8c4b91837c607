-- The type and operator class of the overlap constraints find what overlaps,
-- all of it and nothing else, however many pages the index has.
SET TIME ZONE 'UTC';

-- A value is somebody's and has a beginning before its end.
SELECT appt_internal.occupancy(7, '2026-03-15 10:00+00', '2026-03-15 10:15+00');
SELECT appt_internal.occupancy(7, '2026-03-15 10:00+00', '2026-03-15 10:00+00');
SELECT appt_internal.occupancy(7, '2026-03-15 10:15+00', '2026-03-15 10:00+00');
SELECT appt_internal.occupancy(NULL, '2026-03-15 10:00+00', '2026-03-15 10:15+00') IS NULL
	AS nobody;
SELECT '7: [2026-03-15,2026-03-16)'::appt_internal.occupancy;
-- Of a doctor's place, and which appointments take one.
SELECT appt_internal.place_time(7, 3::smallint, '2026-03-15 10:00+00', '2026-03-15 10:15+00');
SELECT appt_internal.place_time(33554432, 0::smallint, '2026-03-15 10:00+00',
	'2026-03-15 10:15+00');
SELECT s AS status, appt_internal.takes_place(s, 31::smallint) AS bookable,
	appt_internal.takes_place(s, 32::smallint) AS beside, appt_internal.takes_patient(s) AS patient
FROM unnest('{held,booked,checked_in,in_consultation,completed,cancelled,no_show,no_shows}'::text[])
	AS s;

-- On disk it is its key, zeros to where a time begins, its start, its end: what
-- memory held before goes neither into an index nor into the WAL.
CREATE EXTENSION IF NOT EXISTS pageinspect;
CREATE TABLE stored (value appt_internal.occupancy);
SELECT count(repeat('garbage', n)) AS memory_that_is_used_again
FROM generate_series(1, 100) AS n;
INSERT INTO stored SELECT appt_internal.occupancy(7, '2000-01-01 00:00+00',
	timestamptz '2000-01-01 00:00+00' + n * interval '1 microsecond')
FROM generate_series(1, 100) AS n;
SELECT count(*), min(substr(t_data::text, 3, 32)) AS least,
	max(substr(t_data::text, 3, 32)) AS most
FROM heap_page_items(get_raw_page('stored', 0));
DROP TABLE stored;
DROP EXTENSION pageinspect;

-- Half-open, and of the same key.
SELECT b.what, appt_internal.occupancy(7, '2026-03-15 10:00+00', '2026-03-15 10:15+00')
	OPERATOR(appt_internal.&&) appt_internal.occupancy(b.key, b.slot_start, b.slot_end) AS overlaps
FROM (VALUES
	(1, 'the same', 7, timestamptz '2026-03-15 10:00+00', timestamptz '2026-03-15 10:15+00'),
	(2, 'another key', 8, '2026-03-15 10:00+00', '2026-03-15 10:15+00'),
	(3, 'ends as it begins', 7, '2026-03-15 09:45+00', '2026-03-15 10:00+00'),
	(4, 'begins as it ends', 7, '2026-03-15 10:15+00', '2026-03-15 10:30+00'),
	(5, 'a moment of it', 7, '2026-03-15 10:14:59.999999+00', '2026-03-15 11:00+00'),
	(6, 'inside', 7, '2026-03-15 10:05+00', '2026-03-15 10:06+00'),
	(7, 'around', 7, '2026-03-15 00:00+00', '2026-03-16 00:00+00')
	) AS b (no, what, key, slot_start, slot_end)
ORDER BY b.no;

-- Some hundred pages, of keys with many entries and keys with few, of minutes,
-- hours and months: the index finds what a look at every row finds.
CREATE TABLE visit (no integer, key integer, slot_start timestamptz, slot_end timestamptz);
CREATE INDEX visit_time ON visit USING spgist (appt_internal.occupancy(key, slot_start, slot_end));

CREATE FUNCTION fill(first integer, last integer, keys integer) RETURNS void
	LANGUAGE sql
AS $$
	INSERT INTO visit
	SELECT n, abs(hashint4(n)) % keys - keys / 2, t.at,
		t.at + (1 + abs(hashint4(n * 7)) % 90) * CASE n % 40
			WHEN 0 THEN interval '1 day'
			WHEN 1 THEN interval '1 hour'
			ELSE interval '1 minute'
		END
	FROM generate_series(first, last) AS n,
		LATERAL (SELECT timestamptz '2026-01-01 00:00+00'
			+ abs(hashint4(n * 3)) % 500000 * interval '1 minute') AS t (at)
$$;

CREATE TABLE question AS
SELECT n AS no, appt_internal.occupancy(abs(hashint4(n * 11)) % 20 - 10, t.at,
	t.at + (1 + n % 1000) * interval '20 minutes') AS sought
FROM generate_series(1, 300) AS n,
	LATERAL (SELECT timestamptz '2026-01-01 00:00+00'
		+ abs(hashint4(n * 13)) % 500000 * interval '1 minute') AS t (at);

CREATE FUNCTION answers(by_index boolean) RETURNS TABLE (found bigint, digest text)
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('enable_seqscan', (NOT by_index)::text, true),
		set_config('enable_indexscan', by_index::text, true),
		set_config('enable_bitmapscan', 'off', true);
	RETURN QUERY EXECUTE
		'SELECT count(*), md5(string_agg(q.no || ''-'' || v.no, '' '' ORDER BY q.no, v.no)) '
		'FROM question AS q JOIN visit AS v '
		'ON appt_internal.occupancy(v.key, v.slot_start, v.slot_end) '
		'OPERATOR(appt_internal.&&) q.sought';
END
$$;

SELECT fill(1, 5000, 3), fill(5001, 20000, 300);
EXPLAIN (COSTS OFF) SELECT FROM visit
WHERE appt_internal.occupancy(key, slot_start, slot_end) OPERATOR(appt_internal.&&)
	appt_internal.occupancy(1, '2026-03-15 10:00+00', '2026-03-15 10:15+00');
SELECT pg_relation_size('visit_time') / 8192 > 100 AS many_pages;
SELECT i.found > 500 AS enough, i = s AS same FROM answers(true) AS i, answers(false) AS s;

-- After deletes, a vacuum and more rows; and made anew from what is there.
DELETE FROM visit WHERE no % 3 = 0;
VACUUM visit;
SELECT fill(20001, 25000, 50);
SELECT i.found > 500 AS enough, i = s AS same FROM answers(true) AS i, answers(false) AS s;
REINDEX INDEX visit_time;
SELECT i.found > 500 AS enough, i = s AS same FROM answers(true) AS i, answers(false) AS s;

-- All of one key and one start, as of a visit that is taken and given back all
-- day: a split has nothing to go by, and others come beside them after it.
INSERT INTO visit
SELECT n, 1000, '2026-01-01 00:00+00', '2026-01-01 00:01+00'
FROM generate_series(30001, 31000) AS n;
SET enable_seqscan = off;
SELECT count(*) FROM visit
WHERE appt_internal.occupancy(key, slot_start, slot_end) OPERATOR(appt_internal.&&)
	appt_internal.occupancy(1000, '2026-01-01 00:00+00', '2026-01-01 00:01+00');
CREATE TABLE one (key integer, slot_start timestamptz, slot_end timestamptz);
CREATE INDEX ON one USING spgist (appt_internal.occupancy(key, slot_start, slot_end));
INSERT INTO one
SELECT 7, '2026-01-01 10:00+00', '2026-01-01 10:15+00' FROM generate_series(1, 400);
INSERT INTO one VALUES
	(7, '2026-01-02 10:00+00', '2026-01-02 10:15+00'),
	(8, '2026-01-01 10:00+00', '2026-01-01 10:15+00');
SELECT q.key, q.day, (
		SELECT count(*) FROM one AS o
		WHERE appt_internal.occupancy(o.key, o.slot_start, o.slot_end)
			OPERATOR(appt_internal.&&)
			appt_internal.occupancy(q.key, q.day, q.day + interval '1 day'))
FROM (VALUES (7, timestamptz '2026-01-01 00:00+00'), (7, '2026-01-02 00:00+00'),
	(8, '2026-01-01 00:00+00')) AS q (key, day);

-- The extremes of a key, and of time.
INSERT INTO visit VALUES
	(40001, 2147483647, '2026-01-01 00:00+00', '2026-01-01 00:01+00'),
	(40002, -2147483648, '2026-01-01 00:00+00', '2026-01-01 00:01+00');
SELECT no FROM visit
WHERE appt_internal.occupancy(key, slot_start, slot_end) OPERATOR(appt_internal.&&)
	appt_internal.occupancy(2147483647, '2026-01-01 00:00+00', '2026-01-01 00:01+00');
INSERT INTO visit VALUES
	(40003, 5, '4713-01-01 00:00+00 BC', '4713-01-01 00:01+00 BC'),
	(40004, 5, '4713-01-01 00:01+00 BC', '4000-01-01 00:00+00 BC'),
	(40005, 5, '294276-12-31 23:58+00', '294276-12-31 23:59+00'),
	(40006, 5, '9000-01-01 00:00+00', '294276-12-31 23:58+00'),
	(40007, 6, '4713-01-01 00:00+00 BC', '294276-12-31 23:59+00');
SELECT q.what, string_agg(v.no::text, ' ' ORDER BY v.no) AS found
FROM (VALUES
	(1, 'the first minute', 5,
		timestamptz '4713-01-01 00:00+00 BC', timestamptz '4713-01-01 00:01+00 BC'),
	(2, 'the next one', 5, '4713-01-01 00:01+00 BC', '4713-01-01 00:02+00 BC'),
	(3, 'after them', 5, '4000-01-01 00:00+00 BC', '3999-01-01 00:00+00 BC'),
	(4, 'far ahead', 5, '150000-01-01 00:00+00', '150000-01-01 00:01+00'),
	(5, 'the last minute', 5, '294276-12-31 23:58+00', '294276-12-31 23:59+00'),
	(6, 'ever', 5, '-infinity', 'infinity'),
	(7, 'now, of all time', 6, '2026-03-15 10:00+00', '2026-03-15 10:15+00')
	) AS q (no, what, key, slot_start, slot_end)
LEFT JOIN visit AS v ON v.no > 40000 AND
	appt_internal.occupancy(v.key, v.slot_start, v.slot_end) OPERATOR(appt_internal.&&)
	appt_internal.occupancy(q.key, q.slot_start, q.slot_end)
GROUP BY q.no, q.what ORDER BY q.no;

-- A count needs no column: to the planner the index alone can answer it.
VACUUM visit;
EXPLAIN (COSTS OFF) SELECT count(*) FROM visit;
SELECT count(*) AS all_of_them FROM visit;
RESET enable_seqscan;
SELECT count(*) AS all_of_them FROM visit;

DROP TABLE visit, question;
DROP FUNCTION fill(integer, integer, integer), answers(boolean);
