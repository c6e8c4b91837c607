#!/usr/bin/perl
#
# One caller never stops the others: whoever has long lists, or bookings that
# wait for his own locks, leaves connections for everybody else; a range of days
# does not delay the quick reads behind it; and a long list is not counted to
# its end.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(patience wait_for);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(time);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_RATE_LIMIT => 0, APPT_WRITE_CONNECTIONS => 8,
        APPT_READ_CONNECTIONS => 1, APPT_QUEUE_TIMEOUT_MS => 10_000,
        APPT_LOCK_TIMEOUT_MS => 60_000, APPT_STATEMENT_TIMEOUT_MS => 60_000 });
my $cluster = $clinic->cluster;
my $base = '/api/v1/appointments';
my %client = map { $_ => $clinic->create_client(name => $_) }
    qw(Greedy Second Third);
my %http = map { $_ => $clinic->http($client{$_}) } keys %client;
my @free = @{ $http{Third}->get("$base/slots", { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-16' })->{json} };
my $next = 0;

sub body {
    my $slot = $free[ $next ];
    return { patient_id => sprintf('PAT-2026-%05d', 120 + $next++),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $slot->{start_time} };
}

# Many requests of a caller at once, each on a connection of its own.
sub ask {
    my ($who, $count, $method, $path, $body) = @_;
    return map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $clinic->gateway->port) or die $!;
        my $json = $body ? JSON::PP->new->encode($body) : '';
        print {$socket} "$method $path HTTP/1.1\r\nHost: x\r\n"
            . "Authorization: Bearer $http{$who}{token}\r\nConnection: close\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($json) . "\r\n\r\n$json";
        $socket;
    } 1 .. $count;
}

# How often each status came.
sub tally {
    my %count;
    for my $socket (@_) {
        my $text = do { local $/; <$socket> } // '';
        $count{ $text =~ /^HTTP\S+ (\d+)/ ? $1 : 'none' }++;
    }
    return \%count;
}

# A call of the database that waits, where the condition holds, until the test
# lets it go on.
sub make_wait {
    my ($name, $condition) = @_;
    my ($types, $args, $result) = $cluster->dbh->selectrow_array(q{
        SELECT pg_get_function_identity_arguments(p.oid),
            pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)
        FROM pg_proc p WHERE p.pronamespace = 'appt_api'::regnamespace
            AND p.proname = $1}, {}, $name);
    $types =~ s/,? ?OUT [^,]*//g;
    my $given = join ', ', map {"\$$_"} 1 .. split /,/, $types;
    my ($returns, $select) = $result eq 'text' ? ('text', 'RETURN')
        : ("SETOF $result", 'RETURN QUERY SELECT * FROM');
    $args =~ s/,? ?OUT [^,]*//g;
    $cluster->psql(qq{BEGIN;
        ALTER FUNCTION appt_api.$name($types) RENAME TO ${name}_itself;
        CREATE FUNCTION appt_api.$name($args)
            RETURNS $returns LANGUAGE plpgsql SECURITY DEFINER AS \$f\$
            BEGIN
                IF $condition THEN PERFORM pg_advisory_xact_lock_shared(4711); END IF;
                $select appt_api.${name}_itself($given);
            END \$f\$;
        GRANT EXECUTE ON FUNCTION appt_api.$name TO appt_gateway;
        COMMIT});
}

my $gate = $cluster->connect;
sub close_gate { $gate->do('SELECT pg_advisory_lock(4711)') }
sub open_gate  { $gate->do('SELECT pg_advisory_unlock(4711)') }

sub waiting {
    return $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'});
}

# Passes if the others' booking and list are answered while he waits.
sub others_go_on {
    my ($what) = @_;
    my $start = time;
    is($http{Third}->post($base, body())->{status}, 201,
        "$what: another's booking is made");
    is($http{Third}->get('/api/v1/doctors')->{status}, 200, "$what: his list is read");
    is($http{Third}->get("$base/slots", { doctor_id => 'DOC-001',
        branch_id => 'MUM-01', date => '2026-03-16' })->{status}, 200,
        "$what: his slots, too");
    cmp_ok(time - $start, '<', patience(5), "$what: without waiting for him");
}

