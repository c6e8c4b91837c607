#!/usr/bin/perl
#
# The reports through the two interfaces that reporting tools have: ODBC
# (unixODBC's isql) and JDBC (a small Java program). Both find the views, read
# every row and column, and see what psql sees.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(root_dir run_command slurp temp_dir);

my $clinic = Appt::Clinic->new(gateway => 0, cluster => { tcp => 1 },
    clock => '2026-02-01T12:00:00+05:30');
my $c = $clinic->cluster;
$c->psql(<<'SQL');
CREATE ROLE reader LOGIN IN ROLE appt_reporting;
CREATE ROLE desk LOGIN IN ROLE appt_reporting_contact;
SELECT appt.create_webhook('https://receiver.example.org/hook');

-- Somebody is told of a booking.
INSERT INTO appt.notification_channel (channel_id, kind, settings, active)
VALUES ('mail', 'email', '{"host": "mail.example.org", "from": "a@example.org"}',
    true);
SELECT appt.book('PAT-2026-00123', f.doctor_id, f.start_time,
    branch_id => f.branch_id)
FROM appt.first_available(ARRAY['DOC-001']) f;

-- The demo's visits end without having been started: measure some.
UPDATE appt.appointment
SET started_at = checked_in_at + interval '11 minutes'
WHERE status = 'completed';
SQL

# What each of the two may read, and how many rows there are: the reader by
# ODBC, the desk by JDBC.
my %rows = readable('reader');
my %all  = readable('desk');

sub readable {
    my ($role) = @_;
    return map { $_->{view} => $c->value(
            "SELECT count(*) FROM appt_report.$_->{view}") }
        @{ $c->query(<<'SQL', $role) };
SELECT c.relname AS view FROM pg_class AS c
WHERE c.relnamespace = 'appt_report'::regnamespace
    AND has_table_privilege($1, c.oid, 'SELECT')
SQL
}

cmp_ok(scalar keys %rows, '>=', 10, 'there are views to read');
ok($all{$_}, "$_ has rows") for sort keys %all;

# What psql sees of a query, a line a row, fields by |.
sub seen_by_psql {
    my ($sql) = @_;
    return $c->psql($sql, user => 'reader');
}

my $tmp = temp_dir();

# A program that is missing fails the test: a report nobody can read is broken.
sub there_is {
    my ($program, $package) = @_;
    my ($code) = run_command(['sh', '-c', 'command -v "$0"', $program]);
    is($code, 0, "there is $program")
        or diag "what to do: make install-deps ($package)";
    return $code == 0;
}

subtest 'ODBC' => sub {
    there_is('isql', 'unixodbc, odbc-postgresql') or return;
    odbc_source();
    for my $view (sort keys %rows) {
        my ($code, $out, $err) = isql("SELECT * FROM appt_report.$view");
        my ($names, @rows) = split /\n/, $out;
        is($code, 0, "$view: isql reads it") or diag $out, $err;
        is($names, join('|', columns($view)), "$view: every column");
        is(scalar @rows, $rows{$view}, "$view: every row");
    }
    for my $sql (
        'SELECT visit_date, start_local, end_local, doctor_id, doctor_name, '
            . 'token_number, status, length_min FROM appt_report.appointment '
            . 'ORDER BY slot_start, doctor_id, token_number',
        'SELECT visit_date, doctor_name, start_time, end_time, patient_id '
            . 'FROM appt_report.daily_schedule ORDER BY 1, 2, 3, 5',
        'SELECT visit_date, doctor_id, offered_min, utilisation_percent '
            . 'FROM appt_report.utilisation ORDER BY 1, 2') {
        my ($code, $out) = isql($sql);
        $out =~ s/\A[^\n]*\n//;
        my @first = (split /\n/, $out)[0 .. 9];
        my @psql  = (split /\n/, seen_by_psql($sql))[0 .. 9];
        is_deeply(\@first, \@psql, 'the same as psql: ' . substr $sql, 0, 40);
    }
    my ($code, $out, $err) = isql('SELECT * FROM appt_report.patient_contact');
    like("$out$err", qr/permission denied/, 'contact data is refused');
};

