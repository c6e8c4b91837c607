#!/usr/bin/perl
#
# The wire between gateway and database is cut behind each message of the
# server's answer to a booking: its outcome is unknown then, which is said, and
# a retry with the same key gives the one booking there is.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Process;
use Appt::Util qw(slurp temp_dir wait_for);
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0);
my $cluster = $clinic->cluster;
my $dir     = temp_dir();
my $order   = "$dir/order";        # how many messages may pass; "": all
my $log     = "$dir/passed";       # the messages that passed then

# ---- the wire -----------------------------------------------------------------

sub say_to { my ($file, $text) = @_;
    open my $fh, '>', "$file.$$" or die $!; print {$fh} $text; close $fh;
    rename "$file.$$", $file or die $! }

# Passes bytes on until a booking is asked for; then message by message. (The
# gateway also looks whether it could be, by a statement without a name.)
sub wire {
    my ($client, $server) = @_;
    my ($asked, $left, $rest, $passed) = ('', undef, '', '');
    my $select = IO::Select->new($client, $server);
    while (1) {
        for my $from ($select->can_read) {
            sysread($from, my $bytes, 65536) or POSIX::_exit(0);
            if ($from == $client) {
                $asked .= $bytes;
                $left //= slurp($order)
                    if $asked =~ /s\d+\0SELECT [^\0]*appt_api\.book\(/;
                syswrite $server, $bytes;
            }
            elsif (($left // '') eq '') { syswrite $client, $bytes }
            else {
                $rest .= $bytes;
                while (length $rest >= 5) {
                    my ($type, $size) = unpack 'aN', $rest;
                    last if length $rest < $size + 1;
                    POSIX::_exit(0) if $left-- == 0;
                    syswrite $client, substr $rest, 0, $size + 1, '';
                    say_to($log, $passed .= $type);
                }
            }
        }
    }
}

my $listener = IO::Socket::UNIX->new(Listen => 20,
    Local => "$dir/.s.PGSQL." . $cluster->port) or die $!;
my $proxy = fork // die $!;
if ($proxy == 0) {
    $SIG{CHLD} = 'IGNORE';
    while (my $client = $listener->accept) {
        next if fork;
        my $server = IO::Socket::UNIX->new(Peer =>
            $cluster->host . '/.s.PGSQL.' . $cluster->port) or POSIX::_exit(1);
        wire($client, $server);
    }
    POSIX::_exit(0);
}
close $listener;
END { local $?; kill 'TERM', $proxy if $proxy }

# ---- the bookings -------------------------------------------------------------

(my $dsn = $cluster->dsn(user => 'bioecko_gateway')) =~ s/host=\S+/host=$dir/;
my $gateway = $clinic->{gateway} = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_DSN => $dsn, APPT_WRITE_CONNECTIONS => 1,
        APPT_QUEUE_TIMEOUT_MS => 5000 });
my $http = $clinic->http;
my @free = @{ $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    date => '2026-03-16', branch_id => 'MUM-01' })->{json} };

sub book {
    my ($n) = @_;
    return $http->post('/api/v1/appointments', {
        patient_id => sprintf('PAT-2026-%05d', 120 + $n),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $free[$n]{start_time} }, { 'Idempotency-Key' => "cut-$n" });
}

# The write connection is a new one each time, which the last cut has seen to.
my $n = 0;
while (1) {
    say_to($order, $n);
    say_to($log, '');
    my $r = book($n);
    my $passed = slurp($log);
    last if $r->{status} == 201;
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 503, 'unavailable' ],
        "cut behind \"$passed\"");
    like($r->{json}{detail}, qr/is not known/, 'that it is unknown is said');
    say_to($order, '');
    is(book($n)->{status}, 201, 'the retry has it');
    is($cluster->value('SELECT count(*) FROM appt.appointment
        WHERE slot_start = $1 AND doctor_id = $2', $free[$n]{start_time},
        'DOC-001'), 1, 'once');
    # The retry's connection has the statement prepared: a new one, please.
    $cluster->psql("SELECT pg_terminate_backend(pid, 30000)
        FROM pg_stat_activity WHERE usename = 'bioecko_gateway'");
    wait_for { $http->get('/readyz')->{status} == 200 } 'the gateway to be back';
    last if ++$n == @free;
}
# Behind them may be what the gateway asked on its own account.
ok((eval { wait_for { slurp($log) =~ /DCZ/ } 'the last message' }),
    'no message was left out') or diag slurp($log);

done_testing();
