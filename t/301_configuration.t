#!/usr/bin/perl
#
# The configuration over HTTP: made, changed and deleted with every status; a
# change shows in the next list of slots; absences over bookings; what a client
# without the scope or of another branch cannot do.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $v       = '/api/v1';

# asks(operation, status, path, ...): a request whose answer must have that
# status and fit the document.
sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($verb, $operation) = $name =~ /^(\w+) (.*)/;
    my $method = lc $verb;
    my $r = $http->$method("$v$path", @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong("$verb $v$operation", $r) ], [],
        "$name: $status as documented") or diag $r->{body};
    return $r;
}

# refused(operation, status, code, field, path, ...): nothing has changed.
sub refused {
    my ($name, $status, $code, $field, $path, @more) = @_;
    my $before = fingerprint();
    my $problem = asks($name, $status, $path, @more)->{json};
    is($problem->{code}, $code, "$code");
    is_deeply([ map { $_->{field} } @{ $problem->{errors} // [] } ],
        [ $field // () ], 'names ' . ($field // 'no field'))
        or diag $problem->{detail};
    is(fingerprint(), $before, 'nothing has changed');
}

sub fingerprint {
    return join ' ', $clinic->fingerprint, map {
        $cluster->value("SELECT md5(coalesce(string_agg(t::text, ',' "
            . "ORDER BY t::text), '')) FROM appt.$_ t")
    } qw(branch department doctor visit_type operating_hours working_hours extra_session
        time_off closure setting);
}

# The free slots' local starts of a day.
sub slots {
    my ($doctor, $date, $branch) = @_;
    my $r = $http->get("$v/appointments/slots", { doctor_id => $doctor,
        date => $date, branch_id => $branch // 'MUM-01' });
    return $r->{json}{code} if $r->{status} != 200;
    return join ' ', map { $_->{start_time} =~ /T(\d\d:\d\d)/ } @{ $r->{json} };
}

sub book {
    my ($doctor, $at) = @_;
    my $r = $http->post("$v/appointments", { patient_id => 'PAT-2026-00123',
        doctor_id => $doctor, branch_id => 'PUN-01', slot_start => $at,
        visit_type => 'scan' });
    is($r->{status}, 201, "booked at $at") or diag $r->{body};
    return $r->{json}{appointment_id};
}

sub status_of { return $http->get("$v/appointments/$_[0]")->{json}{status} }

# ---- a branch, a doctor and hours: the first slots ----------------------------

my $r = asks('POST /branches', 201, '/branches', { branch_id => 'PUN-01',
    name => 'Pune', time_zone => 'Asia/Kolkata', slot_min => 30 });
is($r->{headers}{location}, "$v/branches/PUN-01", 'Location');
is($r->{headers}{etag}, '"1"', 'ETag');
asks('POST /visit-types', 201, '/visit-types',
    { visit_type => 'scan', name => 'Scan', duration_min => 60 });
asks('POST /doctors', 201, '/doctors', { doctor_id => 'DOC-P', name => 'Dr P' });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '', 'no hours, no slots');
my $hours = '/doctors/{doctor_id}/working-hours';
$r = asks("POST $hours", 201, '/doctors/DOC-P/working-hours',
    { branch_id => 'PUN-01', weekday => 1, start_time => '09:00',
        end_time => '11:00' });
my $at = "/doctors/DOC-P/working-hours/$r->{json}{working_hours_id}";
is($r->{headers}{location}, "$v$at", 'Location below the doctor');
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '09:00 09:30 10:00 10:30',
    'the next list has them');

# ---- changes show at once -----------------------------------------------------

asks("PATCH $hours/{working_hours_id}", 200, $at, { end_time => '10:00' },
    { 'If-Match' => '"1"' });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '09:00 09:30', 'shorter hours');
refused("PATCH $hours/{working_hours_id}", 412, 'version_mismatch', undef, $at,
    { end_time => '12:00' }, { 'If-Match' => '"1"' });
asks('PATCH /doctors/{doctor_id}', 200, '/doctors/DOC-P', { slot_min => 20 });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '09:00 09:20 09:40',
    'the doctor\'s own slot length');
asks('PATCH /settings/{name}', 200, '/settings/horizon_days?branch_id=PUN-01',
    { value => 1 });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '', 'beyond the horizon');
asks('DELETE /settings/{name}', 204, '/settings/horizon_days?branch_id=PUN-01');
asks('PATCH /branches/{branch_id}', 200, '/branches/PUN-01',
    { active => JSON::PP::false() });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), 'not_found', 'an inactive branch');
