#!/usr/bin/perl
#
# What CREATE EXTENSION leaves behind, as a careful DBA reads it: privileges,
# search paths, comments, roles.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir slurp);

my $c = Appt::Cluster->new->create_extension;

# Passes if the query finds nothing; lists what it found.
sub none {
    my ($what, $sql) = @_;
    my @found = map { $_->{what} } @{ $c->query($sql) };
    ok(!@found, $what) or diag map {"    $_\n"} @found;
}

my $functions = <<'SQL';
SELECT p.oid, p.oid::regprocedure::text AS what, p.proacl, p.prosecdef,
	p.proconfig, p.prorettype, p.proowner, p.proisstrict
FROM pg_proc AS p
WHERE p.pronamespace::regnamespace::text IN ('appt', 'appt_api',
	'appt_relay', 'appt_report', 'appt_internal')
SQL

my $relations = <<'SQL';
SELECT c.oid, c.oid::regclass::text AS what, c.relkind, c.relacl
FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('appt', 'appt_api',
	'appt_relay', 'appt_report', 'appt_internal')
SQL

# appt_api.slots is given it by the library (sql/privileges.sql tries it).
none('every SECURITY DEFINER function has its own search_path', <<"SQL");
SELECT what FROM ($functions) AS f
WHERE prosecdef AND what NOT LIKE 'appt_api.slots(%' AND NOT EXISTS (
	SELECT FROM unnest(proconfig) AS setting
	WHERE setting = 'search_path=pg_catalog, pg_temp')
ORDER BY 1
SQL

none('every function has a comment', <<"SQL");
SELECT what FROM ($functions) AS f
WHERE obj_description(oid, 'pg_proc') IS NULL
ORDER BY 1
SQL

none('every table, view, sequence of its own and type has a comment', <<"SQL");
SELECT what FROM ($relations) AS r
WHERE relkind IN ('r', 'v', 'm', 'c', 'p')
	AND obj_description(oid, 'pg_class') IS NULL
	AND NOT (relkind = 'c' AND EXISTS (
		SELECT FROM pg_type AS t
		WHERE t.typrelid = r.oid AND obj_description(t.oid, 'pg_type')
			IS NOT NULL))
ORDER BY 1
SQL

# Every right on what is ours, column by column where it is for columns.
my %granted = map { $_->{what} => 1 } @{ $c->query(<<'SQL') };
WITH ours AS (
	SELECT n.oid AS schema, n.*
	FROM pg_namespace n
	WHERE n.nspname IN ('appt', 'appt_api', 'appt_relay', 'appt_report',
		'appt_internal'))
SELECT DISTINCT concat_ws(' ',
	coalesce(g.rolname, 'PUBLIC'), lower(r.privilege_type), r.object) AS what
FROM (
	SELECT n.nspname AS object, n.nspowner AS owner, a.*
	FROM ours n, aclexplode(n.nspacl) a
	UNION ALL
	SELECT n.nspname || '.' || p.proname, p.proowner, a.*
	FROM ours n
	JOIN pg_proc p ON p.pronamespace = n.oid,
		aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
	UNION ALL
	SELECT k.oid::regclass::text, k.relowner, a.*
	FROM ours n
	JOIN pg_class k ON k.relnamespace = n.oid,
		aclexplode(k.relacl) a
	UNION ALL
	SELECT k.oid::regclass || '.' || c.attname, k.relowner, a.*
	FROM ours n
	JOIN pg_class k ON k.relnamespace = n.oid
	JOIN pg_attribute c ON c.attrelid = k.oid,
		aclexplode(c.attacl) a) r
LEFT JOIN pg_roles g ON g.oid = r.grantee
WHERE r.grantee <> r.owner
SQL
cmp_ok(scalar keys %granted, '>', 200, 'there are many rights');

