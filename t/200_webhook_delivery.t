#!/usr/bin/perl
#
# An appointment's event arrives at the receiver: signed, in the published
# form, in order, again after a failure with the same bytes, and soon.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried published_signature
    standard_signature states attempts);
use Appt::Util qw(patience wait_for);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my ($webhook_id, $secret) = @{ $clinic->webhook }{qw(webhook_id secret)};
my $relay = $clinic->start_relay(env => hurried());

sub settled {
    wait_for {
        my $states = states($clinic);
        !grep {/^(?:pending|in_flight)$/} keys %$states;
    } 'all deliveries to be settled', 15;
}

# Requests of that event type, oldest first.
sub requests_of {
    my ($event) = @_;
    return grep { $_->{json}{event} eq $event } $sink->requests;
}

subtest 'a ping comes when a webhook is saved' => sub {
    my ($ping) = $sink->wait_for_requests(1);
    is($ping->{json}{event}, 'webhook.ping', 'event');
    is($ping->{json}{webhook_id}, $webhook_id, 'webhook_id');
};

my ($id) = book($clinic, 1);

subtest 'a booking arrives in the published form, signed' => sub {
    $sink->wait_for_requests(2);
    my ($request) = requests_of('appointment.booked');
    my ($headers, $raw) = @{$request}{qw(headers raw)};
    like($raw, qr/^\{"event":"appointment\.booked","timestamp":"2026-03-14T12:00:00\+05:30","data":\{"appointment_id":"\Q$id\E",.*\},"webhook_id":"\Q$webhook_id\E"\}\z/,
        'body');
    is($headers->{'x-bio-ecko-signature'}, published_signature($secret, $raw),
        'X-Bio-Ecko-Signature: hex HMAC-SHA256 of the body by the secret');
    is($headers->{'webhook-signature'}, standard_signature($secret, $request),
        'webhook-signature');
    is($headers->{'content-type'}, 'application/json', 'Content-Type');
    like($headers->{'webhook-id'}, qr/^evt_/, 'webhook-id');
    cmp_ok(abs($headers->{'webhook-timestamp'} - time), '<', 60,
        'webhook-timestamp is the attempt\'s');
    settled();
    is_deeply(states($clinic), { delivered => 2 }, 'both are delivered');
};

subtest 'a failure is tried again with the same id and bytes' => sub {
    $sink->forget;
    $sink->behave(status => 500, body => 'down', times => 2);
    $cluster->psql("SELECT appt.cancel('$id', 'patient is well')");
    my @request = $sink->wait_for_requests(3);
    settled();
    is(@request, 3, 'three requests');
    my %raw = map { $_->{raw} => 1 } @request;
    my %event = map { $_->{headers}{'webhook-id'} => 1 } @request;
    is(keys %raw, 1, 'one body');
    is(keys %event, 1, 'one webhook-id');
    my @attempt = attempts($clinic, 'appointment.cancelled');
    is_deeply([map { $_->{status} } @attempt], [500, 500, 200], 'the log');
    is($attempt[0]{answer}, 'down', 'the log has the answer');
};

subtest 'an appointment\'s events keep their order through a failure' => sub {
    $sink->forget;
    my ($other) = book($clinic, 1);
    $sink->wait_for_requests(1);
    settled();
    $sink->forget;
    $sink->behave(status => 503, times => 3);
    $cluster->psql(<<"SQL");
SELECT appt.reschedule('$other', s.start_time, s.end_time, 'later please')
FROM appt.available_slots('DOC-001', '2026-03-20', 'MUM-01') s LIMIT 1;
SELECT appt.cancel('$other', 'no more');
SQL
    my @third = book($clinic, 1);
    $sink->wait_for_requests(6);
    settled();
    my @order = map { $_->{json}{event} }
        grep { $_->{json}{data}{appointment_id} eq $other
            && $_->{status} == 200 } $sink->requests;
    is_deeply(\@order,
        ['appointment.rescheduled', 'appointment.cancelled'], 'in order');
    $sink->behave;
};

subtest 'an endpoint without a secret gets no signature' => sub {
    my $open = $cluster->row('SELECT * FROM appt.create_webhook('
        . 'url => $1, signed => false)', $sink->url('/open'));
    is($open->{secret}, undef, 'no secret is shown');
    my ($ping) = $sink->wait_for_requests(1, path => '/open');
    ok(!exists $ping->{headers}{$_}, "no $_")
        for qw(x-bio-ecko-signature webhook-signature);
    $cluster->query('SELECT appt.delete_webhook($1)', $open->{webhook_id});
};

subtest 'events and branches are chosen by the endpoint' => sub {
    my $london = $cluster->row('SELECT * FROM appt.create_webhook(url => $1, '
        . q{branch_ids => '{LON-01}')}, $sink->url('/london'));
    my $cancels = $cluster->row('SELECT * FROM appt.create_webhook(url => $1, '
        . q{events => '{appointment.cancelled}')}, $sink->url('/cancels'));
    my ($one) = book($clinic, 1);
    $cluster->query('SELECT appt.cancel($1, $2)', $one, 'never mind');
    $sink->wait_for_requests(2, path => '/cancels');
    settled();
    is_deeply([sort map { $_->{json}{event} }
            $sink->requests(path => '/cancels')],
        ['appointment.cancelled', 'webhook.ping'], 'by event');
    is_deeply([map { $_->{json}{event} } $sink->requests(path => '/london')],
        ['webhook.ping'], 'by branch');
    $cluster->query('SELECT appt.delete_webhook($1)', $_->{webhook_id})
        for $london, $cancels;
};

subtest 'an event arrives within moments' => sub {
    $sink->forget;
    my @took;
    for my $n (1 .. 20) {
        my $from = Time::HiRes::time();
        book($clinic, 1);
        my @got = $sink->wait_for_requests($n);
        push @took, $got[-1]{time} - $from;
    }
    @took = sort { $a <=> $b } @took;
    note sprintf 'median %.1f ms, longest %.1f ms', 1000 * $took[10],
        1000 * $took[-1];
    cmp_ok($took[10], '<', patience(0.25), 'the median is a fraction of a second');
};

subtest 'NOTIFY lost altogether: the poll finds it' => sub {
    $sink->forget;
    $cluster->psql(<<'SQL');
SET bioecko_appt.notify = off;
SELECT appt.walk_in('PAT-2026-00123', 'DOC-001', 'MUM-01')
FROM (SELECT set_config('bioecko_appt.clock', '2026-03-16T10:01+05:30', false)) x;
SQL
    $sink->wait_for_requests(1, seconds => 5);
    pass('it came');
};

settled();
subtest 'the log names no person, no secret and no note' => sub {
    my $log = $relay->log_text;
    unlike($log, qr/cough|patient is well|no more|PAT-|whsec_|\Q$secret\E/,
        'nothing personal');
    ok(!grep({ !ref $_ || exists $_->{text} } $relay->log_lines),
        'every line is JSON');
};

subtest 'metrics tell what happened' => sub {
    my $metrics;
    wait_for {
        $metrics = HTTP::Tiny->new->get($relay->url . '/metrics')->{content};
        $metrics =~ /^bioecko_relay_attempts_total\{outcome="status"\} 5$/m
            && $metrics =~ /^bioecko_relay_pending 0$/m;
    } 'five failures to be counted and none pending', 45;
    like($metrics, qr/^bioecko_relay_listening 1$/m, 'it listens');
};

ok($relay->stop, 'the relay stops when it is told to');
done_testing;
