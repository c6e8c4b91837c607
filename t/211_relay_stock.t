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
use Appt::Util qw(wait_for);
use HTTP::Tiny;
use Time::HiRes qw(sleep time);

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

# Requests after what has just been changed has had its moment.
sub requests_later {
    sleep 1.5;
    my @before = $sink->requests;
    sleep 0.5;
    my @all = $sink->requests;
    return @all[scalar @before .. $#all];
}

subtest 'killed with a deep stock' => sub {
    load(3000);
    $sink->behave(delay => 0.005);
    my $relay = relay(APPT_RELAY_TIMEOUT_MS => 1000,
        APPT_RELAY_LEASE_MS => 3000);
    wait_for_stock(60);
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
    wait_for_stock(60);
    my $from = time;
    ok($relay->stop, 'it stops');
    cmp_ok(time - $from, '<', 5, 'soon');
    is(leased(), 0, 'and has given back what it had');
    $relay = relay(%patient);
    is(copies(3000), 1, 'nothing comes twice');
    $relay->stop;
};

subtest 'what is in stock is sent in its turn' => sub {
    load(8000);
    $sink->behave(delay => 0.01);
    my $relay = relay(APPT_RELAY_TIMEOUT_MS => 1000,
        APPT_RELAY_LEASE_MS => 5000);
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
    for (1 .. 40) {
        my $now = leased();
        $most = $now if $now > $most;
        sleep 0.1;
    }
    cmp_ok($most, '<=', 10, 'no more are leased than may be under way');
    is($most, 10, 'and no fewer');
    $sink->behave;
    $relay->stop;
};

subtest 'a receiver that becomes slow' => sub {
    load(5000);
    $sink->behave(delay => 0.002);
    my $relay = relay(%patient);
    wait_for_stock(150);
    $sink->behave(delay => 3);
    wait_for { return leased() <= 100 } 'what waits at the relay to be given back', 10;
    pass('what waits at the relay is given back');
    $sink->behave;
    is(copies(5000), 1, 'and comes later, once');
    $relay->stop;
};

subtest 'what changes counts for the stock' => sub {
    my $relay = relay(%patient);
    load(30000);
    $sink->behave(delay => 0.02);
    wait_for_stock(100);
    my $fresh = $cluster->value(
        'SELECT secret FROM appt.rotate_webhook_secret($1, overlap => $2)',
        $webhook_id, '0 s');
    my @later = requests_later();
    my @stale = grep { $_->{headers}{'x-bio-ecko-signature'}
            ne published_signature($fresh, $_->{raw}) } @later;
    cmp_ok(@later, '>', 20, 'requests go on after the secret was rotated');
    is(@stale, 0, 'and are signed by the new one');

    $cluster->psql('UPDATE appt.webhook SET version = version + 1, url = '
        . "'@{[$sink->url('/elsewhere')]}' WHERE webhook_id = '$webhook_id'");
    @later = requests_later();
    cmp_ok(@later, '>', 20, 'requests go on after the URL was changed');
    is((grep { $_->{path} ne '/elsewhere' } @later), 0, 'to the new one');

    wait_for_stock(100);
    $cluster->query('SELECT appt.disable_webhook($1)', $webhook_id);
    @later = requests_later();
    is(@later, 0, 'disabled: none is sent');
    wait_for { return !grep { !/^(?:held|delivered)$/ } keys %{ states($clinic) } }
        'the rest to be held', 30;
    pass('the rest is held');
    ok($relay->stop, 'the relay stops');
    $cluster->query('SELECT appt.enable_webhook($1)', $webhook_id);
};

done_testing;
