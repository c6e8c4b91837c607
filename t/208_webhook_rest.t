#!/usr/bin/perl
#
# Webhooks over HTTP: made, pinged, changed, rotated, looked into, sent again,
# and what is refused.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Deliveries qw(hurried published_signature);
use Appt::Http;
use Appt::Util qw(wait_for);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $http   = $clinic->http;
my $sink   = $clinic->sink;
my $base   = '/api/v1/webhooks';
$clinic->start_relay(env => hurried());

my $made = $http->post($base, { url => $sink->url('/rest'),
    events => ['appointment.booked'], description => 'front desk' },
    { 'Idempotency-Key' => 'make-1' });
is($made->{status}, 201, 'made') or diag $made->{body};
my ($id, $secret) = @{ $made->{json} }{qw(webhook_id secret)};
is($made->{headers}{location}, "$base/$id", 'Location');
is($made->{headers}{etag}, '"1"', 'ETag');

subtest 'made once, told once' => sub {
    my $again = $http->post($base, { url => $sink->url('/rest'),
        events => ['appointment.booked'], description => 'front desk' },
        { 'Idempotency-Key' => 'make-1' });
    is($again->{body}, $made->{body}, 'the same key: the same answer');
    is($again->{headers}{'idempotency-replayed'}, 'true', 'and it says so');
    my ($ping) = $sink->wait_for_requests(1, path => '/rest');
    is($ping->{headers}{'x-bio-ecko-signature'},
        published_signature($secret, $ping->{raw}),
        'the ping is signed with the secret');
    my $shown = $http->get("$base/$id");
    is($shown->{status}, 200, 'it is shown');
    ok(!exists $shown->{json}{secret}, 'without its secret');
    my $list = $http->get($base);
    is_deeply([map { $_->{webhook_id} } @{ $list->{json} }], [$id],
        'the list has it, once');
};

subtest 'the delivery log' => sub {
    my $ping = $http->post("$base/$id/ping");
    is($ping->{status}, 202, 'a ping is taken on') or diag $ping->{body};
    my $entry;
    wait_for {
        ($entry) = @{ $http->get("$base/$id/deliveries")->{json} };
        $entry->{state} eq 'delivered';
    } 'the ping to be delivered', 10;
    is($entry->{delivery_id}, $ping->{json}{delivery_id}, 'the newest first');
    is($entry->{event}, 'webhook.ping', 'its event');
    is(@{ $entry->{attempt_log} }, 1, 'one attempt');
    my $attempt = $entry->{attempt_log}[0];
    is($attempt->{status}, 200, 'its status');
    is($attempt->{answer}, undef,
        'what a receiver of the clinic\'s own network said is not shown');
    is($clinic->cluster->value('SELECT answer FROM appt.delivery_attempt '
        . 'WHERE delivery_no = substr($1, 5)::bigint', $entry->{delivery_id}),
        "ok\n", 'but to appt_admin in SQL');
    $clinic->cluster->psql('UPDATE appt.delivery_attempt SET inside = false');
    is($http->get("$base/$id/deliveries")->{json}[0]{attempt_log}[0]{answer},
        "ok\n", 'what one outside said is shown');

    my $page = $http->get("$base/$id/deliveries", { per_page => 1 });
    is(@{ $page->{json} }, 1, 'by pages');
    is($page->{headers}{'x-total-count'}, 2, 'X-Total-Count');
    like($page->{headers}{link}, qr/rel="next"/, 'Link');
    is($http->get("$base/$id/deliveries", { state => 'dead' })
        ->{headers}{'x-total-count'}, 0, 'by state');

    $sink->forget;
    my $again = $http->post(
        "$base/$id/deliveries/$entry->{delivery_id}/redeliver");
    is($again->{status}, 202, 'sent again') or diag $again->{body};
    my ($copy) = $sink->wait_for_requests(1, path => '/rest');
    is($copy->{headers}{'webhook-id'}, $entry->{event_id},
        'with the same webhook-id');
};

