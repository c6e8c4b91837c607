#!/usr/bin/perl
#
# The schema changes under a running gateway: a call's form, a function that is
# away for a moment, a server that may not be written to any more. Each costs a
# retry within the gateway; what lasts is a 503 that /readyz explains, and only a
# fault of the database's own a 500.

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
    env => { APPT_RATE_LIMIT => 0 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $base    = '/api/v1/appointments';
my @free = @{ $http->get("$base/slots", { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-16', date_to => '2026-03-20' })->{json} };
cmp_ok(scalar @free, '>', 60, 'there are slots to book');
my $next = 0;

sub body {
    my $slot = $free[$next];
    return { patient_id => sprintf('PAT-2026-%05d', 120 + $next++),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $slot->{start_time} };
}

# So many requests at once, each on a connection of its own: on as many of the
# database. Their statuses.
sub at_once {
    my ($count, $method, $path, $body) = @_;
    my $select = IO::Select->new;
    my %text;
    for (1 .. $count) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $clinic->gateway->port) or die $!;
        my $json = $body ? JSON::PP->new->encode($body->()) : '';
        print {$socket} "$method $path HTTP/1.1\r\nHost: x\r\n"
            . "Authorization: Bearer $http->{token}\r\nConnection: close\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($json) . "\r\n\r\n$json";
        $text{$socket} = '';
        $select->add($socket);
    }
    my $until = time + patience(20);
    while ($select->count && time < $until) {
        for my $socket ($select->can_read(1)) {
            sysread($socket, $text{$socket}, 65536, length $text{$socket})
                or $select->remove($socket);
        }
    }
    return map { /^HTTP\S+ (\d+)/ ? $1 : 'none' } values %text;
}

# How often each status came.
sub tally { my %n; $n{$_}++ for @_; return \%n }

sub metric {
    my ($name) = @_;
    return $http->get('/metrics')->{body} =~ /^\Q$name\E (\d+)$/m ? $1 : die $name;
}

# The function by another name, and one in its place that answers a column more,
# and what is to be done first.
sub replace_function {
    my ($name, $columns, $names, $first) = @_;
    my ($types, $args) = $cluster->dbh->selectrow_array(q{
        SELECT pg_get_function_identity_arguments(p.oid),
            pg_get_function_arguments(p.oid)
        FROM pg_proc p WHERE p.pronamespace = 'appt_api'::regnamespace
            AND p.proname = $1}, {}, $name);
    my $given = join ', ', map {"\$$_"} 1 .. split /,/, $types;
    $cluster->psql(qq{BEGIN;
        ALTER FUNCTION appt_api.$name($types) RENAME TO ${name}_before;
        CREATE FUNCTION appt_api.$name($args)
            RETURNS TABLE($columns) LANGUAGE plpgsql SECURITY DEFINER AS \$f\$
            #variable_conflict use_column
            BEGIN $first RETURN QUERY SELECT $names
            FROM appt_api.${name}_before($given) AS b; END \$f\$;
        GRANT EXECUTE ON FUNCTION appt_api.$name TO appt_gateway;
        COMMIT});
    return ($types, $given);
}

# ---- another form of answer -----------------------------------------------------

my %was = (list => tally(at_once(20, 'GET', '/api/v1/branches')),
    book => tally(at_once(16, 'POST', $base, \&body)));
is_deeply(\%was, { list => { 200 => 20 }, book => { 201 => 16 } },
    'every session has the calls prepared');
my $lost = metric('appt_database_lost_total');
replace_function('list_branches', 'body text, total bigint, more integer',
    'b.body, b.total::bigint, 1', '');
replace_function('book', 'body text, version integer, id text, '
    . 'replayed boolean, more integer',
    'b.body, b.version, b.id, b.replayed, 1', '');
is_deeply(tally(at_once(20, 'GET', '/api/v1/branches')), { 200 => 20 },
    'a list whose row has another form is read');
is_deeply(tally(at_once(16, 'POST', $base, \&body)), { 201 => 16 },
    'a booking, too');
is_deeply(tally(at_once(16, 'POST', $base, \&body)), { 201 => 16 }, 'and the next');
is($cluster->value(q{SELECT count(*) FROM appt.appointment
    WHERE doctor_id = 'DOC-001' AND slot_start >= '2026-03-16'
    AND status = 'booked'}), 48, 'each was made once');
is(metric('appt_database_lost_total'), $lost, 'no connection was given up for it');

# ---- a session that is out of date ----------------------------------------------

# What PostgreSQL 18 says of a function in SQL whose plan has a row's type of
# before: only another session has the new one.
my $changed = $cluster->value('SELECT clock_timestamp()');
replace_function('list_departments', 'body text, total bigint',
    'b.body, b.total::bigint', "IF (SELECT backend_start FROM pg_stat_activity
        WHERE pid = pg_backend_pid()) < '$changed' THEN
        RAISE EXCEPTION 'attribute 6 has wrong type' USING ERRCODE = '42804';
    END IF;");
is_deeply(tally(at_once(20, 'GET', '/api/v1/departments')), { 200 => 20 },
    'a call goes on by sessions that are new');
like($cluster->log_text, qr/attribute 6 has wrong type/, 'old ones had refused');

# ---- a function that is away ------------------------------------------------------

sub rename_book {
    my ($from, $to) = @_;
    my $types = $cluster->value(q{
        SELECT pg_get_function_identity_arguments(p.oid)
        FROM pg_proc p WHERE p.pronamespace = 'appt_api'::regnamespace
            AND p.proname = $1}, $from);
    $cluster->psql("ALTER FUNCTION appt_api.$from($types) RENAME TO $to");
}

# A booking that is sent, and its status once the code has run.
sub booked_meanwhile {
    my ($code) = @_;
    my $json = JSON::PP->new->encode(body());
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $clinic->gateway->port) or die $!;
    print {$socket} "POST $base HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "Authorization: Bearer $http->{token}\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($json) . "\r\n\r\n$json";
    $code->();
    my $text = do { local $/; <$socket> };
    return $text =~ /^HTTP\S+ (\d+)/ ? $1 : 'none';
}

rename_book('book', 'book_away');
is(booked_meanwhile(sub {
    wait_for { $cluster->log_text =~ /function appt_api\.book\(.*does not exist/ }
        'the error';
    rename_book('book_away', 'book');
}), 201, 'a function that is back soon costs a moment');

rename_book('book', 'book_away');
my $r = $http->post($base, body());
is_deeply([ @$r{'status'}, $r->{json}{code} ], [ 503, 'unavailable' ],
    'one that stays away is a 503');
ok($r->{headers}{'retry-after'}, 'with Retry-After');
wait_for { ($r = $http->get('/readyz'))->{status} == 503 } '/readyz to know', 5;
like($r->{json}{detail}, qr/no appt_api\.book as this gateway calls it/,
    '/readyz says which');
is($http->get('/healthz')->{status}, 200, 'the process is well');
is($http->get("$base/slots", { doctor_id => 'DOC-001', branch_id => 'MUM-01',
    date => '2026-03-16' })->{status}, 200, 'and so are other calls');
rename_book('book_away', 'book');
wait_for { $http->get('/readyz')->{status} == 200 } 'it to be ready again', 10;
is($http->post($base, body())->{status}, 201, 'and it books');

# Nobody has called it yet, and /readyz knows.
$cluster->psql(q{ALTER FUNCTION appt_api.get_doctor RENAME TO doctor_away});
wait_for { ($r = $http->get('/readyz'))->{status} == 503 } '/readyz to look', 25;
like($r->{json}{detail}, qr/no appt_api\.get_doctor /, 'before the first caller');
my $late = Appt::Gateway->new(cluster => $cluster, wait => 0);
my $asker = Appt::Http->new($late->url);
wait_for { ($r = eval { $asker->get('/readyz') })
    && ($r->{json}{detail} // '') =~ /get_doctor/ } 'a new gateway to say so', 20;
isnt($r->{status}, 200, 'it is not ready');
$cluster->psql(q{ALTER FUNCTION appt_api.doctor_away RENAME TO get_doctor});
wait_for { $asker->get('/readyz')->{status} == 200 } 'it to be ready', 20;
$late->stop;

# ---- a server that may only be read --------------------------------------------

sub read_only {
    my ($on) = @_;
    $cluster->psql("SET default_transaction_read_only = off;
        ALTER SYSTEM SET default_transaction_read_only = $on;
        SELECT pg_reload_conf();");
    wait_for { $cluster->value(
        'SELECT current_setting($1)', 'default_transaction_read_only') eq $on }
        'the setting';
}

sub sessions {
    return join ' ', map { $_->{pid} } @{ $cluster->query(q{SELECT pid
        FROM pg_stat_activity WHERE application_name = 'bioecko-gateway'
        ORDER BY pid}) };
}

my $sessions = sessions();
read_only('on');
is(booked_meanwhile(sub {
    wait_for { $cluster->log_text =~ /in a read-only transaction/ } 'the error';
    read_only('off');
}), 201, 'a booking gets over a server that may not be written to');
isnt(sessions(), $sessions, 'by another session: there may be another server');

# ---- faults -----------------------------------------------------------------------

$cluster->psql('CREATE SEQUENCE appt_api.tries;
    GRANT USAGE ON SEQUENCE appt_api.tries TO PUBLIC');
sub tries { return $cluster->value('SELECT last_value FROM appt_api.tries') }
my @columns = ('body text, total bigint', 'b.body, b.total::bigint');
replace_function('list_doctors', @columns, q{
    IF nextval('appt_api.tries') = 1 THEN
        RAISE EXCEPTION 'cache lookup failed' USING ERRCODE = 'XX000';
    END IF;});
is($http->get('/api/v1/doctors')->{status}, 200,
    'an object that was replaced between two looks costs a retry');
is(tries(), 2, 'one');
replace_function('list_visit_types', @columns, q{
    PERFORM nextval('appt_api.tries');
    RAISE EXCEPTION 'broken' USING ERRCODE = 'XX000';});
is($http->get('/api/v1/visit-types')->{status}, 500, 'a fault is a 500');
is(tries(), 4, 'after one retry');
replace_function('list_settings', @columns, q{
    PERFORM nextval('appt_api.tries');
    RAISE EXCEPTION 'not yet' USING ERRCODE = '0A000';});
my $before = tries();
is($http->get('/api/v1/settings')->{status}, 500,
    'what a function says is not supported is no matter of plans');
cmp_ok(tries() - $before, '<=', 11, 'and is not tried for ever');

done_testing();
