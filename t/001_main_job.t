#!/usr/bin/perl
#
# The main job on the real thing: the published booking request to the letter,
# booked again, moved, cancelled, and four signed webhooks at a receiver.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Digest::SHA qw(hmac_sha256_hex);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $sink   = $clinic->sink;
my ($webhook_id, $secret) = @{ $clinic->webhook }{qw(webhook_id secret)};
$clinic->start_relay;
my $http = $clinic->http;

# As Bio Ecko's API manual prints it.
my $published = '{"patient_id":"PAT-2026-00123","doctor_id":"DOC-001",'
    . '"branch_id":"MUM-01","slot_start":"2026-03-15T10:00:00+05:30",'
    . '"slot_end":"2026-03-15T10:15:00+05:30",'
    . '"visit_type":"new_consultation",'
    . '"notes":"Patient reports persistent cough"}';
my @fields = sort qw(appointment_id patient_id doctor_id branch_id slot_start
    slot_end visit_type status token_number token_date source notes version
    reschedule_count reason booked_at checked_in_at started_at completed_at
    cancelled_at confirmed_at);

my %day = (doctor_id => 'DOC-001', date => '2026-03-15', branch_id => 'MUM-01');
my ($first, $id);

subtest 'a token for the client\'s credentials' => sub {
    my $r = $http->form('/api/v1/auth/token', {
        grant_type    => 'client_credentials',
        client_id     => $clinic->client->{client_id},
        client_secret => $clinic->client->{client_secret} });
    is($r->{status}, 200, 'status') or diag $r->{body};
    is($r->{json}{token_type}, 'Bearer', 'token_type');
    is($r->{json}{expires_in}, 3600,     'expires_in');
    like($r->{json}{access_token}, qr/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a JWT');
    like($r->{headers}{'cache-control'}, qr/no-store/, 'not to be cached');
};

subtest 'the slots of the day' => sub {
    my $r = $http->get('/api/v1/appointments/slots', \%day);
    is($r->{status}, 200, 'status') or diag $r->{body};
    my @slot = @{ $r->{json} };
    is(scalar @slot, 8, '10:00 to 12:00 in quarters of an hour');
    is_deeply($slot[0], {
        start_time => '2026-03-15T10:00:00+05:30',
        end_time   => '2026-03-15T10:15:00+05:30' }, 'the first slot');
    like($r->{body}, qr/^\[\{"start_time":"[^"]+","end_time":/,
        'start_time and end_time come first');
};

subtest 'the published request is booked' => sub {
    my $r = $http->post('/api/v1/appointments', $published);
    is($r->{status}, 201, 'status') or diag $r->{body};
    $first = $r->{json};
    $id    = $first->{appointment_id};
    like($id, qr/^APT-2026-\d{6}$/, 'appointment_id');
    is($r->{headers}{location}, "/api/v1/appointments/$id", 'Location');
    is($r->{headers}{etag}, '"1"', 'ETag');
    is_deeply([sort keys %$first], \@fields, 'the full appointment object');
    my %expected = (
        patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
        branch_id  => 'MUM-01', visit_type => 'new_consultation',
        slot_start => '2026-03-15T10:00:00+05:30',
        slot_end   => '2026-03-15T10:15:00+05:30',
        notes      => 'Patient reports persistent cough',
        status     => 'booked', token_number => 1,
        token_date => '2026-03-15', version => 1, reschedule_count => 0,
        booked_at  => '2026-03-14T12:00:00+05:30', source => 'api',
        reason     => undef, cancelled_at => undef, confirmed_at => undef,
        checked_in_at => undef,
        started_at => undef, completed_at => undef);
    is($first->{$_}, $expected{$_}, $_) for sort keys %expected;
};

subtest 'the same again is a conflict' => sub {
    my $before = $clinic->fingerprint;
    my $r = $http->post('/api/v1/appointments', $published);
    is($r->{status}, 409, 'status');
    is($r->{headers}{'content-type'}, 'application/problem+json', 'type');
    is($r->{json}{code},   'slot_unavailable', 'code');
    is($r->{json}{reason}, 'taken',            'reason');
    is($clinic->fingerprint, $before, 'nothing changed');

    my $slots = $http->get('/api/v1/appointments/slots', \%day);
    is($slots->{json}[0]{start_time}, '2026-03-15T10:15:00+05:30',
        'the slot is not offered any more');
};

subtest 'it is moved' => sub {
    my $r = $http->patch("/api/v1/appointments/$id/reschedule", {
        new_slot_start => '2026-03-15T11:00:00+05:30',
        new_slot_end   => '2026-03-15T11:15:00+05:30',
        reason         => 'Patient is delayed' });
    is($r->{status}, 200, 'status') or diag $r->{body};
    is($r->{headers}{etag}, '"2"', 'ETag');
    my %expected = (%$first,
        slot_start => '2026-03-15T11:00:00+05:30',
        slot_end   => '2026-03-15T11:15:00+05:30',
        version => 2, reschedule_count => 1, reason => 'Patient is delayed');
    is_deeply($r->{json}, \%expected, 'same id and token, new time');

    my $slots = $http->get('/api/v1/appointments/slots', \%day);
    my @start = map { substr $_->{start_time}, 11, 5 } @{ $slots->{json} };
    is("@start", '10:00 10:15 10:30 10:45 11:15 11:30 11:45',
        'the old time is free, the new one is not');
};

subtest 'it is cancelled' => sub {
    my $r = $http->delete("/api/v1/appointments/$id",
        { reason => 'Patient feels better' });
    is($r->{status}, 200, 'status') or diag $r->{body};
    is($r->{json}{status}, 'cancelled', 'status of the appointment');
    is($r->{json}{reason}, 'Patient feels better', 'reason');
    is($r->{json}{version}, 3, 'version');
    is($r->{json}{cancelled_at}, '2026-03-14T12:00:00+05:30', 'cancelled_at');

    my $before = $clinic->fingerprint;
    my $again = $http->delete("/api/v1/appointments/$id",
        { reason => 'Patient feels better' });
    is($again->{status}, 200, 'cancelling it again is no error');
    is($again->{body}, $r->{body}, 'and changes nothing');
    is($clinic->fingerprint, $before, 'nowhere');
};

subtest 'four webhooks came, each signed' => sub {
    my @got = $sink->wait_for_requests(4);
    is(scalar @got, 4, 'four') or diag explain \@got;
    is_deeply([map { $_->{json}{event} } @got],
        [qw(webhook.ping appointment.booked appointment.rescheduled
            appointment.cancelled)], 'in order');
    for my $request (@got) {
        my $event = $request->{json}{event};
        is($request->{method}, 'POST', "$event: POST");
        is($request->{headers}{'x-bio-ecko-signature'},
            hmac_sha256_hex($request->{raw}, $secret), "$event: signature");
        is($request->{json}{webhook_id}, $webhook_id, "$event: webhook_id");
        like($request->{headers}{'content-type'}, qr{^application/json\b},
            "$event: Content-Type");
        next if $event eq 'webhook.ping';
        is_deeply([sort keys %{ $request->{json} }],
            [qw(data event), $event =~ /rescheduled/ ? 'previous' : (),
                qw(timestamp webhook_id)], "$event: members");
        is($request->{json}{timestamp}, '2026-03-14T12:00:00+05:30',
            "$event: timestamp");
        is_deeply([sort keys %{ $request->{json}{data} }], \@fields,
            "$event: the full appointment object");
    }
    is_deeply($got[1]{json}{data}, $first, 'booked: as it was answered');
    is($got[2]{json}{data}{slot_start}, '2026-03-15T11:00:00+05:30',
        'rescheduled: the new time');
    is_deeply($got[2]{json}{previous}, { map { $_ => $first->{$_} }
        qw(slot_start slot_end doctor_id branch_id token_number token_date) },
        'and where it was');
    is($got[3]{json}{data}{status}, 'cancelled', 'cancelled: the status');
    my %ids = map { $_->{headers}{'webhook-id'} => 1 } @got;
    is(scalar keys %ids, 4, 'each has its own id');
};

subtest 'deliveries are recorded as done' => sub {
    $clinic->cluster->dbh;
    my $open = 1;
    Appt::Util::wait_for {
        !$clinic->cluster->value(
            q{SELECT count(*) FROM appt.delivery WHERE state <> 'delivered'})
    } 'all deliveries to be marked';
    is($clinic->cluster->value('SELECT count(*) FROM appt.delivery'), 4, 'four');
};

ok($clinic->gateway->stop, 'the gateway ends when it is asked to');
ok($clinic->relay->stop,   'so does the relay');

done_testing;
