#!/usr/bin/perl
#
# What the gateway answers is what the OpenAPI document says that it answers;
# bounds and choices that it names are held to before the database is asked.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $http   = $clinic->http;
my $doc    = $http->get('/api/v1/openapi.json')->{json};
my $api    = Appt::OpenApi->new($doc);
is($doc->{openapi}, '3.1.0', 'the document is served as JSON');

# ---- answers are what they are said to be -----------------------------------

# asks(operation, path, ...): a request whose answer must fit the document.
sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($method) = $name =~ /^(\w+)/;
    my $verb = lc $method;
    my $r = $http->$verb($path, @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    my @wrong = $api->wrong($name, $r);
    ok(!@wrong, "$name: $status as documented")
        or diag join "\n", @wrong, $r->{body};
    return $r->{json};
}

my $a = '/api/v1/appointments';
my $slots = asks("GET $a/slots", 200, "$a/slots",
    { doctor_id => 'DOC-001', date => '2026-03-16', branch_id => 'MUM-01' });
asks("GET $a/slots", 400, "$a/slots", { date => 'x', colour => 1 });
asks("GET $a/slots", 404, "$a/slots",
    { doctor_id => 'DOC-999', date => '2026-03-16', branch_id => 'MUM-01' });
my $explain = "GET $a/slots/explain";
my %at = (doctor_id => 'DOC-001', branch_id => 'MUM-01');
is(asks($explain, 200, "$a/slots/explain",
    { %at, slot_start => $slots->[0]{start_time} })->{free}, JSON::PP::true(),
    'what is listed is free');
my $why = asks($explain, 200, "$a/slots/explain",
    { %at, slot_start => '2026-03-16T03:00:00+05:30' });
is_deeply([ @$why{qw(free reason)} ], [ JSON::PP::false(), 'outside_hours' ],
    'what is not is not, and why');
my $points = asks("GET $a/slots/explain-day", 200, "$a/slots/explain-day",
    { %at, date => '2026-03-16' });
is_deeply([ map { $_->{start_time} } grep { $_->{free} } @$points ],
    [ map { $_->{start_time} } @$slots ], 'of a whole day, too');
my @calendar = ('GET /api/v1/branches/{branch_id}/calendar', 200,
    '/api/v1/branches/MUM-01/calendar');
my $branch = asks(@calendar, { date => '2026-03-16' });
is_deeply((grep { $_->{doctor_id} eq 'DOC-001' } @{ $branch->{doctors} })[0]{slots}, $points,
    'and of a whole branch');
is_deeply(asks(@calendar, { date => '2026-03-16', doctor_id => 'DOC-001', patients => 'true' }),
    { doctors => [ { doctor_id => 'DOC-001', slots => $points, appointments => [] } ],
        patients => [] }, 'or of a doctor there, with the patients');
asks($calendar[0], 400, $calendar[2], {});
asks($calendar[0], 400, $calendar[2], { date => '2026-03-16', date_to => '2026-03-23' });
asks($calendar[0], 404, $calendar[2], { date => '2026-03-16', doctor_id => 'DOC-999' });
asks($calendar[0], 404, '/api/v1/branches/ZZZ-01/calendar', { date => '2026-03-16' });
asks("GET $a/slots/explain-day", 400, "$a/slots/explain-day", { %at });
asks("GET $a/slots/explain-day", 404, "$a/slots/explain-day",
    { %at, doctor_id => 'DOC-999', date => '2026-03-16' });
asks($explain, 400, "$a/slots/explain", { %at });
asks($explain, 404, "$a/slots/explain",
    { %at, doctor_id => 'DOC-999', slot_start => '2026-03-16T10:00:00+05:30' });
my $first = "GET $a/slots/first";
my $found = asks($first, 200, "$a/slots/first",
    { %at, from => '2026-03-16T00:00:00+05:30' });
is_deeply([ map { @$_{qw(start_time end_time)} } @$found ],
    [ @{ $slots->[0] }{qw(start_time end_time)} ],
    'the first of all is the first of its day');
is_deeply(asks($first, 200, "$a/slots/first", { specialty => 'Alchemy' }), [],
    'nobody has that specialty');
asks($first, 400, "$a/slots/first");
asks($first, 404, "$a/slots/first", { doctor_id => 'DOC-001,DOC-999' });
my %who = (patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
    branch_id => 'MUM-01');
