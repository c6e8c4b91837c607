#!/usr/bin/perl
#
# Messages to patients over HTTP: the log with its filters, an appointment's
# messages with what can be said of them, sending again; what a relay made of
# them is what is shown, but for what the clinic's own network answered.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Deliveries qw(hurried);
use Appt::OpenApi;
use Appt::Util qw(wait_for);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $base    = '/api/v1/notifications';
my $visits  = '/api/v1/appointments';

sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($verb) = map {lc} $name =~ /^(\w+)/;
    my $r = $http->$verb($path, @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong($name, $r) ], [], "$name: $status as documented")
        or diag $r->{body};
    return $r;
}

sub list {
    return [ map {"$_->{appointment_id} $_->{event} $_->{status}"}
        @{ asks("GET $base", 200, $base, {@_})->{json} } ];
}

sub count {
    return scalar @{ $http->get($base, { status => $_[0] })->{json} };
}

# A visit at a branch, of which a patient with both addresses is told at once.
my $count = 0;
sub book {
    my ($branch, $doctor) = @_;
    my $patient = $http->post('/api/v1/patients', { first_name => 'Asha',
        phone => '+9198765432' . (10 + $count), email => "a$count\@b.example",
        branch_id => $branch })->{json}{patient_id};
    my $slots = $http->get("$visits/slots", { doctor_id => $doctor,
        branch_id => $branch, date => '2026-03-16' })->{json};
    my $made = $http->post($visits, { patient_id => $patient,
        doctor_id => $doctor, branch_id => $branch,
        slot_start => $slots->[ $count++ ]{start_time} });
    is($made->{status}, 201, 'booked') or diag $made->{body};
    return ($made->{json}{appointment_id}, $patient);
}

$cluster->psql(q{INSERT INTO appt.setting (name, value) VALUES
    ('settle_s', '0'), ('notification_order', 'sms,email'),
    ('reminder_lead_min', '120')});
is($http->post('/api/v1/notification-channels', { channel_id => 'sms',
    kind => 'sms', secret => 'k', settings => { url => $sink->url('/sms'),
        body => { to => '{{to}}', text => '{{body}}' }, id => ['sid'],
        error => ['error'] } })->{status}, 201, 'a channel');

my ($one, $patient) = book('MUM-01', 'DOC-001');
my ($two) = book('MUM-01', 'DOC-001');
my ($far) = book('LON-01', 'DOC-004');

# ---- before anything is sent ------------------------------------------------

is_deeply(list(), [ map {"$_ booked due"} $far, $two, $one ], 'newest first');
is_deeply(list(appointment_id => $one), ["$one booked due"], 'by appointment');
is_deeply(list(patient_id => $patient), ["$one booked due"], 'by patient');
is_deeply(list(patient_id => $patient, appointment_id => $two), [], 'by both');
is_deeply(list(status => 'sent'), [], 'by status');
is_deeply(list(event => 'cancelled'), [], 'by event');
is_deeply(list(channel => 'sms'), [], 'none has gone by a channel');
my $day = $cluster->value(q{SELECT (now() AT TIME ZONE 'Asia/Kolkata')::date});
is_deeply(list(date_from => $day, date_to => $day, appointment_id => $one),
    ["$one booked due"], 'by the day on which it was made');
is_deeply(list(date_to => '2020-01-01'), [], 'none of another day');
my $r = asks("GET $base", 200, $base, { per_page => 2 });
is($r->{headers}{'x-total-count'}, 3, 'X-Total-Count');
like($r->{headers}{link}, qr/page=2.*rel="next"/, 'where the next page is');
is(scalar @{ asks("GET $base", 200, $base, { per_page => 2, page => 2 })
    ->{json} }, 1, 'which has the rest');
for my $bad ([ status => 'lost' ], [ channel => 'fax' ], [ event => 'x' ],
    [ date_from => 'today' ], [ per_page => 101 ], [ branch_id => 'MUM-01' ]) {
    my $p = asks("GET $base", 400, $base, {@$bad})->{json};
    is($p->{errors}[0]{field}, $bad->[0], "$bad->[0]: named");
}
is(asks("GET $base", 400, $base, { date_from => '2026-03-02',
    date_to => '2026-03-01' })->{json}{errors}[0]{field}, 'date_to',
    'days the wrong way round');
asks("GET $base", 404, $base, { $_ => 'none' })
    for qw(appointment_id patient_id);

# ---- sent, and refused ------------------------------------------------------

$sink->behave(status => 201, body => '{"sid": "SM-1"}');
$cluster->psql("UPDATE appt.notification SET due_at = 'infinity' WHERE "
    . "appointment_no <> (SELECT appointment_no FROM appt.appointment WHERE "
    . "appointment_id = '$one')");
