# What bookings feel of an API client that pulls the longest lists on sixteen
# connections, each as soon as the last is there: their p99 beside that of the
# same bookings in quiet. The bookings are one's at a desk: a connection for each
# loop, the next when the last is there.

package Bench::Measure::Lists;

use strict;
use warnings;
use Appt::Http;
use Appt::Process;
use Bench::Http qw(gateway wrk token);
use Bench::Rounds qw(interleave median ratio);

my $CONNECTIONS = 16;

sub book {
    my ($place, $gateway, $seconds) = @_;
    return wrk($place, $gateway, script => 'book', clients => 2,
        seconds => $seconds,
        base => $place->take('slots', 10000 * ($seconds + 1)))->{p99_ms};
}

# Lists that were answered so far, by the gateway's own account.
sub answered {
    my ($gateway) = @_;
    my $metrics = Appt::Http->new($gateway->{url})->get('/metrics')->{body};
    my $n = 0;
    $n += $1 while $metrics
        =~ /^appt_requests_total\{method="GET",[^}]*status="200"\} (\d+)/mg;
    return $n;
}

sub puller {
    my ($place, $gateway, $token) = @_;
    return Appt::Process->start(
        name => 'lists', stop_signal => 'INT',
        log => $place->directory . '/lists.log',
        command => ['wrk', '-t', 1, '-c', $CONNECTIONS, '-d', '600s',
            '--timeout', '30s', '-s', "$place->{scripts}/wrk/lists.lua",
            $gateway->{url}, '--', $token, time]);
}

sub {
    my ($place, $table, $given) = @_;
    my $gateway = gateway($place);
    my $seconds = $given->{SECONDS} + 1;
    my $reader = $place->cluster->row('SELECT client_id, client_secret FROM '
        . 'appt.create_client(name => $1, scopes => $2, '
        . 'requests_per_minute => $3)',
        'Lists', ['appointments:read'], 10_000_000);
    my $token = token({ client => $reader }, $gateway->{url});
    book($place, $gateway, 2);
    my %got = interleave($given->{ROUNDS},
        quiet => sub { book($place, $gateway, $seconds) },
        lists => sub {
            my $before = answered($gateway);
            my $puller = puller($place, $gateway, $token);
            my $p99 = book($place, $gateway, $seconds);
            die "the lists ended\n"
                unless $puller->alive && answered($gateway) - $before > $seconds;
            $puller->stop;
            return $p99;
        });
    $table->row(what => "booking's p99, $CONNECTIONS connections of long lists",
        against => 'in quiet', unit => ' ms', value => median(@{ $got{lists} }),
        base => median(@{ $got{quiet} }), ratio => ratio(\%got, 'lists', 'quiet'),
        must => '<= 3', aim => '<= 1.5');
};
