#!/usr/bin/perl
#
# What happens to a delivery that fails: the schedule, Retry-After, dead, 410,
# disabling with its alerts, held and drained, redeliver and replay.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried bulk_events states attempts);
use Appt::Util qw(wait_for);
use POSIX qw(strftime);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $webhook_id = $clinic->webhook->{webhook_id};
my $relay = $clinic->start_relay(env => hurried(
    APPT_RELAY_DISABLE_AFTER_S => 3600));
settled();

sub settled {
    wait_for {
        my $states = states($clinic);
        !grep {/^(?:pending|in_flight)$/} keys %$states;
    } 'all deliveries to be settled', 15;
}

# The newest delivery's row; wait => state waits for that.
sub newest {
    my (%arg) = @_;
    my $row;
    wait_for {
        $row = $cluster->row('SELECT d.*, extract(epoch FROM due_at - '
            . '(SELECT max(started_at) FROM appt.delivery_attempt a '
            . 'WHERE a.delivery_no = d.delivery_no)) AS due_in '
            . 'FROM appt.delivery d ORDER BY event_no DESC LIMIT 1');
        (!$arg{wait} || $row->{state} eq $arg{wait})
            && $row->{attempts} >= ($arg{attempts} // 0);
    } sub { 'the newest delivery to be ' . ($arg{wait} // 'tried')
        . "; it is $row->{state} after $row->{attempts} attempts" }, 15;
    return $row;
}

sub status { return $cluster->row(
    'SELECT * FROM appt.webhook WHERE webhook_id = $1', $webhook_id) }

# All is well again, nothing waits.
sub recover {
    $sink->behave;
    $cluster->psql("SELECT appt.enable_webhook('$webhook_id')");
    wait_for { !exists states($clinic)->{held} } 'what was held to drain', 15;
    $cluster->psql(q{UPDATE appt.delivery SET due_at = now() WHERE state = 'pending'});
    settled();
    $sink->forget;
}

subtest 'the schedule is ten attempts in three days, with jitter' => sub {
    my $rows = $cluster->query(<<'SQL');
SELECT n, min(extract(epoch FROM d))::float AS lo,
    max(extract(epoch FROM d))::float AS hi
FROM generate_series(1, 9) n
CROSS JOIN generate_series(1, 500) g
CROSS JOIN LATERAL appt_internal.retry_delay(n + 0 * g, NULL,
    '{0,5,300,1800,7200,18000,36000,50400,72000,86400}') d
GROUP BY n ORDER BY n
SQL
    my @want = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400);
    for my $row (@$rows) {
        my $want = shift @want;
        ok($row->{lo} >= 0.8 * $want && $row->{hi} <= 1.2 * $want
                && $row->{lo} < 0.9 * $want && $row->{hi} > 1.1 * $want,
            "after attempt $row->{n}: $want s, a fifth either way");
    }
    my $default = $cluster->value(
        q{SELECT pg_get_function_arguments('appt_relay.record_attempts'::regproc)});
    like($default, qr/\{0,5,300,1800,7200,18000,36000,50400,72000,86400\}/,
        'that is the default');
};

subtest 'after the last attempt it is dead, and can be sent again' => sub {
    $sink->forget;
    $sink->behave(status => 500);
    book($clinic, 1);
    my $row = newest(wait => 'dead');
    is($row->{attempts}, 4, 'as many attempts as the schedule has');
    my @request = $sink->requests;
    $sink->behave;
    $cluster->query('SELECT appt.redeliver($1, $2)', $webhook_id,
        "dlv_$row->{delivery_no}");
    newest(wait => 'delivered');
    my @all = $sink->requests;
    is(@all, @request + 1, 'one request more');
    is($all[-1]{headers}{'webhook-id'}, $request[0]{headers}{'webhook-id'},
        'with the same webhook-id');
    is($all[-1]{raw}, $request[0]{raw}, 'and the same bytes');
    wait_for { $relay->log_text =~ /"delivery\.dead"/ } 'a line in the log', 5;
    recover();
};

subtest 'Retry-After is honoured, up to a day' => sub {
    my $imf = sub { strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + $_[0])) };
    my @case = (
        ['30', 29, 40],
        ['99999999999', 86390, 86410],
        ['99999999999999999999999', 86390, 86410],
        ['40000', 39990, 40010],
        ['-5', -20, 15],
        [sub { $imf->(60) }, 40, 75],
        [sub { $imf->(-60) }, -20, 15],
        [sub { strftime('%A, %d-%b-%y %H:%M:%S GMT', gmtime(time + 60)) }, 40, 75],
        [sub { strftime('%a %b %e %H:%M:%S %Y', gmtime(time + 86400 * 3)) },
            86390, 86410],
        ['tomorrow', -20, 15],
        ['120.5', -20, 15],
        ['', -20, 15],
    );
    for (@case) {
        my ($header, $lo, $hi) = @$_;
        $header = $header->() if ref $header;
        $sink->behave;
        $sink->behave(status => 429, headers => { 'Retry-After' => $header },
            times => 1);
        book($clinic, 1);
        my $row = newest(attempts => 1);
        ok($row->{due_in} > $lo && $row->{due_in} < $hi,
            "Retry-After: $header") or diag "due in $row->{due_in} s";
        recover();
    }
};

