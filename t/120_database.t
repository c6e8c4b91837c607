#!/usr/bin/perl
#
# The gateway and its database: a wait for a lock stalls nobody else, a full
# pool says so within a second, a lost database comes back, and nothing that
# was acknowledged is lost, whoever is stopped.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(patience wait_for);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_WRITE_CONNECTIONS => 3, APPT_READ_CONNECTIONS => 1 });
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $base    = '/api/v1/appointments';

sub body {
    my ($doctor, $hour, $minute) = @_;
    return { patient_id => sprintf('PAT-2026-%05d', 20 + $hour * 4 + $minute / 15),
        doctor_id => $doctor, branch_id => 'MUM-01',
        slot_start => sprintf('2026-03-16T%02d:%02d:00+05:30', $hour, $minute) };
}

# A request whose answer is fetched later.
sub ask {
    my ($method, $path, $body) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $gateway->port) or die $!;
    my $json = $body ? JSON::PP->new->encode($body) : '';
    print {$socket} "$method $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $http->{token}\r\nConnection: close\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($json) . "\r\n\r\n$json";
    return $socket;
}

sub answer {
    my ($socket, $seconds) = @_;
    my ($text, $until) = ('', time + patience($seconds // 10));
    while ((my $left = $until - time) > 0) {
        next unless IO::Select->new($socket)->can_read($left);
        sysread($socket, $text, 65536, length $text) or last;
    }
    return $text =~ /^HTTP\S+ (\d+)/ ? $1 : 'none';
}

sub slots {
    return $http->get("$base/slots",
        { doctor_id => 'DOC-001', date => '2026-03-16', branch_id => 'MUM-01' });
}

my @free = @{ slots()->{json} };
cmp_ok(scalar @free, '>', 8, 'there are slots to book');
my $next = 0;

sub free_body {
    my $slot = $free[ $next++ ];
    return { patient_id => sprintf('PAT-2026-%05d', 120 + $next),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $slot->{start_time}, slot_end => $slot->{end_time} };
}
is($http->post($base, free_body())->{status}, 201, 'one is booked');

# ---- a lock that is held ----------------------------------------------------

my $locker = $cluster->connect;
$locker->begin_work;
$locker->do('LOCK TABLE appt.doctor_day IN ACCESS EXCLUSIVE MODE');
my @waiting = map { ask('POST', $base, free_body()) } 1 .. 3;
wait_for {
    3 == $cluster->value("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'")
} 'three bookings to wait for the lock';

my $start = time;
is($http->get('/healthz')->{status}, 200, 'health while bookings wait');
is(slots()->{status}, 200, 'slots while bookings wait');
cmp_ok(time - $start, '<', patience(0.5), 'at once');

$start = time;
my $busy = $http->post($base, free_body());
is_deeply([ $busy->{status}, $busy->{json}{code} ], [ 503, 'unavailable' ],
    'a fourth booking is told that the pool is exhausted');
ok($busy->{headers}{'retry-after'}, 'with Retry-After');
cmp_ok(time - $start, '<', patience(1.2), 'within a second');
is(answer($_), 503, 'a booking that waited for the lock too long: 503')
    for @waiting;
$locker->rollback;
is($http->post($base, free_body())->{status}, 201, 'and then it goes on');

# ---- a database that is gone ------------------------------------------------

$cluster->kill9;
wait_for { $http->get('/readyz')->{status} == 503 } '/readyz to say so';
is($http->get('/healthz')->{status}, 200, 'the process is alive');
$start = time;
my $lost = slots();
is_deeply([ $lost->{status}, $lost->{json}{code} ], [ 503, 'unavailable' ],
    'no database: 503');
ok($lost->{headers}{'retry-after'}, 'with Retry-After');
cmp_ok(time - $start, '<', patience(1.5), 'soon');
unlike($lost->{body}, qr/socket|host|libpq|refused/i, 'and nothing of the inside');
$cluster->start;
wait_for { $http->get('/readyz')->{status} == 200 } 'the gateway to be ready';
is(slots()->{status}, 200, 'the database is back, and so are the slots');
is($http->post($base, free_body())->{status}, 201, 'and the bookings');

# Every backend ended at once, as a failover does, again and again.
my @after = map {
    $cluster->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = 'bioecko_gateway'");
    map { slots()->{status} } 1 .. 5;
} 1 .. 20;
ok(!(grep { $_ != 200 } @after), 'reads survive that their connections end')
    or diag "@after";
wait_for { $http->get('/readyz')->{status} == 200 } 'the gateway to be ready';

# ---- a booking whose connection breaks --------------------------------------

$locker = $cluster->connect;
$locker->begin_work;
$locker->do('LOCK TABLE appt.doctor_day IN ACCESS EXCLUSIVE MODE');
my $cut = ask('POST', $base, free_body());
wait_for {
    $cluster->value("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'")
} 'the booking to wait for the lock';
$cluster->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock'");
is(answer($cut), 503, 'a booking whose connection breaks is not repeated blindly');
$locker->rollback;

# ---- a server that crashes --------------------------------------------------

$locker = $cluster->connect;
$locker->begin_work;
$locker->do('LOCK TABLE appt.doctor_day IN ACCESS EXCLUSIVE MODE');
my $lost_body = free_body();
my $crash = ask('POST', $base, $lost_body);
wait_for {
    $cluster->value("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'")
} 'the booking to wait for the lock';
kill 'KILL', $locker->{pg_pid};
is(answer($crash), 503, 'a booking when another backend crashes');
eval { $locker->disconnect };
is_deeply([ map { $_->{text} // () } $gateway->log_lines ], [],
    'what the server warned of is a JSON line like any other');
$cluster->kill9;
$cluster->start;
wait_for { $http->get('/readyz')->{status} == 200 } 'the gateway to be ready';
is($http->post($base, $lost_body)->{status}, 201, 'the retry has it');

# ---- the end ----------------------------------------------------------------

$locker = $cluster->connect;
$locker->begin_work;
$locker->do('LOCK TABLE appt.doctor_day IN ACCESS EXCLUSIVE MODE');
my $last = free_body();
my $pending = ask('POST', $base, $last);
wait_for {
    $cluster->value("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'")
} 'a booking to wait for the lock';
$gateway->signal('TERM');
wait_for {
    !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port)
} 'the gateway to take no new connection';
ok($gateway->alive, 'it still works for the booking that it has');
$locker->rollback;
is(answer($pending), 201, 'which is answered');
wait_for { !$gateway->alive } 'the gateway to end', 5;
is($gateway->status, 0, 'the exit code is 0');
is($cluster->value('SELECT count(*) FROM appt.appointment WHERE slot_start = $1',
    $last->{slot_start}), 1, 'and the booking is there');

$gateway->start;
$http = $clinic->http;
is(slots()->{status}, 200, 'a new one serves at once');

done_testing();
