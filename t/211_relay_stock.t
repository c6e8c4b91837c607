#!/usr/bin/perl
#
# A relay keeps a stock of what a fast receiver will take in the next moments.
# Killed with it nothing is lost, stopped it gives it back, a receiver that is
# or becomes slow has none lying at a relay, and what changes at an endpoint
# counts for what is in stock as well.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic hurried bulk_events states
    published_signature);
use Appt::Program;
use Appt::Util qw(patience wait_for);
use HTTP::Tiny;
use Time::HiRes qw(time);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $webhook_id = $clinic->webhook->{webhook_id};

# A lease that no test waits for.
my %patient = (APPT_RELAY_TIMEOUT_MS => 20000, APPT_RELAY_LEASE_MS => 60000);

sub load {
    my ($count) = @_;
    $sink->forget;
    $cluster->psql('DELETE FROM appt.delivery');
    bulk_events($clinic, webhook_id => $webhook_id, count => $count);
}

sub relay {
    return Appt::Relay->new(cluster => $cluster, env => hurried(@_));
}

sub leased { return states($clinic)->{in_flight} // 0 }

sub wait_for_stock {
    my ($least) = @_;
    wait_for { return leased() >= $least } "a stock of $least", 30;
}

# How often each event came, at most; and whether all have.
sub copies {
    my ($count) = @_;
    wait_for { (states($clinic)->{delivered} // 0) == $count }
        sub { "$count deliveries: " . join ' ', %{ states($clinic) } }, 60;
    my %came;
    $came{ $_->{headers}{'webhook-id'} }++ for $sink->requests;
    is(keys %came, $count, 'every event came');
    return (sort { $b <=> $a } values %came)[0];
}

# How many of the requests after the first of the new kind are not: those that
# were under way beside it, ten at once, and came later, however long the sink
# left one lying.
sub old_after {
    my ($is_new) = @_;
    my @request;
    wait_for {
        @request = $sink->requests;
        shift @request while @request && !$is_new->($request[0]);
        @request >= 60;
    } sub { 'requests of the new kind; there are ' . @request }, 60;
    return scalar grep { !$is_new->($_) } @request;
}

subtest 'killed with a deep stock' => sub {
    load(3000);
    $sink->behave(delay => 0.005);
    my $relay = relay(APPT_RELAY_TIMEOUT_MS => 1000,
        APPT_RELAY_LEASE_MS => 3000);
    wait_for_stock(25);
    $relay->kill9;
    my $left = leased();
    cmp_ok($left, '>', 10, "it leaves more than it may have under way: $left");
    $relay = relay(%patient);
    copies(3000);
    ok($relay->stop, 'another has delivered all of it');
};

subtest 'stopped with a deep stock' => sub {
    load(3000);
    $sink->behave(delay => 0.005);
    my $relay = relay(%patient);
    wait_for_stock(25);
    my $from = time;
    ok($relay->stop, 'it stops');
    cmp_ok(time - $from, '<', patience(5), 'soon');
    is(leased(), 0, 'and has given back what it had');
    $relay = relay(%patient);
    is(copies(3000), 1, 'nothing comes twice');
    $relay->stop;
};

subtest 'what is in stock is sent in its turn' => sub {
    load(8000);
    $sink->behave(delay => 0.01);
    my $relay = relay(APPT_RELAY_TIMEOUT_MS => 5000,
        APPT_RELAY_LEASE_MS => 9000);
    is(copies(8000), 1, 'everything comes once');
    my $metrics = HTTP::Tiny->new->get($relay->url . '/metrics')->{content};
    is(($metrics =~ /^bioecko_relay_leases_expired_total (\d+)$/m)[0], 0,
        'nothing lies there until its lease has run out');
    note $metrics =~ /^(bioecko_relay_released_total \d+)$/m;
    $relay->stop;
};

subtest 'a slow receiver has no stock' => sub {
    load(200);
    $sink->behave(delay => 1);
    my $relay = relay(%patient);
    my $most = 0;
    wait_for {
        my $now = leased();
        $most = $now if $now > $most;
        $sink->requests >= 40;
    } 'forty requests', 60;
    cmp_ok($most, '<=', 10, 'no more are leased than may be under way');
    is($most, 10, 'and no fewer');
    $sink->behave;
    $relay->stop;
};

subtest 'a receiver that becomes slow' => sub {
    load(5000);
    $sink->behave(delay => 0.002);
    my $relay = relay(%patient);
    wait_for_stock(25);
    $sink->behave(delay => 3);
    wait_for { return leased() <= 20 } 'what waits at the relay to be given back', 30;
    pass('what waits at the relay is given back');
    $sink->behave;
    is(copies(5000), 1, 'and comes later, once');
    $relay->stop;
};

subtest 'what changes counts for the stock' => sub {
    my $relay = relay(%patient);
    load(30000);
    $sink->behave(delay => 0.02);
    wait_for_stock(20);
    my $fresh = $cluster->value(
        'SELECT secret FROM appt.rotate_webhook_secret($1, overlap => $2)',
        $webhook_id, '0 s');
    my $is_fresh = sub { $_[0]{headers}{'x-bio-ecko-signature'}
        eq published_signature($fresh, $_[0]{raw}) };
    cmp_ok(old_after($is_fresh), '<', 10,
        'the secret rotated: requests are signed by the new one');

    $cluster->psql('UPDATE appt.webhook SET version = version + 1, url = '
        . "'@{[$sink->url('/elsewhere')]}' WHERE webhook_id = '$webhook_id'");
    my $is_moved = sub { $_[0]{path} eq '/elsewhere' };
    cmp_ok(old_after($is_moved), '<', 10,
        'the URL changed: requests go to the new one');

    wait_for_stock(20);
    $cluster->query('SELECT appt.disable_webhook($1)', $webhook_id);
    wait_for { return !grep { !/^(?:held|delivered)$/ } keys %{ states($clinic) } }
        'the rest to be held', 60;
    my %held = map { $_->{event_id} => 1 } @{ $cluster->query(q{
        SELECT event_id FROM appt.delivery JOIN appt.event USING (event_no)
        WHERE state = 'held'}) };
    cmp_ok(keys %held, '>', 1000, 'disabled: the rest is held');
    ok(!grep({ $held{ $_->{headers}{'webhook-id'} } } $sink->requests),
        'and none of it was sent');
    ok($relay->stop, 'the relay stops');
    $cluster->query('SELECT appt.enable_webhook($1)', $webhook_id);
};

done_testing;