subtest '410 disables; what was held drains when enabled' => sub {
    $sink->behave(status => 410, times => 1);
    my ($id) = book($clinic, 1);
    wait_for { status()->{status} eq 'disabled' } 'the endpoint to be disabled', 5;
    is(status()->{disabled_reason}, 'gone', 'with its reason');
    is(newest()->{state}, 'held', 'the delivery is held');
    $sink->forget;
    $cluster->query('SELECT appt.cancel($1, $2)', $id, 'changed my mind');
    book($clinic, 1);
    is_deeply([map { $_->{state} } @{ $cluster->query('SELECT state FROM '
        . 'appt.delivery ORDER BY event_no DESC LIMIT 3') }],
        [('held') x 3], 'so are the ones that follow');
    is($cluster->try_psql("SELECT appt.ping_webhook('$webhook_id')") ? 1 : 0,
        1, 'no ping while it is disabled');
    select undef, undef, undef, 0.3;
    is($sink->requests, 0, 'nothing is sent');
    $cluster->psql("SELECT appt.enable_webhook('$webhook_id')");
    $sink->wait_for_requests(3);
    settled();
    my @order = map { $_->{json}{event} }
        grep { $_->{json}{data}{appointment_id} eq $id } $sink->requests;
    is_deeply(\@order, ['appointment.booked', 'appointment.cancelled'],
        'they drain in the appointment\'s order');
    is($sink->requests, 3, 'each once');
    like($relay->log_text, qr/"webhook\.gone"/, 'a line in the log');
    recover();
};

subtest 'nothing but failure disables, after alerts' => sub {
    my $watcher = $cluster->row('SELECT * FROM appt.create_webhook(url => $1, '
        . q{events => '{webhook.failing,webhook.disabled}')},
        $sink->url('/watch'));
    settled();
    $sink->forget;
    $sink->behave(path => '/hook', status => 500);
    book($clinic, 6);
    wait_for { status()->{failing_since} } 'the first failure', 15;
    # So many percent of the hour have passed; then some attempt notices.
    for my $percent (55, 75, 95, 105) {
        $cluster->query('UPDATE appt.webhook SET failing_since = '
            . q{clock_timestamp() - $1 * interval '36 s' WHERE webhook_id = $2},
            $percent, $webhook_id);
        wait_for {
            $cluster->psql(q{UPDATE appt.delivery
                SET due_at = now(), attempts = 0
                WHERE state IN ('pending', 'dead')});
            my $now = status();
            $now->{status} eq 'disabled'
                || $percent < 100 && $now->{alerted_percent} == $percent - 5;
        } "what comes of $percent percent", 60;
    }
    is(status()->{disabled_reason}, 'failing', 'with its reason');
    my @alert = $sink->wait_for_requests(2, path => '/watch');
    wait_for {
        @alert = $sink->requests(path => '/watch');
        $alert[-1]{json}{event} eq 'webhook.disabled';
    } 'the alerts to arrive', 5;
    my @percent = map { $_->{json}{data}{percent} }
        grep { $_->{json}{event} eq 'webhook.failing' } @alert;
    is_deeply([sort { $a <=> $b } @percent], [50, 70, 90],
        'a watching endpoint hears at 50, 70 and 90 percent');
    is($alert[0]{json}{data}{webhook_id}, $webhook_id, 'of this endpoint');
    like($relay->log_text, qr/"webhook\.failing".*"percent":$_/, "log: $_")
        for 50, 70, 90;
    like($relay->log_text, qr/"event":"webhook\.disabled"/, 'log: disabled');
    wait_for { !exists states($clinic)->{pending} } 'the rest to be held', 5;

    $sink->behave;
    recover();
    is_deeply([sort keys %{ states($clinic) }], ['delivered'],
        'enabled again, everything is delivered');
    is(status()->{failing_since}, undef, 'and nothing is held against it');
    $cluster->query('SELECT appt.delete_webhook($1)', $watcher->{webhook_id});
};

