# What bookings feel of an address that sends bad access tokens on 900
# connections, each as soon as the last was answered: their p99 beside that of
# the same bookings in quiet. The bookings are one's at a desk: a connection for
# each loop, the next when the last is there.

package Bench::Measure::Strangers;

use strict;
use warnings;
use Appt::Http;
use Appt::Process;
use Appt::Util qw(wait_for);
use Bench::Http qw(gateway wrk);
use Bench::Rounds qw(interleave median ratio);

my $CONNECTIONS = 900;

sub book {
    my ($place, $gateway, $seconds) = @_;
    return wrk($place, $gateway, script => 'book', clients => 2,
        seconds => $seconds,
        base => $place->take('slots', 10000 * ($seconds + 1)))->{p99_ms};
}

# They have spent what an address may before it is measured what that costs.
sub storm {
    my ($place, $gateway) = @_;
    my $storm = Appt::Process->start(
        name => 'strangers', stop_signal => 'INT',
        log => $place->directory . '/strangers.log',
        command => ['wrk', '-t', 1, '-c', $CONNECTIONS, '-d', '600s',
            '--timeout', '30s', '-s', "$place->{scripts}/wrk/strangers.lua",
            $gateway->{url}]);
    my $http = Appt::Http->new($gateway->{url}, token => 'not.a.token');
    wait_for { $http->get('/api/v1/queue')->{status} == 429 }
        'the address to have spent its budget', 60;
    my $metrics = $http->get('/healthz')->{status};
    die "the strangers ended\n" unless $storm->alive && $metrics == 200;
    return $storm;
}

sub {
    my ($place, $table, $given) = @_;
    my $gateway = gateway($place);
    my $seconds = $given->{SECONDS} + 1;
    book($place, $gateway, 2);
    my %got = interleave($given->{ROUNDS},
        quiet => sub { book($place, $gateway, $seconds) },
        storm => sub {
            my $storm = storm($place, $gateway);
            my $p99 = book($place, $gateway, $seconds);
            die "the strangers ended\n" unless $storm->alive;
            $storm->stop;
            return $p99;
        });
    $table->row(what => "booking's p99, $CONNECTIONS connections of bad tokens",
        against => 'in quiet', unit => ' ms', value => median(@{ $got{storm} }),
        base => median(@{ $got{quiet} }), ratio => ratio(\%got, 'storm', 'quiet'),
        must => '<= 3', aim => '<= 1.5');
};
