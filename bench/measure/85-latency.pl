# From a booking's commit to its webhook's arrival, where nothing else goes on:
# booked over HTTP, counted from the answer, which follows the commit at once.

package Bench::Measure::Latency;

use strict;
use warnings;
use Appt::Http;
use Appt::Util qw(wait_for);
use Bench::Http qw(gateway book_one);
use Bench::Rounds qw(median);
use Bench::Webhook qw(sink endpoint no_endpoint relay);
use Time::HiRes qw(sleep time);

sub {
    my ($place, $table, $given) = @_;
    my $sink = sink($place);
    endpoint($place, $sink);
    my $gateway = gateway($place);
    my $relay = relay($place);
    my $http = Appt::Http->new($gateway->{url}, token => $gateway->{token});
    my $count = 60 * $given->{SECONDS};
    my $base = $place->take('slots', $count);

    my %answered;
    for my $n ($base .. $base + $count - 1) {
        my $r = book_one($place, $http, $n);
        my $now = time;
        die "a booking: $r->{status} $r->{body}\n" if $r->{status} != 201;
        $answered{ $r->{json}{appointment_id} } = $now * 1e6;
        sleep 0.03 + rand 0.03;
    }
    wait_for { ($sink->count)[0] >= $count } "$count webhooks";
    my %came = $sink->arrivals;
    my @ms = sort { $a <=> $b } map {
        my $us = ($came{$_} // die "no webhook of $_\n") - $answered{$_};
        $us > 0 ? $us / 1000 : 0;
    } keys %answered;
    $relay->stop;
    no_endpoint($place);
    my $p99 = $ms[ int(0.99 * $#ms) ];
    $table->row(what => 'commit to request at the receiver, p99',
        against => 'median beside it', unit => ' ms', value => $p99,
        base => median(@ms), judge => $p99, must => '<= 50', aim => '<= 10');
};
