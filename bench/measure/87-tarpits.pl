# Forty endpoints that accept and say nothing, at a relay of twenty requests:
# what a booking then takes, and its webhook to a good endpoint.

package Bench::Measure::Tarpits;

use strict;
use warnings;
use Appt::Http;
use Appt::Util qw(wait_for);
use Bench::Http qw(gateway book_one);
use Bench::Rounds qw(interleave median ratio);
use Bench::Webhook qw(sink endpoint no_endpoint relay);
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $TARPITS  = 40;
my $REQUESTS = 20;

sub p99 { my @sorted = sort { $a <=> $b } @_; return $sorted[ int 0.99 * $#sorted ] }

# Of so many bookings, one after the other: what the slowest hundredth took, and
# from answer to webhook; milliseconds.
sub booked {
    my ($place, $http, $sink, $count) = @_;
    my $base = $place->take('slots', $count);
    $sink->reset;
    my (%answered, @took);
    for my $n ($base .. $base + $count - 1) {
        my $from = time;
        my $r = book_one($place, $http, $n);
        my $now = time;
        die "a booking: $r->{status} $r->{body}\n" if $r->{status} != 201;
        push @took, 1000 * ($now - $from);
        $answered{ $r->{json}{appointment_id} } = $now * 1e6;
        sleep 0.01 + rand 0.02;
    }
    wait_for { ($sink->count)[0] >= $count } "$count webhooks", 120;
    my %came = $sink->arrivals;
    my @late = map { ($came{$_} // die "no webhook of $_\n") - $answered{$_} }
        keys %answered;
    return { book => p99(@took), hook => p99(@late) / 1000 };
}

sub {
    my ($place, $table, $given) = @_;
    my $cluster = $place->cluster;
    # The kernel accepts for it; nobody ever reads.
    my $tar = IO::Socket::INET->new(Listen => 4096, LocalAddr => '127.0.0.1')
        or die "tarpit: $!\n";
    my $sink = sink($place);
    endpoint($place, $sink);
    my $gateway = gateway($place);
    my $relay = relay($place,
        env => { APPT_RELAY_MAX_IN_FLIGHT => $REQUESTS });
    my $http = Appt::Http->new($gateway->{url}, token => $gateway->{token});
    my $count = 60 * $given->{SECONDS};
    my $tarpits = sub {
        my ($status) = @_;
        $cluster->psql(join '', map { sprintf "SELECT appt.%s_webhook("
            . "webhook_id) FROM appt.webhook WHERE url LIKE '%%/tar/%%';",
            $_ } $status);
    };
    $cluster->psql("SELECT appt.create_webhook('http://127.0.0.1:"
        . $tar->sockport . "/tar/$_')") for 1 .. $TARPITS;
    booked($place, $http, $sink, 50);
    my %got = interleave($given->{ROUNDS},
        quiet => sub {
            $tarpits->('disable');
            booked($place, $http, $sink, $count) },
        tar => sub {
            $tarpits->('enable');
            booked($place, $http, $sink, $count) });
    $relay->stop;
    no_endpoint($place);
    my %book = map { my $side = $_;
        ($side => [map { $_->{book} } @{ $got{$side} }]) } keys %got;
    my $hook = median(map { $_->{hook} } @{ $got{tar} });
    $table->row(what => "booking beside $TARPITS tarpits, p99",
        against => 'without them', unit => ' ms', value => median(@{ $book{tar} }),
        base => median(@{ $book{quiet} }), ratio => ratio(\%book, 'tar', 'quiet'),
        must => '<= 3', aim => '<= 2');
    $table->row(what => 'its webhook to a good endpoint, p99',
        against => 'without them', unit => ' ms', value => $hook,
        base => median(map { $_->{hook} } @{ $got{quiet} }), judge => $hook,
        must => '<= 1000', aim => '<= 50');
};
