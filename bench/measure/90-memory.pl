# What the gateway holds while a thousand clients keep their connections open,
# each after one slot list.

package Bench::Measure::Memory;

use strict;
use warnings;
use Appt::Util qw(slurp);
use Bench::Http qw(gateway);
use IO::Socket::INET;

sub resident_mb {
    my ($pid) = @_;
    my ($kb) = slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m;
    return $kb / 1024;
}

# One request on a connection that stays open; its answer's status.
sub ask {
    my ($socket, $request) = @_;
    syswrite $socket, $request;
    my $answer = '';
    until ($answer =~ /\r\n\r\n/) {
        sysread $socket, $answer, 65536, length $answer or return 0;
    }
    my ($length) = $answer =~ /^Content-Length: (\d+)/mi;
    my $whole = index($answer, "\r\n\r\n") + 4 + $length;
    while (length $answer < $whole) {
        sysread $socket, $answer, 65536, length $answer or return 0;
    }
    return $answer =~ m{^HTTP/1.1 (\d+)} ? $1 : 0;
}

sub {
    my ($place, $table, $given) = @_;
    my $gateway = gateway($place);
    my $pid = $gateway->{program}->pid;
    my $before = resident_mb($pid);
    my ($date) = split / /, $place->cluster->psql('SELECT CURRENT_DATE + 3');
    my $request = 'GET /api/v1/appointments/slots?doctor_id=DOC-0001'
        . "&date=$date&branch_id=MUM-01 HTTP/1.1\r\nHost: x\r\n"
        . "Authorization: Bearer $gateway->{token}\r\n\r\n";
    my @socket;
    for (1 .. 1000) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $gateway->{program}->port) or die "connect: $!\n";
        my $status = ask($socket, $request);
        die "the slot list answers $status\n" if $status != 200;
        push @socket, $socket;
    }
    my $resident = resident_mb($pid);
    die "connections were closed\n"
        if grep { ask($_, $request) != 200 } @socket[0, 499, 999];
    $table->row(what => 'gateway, 1,000 idle connections, resident',
        against => 'before them', unit => ' MB', value => $resident,
        base => $before, judge => $resident,
        must => '<= 40', aim => '<= 20');
};
