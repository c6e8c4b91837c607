#!/usr/bin/perl
#
# One request in several spellings: members in another order, other blanks, a
# byte order mark, 15.0 for 15; what is given twice; texts that are left blank.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use JSON::PP ();

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $http = $clinic->http;
my $base = '/api/v1';
my %json = ('Content-Type' => 'application/json');

# ---- the same request -------------------------------------------------------

my $key = { 'Idempotency-Key' => 'spelling-1', %json };
my $first = $http->post("$base/patients",
    '{"first_name":"Asha","last_name":"Rao","active":true}', $key);
is($first->{status}, 201, 'a patient is registered');
for my $case (
    [ 'other order', '{"last_name":"Rao","active":true,"first_name":"Asha"}' ],
    [ 'other blanks',
        qq({\n  "first_name" : "Asha",\n\t"last_name":"Rao" ,"active":true}\r\n) ],
    [ 'escapes', '{"first_name":"\u0041sha","last_name":"Rao","active":true}' ],
    [ 'a byte order mark',
        "\xEF\xBB\xBF" . '{"first_name":"Asha","last_name":"Rao","active":true}' ])
{
    my ($name, $body) = @$case;
    my $again = $http->post("$base/patients", $body, $key);
    is($again->{status}, 201, "$name: answered") or diag $again->{body};
    is($again->{headers}{'idempotency-replayed'}, 'true', "$name: as before");
    is($again->{body}, $first->{body}, "$name: the same answer");
}
for my $case (
    [ 'another value', '{"first_name":"Asha","last_name":"Roy","active":true}' ],
    [ 'a member less', '{"first_name":"Asha","last_name":"Rao"}' ],
    [ 'another type', '{"first_name":"Asha","last_name":"Rao","active":null}' ]) {
    my ($name, $body) = @$case;
    my $other = $http->post("$base/patients", $body, $key);
    isnt($other->{headers}{'idempotency-replayed'}, 'true',
        "$name is another request");
    cmp_ok($other->{status}, '>=', 400, "$name is refused");
}

# ---- numbers ----------------------------------------------------------------

for my $number ('20', '20.0', '2e1', '2.0E+1') {
    my $r = $http->patch("$base/doctors/DOC-001", qq({"slot_min":$number}), \%json);
    is($r->{status}, 200, "slot_min $number") or diag $r->{body};
    is($r->{json}{slot_min}, 20, 'is 20');
}
for my $number ('20.5', '1e400', '"20"') {
    my $r = $http->patch("$base/doctors/DOC-001", qq({"slot_min":$number}), \%json);
    is($r->{status}, 400, "slot_min $number is refused");
}
my $r = $http->post("$base/settings",
    '{"name":"hold_min","value":7.0,"branch_id":"MUM-01"}', \%json);
is($r->{status}, 201, 'a setting of 7.0') or diag $r->{body};
is($r->{json}{value}, 7, 'is 7');
my $other = $clinic->create_client(name => 'Other', scopes => ['patients:read']);
$r = $http->patch("$base/clients/$other->{client_id}",
    '{"requests_per_minute":50000.0}', \%json);
is($r->{json}{requests_per_minute}, 50000, 'a limit of 50000.0, too')
    or diag $r->{body};

# ---- a byte order mark ------------------------------------------------------

