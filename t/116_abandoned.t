#!/usr/bin/perl
#
# Whoever asked has gone: what the database does for him is cancelled, what has
# not begun is not done, and nobody else's request is touched.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Gateway;
use Appt::Http;
use Appt::Raw;
use Appt::Util qw(patience wait_for);
use Time::HiRes qw(sleep time);

my $clinic  = Appt::Clinic->new(gateway => 0,
    clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $gateway = Appt::Gateway->new(cluster => $cluster, env => {
    APPT_WRITE_CONNECTIONS => 1, APPT_STATEMENT_TIMEOUT_MS => 60000,
    APPT_LOCK_TIMEOUT_MS => 60000, APPT_QUEUE_TIMEOUT_MS => 10000 });
my $http = Appt::Http->new($gateway->url, %{ $clinic->client });
my $raw  = Appt::Raw->new(port => $gateway->port);
my $list = '/api/v1/appointments?doctor_id=DOC-001&date_from=2026-03-01'
    . '&date_to=2026-03-31';

# Asks and does not wait for the answer: the connection, to be closed.
sub ask {
    my ($method, $path, $id, $body) = @_;
    my $socket = $raw->connection;
    print {$socket} "$method $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $http->{token}\r\nX-Request-Id: $id\r\n"
        . (defined $body ? "Content-Type: application/json\r\nContent-Length: "
            . length($body) . "\r\n" : '') . "\r\n" . ($body // '');
    return $socket;
}

sub at_work { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
    WHERE usename = 'bioecko_gateway' AND state = 'active'
        AND wait_event_type = 'Lock'}) }

sub logged { my ($id) = @_;
    my ($line) = grep { ($_->{id} // '') eq $id && $_->{event} eq 'request' }
        $gateway->log_lines;
    return $line && $line->{status} }

is($http->get($list)->{status}, 200, 'a list is there');
my $holder = $cluster->connect;
my $booking = '{"patient_id":"PAT-2026-00123","doctor_id":"DOC-001",'
    . '"branch_id":"MUM-01","slot_start":"2026-03-16T10:00:00+05:30",'
    . '"slot_end":"2026-03-16T10:15:00+05:30"}';
for my $case ([ 'GET', $list ], [ 'POST', '/api/v1/appointments', $booking ]) {
    my ($method, $path, $body) = @$case;
    $holder->do('BEGIN');
    $holder->do('LOCK TABLE appt.appointment IN ACCESS EXCLUSIVE MODE');
    my $first = ask($method, $path, "first-$method", $body);
    wait_for { at_work() == 1 } "the $method to wait for a lock";
    my $second = ask($method, $path, "second-$method", $body);
    my $third = ask($method, $path, "third-$method", $body);
    sleep 0.5;
    is(at_work(), 1, "$method: one at a time");
    my $began = time;
    close $second;
    ok(eval { wait_for { logged("second-$method") } 'the second', 5 },
        "$method: one that waited in line and was abandoned is over");
    is(at_work(), 1, "$method: and has not touched the one before it");
    close $first;
    ok(eval { wait_for { logged("first-$method") } 'the first', 5 },
        "$method: one that the database worked for is, too");
    cmp_ok(time - $began, '<', patience(8), "$method: long before its time is up");
    is(logged("$_-$method"), 499, "$method: the log says so of the $_")
        for qw(first second);
    ok(eval { wait_for { at_work() == 1 } 'the third', 5 },
        "$method: the next has its turn");
    $holder->do('ROLLBACK');
    my $answer = $raw->drain($third, 10);
    like($answer, qr{^HTTP/1\.1 20[01] }, "$method: and its answer");
}
is($cluster->value('SELECT count(*) FROM appt.appointment
    WHERE slot_start = $$2026-03-16T10:00:00+05:30$$'), 1, 'booked once');

# One who stays shares the connection with many who go.
$holder->do('BEGIN');
my ($good, $gone) = (0, 0);
for my $round (1 .. 40) {
    $holder->do('LOCK TABLE appt.appointment IN ACCESS EXCLUSIVE MODE');
    my $socket = ask('GET', $list, "gone-$round");
    wait_for { at_work() == 1 } 'it to wait for a lock';
    my $stays = ask('GET', $list, "stays-$round");
    sleep 0.12;
    close $socket;
    sleep 0.01 * ($round % 12);
    $holder->do('COMMIT; BEGIN');
    my $answer = $raw->drain($stays, 10);
    $good++ if $answer =~ m{^HTTP/1\.1 200 };
    $gone++ if eval { wait_for { logged("gone-$round") } 'it', 5 };
}
is($good, 40, 'nobody else is cancelled, whenever it happens');
is($gone, 40, 'and all of the others are over');
$holder->do('ROLLBACK');

done_testing;
