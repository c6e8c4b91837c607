#!/usr/bin/perl
#
# Reads share connections, and one that fails takes nobody with it; with a
# standby for reads, the primary serves them while the standby is away.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(free_port wait_for);
use IO::Select;
use IO::Socket::INET;

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30', env =>
    { APPT_RATE_LIMIT => 0, APPT_READ_CONNECTIONS => 1,
        APPT_WRITE_CONNECTIONS => 4 });
my $http = $clinic->http;

# Many requests on many connections at once; how often each status came.
sub storm {
    my ($gateway, @path) = @_;
    my (%count, %text);
    my $select = IO::Select->new;
    for my $n (0 .. 29) {
        my $socket = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $gateway->port) or die $!;
        my $path = $path[ $n % @path ];
        print {$socket} "GET $path HTTP/1.1\r\nHost: x\r\n"
            . "Authorization: Bearer $http->{token}\r\n\r\n" x 1
            . join('', map { "GET $path HTTP/1.1\r\nHost: x\r\n"
            . "Authorization: Bearer $http->{token}\r\n\r\n" } 1 .. 38)
            . "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            . "Authorization: Bearer $http->{token}\r\n\r\n";
        $select->add($socket);
        $text{$socket} = [ $path, '' ];
    }
    while ($select->count && (my @ready = $select->can_read(10))) {
        for my $socket (@ready) {
            sysread($socket, $text{$socket}[1], 65536,
                length $text{$socket}[1]) or $select->remove($socket);
        }
    }
    for my $pair (values %text) {
        $count{"$pair->[0] $_"}++ for $pair->[1] =~ m{HTTP/1\.1 (\d+) }g;
    }
    return \%count;
}

my $good = '/api/v1/appointments/slots?doctor_id=DOC-001&date=2026-03-16'
    . '&branch_id=MUM-01';
my $bad  = '/api/v1/appointments/APT-2026-999999';
is_deeply(storm($clinic->gateway, $good, $bad, $bad),
    { "$good 200" => 400, "$bad 404" => 800 },
    'every good read is answered among many that fail');

# ---- a standby for reads ----------------------------------------------------

my $cluster = $clinic->cluster;
my $nowhere = free_port();
my $gateway = Appt::Gateway->new(cluster => $cluster, env =>
    { APPT_READ_DSN => "host=127.0.0.1 port=$nowhere user=bioecko_gateway" });
my $reader = Appt::Http->new($gateway->url, token => $http->{token});
is($reader->get($good)->{status}, 200,
    'the primary answers reads while the standby is away');

my $both = Appt::Gateway->new(cluster => $cluster, env => { APPT_READ_DSN =>
    $cluster->dsn(user => 'bioecko_gateway') . ' application_name=standby' });
$reader = Appt::Http->new($both->url, token => $http->{token});
is($reader->get($good)->{status}, 200, 'and the standby when it is there');
is($cluster->value(q{SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'standby'}), 6, 'which has the reads: two '
    . 'connections for quick ones, half as many as for writes for lists');

# ---- several hosts ----------------------------------------------------------

my $dsn = $cluster->dsn(user => 'bioecko_gateway');
$dsn =~ s/host=(\S+)/host=127.0.0.1,$1/;
$dsn =~ s/port=(\S+)/port=$nowhere,$1/;
my $third = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_DSN => "$dsn target_session_attrs=read-write" });
$reader = Appt::Http->new($third->url, token => $http->{token});
is($reader->get($good)->{status}, 200,
    'of two hosts the one that can be written is taken');

done_testing();