asks('PATCH /branches/{branch_id}', 200, '/branches/PUN-01',
    { active => JSON::PP::true() });
$r = asks('POST /doctors/{doctor_id}/extra-sessions', 201,
    '/doctors/DOC-P/extra-sessions', { branch_id => 'PUN-01',
        on_date => '2026-03-17', start_time => '23:20', end_time => '24:00' });
is(slots('DOC-P', '2026-03-17', 'PUN-01'), '23:20 23:40', 'an extra session');

# ---- what is refused ----------------------------------------------------------

for my $bad (
    [ 'branch_id', {} ], [ 'weekday', { weekday => 8 } ],
    [ 'weekday', { weekday => '1' } ], [ 'start_time', { start_time => '9' } ],
    [ 'start_time', { start_time => undef } ],
    [ 'end_time', { end_time => '24:01' } ],
    [ 'end_time', { end_time => '08:00' } ],
    [ 'start_time', { weekday => 1, start_time => '09:30' } ],
    [ 'capacity', { capacity => 0 } ], [ 'slot_min', { slot_min => 4 } ],
    [ 'valid_from', { valid_from => '2026-02-29' } ],
    [ 'valid_to', { valid_from => '2026-03-02', valid_to => '2026-03-01' } ],
    [ 'doctor_id', { doctor_id => 'DOC-001' } ], [ 'on', { on => 1 } ])
{
    my ($field, $change) = @$bad;
    my %body = (weekday => 2, start_time => '09:00', end_time => '10:00',
        (%$change ? (branch_id => 'PUN-01') : ()), %$change);
    refused("POST $hours", 400, 'invalid_request', $field,
        '/doctors/DOC-P/working-hours', \%body);
}
refused("POST $hours", 422, 'unknown_reference', 'branch_id',
    '/doctors/DOC-P/working-hours', { branch_id => 'X', weekday => 2,
        start_time => '09:00', end_time => '10:00' });
refused("POST $hours", 404, 'not_found', 'doctor_id',
    '/doctors/DOC-X/working-hours', { branch_id => 'PUN-01', weekday => 2,
        start_time => '09:00', end_time => '10:00' });
refused("GET $hours/{working_hours_id}", 404, 'not_found', 'working_hours_id',
    '/doctors/DOC-001/working-hours/' . ($at =~ /(\d+)$/)[0]);
refused('POST /branches', 409, 'already_exists', 'branch_id', '/branches',
    { branch_id => 'PUN-01', name => 'Pune', time_zone => 'Asia/Kolkata' });
refused('POST /branches', 400, 'invalid_request', 'time_zone', '/branches',
    { branch_id => 'PUN-02', name => 'Pune', time_zone => 'Asia/Pune' });
refused('POST /doctors', 400, 'invalid_request', 'doctor_id', '/doctors',
    { doctor_id => 'DOC P', name => 'Dr P' });
refused('PATCH /settings/{name}', 400, 'invalid_request', 'value',
    '/settings/hold_min', { value => 121 });
refused('PATCH /settings/{name}', 400, 'invalid_request', 'value',
    '/settings/hold_min', { value => [] });
refused('PATCH /settings/{name}', 404, 'not_found', 'name', '/settings/colour',
    { value => 1 });
refused('PATCH /settings/{name}', 404, 'not_found', 'branch_id',
    '/settings/hold_min?branch_id=X', { value => 1 });
refused('POST /settings', 422, 'unknown_reference', 'doctor_id', '/settings',
    { name => 'hold_min', value => 1, doctor_id => 'X' });

# ---- absences over bookings ---------------------------------------------------

