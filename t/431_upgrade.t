#!/usr/bin/perl
#
# A catalog that was upgraded equals a fresh one: for every older version that
# can be installed, CREATE EXTENSION … VERSION and ALTER EXTENSION … UPDATE
# must end where CREATE EXTENSION does. While there is one version only, the
# comparison itself is tried: each thing that an upgrade script could forget
# makes a difference.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;

my $c = Appt::Cluster->new->create_extension;
my $default = $c->value(q{SELECT default_version
    FROM pg_available_extensions WHERE name = 'bioecko_appt'});
my %fresh = catalog($c->database);
cmp_ok(scalar keys %fresh, '>', 300, 'a fresh catalog has many entries');
is_deeply([ differences(\%fresh, { catalog(fresh_database()) }) ], [],
    'two fresh ones are equal');

# ---- every upgrade there is --------------------------------------------------

my @older = map { $_->{source} } @{ $c->query(<<'SQL') };
SELECT p.source
FROM pg_extension_update_paths('bioecko_appt') p
JOIN pg_available_extension_versions v
	ON (v.name, v.version) = ('bioecko_appt', p.source)
JOIN pg_available_extensions e
	ON (e.name, e.default_version) = (v.name, p.target)
WHERE p.path IS NOT NULL
ORDER BY 1
SQL
note @older ? "versions that lead to $default: @older"
    : "$default is the only version so far";
for my $version (@older) {
    my $database = fresh_database("VERSION '$version'");
    $c->psql('ALTER EXTENSION bioecko_appt UPDATE', dbname => $database);
    is_deeply([ differences(\%fresh, { catalog($database) }) ], [],
        "$version, upgraded to $default, equals a fresh $default");
}

# ---- the comparison can fail -------------------------------------------------

# What an upgrade script might have left behind, or left out.
my %drift = (
    'a function that is not in the fresh one' => 'CREATE FUNCTION appt.extra() '
        . 'RETURNS int LANGUAGE sql RETURN 1; ALTER EXTENSION bioecko_appt ADD '
        . 'FUNCTION appt.extra()',
    'a function that is gone' => 'ALTER EXTENSION bioecko_appt DROP FUNCTION '
        . 'appt.walk_in(text, text, text, text, text); DROP FUNCTION '
        . 'appt.walk_in(text, text, text, text, text)',
    'another body' => 'CREATE OR REPLACE FUNCTION appt_internal.client_sees(client '
        . 'text, branch_id text) RETURNS boolean LANGUAGE sql STABLE PARALLEL '
        . 'SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS '
        . '$$SELECT true$$',
    'no search_path' => 'ALTER FUNCTION appt.book RESET search_path',
    'another volatility' => 'ALTER FUNCTION appt.clock IMMUTABLE',
    'a function that anybody may call' =>
        'GRANT EXECUTE ON FUNCTION appt.clock TO PUBLIC',
    'a function that nobody may call' =>
        'REVOKE EXECUTE ON FUNCTION appt.clock FROM appt_admin',
    'another comment' => q{COMMENT ON FUNCTION appt.clock() IS 'Now'},
    'no comment on a column' => 'COMMENT ON COLUMN appt.branch.time_zone IS NULL',
    'another column' => 'ALTER TABLE appt.branch ADD colour text',
    'another type' => 'ALTER TABLE appt.doctor_day ALTER last_token TYPE bigint',
    'another default' => 'ALTER TABLE appt.branch ALTER slot_min SET DEFAULT 20',
    'a column that may be NULL' => 'ALTER TABLE appt.appointment ALTER slot_end '
        . 'DROP NOT NULL',
    'a constraint that is gone' => 'ALTER TABLE appt.appointment DROP '
        . 'CONSTRAINT appointment_no_overlap',
    'a constraint of another name' => 'ALTER TABLE appt.branch RENAME '
        . 'CONSTRAINT branch_id_format TO branch_check',
    'an index that is gone' => 'DROP INDEX appt.appointment_slot',
    'another index' => 'CREATE INDEX extra ON appt.appointment (branch_id)',
    'a trigger that is gone' => 'DROP TRIGGER schedule_changed ON appt.branch',
    'a trigger that sleeps' => 'ALTER TABLE appt.branch DISABLE TRIGGER '
        . 'schedule_changed',
    'another domain constraint' => 'ALTER DOMAIN appt.minutes DROP CONSTRAINT '
        . 'minutes_range',
    'a table that anybody may read' => 'GRANT SELECT ON appt.patient TO PUBLIC',
    'a storage parameter' => 'ALTER TABLE appt.doctor_day RESET (fillfactor)',
    'a definition of a setting' => q{UPDATE appt.setting_definition
        SET default_value = '6' WHERE name = 'hold_min'},
    'a table that no dump contains' => q{UPDATE pg_extension
        SET extconfig = extconfig[2:], extcondition = extcondition[2:]
        WHERE extname = 'bioecko_appt'},
    'an event trigger that is off' =>
        'ALTER EVENT TRIGGER appt_drop_guard DISABLE',
    'a function of another owner' =>
        'ALTER FUNCTION appt.clock() OWNER TO CURRENT_USER',
    'a table of another owner' =>
        'ALTER TABLE appt.doctor_day OWNER TO CURRENT_USER',
    'a type of another owner' =>
        'ALTER DOMAIN appt.minutes OWNER TO CURRENT_USER',
    'another schema privilege' => 'GRANT USAGE ON SCHEMA appt TO PUBLIC',
);
for my $what (sort keys %drift) {
    my %changed = catalog($c->database, $drift{$what});
    my @found = differences(\%fresh, \%changed);
    ok(@found, "found: $what") and note $found[0];
}
is_deeply([ differences(\%fresh, { catalog($c->database) }) ], [],
    'and all of that was taken back');