$clinic->start_relay(env => hurried(APPT_RELAY_MESSAGE_RETRY_SCHEDULE => '0'));
wait_for { count('sent') == 1 } 'one to be sent';
my $sent = asks("GET $base", 200, $base, { status => 'sent' })->{json}[0];
my $id = $sent->{notification_id};
is_deeply(asks("GET $base/{notification_id}", 200, "$base/$id")->{json}, $sent,
    'one alone is as in the list');
is_deeply([ @$sent{qw(channel channel_id language to attempts reason)} ],
    [ 'sms', 'sms', 'en', '+919876543210', 1, undef ], 'how it went');
is_deeply([ @{ $sent->{attempt_log}[0] }{qw(status answer)} ],
    [ 201, undef ], 'the answer of a server in here is not shown');
is($sent->{provider_id}, undef, 'nor any word of it');
is($cluster->value('SELECT answer FROM appt.notification_attempt'),
    '{"sid": "SM-1"}', 'but kept');
$cluster->psql('UPDATE appt.notification_attempt SET inside = false');
is(asks("GET $base/{notification_id}", 200, "$base/$id")->{json}{provider_id},
    'SM-1', 'that of one out there is');

$sink->behave(status => 400, body => '{"error": "no such number"}');
$cluster->psql(q{UPDATE appt.notification SET due_at = now()
    WHERE state = 'due'});
wait_for { count('failed') == 2 } 'two to fail';
my $failed = asks("GET $base", 200, $base,
    { status => 'failed', appointment_id => $two })->{json}[0];
is($failed->{reason}, 'answered 400', 'why, without the words from in here');
$r = asks("GET $visits/{appointment_id}/notifications", 200,
    "$visits/$two/notifications")->{json};
like($r->{explanation}[0], qr/^Booked by sms was refused: answered 400\.$/,
    'in a sentence, too');
is($r->{explanation}[1], 'A reminder (120 minutes before) is planned by sms '
    . 'for 16/03/2026 08:00.', 'and what is planned');
is_deeply($r->{notifications}, [$failed], 'its messages');
$cluster->psql('UPDATE appt.notification_attempt SET inside = false');
is(asks("GET $base/{notification_id}", 200,
    "$base/$failed->{notification_id}")->{json}{reason}, 'no such number',
    'the words of one out there are shown');
asks("GET $visits/{appointment_id}/notifications", 404,
    "$visits/none/notifications");

# ---- again ------------------------------------------------------------------

my $fid = $failed->{notification_id};
my $resend = "POST $base/{notification_id}/resend";
$sink->behave(status => 201, body => '{"sid": "SM-2"}');
$r = asks($resend, 202, "$base/$fid/resend", undef,
    { 'Idempotency-Key' => 'k' });
is($r->{json}{status}, 'due', 'it is due again');
wait_for { count('sent') == 2 } 'it to be sent';
is(asks($resend, 202, "$base/$fid/resend", undef,
    { 'Idempotency-Key' => 'k' })->{body}, $r->{body},
    'the same key: the same answer');
is(scalar @{ list(status => 'sent') }, 2, 'and not a third time');
asks($resend, 404, "$base/$_/resend") for qw(0 x 999999 99999999999999999999);
my $all = "POST $base/resend-failed";
is(asks($all, 202, "$base/resend-failed?since=2030-01-01T00:00:00Z")
    ->{json}{queued}, 0, 'none failed since then');
asks($all, 400, "$base/resend-failed");
my $london = $clinic->http($clinic->create_client(branch_ids => ['LON-01'],
    scopes => ['notifications:manage']));
my $mumbai = $clinic->http($clinic->create_client(branch_ids => ['MUM-01'],
    scopes => ['notifications:manage']));
my $since = "$base/resend-failed?since=2020-01-01T00:00:00Z";
is($mumbai->post($since)->{json}{queued}, 0, 'none at that branch');
is($london->post($since)->{json}{queued}, 1, 'one at this');
wait_for { count('sent') == 3 } 'it to be sent';

# ---- who sees what ----------------------------------------------------------

is_deeply([ map { $_->{appointment_id} } @{ $london->get($base)->{json} } ],
    [$far], 'a client limited to a branch sees its messages');
is($london->get("$base/$_")->{status}, 404, 'no other') for $id, $fid;
is($london->post("$base/$fid/resend")->{status}, 404, 'and sends none again');
is($london->get("$visits/$two/notifications")->{status}, 404, 'nor of a visit');
is($london->get($base, { appointment_id => $two })->{status}, 404,
    'nor in the list');

done_testing;
