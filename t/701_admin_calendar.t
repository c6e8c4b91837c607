#!/usr/bin/perl
#
# The calendar of the clinic's page in a real browser: booked, moved by keys and
# by mouse, refused in the server's words, cancelled, found by department; why
# what is blocked is; and what the database says of each.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $now    = '2026-03-16T08:40:00+05:30';
my $clinic = Appt::Clinic->new(clock => $now);
my $db     = $clinic->cluster;
my $http   = $clinic->http;

my $script = $http->post('/api/v1/patients', {
    first_name => '<script>pwned=1</script>', last_name => '<img src=x onerror=pwned=2>',
    phone => '+91 00000 77777' })->{json}{patient_id};
$db->psql(q{INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
    VALUES ('DOC-002', '2026-03-16 15:00+05:30', '2026-03-16 16:00+05:30')});

sub visit {
    my ($id) = @_;
    return $db->row('SELECT status, slot_start AT TIME ZONE $$Asia/Kolkata$$ AS at, '
        . 'source, reason, version, doctor_id FROM appt.appointment '
        . 'WHERE patient_id = $1 ORDER BY appointment_no DESC LIMIT 1', $id);
}

# What a desk saw at a step of the program.
sub work {
    my ($step, %option) = @_;
    my $seen = run_desk($clinic, 'admin_calendar.js', [qw(appointments:read
        appointments:write appointments:override patients:read patients:write
        schedule:read)], { %option, now => $now, step => $step,
            role => 'reception' });
    behaves($seen);
    return $seen;
}

# From the sign-in to a moved appointment without a mouse.
my $seen = work('keyboard');
like($seen->{first}, qr/^09:00, Free, Dr Asha Rao/, 'Tab comes to a free slot');
is($seen->{stops}, 1, 'the only one of the grid that it comes to');
like($seen->{beside}, qr/^10:00, Free, Dr Vikram Mehta/,
    'an arrow leads to the nearest of the next doctor');
like($seen->{back}, qr/^10:00, Free, Dr Asha Rao/, 'and back');
is_deeply($seen->{covered}, [], 'nothing covers what has the focus');
like($seen->{booked}, qr/is booked for 10:00, token 1\./, 'Enter books');
like($seen->{after}, qr/^10:00 .*, Token 1, Booked, Dr Asha Rao/,
    'the focus is on what was booked');
like($seen->{asked}, qr{From\s+Mon 16/03/2026, 10:00\s+Dr Asha Rao\s+Token 1\s+To\s+Mon 16/03/2026, 09:30}s,
    'a move asks with old and new time and the token');
my $visit = visit('PAT-2026-00123');
is("$visit->{at} $visit->{status} $visit->{source} $visit->{version}",
    '2026-03-16 09:30:00 booked front_desk 2', 'booked and moved, once each');

like(join(' ', map { $_->{actor} } @{ $http->get('/api/v1/appointments/'
            . $db->value('SELECT appointment_id FROM appt.appointment '
                . 'WHERE patient_id = $1 ORDER BY appointment_no DESC LIMIT 1',
                'PAT-2026-00123') . '/history')->{json} }),
    qr/^staff:person1 staff:person1$/, 'the history names the person');

# By mouse.
my $booked = $http->post('/api/v1/appointments', { patient_id => $script,
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => '2026-03-16T11:30:00+05:30' });
is($booked->{status}, 201, 'a patient with a script for a name');
$seen = work('drag', name => 'pwned=1');
like($seen->{asked}, qr/11:30.*10:30/s, 'a drag asks, too');
$visit = visit($script);
is("$visit->{at} $visit->{reason}", '2026-03-16 10:30:00 She asked for it',
    'and moves');
is($db->value(q{SELECT e.notify FROM appt.event e
    JOIN appt.appointment a USING (appointment_no) WHERE a.appointment_id = $1
    ORDER BY e.event_no DESC LIMIT 1}, $booked->{json}{appointment_id}), 0,
    'without a word to the patient');

# What the server refuses.
$seen = work('conflict',
    instant => '2026-03-16T12:00:00+05:30');
is_deeply($seen->{early}, [ 1, 1, 0 ], 'Enter takes nobody whom the text before had found');
like($seen->{refused}, qr{Dr Asha Rao is already booked at 16/03/2026 12:00},
    'the server says who has the slot');