# odbc.ini as docs/reporting.md has it.
sub odbc_source {
    my ($ini) = slurp(root_dir() . '/docs/reporting.md')
        =~ /```ini\n(\[clinic\].*?)```/s;
    ok($ini, 'the page has an odbc.ini') or return;
    $ini =~ s/^Servername *=.*/Servername = 127.0.0.1/m;
    $ini =~ s/^Port *=.*/Port = @{[ $c->port ]}/m;
    $ini =~ s/^Database *=.*/Database = @{[ $c->database ]}/m;
    $ini =~ s/^Username *=.*/Username = reader/m;
    open my $fh, '>', "$tmp/odbc.ini" or die "$tmp/odbc.ini: $!\n";
    print {$fh} $ini;
    close $fh;
}

sub isql {
    my ($sql) = @_;
    local $ENV{ODBCINI} = "$tmp/odbc.ini";
    return run_command(['isql', 'clinic', '-b', '-c', '-v', '-d|'],
        "$sql\n");
}

sub columns {
    my ($view) = @_;
    return map { $_->{name} } @{ $c->query(<<'SQL', "appt_report.$view") };
SELECT attname AS name FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum
SQL
}

subtest 'JDBC' => sub {
    there_is('javac', 'default-jdk-headless') && there_is('java', 'default-jdk-headless')
        or return;
    my $driver = '/usr/share/java/postgresql.jar';
    ok(-e $driver, 'there is the driver')
        or diag 'what to do: make install-deps (libpostgresql-jdbc-java)';
    my ($code, $out, $err) = run_command(['javac', '--release', '11', '-proc:none',
        '-d', "$tmp", root_dir() . '/t/java/ReadReports.java']);
    is($code, 0, 'the program compiles') or diag $out, $err;

    my $url = sprintf 'jdbc:postgresql://127.0.0.1:%d/%s?user=desk',
        $c->port, $c->database;
    ($code, $out, $err) = run_command(
        ['java', '-Duser.timezone=America/New_York', '-cp', "$tmp:$driver",
            'ReadReports', $url]);
    is($code, 0, 'it reads everything') or diag $err;

    my %got = map {/^rows\|(\w+)\|(\d+)/ ? ($1 => $2) : ()} split /\n/, $out;
    is_deeply(\%got, { map { $_ => $all{$_} } keys %got },
        'it sees as many rows');
    is_deeply([grep { !defined $got{$_} } keys %all], [],
        'it finds every view');
    my %class = map {/^[a-z_0-9]+\|[a-z_0-9]+\|(java\S+|org\S+|\[.*)$/
        ? ($1 => $_) : ()} split /\n/, $out;
    delete $class{$_} for qw(java.lang.String java.lang.Integer java.lang.Long
        java.lang.Boolean java.math.BigDecimal java.sql.Date java.sql.Time
        java.sql.Timestamp);
    is_deeply(\%class, {}, 'every column is of a plain class');

    # The wall clock of the branch, whatever zone the tool runs in.
    my ($answer) = $out =~ /^answer\|(.*)/m;
    is($answer, seen_by_psql(<<'SQL'), 'a question with parameters');
SELECT visit_date, to_char(start_local, 'YYYY-MM-DD"T"HH24:MI'),
    to_char(slot_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    doctor_name, length_min, is_walk_in::text, status
FROM appt_report.appointment
WHERE doctor_id = 'DOC-001' AND visit_date BETWEEN '2026-02-02' AND '2026-02-28'
ORDER BY slot_start, token_number LIMIT 1
SQL
};

# The page's own queries, as the reader; the role is made by the superuser.
subtest 'docs/reporting.md' => sub {
    my @sql = slurp(root_dir() . '/docs/reporting.md') =~ /^```sql\n(.*?)^```/msg;
    cmp_ok(scalar @sql, '>', 10, 'it has queries');
    for my $sql (@sql) {
        $sql =~ s/\$__timeFilter\((\w+)\)/$1 BETWEEN '2026-02-01T00:00:00Z' AND '2026-02-28T23:59:59Z'/;
        my $as = $sql =~ /^CREATE ROLE/ ? 'postgres' : 'desk';
        my ($code, $out, $err) = $c->try_psql($sql, user => $as);
        is($code, 0, (split /\n/, $sql)[0]) or diag $err;
    }
};

done_testing;