done_testing;

# Name => definition of all that belongs to the extension, as it is after
# another statement, which is taken back.
sub catalog {
    my ($database, $statement) = @_;
    my $rows = $c->psql(
        'BEGIN; SET LOCAL client_min_messages = error; SET LOCAL '
            . "allow_system_table_mods = on;\n" . ($statement // '')
            . ";\nSET LOCAL search_path = pg_catalog;\n" . catalog_sql()
            . ';ROLLBACK', dbname => $database,
        options => ['--field-separator' => "\t"]);
    my %catalog;
    for (split /\n/, $rows) {
        my ($name, $definition) = split /\t/, $_, 2;
        $catalog{$name} = $definition;
    }
    return %catalog;
}

sub differences {
    my ($fresh, $other) = @_;
    my %all = (%$fresh, %$other);
    return map {
        !exists $other->{$_} ? "missing: $_"
            : !exists $fresh->{$_} ? "left over: $_"
            : "differs: $_: $other->{$_} is not $fresh->{$_}"
    } grep { ($fresh->{$_} // "\0") ne ($other->{$_} // "\0") } sort keys %all;
}

my $databases;

sub fresh_database {
    my ($version) = @_;
    my $name = 'f' . ++$databases;
    $c->psql("CREATE DATABASE $name", dbname => 'postgres');
    $c->psql('SET client_min_messages = error; CREATE EXTENSION bioecko_appt '
            . ($version // '') . ' CASCADE', dbname => $name);
    return $name;
}

# Privileges in order, comments, and definitions with their line ends folded.
sub catalog_sql {
    return <<'SQL';
WITH member AS (
	SELECT d.classid, d.objid
	FROM pg_depend d
	JOIN pg_extension e ON e.oid = d.refobjid
		AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'bioecko_appt' AND d.deptype = 'e'),
relation AS (
	SELECT c.*
	FROM pg_class c
	JOIN member m ON (m.classid, m.objid) = ('pg_class'::regclass, c.oid)),
object AS (
	SELECT format('function %s', p.oid::regprocedure) AS name,
		concat_ws(' ', pg_get_functiondef(p.oid), p.proowner::regrole,
			p.proacl_sorted) AS what
	FROM (
		SELECT p.*, ARRAY(SELECT unnest(p.proacl)::text ORDER BY 1)::text
			AS proacl_sorted
		FROM pg_proc p
		JOIN member m ON (m.classid, m.objid)
			= ('pg_proc'::regclass, p.oid)) p
	UNION ALL
	SELECT format('%s %s', CASE relkind WHEN 'r' THEN 'table'
			WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE relkind::text
			END, oid::regclass),
		concat_ws(' ', relowner::regrole, relpersistence, reloptions::text,
			ARRAY(SELECT unnest(relacl)::text ORDER BY 1),
			CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END,
			(SELECT format('%s %s %s %s %s', seqtypid::regtype, seqstart,
				seqincrement, seqmax, seqcycle)
			 FROM pg_sequence WHERE seqrelid = oid))
	FROM relation
	UNION ALL
	SELECT format('column %s.%s', r.oid::regclass, a.attname),
		concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod),
			a.attnotnull, a.attidentity, a.attgenerated, a.attacl::text,
			pg_get_expr(d.adbin, d.adrelid))
	FROM relation r
	JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
		AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (r.oid, a.attnum)
	WHERE r.relkind <> 'S'
	UNION ALL
	SELECT format('constraint %s on %s', k.conname,
			coalesce(nullif(k.conrelid, 0)::regclass::text,
				k.contypid::regtype::text)),
		concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
	FROM pg_constraint k
	WHERE k.conrelid IN (SELECT oid FROM relation)
		OR k.contypid IN (SELECT objid FROM member
			WHERE classid = 'pg_type'::regclass)
	UNION ALL
	SELECT format('index %s', i.indexrelid::regclass),
		concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
	FROM pg_index i
	WHERE i.indrelid IN (SELECT oid FROM relation)
	UNION ALL
	SELECT format('trigger %s on %s', t.tgname, t.tgrelid::regclass),
		concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
	FROM pg_trigger t
	WHERE t.tgrelid IN (SELECT oid FROM relation) AND NOT t.tgisinternal
	UNION ALL
	SELECT format('type %s', t.oid::regtype),
		concat_ws(' ', t.typowner::regrole, t.typtype,
			format_type(t.typbasetype, t.typtypmod),
			t.typnotnull, t.typdefault,
			ARRAY(SELECT unnest(t.typacl)::text ORDER BY 1))
	FROM pg_type t
	JOIN member m ON (m.classid, m.objid) = ('pg_type'::regclass, t.oid)
	UNION ALL
	SELECT format('event trigger %s', t.evtname),
		concat_ws(' ', t.evtevent, t.evtenabled, t.evttags::text,
			t.evtfoid::regprocedure)
	FROM pg_event_trigger t
	JOIN member m ON (m.classid, m.objid)
		= ('pg_event_trigger'::regclass, t.oid)
	UNION ALL
	SELECT format('schema %s', n.nspname),
		ARRAY(SELECT unnest(n.nspacl)::text ORDER BY 1)::text
	FROM pg_namespace n
	WHERE n.nspname ~ '^appt(_|$)'
	UNION ALL
	SELECT format('dumped: %s', x.relation::regclass), x.condition
	FROM pg_extension e
	CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition)
		x (relation, condition)
	WHERE e.extname = 'bioecko_appt'
	UNION ALL
	SELECT format('setting %s', d.name), to_jsonb(d)::text
	FROM appt.setting_definition d
	UNION ALL
	SELECT format('comment on %s', pg_describe_object(d.classoid, d.objoid,
			d.objsubid)), d.description
	FROM pg_description d
	WHERE (d.classoid, d.objoid) IN (SELECT classid, objid FROM member)
		OR d.objoid IN (SELECT k.oid FROM pg_constraint k
			WHERE k.conrelid IN (SELECT oid FROM relation)))
SELECT name, regexp_replace(what, '\s+', ' ', 'g')
FROM object
ORDER BY name
SQL
}
