#!/usr/bin/perl
#
# deploy/patroni: the example as it stands, its three machines being addresses
# of the loopback. Bookings go on through HAProxy while the primary's machine
# is lost, comes back, and the next primary loses its Patroni. None that was
# acknowledged is lost, none is made twice, no number is given twice, each is
# told of.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Http;
use Appt::Process;
use Appt::Program;
use Appt::Sink;
use Appt::Util qw(free_port root_dir run_command slurp temp_dir wait_for);
use HTTP::Tiny;
use JSON::PP ();
use Time::HiRes qw(sleep time);

plan skip_all => 'Patroni is started as user postgres: only root can' if $> != 0;
$ENV{PATH} .= ':/usr/sbin';
for (qw(patroni etcd haproxy)) {
    plan skip_all => "$_ is not installed"
        if (run_command(['sh', '-c', "command -v $_"]))[0];
}

my $dir = temp_dir();
my $net = sprintf '127.%d.%d.', 10 + int rand 200, 1 + int rand 250;
my %address = (db1 => "${net}11", db2 => "${net}12", gw => "${net}13");
my (%etcd, %patroni, $haproxy, $gateway, $relay, $sink, @booker);
my $test = $$;

# What Patroni started outlives a Patroni that is killed.
END {
    if ($dir && $$ == $test) {
        local $?;
        kill KILL => @booker;
        $_ && $_->stop for $gateway, $relay, values %patroni;
        server_signal($_, 'QUIT') for qw(db1 db2);
    }
}

# ---- the example, on this machine ---------------------------------------------

