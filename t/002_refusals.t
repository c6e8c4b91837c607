#!/usr/bin/perl
#
# Every refusal that the five published calls can give: status, code, the
# field or reason named, a problem document, and the database as it was.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(wait_for);
use IO::Socket::INET;
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $reader  = $clinic->http($clinic->create_client(
    scopes => ['appointments:read']));
my $writer  = $clinic->http($clinic->create_client(
    scopes => ['appointments:write']));
my $london  = $clinic->http($clinic->create_client(
    scopes => ['appointments:read', 'appointments:write'],
    branch_ids => ['LON-01']));

my $base  = '/api/v1/appointments';
my $slots = "$base/slots";
my %day   = (doctor_id => 'DOC-001', date => '2026-03-15',
    branch_id => 'MUM-01');

# A booking body of a free slot, changed as given; undef leaves a member out.
sub body {
    my (%change) = @_;
    my %body = (patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
        branch_id => 'MUM-01', visit_type => 'follow_up', %change);
    my $start = delete $body{at} // '10:00';
    my ($hour, $minute) = split /:/, $start;
    $body{slot_start} = "2026-03-15T$start:00+05:30"
        unless exists $body{slot_start};
    $body{slot_end} = sprintf '2026-03-15T%02d:%02d:00+05:30',
        $minute + 15 > 59 ? ($hour + 1, $minute - 45) : ($hour, $minute + 15)
        unless exists $body{slot_end};
    delete $body{$_} for grep { !defined $body{$_} } keys %body;
    return \%body;
}

