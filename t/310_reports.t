#!/usr/bin/perl
#
# Reports over HTTP: JSON or CSV by what the caller asks for, for those who may,
# of the branches that they see; nobody's name, and no cell that a spreadsheet
# would run.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $call    = 'GET /api/v1/reports/{report}';

# Days far from the demo's: two doctors, one of whose names is a formula.
$cluster->psql(<<'SQL');
INSERT INTO appt.department (department_id, name)
VALUES ('R-D', 'Ears, "nose"'), ('R-E', 'Nobody''s');
INSERT INTO appt.doctor (doctor_id, name, specialty, department_id, slot_min)
VALUES ('R-1', '=HYPERLINK("http://x","Dr, A")', '+1', NULL, 60),
	('R-2', E'Dr "Q"\nB', '@SUM(A1)', 'R-D', 60);
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT d, b, 1, '09:00', '12:00'
FROM (VALUES ('R-1', 'MUM-01'), ('R-2', 'LON-01')) v (d, b);
INSERT INTO appt.patient (patient_id, first_name, last_name, phone)
VALUES ('R-P1', 'Zenobia', 'Quill', '+919999900001'), ('R-P2', 'Y', 'Y', NULL);
SELECT appt.cancel(appointment_id, 'Asked')
FROM (VALUES ('R-P1', 'R-1', '2026-03-30 10:00+05:30'::timestamptz, 'MUM-01'),
	('R-P2', 'R-2', '2026-03-30 09:00+01:00', 'LON-01')) v (p, d, at, b),
	appt.book(p, d, at, branch_id => b);
SELECT appt.book('R-P1', 'R-1', '2026-03-30 10:00+05:30', branch_id => 'MUM-01'),
	appt.book('R-P2', 'R-2', '2026-03-30 09:00+01:00', branch_id => 'LON-01');
SET bioecko_appt.clock = '2026-03-30 08:30Z';
SELECT appt.check_in(appointment_id), appt.start(appointment_id)
FROM appt.appointment WHERE doctor_id IN ('R-1', 'R-2') AND status = 'booked';
SQL