# ---- long lists -----------------------------------------------------------------

make_wait('list_branches', 'true');
close_gate();
my @lists = ask('Greedy', 20, 'GET', '/api/v1/branches');
wait_for { waiting() >= 2 } 'lists to run';
others_go_on('many long lists of one');
is(waiting(), 2, 'one caller has a quarter of the connections for them');
my @more = ask('Second', 20, 'GET', '/api/v1/branches');
wait_for { waiting() == 4 } 'lists of another to run';
is($http{Third}->post($base, body())->{status}, 201, 'of two: bookings are made');
is(waiting(), 4, 'all callers have half of them');
open_gate();
is_deeply([ map { tally(@$_) } \@lists, \@more ], [ { 200 => 20 }, { 200 => 20 } ],
    'every list is answered in the end');

# ---- writes that wait -----------------------------------------------------------

make_wait('book', "client = '$client{Greedy}{client_id}'");
close_gate();
my @books = map { ask('Greedy', 1, 'POST', $base, body()) } 1 .. 12;
wait_for { waiting() >= 6 } 'bookings to wait';
others_go_on('bookings of one that wait');
is(waiting(), 6, 'one caller has three quarters of the connections for writes');
open_gate();
is_deeply(tally(@books), { 201 => 12 }, 'all are made in the end');

# ---- a place in line --------------------------------------------------------------

# He who has many in line is not before others who have few.
close_gate();
@books = map { ask('Greedy', 1, 'GET', '/api/v1/branches') } 1 .. 40;
wait_for { waiting() == 2 } 'lists to run';
my @one = ask('Second', 1, 'GET', '/api/v1/branches');
wait_for { waiting() == 3 } 'the one of another to run before them';
pass('a caller\'s first is before another\'s fourth');
open_gate();
is_deeply([ tally(@one), tally(@books) ], [ { 200 => 1 }, { 200 => 40 } ],
    'all are answered');

# ---- ranges of days ---------------------------------------------------------------

make_wait('slots', 'date_to IS NOT NULL');
my $day = "$base/slots?doctor_id=DOC-001&branch_id=MUM-01&date=2026-03-16";
is($http{Third}->get($day)->{status}, 200, 'a day\'s slots');
close_gate();
my @range = ask('Greedy', 10, 'GET', "$day&date_to=2026-04-15");
wait_for { waiting() >= 1 } 'ranges to run';
my $start = time;
is($http{Third}->get($day)->{status}, 200, 'are listed while ranges are')
    for 1 .. 5;
cmp_ok(time - $start, '<', patience(5), 'and do not wait for them');
open_gate();
is_deeply(tally(@range), { 200 => 10 }, 'the ranges come, too');

# ---- counting -----------------------------------------------------------------

my $there = $cluster->value('SELECT count(*) FROM appt.patient');
$cluster->psql("INSERT INTO appt.patient (first_name, last_name)
    SELECT 'Many', 'More' || n FROM generate_series(1, 10450 - $there) n");
sub page {
    my $r = $http{Third}->get('/api/v1/patients', {@_});
    return [ $r->{headers}{'x-total-count'}, scalar @{ $r->{json} },
        { map { $_ => 1 } ($r->{headers}{link} // '') =~ /rel="(\w+)"/g } ];
}
is_deeply(page(per_page => 100),
    [ 10001, 100, { first => 1, next => 1 } ], 'of many the first 10,000 are counted');
is_deeply(page(per_page => 100, page => 100),
    [ 10001, 100, { map { $_ => 1 } qw(first prev next) } ], 'on the hundredth page');
is_deeply(page(per_page => 100, page => 103),
    [ 10301, 100, { map { $_ => 1 } qw(first prev next) } ], 'beyond: that more follow');
is_deeply(page(per_page => 100, page => 104),
    [ 10401, 100, { map { $_ => 1 } qw(first prev next) } ], 'and once more');
is_deeply(page(per_page => 100, page => 105),
    [ 10450, 50, { map { $_ => 1 } qw(first prev last) } ],
    'on the last page: how many there are');
is_deeply(page(per_page => 100, search => 'More77'),
    [ 111, 100, { map { $_ => 1 } qw(first next last) } ], 'of a hundred all are counted');

done_testing();
