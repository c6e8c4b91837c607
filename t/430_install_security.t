#!/usr/bin/perl
#
# What a hostile user prepared before CREATE EXTENSION is not taken over, and
# DROP does not take the clinic's data along by mistake.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;

my $c = Appt::Cluster->new->create_extension;
$c->psql('CREATE ROLE mallory LOGIN');
my $databases = 0;

# ---- planted objects -------------------------------------------------------

# One statement that makes each kind of object of the extension by its name.
my $plants = <<'SQL';
SELECT kind, statement
FROM (
	SELECT kind, statement, row_number() OVER (PARTITION BY kind
		ORDER BY md5(statement)) AS n
	FROM (
		SELECT 'table' AS kind,
			format('CREATE TABLE appt.%I (a int)', relname) AS statement
		FROM pg_class
		WHERE relnamespace = 'appt'::regnamespace AND relkind = 'r'
		UNION ALL
		SELECT 'view where a table is to be',
			format('CREATE VIEW appt.%I AS SELECT 1', relname)
		FROM pg_class
		WHERE relnamespace = 'appt'::regnamespace AND relkind = 'r'
		UNION ALL
		SELECT 'sequence', format('CREATE SEQUENCE appt.%I', relname)
		FROM pg_class
		WHERE relnamespace = 'appt'::regnamespace AND relkind = 'S'
			AND relname ~ '^(appointment_no|patient_id)_seq$'
		UNION ALL
		SELECT 'function', format(
			'CREATE FUNCTION appt.%I(%s) RETURNS %s LANGUAGE sql AS $$SELECT '
			'NULL::%3$s$$', proname, pg_get_function_identity_arguments(oid),
			prorettype::regtype)
		FROM pg_proc
		WHERE pronamespace = 'appt'::regnamespace
			AND prorettype::regtype::text IN ('text', 'boolean', 'bigint')
			AND NOT proretset
			AND pg_get_function_identity_arguments(oid) !~ 'appt|OUT'
		UNION ALL
		SELECT 'type', format('CREATE TYPE appt.%I AS (a int)', typname)
		FROM pg_type
		WHERE typnamespace = 'appt'::regnamespace AND typtype = 'd') o) o
WHERE n <= 3
ORDER BY kind, n
SQL

for my $plant (@{ $c->query($plants) }) {
    refused("a $plant->{kind}: $plant->{statement}",
        "CREATE SCHEMA appt; $plant->{statement}");
}
refused('a schema appt with a function that overloads one of ours',
    'CREATE SCHEMA appt; CREATE FUNCTION appt.release(varchar) RETURNS text '
        . 'LANGUAGE sql AS $$SELECT $1$$');
refused('an empty schema appt of another owner', 'CREATE SCHEMA appt');
refused("a schema $_", "CREATE SCHEMA $_")
    for qw(appt_api appt_relay appt_report appt_internal);

subtest 'a schema appt of a superuser\'s own, as a restore makes it' => sub {
    my $database = database();
    $c->psql('CREATE SCHEMA appt; SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE', dbname => $database);
    is($c->psql(q{SELECT extname FROM pg_extension WHERE extname ~ 'appt'},
        dbname => $database), 'bioecko_appt', 'is taken');
};

# ---- a planted owner ---------------------------------------------------------

my %owners = (
    'that can log in' => ['ALTER ROLE appt_owner LOGIN',
        'ALTER ROLE appt_owner NOLOGIN', qr/It can log in\./],
    'that is a superuser' => ['ALTER ROLE appt_owner SUPERUSER',
        'ALTER ROLE appt_owner NOSUPERUSER', qr/It has attributes/],
    'that is somebody\'s' => ['GRANT appt_owner TO mallory',
        'REVOKE appt_owner FROM mallory', qr/It has members: mallory\./],
    'that is somebody' => ['GRANT pg_write_server_files TO appt_owner',
        'REVOKE pg_write_server_files FROM appt_owner',
        qr/It is in roles: pg_write_server_files\./],
);
for my $which (sort keys %owners) {
    my ($plant, $undo, $says) = @{ $owners{$which} };
    my $database = database();
    $c->psql($plant);
    my ($code, undef, $err) = $c->try_psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE', dbname => $database);
    $c->psql($undo);
    isnt($code, 0, "a role appt_owner $which");
    like($err, $says, 'and what is wrong with it is said');
}

