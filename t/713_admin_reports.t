#!/usr/bin/perl
#
# The clinic's page, Reports: what the tables say is what the views say, a CSV
# has every row once, lists are printed on A4 and slips on 80 mm.

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

my $seen = run_desk($clinic, 'admin_reports.js',
    [qw(reports:read)],
    { role => 'reception', from => $from, to => $to, branch => $branch, date => $date });

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
cmp_ok(scalar @{ $seen->{listPages} }, '>=', $seen->{doctors}, 'a doctor a page, at least');
is_deeply($_, [ 210, 297 ], 'on A4') for @{ $seen->{listPages} };
is($seen->{listShows}, 0, 'without what is for the screen alone');
is($seen->{printed}, 2, 'the list and the slip are sent to the printer');
is_deeply($seen->{slipPages}, [ [ 80, 110 ] ], 'the slip is one of 80 mm');
like($seen->{slip}, qr/Token\s+$seen->{token}\s/, 'with the token');
ok(!$seen->{slipAlone}, 'and nothing else');
is($seen->{hindi}, "\x{926}\x{93f}\x{928} \x{915}\x{940} \x{938}\x{942}\x{91a}\x{940}",
    'it is there in Hindi');
behaves($seen);

done_testing();
