#!/usr/bin/perl
#
# Every call of the route table against every kind of caller: without a token,
# with every scope but the one that it needs, with that one alone, and with a
# client of another branch, for whom nothing of this one exists.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(run_command);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_RATE_LIMIT => 0 });
my $cluster = $clinic->cluster;
my $admin   = $clinic->http;

my (undef, $table) = run_command([ Appt::Gateway->binary, '--routes' ]);
my @route;
for (split /\n/, $table) {
    my ($method, $path, $status, $scope) = split /\t/;
    push @route, { method => $method, path => $path, scope => $scope }
        if $scope;
}
cmp_ok(scalar @route, '>', 60, 'the route table is read');
my @scope = do { my %seen; grep { !$seen{$_}++ } map { $_->{scope} } @route };

# ---- things of Mumbai to reach for ------------------------------------------

my $slots = $admin->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    date => '2026-03-16', branch_id => 'MUM-01' })->{json};
my $appointment = $admin->post('/api/v1/appointments', {
    patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
    branch_id => 'MUM-01', slot_start => $slots->[0]{start_time} })->{json};
my $hold = $admin->post('/api/v1/appointments/holds', { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', slot_start => $slots->[1]{start_time} })->{json};
my $webhook = $admin->post('/api/v1/webhooks',
    { url => 'https://example.com/', branch_ids => ['MUM-01'] })->{json};
my $delivery = $admin->get("/api/v1/webhooks/$webhook->{webhook_id}/deliveries")
    ->{json}[0];
my $client = $clinic->create_client(name => 'Mumbai', branch_ids => ['MUM-01']);
my $closure = $admin->post('/api/v1/branches/MUM-01/closures',
    { date_from => '2026-08-15', date_to => '2026-08-15' })->{json};
my %thing = (
    appointment_id => $appointment->{appointment_id},
    hold_id        => $hold->{hold_id},
    webhook_id     => $webhook->{webhook_id},
    delivery_id    => $delivery->{delivery_id},
    client_id      => $client->{client_id},
    branch_id      => 'MUM-01',
    closure_id     => $closure->{closure_id},
    patient_id     => $cluster->value(q{SELECT min(patient_id) FROM appt.patient
        WHERE branch_id = 'MUM-01'}) // 'PAT-2026-00123',
    doctor_id        => 'DOC-001',
    working_hours_id => $cluster->value(q{SELECT min(working_hours_no)
        FROM appt.working_hours WHERE doctor_id = 'DOC-001'}),
    extra_session_id => 1,
    time_off_id      => 1,
    visit_type       => 'follow_up',
    name             => 'hold_min',
);
is((grep { !defined } values %thing), 0, 'there is one of each');

sub concrete {
    my ($path) = @_;
    $path =~ s/\{(\w+)\}/$thing{$1} \/\/ die "nothing for $1"/ge;
    return $path;
}

# The call as it is most often refused: its body is empty, which must not
# count before the caller's right does.
sub call {
    my ($http, $route, %header) = @_;
    return $http->request($route->{method}, concrete($route->{path}),
        $route->{method} =~ /^P/ ? '{"nonsense":true}' : undef,
        { 'Content-Type' => 'application/json', %header });
}

# ---- without a token, and without the scope ---------------------------------

my %without = map {
    my $missing = $_;
    $missing => $clinic->http($clinic->create_client(name => "no $missing",
        scopes => [ grep { $_ ne $missing } @scope, 'appointments:override' ]))
} @scope;
my %only = map {
    $_ => $clinic->http($clinic->create_client(name => "only $_",
        scopes => [$_]))
} @scope;

for my $route (@route) {
    my $name = "$route->{method} $route->{path}";
    my $before = $clinic->fingerprint;
    my $r = call($admin, $route, Authorization => undef);
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 401, 'invalid_token' ],
        "$name: no token");
    $r = call($without{ $route->{scope} }, $route);
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 403, 'insufficient_scope' ],
        "$name: without $route->{scope}");
    like($r->{headers}{'www-authenticate'}, qr/scope="\Q$route->{scope}\E"/,
        "$name: and it is named");
    is($clinic->fingerprint, $before, "$name: nothing has changed");
    if ($route->{method} !~ /DELETE/) {
        $r = call($only{ $route->{scope} }, $route);
        ok($r->{status} != 401 && $r->{status} != 403,
            "$name: $route->{scope} is enough") or diag $r->{body};
    }
}

# ---- a client of another branch ---------------------------------------------

my $london = $clinic->http($clinic->create_client(name => 'London',
    branch_ids => ['LON-01'], scopes => [ @scope, 'appointments:override' ]));
my %body = (
    reschedule => { new_slot_start => $slots->[2]{start_time} },
);
for my $route (grep { $_->{path} =~ /\{(?:appointment|hold|webhook|client)_id/ }
    @route) {
    my $name = "$route->{method} $route->{path}";
    my ($last) = $route->{path} =~ m{/([^/]+)$};
    my $path = concrete($route->{path});
    $path .= '?reason=x' if $name =~ m{DELETE .*appointment_id};
    $path .= '?since=2026-03-14T00:00:00%2B05:30' if $last eq 'replay';
    my $before = $clinic->fingerprint;
    my $r = $route->{method} =~ /^P/
        ? $london->_send($route->{method}, $path, $body{$last} // {})
        : $london->request($route->{method}, $path);
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 404, 'not_found' ],
        "$name: not there for London") or diag $r->{body};
    my $none = $path;
    $none =~ s/\Q$_\E/nothing-$_/ for grep { length > 3 } @thing{
        qw(appointment_id hold_id webhook_id client_id)};
    my $other = $route->{method} =~ /^P/
        ? $london->_send($route->{method}, $none, $body{$last} // {})
        : $london->request($route->{method}, $none);
    is($other->{status}, $r->{status}, "$name: as what is not there at all");
    is($clinic->fingerprint, $before, "$name: nothing has changed");
}
for my $list (qw(appointments webhooks clients)) {
    my $r = $london->get("/api/v1/$list");
    is($r->{status}, 200, "$list: London has a list");
    unlike($r->{body}, qr/MUM-01/, "$list: with nothing of Mumbai");
}
my $r = $london->post('/api/v1/clients', { name => 'Everywhere',
    scopes => ['appointments:read'] });
is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ], [ 422, 'branch_ids' ],
    'London makes no client that sees everything');
$r = $only{'clients:manage'}->post('/api/v1/clients', { name => 'More',
    scopes => ['appointments:write'] });
is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ], [ 400, 'scopes' ],
    'nobody gives a scope that he does not have');
$r = $only{'appointments:write'}->post('/api/v1/appointments', {
    patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => $slots->[0]{start_time}, override => JSON::PP::true() });
is_deeply([ $r->{status}, $r->{json}{code} ], [ 403, 'insufficient_scope' ],
    'override needs a scope of its own');
like($r->{headers}{'www-authenticate'}, qr/appointments:override/, 'which is named');

done_testing();
