#!/usr/bin/perl
#
# The clinic's page, Settings: branches, departments, doctors and their hours,
# absences and what they fall on, visit types, rules. What the page did is judged
# by the database.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $branch  = 'MUM-01';

# The first day to come with visits of a doctor who works in one zone alone.
my $busy = $cluster->row(q{
    SELECT doctor_id, token_date::text AS date, count(*) AS visits
    FROM appt.appointment a
    WHERE status = 'booked' AND token_date > current_date + 1 AND branch_id = $1
        AND NOT EXISTS (SELECT FROM appt.working_hours w
            WHERE w.doctor_id = a.doctor_id AND w.branch_id <> $1)
    GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 1}, $branch);

# A Sunday and a holiday to come, whatever day it is.
my ($sunday, $shown, $holiday) = @{ $cluster->row(q{SELECT d::text AS sunday,
    to_char(d, 'DD/MM/YYYY') AS shown, make_date(extract(year FROM d)::integer + 1, 8, 15)::text AS holiday
    FROM (SELECT date_trunc('week', current_date)::date + 41 AS d) t}) }{qw(sunday shown holiday)};

my $seen = run_desk($clinic, 'admin_settings.js',
    [qw(schedule:read schedule:manage)],
    { role => 'admin', busy => $busy, branch => $branch, sunday => $sunday,
        holiday => $holiday });

like($seen->{refused}, qr/An id is 1 to 64 letters/, 'a code that is none is refused in the server\'s words');
is_deeply($cluster->row('SELECT name, specialty, department_id, buffer_after_min
    FROM appt.doctor WHERE doctor_id = $1', 'DOC-900'),
    { name => 'Dr Leela Nair', specialty => 'Dermatology', department_id => 'SKIN',
        buffer_after_min => 5 }, 'the doctor has what two desks gave her');
is_deeply($seen->{doctor}{body}, { specialty => 'Dermatology' }, 'only a change is sent');
is($seen->{doctor}{match}, '"2"', 'for the version that was seen at last');
is($seen->{theirs}, 5, 'beside what somebody else changed');
is($seen->{doctorChosen}, 'DOC-900', 'her hours are a click away');
is_deeply($cluster->query(q{SELECT weekday, to_char(start_time, 'HH24:MI') AS start,
        to_char(end_time, 'HH24:MI') AS end, branch_id, capacity FROM appt.working_hours
        WHERE doctor_id = 'DOC-900' ORDER BY start_time}),
    [ { weekday => 2, start => '09:00', end => '13:00', branch_id => $branch, capacity => 1 },
        { weekday => 2, start => '14:00', end => '17:30', branch_id => $branch, capacity => 2 } ],
    'she has her week');
like($seen->{overlap}, qr/overlap/i, 'hours over others are refused');
is_deeply($seen->{hours}{body}, { capacity => 2 }, 'a change of hours is that change');
is($cluster->value(q{SELECT count(*) FROM appt.extra_session
    WHERE doctor_id = 'DOC-900' AND on_date = $1}, $sunday), 1, 'and an extra session');

is($seen->{affected}, $busy->{visits}, 'the visits that time off falls on are shown');
like($seen->{notSaved}, qr/\w+ \w+ \w+/, 'it is refused over them');
like($seen->{moved}, qr/^The time off is saved\. (One|\d+) visits? w/, 'then they are moved');
is($cluster->value(q{SELECT count(*) FROM appt.appointment WHERE status = 'booked'
    AND doctor_id = $1 AND token_date = $2}, @$busy{qw(doctor_id date)}), 0, 'all of them');
is($cluster->value(q{SELECT reason FROM appt.time_off WHERE doctor_id = $1},
    $busy->{doctor_id}), 'Conference', 'for the reason given');
is_deeply($cluster->row(q{SELECT reason, (ends_at - starts_at)::text AS long,
        (starts_at AT TIME ZONE 'Asia/Kolkata')::text AS starts
        FROM appt.closure WHERE branch_id = $1 AND reason = 'National holiday'}, $branch),
    { reason => 'National holiday', long => '1 day', starts => "$holiday 00:00:00" },
    'a closure is a day of its branch');

like($seen->{ruleRefused}, qr/whole number/, 'a value that is none is refused');
is($seen->{rule}{value},  45,       'the rule counts for the branch');
is($seen->{rule}{source}, 'branch', 'and there alone');
is($cluster->value(q{SELECT count(*) FROM appt.setting
    WHERE name = 'cancellation_window_min'}), 0, 'and is taken back');
is_deeply($seen->{subjects}, [ 'Booking', 'Cancelling and moving', 'Arrival and waiting room',
    'Messages to patients', 'Sign-in and privacy', 'Numbers and programs' ],
    'the rules stand by subject, and none without one');
is($seen->{rules}, $cluster->value('SELECT count(*) FROM appt.setting_definition'), 'all of them');
is_deeply([ sort @{ $seen->{quiet} } ], [ 'quiet_from', 'quiet_to' ], 'a word finds those that have it');
is_deeply($seen->{left}, ['Messages to patients'], 'under their subject');
is($seen->{toButton}, 'Change quiet_from', 'and Tab leads to the first');
is($cluster->value(q{SELECT count(*) FROM appt.visit_type WHERE visit_type = 'dressing'}),
    0, 'a visit type came and went');
is($cluster->value(q{SELECT time_zone FROM appt.branch WHERE branch_id = 'PUN-01'}),
    'Asia/Kolkata', 'a branch is there');
ok((grep { $_ eq 'Pune' } @{ $seen->{picker} }), 'and can be chosen at once');

is($seen->{openPlace}, "#/settings/branches/$branch/hours", 'its opening hours are a click away');
like($seen->{order}, qr/closes after it opens/, 'hours that end before they begin are refused');
is_deeply([ sort map { s/\s+/ /gr } @{ $seen->{outside} } ],
    [ "$shown 09:00-13:00 Dr Leela Nair", 'Sunday 10:00-12:00 Dr Asha Rao',
        'Sunday 10:00-14:00 Dr Meera Iyer' ],
    'the sessions that would lie outside are listed, each with its doctor');
is($seen->{keptWeek}, 11, 'a week that is not saved is kept');
is_deeply($cluster->query(q{SELECT string_agg(weekday::text, '' ORDER BY weekday) AS days,
        to_char(opens, 'HH24:MI') AS opens, left(closes::text, 5) AS closes,
        nullif(valid_from, '-infinity')::text AS since
        FROM appt.operating_hours WHERE branch_id = $1 GROUP BY 2, 3, 4 ORDER BY 1, 2}, $branch), [
        { days => '12345', opens => '08:00', closes => '13:00', since => undef },
        { days => '12345', opens => '14:00', closes => '24:00', since => undef },
        { days => '6', opens => '08:00', closes => '14:00', since => undef },
        { days => '7', opens => '09:00', closes => '14:00', since => '2026-01-01' } ],
    'it has its week: breaks, half a day, an end at midnight, a first day');
is($cluster->value('SELECT phone FROM appt.branch WHERE branch_id = $1', $branch),
    '+91 22 5550 0199', 'beside what another desk changed');

is($seen->{ran}, undef, 'what looks like a script runs nowhere');
is($seen->{hindi}, "\x{936}\x{93e}\x{916}\x{93e}\x{90f}\x{901}", 'it is there in Hindi');
behaves($seen);

done_testing();
