#!/usr/bin/perl
#
# The calendar's grid in a real browser: visits are dragged by mouse and by
# finger, and stay where they are by Escape; what is in sight is drawn first, and
# nothing is missing later; another desk's booking draws that doctor's day anew
# and no other; what stands in it can be read.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $now    = '2026-03-16T08:40:00+05:30';
my $clinic = Appt::Clinic->new(clock => $now);
my $http   = $clinic->http;
my $next   = 160;

sub book {
    my ($doctor, $time, $day) = @_;
    $day //= '16';
    my $answer = $http->post('/api/v1/appointments', {
        patient_id => 'PAT-2026-00' . $next++, doctor_id => $doctor,
        branch_id => 'MUM-01', slot_start => "2026-03-$day" . "T$time:00+05:30" });
    is($answer->{status}, 201, "$doctor has a visit at $time");
    return;
}

sub work {
    my ($step, %option) = @_;
    my $seen = run_desk($clinic, 'admin_grid.js', [qw(appointments:read
        appointments:write patients:read schedule:read)],
        { %option, now => $now, step => $step, role => 'reception' });
    is_deeply($seen->{complaints}, [], 'the browser has nothing to complain of');
    return $seen;
}

book('DOC-001', '11:30');
my $moved = sub {
    return $clinic->cluster->value(q{SELECT max(version) FROM appt.appointment
        WHERE doctor_id = 'DOC-001' AND slot_start >= '2026-03-16'});
};

# The frame.
my $seen = work('frame');
my @doctors = ('Dr Asha Rao', 'Dr Farida Khan', 'Dr Meera Iyer', 'Dr Vikram Mehta');
is_deeply([ sort @{ $seen->{heads} } ], \@doctors, 'the doctors stand above');
cmp_ok(abs($seen->{now} - 10), '<', 2, 'now is where the branch has it') or diag $seen->{now};
is_deeply([ [ sort @{ $seen->{meanwhile}[0] } ], @{ $seen->{meanwhile} }[ 1, 2 ] ],
    [ \@doctors, 0, 0 ], 'the frame of the next day is there before what is in it');
ok($seen->{kept}, 'and stays');
is($seen->{busy}, 'false', 'which is told');
is_deeply($seen->{days}, [ 'Mon 16/03', 'Tue 17/03', 'Wed 18/03',
    'Thu 19/03', 'Fri 20/03', 'Sat 21/03', 'Sun 22/03' ], 'a week begins with its Monday');
is_deeply($seen->{today}, ['Mon 16/03'], 'and says which day is today');
is($seen->{columns}, 28, 'each doctor has a column each day');
is_deeply($seen->{axe}, [], 'axe finds nothing in a day that is still read');

# From another page.
$seen = work('back');
is_deeply($seen->{away}, [ 0, 0 ], 'nobody\'s visits are kept for the way back');
is_deeply($seen->{back}, [ map { { kept => $_->[0], stops => 1, days => [ $_->[1] ] } }
        [ JSON::PP::true, '2026-03-16' ], [ JSON::PP::true, '2026-03-17' ],
        [ JSON::PP::false, '2026-03-16' ] ],
    'the frame is, until somebody signs out, and one cell is reached by Tab');

$seen = work('date');
is_deeply($seen->{fields}, [ [ 'text', '16/03/2026' ], [ 'date', '2026-03-16' ] ],
    'a date can be read before its field is made, which is there for who comes to it');
is($seen->{hash}, '#/calendar?date=2026-03-17', 'and leads to another day');

# What is asked when.
$seen = work('early', wishes => { next => sub { book('DOC-001', '11:00', '17') } });
is($seen->{again}, 0, 'the day after was asked for before somebody looked');
is_deeply($seen->{unasked}, [], 'of who has signed out nothing is asked for');

