# The relay: events that wait in the table until they are answered 2xx, against
# libcurl alone posting as many bodies over as many connections to the same
# sink.

package Bench::Measure::Relay;

use strict;
use warnings;
use Appt::Util qw(run_command wait_for);
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);
use Bench::Webhook qw(sink endpoint no_endpoint relay tool);

my $CONNECTIONS = 10;    # the relay's default for an endpoint

# So many bookings, their deliveries waiting.
sub make_events {
    my ($place, $count) = @_;
    $place->cluster->psql('TRUNCATE appt.delivery, appt.delivery_attempt');
    pgbench($place, script => 'book', clients => 16,
        transactions => $count / 16,
        options => { synchronous_commit => 'off' },
        set => { base => $place->take('slots', $count) });
    my $waiting = $place->cluster->psql(
        "SELECT count(*) FROM appt.delivery WHERE state = 'pending'");
    die "$waiting deliveries wait, not $count\n" if $waiting != $count;
}

# Deliveries a second from the first arrival to the last; all are marked.
sub relay_rate {
    my ($place, $sink, $count) = @_;
    make_events($place, $count);
    $sink->reset;
    my $relay = relay($place);
    wait_for { ($sink->count)[0] >= $count } "$count webhooks", 120;
    my ($came, $first, $last) = $sink->count;
    wait_for {
        $place->cluster->psql("SELECT count(*) FROM appt.delivery "
                . "WHERE state = 'delivered'") == $count
    } 'all deliveries to be marked', 30;
    die "$came webhooks came for $count events\n" if $came != $count;
    $relay->stop;
    return ($count - 1) * 1e6 / ($last - $first);
}

sub curl_rate {
    my ($sink, $count) = @_;
    my ($code, $out, $err) = run_command(
        [tool('post'), $sink->url, $count, $CONNECTIONS]);
    die "post: $err" if $code;
    my ($done, $seconds) = split ' ', $out;
    return $done / $seconds;
}

sub {
    my ($place, $table, $given) = @_;
    my $sink = sink($place);
    endpoint($place, $sink);
    my $count = 16 * 250 * $given->{SECONDS};
    my %got = interleave($given->{ROUNDS},
        curl  => sub { curl_rate($sink, $count) },
        relay => sub { relay_rate($place, $sink, $count) });
    no_endpoint($place);
    $table->row(what => 'relay, events to 2xx, one endpoint',
        against => "curl multi, $CONNECTIONS connections", unit => '/s',
        value => median(@{ $got{relay} }), base => median(@{ $got{curl} }),
        ratio => ratio(\%got, 'relay', 'curl'),
        must => '>= 0.4', aim => '>= 0.7');
};
