#!/usr/bin/perl
#
# Where the system gives a thread a small stack, as musl does with its 128 KiB,
# the gateway's threads have one of their own size, and every call works.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(slurp);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0);
my $gateway = $clinic->{gateway} = Appt::Gateway->new(
    cluster => $clinic->cluster, command => ['prlimit', '--stack=131072']);
my $http = $clinic->http;

like(slurp('/proc/' . $gateway->pid . '/limits'),
    qr/^Max stack size\s+131072\s/m, 'a small stack is the rule here');

# A stack is what lies above a page that nobody may touch.
my ($guard, @size) = (0);
for (split /\n/, slurp('/proc/' . $gateway->pid . '/maps')) {
    my ($from, $to, $mode) = /^(\w+)-(\w+) (....)/ or next;
    my $kilobytes = (hex($to) - hex($from)) >> 10;
    push @size, $kilobytes if $guard && $mode eq 'rw-p';
    $guard = $mode eq '---p' && $kilobytes == 4;
}
ok((grep { $_ >= 1020 && $_ <= 1100 } @size), 'a loop\'s is a megabyte')
    or diag "@size";

my $slots = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    date => '2026-03-16', branch_id => 'MUM-01' });
is($slots->{status}, 200, 'slots');
my $booked = $http->post('/api/v1/appointments', {
    patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
    branch_id => 'MUM-01', slot_start => $slots->{json}[0]{start_time} });
is($booked->{status}, 201, 'a booking');
is($http->get('/api/v1/appointments')->{status}, 200, 'a list');
is($http->post('/api/v1/patients', '{"a":' x 5000 . '1' . '}' x 5000)->{status},
    400, 'a body that is nested deeply is refused');
is($http->get('/api/v1/openapi.json')->{status}, 200, 'the documents');
is($http->get('/metrics')->{status}, 200, 'the metrics');
ok($gateway->stop, 'and it ends');
is($gateway->status, 0, 'well');

done_testing();