# The same from the table in the page: role, what it may, on what.
my %documented = map { rights($_) }
    slurp(root_dir() . '/docs/sql.md') =~ /^(\| `appt_\w+`.* \| [a-z, ]+ \| (?:of |schema |everything in )?`.*)/mg;

sub rights {
    my ($row) = @_;
    my (undef, $roles, $may, $on) = split / ?\| ?/, $row;
    my %privilege = (use => 'usage', call => 'execute');
    my @on = $on =~ /`([\w.]+)`/g;
    if ($on =~ /^of /) {
        my $table = shift @on;
        $_ = "$table.$_" for @on;
    }
    elsif ($on =~ /^everything in /) {
        @on = map { $_->{what} } @{ $c->query('SELECT DISTINCT '
            . q{pronamespace::regnamespace || '.' || proname AS what }
            . 'FROM pg_proc WHERE pronamespace = $1::regnamespace', $on[0]) };
    }
    my @right;
    for my $role ($roles =~ /`(\w+)`/g) {
        for my $privilege (split /, /, $may) {
            push @right, map {
                join(' ', $role, $privilege{$privilege} // $privilege, $_) => 1
            } @on;
        }
    }
    return @right;
}

is_deeply([ grep { !$documented{$_} } sort keys %granted ], [],
    'nobody has a right that docs/sql.md does not name');
is_deeply([ grep { !$granted{$_} } sort keys %documented ], [],
    'everybody has those that it names');
is_deeply([ grep {/^PUBLIC/} keys %granted ], [], 'PUBLIC has none');

# A program that is broken into must not be able to do more than its calls.
for my $role (qw(appt_gateway appt_relay)) {
    none("$role can write to no table", <<"SQL");
SELECT what FROM ($relations) AS r
WHERE relkind IN ('r', 'v', 'm', 'p')
	AND has_table_privilege('$role', oid,
		'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY 1
SQL
}
none('nobody but the owner reads secrets, keys and kept answers', <<"SQL");
SELECT role || ' reads ' || what AS what
FROM ($relations) AS r
CROSS JOIN unnest(ARRAY['appt_admin', 'appt_gateway', 'appt_relay',
	'appt_reporting', 'appt_reporting_contact']) AS role
WHERE what IN ('appt.webhook_secret', 'appt.signing_key', 'appt.idempotency')
	AND has_table_privilege(role, oid, 'SELECT')
UNION ALL
SELECT format('%s reads %s.%s', grantee, table_name, column_name)
FROM information_schema.column_privileges
WHERE table_schema = 'appt'
	AND privilege_type = 'SELECT'
	AND grantee ~ '^appt_' AND grantee <> 'appt_owner'
	AND (column_name ~ '(secret|private|hash)'
		OR table_name IN ('webhook_secret', 'idempotency'))
ORDER BY 1
SQL

none('appt_admin cannot write appointments past the functions', <<"SQL");
SELECT what FROM ($relations) AS r
WHERE what IN ('appt.appointment', 'appt.doctor_day', 'appt.event',
		'appt.delivery', 'appt.idempotency')
	AND has_table_privilege('appt_admin', oid,
		'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY 1
SQL

none('nobody can log in as one of the roles, and only one owns anything', <<'SQL');
SELECT rolname AS what FROM pg_roles
WHERE rolname ~ '^appt_'
	AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb
		OR rolreplication OR rolbypassrls
		OR rolname <> 'appt_owner' AND EXISTS (
			SELECT FROM pg_shdepend
			WHERE refobjid = pg_roles.oid AND deptype = 'o'))
SQL

# ---- whose it is -----------------------------------------------------------

# Row types and arrays, which 17 counts among an extension's objects, have the
# owner of their table or element.
is($c->psql(<<'SQL'), 'appt_internal.drop_guard()', 'all belongs to appt_owner but this');
SELECT o.identity
FROM pg_extension e
JOIN pg_depend d ON d.refobjid = e.oid
	AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
WHERE e.extname = 'bioecko_appt'
	AND o.type NOT IN ('schema', 'event trigger')
	AND NOT EXISTS (
		SELECT FROM pg_type t
		WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid
			AND (t.typrelid <> 0 OR t.typcategory = 'A'))
	AND NOT EXISTS (
		SELECT FROM pg_shdepend s
		WHERE (s.classid, s.objid) = (d.classid, d.objid)
			AND s.dbid = (
				SELECT oid FROM pg_database WHERE datname = current_database())
			AND s.deptype = 'o' AND s.refobjid = 'appt_owner'::regrole)
SQL
is($c->psql(<<'SQL'), 'pg_read_all_stats', 'appt_owner is in one role, and nobody in it');
SELECT coalesce(nullif(roleid, 'appt_owner'::regrole)::regrole,
	member::regrole)
FROM pg_auth_members
WHERE 'appt_owner'::regrole IN (roleid, member)
SQL

# What a statement smuggled into one of the functions could do.
for my $sql ('CREATE TABLE appt.mine (a int)', 'CREATE SCHEMA mine',
    'CREATE OR REPLACE FUNCTION appt_internal.next_version() RETURNS trigger '
        . 'LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$',
    'CREATE OR REPLACE FUNCTION appt_internal.drop_guard() RETURNS event_trigger '
        . 'LANGUAGE plpgsql AS $$BEGIN END$$',
    'ALTER FUNCTION appt_internal.drop_guard() RESET search_path',
    'CREATE ROLE mine', q{COPY appt.branch TO PROGRAM 'cat'},
    q{SELECT pg_read_file('PG_VERSION')}, 'TABLE pg_authid',
    'ALTER EXTENSION bioecko_appt UPDATE', 'DROP EXTENSION bioecko_appt') {
    my ($code, undef, $err) = $c->try_psql("SET ROLE appt_owner; $sql");
    like($err, qr/permission denied|must be (?:owner|superuser)/,
        "appt_owner cannot: $sql");
}

none('every constraint has a name of its own', <<'SQL');
SELECT conrelid::regclass || ': ' || conname AS what
FROM pg_constraint
WHERE connamespace::regnamespace::text IN ('appt', 'appt_internal')
	AND conname ~ '(_check\d*|_excl\d*|_key\d+|_fkey\d+)$'
SQL

none('every index of the tables is valid', <<'SQL');
SELECT indexrelid::regclass::text AS what FROM pg_index
WHERE NOT indisvalid
SQL

is($c->psql('SELECT extrelocatable FROM pg_extension '
        . q{WHERE extname = 'bioecko_appt'}), 'f', 'it is not relocatable');

subtest 'an ordinary user can neither create it nor look in' => sub {
    $c->psql('CREATE ROLE visitor LOGIN');
    $c->psql('CREATE DATABASE elsewhere');
    my ($code, undef, $err) = $c->try_psql(
        'CREATE EXTENSION bioecko_appt CASCADE',
        user => 'visitor', dbname => 'elsewhere');
    isnt($code, 0, 'CREATE EXTENSION is refused');
    like($err, qr/permission denied/, 'for want of permission');
    for my $sql ('SELECT * FROM appt.patient',
        q{SELECT appt.available_slots('a', 'today')},
        q{SELECT appt_api.get_appointment('a')}) {
        ($code) = $c->try_psql($sql, user => 'visitor');
        isnt($code, 0, $sql);
    }
};

# A setting of a module that is not loaded yet can be set by anyone; loading
# the module must not believe it.
subtest 'only a superuser stops the clock' => sub {
    $c->create_logins;
    my %load = (
        bioecko_admin   => 'SELECT appt.clock() > $$2026-06-01$$',
        bioecko_gateway => 'SELECT body = $$[]$$ FROM appt_api.queue('
            . '$$DOC-1$$, $$2026-01-01$$)',
    );
    $c->psql(q{INSERT INTO appt.doctor VALUES ('DOC-1', DEFAULT, 'Dr Rao')});
    for my $user (sort keys %load) {
        my $out = $c->psql("SET bioecko_appt.clock = '2026-01-01 00:00+00';
            $load{$user}; SELECT current_setting('bioecko_appt.clock')",
            user => $user);
        is($out, "t\n", "$user: set before the module is there");
        my ($code, undef, $err) = $c->try_psql(
            "$load{$user}; SET bioecko_appt.clock = '2026-01-01'",
            user => $user);
        like($err, qr/permission denied to set parameter/,
            "$user: set afterwards");
    }
};

# PostgreSQL takes such a row as it is given only where its columns are the
# table's, all and in order; elsewhere it sets up an expression for each.
subtest 'rows are given as their tables have them (extension/given.c)' => sub {
    for my $table (qw(appointment event notification)) {
        my ($list) = slurp(root_dir() . "/extension/$table.c") =~
            /RowColumn columns\[COL_COUNT\] = \{(.*?)^\};/ms;
        is_deeply([$list =~ /^\s*\[\w+\] = \{"(\w+)", (\w+)OID,/mg],
            [map { ($_->{attname}, uc $_->{typname}) } @{ $c->query(<<'SQL', $table) }],
SELECT a.attname, t.typname
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = ('appt.' || $1)::regclass AND a.attnum > 0
ORDER BY a.attnum
SQL
            "appt.$table");
    }
};

subtest 'it cannot be planted on' => sub {
    $c->psql('CREATE DATABASE planted');
    $c->psql('GRANT CREATE ON DATABASE planted TO visitor');
    $c->psql('CREATE SCHEMA appt; CREATE FUNCTION appt.clock() '
            . 'RETURNS timestamptz LANGUAGE sql RETURN now();',
        user => 'visitor', dbname => 'planted');
    my ($code, undef, $err) = $c->try_psql(
        'CREATE EXTENSION bioecko_appt CASCADE', dbname => 'planted');
    isnt($code, 0, 'CREATE EXTENSION does not take over what was there');
};

subtest 'it can be dropped while it is empty, and comes back' => sub {
    $c->psql('SET client_min_messages = warning; '
            . 'DROP EXTENSION bioecko_appt; '
            . 'CREATE EXTENSION bioecko_appt');
    pass('dropped and created');
};

done_testing;