# A drag that is given up.
$seen = work('undone');
is_deeply($seen->{ghosts}, [ 1, 0, 1, 1 ], 'a drag shows where it goes, but for outside');
is($seen->{shown}, '10:30', 'at the time of the slot there');
is_deeply($seen->{escaped}, [ 0, 0, 0 ], 'Escape ends it, and nothing is asked');
is_deeply($seen->{outside}, [ 0, 0, 0 ], 'so does letting go outside');
is_deeply($seen->{back},    [ 0, 0, 0 ], 'and where it came from');
is($seen->{waiting}, 1, 'while the move is asked for it stands there');
is_deeply($seen->{closed}, [ 0, 0 ], 'and goes back with the dialog');
is($moved->(), 1, 'nothing was moved');

# By finger.
$seen = work('touch');
is_deeply($seen->{scrolled}, [ 0, 0 ], 'a finger that moves at once moves no visit');
cmp_ok($seen->{after}, '>', $seen->{before}, 'but the grid');
like($seen->{asked}, qr/11:30\s+Dr Asha Rao.*11:45\s+Dr Farida Khan/s,
    'a long press moves it, to another doctor, too');

# Where there is more than is in sight.
$seen = work('edge');
cmp_ok($seen->{later}, 'ge', '15:00', 'a drag to the edge goes on');

# What is drawn when.
$seen = work('sight');
is_deeply($seen->{holes}, [], 'what is in sight is whole');
cmp_ok($seen->{scrolled}, '>', $seen->{first}, 'scrolling draws what comes');
like($seen->{end}, qr/^17:45, Free, Dr Asha Rao/, 'a key leads to what was not drawn');
is($seen->{stops}, 1, 'one cell is reached by Tab');
cmp_ok($seen->{printed}, '>', $seen->{scrolled}, 'paper has all');
is_deeply($seen->{jumped}, [], 'nothing jumps');

# Another desk.
$seen = work('news', wishes => {
    book => sub { book('DOC-001', '12:15') },
    take => sub { book('DOC-001', '10:15') },
});
is_deeply($seen->{anew}, ['Dr Asha Rao'], 'a booking draws one doctor anew');
is_deeply($seen->{asked}, ['calendar DOC-001 false'],
    'who is asked for, and nobody else, and who is known is no look anew');
is($seen->{focus}, 'free DOC-001 2026-03-16T10:15:00+05:30', 'the focus stays');
like($seen->{next}, qr/^10:(00|30), Free, Dr Asha Rao|^10:15 /,
    'and goes beside what was taken from under it');

# What can be read.
book('DOC-003', '09:45') for 1 .. 2;
$seen = work('words');
is_deeply($seen->{reasons}, [ 1, 1 ], 'a whole day off says why, wherever one scrolls');
my @cut = grep { $_->[1] < length $_->[0] } @{ $seen->{names} };
cmp_ok(scalar @{ $seen->{names} }, '>=', 2, 'two are there at a time');
is_deeply(\@cut, [], 'and their names can be read');
like($seen->{title}, qr/^09:45 .+, Token \d+, Booked$/, 'the whole is told to who points there');
is_deeply($seen->{axe}, [], 'axe finds nothing');

# Whose names are shown is on record as looked at, and nobody else.
book('DOC-001', '17:15');
my $last = $clinic->cluster->value(q{SELECT appointment_id FROM appt.appointment
    WHERE slot_start = '2026-03-16T17:15+05:30'});
is($http->delete("/api/v1/appointments/$last?reason=Recovered")->{status}, 200, 'one is cancelled');
book('DOC-002', '10:00', '17');
$seen = work('names', wishes => { forget => sub {
    $clinic->cluster->psql('TRUNCATE appt.patient_access') } });
is_deeply($clinic->cluster->query('SELECT DISTINCT patient_id FROM appt.patient_access ORDER BY 1'),
    $clinic->cluster->query(q{SELECT DISTINCT patient_id FROM appt.appointment
        WHERE branch_id = 'MUM-01' AND doctor_id = 'DOC-001'
        AND token_date IN ('2026-03-16', '2026-03-17')
        AND status IN ('booked', 'checked_in', 'in_consultation', 'completed', 'no_show')
        ORDER BY 1}), 'nobody who is not shown');

done_testing();
