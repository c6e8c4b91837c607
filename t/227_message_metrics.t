#!/usr/bin/perl
#
# The relay's metrics and health of messages: what waits, what became of them
# by channel, state and reason, and which channel is out of order.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::Util qw(wait_for);
use HTTP::Tiny;
use JSON::PP ();

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $http    = HTTP::Tiny->new(proxy => undef, http_proxy => undef);
my $settings = JSON::PP->new->canonical->encode({ url => $sink->url('/sms'),
    body => { text => '{{body}}' } });
$cluster->query('INSERT INTO appt.notification_channel (channel_id, kind, '
    . 'settings) VALUES ($1, $2, $3)', 'sms-a.b', 'sms', $settings);
$cluster->psql(<<'SQL');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
	('notification_order', 'sms');
UPDATE appt.patient SET phone = '98765 43210';
SQL
my $relay = $clinic->start_relay(env => hurried(
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => '0,600,600',
    APPT_RELAY_PER_CHANNEL => 1, APPT_RELAY_TIMEOUT_MS => 60_000,
    APPT_RELAY_LEASE_MS => 70_000));

sub metrics { return $http->get($relay->url . '/metrics')->{content} }

# Waits for a line of the metrics.
sub shows {
    my ($line, $what) = @_;
    wait_for { metrics() =~ /^bioecko_relay_\Q$line\E$/m }
        sub { "$line, not\n" . metrics() };
    pass($what);
}

shows('channel_up{channel="sms-a.b"} 1', 'a channel that nothing is known of');
shows('messages_due{channel="-"} 0', 'nothing waits for a channel');
shows('messages_due{channel="sms-a.b"} 0', 'nor by it');

my ($first) = book($clinic, 1);
shows('messages_day{channel="sms-a.b",state="sent"} 1', 'one was sent');
$sink->behave(status => 400);
book($clinic, 2);
shows('messages_day{channel="sms-a.b",state="failed"} 2', 'two were refused');
shows('messages_failed_total 2', 'and are counted');

$cluster->psql(q{INSERT INTO appt.notification_opt_out (patient_id, channel,
    event, way) SELECT patient_id, '*', '*', 'desk' FROM appt.patient});
book($clinic, 3);
shows('messages_day{channel="-",state="skipped",reason="opted_out"} 3',
    'three did not want it: the reason');
$cluster->psql('DELETE FROM appt.notification_opt_out');

# A test counts nowhere.
my $no = $cluster->value(q{SELECT notification_no
    FROM appt.test_channel('sms-a.b', '9876543210')});
wait_for { $cluster->value(q{SELECT state FROM appt.notification
    WHERE notification_no = $1}, $no) eq 'failed' } 'a test to fail';

$sink->behave(status => 401);
book($clinic, 1);
shows('channel_up{channel="sms-a.b"} 0', 'a key that is not taken');
unlike(metrics(), qr/state="failed"\} 3/, 'a test is not among the failed');

# More than the relay takes for a provider that does not answer: the rest waits.
$cluster->psql(q{DELETE FROM appt.notification WHERE state = 'due'});
$sink->behave(hang => 1);
book($clinic, 40);
wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE state = 'due' AND channel_no <> 0}) } 'some to wait';
$cluster->psql(q{UPDATE appt.notification SET due_at = now()
    - interval '10 minutes' WHERE state = 'due'});
sub waiting {
    return $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE state = 'due'});
}
my $due = qr/^bioecko_relay_messages_due\{channel="sms-a\.b"\} ([1-9]\d*)$/m;
wait_for { metrics() =~ $due && $1 == waiting() } 'what waits to be counted';
pass('what waits for the channel');
wait_for {
    (metrics() =~ /^bioecko_relay_messages_oldest_due_seconds\{channel="sms-a
        \.b"\}\ (\S+)$/mx)[0] > 590;
} 'the age of what waits';
my $health = JSON::PP->new->decode($http->get($relay->url . '/healthz')
    ->{content});
cmp_ok($health->{messages_due}, '>', 0, 'health has it, too');
cmp_ok($health->{messages_oldest_due_s}, '>', 590, 'and how long it waits');

my %type = metrics() =~ /^# TYPE (\S+) (\S+)$/mg;
is_deeply([ map { $type{"bioecko_relay_$_"} } qw(messages_day messages_due
    messages_oldest_due_seconds channel_up) ], [ ('gauge') x 4 ], 'gauges');
is(scalar(() = metrics() =~ /^# TYPE bioecko_relay_messages_day /mg), 1,
    'said once');

done_testing;
