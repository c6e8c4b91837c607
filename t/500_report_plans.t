#!/usr/bin/perl
#
# Every view of appt_report, filtered by a month and a doctor, answers from
# indexes: no sequential scan of appointment, and few pages of it.
#
# 200,000 appointments by default: more than enough for the planner to prefer
# a scan where an index does not serve. APPT_TEST_APPOINTMENTS=1000000 for the
# figures in docs/reporting.md.

use strict;
use warnings;
use JSON::PP qw(decode_json);
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir);

my $rows = $ENV{APPT_TEST_APPOINTMENTS} || 200_000;
my $c = Appt::Cluster->new(conf => { autovacuum => 'off' })->create_extension;
my ($code, $out, $err) = $c->try_psql('', options => [
    '--set' => 'doctors=100', '--set' => "appointments=$rows",
    '--file' => root_dir() . '/bench/generate.sql']);
is($code, 0, "bench/generate.sql makes $rows appointments") or diag $err;
is($c->value('SELECT count(*) FROM appt.appointment'), $rows, 'all of them');

# A month that lies in the past and is whole, if there is one.
my ($month) = $c->dbh->selectrow_array(<<'SQL');
SELECT visit_month FROM appt_report.appointment
WHERE visit_date < appt.clock()::date
GROUP BY visit_month ORDER BY count(*) DESC LIMIT 1
SQL
my $pages = $c->value(q{SELECT relpages FROM pg_class
    WHERE oid = 'appt.appointment'::regclass});
cmp_ok($pages, '>', 1000, 'the table has many pages');

# The view's own way to say "this month": by day, or by month.
my @views = @{ $c->query(<<'SQL') };
SELECT table_name AS view,
    max(column_name) FILTER (WHERE column_name = 'visit_date') AS by_day
FROM information_schema.columns
WHERE table_schema = 'appt_report'
GROUP BY table_name
HAVING bool_or(column_name = 'doctor_id')
    AND bool_or(column_name IN ('visit_month', 'visit_date'))
ORDER BY 1
SQL
is(scalar @views, 10, 'the views by doctor and time');

my $reader = do {
    $c->psql('CREATE ROLE reader LOGIN IN ROLE appt_reporting_contact');
    $c->connect(user => 'reader');
};

# Every node of a plan, with those below it.
sub nodes { my ($n) = @_; return ($n, map { nodes($_) } @{ $n->{Plans} // [] }) }

sub scans_of_appointment {
    my ($sql) = @_;
    my ($json) = $reader->selectrow_array(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json) $sql");
    my $plan = decode_json($json)->[0]{Plan};
    my @scans = grep { ($_->{'Relation Name'} // '') eq 'appointment' }
        nodes($plan);
    return ($plan, @scans);
}

for (@views) {
    my ($view, $by_day) = @$_{qw(view by_day)};
    my $when = $by_day
        ? "visit_date >= '$month' AND visit_date < date '$month' + interval '1 month'"
        : "visit_month = '$month'";
    my $sql = "SELECT * FROM appt_report.$view "
        . "WHERE doctor_id = 'D-0042' AND $when";
    subtest $view => sub {
        my ($plan, @scans) = scans_of_appointment($sql);
        cmp_ok($plan->{'Actual Rows'}, '>', 0, 'it has rows');
        my @sequential = grep { $_->{'Node Type'} eq 'Seq Scan' }
            @scans;
        is(scalar @sequential, 0, 'no sequential scan of appointment')
            or diag $sql;
        my @conditions = map { $_->{'Index Cond'} // () }
            nodes($plan);
        ok((grep {/doctor_no = .*token_date/} @conditions),
            'the index serves both the doctor and the time')
            or diag explain(\@conditions) if $view ne 'offered_time';
        my $read = $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'};
        note "$view: $read pages";
        cmp_ok($read / ($view =~ /contact/ ? 12 : 6), '<', $pages,
            "it reads few pages ($read)");
    };
}

# What a tool sends is not always a date.
for my $when ("visit_date BETWEEN timestamp '$month' AND timestamp '$month' + interval '30 days'",
    "visit_date >= '$month'::timestamptz AND visit_date < '$month'::timestamptz + interval '7 days'",
    "visit_date = '$month'") {
    my ($plan, @scans) = scans_of_appointment(
        'SELECT doctor_name, count(*) FROM appt_report.appointment '
            . "WHERE doctor_name = 'Dr 42' AND $when GROUP BY 1");
    ok(!(grep { $_->{'Node Type'} eq 'Seq Scan' } @scans), $when);
}
{
    my ($plan, @scans) = scans_of_appointment(
        'SELECT * FROM appt_report.appointment '
            . q{WHERE patient_id = 'P-0000042'});
    ok(!(grep { $_->{'Node Type'} eq 'Seq Scan' } @scans), 'one patient');
}
{
    my ($plan, @scans) = scans_of_appointment(
        q{SELECT * FROM appt_report.queue_now WHERE doctor_id = 'D-0042'});
    ok(!(grep { $_->{'Node Type'} eq 'Seq Scan' } @scans), 'the queue');
}

# A query that names no patient does not read the patients.
my ($plan) = scans_of_appointment(
    'SELECT status, count(*) FROM appt_report.appointment GROUP BY 1');
my %read = map { ($_->{'Relation Name'} // '') => 1 } nodes($plan);
delete $read{''};
is_deeply([sort keys %read], ['appointment'],
    'counting by status reads appointment alone');

done_testing;
