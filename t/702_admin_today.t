#!/usr/bin/perl
#
# Today, the front desk of the clinic's page, in a real browser: a patient is
# checked in, called and seen by single keys, a step is undone, a walk-in is
# registered, another desk's step is seen, a lost server is said, what is seldom
# done is done by buttons and taken back; and what the database says of each.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);
use Appt::Util qw(patience);

my $now    = '2026-03-16T08:50:00+05:30';
my $clinic = Appt::Clinic->new(clock => $now);
my $db     = $clinic->cluster;
my $http   = $clinic->http;

my @visits = map {
    $http->post('/api/v1/appointments', { patient_id => "PAT-2026-0012$_",
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => "2026-03-16T09:${\ (15 * ($_ - 1) || '00')}:00+05:30" }
    )->{json}{appointment_id} } 1 .. 3;

# What a desk saw at a step of the program.
sub work {
    my ($step, @visit) = @_;
    my $seen = run_desk($clinic, 'admin_today.js', [qw(appointments:read
        appointments:write appointments:override patients:read patients:write
        schedule:read)], { visits => \@visit, now => $now, step => $step,
            role => 'reception' });
    behaves($seen);
    return $seen;
}

sub history {
    my ($id) = @_;
    return [ map { $_->{change} // $_->{event} }
        @{ $http->get("/api/v1/appointments/$id/history")->{json} } ];
}

my $seen = work('keys', @visits[ 0, 1 ]);
is_deeply($seen->{before}, [ 3, 0, 0, "\x{2013}", 0 ], 'the day in numbers');
is_deeply([ @{ $seen->{arrived} }[ 0 .. 2 ] ], [ 3, 1, 1 ],
    'who is checked in is counted at once');
like($seen->{arrivedSlip}, qr/Token\s+1\s+Dr Asha Rao/, 'his slip is offered');
is_deeply($seen->{order}, [ @visits[ 1, 0 ] ],
    'who goes first stands first');
is($seen->{moved}, $visits[2], 'an arrow leads to the next row');
is_deeply(history($visits[0]), [qw(appointment.booked appointment.checked_in
    check_in_undone appointment.checked_in)], 'checked in, undone, checked in');
is_deeply(history($visits[1]), [qw(appointment.booked appointment.checked_in
    priority_set visit.started appointment.completed)],
    'checked in, first in line, called as the next, seen');
is_deeply([ map { $_->[0] } @{ $seen->{history} } ],
    [ 'Booked', 'Checked in', 'Check-in undone', 'Checked in' ], 'the page shows it');
isnt($seen->{history}[0][1], $seen->{account}, 'who booked is another');
is_deeply([ map { $_->[1] } @{ $seen->{history} }[ 1 .. 3 ] ], [ ($seen->{account}) x 3 ],
    'than who works at this desk');
is($seen->{messages}, 0, 'what was sent is for who manages messages');

$seen = work('walkIn');
like($seen->{doubles}, qr/Is it one of these.*Ishita Nair/s,
    'who has the same name is shown before');
like($seen->{said}, qr/Ishita Nair is checked in with token 4\./,
    'registered and checked in');
like($seen->{slip}, qr/\A[^\n]+\s+Token\s+4\s+Dr Asha Rao\s+16.*called\.\s*\z/s,
    'the slip is printed, and nothing else');
unlike($seen->{slip}, qr/Ishita|Walk-in/, 'no name is on it');
is_deeply($db->row(q{SELECT a.status, a.source, a.notes FROM appt.appointment a
    JOIN appt.patient p USING (patient_no) WHERE p.phone = '+91 00000 99999'}),
    { status => 'checked_in', source => 'walk_in', notes => 'Fever' },
    'the database says so');

$seen = work('two', $visits[2]);
cmp_ok($seen->{took}, '<', patience(1000), "another desk's step is seen within a second")
    or diag sprintf 'after %.0f ms', $seen->{took};
like($seen->{banner}, qr/cannot be reached/, 'a lost server is said');
is($seen->{kept}, 'Half typed', 'and heals; what was typed is there');

is($db->value('SELECT status FROM appt.appointment WHERE appointment_id = $1',
    $visits[2]), 'in_consultation', 'and goes on after a sign-in in another tab');

my $free = $http->get('/api/v1/appointments/slots?doctor_id=DOC-002'
    . '&branch_id=MUM-01&date=2026-03-16')->{json};
my @late = map {
    $http->post('/api/v1/appointments', { patient_id => "PAT-2026-0013$_",
        doctor_id => 'DOC-002', branch_id => 'MUM-01',
        slot_start => $free->[$_]{start_time} })->{json}{appointment_id} } 1, 2;

# At noon, when it can be said of somebody that he did not come.
$db->freeze_clock($now = '2026-03-16T12:30:00+05:30');
is($http->post("/api/v1/appointments/$late[0]/check-in", {})->{status}, 200,
    'one of them came');
$seen = work('deeds', @late);
is($seen->{absent}[4] - $seen->{back}[4], 1, 'who did not come is counted');
is_deeply(history($late[0]), [qw(appointment.booked appointment.checked_in
    skipped recalled status_corrected visit.started appointment.completed
    status_corrected)], 'skipped, called again, undone, called, seen, undone');
is_deeply(history($late[1]), [qw(appointment.booked appointment.no_show
    status_corrected appointment.no_show)], 'did not come, undone, did not come');
is_deeply([ map { $db->value('SELECT status FROM appt.appointment '
                . 'WHERE appointment_id = $1', $_) } @late ],
    [qw(in_consultation no_show)], 'and so they stay');

done_testing();