sub report {
    my ($name, $query, $accept, $who) = @_;
    return ($who // $http)->get("/api/v1/reports/$name",
        { from => '2026-03-30', to => '2026-03-30', %{ $query // {} } },
        $accept ? { Accept => $accept } : ());
}

my @reports = @{ $cluster->query('SELECT name FROM appt_internal.report') };
is(scalar @reports, 8, 'there are eight');
for my $name (map { $_->{name} } @reports) {
    my $r = report($name, { doctor_id => 'R-1' });
    is($r->{status}, 200, "$name: JSON") or diag $r->{body};
    is_deeply([ $api->wrong($call, $r) ], [], "$name: as documented");
    my $rows = $name eq 'appointment' ? 2 : 1;
    is(scalar @{ $r->{json} }, $rows, "$name: $rows there are");
    is($r->{headers}{'x-total-count'}, $rows, "$name: and the header says so");
    is($r->{json}[0]{doctor_id}, 'R-1', "$name: of that doctor");
    my @column = @{ $cluster->query(q{SELECT attname FROM pg_attribute
        WHERE attrelid = ('appt_report.' || $1)::regclass AND attnum > 0
        ORDER BY attname}, $name) };
    is_deeply([ sort keys %{ $r->{json}[0] } ],
        [ sort map { $_->{attname} } @column ], "$name: the view's columns");
    unlike($r->{body}, qr/Zenobia|Quill|99999/, "$name: nobody's name");

    my $csv = report($name, { doctor_id => 'R-1' }, 'text/csv');
    is($csv->{headers}{'content-type'},
        'text/csv; charset=utf-8; header=present', "$name: CSV");
    is($csv->{headers}{'content-disposition'},
        qq(attachment; filename="$name.csv"), "$name: a file");
    is($csv->{body} =~ tr/\n//, 1 + $rows, "$name: a header and as many rows");
    like($csv->{body}, qr/\A[a-z_,]*\bdoctor_id,[a-z_0-9,]*\r\n.*\r\n\z/s,
        "$name: with line ends by RFC 4180");
    like($csv->{body}, qr/,"'=HYPERLINK\(""http:\/\/x"",""Dr, A""\)",/,
        "$name: a formula is a text");
}

# ---- what a cell is -----------------------------------------------------------

my $all = report('bookings_by_hour', {}, 'text/csv');
is($all->{body}, join("\r\n", 'visit_date,visit_month,weekday,doctor_id,'
    . 'doctor_name,specialty,department_id,department_name,branch_id,branch_name,'
    . 'hour,appointments,completed,'
    . 'no_shows,cancelled,walk_ins',
    q(2026-03-30,2026-03-01,1,R-1,"'=HYPERLINK(""http://x"",""Dr, A"")",)
    . q("'+1",,,MUM-01,) . branch('MUM-01') . ',10,1,0,0,1,0',
    qq(2026-03-30,2026-03-01,1,R-2,"Dr ""Q""\nB","'\@SUM(A1)",R-D,"Ears, ""nose""",LON-01,)
    . branch('LON-01') . ',9,1,0,0,1,0', ''), 'every cell as it must be');
is($cluster->value(q{SELECT string_agg(appt_internal.csv_cell(t, true), '|')
    FROM unnest(ARRAY['a', '-1', E'\tx', E'\rx', '=', ' =', 'a=b', '', 'a,b'])
    WITH ORDINALITY v (t, n)}), qq(a|"'-1"|"'\tx"|"'\rx"|"'="| =|a=b||"a,b"),
    'what is guarded');
is($cluster->value(q{SELECT appt_internal.csv_cell('-1', false)}), '-1',
    'a number is not');
my $fact = report('appointment', { doctor_id => 'R-2' })->{json}[1];
is_deeply([ @$fact{qw(slot_start start_local)} ],
    [ '2026-03-30T09:00:00+01:00', '2026-03-30T09:00:00' ],
    'an instant has the branch\'s offset, a wall clock none');

# ---- a department's ------------------------------------------------------------

for my $name (map { $_->{name} } @reports) {
    my $rows = report($name, { department_id => 'R-D', per_page => 100 })->{json};
    is_deeply({ map { join(' ', @$_{qw(doctor_id department_id department_name)}) => 1 }
        @$rows }, { 'R-2 R-D Ears, "nose"' => 1 }, "$name: of a department's doctors");
    is(report($name, { department_id => 'R-E' })->{body}, '[]',
        "$name: nothing of one without any");
    is(report($name, { doctor_id => 'R-1', department_id => 'R-D' })->{body}, '[]',
        "$name: both have a say");
    is(report($name, { doctor_id => 'R-1' })->{json}[0]{department_id}, undef,
        "$name: of a doctor without one it is null");
}
my $unknown = report('utilisation', { department_id => 'R-X' });
is($unknown->{status}, 404, 'a department that there is not');
is($unknown->{json}{errors}[0]{field}, 'department_id', 'is named');

# ---- pages ---------------------------------------------------------------------

my $one = report('bookings_by_hour', { per_page => 1, page => 2 }, 'text/csv');
is($one->{headers}{'x-total-count'}, 2, 'two in all');
like($one->{body}, qr/\Avisit_date.*R-2/s, 'the second has a page of its own');
unlike($one->{body}, qr/R-1/, 'without the first');
like($one->{headers}{link}, qr/page=1>; rel="prev"/, 'and says where that is');
is(report('bookings_by_hour', { page => 9 })->{body}, '[]', 'no page is empty');

# ---- who sees what -------------------------------------------------------------

my $london = $clinic->http($clinic->create_client(scopes => ['reports:read'],
    branch_ids => ['LON-01']));
for my $name (map { $_->{name} } @reports) {
    my %seen = map { $_->{branch_id} => 1 }
        @{ report($name, { per_page => 100 }, undef, $london)->{json} };
    is_deeply(\%seen, { 'LON-01' => 1 }, "$name: of its own branch alone");
}
is(report('utilisation', { doctor_id => 'R-1' }, undef, $london)->{status}, 404,
    'a doctor elsewhere is not there');
is(report('utilisation', { branch_id => 'MUM-01' }, undef, $london)->{status},
    404, 'nor a branch');
my $other = $clinic->http($clinic->create_client(
    scopes => [ 'appointments:read', 'schedule:read' ]));
is(report('utilisation', {}, undef, $other)->{status}, 403,
    'who may not read reports may not');

# ---- what is refused -------------------------------------------------------------

for my $case ([ 'appointment_contact', {}, 404 ], [ 'health', {}, 404 ],
    [ 'queue_now', {}, 404 ], [ 'pg_class', {}, 404 ],
    [ 'utilisation', { to => '2026-03-29' }, 400, 'to' ],
    [ 'utilisation', { to => '2026-04-30' }, 400, 'to' ],
    [ 'utilisation', { to => '2027-03-31', doctor_id => 'R-1' }, 400, 'to' ],
    [ 'no_show_rate', { to => '2027-03-31' }, 400, 'to' ],
    [ 'utilisation', { from => 'infinity' }, 400, 'from' ],
    [ 'utilisation', { from => '' }, 400, 'from' ],
    [ 'utilisation', { format => 'csv' }, 400, 'format' ],
    [ 'utilisation', { per_page => 101 }, 400, 'per_page' ]) {
    my ($name, $query, $status, $field) = @$case;
    my $r = report($name, $query, 'text/csv');
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is($r->{json}{errors}[0]{field}, $field, "$name: names $field") if $field;
    is($r->{headers}{'content-type'}, 'application/problem+json',
        "$name: a problem, whatever was asked for");
}
is(report('no_show_rate', { from => '2025-04-01' })->{status}, 200,
    'a year by months');
is(report('utilisation', { from => '2025-04-01', doctor_id => 'R-1' })->{status},
    200, 'a year of a doctor');

# ---- the form that is asked for ----------------------------------------------------

for my $case ([ '*/*', 'json' ], [ 'text/csv', 'csv' ], [ 'text/*', 'csv' ],
    [ 'text/csv, */*;q=0.1', 'csv' ], [ 'application/json, text/csv', 'json' ],
    [ 'TEXT/CSV;charset=utf-8', 'csv' ], [ 'application/*', 'json' ]) {
    my ($accept, $form) = @$case;
    like(report('utilisation', {}, $accept)->{headers}{'content-type'},
        qr/\b$form\b/, "$accept: $form");
}
my $r = report('utilisation', {}, 'image/png');
is($r->{status}, 406, 'a picture there is not');
like($r->{json}{detail}, qr{text/csv}, 'but two other forms');
is($http->get('/api/v1/branches', undef, { Accept => 'text/csv' })->{status}, 406,
    'elsewhere CSV is none');

done_testing();

sub branch {
    return '"' . $cluster->value('SELECT name FROM appt.branch
        WHERE branch_id = $1', $_[0]) . '"';
}