subtest 'a success in between starts the count anew' => sub {
    $sink->behave(status => 500, times => 1);
    book($clinic, 1);
    newest(wait => 'delivered');
    is(status()->{failing_since}, undef, 'not failing');
    is(status()->{failures}, 0, 'no failures counted');
    recover();
};

subtest 'replay sends everything since a time again' => sub {
    book($clinic, 3);
    $sink->wait_for_requests(3);
    settled();
    my %before = map { $_->{headers}{'webhook-id'} => $_->{raw} } $sink->requests;
    $sink->forget;
    my $since = $cluster->value('SELECT min(occurred_at) FROM appt.event '
        . q{WHERE event_id = ANY (string_to_array($1, ' '))},
        join ' ', keys %before);
    my $queued = $cluster->value('SELECT appt.replay($1, $2)', $webhook_id,
        $since);
    cmp_ok($queued, '>=', 3, 'they are queued');
    $sink->wait_for_requests($queued);
    settled();
    my %after = map { $_->{headers}{'webhook-id'} => $_->{raw} } $sink->requests;
    is($after{$_}, $before{$_}, "$_ again, byte for byte") for keys %before;
    is($cluster->value('SELECT appt.replay($1, now())', $webhook_id), 0,
        'nothing since now');
    my ($code, undef, $error) = $cluster->try_psql(
        "SELECT appt.replay('$webhook_id', now() + interval '1 hour')");
    like($error, qr/needs a time that is past/, 'nothing from the future');
};

subtest 'a replay of many is queued by the relay' => sub {
    bulk_events($clinic, webhook_id => $webhook_id, count => 1200);
    wait_for { (states($clinic)->{pending} // 0) == 0 } 'all to be sent', 60;
    settled();
    my $ids = sub { my %n; $n{ $_->{headers}{'webhook-id'} }++
        for $sink->requests; return \%n };
    $sink->forget;
    my $queued = $cluster->value(
        q{SELECT appt.replay($1, '2026-01-01')}, $webhook_id);
    cmp_ok($queued, '>=', 1200, 'it says how many');
    wait_for {
        $cluster->value('SELECT count(*) FROM appt.webhook_replay') == 0
    } 'all to be queued', 20;
    wait_for { (states($clinic)->{pending} // 0) == 0 } 'all to be sent', 60;
    settled();
    is(keys %{ $ids->() }, $queued, 'and that many came');
};

subtest 'a deleted endpoint gets nothing more' => sub {
    $sink->behave(path => '/doomed', status => 500,
        headers => { 'Retry-After' => 600 });
    my $doomed = $cluster->row('SELECT * FROM appt.create_webhook(url => $1)',
        $sink->url('/doomed'));
    $sink->wait_for_requests(1, path => '/doomed');
    # Its answer is on record, or its delivery is still leased when it goes.
    wait_for { newest()->{attempts} == 1 } 'the attempt to be recorded', 15;
    $cluster->query('SELECT appt.delete_webhook($1)', $doomed->{webhook_id});
    $sink->behave;
    select undef, undef, undef, 0.3;
    my $count = $sink->requests(path => '/doomed');
    select undef, undef, undef, 1;
    is($sink->requests(path => '/doomed'), $count, 'no further request');
    is($cluster->value('SELECT pending FROM appt_relay.stats()'), 0,
        'the relay is not said to be behind with what it left');
    $cluster->psql(q{UPDATE appt.delivery SET due_at = now() - interval '1 hour'
        WHERE state = 'pending'});
    is($cluster->value('SELECT ok FROM appt.health() '
        . q{WHERE check_name = 'oldest_due_delivery'}), 1, 'nor by appt.health');
    my $swept = $cluster->row('SELECT * FROM appt_relay.retention()');
    cmp_ok($swept->{deliveries}, '>=', 1, 'it is swept');
};

subtest 'the log is kept for 90 days' => sub {
    settled();
    my $before = $cluster->value('SELECT count(*) FROM appt.delivery_attempt');
    $cluster->psql(<<'SQL');
UPDATE appt.delivery SET finished_at = now() - interval '91 days'
WHERE delivery_no = (SELECT min(delivery_no) FROM appt.delivery);
UPDATE appt.delivery_attempt SET started_at = now() - interval '91 days'
WHERE delivery_no = (SELECT min(delivery_no) FROM appt.delivery);
SQL
    my $gone = $cluster->row('SELECT * FROM appt_relay.retention()');
    is($gone->{deliveries}, 1, 'an older delivery goes');
    cmp_ok($gone->{attempts}, '>=', 1, 'and its attempts');
    is($cluster->value('SELECT count(*) FROM appt.delivery_attempt'),
        $before - $gone->{attempts}, 'nothing else');
};

ok($relay->stop, 'the relay stops when it is told to');
done_testing;