# refused(name, answer code, status, code, field => or reason =>): asks, and
# compares the database before and after.
sub refused {
    my ($name, $ask, $status, $code, %more) = @_;
    subtest "$status $code: $name" => sub {
        my $before = $clinic->fingerprint;
        my $r = $ask->();
        my $problem = $r->{json} // {};
        is($r->{status}, $status, 'status') or diag $r->{body};
        is($r->{headers}{'content-type'}, 'application/problem+json',
            'a problem document');
        is($problem->{code},   $code,   'code') or diag $r->{body};
        is($problem->{status}, $status, 'status in the body');
        ok(length($problem->{$_} // ''), $_) for qw(type title detail);
        is($problem->{reason}, $more{reason}, 'reason') if $more{reason};
        if ($more{field}) {
            my @field = map { $_->{field} } @{ $problem->{errors} // [] };
            ok((grep { $_ eq $more{field} } @field),
                "errors names $more{field}") or diag $r->{body};
        }
        ok($r->{headers}{ lc $more{header} }, $more{header}) if $more{header};
        unlike($r->{body}, qr/SELECT|appt_(?:api|internal)|pg_|SQLSTATE/,
            'nothing of the inside');
        is($clinic->fingerprint, $before, 'the database is as it was');
    };
}

sub book { my @body = @_; return sub { $http->post($base, @body) } }

# ---- tokens ---------------------------------------------------------------

sub token_error {
    my ($name, $field, $status, $error, $header) = @_;
    subtest "$status $error: $name" => sub {
        my $r = $http->form('/api/v1/auth/token', $field, $header);
        is($r->{status}, $status, 'status') or diag $r->{body};
        is($r->{json}{error}, $error, 'error') or diag $r->{body};
        ok(!exists $r->{json}{access_token}, 'no token');
    };
}

my %right = (grant_type => 'client_credentials', %{ $clinic->client });
token_error('a wrong secret', { %right, client_secret => 'cs_wrong' },
    401, 'invalid_client');
token_error('an unknown client', { %right, client_id => 'nobody' },
    401, 'invalid_client');
token_error('no client at all', { grant_type => 'client_credentials' },
    401, 'invalid_client');
token_error('another grant', { %right, grant_type => 'password' },
    400, 'unsupported_grant_type');
token_error('no grant_type', { %{ $clinic->client } }, 400, 'invalid_request');
token_error('a scope that the client does not have',
    { %right, scope => 'appointments:fly' }, 400, 'invalid_scope');

# ---- 401 and 403 ----------------------------------------------------------

for my $bad ([ 'no token', undef ], [ 'a token that is none', 'Bearer x.y.z' ],
    [ 'another scheme', 'Basic eDp5' ], [ 'an empty token', 'Bearer ' ]) {
    my ($name, $value) = @$bad;
    refused("slots with $name", sub {
        $http->get($slots, \%day, { Authorization => $value })
    }, 401, 'invalid_token', header => 'WWW-Authenticate');
}
refused('booking without a token', sub {
    $http->post($base, body(), { Authorization => undef })
}, 401, 'invalid_token', header => 'WWW-Authenticate');
refused('booking with a changed signature', sub {
    (my $token = $http->{token}) =~ s/(.{10})$/reverse $1/e;
    $http->post($base, body(), { Authorization => "Bearer $token" })
}, 401, 'invalid_token');

refused('booking with a reader\'s token', sub { $reader->post($base, body()) },
    403, 'insufficient_scope');
refused('slots with a writer\'s token', sub { $writer->get($slots, \%day) },
    403, 'insufficient_scope');
refused('cancelling with a reader\'s token', sub {
    $reader->delete("$base/APT-2026-000001", { reason => 'x' })
}, 403, 'insufficient_scope');

# ---- slots ----------------------------------------------------------------

for my $bad (
    [ 'no doctor_id', { doctor_id => undef }, 'doctor_id' ],
    [ 'no date', { date => undef }, 'date' ],
    [ 'a date that is none', { date => '2026-02-30' }, 'date' ],
    [ 'a date in another form', { date => '15/03/2026' }, 'date' ],
    [ 'a duration below 5', { duration => 4 }, 'duration' ],
    [ 'a duration above 480', { duration => 481 }, 'duration' ],
    [ 'a duration above the limit', { duration => 121 }, 'duration' ],
    [ 'a duration that is no number', { duration => '15x' }, 'duration' ],
    [ 'a range of 32 days', { date_to => '2026-04-15' }, 'date_to' ],
    [ 'a range backwards', { date_to => '2026-03-14' }, 'date_to' ],
    [ 'an unknown parameter', { colour => 'red' }, 'colour' ]) {
    my ($name, $change, $field) = @$bad;
    my %query = (%day, %$change);
    delete $query{$_} for grep { !defined $query{$_} } keys %query;
    refused("slots, $name", sub { $http->get($slots, \%query) },
        400, 'invalid_request', field => $field);
}
refused('slots without a branch, where there are two', sub {
    $http->get($slots, { doctor_id => 'DOC-001', date => '2026-03-15' })
}, 400, 'branch_required');
refused('slots of an unknown doctor', sub {
    $http->get($slots, { %day, doctor_id => 'DOC-999' })
}, 404, 'not_found');
refused('slots of an unknown branch', sub {
    $http->get($slots, { %day, branch_id => 'PAR-01' })
}, 404, 'not_found');
refused('slots of a branch that the client may not see', sub {
    $london->get($slots, \%day)
}, 404, 'not_found');

# ---- booking: form --------------------------------------------------------

refused('JSON that ends early', book('{"patient_id":'), 400, 'invalid_request');
refused('an array', book('[]'), 400, 'invalid_request');
refused('no body', book(''), 400, 'invalid_request');
refused('a member twice', book('{"patient_id":"a","patient_id":"b"}'),
    400, 'invalid_request');
refused('a NUL behind a literal',
    book(JSON::PP::encode_json(body(notify => JSON::PP::false))
        =~ s/false/false\0/r),
    400, 'invalid_request');
for my $bad (
    [ 'no patient_id', { patient_id => undef }, 'patient_id' ],
    [ 'no doctor_id', { doctor_id => undef }, 'doctor_id' ],
    [ 'no slot_start', { slot_start => undef }, 'slot_start' ],
    [ 'an unknown member', { colour => 'red' }, 'colour' ],
    [ 'a number for a text', { patient_id => 7 }, 'patient_id' ],
    [ 'a time without an offset',
        { slot_start => '2026-03-15T10:00:00' }, 'slot_start' ],
    [ 'a time that is none',
        { slot_start => '2026-03-15T25:00:00+05:30' }, 'slot_start' ],
    [ 'the end before the start',
        { slot_end => '2026-03-15T09:45:00+05:30' }, 'slot_end' ],
    [ 'a visit of the whole day',
        { slot_end => '2026-03-15T18:00:00+05:30' }, 'slot_end' ]) {
    my ($name, $change, $field) = @$bad;
    refused("booking, $name", book(body(%$change)),
        400, 'invalid_request', field => $field);
}
refused('booking without a branch, where there are two',
    book(body(branch_id => undef)), 400, 'branch_required');
refused('a body of another type', sub {
    $http->post($base, 'a=b',
        { 'Content-Type' => 'application/x-www-form-urlencoded' })
}, 415, 'unsupported_media_type');
refused('a body of 100 KiB', book(body(notes => 'x' x 102_400)),
    413, 'content_too_large');

# ---- booking: what does not exist -----------------------------------------

for my $bad (
    [ 'patient', 'patient_id', 'PAT-2026-99999' ],
    [ 'doctor', 'doctor_id', 'DOC-999' ],
    [ 'branch', 'branch_id', 'PAR-01' ],
    [ 'visit type', 'visit_type', 'dance' ]) {
    my ($name, $field, $value) = @$bad;
    refused("booking, an unknown $name", book(body($field => $value)),
        422, 'unknown_reference', field => $field);
}
refused('booking at a branch that the client may not see', sub {
    $london->post($base, body())
}, 422, 'unknown_reference', field => 'branch_id');

# ---- booking: slots that cannot be booked ---------------------------------

my $taken = $http->post($base, body())->{json}{appointment_id};
ok($taken, 'an appointment to be in the way');

sub conflict {
    my ($reason, $name, $body) = @_;
    refused($name, book($body), 409, 'slot_unavailable', reason => $reason);
}

conflict('taken', 'a slot that is taken',
    body(patient_id => 'PAT-2026-00124'));
conflict('taken', 'a longer visit that reaches into it', body(
    patient_id => 'PAT-2026-00124',
    slot_end => '2026-03-15T10:30:00+05:30'));
conflict('off_grid', 'a start between two slots', body(at => '10:20'));
conflict('outside_hours', 'an hour when nobody is there', body(at => '18:00'));
conflict('outside_hours', 'past the session\'s end',
    body(at => '11:45', slot_end => '2026-03-15T12:15:00+05:30'));
conflict('in_past', 'yesterday', body(
    slot_start => '2026-03-13T10:00:00+05:30',
    slot_end => '2026-03-13T10:15:00+05:30'));
conflict('beyond_horizon', 'in a year', body(
    slot_start => '2027-03-15T10:00:00+05:30',
    slot_end => '2027-03-15T10:15:00+05:30'));

# A rule of the clinic for the length of one refusal.
sub with_rule {
    my ($make, $unmake, $test) = @_;
    $cluster->psql($make);
    $test->();
    $cluster->psql($unmake);
}

with_rule(
    q{INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
      VALUES ('DOC-001', '2026-03-15 11:00+05:30', '2026-03-15 12:00+05:30')},
    'DELETE FROM appt.time_off',
    sub { conflict('on_leave', 'the doctor is away', body(at => '11:00')) });
with_rule(
    q{INSERT INTO appt.closure (branch_id, starts_at, ends_at)
      VALUES ('MUM-01', '2026-03-15 11:00+05:30', '2026-03-15 12:00+05:30')},
    'DELETE FROM appt.closure',
    sub { conflict('closed', 'the branch is closed', body(at => '11:00')) });
with_rule(
    q{INSERT INTO appt.setting (name, value) VALUES ('lead_time_min', '2880')},
    'DELETE FROM appt.setting',
    sub { conflict('lead_time', 'too soon', body(at => '11:00')) });
with_rule(
    q{INSERT INTO appt.setting (name, doctor_id, value)
      VALUES ('doctor_daily_limit', 'DOC-001', '1')},
    'DELETE FROM appt.setting',
    sub { conflict('daily_limit', 'the doctor\'s day is full',
        body(at => '11:00', patient_id => 'PAT-2026-00124')) });

$cluster->psql(q{SELECT appt.hold('DOC-001', '2026-03-15 11:30+05:30',
    branch_id => 'MUM-01')});
conflict('held', 'a slot that is held for someone', body(at => '11:30'));

$cluster->psql(q{SELECT appt.book('PAT-2026-00125', 'DOC-006',
    '2026-03-15 11:00+05:30', branch_id => 'MUM-01')});
refused('a patient who is elsewhere at that time',
    book(body(patient_id => 'PAT-2026-00125', at => '11:00')),
    409, 'patient_conflict');

# ---- idempotency keys -----------------------------------------------------

my %key = ('Idempotency-Key' => 'refusals-1');
my $done = $http->post($base, body(at => '11:15'), \%key);
is($done->{status}, 201, 'booked with a key');
refused('the key with another body', sub {
    $http->post($base, body(at => '11:45'), \%key)
}, 422, 'idempotency_key_reused');
refused('a key of 300 characters', sub {
    $http->post($base, body(at => '11:45'),
        { 'Idempotency-Key' => 'k' x 300 })
}, 400, 'idempotency_key_invalid');

# The first request waits for the doctor's day, the second finds it under way.
subtest '409 request_in_progress: the key of a request that still runs' => sub {
    my $other = $cluster->connect;
    $other->begin_work;
    $other->do(q{SELECT FROM appt.doctor_day AS d
        JOIN appt.doctor USING (doctor_no)
        WHERE doctor_id = 'DOC-001' AND on_date = '2026-03-15' FOR UPDATE OF d});
    my $body  = JSON::PP->new->canonical->encode(body(at => '11:45'));
    my $first = send_only('POST', $base, $body, 'Idempotency-Key: refusals-2');
    wait_for {
        $cluster->value(q{SELECT count(*) FROM pg_locks WHERE NOT granted})
    } 'the first request to wait';

    my $r = $http->post($base, $body, { 'Idempotency-Key' => 'refusals-2' });
    is($r->{status}, 409, 'status') or diag $r->{body};
    is($r->{json}{code}, 'request_in_progress', 'code');
    $other->rollback;
    like(scalar <$first>, qr{^HTTP/1.1 201}, 'the first one is done');
};

# A request on a connection of its own, whose answer is not waited for.
sub send_only {
    my ($method, $path, $body, @header) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $clinic->gateway->port)
        or die "gateway: $!\n";
    print {$socket} join "\r\n", "$method $path HTTP/1.1", 'Host: localhost',
        "Authorization: Bearer $http->{token}",
        'Content-Type: application/json', 'Content-Length: ' . length $body,
        @header, '', $body;
    return $socket;
}

# ---- holds ----------------------------------------------------------------

my $hold = $http->post("$base/holds", {
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => '2026-03-15T10:30:00+05:30' })->{json};
refused('a hold that nobody has (any more)',
    book(body(at => '10:30', hold_id => 'hold_nobody')), 409, 'hold_expired');
$cluster->freeze_clock('2026-03-14T12:05:01+05:30');
refused('a hold that has expired',
    book(body(at => '10:30', hold_id => $hold->{hold_id})),
    409, 'hold_expired');

# ---- moving and cancelling ------------------------------------------------

my %move = (new_slot_start => '2026-03-15T11:45:00+05:30',
    new_slot_end => '2026-03-15T12:00:00+05:30', reason => 'Asked');

sub move {
    my ($id, $change, $header) = @_;
    my %body = (%move, %{ $change // {} });
    delete $body{$_} for grep { !defined $body{$_} } keys %body;
    return sub { $http->patch("$base/$id/reschedule", \%body, $header) };
}

sub cancel {
    my ($id, $query, $header) = @_;
    return sub {
        $http->delete("$base/$id", $query // { reason => 'Asked' }, $header) };
}

refused('moving what does not exist', move('APT-2026-999999'),
    404, 'not_found');
refused('moving an appointment of another branch', sub {
    $london->patch("$base/$taken/reschedule", \%move)
}, 404, 'not_found');
refused('moving without a time',
    move($taken, { new_slot_start => undef }),
    400, 'invalid_request', field => 'new_slot_start');
refused('moving with an unknown member', move($taken, { colour => 'red' }),
    400, 'invalid_request', field => 'colour');
refused('moving, the end before the start',
    move($taken, { new_slot_end => '2026-03-15T11:30:00+05:30' }),
    400, 'invalid_request', field => 'new_slot_end');
refused('the same by the shorter names', sub {
    $http->patch("$base/$taken/reschedule",
        { slot_start => '2026-03-15T11:45:00+05:30',
            slot_end => '2026-03-15T11:30:00+05:30' })
}, 400, 'invalid_request', field => 'slot_end');
refused('moving for too long a reason', move($taken, { reason => 'x' x 4001 }),
    400, 'invalid_request', field => 'reason');
refused('moving to a slot that is taken',
    move($taken, { new_slot_start => '2026-03-15T11:15:00+05:30',
        new_slot_end => '2026-03-15T11:30:00+05:30' }),
    409, 'slot_unavailable', reason => 'taken');
refused('moving to an unknown doctor',
    move($taken, { doctor_id => 'DOC-999' }),
    422, 'unknown_reference', field => 'doctor_id');
refused('moving an old version',
    move($taken, {}, { 'If-Match' => '"7"' }), 412, 'version_mismatch');

refused('cancelling what does not exist', cancel('APT-2026-999999'),
    404, 'not_found');
refused('cancelling an appointment of another branch', sub {
    $london->delete("$base/$taken", { reason => 'Asked' })
}, 404, 'not_found');
refused('cancelling for a blank reason', cancel($taken, { reason => ' ' }),
    400, 'invalid_request', field => 'reason');
refused('cancelling with an unknown parameter',
    cancel($taken, { reason => 'Asked', colour => 'red' }),
    400, 'invalid_request', field => 'colour');
refused('cancelling an old version',
    cancel($taken, undef, { 'If-Match' => '"7"' }), 412, 'version_mismatch');

# The clock moves into the windows: cancelling ends two hours before.
$cluster->psql(q{INSERT INTO appt.setting (name, value)
    VALUES ('reschedule_window_min', '30')});
$cluster->freeze_clock('2026-03-15T09:00:00+05:30');
refused('cancelling an hour before', cancel($taken),
    409, 'cancellation_window');
$cluster->freeze_clock('2026-03-15T09:45:00+05:30');
refused('moving a quarter of an hour before', move($taken),
    409, 'reschedule_window');

$cluster->freeze_clock('2026-03-15T09:55:00+05:30');
$cluster->psql("SELECT appt.check_in('$taken')");
refused('moving who is there already', move($taken),
    409, 'invalid_transition');
$cluster->psql("SELECT appt.complete('$taken')");
refused('cancelling a visit that is over', cancel($taken),
    409, 'invalid_transition');

# ---- the rest of HTTP -----------------------------------------------------

refused('a path that is none', sub { $http->get('/api/v1/nothing') },
    404, 'not_found');
refused('a method that the path does not have', sub {
    $http->request('PUT', $slots)
}, 405, 'method_not_allowed', header => 'Allow');
refused('an answer of another type', sub {
    $http->get($slots, \%day, { Accept => 'image/png' })
}, 406, 'not_acceptable');

done_testing;