my %when = (slot_start => $slots->[0]{start_time},
    slot_end => $slots->[0]{end_time});
my $booked = asks("POST $a", 201, $a, { %who, %when, notes => 'x' });
asks("POST $a", 409, $a, { %who, %when });
asks("POST $a", 422, $a, { %who, %when, doctor_id => 'DOC-999' });
my $id = $booked->{appointment_id};
my $one = "$a/{appointment_id}";
asks("GET $one", 200, "$a/$id");
asks("GET $one", 404, "$a/APT-2026-999999");
asks("GET $a", 200, $a, { doctor_id => 'DOC-001', per_page => 3 });
asks("GET $a", 400, $a, { per_page => 101 });
asks("PATCH $one/reschedule", 200, "$a/$id/reschedule",
    { new_slot_start => $slots->[1]{start_time} });
asks("PATCH $one/reschedule", 412, "$a/$id/reschedule",
    { new_slot_start => $slots->[2]{start_time} }, { 'If-Match' => '"1"' });
asks("POST $one/check-in", 409, "$a/$id/check-in");
my $day = 'POST /api/v1/doctors/{doctor_id}/reschedule-day';
my $moved = asks($day, 200, '/api/v1/doctors/DOC-001/reschedule-day',
    { from_date => '2026-03-16', to_date => '2026-03-23',
        branch_id => 'MUM-01', reason => 'ill' });
is((grep { $_->{appointment_id} eq $id } @$moved)[0]{token_date},
    '2026-03-23', 'a day is moved');
asks($day, 409, '/api/v1/doctors/DOC-001/reschedule-day',
    { from_date => '2026-03-23', to_date => '2028-03-20' });
asks($day, 404, '/api/v1/doctors/DOC-999/reschedule-day',
    { from_date => '2026-03-16' });
asks("GET $one/history", 200, "$a/$id/history");
asks("DELETE $one", 200, "$a/$id", { reason => 'well again' });
my $hold = asks("POST $a/holds", 201, "$a/holds",
    { doctor_id => 'DOC-001', branch_id => 'MUM-01', %when });
asks("DELETE $a/holds/{hold_id}", 204, "$a/holds/$hold->{hold_id}");
my $there = asks("POST $a/walk-in", 201, "$a/walk-in", \%who);
asks("GET /api/v1/queue", 200, '/api/v1/queue', { doctor_id => 'DOC-001' });
for my $step (qw(undo-check-in check-in start complete)) {
    next if $step =~ /undo|check/;    # a walk-in has no booking to go back to
    asks("POST $one/$step", 200, "$a/$there->{appointment_id}/$step");
}
my $next = "POST /api/v1/queue/call-next";
asks($next, 409, '/api/v1/queue/call-next', { doctor_id => 'DOC-001' });
asks($next, 422, '/api/v1/queue/call-next', { doctor_id => 'DOC-999' });
asks("POST $a/walk-in", 201, "$a/walk-in", \%who);
my $called = asks($next, 200, '/api/v1/queue/call-next',
    { doctor_id => 'DOC-001', date => '2026-03-14' });
my $at_once = "$a/$called->{appointment_id}";
is(asks("POST $one/skip", 200, "$at_once/skip")->{status}, 'checked_in',
    'who does not come is put behind the others');
asks("POST $one/priority", 200, "$at_once/priority", { priority => 100 });
asks("POST $one/priority", 400, "$at_once/priority", { priority => 101 });
asks("POST $one/recall", 200, "$at_once/recall");
asks("POST $one/skip", 412, "$at_once/skip", undef, { 'If-Match' => '"1"' });
asks("POST $one/complete", 200, "$at_once/complete");
asks("POST $one/recall", 409, "$at_once/recall");
asks("POST $one/no-show", 409, "$a/$there->{appointment_id}/no-show");
asks("POST $one/confirm", 409, "$a/$there->{appointment_id}/confirm");
asks("POST $one/undo-check-in", 404, "$a/APT-2026-999999/undo-check-in");