my $off = '/doctors/{doctor_id}/time-off';
my $id  = book('DOC-P', '2026-03-16T09:00:00+05:30');
$clinic->webhook;
refused("POST $off", 409, 'affects_appointments', undef,
    '/doctors/DOC-P/time-off',
    { date_from => '2026-03-16', date_to => '2026-03-16' });
like($http->post("$v/doctors/DOC-P/time-off",
    { date_from => '2026-03-16', date_to => '2026-03-16' })->{json}{detail},
    qr/\Q$id\E at /, 'with the list of those affected');
refused("POST $off", 400, 'invalid_request', 'reason',
    '/doctors/DOC-P/time-off', { date_from => '2026-03-16',
        date_to => '2026-03-16', displace => 'move' });
refused("POST $off", 400, 'invalid_request', 'ends_at',
    '/doctors/DOC-P/time-off', { starts_at => '2026-03-16T09:00:00+05:30' });
refused("POST $off", 400, 'invalid_request', 'starts_at',
    '/doctors/DOC-P/time-off', { starts_at => '2026-03-16T09:00:00',
        ends_at => '2026-03-16T10:00:00+05:30' });
$r = asks("POST $off", 201, '/doctors/DOC-P/time-off',
    { date_from => '2026-03-16', date_to => '2026-03-16', displace => 'move',
        reason => 'Ill' }, { 'Idempotency-Key' => 'off-1' });
is($r->{json}{displaced}, 1, 'asked to, it moves them');
my $moved = $http->get("$v/appointments/$id")->{json};
is_deeply([ @$moved{qw(status slot_start reason)} ],
    [ 'booked', '2026-03-23T09:00:00+05:30', 'Ill' ], 'a week on, with why');
is($cluster->value(q{SELECT string_agg(event_type, ',') FROM appt.event e
    JOIN appt.delivery d USING (event_no)
    WHERE data::jsonb->>'appointment_id' = $1}, $id),
    'appointment.rescheduled', 'and the webhook hears of it');
my $again = asks("POST $off", 201, '/doctors/DOC-P/time-off',
    { date_from => '2026-03-16', date_to => '2026-03-16', displace => 'move',
        reason => 'Ill' }, { 'Idempotency-Key' => 'off-1' });
is($again->{body}, $r->{body}, 'the same key: the same answer');
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '', 'no slots on that day');
my $absence = "/doctors/DOC-P/time-off/$r->{json}{time_off_id}";
refused("PATCH $off/{time_off_id}", 409, 'affects_appointments', undef,
    $absence, { date_from => '2026-03-16', date_to => '2026-03-23' });
asks("PATCH $off/{time_off_id}", 200, $absence,
    { ends_at => '2026-03-16T09:20:00+05:30' });
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '09:20 09:40', 'shortened');
asks("DELETE $off/{time_off_id}", 204, $absence);
is(slots('DOC-P', '2026-03-16', 'PUN-01'), '09:00 09:20 09:40', 'taken back');

$r = asks('POST /branches/{branch_id}/closures', 201,
    '/branches/PUN-01/closures', { date_from => '2026-03-23',
        date_to => '2026-03-23', reason => 'Flood', displace => 'cancel' });
is(status_of($id), 'cancelled', 'a closure cancels when it is asked to');
is(slots('DOC-P', '2026-03-23', 'PUN-01'), '', 'and the branch is closed');
$r = asks('GET /branches/{branch_id}/closures', 200, '/branches/PUN-01/closures',
    { date_from => '2026-03-23', date_to => '2026-03-23' });
is($r->{headers}{'x-total-count'}, 1, 'which the list of that day shows');

# ---- what is in use stays -----------------------------------------------------

for my $used ([ 'branches', 'branch_id', 'PUN-01' ],
    [ 'doctors', 'doctor_id', 'DOC-P' ],
    [ 'departments', 'department_id', 'GEN' ], [ 'visit-types', 'visit_type', 'scan' ])
{
    my ($many, $key, $which) = @$used;
    refused("DELETE /$many/{$key}", 409, 'in_use', undef, "/$many/$which");
    asks("PATCH /$many/{$key}", 200, "/$many/$which",
        { active => JSON::PP::false() });
}
refused('PATCH /branches/{branch_id}', 409, 'in_use', undef,
    '/branches/PUN-01', { time_zone => 'Pacific/Honolulu' });