# ---- who is in the roles already --------------------------------------------

$c->psql('CREATE ROLE front LOGIN IN ROLE appt_admin');
(undef, undef, my $said) = $c->try_psql('CREATE EXTENSION bioecko_appt CASCADE',
    dbname => database());
like($said, qr/role "appt_admin" is there already\nDETAIL:.* too: front\./,
    'a second clinic of the cluster says who has rights in it already');
unlike($said, qr/role "appt_gateway"/, 'and nothing of roles without members');
$c->psql('DROP ROLE front');

# ---- DROP ------------------------------------------------------------------

my @drops = (
    'DROP EXTENSION bioecko_appt',
    'DROP EXTENSION bioecko_appt CASCADE',
    'DROP EXTENSION IF EXISTS bioecko_appt CASCADE',
    'DROP EXTENSION btree_gist CASCADE',
    'DROP EXTENSION plpgsql CASCADE',
    'DROP SCHEMA appt CASCADE',
    'DROP SCHEMA appt_api CASCADE',
    'DROP SCHEMA public CASCADE',
    'DROP OWNED BY CURRENT_USER CASCADE',
    'DROP OWNED BY appt_owner',
    'DROP OWNED BY appt_owner CASCADE',
    'DROP ROLE appt_owner',
    'DROP TABLE appt.appointment CASCADE',
    'DROP FUNCTION appt_internal.is_time_zone(text) CASCADE',
    'DROP DOMAIN appt.minutes CASCADE',
    'DROP EVENT TRIGGER appt_drop_guard',
);
my $own = database();
$c->psql('SET client_min_messages = error; '
        . 'CREATE EXTENSION bioecko_appt CASCADE', dbname => $own);
$c->psql(q{INSERT INTO appt.patient (first_name) VALUES ('Somebody')},
    dbname => $own);
for my $drop (@drops) {
    my ($code) = $c->try_psql(
        "SET client_min_messages = error; $drop", dbname => $own);
    isnt($code, 0, "$drop: refused while there is a patient");
    is(eval { $c->psql('SELECT count(*) FROM appt.patient', dbname => $own) },
        '1', 'who is still there') or last;
}
$c->psql('CREATE ROLE manager LOGIN IN ROLE appt_admin');
my ($code) = $c->try_psql('SELECT appt.clock(); '
        . 'SET bioecko_appt.allow_drop = on', user => 'manager', dbname => $own);
isnt($code, 0, 'the clinic\'s administrators cannot allow it');
$c->psql('LOAD \'bioecko_appt\'; SET bioecko_appt.allow_drop = on; '
        . 'SET client_min_messages = error; DROP EXTENSION bioecko_appt',
    dbname => $own);
is($c->psql(q{SELECT count(*) FROM pg_extension WHERE extname = 'bioecko_appt'},
    dbname => $own), '0', 'with bioecko_appt.allow_drop it goes');

my $other = database();
$c->psql('SET client_min_messages = error; '
        . 'CREATE EXTENSION bioecko_appt CASCADE; CREATE TABLE public.mine (a int); CREATE SCHEMA mine; '
        . 'CREATE EXTENSION citext; DROP EXTENSION citext; DROP SCHEMA mine; '
        . 'DROP TABLE public.mine; DROP EXTENSION bioecko_appt',
    dbname => $other);
pass('what is not ours can be dropped, and an empty extension too');

done_testing;

# A new database that mallory may create schemas in.
sub database {
    my ($how) = @_;
    my $name = 'd' . ++$databases;
    $c->psql("CREATE DATABASE $name " . ($how // ''), dbname => 'postgres');
    $c->psql("GRANT CREATE ON DATABASE $name TO mallory",
        dbname => 'postgres');
    return $name;
}

# Whether CREATE EXTENSION refuses to install over what mallory made before.
sub refused {
    my ($what, $plant) = @_;
    my $database = database();
    $c->psql($plant, user => 'mallory', dbname => $database);
    my ($code, undef, $err) = $c->try_psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE', dbname => $database);
    isnt($code, 0, $what);
    unlike($err, qr/internal error|syntax/, 'with an ordinary message');
    $c->psql("DROP DATABASE $database", dbname => 'postgres');
}
