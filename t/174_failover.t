#!/usr/bin/perl
#
# Two database servers, one a synchronous standby, and a gateway and a relay
# that know both: the primary is lost as by a power cut, the standby takes
# over, and without a restart of either program bookings go on. None that was
# acknowledged is lost, none is made twice, each is told of.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Process;
use Appt::Program;
use Appt::Util qw(free_port run_command temp_dir wait_for);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0, cluster => { conf => { wal_level => 'replica',
        synchronous_standby_names => 'second', synchronous_commit => 'local',
        max_wal_senders => 4 } });
my $primary = $clinic->cluster;
my $sink = $clinic->sink;

# ---- a standby, from a copy of the primary -----------------------------------

my $dir  = temp_dir();
my $port = free_port();
my ($uid, $gid) = $> == 0 ? (getpwnam 'postgres')[2, 3] : ($>, $) + 0);
mkdir "$dir/$_" or die $! for qw(data s);
chown $uid, $gid, "$dir/data", "$dir/s";
chmod 0700, "$dir/data";
chmod 0711, "$dir/s";
my $bin = Appt::Cluster::bindir();
my ($code, $out, $err) = run_command(['setpriv',
    Appt::Process::as_user('postgres'), '--', "$bin/pg_basebackup", '-D',
    "$dir/data", '-c', 'fast', '-R', '-d',
    $primary->dsn . ' application_name=second']);
is($code, 0, 'a copy of the primary') or BAIL_OUT($err);
my $standby = Appt::Process->start(name => 'standby', user => 'postgres',
    log => "$dir/log", stop_signal => 'INT', death_signal => 'QUIT',
    command => ["$bin/postgres", '-D', "$dir/data", '-c', "port=$port", '-c',
        "unix_socket_directories=$dir/s"]);
wait_for { ($primary->value(q{SELECT sync_state FROM pg_stat_replication})
        // '') eq 'sync' } 'the standby to follow', 60;
$primary->psql('ALTER SYSTEM SET synchronous_commit = on;
    SELECT pg_reload_conf()');

sub dsn {
    my ($user) = @_;
    return sprintf 'host=%s,%s port=%d,%d dbname=appt user=%s '
        . 'target_session_attrs=read-write connect_timeout=2',
        $primary->host, "$dir/s", $primary->port, $port, $user;
}

sub on_standby {
    my ($sql) = @_;
    my ($failed, $text, $words) = run_command(['psql', '-XAtq', '-d',
        "host=$dir/s port=$port dbname=appt user=postgres", '-c', $sql]);
    die "standby: $words" if $failed;
    chomp $text;
    return $text;
}

# ---- bookings all the while ---------------------------------------------------

$clinic->webhook;
my $gateway = $clinic->{gateway} = Appt::Gateway->new(cluster => $primary,
    env => { APPT_DSN => dsn('bioecko_gateway') });
$clinic->start_relay(env => { APPT_DSN => dsn('bioecko_relay'),
    APPT_RELAY_RETRY_SCHEDULE => '0,1,1,1,1,1,1,1',
    APPT_RELAY_TIMEOUT_MS => 2000, APPT_RELAY_LEASE_MS => 4000 });
my $http = $clinic->http;
my $a = '/api/v1/appointments';
my @slots = map { $_->{start_time} } map { @{ $http->get("$a/slots",
    { doctor_id => 'DOC-001', date => $_, branch_id => 'MUM-01' })->{json} } }
    qw(2026-03-16 2026-03-17);
my $patient = 101;
my %booked;

# Books the next slot; where that fails, again with the same key until it is
# known.
sub book_next {
    my $slot = shift @slots;
    my $who  = sprintf 'PAT-2026-%05d', $patient++;
    my $r;
    wait_for {
        $r = $http->post($a, { patient_id => $who, doctor_id => 'DOC-001',
            branch_id => 'MUM-01', slot_start => $slot },
            { 'Idempotency-Key' => "k-$slot" });
        $r->{status} == 201 || $r->{json}{code} eq 'patient_conflict';
    } sub { "a booking: $r->{status} $r->{body}" }, 60;
    $booked{ $r->{json}{appointment_id} } = 1 if $r->{status} == 201;
}

book_next() for 1 .. 5;
is(scalar(keys %booked), 5, 'bookings before');
my $before = $http->post($a, { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01', slot_start => $slots[20] },
    { 'Idempotency-Key' => 'before' });
$booked{ $before->{json}{appointment_id} } = 1;

$primary->kill9;
my $r = $http->get("$a/APT-2026-000001");
is($r->{status}, 503, 'without a database: 503');
is($r->{headers}{'retry-after'}, 1, 'with Retry-After');
is(on_standby('SELECT pg_promote()'), 't', 'the standby takes over');
on_standby(q{ALTER SYSTEM SET synchronous_standby_names = ''});
on_standby('SELECT pg_reload_conf()');

book_next() for 1 .. 5;
cmp_ok(scalar(keys %booked), '>=', 10, 'bookings go on, with the same token');
my $replay = $http->post($a, { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01', slot_start => $slots[15] },
    { 'Idempotency-Key' => 'before' });
is($replay->{body}, $before->{body}, 'a key from before is known');
is($replay->{headers}{'idempotency-replayed'}, 'true', 'and is replayed');

my $ids = join ',', map {"'$_'"} keys %booked;
is(on_standby("SELECT count(*) FROM appt.appointment
    WHERE appointment_id IN ($ids) AND status = 'booked'"),
    scalar(keys %booked), 'every acknowledged booking is there');
is(on_standby('SELECT count(*) FROM (SELECT token_number FROM appt.appointment
    WHERE token_number IS NOT NULL GROUP BY doctor_id, token_date, token_number
    HAVING count(*) > 1) AS t'), 0, 'no number was given twice');

my %told;
wait_for {
    $told{ $_->{json}{data}{appointment_id} } = 1
        for grep { $_->{json}{event} eq 'appointment.booked' } $sink->requests;
    !grep { !$told{$_} } keys %booked;
} 'each booking to be told of', 60;
pass('and each is told of by the relay');
ok($gateway->alive && $clinic->relay->alive, 'by the same two programs');

$gateway->stop;
$clinic->relay->stop;
done_testing();
