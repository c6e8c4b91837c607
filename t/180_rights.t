#!/usr/bin/perl
#
# What a caller's rights come to beyond the single call (t/170, t/171): lists
# leave out what is elsewhere, nobody hands out more than he has, and going
# against the slot rules needs a scope of its own.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use JSON::PP ();

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $admin  = $clinic->http;
my @scope  = qw(appointments:read appointments:write appointments:override
    webhooks:manage clients:manage);
my $slots = $admin->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    date => '2026-03-16', branch_id => 'MUM-01' })->{json};
is($admin->post('/api/v1/appointments', { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => $slots->[0]{start_time} })->{status}, 201, 'Mumbai has a booking');
is($admin->post('/api/v1/webhooks', { url => 'https://example.com/',
    branch_ids => ['MUM-01'] })->{status}, 201, 'and a webhook');
my $client = $clinic->create_client(name => 'Mumbai', branch_ids => ['MUM-01']);

my $london = $clinic->http($clinic->create_client(name => 'London',
    branch_ids => ['LON-01'], scopes => \@scope));
my %only = map {
    $_ => $clinic->http($clinic->create_client(name => "only $_", scopes => [$_]))
} @scope;

for my $list (qw(appointments webhooks clients)) {
    my $r = $london->get("/api/v1/$list");
    is($r->{status}, 200, "$list: London has a list");
    unlike($r->{body}, qr/MUM-01/, "$list: with nothing of Mumbai");
}
my $r = $london->post('/api/v1/clients', { name => 'Everywhere',
    scopes => ['appointments:read'] });
is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ], [ 422, 'branch_ids' ],
    'London makes no client that sees everything');
$r = $london->patch("/api/v1/clients/$client->{client_id}", { active => JSON::PP::false() });
is($r->{status}, 404, 'and reaches none of Mumbai');
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
