#!/usr/bin/perl
#
# Patients over HTTP: registered, found, changed; every status; and that an
# answer is as the OpenAPI document says.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;

binmode $_, ':utf8' for Test::More->builder->output,
    Test::More->builder->failure_output;

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $base    = '/api/v1/patients';
my $one     = "$base/{patient_id}";

# asks(operation, status, path, ...): a request whose answer must have that
# status and fit the document.
sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($verb) = map {lc} $name =~ /^(\w+)/;
    my $r = $http->$verb($path, @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong($name, $r) ], [], "$name: $status as documented")
        or diag $r->{body};
    return $r;
}

# refused(operation, status, code, field, path, ...)
sub refused {
    my ($name, $status, $code, $field, $path, @more) = @_;
    my $before = count();
    my $problem = asks($name, $status, $path, @more)->{json};
    is($problem->{code}, $code, "$code");
    is_deeply([ map { $_->{field} } @{ $problem->{errors} // [] } ],
        [ $field // () ], 'names ' . ($field // 'no field'));
    is(count(), $before, 'and nobody more is there');
}

sub count { return $cluster->value('SELECT count(*) FROM appt.patient') }

# ---- registered -------------------------------------------------------------

my %new = (first_name => 'Zoë', last_name => 'Fernandes',
    date_of_birth => '1990-02-03', gender => 'female',
    phone => '+91 98200 55555', email => 'zoe@example.org',
    address => { line1 => '1 Example Road', line2 => undef, city => 'Mumbai',
        state => undef, pincode => '400001', country => undef },
    blood_group => 'AB-',
    abha_id => '12-3456-7890-1234', language => 'hi-IN',
    branch_id => 'MUM-01');
my $r = asks("POST $base", 201, $base, \%new);
my $id = $r->{json}{patient_id};
like($id, qr/^PAT-2026-\d{5,}$/, 'an id by year and number');
is($r->{headers}{location}, "$base/$id", 'Location');
is($r->{headers}{etag}, '"1"', 'ETag');
is_deeply({ map { $_ => $r->{json}{$_} } keys %new }, \%new,
    'all that was sent');
is_deeply([ @{ $r->{json} }{qw(age id name possible_duplicates)} ],
    [ 36, $id, 'Zoë Fernandes', [] ], 'and what follows from it');

$r = asks("POST $base", 201, $base, { first_name => 'zoë',
    last_name => 'FERNANDES', phone => '098200 55555' });
is_deeply($r->{json}{possible_duplicates}, [ { patient_id => $id,
    name => 'Zoë Fernandes', same => [ 'name', 'phone' ] } ],
    'the same name and number: a warning, no refusal');

my $key = { 'Idempotency-Key' => 'register-1' };
my $first = asks("POST $base", 201, $base, { first_name => 'Once' }, $key);
my $again = asks("POST $base", 201, $base, { first_name => 'Once' }, $key);
is($again->{body}, $first->{body}, 'the same key: the same answer');
is($again->{headers}{'idempotency-replayed'}, 'true', 'which says so');
refused("POST $base", 422, 'idempotency_key_reused', undef, $base,
    { first_name => 'Twice' }, $key);

# ---- not registered ---------------------------------------------------------

for my $bad (
    [ {}, 'first_name' ], [ { first_name => undef }, 'first_name' ],
    [ { first_name => '' }, 'first_name' ],
    [ { first_name => ' ' }, 'first_name' ],
    [ { first_name => 7 }, 'first_name' ],
    [ { first_name => "a\nb" }, 'first_name' ],
    [ { first_name => 'x' x 501 }, 'first_name' ],
    [ { last_name => [] }, 'last_name' ],
    [ { date_of_birth => '3.2.1990' }, 'date_of_birth' ],
    [ { date_of_birth => '1990-02-30' }, 'date_of_birth' ],
    [ { date_of_birth => '2026-04-01' }, 'date_of_birth' ],
    [ { gender => 'f' }, 'gender' ], [ { phone => 'x' }, 'phone' ],
    [ { email => 'x' }, 'email' ], [ { blood_group => 'C' }, 'blood_group' ],
    [ { language => '?' }, 'language' ], [ { active => undef }, 'active' ],
    [ { patient_id => 'PAT-1' }, 'patient_id' ], [ { colour => 1 }, 'colour' ])
{
    my ($body, $field) = @$bad;
    $body = { first_name => 'A', %$body } if %$body;
    refused("POST $base", 400, 'invalid_request', $field, $base, $body);
}
refused("POST $base", 400, 'invalid_request', undef, $base, '[]');
refused("POST $base", 422, 'unknown_reference', 'branch_id', $base,
    { first_name => 'A', branch_id => 'PAR-01' });

# ---- changed ----------------------------------------------------------------

$r = asks("PATCH $one", 200, "$base/$id", { phone => '+91 98200 66666',
    email => undef });
is_deeply([ @{ $r->{json} }{qw(phone email address version)} ],
    [ '+91 98200 66666', undef, $new{address}, 2 ],
    'only what was sent has changed');
is($r->{headers}{etag}, '"2"', 'the next version');
$r = asks("PATCH $one", 200, "$base/$id", { language => undef },
    { 'If-Match' => '"2"' });
is($r->{json}{language}, 'en', 'null goes back to the default');
refused("PATCH $one", 412, 'version_mismatch', undef, "$base/$id",
    { phone => '12345' }, { 'If-Match' => '"2"' });
$r = asks("GET $one", 200, "$base/$id");
is_deeply([ @{ $r->{json} }{qw(phone version)} ], [ '+91 98200 66666', 3 ],
    'as it was');
is($r->{headers}{etag}, '"3"', 'ETag of what is there');
refused("PATCH $one", 400, 'invalid_request', 'first_name', "$base/$id",
    { first_name => undef });
refused("PATCH $one", 400, 'invalid_request', 'phone', "$base/$id",
    { phone => 'x' });
refused("PATCH $one", 404, 'not_found', 'patient_id', "$base/PAT-0",
    { phone => '12345' });
refused("PATCH $one", 422, 'unknown_reference', 'branch_id', "$base/$id",
    { branch_id => 'PAR-01' });
refused("GET $one", 404, 'not_found', 'patient_id', "$base/PAT-0");
is($http->delete("$base/$id")->{status}, 405, 'nobody is deleted');

# ---- found ------------------------------------------------------------------

sub names {
    my (%query) = @_;
    my $r = asks("GET $base", 200, $base, \%query);
    return join ', ', map { $_->{name} } @{ $r->{json} };
}

is(names(search => 'ZOË fern'), 'Zoë Fernandes, zoë FERNANDES', 'by name');
is(names(search => 'rnandes', registered_after => '2026-03-14'),
    'Zoë Fernandes, zoë FERNANDES', 'by a part of it, and when they came');
is(names(search => '+91 98200 6'), 'Zoë Fernandes', 'by number');
is(names(search => lc $id), 'Zoë Fernandes', 'by id');
is(names(search => '12-3456'), 'Zoë Fernandes', 'by ABHA id');
is(names(search => "';--"), '', 'by nothing that is there');
is(names(search => 'zoë', branch_id => 'LON-01'), '', 'elsewhere');
$r = asks("GET $base", 200, $base, { per_page => 3, page => 2 });
is($r->{headers}{'x-total-count'}, count(), 'X-Total-Count');
is(@{ $r->{json} }, 3, 'a page of three');
like($r->{headers}{link}, qr{<\Q$base\E\?per_page=3&page=3>; rel="next"},
    'Link to the next');
is_deeply([ sort keys %{ $r->{json}[0] } ], [ sort qw(id name phone age gender
    patient_id last_visit_date) ], 'a summary as the manual has it');
refused("GET $base", 400, 'invalid_request', 'per_page', $base,
    { per_page => 101 });
refused("GET $base", 400, 'invalid_request', 'registered_after', $base,
    { registered_after => 'yesterday' });
refused("GET $base", 400, 'invalid_request', 'q', $base, { q => 'x' });
refused("GET $base", 404, 'not_found', 'branch_id', $base,
    { branch_id => 'PAR-01' });

# ---- who may ----------------------------------------------------------------

my $reader = $clinic->http($clinic->create_client(
    scopes => ['patients:read']));
is($reader->get("$base/$id")->{status}, 200, 'a reader reads');
is($reader->patch("$base/$id", {})->{status}, 403, 'and changes nothing');
is($reader->post($base, { first_name => 'A' })->{json}{code},
    'insufficient_scope', 'for want of a scope');
my $writer = $clinic->http($clinic->create_client(
    scopes => ['patients:write']));
is($writer->get($base)->{status}, 403, 'a writer alone does not read');

my $london = $clinic->http($clinic->create_client(
    scopes => [ 'patients:read', 'patients:write' ],
    branch_ids => ['LON-01']));
is($london->get("$base/$id")->{status}, 404,
    'limited to London: nobody of Mumbai');
is($london->patch("$base/$id", { phone => '12345' })->{status}, 404,
    'whom one could not change either');
is_deeply($london->get($base, { search => $id })->{json}, [],
    'nor find');
$r = $london->post($base, { first_name => 'Lou' });
is($r->{json}{branch_id}, 'LON-01', 'who registers there belongs there');
$r = $london->post($base, { first_name => 'Lou', branch_id => 'MUM-01' });
is($r->{status}, 422, 'and nowhere else');

done_testing;