is($seen->{kept}, 'Please call first', 'what was typed is there still');
is($db->value(q{SELECT count(*) FROM appt.appointment
    WHERE slot_start = '2026-03-16 12:00+05:30' AND patient_id <> $1},
    'PAT-2026-00151'), 0, 'nothing was booked');

# Cancelled; reasons; nothing that is stored runs.
$seen = work('cancel', name => 'pwned=1');
is_deeply($seen->{astray}, [], 'each slot and appointment stands at its time');
is_deeply([ grep { $_->[0] eq 'Away' } @{ $seen->{blocked} } ],
    [ [ 'Away', 'Dr Vikram Mehta is away at 16/03/2026 15:00.' ] ],
    'a blocked stretch has its reason');
is($seen->{pwned}, undef, 'a script as a name stays a name');
ok((grep { /<script>pwned=1<\/script> <img/ } @{ $seen->{names} }),
    'which is shown as it is');
my $token = $booked->{json}{token_number};
like($seen->{slip}, qr/\A[^\n]+\s+Token\s+$token\s+Dr Asha Rao\s+16.*called\.\s*\z/s,
    'the slip of a visit is printed, and nothing else');
like($seen->{late}, qr/can no longer be cancelled.*until 120 minutes before/,
    'too late, says the server');
$visit = visit($script);
is("$visit->{status} $visit->{reason}", 'cancelled Well again', 'cancelled');

# By department.
$seen = work('departments');
is_deeply([ sort @{ $seen->{choices} } ], [ 'Any doctor', "Dr Farida Khan \x{b7} Paediatrics" ],
    'a department has its doctors');
is($seen->{refused}, 0, 'a refusal of the choice before is not shown');
like($seen->{found}, qr{^Mon 16/03/2026, 09:30 .*Dr Farida Khan}s, 'its first free slot');
like($seen->{later}, qr{^Mon 16/03/2026, 09:45 .*Dr Farida Khan}s, 'and a later one');
$visit = visit('PAT-2026-00155');
is("$visit->{doctor_id} $visit->{at}", 'DOC-003 2026-03-16 09:45:00', 'which is booked');
is_deeply($seen->{columns}, ['Dr Vikram Mehta'], 'the calendar shows a department alone');
is($seen->{kept}, 'CARD', 'and so does Today');
is_deeply([ grep { $_ ne 'Dr Vikram Mehta' } @{ $seen->{shown} } ], [], 'with its queues alone');
ok((grep { /^Does not work\s*, \d\d:\d\d.\d\d:\d\d, Dr Meera Iyer/ } @{ $seen->{outside} }),
    'where nobody works the grid says so');

# For one patient, from the patient's page.
$seen = work('patient', patient => 'PAT-2026-00157', instant => '2026-03-16T10:00:00+05:30');
my $name = $db->value(q{SELECT concat_ws(' ', first_name, last_name) FROM appt.patient
    WHERE patient_id = 'PAT-2026-00157'});
is($seen->{banner}, "Booking for $name: choose a free time.", 'the calendar says for whom');
is($seen->{chosen}, $name, 'who is chosen already');
is($seen->{banners}, 0, 'until it is done');
$visit = visit('PAT-2026-00157');
is("$visit->{status} $visit->{doctor_id} $visit->{at}", 'booked DOC-003 2026-03-16 10:00:00',
    'it is booked');
like($seen->{record}[0], qr/Booked.*person/s, 'what happened to a visit, and by whom, is beside it');

# On a telephone.
$seen = work('narrow');
is($seen->{wide}, 360, 'nothing is wider than a telephone');
is_deeply($seen->{small}, [], 'all that is touched is 24 pixels large');

# At noon, with a visit in the middle of what is past.
is($http->post('/api/v1/appointments', { patient_id => 'PAT-2026-00156',
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => '2026-03-16T10:30:00+05:30' })->{status}, 201, 'a visit of the morning');
$db->freeze_clock($now = '2026-03-16T12:30:00+05:30');
$seen = work('reasons');
cmp_ok($seen->{reasons}, '>', 3, 'what is blocked has reasons');
is_deeply($seen->{hidden}, [], 'none of them behind a visit');

done_testing();
