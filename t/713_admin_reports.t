#!/usr/bin/perl
#
# The clinic's page, Reports: what the tables say is what the views say, of all or
# of a department, a CSV has every row once, lists are printed on A4 and slips on
# 80 mm, a doctor's day is moved as a whole, and a refusal is in the page's language.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $branch  = 'MUM-01';

# Somebody waited, somebody did not come.
my $today = $cluster->value(q{SELECT (appt.clock() AT TIME ZONE 'Asia/Kolkata')::date::text});
my ($from, $to) = map { $cluster->value('SELECT ($1::date + $2::integer)::text', $today, $_) } -10, 10;
my $visit = $cluster->value(q{SELECT w.appointment_id FROM appt.walk_in(
    (SELECT patient_id FROM appt.patient p WHERE NOT EXISTS (SELECT FROM appt.appointment a
        WHERE a.patient_no = p.patient_no) ORDER BY 1 LIMIT 1), 'DOC-001', $1) w}, $branch);
$cluster->query('SELECT FROM appt.start($1)', $visit);
my $date = $cluster->value(q{SELECT token_date::text FROM appt.appointment
    WHERE branch_id = $1 AND status = 'booked' AND token_date > $2::date
    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1}, $branch, $today);

# Somebody who has that day and no Sundays, and somebody of another department; of
# the former a day beyond what the reports are asked for, the same weekday four weeks
# on, when nobody is booked yet, and a Sunday.
my @doctors = @{ $cluster->query(q{SELECT d.doctor_id, d.name, d.department_id,
        count(*) AS visits
    FROM appt.doctor d JOIN appt.appointment a USING (doctor_id)
    WHERE a.branch_id = $1 AND a.token_date = $2 AND a.status = 'booked'
    GROUP BY 1 ORDER BY 4 DESC, 1}, $branch, $date) };
my ($mover) = grep { !$cluster->value(q{SELECT count(*) FROM appt.working_hours
    WHERE doctor_id = $1 AND weekday = 7}, $_->{doctor_id}) } @doctors;
my ($stranger) = grep { $_->{department_id} ne $mover->{department_id} } @doctors;
my $sunday = $cluster->value(q{SELECT ($1::date + 7 - extract(isodow FROM $1::date)::integer
    + 28)::text}, $date);
my $open = $cluster->value(q{SELECT ($1::date + 28)::text}, $date);
my $day = $cluster->value(q{SELECT ($1::date + 14)::text}, $date);
$cluster->query(q{SELECT appt.book(p.patient_id, $1, s.start_time, branch_id => $2)
    FROM (SELECT start_time, row_number() OVER () AS n
        FROM appt.available_slots($1, $3, $2) ORDER BY 1 LIMIT 3) s
    JOIN (SELECT patient_id, row_number() OVER (ORDER BY patient_id) AS n
        FROM appt.patient) p USING (n)}, $mover->{doctor_id}, $branch, $day);
my $moves = q{SELECT count(*) FROM appt.appointment WHERE doctor_id = $1 AND branch_id = $2
    AND token_date = $3 AND status = 'booked'};
my $visits = $cluster->value($moves, $mover->{doctor_id}, $branch, $day);
is($visits, 3, 'a day of three visits');

my $seen = run_desk($clinic, 'admin_reports.js',
    [qw(reports:read)],
    { role => 'reception', from => $from, to => $to, branch => $branch, date => $date,
        department => $mover->{department_id}, stranger => $stranger->{name},
        mover => $mover->{name}, days => [ $day, $sunday, $open ] });

# A report's row "In all", its numbers alone.
sub all_of {
    my ($rows) = @_;
    return [ map { /^-?[\d.]+/ ? 0 + $& : () } @{ $rows->[-1] } ];
}