subtest 'changed, switched off and on' => sub {
    my $changed = $http->request('PATCH', "$base/$id",
        '{"description":"","events":["*"]}',
        { 'Content-Type' => 'application/json', 'If-Match' => '"1"' });
    is($changed->{status}, 200, 'PATCH') or diag $changed->{body};
    is($changed->{json}{description}, undef, 'an empty text removes it');
    is($changed->{headers}{etag}, '"2"', 'a new version');
    my $stale = $http->request('PATCH', "$base/$id", '{"description":"x"}',
        { 'Content-Type' => 'application/json', 'If-Match' => '"1"' });
    is($stale->{status}, 412, 'a stale If-Match');
    is($stale->{json}{code}, 'version_mismatch', 'its code');

    my $off = $http->request('PATCH', "$base/$id", '{"status":"disabled"}',
        { 'Content-Type' => 'application/json' });
    is($off->{json}{disabled_reason}, 'manual', 'switched off');
    my $ping = $http->post("$base/$id/ping");
    is($ping->{status}, 409, 'no ping then');
    is($ping->{json}{code}, 'invalid_transition', 'its code');
    is($http->post("$base/$id/enable")->{json}{status}, 'enabled', 'and on');

    my $new = $http->post("$base/$id/rotate-secret");
    is($new->{status}, 200, 'a new secret') or diag $new->{body};
    $sink->forget;
    $http->post("$base/$id/ping");
    my ($request) = $sink->wait_for_requests(1, path => '/rest');
    is($request->{headers}{'x-bio-ecko-signature'},
        published_signature($new->{json}{secret}, $request->{raw}),
        'it signs');
    is($request->{headers}{'x-bio-ecko-signature-previous'},
        published_signature($secret, $request->{raw}), 'beside the old one');
};

subtest 'a booking over HTTP, and a replay' => sub {
    $sink->forget;
    my $booked = $http->post('/api/v1/appointments', {
        patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
        branch_id => 'MUM-01', slot_start => '2026-03-16T10:00:00+05:30',
        slot_end => '2026-03-16T10:15:00+05:30' });
    is($booked->{status}, 201, 'booked') or diag $booked->{body};
    my ($request) = $sink->wait_for_requests(1, path => '/rest');
    is_deeply($request->{json}{data}, $booked->{json},
        'the webhook has the same object as the answer');
    wait_for {
        $http->get("$base/$id/deliveries")->{json}[0]{state} eq 'delivered'
    } 'it to be delivered', 10;
    my $replay = $http->post(
        "$base/$id/replay?since=2026-03-14T12:00:00%2B05:30");
    is($replay->{status}, 202, 'replayed') or diag $replay->{body};
    cmp_ok($replay->{json}{queued}, '>=', 1, 'it says how many');
    wait_for {
        2 <= grep { $_->{headers}{'webhook-id'}
            eq $request->{headers}{'webhook-id'} } $sink->requests;
    } 'the copy', 10;
    is($http->post("$base/$id/replay")->{status}, 400, 'since is needed');
};

subtest 'what is refused' => sub {
    my @bad = (
        [{ events => ['*'] }, 'url'],
        [{ url => 'http://receiver.example/' }, 'url'],
        [{ url => 'https://a:b@receiver.example/' }, 'url'],
        [{ url => 'https://receiver.example/', events => [] }, 'events'],
        [{ url => 'https://receiver.example/', events => ['x'] }, 'events'],
        [{ url => 'https://receiver.example/', secret => 'short' }, 'secret'],
        [{ url => 'https://receiver.example/', colour => 'red' }, 'colour'],
    );
    for my $case (@bad) {
        my ($body, $field) = @$case;
        my $got = $http->post($base, $body);
        is($got->{status}, 400, "400: $field") or diag $got->{body};
        is($got->{json}{code}, 'invalid_request', 'invalid_request');
        is($got->{json}{errors}[0]{field}, $field, 'the field is named');
    }
    my $branch = $http->post($base, { url => 'https://receiver.example/',
        branch_ids => ['NO-01'] });
    is($branch->{status}, 422, '422: an unknown branch');
    is($branch->{json}{code}, 'unknown_reference', 'unknown_reference');
    is($http->get("$base/wh_none")->{status}, 404, '404: no such webhook');
    is($http->post("$base/$id/deliveries/dlv_0/redeliver")->{status}, 404,
        '404: no such delivery');
    my $reader = $clinic->http($clinic->create_client(name => 'Reader',
        scopes => ['appointments:read']));
    is($reader->get($base)->{status}, 403, '403: without the scope');
};

is($http->request('DELETE', "$base/$id")->{status}, 204, 'deleted');
is($http->get("$base/$id")->{status}, 404, 'and gone');
done_testing;