# ---- a time zone that was set wrong -------------------------------------------

# Visits at ten and at half past ten, of which a new clock shows something else.
asks('POST /branches', 201, '/branches', { branch_id => 'VAN-01',
    name => 'Vancouver', time_zone => 'America/Vancouver', slot_min => 30 });
asks('POST /doctors', 201, '/doctors', { doctor_id => 'DOC-V', name => 'Dr V' });
asks("POST $hours", 201, '/doctors/DOC-V/working-hours',
    { branch_id => 'VAN-01', weekday => 1, start_time => '09:00',
        end_time => '12:00' });
my @visit = map {
    my $r = $http->post("$v/appointments", { patient_id => "PAT-2026-0012$_->[0]",
        doctor_id => 'DOC-V', branch_id => 'VAN-01', slot_start => $_->[1] });
    is($r->{status}, 201, "booked for $_->[1]") or diag $r->{body};
    $r->{json}{appointment_id};
} [ 3 => '2026-03-16T10:00:00-07:00' ], [ 4 => '2026-03-16T10:30:00-07:00' ];
sub starts {
    return join ' ', map {
        $http->get("$v/appointments/$_")->{json}{slot_start} } @visit;
}

my $denver = { time_zone => 'America/Denver' };
refused('PATCH /branches/{branch_id}', 409, 'affects_appointments', 'time_zone',
    '/branches/VAN-01', $denver);
like($http->patch("$v/branches/VAN-01", $denver)->{json}{detail},
    qr{$visit[0] at 16/03/2026 10:00, $visit[1] at 16/03/2026 10:30},
    'which lists them');
refused('PATCH /branches/{branch_id}', 400, 'invalid_request', 'visits',
    '/branches/VAN-01', { %$denver, visits => 'move' });
refused('PATCH /branches/{branch_id}', 400, 'invalid_request', 'reason',
    '/branches/VAN-01', { %$denver, visits => 'keep_clock', reason => ' ' });
refused('PATCH /branches/{branch_id}', 412, 'version_mismatch', undef,
    '/branches/VAN-01', { %$denver, visits => 'keep_instant' },
    { 'If-Match' => '"9"' });
refused('POST /branches', 400, 'invalid_request', 'visits', '/branches',
    { branch_id => 'X', name => 'X', %$denver, visits => 'refuse' });

# All or none: who is away at the new half past ten keeps both where they are.
$r = asks('POST /doctors/{doctor_id}/time-off', 201, '/doctors/DOC-V/time-off',
    { starts_at => '2026-03-16T09:30:00-07:00',
        ends_at => '2026-03-16T10:00:00-07:00' });
refused('PATCH /branches/{branch_id}', 409, 'affects_appointments', 'time_zone',
    '/branches/VAN-01', { %$denver, visits => 'keep_clock', reason => 'Wrong zone' });
is(starts(), '2026-03-16T10:00:00-07:00 2026-03-16T10:30:00-07:00',
    'the visits are where they were');
asks('DELETE /doctors/{doctor_id}/time-off/{time_off_id}', 204,
    "/doctors/DOC-V/time-off/$r->{json}{time_off_id}");

my $once = { 'Idempotency-Key' => 'denver' };
asks('PATCH /branches/{branch_id}', 200, '/branches/VAN-01',
    { %$denver, visits => 'keep_clock', reason => 'Wrong zone' }, $once);
is(starts(), '2026-03-16T10:00:00-06:00 2026-03-16T10:30:00-06:00',
    'the clock shows what they were booked for');
my $history = $http->get("$v/appointments/$visit[0]/history")->{json};
is_deeply([ @{ $history->[-1] }{qw(event reason actor)} ], [ 'appointment.rescheduled',
    'Wrong zone', 'client:' . $clinic->client->{client_id} ],
    'the history says who moved them, and why') or diag explain $history;

asks('PATCH /branches/{branch_id}', 200, '/branches/VAN-01',
    { time_zone => 'America/Vancouver', visits => 'keep_instant' });
is(starts(), '2026-03-16T09:00:00-07:00 2026-03-16T09:30:00-07:00',
    'or they stay when they are');
