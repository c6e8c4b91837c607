#!/usr/bin/perl
#
# appt.health() as a monitoring system calls it, where one server is not
# enough to see it: with a relay, an unused replication slot, a standby; and on
# the standby itself, which answers without writing.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Process;
use Appt::Util qw(free_port run_command temp_dir wait_for);

my $c = Appt::Cluster->new(conf => { wal_level => 'replica',
    max_wal_senders => 4 })->create_extension->create_logins;
$c->psql('CREATE ROLE monitor LOGIN IN ROLE appt_admin');
$c->psql(q{INSERT INTO appt.branch (branch_id, name, time_zone)
    VALUES ('MUM-01', 'Andheri', 'Asia/Kolkata');
    INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-001', 'Dr Rao');
    INSERT INTO appt.patient (patient_id, first_name) VALUES ('PAT-1', 'Diya');
    SELECT appt.walk_in('PAT-1', 'DOC-001')});

sub check {
    my ($name, %dsn) = @_;
    my $row = $c->psql("SELECT ok, detail FROM appt.health() "
            . "WHERE check_name = '$name'", user => 'monitor', %dsn);
    return split /\|/, $row, 2;
}

my @unwell = split /\n/, $c->psql(
    'SELECT check_name FROM appt.health() WHERE NOT ok', user => 'monitor');
is_deeply(\@unwell, [], 'a new clinic is well');

subtest 'the relay' => sub {
    $c->psql(q{SELECT appt.create_webhook('https://receiver.example.org/')});
    is_deeply([check('relay')], ['f', 'connections of bioecko-relay: 0'],
        'there is an endpoint and no relay');
    my $relay = $c->connect(user => 'bioecko_relay');
    $relay->do(q{SET application_name = 'bioecko-relay'});
    is_deeply([check('relay')], ['t', 'connections of bioecko-relay: 1'],
        'a relay is connected, and a monitor without privileges sees it');
};

subtest 'a replication slot that nobody uses' => sub {
    $c->psql(q{SELECT pg_create_physical_replication_slot('gone', true)});
    is_deeply([check('replication_slots')],
        ['f', 'not in use and keeping WAL: gone'], 'is named');
    $c->psql(q{SELECT pg_drop_replication_slot('gone')});
    is((check('replication_slots'))[0], 't', 'is well when it is dropped');
};

subtest 'a transaction that somebody leaves open' => sub {
    my $other = $c->connect(user => 'bioecko_gateway');
    $other->begin_work;
    $other->do('SELECT 1');
    wait_for { (check('long_transactions'))[1] =~ /began: [1-9]/ }
        'the age of another login\'s transaction';
    pass('is seen, whosever it is');
    $other->rollback;
};

my $tmp  = temp_dir();
my $port = free_port();
my $standby = start_standby();

subtest 'with a standby' => sub {
    wait_for { (check('replication_lag'))[1] =~ /^standbys: 1;/ }
        'the standby to connect';
    is((check('replication_lag'))[0], 't', 'it keeps up');
};

subtest 'on the standby' => sub {
    local $c->{port}   = $port;
    local $c->{socket} = "$tmp/s";
    wait_for { ($c->try_psql('SELECT 1'))[0] == 0 } 'the standby';
    my ($ok, $detail) = check('replication_lag');
    is($ok, 't', 'it is well');
    like($detail, qr/^this server is a standby; seconds behind: /, $detail);
    is_deeply([check('relay')], ['t',
        'this server is a standby; relays connect to its primary'],
        'a relay is missed at the primary alone');
    my $rows = $c->psql('SELECT count(*) FROM appt.health()',
        user => 'monitor');
    is($rows, 20, 'every check answers');
    for my $view (qw(appointment utilisation no_show_rate queue_now)) {
        is($c->psql("SELECT count(*) FROM appt_report.$view",
            user => 'monitor'), 1, "$view can be read there");
    }
};

$standby->stop(signal => 'INT');
done_testing;

sub start_standby {
    my @as = ('setpriv', Appt::Process::as_user('postgres'), '--');
    mkdir "$tmp/$_" for qw(data s);
    if ($> == 0) {
        chown((getpwnam 'postgres')[2, 3], "$tmp/$_") for qw(data s);
    }
    chmod 0700, "$tmp/data", "$tmp/s";
    my ($code, $out, $err) = run_command([@as, "$c->{bindir}/pg_basebackup",
        '-d', $c->dsn(dbname => 'postgres'), '-D', "$tmp/data", '-R',
        '-X', 'stream', '-c', 'fast']);
    is($code, 0, 'a copy of the server') or diag $out, $err;
    open my $fh, '>>', "$tmp/data/postgresql.conf" or die "$!\n";
    print {$fh} "port = $port\nunix_socket_directories = '$tmp/s'\n";
    close $fh;
    return Appt::Process->start(
        name => 'standby', user => 'postgres', log => "$tmp/standby.log",
        command => ["$c->{bindir}/postgres", '-D', "$tmp/data"],
        stop_signal => 'INT', death_signal => 'QUIT');
}
