#!/usr/bin/perl
#
# docs/reporting.md, LibreOffice: a Base file for the clinic lists the views,
# and Calc has the page's query in a sheet, numbers and dates as such.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(root_dir run_command slurp temp_dir);

my $missing = join ' ', grep {
    (run_command(['dpkg-query', '-W', '-f', '${db:Status-Status}', $_]))[1]
        ne 'installed'
} qw(libreoffice-base-nogui libreoffice-calc-nogui libreoffice-sdbc-postgresql
    python3-uno);
is($missing, '', 'LibreOffice is here, without its windows')
    or give_up();

sub give_up {
    diag "what to do: make install-deps ($missing)";
    done_testing;
    exit 1;
}

my $clinic = Appt::Clinic->new(gateway => 0, cluster => { tcp => 1 },
    clock => '2026-02-10T12:00:00+05:30');
my $c = $clinic->cluster;
$c->psql('CREATE ROLE bi_reader LOGIN IN ROLE appt_reporting');

my $page = slurp(root_dir() . '/docs/reporting.md');
my ($section) = $page =~ /^### LibreOffice\n(.*?)^##/ms;
my ($connection) = $section =~ /^```text\n(dbname=.*?)\n```/ms;
my ($sql) = $section =~ /^```sql\n(.*?)\n```/ms;
ok($connection && $sql, 'the page has a connection and a query');
my %here = (dbname => $c->database, host => '127.0.0.1', port => $c->port);
$connection =~ s/\b$_=\S+/$_=$here{$_}/ for keys %here;

my $tmp = temp_dir();
my ($code, $out, $err) = run_command(['timeout', '240', '/usr/bin/python3',
    root_dir() . '/t/python/libreoffice_report.py', "$tmp", $connection,
    $sql]);
is($code, 0, 'it does what a person does by mouse') or diag $out, $err;
is_deeply(
    [sort grep {/^appt_report/} split /\n/, $out],
    [map {"appt_report.$_->{name}"} @{ $c->query(<<'SQL') }],
SELECT relname AS name FROM pg_class
WHERE relnamespace = 'appt_report'::regnamespace ORDER BY 1
SQL
    'Base lists the views');
ok(-s "$tmp/clinic.odb", 'it is saved as a Base file');
ok(-s "$tmp/report.ods", 'and the sheet as a file of Calc');

my @got  = split /\n/, -e "$tmp/report.csv" ? slurp("$tmp/report.csv") : '';
my @want = split /\n/, $c->psql("COPY ($sql) TO STDOUT (FORMAT csv)",
    user => 'bi_reader');
cmp_ok(scalar @want, '>', 1, 'the query has rows');
is(scalar @got, @want + 1, 'a line a row, and the names of the columns');
is($got[1] =~ tr/"//dr, in_american($want[0]),
    'the first row, with a date and a time of day that Calc knows as such');

# As Calc shows them without a locale.
sub in_american {
    my ($row) = @_;
    my ($year, $month, $day, $hour, $rest) =
        $row =~ /^\d\d(\d\d)-(\d\d)-(\d\d),(\d\d)(:\d\d:\d\d)/ or return $row;
    my $time = sprintf '%02d%s %s', ($hour + 11) % 12 + 1, $rest,
        $hour < 12 ? 'AM' : 'PM';
    return "$month/$day/$year,$time" . substr $row, 19;
}

done_testing;