my $w = '/api/v1/webhooks';
my $hook = asks("POST $w", 201, $w, { url => 'https://example.com/hook' });
my $wid = $hook->{webhook_id};
asks("GET $w", 200, $w);
asks("GET $w/{webhook_id}", 200, "$w/$wid");
asks("PATCH $w/{webhook_id}", 200, "$w/$wid", { description => 'x' });
asks("PATCH $w/{webhook_id}", 400, "$w/$wid", { url => 'ftp://x' });
asks("POST $w/{webhook_id}/ping", 202, "$w/$wid/ping");
asks("POST $w/{webhook_id}/rotate-secret", 200, "$w/$wid/rotate-secret", {});
asks("POST $w/{webhook_id}/enable", 200, "$w/$wid/enable");
my $log = asks("GET $w/{webhook_id}/deliveries", 200, "$w/$wid/deliveries");
asks("POST $w/{webhook_id}/deliveries/{delivery_id}/redeliver", 202,
    "$w/$wid/deliveries/$log->[0]{delivery_id}/redeliver");
asks("POST $w/{webhook_id}/replay", 202,
    "$w/$wid/replay?since=2026-03-14T00:00:00%2B05:30");
asks("DELETE $w/{webhook_id}", 204, "$w/$wid");

my $c = '/api/v1/clients';
my $client = asks("POST $c", 201, $c,
    { name => 'n', scopes => ['appointments:read'], branch_ids => ['MUM-01'] });
my $cid = $client->{client_id};
asks("GET $c", 200, $c);
asks("GET $c/{client_id}", 200, "$c/$cid");
asks("PATCH $c/{client_id}", 200, "$c/$cid", { branch_ids => undef });
asks("PATCH $c/{client_id}", 422, "$c/$cid", { branch_ids => ['PAR-01'] });
asks("POST $c", 400, $c, { name => 'n', scopes => ['fly'] });
asks("POST $c", 400, $c, { name => 'n', scopes => ['appointments:read'],
    requests_per_minute => 0 });
asks("POST $c/{client_id}/rotate-secret", 200, "$c/$cid/rotate-secret");
asks("GET $c/{client_id}/audit", 200, "$c/$cid/audit");
asks("DELETE $c/{client_id}", 204, "$c/$cid");

# ---- patients and configuration ---------------------------------------------

# A collection: its list, a new item, the item, changed, deleted.
sub collection {
    my ($collection, $path, $new, $change, $id) = @_;
    my $list = asks("GET $collection", 200, $path);
    my $made = asks("POST $collection", 201, $path, $new);
    my $item = "$collection/{$id}";
    my $at   = "$path/$made->{$id}";
    asks("GET $item", 200, $at);
    asks("PATCH $item", 200, $at, $change);
    asks("PATCH $item", 412, $at, $change, { 'If-Match' => '"999"' });
    asks("PATCH $item", 400, $at, { colour => 1 });
    asks("DELETE $item", 204, $at) unless $id eq 'patient_id';
    asks("GET $item", 404, "$path/nobody");
    return $made;
}

my $v = '/api/v1';
collection("$v/patients", "$v/patients", { first_name => 'Tara' },
    { last_name => 'Rao' }, 'patient_id');
collection("$v/branches", "$v/branches",
    { branch_id => 'PUN-01', name => 'Pune', time_zone => 'Asia/Kolkata' },
    { phone => '+912000000000' }, 'branch_id');
collection("$v/doctors", "$v/doctors",
    { doctor_id => 'DOC-900', name => 'Dr. Nine' }, { slot_min => 20 },
    'doctor_id');
collection("$v/departments", "$v/departments",
    { department_id => 'ORTHO', name => 'Orthopaedics' }, { slot_min => 20 },
    'department_id');
asks("GET $v/doctors", 200, "$v/doctors", { department_id => 'GEN' });
asks("GET $v/doctors", 404, "$v/doctors", { department_id => 'DANCE' });
asks($first, 200, "$a/slots/first", { department_id => 'GEN' });
asks($first, 404, "$a/slots/first", { department_id => 'DANCE' });
collection("$v/visit-types", "$v/visit-types",
    { visit_type => 'tele', name => 'Call' }, { duration_min => 10 },
    'visit_type');
my $open = "$v/branches/{branch_id}/operating-hours";
my $opens = "$v/branches/MUM-01/operating-hours";
asks("GET $open", 200, $opens);
asks("GET $open", 404, "$v/branches/MUM-09/operating-hours");
asks("PUT $open", 200, $opens, { operating_hours => [ map {
    { weekday => $_, opens => '00:00', closes => '24:00' } } 1 .. 7 ] });
asks("PUT $open", 409, $opens, { operating_hours => [
    { weekday => 1, opens => '00:00', closes => '06:00' } ] });