sub write_file {
    my ($file, $text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh;
    return $file;
}

# A file of the example with other addresses and each of the replacements,
# which must be there.
sub example {
    my ($name, %instead) = @_;
    my $text = slurp(root_dir() . "/deploy/patroni/$name");
    for my $from (sort keys %instead) {
        $text =~ s/\Q$from\E/$instead{$from}/g
            or die "$name has no $from any more\n";
    }
    $text =~ s/\b192\.0\.2\./$net/g;
    return $text;
}

# The lines of a node of its own.
sub own {
    my ($text, $node) = @_;
    $text =~ s{^(.*)(# own)$}{ my ($line, $mark) = ($1, $2);
        $line =~ s/db1/$node/; $line =~ s/\Q$address{db1}\E/$address{$node}/;
        "$line$mark" }gem;
    return $text;
}

sub start_etcd {
    my ($node) = @_;
    my $text = example('etcd.env', '/var/lib/etcd/bioecko' => "$dir/$node/etcd");
    $text =~ s/^(ETCD_NAME=).*/$1$node/m;
    $text =~ s/^(\w+_URLS=http:..)\Q$address{db1}\E/$1$address{$node}/gm;
    $etcd{$node} = Appt::Process->start(name => "etcd $node", user => 'postgres',
        log => "$dir/$node/etcd.log", command => ['etcd'],
        env => { $text =~ /^(ETCD_\w+)=(.*)$/mg });
}

sub start_patroni {
    my ($node) = @_;
    my $file = "$dir/$node/patroni.yml";
    write_file($file, own(example('patroni.yml',
        '/var/lib/postgresql/bioecko' => "$dir/$node/data",
        '/var/run/postgresql' => "$dir/$node",
        '/usr/lib/postgresql/15/bin' => Appt::Cluster::bindir(),
        '192.0.2.0/24' => '127.0.0.0/8',
        'ttl: 20' => 'ttl: 8', 'loop_wait: 5' => 'loop_wait: 1',
        'retry_timeout: 5' => 'retry_timeout: 3'), $node));
    $patroni{$node} = Appt::Process->start(name => "patroni $node",
        user => 'postgres', log => "$dir/$node/patroni.log",
        command => ['patroni', $file], death_signal => 'TERM');
}

# Whether a node has a role, by the path that HAProxy asks.
sub plays {
    my ($node, $role) = @_;
    return HTTP::Tiny->new(timeout => 2)->get(
        "http://$address{$node}:8008/$role")->{status} == 200;
}

sub server_pid {
    my ($node) = @_;
    my ($pid) = eval { slurp("$dir/$node/data/postmaster.pid") } =~ /^(\d+)/;
    return $pid;
}

sub server_signal {
    my ($node, $signal) = @_;
    my $pid = -e "$dir/$node/data/postmaster.pid" && server_pid($node) or return;
    kill $signal => $pid if slurp("/proc/$pid/comm") =~ /^postgres/;
}

sub logs {
    my ($what) = @_;
    return sub { join "\n", $what, map { $_->log_tail(12) } grep {$_}
        values %patroni, $haproxy, $gateway && $gateway->process };
}

for my $node (sort keys %address) {
    mkdir "$dir/$node" or die $!;
    chmod 0711, "$dir/$node";
    chown +(getpwnam 'postgres')[2, 3], "$dir/$node";
    start_etcd($node);
}
start_patroni('db1');
wait_for { plays('db1', 'primary') } logs('a first primary'), 60;
start_patroni('db2');
wait_for { plays('db2', 'synchronous') } logs('a synchronous standby'), 60;
pass('two servers, one a synchronous standby');

$haproxy = Appt::Process->start(name => 'haproxy', log => "$dir/haproxy.log",
    command => ['haproxy', '-db', '-f', write_file("$dir/haproxy.cfg",
        example('haproxy.cfg', '/dev/log' => 'stdout format raw',
            '127.0.0.1:' => "${net}1:"))]);

sub dsn {
    my ($user, $password, $port) = @_;
    return "host=${net}1 port=" . ($port // 5000)
        . " dbname=appt user=$user password='$password'";
}

sub psql {
    my ($sql, $dsn) = @_;
    my ($code, $out, $err) = run_command(['psql', '-XAtq', '-v',
        'ON_ERROR_STOP=1', '-d', $dsn // dsn('postgres', 'change me')], $sql);
    die "psql: $err" if $code;
    chomp $out;
    return $out;
}

# HAProxy takes both for the primary until it has asked them twice.
my $postgres = dsn('postgres', 'change me') =~ s/dbname=appt/dbname=postgres/r;
wait_for {
    eval { !grep { psql('SELECT pg_is_in_recovery()', $postgres) ne 'f' } 1 .. 6 };
} logs('HAProxy to find the primary');
psql('CREATE DATABASE appt', $postgres);
psql("SET client_min_messages = warning;
    CREATE EXTENSION bioecko_appt CASCADE;
    CREATE ROLE bioecko_gateway LOGIN PASSWORD 'g' IN ROLE appt_gateway;
    CREATE ROLE bioecko_relay LOGIN PASSWORD 'r' IN ROLE appt_relay;
    ALTER ROLE bioecko_gateway SET log_parameter_max_length = 0;
    ALTER ROLE bioecko_relay SET log_parameter_max_length = 0;");
psql(slurp(root_dir() . '/demo/clinic.sql'));
psql(q{INSERT INTO appt.patient (patient_id, first_name, last_name)
    SELECT 'PAT-2026-' || n, 'Try', 'Try' FROM generate_series(10001, 13000) AS n});
is_deeply([ map { psql('SELECT pg_is_in_recovery()',
        dsn('postgres', 'change me', $_)) } 5000, 5001 ], [ 'f', 't' ],
    'HAProxy leads to the primary, and reads to the standby');

# ---- bookings all the while ---------------------------------------------------

$sink = Appt::Sink->new;
psql("SELECT appt.create_webhook('" . $sink->url('/hook') . "')");
my %client;
@client{qw(client_id client_secret)} = split /\|/, psql(
    q{SELECT * FROM appt.create_client('Test',
        '{appointments:read,appointments:write}')});
$gateway = Appt::Gateway->new(env => {
    APPT_DSN => dsn('bioecko_gateway', 'g'),
    APPT_READ_DSN => dsn('bioecko_gateway', 'g', 5001) });
$relay = Appt::Relay->new(env => {
    APPT_DSN => dsn('bioecko_relay', 'r'),
    APPT_RELAY_RETRY_SCHEDULE => '0,1,1,1,1,1,1,1',
    APPT_RELAY_TIMEOUT_MS => 2000, APPT_RELAY_LEASE_MS => 4000 });

# Books one slot after the other; where that fails, again with the same key
# until it is known. A line for each: when, which, its number.
sub book_on {
    my ($doctor, $first_patient, @slots) = @_;
    my $http = Appt::Http->new($gateway->url, %client, timeout => 15);
    open my $log, '>>', "$dir/$doctor.log" or die $!;
    $log->autoflush;
    while (!-e "$dir/enough") {
        my $slot = shift @slots or last;
        my $who  = 'PAT-2026-' . $first_patient++;
        my $r;
        while (1) {
            $r = $http->post('/api/v1/appointments', { patient_id => $who,
                doctor_id => $doctor, branch_id => 'MUM-01',
                slot_start => $slot }, { 'Idempotency-Key' => "k-$who" });
            last if $r->{status} < 500 && $r->{status} != 409;
            last if ($r->{json}{code} // '') eq 'slot_unavailable';
            return if getppid != $test;
            sleep 0.05;
        }
        print {$log} join(' ', time, $r->{status},
            $r->{json}{appointment_id} // $r->{body}), "\n";
        sleep 0.02;
    }
}

my %first = ('DOC-001' => 10001, 'DOC-002' => 11001, 'DOC-003' => 12001);
for my $doctor (sort keys %first) {
    my @slots = map {s/ /T/r =~ s/\+(\d\d)$/+$1:00/r} map { split /\n/, psql(
        "SELECT start_time FROM appt.available_slots('$doctor',
            current_date + $_, 'MUM-01', NULL, current_date + $_ + 27)") } 1, 29;
    my $pid = fork // die $!;
    if ($pid == 0) {
        eval { book_on($doctor, $first{$doctor}, @slots); 1 } or print STDERR $@;
        POSIX::_exit(0);
    }
    push @booker, $pid;
}

# What was acknowledged so far: [when, status, id], by time.
sub acknowledged {
    my @line = sort { $a->[0] <=> $b->[0] } map { [ split / / ] } map {
        split /\n/, eval { slurp("$dir/$_.log") } // '' } keys %first;
    return @line;
}

# Waits until bookings go on again and says how long there was none.
sub gap_after {
    my ($moment, $what) = @_;
    wait_for { grep({ $_->[0] > $moment + 2 } acknowledged()) >= 10 }
        logs("bookings after $what"), 60;
    my ($gap, $before) = (0, $moment);
    for (map { $_->[0] } grep { $_->[0] > $moment } acknowledged()) {
        $gap = $_ - $before if $_ - $before > $gap;
        $before = $_;
    }
    cmp_ok($gap, '<', 30, sprintf '%s: no booking for %.1f s', $what, $gap);
    note("no booking for $gap s");
}

wait_for { acknowledged() >= 30 } logs('bookings');

# The standby gets nothing for a moment: what were acknowledged now would be
# lost with the primary.
my ($receiver) = grep { slurp("/proc/$_/cmdline") =~ /walreceiver/ }
    Appt::Cluster::_children(server_pid('db2'));
kill STOP => $receiver;
my $moment = time;
my $many   = acknowledged() + 20;
wait_for { acknowledged() > $many || time > $moment + 1 } 'a moment';

my $old = server_pid('db1');
kill STOP => $old, $patroni{db1}->pid;
$_->kill9 for $patroni{db1}, $etcd{db1};
kill KILL => $old, Appt::Cluster::_children($old);
kill $_ => $receiver for qw(TERM CONT);
wait_for { plays('db2', 'primary') } logs('the standby to take over'), 60;
gap_after($moment, 'the primary\'s machine is lost');

start_etcd('db1');
start_patroni('db1');
wait_for { plays('db1', 'synchronous') } logs('it to come back'), 60;
pass('it comes back as the synchronous standby');

# Its server runs on, a primary that nobody watches.
$moment = time;
$patroni{db2}->kill9;
wait_for { plays('db1', 'primary') } logs('the standby to take over'), 60;
gap_after($moment, 'the primary\'s Patroni is killed');
start_patroni('db2');
wait_for { plays('db2', 'synchronous') } logs('it to come back'), 60;
pass('it comes back, too');

# ---- what became of them ------------------------------------------------------

write_file("$dir/enough", '');
waitpid $_, 0 for splice @booker;
my @all = acknowledged();
is_deeply([ grep { $_->[1] != 201 } @all ], [],
    'each booking was acknowledged in the end');
my $ids = join ',', map {"'$_->[2]'"} @all;
is(psql("SELECT count(*) FROM appt.appointment
    WHERE status = 'booked' AND appointment_id IN ($ids)"), scalar @all,
    @all . ' acknowledged bookings are there');
is(psql("SELECT count(*) FROM appt.appointment
    WHERE patient_id > 'PAT-2026-1'"), scalar @all, 'and no others');
is(psql('SELECT count(*) FROM (SELECT FROM appt.appointment
    WHERE token_number IS NOT NULL GROUP BY doctor_id, token_date, token_number
    HAVING count(*) > 1) AS t'), 0, 'no number was given twice');
my %told;
wait_for {
    $told{ $_->{json}{data}{appointment_id} } = 1 for grep {
        $_->{json}{event} eq 'appointment.booked' } $sink->requests;
    !grep { !$told{ $_->[2] } } @all;
} logs('each booking to be told of'), 60;
pass('each is told of');
ok($gateway->alive && $relay->alive, 'by the same two programs');

done_testing();