my @free = @{ $http->get("$base/appointments/slots", { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-16' })->{json} };
$r = $http->post("$base/appointments", "\xEF\xBB\xBF" . qq({"patient_id":)
    . qq("PAT-2026-00123","doctor_id":"DOC-001","branch_id":"MUM-01",)
    . qq("slot_start":"$free[0]{start_time}"}), \%json);
is($r->{status}, 201, 'a body that begins with a byte order mark')
    or diag $r->{body};
is($http->post("$base/appointments", "\xEF\xBB", \%json)->{status}, 400,
    'half a mark is none');
is($http->post("$base/appointments", "\xEF\xBB\xBF", \%json)->{status}, 400,
    'nothing but a mark is no JSON');

# ---- what clients and webhooks are given --------------------------------------

$r = $http->post("$base/clients", { name => ' Desk ',
    scopes => [qw(appointments:read patients:read appointments:read)] });
is($r->{json}{name}, 'Desk', 'a client\'s name is trimmed');
is_deeply($r->{json}{scopes}, [qw(appointments:read patients:read)],
    'a scope is there once');
my $at = "$base/clients/$r->{json}{client_id}";
is($http->patch($at, {})->{json}{version}, 1, 'no change is no new version');
is($http->patch($at, { name => 'Front desk' })->{json}{version}, 2, 'one is');
$r = $http->post("$base/webhooks", { url => 'https://example.com/hook',
    events => [qw(appointment.booked appointment.booked)] });
is_deeply($r->{json}{events}, ['appointment.booked'], 'an event is there once');
$at = "$base/webhooks/$r->{json}{webhook_id}";
is($http->patch($at, {})->{json}{version}, 1, 'a webhook\'s version, too');
is($http->patch($at, { description => 'x' })->{json}{version}, 2, 'counts changes');
for my $case ([ "$base/clients", name => "a\x07" ],
    [ "$base/clients", description => "a\x07" ],
    [ "$base/webhooks", description => "a\x07" ]) {
    my ($path, $field, $value) = @$case;
    my %good = $path =~ /clients/
        ? (name => 'n', scopes => ['appointments:read'])
        : (url => 'https://example.com/other');
    $r = $http->post($path, { %good, $field => $value });
    is($r->{status}, 400, "$path: a control character in $field");
    is($r->{json}{errors}[0]{field}, $field, 'it is named');
    like($r->{json}{detail}, qr/control characters/, 'and the reason');
}
$r = $http->post("$base/appointments", { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01', source => 'sql',
    slot_start => $free[1]{start_time} });
is($r->{status}, 400, 'a booking over HTTP does not come from SQL');
like($r->{json}{errors}[0]{message}, qr/^must be one of api, web, mobile/,
    'where it can come from is said');

# ---- an empty text is an absent one -----------------------------------------

is($http->post("$base/patients", { first_name => '' })->{json}{errors}[0]{message},
    'must not be empty', 'what is required cannot be empty');
for my $field (qw(last_name phone email address language
    blood_group gender)) {
    $r = $http->post("$base/patients", { first_name => 'Tara', $field => '' });
    is($r->{status}, 201, "$field left blank") or diag $r->{body};
}
$r = $http->get("$base/patients",
    { search => '', branch_id => '', registered_after => '2026-01-01' });
is($r->{status}, 200, 'filters left blank are none') or diag $r->{body};
$r = $http->get("$base/appointments/slots", { doctor_id => '', date => '2026-03-16' });
is($r->{status}, 400, 'a parameter that is required');
is($r->{json}{errors}[0]{message}, 'is required', 'is missed');

# White space and what nobody sees are no name, whatever has one.
my $unseen = " \xC2\xA0\xE2\x80\x8B";
my $client = $clinic->create_client(name => 'Unseen', scopes => ['patients:read']);
my $person = $http->post("$base/staff", { account => 'unseen', name => 'U',
    role => 'reception', password => 'correct horse 9' })->{json}{staff_id};
for my $case ([ post => 'clients', 'name', { scopes => ['patients:read'] } ],
    [ patch => "clients/$client->{client_id}", 'name' ],
    [ post => 'staff', 'name', { account => 'unseen2', role => 'reception',
        password => 'correct horse 9' } ],
    [ patch => "staff/$person", 'name' ],
    [ post => 'boards', 'name', { branch_id => 'MUM-01' } ],
    [ post => 'branches', 'name', { branch_id => 'U-1', time_zone => 'UTC' } ],
    [ patch => 'branches/MUM-01', 'name' ], [ patch => 'doctors/DOC-001', 'name' ],
    [ post => 'departments', 'name', { department_id => 'U-1' } ],
    [ post => 'visit-types', 'name', { visit_type => 'u1' } ],
    [ post => 'patients', 'first_name' ]) {
    my ($method, $path, $field, $more) = @$case;
    my $body = JSON::PP->new->encode($more // {});
    $body =~ s/\}\z/($more ? ',' : '') . qq("$field":"$unseen"}) /e;
    $r = $http->$method("$base/$path", $body, \%json);
    is($r->{status}, 400, "$method $path: no $field") or diag $r->{body};
    is($r->{json}{errors}[0]{field}, $field, 'it is named');
    like($r->{json}{errors}[0]{message}, qr/required|must not be blank/i,
        'and missed');
    unlike($r->{json}{detail}, qr/A value is not/, 'in a sentence with a subject');
}

# ---- a version that nothing has ------------------------------------------------

my $visit = $http->post("$base/appointments", { patient_id => 'PAT-2026-00124',
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => $free[2]{start_time} });
is($visit->{status}, 201, 'a visit') or diag $visit->{body};
$at = "$base/appointments/$visit->{json}{appointment_id}";
for my $case ([ PATCH => "$at/reschedule", { new_slot_start => $free[3]{start_time} } ],
    [ DELETE => "$at?reason=x" ], [ PATCH => $at, { notes => 'n' } ],
    [ POST => "$at/priority", { priority => 1 } ], [ POST => "$at/check-in", {} ],
    [ PATCH => "$base/doctors/DOC-001", { name => 'Dr N' } ],
    [ PATCH => "$base/patients/PAT-2026-00124", { email => 'n@example.com' } ],
    [ PATCH => "$base/clients/$client->{client_id}", { name => 'N' } ],
    [ PATCH => "$base/staff/$person", { name => 'N' } ]) {
    my ($method, $path, $body) = @$case;
    $r = $http->request($method, $path, $body && JSON::PP->new->encode($body),
        { 'If-Match' => '"0"', ($body ? %json : ()) });
    is($r->{status}, 412, "$method $path with If-Match \"0\"") or diag $r->{body};
    like($r->{json}{detail}, qr/ has version \d+, not 0\.\z/, 'both are named');
}

# ---- what is at once nothing and refused -----------------------------------------

for my $list ("$base/appointments?", "$base/doctors/DOC-001/working-hours?",
    "$base/doctors/DOC-001/extra-sessions?", "$base/doctors/DOC-001/time-off?",
    "$base/branches/MUM-01/closures?", "$base/notifications?",
    "$base/appointments/slots?doctor_id=DOC-001&branch_id=MUM-01&date=2026-03-20&",
    "$base/appointments/slots/explain-day?doctor_id=DOC-001&branch_id=MUM-01"
        . "&date=2026-03-20&") {
    my $from = $list =~ /date=/ ? '' : 'date_from=2026-03-20&';
    $r = $http->get("$list${from}date_to=2026-03-19");
    is($r->{status}, 400, "$list: ends before it begins") or diag $r->{body};
    is($r->{json}{errors}[0]{field}, 'date_to', 'which is named');
    is($http->get("$list${from}date_to=2026-03-20")->{status}, 200, 'a day is one');
}
my $slots = "$base/appointments/slots?doctor_id=DOC-001&branch_id=MUM-01"
    . '&date=2026-03-17';
for my $same ('30', '30.0', '30.00') {
    is($http->get("$slots&duration=$same")->{body},
        $http->get("$slots&duration=30")->{body}, "duration=$same is 30");
}
for my $wrong ('0', '0.0', '30.5', '30.', '.0', '3e1', '-30', '30.0.0') {
    $r = $http->get("$slots&duration=$wrong");
    is($r->{status}, 400, "duration=$wrong");
    is($r->{json}{errors}[0]{field}, 'duration', 'is named');
}

done_testing();