asks('PATCH /branches/{branch_id}', 200, '/branches/VAN-01',
    { %$denver, visits => 'keep_clock', reason => 'Wrong zone' }, $once);
is(starts(), '2026-03-16T09:00:00-07:00 2026-03-16T09:30:00-07:00',
    'an answer that is given again moves nothing');
$r = asks('GET /doctors', 200, '/doctors', { active => 'false' });
is_deeply([ map { $_->{doctor_id} } @{ $r->{json} } ], ['DOC-P'],
    'it is inactive instead');
asks('POST /doctors', 201, '/doctors', { doctor_id => 'DOC-Q', name => 'Dr Q' });
refused('DELETE /doctors/{doctor_id}', 412, 'version_mismatch', undef,
    '/doctors/DOC-Q', {}, { 'If-Match' => '"2"' });
asks('DELETE /doctors/{doctor_id}', 204, '/doctors/DOC-Q', {},
    { 'If-Match' => '"1"' });
refused('DELETE /doctors/{doctor_id}', 404, 'not_found', 'doctor_id',
    '/doctors/DOC-Q');

# ---- without the scope: every call of these -----------------------------------

my $stranger = $clinic->http($clinic->create_client(
    scopes => ['appointments:read']));
my $reader = $clinic->http($clinic->create_client(scopes => ['schedule:read']));
for my $operation ($api->operations) {
    my ($method, $path) = split / /, $operation->{name};
    my ($scope) = grep {/^(?:schedule|patients):/} @{ $operation->{scopes} };
    next unless $scope;
    (my $real = $path) =~ s/\{\w+\}/x/g;
    my $r = $stranger->request($method, $real);
    is("$r->{status} $r->{json}{code}", '403 insufficient_scope',
        "$operation->{name}: a client without $scope");
    next unless $scope eq 'schedule:manage';
    is($reader->request($method, $real)->{status}, 403,
        "$operation->{name}: a client that may only read");
}

# ---- limited to a branch ------------------------------------------------------

my $london = $clinic->http($clinic->create_client(
    scopes => [ 'schedule:read', 'schedule:manage' ],
    branch_ids => ['LON-01']));
my %limited = (
    'GET /branches/MUM-01'                => 404,
    'GET /doctors/DOC-001'                => 404,
    'GET /doctors/DOC-001/working-hours'  => 404,
    'GET /branches/MUM-01/closures'       => 404,
    'GET /branches/MUM-01/operating-hours' => 404,
    'GET /branches/LON-01/operating-hours' => 200,
    'GET /settings?branch_id=MUM-01'      => 404,
    'GET /doctors?branch_id=MUM-01'       => 404,
    'GET /departments/GEN'                => 200,
    'PATCH /departments/GEN'              => 403,
    'DELETE /departments/ENT'             => 403,
    'GET /branches/LON-01'                => 200,
    'GET /doctors/DOC-004'                => 200,
    'PATCH /branches/MUM-01'              => 404,
    'PATCH /branches/LON-01'              => 200,
    'PATCH /doctors/DOC-001'              => 404,
    'PATCH /doctors/DOC-004'              => 200,
    'PATCH /visit-types/follow_up'        => 403,
    'DELETE /branches/MUM-01'             => 404,
    'DELETE /visit-types/vaccination'     => 403,
);
for my $call (sort keys %limited) {
    my ($method, $path) = split / /, $call;
    my $r = $london->request($method, "$v$path",
        $method eq 'PATCH' ? '{}' : undef,
        $method eq 'PATCH' ? { 'Content-Type' => 'application/json' } : {});
    is($r->{status}, $limited{$call}, "limited to London: $call")
        or diag $r->{body};
}
is_deeply([ map { $_->{branch_id} } @{ $london->get("$v/branches")->{json} } ],
    ['LON-01'], 'limited to London: the list of branches');
$r = $london->patch("$v/settings/hold_min", { value => 3 });
is("$r->{status} $r->{json}{code}", '403 insufficient_scope',
    'limited to London: a setting for all');
is($london->patch("$v/settings/hold_min?branch_id=LON-01",
    { value => 3 })->{status}, 200, 'limited to London: its own');

done_testing;
