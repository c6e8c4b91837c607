# From a booking's commit to its webhook's arrival, where nothing else goes on:
# booked over HTTP, counted from the answer, which follows the commit at once.

package Bench::Measure::Latency;

use strict;
use warnings;
use Appt::Http;
use Appt::Util qw(wait_for);
use Bench::Http qw(gateway);
use Bench::Rounds qw(median);
use Bench::Webhook qw(sink endpoint no_endpoint relay);
use Time::HiRes qw(sleep time);

sub book {
    my ($place, $http, $n) = @_;
    my $slot = int($n / 200) % 48;
    my $from = $place->{t0} + int($n / 9600) * 86400 + $slot * 600
        + ($slot >= 24 ? 3600 : 0);
    my ($start, $end) = map {
        my @t = gmtime($_ + 19800);
        sprintf '%04d-%02d-%02dT%02d:%02d:%02d+05:30', $t[5] + 1900,
            $t[4] + 1, @t[3, 2, 1, 0];
    } $from, $from + 600;
    my $doctor = 1 + $n % 200;
    return $http->post('/api/v1/appointments', {
        patient_id => sprintf('PAT-2026-%05d', 1 + $n % 49900),
        doctor_id  => sprintf('DOC-%04d', $doctor),
        branch_id  => $doctor % 2 ? 'MUM-01' : 'DEL-01',
        slot_start => $start, slot_end => $end,
        visit_type => 'follow_up' });
}

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
        my $r = book($place, $http, $n);
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
