#!/usr/bin/perl
#
# Every function of the schemas appt and appt_api, called at random with
# extremes, as each role that may call it and as those that may not: the server
# lives on, no error is an internal one, who may not is told just that, and no
# error shows what its reader may not see.
#
#   FUZZ_S=600 FUZZ_SEED=42 make test T=t/191_fuzz_sql.t
#
# for longer, or for the same calls again; against a server with assertions
# (PG_CONFIG) it finds more.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Time::HiRes qw(time);

my $seconds = $ENV{FUZZ_S} || 20;
my $seed    = srand($ENV{FUZZ_SEED} || int(rand(1 << 31)));
diag "seed $seed, $seconds s (FUZZ_SEED, FUZZ_S)";

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T09:10:00+05:30', gateway => 0);
my $cluster = $clinic->cluster;
my $canary  = 'Zyxwvut';
fill($cluster);

# The functions, with the types of their arguments; who may call each.
my @roles = qw(appt_admin appt_gateway appt_relay appt_reporting
    appt_reporting_contact appt_owner);
my @functions = @{ $cluster->query(<<'SQL') };
SELECT p.oid, p.oid::regprocedure::text AS name,
	p.pronamespace::regnamespace || '.' || p.proname AS called,
	p.proisstrict AS strict, p.prorettype::regtype::text AS result,
	p.proargnames[1 : p.pronargs] AS names,
	ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY
		AS a (t, n) ORDER BY n) AS types
FROM pg_proc p
WHERE p.pronamespace::regnamespace::text IN ('appt', 'appt_api',
		'appt_relay', 'appt_internal')
	AND NOT 'internal'::regtype = ANY (p.proargtypes)