sub view {
    my ($sql) = @_;
    return [ map { 0 + ($_ // 0) } $cluster->dbh->selectrow_array($sql, {}, $branch, $from, $to) ];
}

is_deeply(all_of($seen->{utilisation}), view(q{
    SELECT round(sum(offered_min) / 60.0, 1), round(sum(booked_min) / 60.0, 1),
        round(sum(free_min) / 60.0, 1), round(100.0 * sum(booked_min) / sum(offered_min), 1)
    FROM appt_report.utilisation WHERE branch_id = $1 AND visit_date BETWEEN $2 AND $3}),
    'utilisation is that of the view');
ok($seen->{drawn}, 'and drawn');
my $own = $cluster->dbh->selectcol_arrayref(q{SELECT DISTINCT name FROM appt.doctor d
    JOIN appt.working_hours w USING (doctor_id)
    WHERE d.department_id = $1 AND w.branch_id = $2 ORDER BY 1}, {},
    $mover->{department_id}, $branch);
is_deeply([ sort @{ $seen->{offered} } ], $own, 'of a department alone');
is_deeply($seen->{department}, [ @$own, 'In all' ], 'its doctors are counted');
is_deeply([ map { /start|left/ ? 'text' : 'figure' } @{ $seen->{names} } ],
    [qw(text text figure figure figure figure)], 'names stand at the left, figures at the right');
my $month = q{date_trunc('month', $2::date) AND $3::date};
is_deeply(all_of($seen->{reports}{'No-shows'}), view(qq{
    SELECT sum(visits_due), sum(kept), sum(no_shows),
        round(100.0 * sum(no_shows) / nullif(sum(visits_due), 0), 1)
    FROM appt_report.no_show_rate WHERE branch_id = \$1 AND visit_month BETWEEN $month}),
    'so are no-shows');
is(all_of($seen->{reports}{'Waiting time'})->[0], view(q{
    SELECT sum(visits_measured) FROM appt_report.waiting_time
    WHERE branch_id = $1 AND visit_date BETWEEN $2 AND $3})->[0], 'and who waited');
is_deeply(all_of($seen->{reports}{'Bookings by hour'}), view(q{
    SELECT sum(appointments), sum(walk_ins), sum(no_shows), sum(cancelled)
    FROM appt_report.bookings_by_hour WHERE branch_id = $1 AND visit_date BETWEEN $2 AND $3}),
    'and bookings by hour');

my @csv = split /\r?\n/, $seen->{csv};
is($seen->{csvName}, "bookings_by_hour_${from}_$to.csv", 'a CSV has the report\'s name');
like($csv[0], qr/^visit_date,/, 'a line of headings');
is(scalar(grep {/^visit_date/} @csv), 1, 'one');
is($#csv, $cluster->value(q{SELECT count(*) FROM appt_report.bookings_by_hour
    WHERE branch_id = $1 AND visit_date BETWEEN $2 AND $3}, $branch, $from, $to),
    'and every row');
like($seen->{refused}, qr/31/, 'a period that is too long is refused in the server\'s words');

is($seen->{list}, $cluster->value(q{SELECT count(*) FROM appt.appointment
    WHERE branch_id = $1 AND token_date = $2 AND status NOT IN ('cancelled', 'held')},
    $branch, $date), 'the day list has the day');
is_deeply($seen->{daysSeen}, [ $seen->{list} ], 'and never has another day\'s visits under its date');
is_deeply([ sort @{ $seen->{sheets} } ], [ sort grep { my $name = $_;
        grep { $_->{name} eq $name } @doctors } @$own ], 'or a department\'s doctors alone');
is($seen->{broken}, 0, 'no button is broken into two lines');
cmp_ok(scalar @{ $seen->{listPages} }, '>=', $seen->{doctors}, 'a doctor a page, at least');
is_deeply($_, [ 210, 297 ], 'on A4') for @{ $seen->{listPages} };
is($seen->{listShows}, 0, 'without what is for the screen alone');
is($seen->{printed}, 2, 'the list and the slip are sent to the printer');
is_deeply($seen->{slipPages}, [ [ 80, 110 ] ], 'the slip is one of 80 mm');
like($seen->{slip}, qr/Token\s+$seen->{token}\s/, 'with the token');
ok(!$seen->{slipAlone}, 'and nothing else');
like($seen->{nowhere}, qr/Choose another day/, 'a day is moved to another, or to another doctor');
like($seen->{note}, qr{^Sun \d\d/\d\d/\d{4}$}, 'whose weekday is said, as is the date');
like($seen->{notFit}, qr/^[\x20-\x7e]*does not work[\x20-\x7e]*$/,
    'where one does not fit it is refused, in the server\'s words alone');
like($seen->{willMove}, qr/^$visits visits? goe?s? to \Q$mover->{name}\E/, 'what will be moved is said');
like($seen->{dayMoved}, qr/^$visits visits? (?:is|are) now with/, 'and what was');
is($cluster->value($moves, $mover->{doctor_id}, $branch, $day), 0, 'none is left there');
is($cluster->value($moves, $mover->{doctor_id}, $branch, $open), $visits, 'all are there');
like($seen->{hindiRefusal}{own}, qr/^[^A-Za-z]*\x{0964}$/, 'a refusal is in Hindi');
like($seen->{hindiRefusal}{said}, qr/^[\x20-\x7e]*does not work/, 'and the server\'s sentence below');
like($seen->{hindiFailed}[0], qr/^[^A-Za-z]*\x{0964}$/, 'so is a list that cannot be read');
like($seen->{hindiFailed}[1], qr/31/, 'with the server\'s sentence below');
is($seen->{hindi}, "\x{926}\x{93f}\x{928} \x{915}\x{940} \x{938}\x{942}\x{91a}\x{940}",
    'it is there in Hindi');
behaves($seen);

done_testing();