asks("PUT $open", 412, $opens, { operating_hours => [] }, { 'If-Match' => '"1"' });
asks("PUT $open", 400, $opens, { operating_hours => [ { weekday => 8,
    opens => '09:00', closes => '10:00' } ] });
asks("PUT $open", 400, $opens, {});
asks("PUT $open", 200, $opens, { operating_hours => [] });
collection("$v/branches/{branch_id}/closures", "$v/branches/MUM-01/closures",
    { date_from => '2026-08-15', date_to => '2026-08-15' },
    { reason => 'Independence Day' }, 'closure_id');
collection("$v/doctors/{doctor_id}/time-off", "$v/doctors/DOC-001/time-off",
    { starts_at => '2026-08-01T00:00:00+05:30',
        ends_at => '2026-08-02T00:00:00+05:30' }, { reason => 'x' },
    'time_off_id');
collection("$v/doctors/{doctor_id}/extra-sessions",
    "$v/doctors/DOC-001/extra-sessions",
    { branch_id => 'MUM-01', on_date => '2026-08-09', start_time => '09:00',
        end_time => '12:00' }, { capacity => 2 }, 'extra_session_id');
collection("$v/doctors/{doctor_id}/working-hours",
    "$v/doctors/DOC-001/working-hours",
    { branch_id => 'MUM-01', weekday => 7, start_time => '22:00',
        end_time => '23:00', valid_from => '2027-01-01' }, { capacity => 2 },
    'working_hours_id');
collection("$v/notification-templates", "$v/notification-templates",
    { event => 'cancelled', channel => 'whatsapp', language => 'ta',
        body => '{{patient_name}}: {{slot_date}}' },
    { body => '{{slot_time}}' }, 'notification_template_id');
collection("$v/notification-channels", "$v/notification-channels",
    { channel_id => 'mail', kind => 'email', secret => 's3cret',
        settings => { host => 'mail.example', from => 'a@b.example' } },
    { active => JSON::PP::false }, 'channel_id');
asks("GET $v/settings", 200, "$v/settings");
asks("GET $v/settings/{name}", 200, "$v/settings/hold_min");
asks("POST $v/settings", 201, "$v/settings",
    { name => 'hold_min', value => 7, branch_id => 'MUM-01' });
asks("PATCH $v/settings/{name}", 200, "$v/settings/hold_min?branch_id=MUM-01",
    { value => 8 });
asks("DELETE $v/settings/{name}", 204, "$v/settings/hold_min?branch_id=MUM-01");

for my $path (qw(/healthz /readyz /metrics /.well-known/jwks.json
    /api/v1/openapi.json)) {
    asks("GET $path", 200, $path);
}
for my $case ([ {}, 200 ], [ { grant_type => 'x' }, 400 ],
    [ { client_secret => 'x' }, 401 ]) {
    my $r = $http->form('/api/v1/auth/token', { grant_type =>
        'client_credentials', %{ $clinic->client }, %{ $case->[0] } });
    is($r->{status}, $case->[1], "POST /api/v1/auth/token: $case->[1]");
    is_deeply([ $api->wrong('POST /api/v1/auth/token', $r) ], [],
        'as documented');
}

# ---- what the contract bounds -----------------------------------------------

# The database is not there to refuse anything.
$clinic->cluster->psql('ALTER FUNCTION appt_api.create_client RENAME TO gone');
my %good = (name => 'n', scopes => ['appointments:read']);
for my $case (
    [ name => '', 'must not be empty' ],
    [ scopes => [], 'must not be empty' ],
    [ branch_ids => [], 'must not be empty' ],
    [ requests_per_minute => 0, 'must be from 1 to 10000000' ],
    [ scopes => ['fly'], 'must be one of appointments:read, ' ],
    [ scopes => 'appointments:read', 'must be a list of strings' ],
    [ scopes => [7], 'must be a list of strings' ],
    [ requests_per_minute => 'x', 'must be a whole number' ])
{
    my ($field, $value, $message) = @$case;
    my $r = asks("POST $c", 400, $c, { %good, $field => $value });
    is_deeply([ map { $_->{field} } @{ $r->{errors} } ], [$field],
        "$field is named");
    like($r->{errors}[0]{message}, qr/^\Q$message/, "$field: $message");
}

# Every example of the document fits its schema.
is_deeply([ $api->wrong_examples ], [], 'the examples fit their schemas');

done_testing();