ORDER BY 2
SQL
for my $function (@functions) {
    $function->{may}{$_} = $cluster->value(
        'SELECT has_function_privilege($1, $2::oid, $3)
            AND has_schema_privilege($1, $4, $5)', $_, $function->{oid},
        'EXECUTE', $function->{called} =~ s/\..*//r, 'USAGE') for @roles;
}
my %column = map { $_->{type} => $_->{names} } @{ $cluster->query(<<'SQL') };
SELECT c.oid::regclass::text AS type, array_agg(a.attname::text) AS names
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	AND NOT a.attisdropped
WHERE c.relnamespace::regnamespace::text IN ('appt', 'appt_api',
		'appt_relay', 'appt_internal')
	AND c.relkind IN ('r', 'c', 'v')
GROUP BY 1
SQL
my %is_table = map { $_->{type} => 1 } @{ $cluster->query(<<'SQL') };
SELECT oid::regclass::text AS type FROM pg_class
WHERE relnamespace::regnamespace::text IN ('appt', 'appt_internal')
	AND relkind IN ('r', 'v')
SQL
my %base = map { $_->{type} => $_->{base} } @{ $cluster->query(<<'SQL') };
SELECT oid::regtype::text AS type, typbasetype::regtype::text AS base
FROM pg_type WHERE typtype = 'd' AND typnamespace = 'appt'::regnamespace
SQL
# Ids by what they are of: for an argument whose name says it, and for others.
my %ids;
push @{ $ids{ $_->{kind} } }, "'$_->{id}'" for @{ $cluster->query(<<'SQL') };
(SELECT 'branch' AS kind, branch_id AS id FROM appt.branch)
UNION ALL (SELECT 'doctor', doctor_id FROM appt.doctor)
UNION ALL (SELECT 'patient', patient_id FROM appt.patient ORDER BY 1 LIMIT 3)
UNION ALL (SELECT 'appointment', appointment_id FROM appt.appointment
	WHERE slot_start >= '2026-03-16' AND status <> 'held' ORDER BY 2 LIMIT 8)
UNION ALL (SELECT 'hold', appointment_id FROM appt.appointment
	WHERE status = 'held')
UNION ALL (SELECT 'department', department_id FROM appt.department)
UNION ALL (SELECT 'visit_type', visit_type FROM appt.visit_type)
UNION ALL (SELECT 'webhook', webhook_id FROM appt.webhook)
UNION ALL (SELECT 'client', client_id FROM appt.api_client)
UNION ALL (SELECT 'manager', client_id FROM appt.api_client)
UNION ALL (SELECT 'delivery', 'dlv_' || delivery_no
	FROM appt.delivery ORDER BY 1 LIMIT 2)
UNION ALL (SELECT 'name', name FROM appt.setting_definition)
UNION ALL (SELECT 'resource', name FROM appt_internal.resource)
UNION ALL (SELECT 'kind', name FROM appt_internal.resource)
UNION ALL (SELECT 'time_zone', time_zone FROM appt.branch)
UNION ALL (SELECT 'parent', doctor_id FROM appt.doctor)
UNION ALL (SELECT 'word',
	unnest('{cancelled,booked,refuse,cancel,move,email,SB404}'::text[]))
SQL
my @ids = map {@$_} @ids{ sort keys %ids };

# ---- values by type ------------------------------------------------------------

my @soon = map {"'2026-03-$_+05:30'"} '16 10:00', '16 10:15', '16 11:30',
    '17 10:00', '17 16:45', '18 09:00', '20 12:00';
my $nesting = q{(repeat('[', 3000) || repeat(']', 3000))};
my %values = (
    'text' => [ q{''}, q{'x'}, q{'*'}, q{'%'}, q{E'a''b\\\\'}, q{E'\x01\n'},
        q{'2026-03-16'}, q{'-1'}, q{'2147483648'}, q{'{"a":[1]}'}, q{'{"notes":1}'},
        q{'[1'}, q{repeat('x', 1024)}, q{repeat('ü', 32768)}, q{repeat('9', 40)},
        $nesting, q{'Asia/Kolkata'}, q{'00000000'}, q{'dlv_999999999999999999'} ],
    'timestamp with time zone' => [ q{'infinity'}, q{'-infinity'},
        q{'4714-11-24 00:00+00 BC'}, q{'294276-12-31 23:59:59.999999+00'},
        q{'0001-01-01 00:00+00'}, q{'9999-12-31 23:59+00'},
        q{'2026-03-16 10:00+05:30'}, q{'2026-03-16 10:07+05:30'},
        q{'2026-03-17 10:00+05:30'}, q{'1970-01-01 00:00+00'}, q{'2026-03-29 01:30+00'} ],
    'date' => [ q{'infinity'}, q{'-infinity'}, q{'4714-11-24 BC'},
        q{'5874897-12-31'}, q{'2026-03-16'}, q{'2026-03-29'}, q{'9999-12-31'},
        q{'0001-01-01'} ],
    'time without time zone' => [ q{'00:00'}, q{'24:00'}, q{'10:00'},
        q{'23:59:59.999999'} ],
    'interval' => [ q{'0'}, q{'-1 day'}, q{'178000000 years'}, q{'60 s'},
        q{'-178000000 years'}, q{'1 month'} ],
    'integer' => [ qw(0 1 -1 2 15 480 2147483647 -2147483648) ],
    'smallint' => [ qw(0 1 -1 32767 -32768) ],
    'bigint' => [ qw(0 1 -1 9223372036854775807 -9223372036854775808) ],
    'double precision' => [ qw(0 -1 1e308), map {"'$_'"} qw(NaN Infinity) ],
    'boolean' => [ qw(true false) ],
    'bytea' => [ q{''}, q{'\x00'}, q{decode(repeat('00', 1024), 'hex')} ],
    'cstring' => [ q{''}, q{'x'} ],
    'jsonb' => [ map({"'$_'"} '{}', '[]', 'null', '1', '"x"', '{"name":null}',
        '{"name":"x","branch_id":"MUM-01"}', '{"active":[]}', '{"value":{}}',
        '{"starts_at":"infinity","ends_at":"x"}', '{"scopes":[null]}',
        '{"date_from":"0000-00-00","date_to":"99999-01-01"}', '{"a":1e999}',
        '{"start_time":"25:00","weekday":99999999999}', '{"branch_ids":"{"}'),
        $nesting ],
    'appt_internal.occupancy' => [ q{appt_internal.occupancy(1, '2026-01-01', '2026-01-02')} ],
    'tsquery' => [ q{'a'}, q{''} ],
    'tsvector' => [ q{'a'}, q{''} ],
    'daterange' => [ q{'empty'}, q{'(,)'} ],
);
$values{json} = $values{jsonb};

sub pick { return $_[ int rand @_ ] }

sub value {
    my ($type, $name) = @_;
    $type = $base{$type} if $base{$type};
    my ($kind) = ($name // '') =~ /^((?:visit_|time_)?[a-z]+)/;
    return pick(@{ $ids{$kind} }) if $type eq 'text' && $kind && $ids{$kind}
        && rand() < 0.75;
    return 'NULL' if rand() < 0.15;
    return pick(@soon) if $type eq 'timestamp with time zone' && rand() < 0.5;
    return pick(@ids) if $type eq 'text' && rand() < 0.3;
    return '(' . pick(@{ $values{$type} }) . ')' if $values{$type};
    return array($1) if $type =~ /^(.*)\[\]$/;
    return composite($type) if $column{$type};
    return 'NULL';
}

sub array {
    my ($type) = @_;
    my $kind = rand();
    return q{'{}'} if $kind < 0.15;
    return "array_fill(" . value($type) . "::$type, ARRAY[2, 2])" if $kind < 0.2;
    return "array_fill(" . value($type) . "::$type, ARRAY[300])" if $kind < 0.25;
    return 'ARRAY[' . join(', ', map { value($type) . "::$type" }
        1 .. 1 + int rand 3) . ']';
}

# A row: of nothing, of the table, or of it with one field without a value.
sub composite {
    my ($type) = @_;
    my $null = sprintf q{'{"%s":null}'}, pick(@{ $column{$type} });
    my $some = $is_table{$type} && rand() < 0.7
        ? "(SELECT t FROM $type t ORDER BY random() LIMIT 1)" : "NULL::$type";
    return $some if rand() < 0.4;
    return "jsonb_populate_record($some, " . (rand() < 0.5 ? $null : q{'{}'}) . ')';
}

# ---- sessions ------------------------------------------------------------------

my %session;

sub session {
    my ($role) = @_;
    return $session{$role} if $session{$role} && $session{$role}->ping;
    my $dbh = $cluster->connect;
    $dbh->do($_) for "SET statement_timeout = '2s'", "SET lock_timeout = '1s'",
        'SET client_min_messages = error', ($role eq 'nobody'
            ? 'SET SESSION AUTHORIZATION stranger'
            : $role eq 'appt_owner' ? 'SET ROLE appt_owner'
            : "SET SESSION AUTHORIZATION fuzz_$role");
    return $session{$role} = $dbh;
}

$cluster->psql('CREATE ROLE stranger LOGIN');
$cluster->psql("CREATE ROLE fuzz_$_ LOGIN IN ROLE $_") for grep {!/owner/} @roles;

my %may = map { my $role = $_; ($role => [ grep { $_->{may}{$role} } @functions ]) }
    @roles;
my (%state, %wrong);
my ($calls, $slots) = (0, undef);
my $end = time + $seconds;
my $per_transaction = 3;
while (time < $end && !%wrong) {
    my $role = pick(@roles, ('appt_owner', 'appt_gateway', 'appt_admin') x 3,
        'nobody');
    my $dbh  = eval { session($role) } or last;
    $dbh->begin_work;
    for (1 .. $per_transaction) {
        one_call($dbh, $role);
        last unless $dbh->ping;
    }
    eval { $dbh->rollback };
    check_slots() if $calls % 1500 < $per_transaction;
}
delete @session{ keys %session };

note "$calls calls: ", join ', ', map {"$_ $state{$_}"} sort keys %state;
cmp_ok($calls, '>', 20 * $seconds, "$calls calls");
is_deeply(\%wrong, {}, 'nothing is wrong with any of them')
    or diag "seed $seed";
is_deeply([ grep {/terminated by signal|TRAP:|PANIC/}
    split /\n/, $cluster->log_text ], [], 'no process of the server has crashed');
cmp_ok($state{ok} // 0, '>', $calls / 10, 'many calls succeed');
done_testing;

sub one_call {
    my ($dbh, $role) = @_;
    # Mostly what the role may, so that there is more to see than refusals.
    my $function = @{ $may{$role} // [] } && rand() < 0.85
        ? pick(@{ $may{$role} }) : pick(@functions);
    my @value = map { value($function->{types}[$_], $function->{names}[$_]) }
        0 .. $#{ $function->{types} };
    my $sql = "SELECT * FROM $function->{called}("
        . join(', ', map {"$value[$_]::$function->{types}[$_]"} 0 .. $#value) . ')';
    $sql =~ s/::cstring/::text::cstring/g;
    $sql = trigger_sql($function) if $function->{result} =~ /trigger/;
    $calls++;
    eval { $dbh->do('SAVEPOINT s') } or return lost($sql, $role);
    my $rows = eval { $sql =~ /^CREATE/ ? ($dbh->do($sql), [])
        : $dbh->selectall_arrayref($sql) };
    my $error = $@;
    my $state = defined $rows ? 'ok' : $dbh->state;
    my $told = join ' ', map { $dbh->pg_error_field($_) // '' }
        qw(message_primary message_detail message_hint context);
    $state{$state}++;
    return if defined $rows && judge_answer($function, $role, $sql, $rows, \@value);
    return lost($sql, $role) if $state =~ /^(?:08|57P|22000)/ && !$dbh->ping;
    complain('an internal error', $sql, $role, $error)
        if $state =~ /^XX/ || $error =~ /cache lookup failed|could not find/;
    complain('what it may not see', $sql, $role, $error)
        if $role ne 'appt_owner' && $role ne 'appt_admin' && $told =~ /$canary/;
    complain('denied, but by another error', $sql, $role, $error)
        if !may($function, $role) && !defined $rows && $state !~ /^(?:42501|22|54001|23)/;
    eval { $dbh->do('ROLLBACK TO s') };
    return;
}

# Called, or hung on a table of one's own that has what it looks for.
sub trigger_sql {
    my ($function) = @_;
    my $call = "SELECT $function->{called}()";
    return $call if $function->{result} eq 'event_trigger' || rand() < 0.3;
    return 'CREATE TEMP TABLE bait (doctor_id text, branch_id text, version int,'
        . ' patient_id text, name text, value text, starts_at timestamptz,'
        . ' ends_at timestamptz, created_at timestamptz);'
        . ' CREATE TRIGGER bait ' . pick(qw(BEFORE AFTER))
        . ' INSERT OR UPDATE OR DELETE ON bait FOR EACH ' . pick(qw(ROW STATEMENT))
        . " EXECUTE FUNCTION $function->{called}(" . pick('', "'version'") . ');'
        . ' INSERT INTO bait VALUES (' . join(', ', value('text'), value('text'),
            value('integer'), (map { value('text') } 1 .. 3),
            map { value('timestamp with time zone') } 1 .. 3) . ');'
        . ' UPDATE bait SET ends_at = NULL; DELETE FROM bait; SELECT 1';
}

sub may { my ($function, $role) = @_; return $function->{may}{$role} }

# Who may not gets no answer; PostgreSQL folds a strict function of NULL away
# before it asks who calls.
sub judge_answer {
    my ($function, $role, $sql, $rows, $value) = @_;
    complain('answered to one who may not', $sql, $role, '')
        if !may($function, $role)
        && !($function->{strict} && grep {/NULL/} @$value)
        && !($function->{strict} && grep {/SELECT/} @$value);
    return 1;
}

sub complain {
    my ($what, $sql, $role, $error) = @_;
    $wrong{$what} //= "$role: " . substr($sql, 0, 2000) . ' -- ' . substr $error, 0, 500;
    return;
}

sub lost {
    my ($sql, $role) = @_;
    complain('the server is gone', $sql, $role, $cluster->{postgres}->log_tail(5));
    return;
}

# What was rolled back has left nothing in the sessions' caches.
sub check_slots {
    my $dbh = eval { session('appt_admin') } or return;
    my $now = $dbh->selectrow_array(q{SELECT count(*)
        FROM appt.available_slots('DOC-001', '2026-03-20')});
    complain('other slots than before', "$slots, then $now", 'appt_admin', '')
        if defined $slots && $slots != $now;
    $slots = $now;
    return;
}

# Rows to be found, with words that no error may show.
sub fill {
    my ($c) = @_;
    $c->psql(<<"SQL");
INSERT INTO appt.patient (patient_id, first_name, last_name, phone, email)
VALUES ('PAT-0', '$canary', '$canary', '+91 99999 55555', '$canary\@example.com');
SELECT appt.book('PAT-0', 'DOC-001', '2026-03-16 10:00+05:30',
	branch_id => 'MUM-01', notes => '$canary');
SELECT appt.book('PAT-0', 'DOC-001', '2026-03-17 10:00+05:30',
	branch_id => 'MUM-01', idempotency_key => 'k');
SELECT appt.hold('DOC-001', '2026-03-16 11:00+05:30', branch_id => 'MUM-01');
SELECT appt.create_webhook('https://example.com/', secret =>
	'${canary}0123456789abcdef');
SELECT appt.create_client('London', branch_ids => '{LON-01}', id => 'c_london');
SELECT appt.add_time_off('DOC-002', '2026-05-01', '2026-05-02');
SQL
    return;
}
