#!/usr/bin/perl
#
# The cancellation of an abandoned request comes late, when what it was to cancel
# is long done: it meets nobody else's request on that connection.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Raw;
use Appt::Util qw(temp_dir wait_for);
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0);
my $cluster = $clinic->cluster;
my $dir     = temp_dir();
my $held    = "$dir/held";         # a cancellation is, until this is gone

# ---- the wire -----------------------------------------------------------------

# Passes bytes on until a side closes.
sub pass_on {
    my ($client, $server) = @_;
    my $select = IO::Select->new($client, $server);
    while (1) {
        for my $from ($select->can_read) {
            sysread($from, my $bytes, 65536) or return;
            syswrite $from == $client ? $server : $client, $bytes;
        }
    }
}

# A connection's first message says whether it is there to cancel.
sub wire {
    my ($client) = @_;
    sysread($client, my $first, 65536) or return;
    my ($size, $code) = unpack 'NN', $first;
    if ($size == 16 && $code == 80877102) {
        open my $fh, '>', $held or die $!;
        close $fh;
        sleep 0.02 while -e $held;
    }
    my $server = IO::Socket::UNIX->new(
        Peer => $cluster->host . '/.s.PGSQL.' . $cluster->port) or return;
    syswrite $server, $first;
    pass_on($client, $server);
}

my $listener = IO::Socket::UNIX->new(Listen => 20,
    Local => "$dir/.s.PGSQL." . $cluster->port) or die $!;
my $proxy = fork // die $!;
if ($proxy == 0) {
    $SIG{CHLD} = 'IGNORE';
    while (my $client = $listener->accept) {
        next if fork;
        wire($client);
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}
close $listener;
END { local $?; kill 'TERM', $proxy if $proxy }

# ---- the requests -------------------------------------------------------------

(my $dsn = $cluster->dsn(user => 'bioecko_gateway')) =~ s/host=\S+/host=$dir/;
my $gateway = $clinic->{gateway} = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_DSN => $dsn, APPT_WRITE_CONNECTIONS => 1,
        APPT_STATEMENT_TIMEOUT_MS => 60000, APPT_LOCK_TIMEOUT_MS => 60000,
        APPT_QUEUE_TIMEOUT_MS => 10000 });
my $raw = Appt::Raw->new(port => $gateway->port);
my $token = $clinic->http->{token};

# Asks for a list and does not wait for it.
sub ask {
    my $socket = $raw->connection;
    print {$socket} 'GET /api/v1/appointments?doctor_id=DOC-001'
        . "&date_from=2026-03-01&date_to=2026-03-31 HTTP/1.1\r\n"
        . "Host: localhost\r\nAuthorization: Bearer $token\r\n\r\n";
    return $socket;
}

sub at_work { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
    WHERE usename = 'bioecko_gateway' AND state = 'active'
        AND wait_event_type = 'Lock'}) }

my $holder = $cluster->connect;
my $lock = 'BEGIN; LOCK TABLE appt.appointment IN ACCESS EXCLUSIVE MODE';

$holder->do($lock);
my $gone = ask();
wait_for { at_work() == 1 } 'it to wait for a lock';
close $gone;
wait_for { -e $held } 'its cancellation';
$holder->do('ROLLBACK');
wait_for { at_work() == 0 } 'it to be done all the same';

$holder->do($lock);
my $next = ask();
sleep 0.5;
is(at_work(), 0, 'nothing is sent while a cancellation is under way');
unlink $held;
ok((eval { wait_for { at_work() == 1 } 'the next' }), 'and then the next is');
$holder->do('ROLLBACK');
like(scalar $raw->drain($next, 10), qr{^HTTP/1\.1 200 }, 'which has its answer');

done_testing;
