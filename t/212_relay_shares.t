#!/usr/bin/perl
#
# Receivers that say nothing, or take their time, keep no other waiting: forty
# of them at a relay of twenty requests, and a good one beside them, of before,
# new, or after the relay was started again.
#
# An attempt lasts a minute here: what had to wait for the end of one would not
# come in the time that is given.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic hurried bulk_events states);
use Appt::Sink;
use Appt::Util qw(wait_for);
use HTTP::Tiny;

my $REQUESTS = 20;
my $TARPITS  = 40;

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->{sink} = Appt::Sink->new;
my $http    = HTTP::Tiny->new(timeout => 5);
my %long = (APPT_RELAY_MAX_IN_FLIGHT => $REQUESTS,
    APPT_RELAY_TIMEOUT_MS => 60000, APPT_RELAY_LEASE_MS => 120000);

sub start { return $clinic->start_relay(env => hurried(%long, @_)) }

sub hook {
    my ($path) = @_;
    return $cluster->value('SELECT webhook_id FROM appt.create_webhook($1)',
        $sink->url($path));
}

sub metric {
    my ($name) = @_;
    my $text = $http->get($clinic->relay->url . '/metrics')->{content};
    return ($text =~ /^bioecko_relay_$name (\d+)$/m)[0];
}

# A ping there is delivered, while the others still hang.
sub pinged {
    my ($hook, $what) = @_;
    my $ping = $cluster->row('SELECT * FROM appt.ping_webhook($1)', $hook);
    (my $number = $ping->{delivery_id}) =~ s/^dlv_//;
    ok(eval { wait_for {
        $cluster->value('SELECT state FROM appt.delivery WHERE delivery_no = $1',
            $number) eq 'delivered' } 'the ping to be delivered', 20 }, $what)
        or diag $@;
    return;
}

my @tarpit;
my $good = hook('/good');

subtest 'a good one beside forty tarpits' => sub {
    start();
    pinged($good, 'it is good');
    $sink->behave(path => '/tar', hang => 1);
    @tarpit = map { hook("/tar/$_") } 1 .. $TARPITS;
    bulk_events($clinic, webhook_id => $_, count => 30) for @tarpit;
    wait_for { metric('sending_slow') >= $REQUESTS / 2 } 'half of the requests '
        . 'to be found slow', 30;
    pinged($good, "ping $_ is delivered") for 1 .. 5;
    # The last ping's request may still be counted.
    ok(eval { wait_for { metric('sending') <= $REQUESTS * 3 / 4 } 'the ping' },
        'the tarpits have their share and no more')
        or diag metric('sending');
    is($sink->requests(path => '/tar'), metric('sending'),
        'none of them has been given up meanwhile');
    my $leased = states($clinic)->{in_flight} // 0;
    cmp_ok($leased, '<=', 1.2 * $TARPITS, 'of each about one is leased');
};

subtest 'a relay that knows none of them yet' => sub {
    $clinic->relay->stop(seconds => 0.1);
    $cluster->psql(q{UPDATE appt.delivery SET due_at = now(), state = 'pending',
        relay_no = NULL, lease_until = NULL WHERE state = 'in_flight';
        UPDATE appt.webhook SET failing_since = now(), failures = 1
        WHERE url LIKE '%/tar/%'});
    $sink->forget;
    start();
    wait_for { metric('sending_slow') >= $REQUESTS / 2 } 'tarpits to hang', 30;
    is(metric('sending'), $REQUESTS / 2,
        'those that failed last have half from the start');
    pinged($good, "ping $_ is delivered") for 1 .. 3;
    my $new = hook('/new');
    pinged($new, 'so is that of one that is new');
    $cluster->query('SELECT appt.delete_webhook($1)', $new);
};

subtest 'slow answers that are good ones' => sub {
    $clinic->relay->stop(seconds => 0.1);
    $cluster->query('SELECT appt.delete_webhook($1)', $_) for @tarpit;
    $cluster->psql('DELETE FROM appt.delivery');
    $sink->behave;
    $sink->behave(path => '/slow', delay => 1.5);
    my @slow = map { hook("/slow/$_") } 1 .. 4;
    start();
    bulk_events($clinic, webhook_id => $_, count => 60) for @slow;
    my $most = 0;
    wait_for {
        my $now = metric('sending_slow');
        $most = $now if $now > $most;
        $sink->requests(path => '/slow') >= 40;
    } 'them to be at work', 60;
    cmp_ok($most, '<=', $REQUESTS / 2, "they have half and no more ($most)");
    pinged($good, 'a ping passes them');
    $sink->behave;
    wait_for { !grep { !/^delivered$/ } keys %{ states($clinic) } }
        'everything to be delivered', 60;
    pass('quick again, they get all of theirs');
    $cluster->query('SELECT appt.delete_webhook($1)', $_) for @slow;
};

subtest 'one that fails now and then is a good one' => sub {
    $sink->behave(path => '/tar', hang => 1);
    @tarpit = map { hook("/tar/$_") } 1 .. $TARPITS;
    bulk_events($clinic, webhook_id => $_, count => 5) for @tarpit;
    wait_for { metric('sending_slow') >= $REQUESTS / 2 } 'tarpits to hang', 30;
    for my $round (1 .. 3) {
        $sink->behave(path => '/good', status => 500, times => 1);
        pinged($good, "a ping that fails first is delivered ($round)");
    }
};

$clinic->relay->stop(seconds => 0.1);
done_testing;
