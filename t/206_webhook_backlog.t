#!/usr/bin/perl
#
# A fresh event goes within moments though a great many old ones wait, at its
# own endpoint or at others; and the old ones go on meanwhile.
#
# APPT_TEST_BACKLOG=1000000 makes it a million.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic hurried bulk_events states);
use Appt::Util qw(patience wait_for);
use Time::HiRes qw(sleep time);

my $count   = $ENV{APPT_TEST_BACKLOG} // 100_000;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $webhook_id = $clinic->webhook->{webhook_id};
my $other = $cluster->value('SELECT webhook_id FROM appt.create_webhook($1)',
    $sink->url('/other'));

bulk_events($clinic, webhook_id => $webhook_id, count => $count,
    age => '1 hour');
$sink->behave(path => '/hook', delay => 0.01);
my $relay = $clinic->start_relay(env => hurried(
    APPT_RELAY_TIMEOUT_MS => 15000, APPT_RELAY_LEASE_MS => 60000));
wait_for { (states($clinic)->{delivered} // 0) > 100 } 'the queue to move', 30;

# Seconds until a ping sent now has been delivered.
sub ping_takes {
    my ($id) = @_;
    my $from = time;
    my $ping = $cluster->row('SELECT * FROM appt.ping_webhook($1)', $id);
    (my $number = $ping->{delivery_id}) =~ s/^dlv_//;
    wait_for {
        $cluster->value('SELECT state FROM appt.delivery WHERE delivery_no = $1',
            $number) eq 'delivered';
    } 'the ping to be delivered', 30;
    return time - $from;
}

for my $where ([$webhook_id, 'the endpoint of the backlog'],
    [$other, 'another endpoint'])
{
    my ($id, $name) = @$where;
    my @took = sort { $a <=> $b } map { ping_takes($id) } 1 .. 5;
    # The fifth may fall into a moment in which the machine was elsewhere.
    cmp_ok($took[-2], '<', patience(5), "a fresh event at $name: within 5 s");
    note sprintf '%s: median %.2f s, longest %.2f s', $name, @took[2, 4];
}

my $states = states($clinic);
cmp_ok($states->{pending}, '>', $count / 2, 'the backlog is still there');

my $old = sub {
    return $cluster->value(q{SELECT count(*) FROM appt.delivery
        WHERE state = 'delivered' AND created_at < now() - interval '30 min'});
};
my $before = $old->();
wait_for { $old->() > $before } 'old ones to go on', 10;
pass('old ones are not starved');

my ($oldest) = map { $_->{n} } @{ $cluster->query(q{SELECT count(*) AS n
    FROM (SELECT state FROM appt.delivery WHERE appointment_no < 0
        ORDER BY due_at, delivery_no LIMIT 20) o WHERE state = 'delivered'}) };
cmp_ok($oldest, '>', 0, 'the oldest among them');

ok($relay->stop, 'the relay stops when it is told to');
done_testing;
